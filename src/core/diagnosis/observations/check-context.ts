import { type Clock, monotonicClock } from '../../clock.js';
import type { Address, Attempt, Resolution } from '../../facts/outcome.js';
import { checkPort, checkTimeout, DEFAULT_TIMEOUT_MS } from '../../limits.js';
import { probePort } from '../../probe/port-probe.js';
import { askKernel } from '../../probe/socket-statistics.js';
import { resolveHost } from '../../resolve/resolver.js';
import { type Endpoint, familyOf, type Target } from '../../target/target.js';
import { UsageError } from '../../usage-error.js';
import { type StartCounting, startCounting } from './counters.js';
import { readListeners } from './listeners.js';
import { isDirectlyAttached } from './machine.js';
import type { NameCheckOptions } from './name-check.js';
import type { ObservedFacts } from './observations.js';
import {
  type DiagnoseOptions,
  type DiagnosisCheck,
  type DiagnosisInternals,
  TIMEOUTS_IN_TOTAL,
} from './options.js';

/** Probes one endpoint. By default until the deadline, and without watching an open connection. */
type CheckProbe = (
  endpoint: Endpoint,
  options?: { readonly timeoutMs?: number; readonly watchMs?: number },
) => Promise<Attempt>;

/** What every check of one diagnosis needs. */
export interface CheckContext {
  readonly target: Target;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** The extra address; null if there is none. */
  readonly givenAddress: Address | null;
  readonly otherPorts: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly nameCheck: NameCheckOptions;
  readonly elapsedMs: () => number;
  /** The time that a check may still take, in milliseconds; at least 1. */
  readonly remainingMs: () => number;
  readonly probe: CheckProbe;
  /** Resolves the target's name as applications do. */
  readonly resolve: () => Promise<Resolution>;
  readonly startCounting: StartCounting;
  readonly readListeners: typeof readListeners;
  readonly isDirectlyAttached: typeof isDirectlyAttached;
  /** Reports facts that do not change any more. */
  readonly note: (facts: ObservedFacts) => void;
  /** Reports a check to `onProgress` while it runs. */
  readonly track: <T>(check: DiagnosisCheck, work: Promise<T>) => Promise<T>;
}

/** An address with the target's port. */
export const endpointAt = ({ target }: CheckContext, { address, family }: Address): Endpoint => ({
  address,
  family,
  port: target.port,
});

function parseExtraAddress(extraAddress: string | undefined): Address | null {
  if (extraAddress === undefined) return null;
  const family = familyOf(extraAddress);
  if (family === null)
    throw new UsageError(
      `extraAddress: "${extraAddress}" is not an address; allowed: an IPv4 or IPv6 address`,
    );
  return { address: extraAddress, family };
}

/** The family that was asked for: directly, or through a source address. */
function chooseFamily({ family, sourceAddress }: DiagnoseOptions): 4 | 6 | undefined {
  if (family !== undefined || sourceAddress === undefined) return family;
  return familyOf(sourceAddress) ?? undefined;
}

function createTracker(onProgress: DiagnoseOptions['onProgress']): CheckContext['track'] {
  const running = new Set<DiagnosisCheck>();
  return async (check, work) => {
    running.add(check);
    onProgress?.([...running]);
    try {
      return await work;
    } finally {
      running.delete(check);
      onProgress?.([...running]);
    }
  };
}

function startStopwatch(
  timeoutMs: number,
  clock: Clock,
): Pick<CheckContext, 'elapsedMs' | 'remainingMs'> {
  const startMs = clock();
  const elapsedMs = (): number => clock() - startMs;
  return {
    elapsedMs,
    remainingMs: () =>
      Math.max(Math.min(timeoutMs, TIMEOUTS_IN_TOTAL * timeoutMs - elapsedMs()), 1),
  };
}

/**
 * Validates the options and starts the clock of a diagnosis.
 *
 * @throws UsageError if an option is misused
 */
export function createContext(
  target: Target,
  options: DiagnoseOptions,
  internals: DiagnosisInternals,
): CheckContext {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal, sourceAddress, dnsServer } = options;
  const { probe = probePort, resolve = resolveHost, clock = monotonicClock } = internals;
  const givenAddress = parseExtraAddress(options.extraAddress);
  checkTimeout(timeoutMs);
  checkPort(target.port);
  const family = chooseFamily(options);
  const stopwatch = startStopwatch(timeoutMs, clock);
  const { systemLookup, servers, hostsFile, resolvConf, nsswitch } = internals;
  const resolving = { family, timeoutMs, signal, dnsServer };
  return {
    target,
    timeoutMs,
    signal,
    givenAddress,
    otherPorts: options.otherPorts ?? true,
    env: internals.env ?? process.env,
    nameCheck: {
      ...resolving,
      resolve,
      servers,
      hostsFile,
      resolvConf,
      nsswitch,
      onServer: (server) => internals.onObserved?.({ name: { servers: [server] } }),
    },
    ...stopwatch,
    probe: (endpoint, { timeoutMs: limitMs = stopwatch.remainingMs(), watchMs = 0 } = {}) =>
      probe(
        endpoint,
        { timeoutMs: limitMs, watchMs, signal, sourceAddress },
        watchMs > 0 ? { askKernel } : {},
      ),
    resolve: () => resolve(target.host, resolving, systemLookup ? { systemLookup } : {}),
    startCounting: internals.startCounting ?? startCounting,
    readListeners: internals.readListeners ?? readListeners,
    isDirectlyAttached: internals.isDirectlyAttached ?? isDirectlyAttached,
    note: internals.onObserved ?? (() => {}),
    track: createTracker(options.onProgress),
  };
}
