import type { Attempt } from '../../facts/outcome.js';
import type { Endpoint } from '../../target/target.js';
import type { CheckContext } from './check-context.js';
import type { Traffic } from './counters.js';
import type { LocalFilterObservation } from './observations.js';

/** The longest try in milliseconds: a SYN leaves at once, and other traffic has little time. */
const WINDOW_MS = 10;

/** Tries of the endpoint. Other traffic rarely hides all of them. */
export const TRIES = 5;

/** What the counters did without a probe, then with one. */
interface Try {
  readonly idle: Traffic;
  readonly probed: Traffic;
  readonly isAnswered: boolean;
}

type Watching = Pick<CheckContext, 'probe' | 'startCounting' | 'signal'>;

const isAnswered = (attempt: Attempt): boolean =>
  attempt.state === 'open' ||
  attempt.state === 'closed' ||
  (attempt.state === 'filtered' && attempt.reason !== 'no-response');

/** Counts while an activity runs; null if the system does not count. */
async function countDuring<Result>(
  { startCounting }: Watching,
  { family }: Endpoint,
  activity: () => Promise<Result>,
): Promise<{ readonly traffic: Traffic; readonly result: Result } | null> {
  const stop = startCounting(family);
  if (stop === null) return null;
  const result = await activity();
  return { traffic: stop(), result };
}

const pause = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, WINDOW_MS);
  });

/** Makes one try; null without counters, or if the connect failed here. */
async function tryOnce(endpoint: Endpoint, watching: Watching): Promise<Try | null> {
  const idle = await countDuring(watching, endpoint, pause);
  const probed = await countDuring(watching, endpoint, () =>
    watching.probe(endpoint, { timeoutMs: WINDOW_MS }),
  );
  if (!idle || !probed || probed.result.state === 'failed') return null;
  return {
    idle: idle.traffic,
    probed: probed.traffic,
    isAnswered: isAnswered(probed.result),
  };
}

/**
 * Watches whether packets for an endpoint leave this machine, in windows with a probe and without.
 *
 * @returns null if the system does not count, the endpoint cannot be tried or the caller aborted
 */
export async function checkLocalFirewall(
  watching: Watching,
  endpoint: Endpoint,
): Promise<LocalFilterObservation | null> {
  const tries: Try[] = [];
  while (tries.length < TRIES && watching.signal?.aborted !== true) {
    const one = await tryOnce(endpoint, watching);
    if (one === null) return null;
    tries.push(one);
  }
  if (tries.length < TRIES) return null;
  const stopped = tries.filter(({ probed }) => probed.octetsSent === 0);
  const answered = stopped.filter((each) => each.isAnswered);
  const packets = answered.map(({ probed }) => probed.loopbackPackets);
  return {
    endpoint: { address: endpoint.address, port: endpoint.port },
    tries: tries.length,
    stopped: stopped.length,
    answeredHere: answered.length,
    loopbackPackets: packets.length > 0 ? Math.min(...packets) : null,
    idleWithTraffic: tries.filter(({ idle }) => idle.octetsSent !== 0).length,
  };
}
