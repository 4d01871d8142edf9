import { onAbort } from '../abort.js';
import { type Clock, monotonicClock } from '../clock.js';
import type { ProbeEvent, SeriesEvent } from '../facts/events.js';
import { type ProbeReport, reasonOf } from '../facts/outcome.js';
import { checkRange, checkWholeNumber, DEFAULT_TIMEOUT_MS, MAX_DURATION_MS } from '../limits.js';
import {
  type ManyInternals,
  type ManyOptions,
  SHORTAGE_PATIENCE_MS,
} from '../many/many-options.js';
import { probeTargets } from '../many/probe-targets.js';
import type { TargetRequest } from '../target/target-list.js';
import type { Target } from '../target/target.js';
import { SeriesMemory } from './series-memory.js';

/** How targets are probed again and again. */
export interface SeriesOptions extends ManyOptions {
  /** Number of rounds, a whole number from 0; default no limit. */
  readonly count?: number;
  /**
   * From the start of one round to the start of the next, in milliseconds, 0 or more; default 1000.
   * A round that takes longer delays the next one.
   */
  readonly intervalMs?: number;
  /**
   * Ends the series, and a probe that is running, after this time in milliseconds; 0 or more;
   * default no limit.
   */
  readonly durationMs?: number;
  /** Ends the series after the probe for which it returns true. */
  readonly stopWhen?: (event: ProbeEvent) => boolean;
}

/** What the rest of portping and the tests may replace or add. */
export type SeriesInternals = ManyInternals;

/** From the start of one round to the start of the next when none is given, in milliseconds. */
export const DEFAULT_INTERVAL_MS = 1000;

/** A faster and longer series resets its connections: TIME_WAIT would hold up to 28,000 ports. */
const RESET_BELOW_INTERVAL_MS = 10;
const RESET_ABOVE_COUNT = 5000;

/** Waits until that time on the clock, or until the signal is aborted. */
async function sleepUntil(
  timeMs: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  const isAborted = (): boolean => signal?.aborted ?? false;
  // A timer may fire a millisecond early, and Node limits its length: wait again until it is time.
  for (let waitMs = timeMs - clock(); waitMs > 0 && !isAborted(); waitMs = timeMs - clock()) {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        stopListening();
        resolve();
      };
      const timer = setTimeout(wake, Math.min(Math.ceil(waitMs), MAX_DURATION_MS));
      const stopListening = onAbort(signal, wake);
    });
  }
}

/** What a series does, with all defaults. */
interface Plan {
  readonly requests: readonly TargetRequest[];
  readonly options: SeriesOptions;
  readonly count: number;
  readonly timeoutMs: number;
  /** From round to round; at least as long as one round takes at the rate allowed. */
  readonly roundMs: number;
  readonly endMs: number;
}

function planSeries(
  targets: Target | readonly TargetRequest[],
  options: SeriesOptions,
  nowMs: number,
): Plan {
  const { count = Infinity, intervalMs = DEFAULT_INTERVAL_MS, durationMs = Infinity } = options;
  const { timeoutMs = DEFAULT_TIMEOUT_MS, ratePerSecond = Infinity } = options;
  checkWholeNumber('count', count, 0);
  checkRange('intervalMs', intervalMs, 0);
  checkRange('durationMs', durationMs, 0);
  const requests = Array.isArray(targets)
    ? (targets as readonly TargetRequest[])
    : [{ target: targets as Target }];
  const isFastAndLong = intervalMs < RESET_BELOW_INTERVAL_MS && count > RESET_ABOVE_COUNT;
  return {
    requests,
    options: { closeWith: isFastAndLong ? 'reset' : 'fin', ...options },
    count,
    timeoutMs,
    roundMs: Math.max(intervalMs, (requests.length * 1000) / ratePerSecond),
    endMs: nowMs + durationMs,
  };
}

/** The options of one round, which the duration of the series may cut short. */
function roundOptions({ requests, options, timeoutMs }: Plan, remainingMs: number): ManyOptions {
  // A single probe cannot exhaust this machine: report its shortage at once, within its timeout.
  const patienceMs =
    requests.length === 1 ? 0 : (options.shortagePatienceMs ?? SHORTAGE_PATIENCE_MS);
  return {
    ...options,
    timeoutMs: Math.min(timeoutMs, remainingMs),
    shortagePatienceMs: Math.min(patienceMs, remainingMs),
  };
}

/** Probes round after round, until the count, the duration or the signal ends that. */
async function* probeRounds(
  plan: Plan,
  memory: SeriesMemory,
  clock: Clock,
  internals: SeriesInternals,
): AsyncGenerator<ProbeEvent, void, undefined> {
  const { requests, count, timeoutMs, roundMs, endMs } = plan;
  const { signal } = plan.options;
  const isOver = (): boolean => (signal?.aborted ?? false) || clock() >= endMs;
  let scheduledMs = clock();
  for (let sequence = 1; sequence <= count && !isOver(); sequence += 1) {
    const remainingMs = Math.max(endMs - clock(), 1);
    const options = roundOptions(plan, remainingMs);
    for await (const probed of probeTargets(requests, options, internals)) {
      if (sequence > 1 && wasCutShort(probed.report, timeoutMs)) continue;
      yield memory.complete(probed, sequence);
    }
    if (sequence >= count) return;
    scheduledMs = Math.max(scheduledMs + roundMs, clock());
    await sleepUntil(Math.min(scheduledMs, endMs), clock, signal);
  }
}

/**
 * Probes a target, or several side by side, again and again. Names are resolved anew in each round.
 *
 * It ends with the count, the duration, `stopWhen` or the signal, or when the caller leaves the
 * loop (`break`). A probe that the signal or the duration cuts off yields no event, unless it has
 * an outcome already.
 *
 * @throws UsageError when a target or an option is misused; never because of the network
 */
export async function* probeSeries(
  targets: Target | readonly TargetRequest[],
  options: SeriesOptions = {},
  internals: SeriesInternals = {},
): AsyncGenerator<SeriesEvent, void, undefined> {
  const { stopWhen = () => false, everyAddress = false, expect = 'open' } = options;
  const clock = monotonicClock;
  const plan = planSeries(targets, options, clock());
  const memory = new SeriesMemory({ everyAddress, expect });
  for await (const event of probeRounds(plan, memory, clock, internals)) {
    yield event;
    yield* memory.recordOutages(event);
    if (stopWhen(event)) break;
  }
  yield* memory.unfinishedOutages();
}

/**
 * Whether a probe heard nothing only because the end of the series shortened its timeout. Such a
 * probe says nothing about the port.
 *
 * @param ownTimeoutMs the timeout that each probe should have, milliseconds
 */
export function wasCutShort({ outcome, timeoutMs }: ProbeReport, ownTimeoutMs: number): boolean {
  if (timeoutMs >= ownTimeoutMs) return false;
  const reason = reasonOf(outcome);
  return reason === 'silent' || reason === 'no-response' || reason === 'resolver-timeout';
}
