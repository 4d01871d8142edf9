import type { Address, Attempt } from '../../facts/outcome.js';
import type { Endpoint } from '../../target/target.js';
import { type CheckContext, endpointAt } from './check-context.js';
import { checkLocalFirewall } from './local-firewall-check.js';
import { isOwnAddress } from './machine.js';
import type { Observations, RefusalTiming } from './observations.js';
import { OTHER_PORTS } from './options.js';

const LOOPBACK: readonly Address[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/** How often a refusal and an open port are timed. */
export const TIMINGS = 6;

/** What is observed of a port that refused or did not answer. */
export type FailureObservation = Pick<
  Observations,
  'loopback' | 'listeners' | 'companions' | 'localFilter' | 'refusalTiming'
>;

const NOTHING_TO_CHECK: FailureObservation = {
  loopback: [],
  listeners: null,
  companions: null,
  localFilter: null,
  refusalTiming: null,
};

/** Times a refusal and the handshake of an open port in turns, until the deadline. */
async function timeRefusal(
  { probe, remainingMs }: CheckContext,
  refused: Endpoint,
  open: Endpoint,
): Promise<RefusalTiming | null> {
  const refusals: number[] = [];
  const handshakes: number[] = [];
  while (refusals.length < TIMINGS && remainingMs() > 1) {
    const first = await probe(refused);
    const second = await probe(open);
    if (first.state !== 'closed' || second.state !== 'open') return null;
    refusals.push(first.elapsedMs);
    handshakes.push(second.latencyMs);
  }
  if (refusals.length === 0) return null;
  return {
    pairs: refusals.length,
    refusedMs: Math.min(...refusals),
    slowestRefusedMs: Math.max(...refusals),
    openPort: open.port,
    openMs: Math.min(...handshakes),
  };
}

/**
 * Looks for listeners, and probes the port on both loopback addresses, except the one that was
 * probed already.
 */
async function checkOwn(context: CheckContext, probed: Endpoint): Promise<FailureObservation> {
  const listeners = context.readListeners(probed.port); // before our connections wait there, too
  const others = LOOPBACK.filter(({ address }) => address !== probed.address);
  const loopback = await Promise.all(
    others.map(async (each) => {
      const attempt = await context.probe(endpointAt(context, each));
      context.note({ loopback: [attempt] });
      return attempt;
    }),
  );
  return { ...NOTHING_TO_CHECK, loopback, listeners };
}

async function checkRemote(
  context: CheckContext,
  { endpoint, state }: Attempt,
): Promise<FailureObservation> {
  const { track, probe, note, target } = context;
  const localFilter = await track('local firewall', checkLocalFirewall(context, endpoint));
  note({ localFilter });
  if (!context.otherPorts) return { ...NOTHING_TO_CHECK, localFilter };
  const ports = OTHER_PORTS.filter((port) => port !== target.port);
  const companions = await track(
    'other ports',
    Promise.all(
      ports.map(async (port) => {
        const attempt = await probe({ ...endpoint, port });
        note({ companions: [attempt] });
        return attempt;
      }),
    ),
  );
  const open = companions.find((each) => each.state === 'open');
  const refusalTiming =
    state === 'closed' && open ? await timeRefusal(context, endpoint, open.endpoint) : null;
  return { ...NOTHING_TO_CHECK, companions, localFilter, refusalTiming };
}

/**
 * Examines a port that refused or did not answer. Tells apart a firewall here, a firewall there, a
 * host that is down and a service that is down.
 *
 * @param attempt if it is open, nothing is checked but who listens there on this machine
 */
export async function checkFailure(
  context: CheckContext,
  attempt: Attempt | null,
): Promise<FailureObservation> {
  const states = ['open', 'closed', 'filtered'];
  if (!attempt || !states.includes(attempt.state)) return NOTHING_TO_CHECK;
  const isOwn = await isOwnAddress(attempt.endpoint);
  if (attempt.state === 'open')
    return isOwn
      ? { ...NOTHING_TO_CHECK, listeners: context.readListeners(attempt.endpoint.port) }
      : NOTHING_TO_CHECK;
  return isOwn ? checkOwn(context, attempt.endpoint) : checkRemote(context, attempt);
}
