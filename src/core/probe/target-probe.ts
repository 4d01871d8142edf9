import { setMaxListeners } from 'node:events';
import { monotonicClock } from '../clock.js';
import type { Attempt, Outcome, ProbeReport, Resolution } from '../facts/outcome.js';
import { type AttemptOptions, probePort } from './port-probe.js';
import { checkPort, checkTimeout, DEFAULT_TIMEOUT_MS } from '../limits.js';
import { interleaveFamilies, startAttempts } from './race.js';
import { type ResolveOptions, resolveHost, resolveLiteral } from '../resolve/resolver.js';
import type { ServiceRequest } from '../service/registry.js';
import { type Endpoint, familyOf, type Target } from '../target/target.js';
import { warmUp } from './warm-up.js';

/** How a target is probed. `timeoutMs` is one deadline for resolving and connecting together, in milliseconds; default 5000. */
export interface ProbeOptions
  extends ResolveOptions, Omit<AttemptOptions, 'createSocket' | 'clock' | 'onOpen' | 'converse'> {
  /** Ask the service behind the open port, on the same connection, within the same deadline. With several addresses only the first that opens is asked. */
  readonly service?: ServiceRequest | undefined;
  /** Leave out the throw-away connect that makes the first latency of a process true, when no latency is looked at. */
  readonly skipWarmUp?: boolean;
  /** Resolves names; by default {@link resolveHost}. */
  readonly resolve?: typeof resolveHost;
}

const INFORMATIVE: readonly Outcome['state'][] = [
  'open',
  'closed',
  'filtered',
  'failed',
  'cancelled',
];

/** The attempt that decides: the first that opened, else the one that says most about the port. */
export function decide(attempts: readonly Attempt[]): Attempt | undefined {
  return [...attempts].sort(
    (a, b) => INFORMATIVE.indexOf(a.state) - INFORMATIVE.indexOf(b.state),
  )[0];
}

interface Started {
  readonly report: Pick<ProbeReport, 'target' | 'startedAt' | 'timeoutMs' | 'resolution'>;
  readonly attempts: Promise<Attempt | null>[];
}

async function start(
  target: Target,
  options: ProbeOptions,
  untilFirstOpen: boolean,
): Promise<Started> {
  const {
    timeoutMs = DEFAULT_TIMEOUT_MS,
    sourceAddress,
    watchMs = 0,
    closeWith = 'fin',
    signal,
    service,
    skipWarmUp = false,
    resolve = resolveHost,
  } = options;
  checkTimeout(timeoutMs);
  checkPort(target.port);
  const startedAt = Date.now();
  const startMs = monotonicClock();
  const warm = skipWarmUp ? undefined : warmUp();
  // Loaded only for those who ask, while the name is being resolved.
  const preparing =
    service &&
    import('../service/service-probe.js').then(({ prepareConversation }) =>
      prepareConversation(service, target),
    );
  preparing?.catch(() => {}); // awaited below

  const family =
    options.family ??
    (sourceAddress === undefined ? undefined : (familyOf(sourceAddress) ?? undefined));
  const resolution =
    resolveLiteral(target.host, family) ??
    (await resolve(target.host, { ...options, family, timeoutMs, bothFamilies: !untilFirstOpen }));
  if (warm) await warm;
  const converse = preparing && (await preparing);
  const attempt = (
    endpoint: Endpoint,
    remainingMs: number,
    attemptSignal: AbortSignal | undefined,
    onOpen?: () => void,
  ): Promise<Attempt> =>
    probePort(endpoint, {
      timeoutMs: remainingMs,
      signal: attemptSignal,
      sourceAddress,
      watchMs,
      closeWith,
      converse,
      ...(onOpen ? { onOpen } : {}),
    });
  const report = { target, startedAt, timeoutMs, resolution };
  if (resolution.state !== 'resolved') return { report, attempts: [] };
  const remainingMs = Math.max(timeoutMs - (monotonicClock() - startMs), 1);
  const [first, second] = resolution.addresses;
  if (first && !second)
    return {
      report,
      attempts: [
        attempt(
          { address: first.address, family: first.family, port: target.port },
          remainingMs,
          signal,
        ),
      ],
    }; // nothing to race with
  const endpoints = interleaveFamilies(resolution.addresses).map(
    ({ address, family: its }): Endpoint => ({ address, family: its, port: target.port }),
  );
  return {
    report,
    attempts: startAttempts(endpoints, { timeoutMs: remainingMs, untilFirstOpen, signal, attempt }),
  };
}

/** The properties spelt out, because very many reports may wait to be told; see `probePort`. */
function complete(
  { target, startedAt, timeoutMs, resolution }: Started['report'],
  attempts: readonly Attempt[],
  outcome: Outcome,
): ProbeReport {
  return { target, startedAt, timeoutMs, resolution, attempts, outcome };
}

function outcomeOfResolution(resolution: Resolution): Outcome {
  if (resolution.state === 'resolved')
    throw new TypeError('a resolved name has addresses, and each address an attempt');
  return resolution;
}

/**
 * One probe of a target as a client would meet it: the name is resolved, its addresses are raced (RFC 8305), and the first that opens is
 * the verdict. If none opens, the verdict is the most telling of their outcomes: closed before filtered before failed.
 *
 * @throws TypeError or RangeError when the options are misused; never because of what the network answers
 */
export async function probeTarget(
  target: Target,
  options: ProbeOptions = {},
): Promise<ProbeReport> {
  const { report, attempts: started } = await start(target, options, true);
  const [only, another] = started;
  if (only && !another) {
    const outcome = await only;
    if (outcome) return complete(report, [outcome], outcome);
  }
  const attempts = (await Promise.all(started)).filter((each) => each !== null);
  return complete(report, attempts, decide(attempts) ?? outcomeOfResolution(report.resolution));
}

/**
 * One probe of every address that a target has, each with its own verdict, in the order of the addresses.
 * A name without an address gives one report.
 *
 * @throws TypeError or RangeError when the options are misused; never because of what the network answers
 */
export async function* probeEveryAddress(
  target: Target,
  options: ProbeOptions = {},
): AsyncGenerator<ProbeReport, void, undefined> {
  const over = new AbortController();
  if (options.signal) setMaxListeners(0, options.signal); // one signal may end many probes
  const stop = (): void => over.abort();
  options.signal?.addEventListener('abort', stop, { once: true });
  if (options.signal?.aborted) stop();
  try {
    const { report, attempts } = await start(target, { ...options, signal: over.signal }, false);
    if (attempts.length === 0) yield complete(report, [], outcomeOfResolution(report.resolution));
    for (const attempt of attempts) {
      const outcome = await attempt;
      if (outcome) yield complete(report, [outcome], outcome);
    }
  } finally {
    options.signal?.removeEventListener('abort', stop);
    over.abort(); // those that are still running when the caller has seen enough
  }
}
