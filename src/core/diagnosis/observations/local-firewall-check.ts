import type { Attempt } from '../../facts/outcome.js';
import type { Endpoint } from '../../target/target.js';
import type { CheckContext } from './check-context.js';
import type { Counters } from './counters.js';
import type { CounterChanges, LocalFilterObservation } from './observations.js';

/** One try in milliseconds: enough for a SYN to leave, too short for much other traffic. */
const WINDOW_MS = 30;

/** Tries of one endpoint. Other traffic rarely hides all of them. */
const TRIES = 3;

/** At most this many other ports are tried to prove that the counters work. */
const MAX_CONTROLS = 2;

/** One connect, and what the counters did meanwhile. */
interface Try {
  readonly packetsSent: number;
  readonly unreachableToSelf: number;
  readonly answered: boolean;
}

type Watching = Pick<CheckContext, 'probe' | 'readCounters' | 'signal'>;

const isAnswered = (attempt: Attempt): boolean =>
  attempt.state === 'open' ||
  attempt.state === 'closed' ||
  (attempt.state === 'filtered' && attempt.reason !== 'no-response');

const compareCounters = (before: Counters, after: Counters, answered: boolean): Try => ({
  packetsSent: after.packetsSent - before.packetsSent,
  unreachableToSelf: Math.min(
    after.unreachableSent - before.unreachableSent,
    after.unreachableReceived - before.unreachableReceived,
  ),
  answered,
});

/** Makes one try; null without counters, or if the connect failed here. */
async function tryOnce(endpoint: Endpoint, { probe, readCounters }: Watching): Promise<Try | null> {
  const before = readCounters();
  if (before === null) return null;
  const [attempt] = await Promise.all([
    probe(endpoint, { timeoutMs: WINDOW_MS }),
    new Promise((resolve) => {
      setTimeout(resolve, WINDOW_MS + 5);
    }),
  ]);
  const after = readCounters();
  return after && attempt.state !== 'failed'
    ? compareCounters(before, after, isAnswered(attempt))
    : null;
}

/** What the counters do while an endpoint is tried; null if that cannot be observed. */
async function watchCounters(
  endpoint: Endpoint,
  watching: Watching,
): Promise<CounterChanges | null> {
  const tries: Try[] = [];
  while (tries.length < TRIES && watching.signal?.aborted !== true) {
    const one = await tryOnce(endpoint, watching);
    if (one === null) return null;
    tries.push(one);
  }
  if (tries.length === 0) return null;
  const sent = tries.map(({ packetsSent }) => packetsSent);
  return {
    leastPacketsSent: Math.min(...sent),
    mostPacketsSent: Math.max(...sent),
    answeredWithoutSending: tries.some(
      ({ packetsSent, answered }) => answered && packetsSent === 0,
    ),
    unreachableToSelf: Math.min(...tries.map(({ unreachableToSelf }) => unreachableToSelf)),
  };
}

/** The first other port for which every try sent packets. */
async function findControl(
  endpoint: Endpoint,
  ports: readonly number[],
  watching: Watching,
): Promise<LocalFilterObservation['control']> {
  for (const port of ports.slice(0, MAX_CONTROLS)) {
    const changes = await watchCounters({ ...endpoint, port }, watching);
    if (changes && changes.leastPacketsSent > 0)
      return { port, leastPacketsSent: changes.leastPacketsSent };
  }
  return null;
}

/**
 * Watches whether packets for an endpoint leave this machine. A control port is tried only if none
 * left, because then the counters must be shown to work.
 *
 * @param controlPorts other ports of the same host
 * @returns null if the counters cannot be read or the endpoint cannot be tried
 */
export async function checkLocalFirewall(
  watching: Watching,
  endpoint: Endpoint,
  controlPorts: readonly number[],
  failedRepeats: number,
): Promise<LocalFilterObservation | null> {
  const changes = await watchCounters(endpoint, watching);
  if (changes === null) return null;
  const needsControl = changes.mostPacketsSent === 0 || changes.answeredWithoutSending;
  return {
    endpoint: { address: endpoint.address, port: endpoint.port },
    target: changes,
    control: needsControl ? await findControl(endpoint, controlPorts, watching) : null,
    failedRepeats,
  };
}

/** Counts the retransmissions that fail locally from now on; call the result for the count. */
export function countFailedRepeats({
  readCounters,
}: Pick<CheckContext, 'readCounters'>): () => number {
  const before = readCounters()?.failedRepeats ?? 0;
  return () => (readCounters()?.failedRepeats ?? 0) - before;
}
