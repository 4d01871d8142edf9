import type { ProbeEvent, SeriesEvent } from '../facts/events.js';
import { type ProbeReport, reasonOf } from '../facts/outcome.js';
import {
  checkRange,
  checkWholeNumber,
  DEFAULT_INTERVAL_MS,
  DEFAULT_TIMEOUT_MS,
} from '../limits.js';
import {
  CONCURRENCY_OF_ADDRESSES,
  type ManyInternals,
  type ManyOptions,
} from '../many/many-options.js';
import { probeTargets } from '../many/probe-targets.js';
import { checkRequest } from '../many/request-source.js';
import type { TargetRequest } from '../target/target-list.js';
import type { Target } from '../target/target.js';
import { SeriesMemory } from './series-memory.js';
import { StallWatch } from './stall-watch.js';
import { Timetable } from './timetable.js';

/** How targets are probed again and again. */
export interface SeriesOptions extends ManyOptions {
  /** Number of probes of each target, a whole number from 0; default no limit. */
  readonly count?: number;
  /**
   * From the start of one probe of a target to the start of its next, in milliseconds, 0 or more;
   * default 1000. A probe that takes longer delays the next one of its target.
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

/** A faster and longer series resets its connections: TIME_WAIT would hold up to 28,000 ports. */
const RESET_BELOW_INTERVAL_MS = 10;
const RESET_ABOVE_COUNT = 5000;

function timetableOf(requests: readonly TargetRequest[], options: SeriesOptions): Timetable {
  const { count = Infinity, intervalMs = DEFAULT_INTERVAL_MS, durationMs = Infinity } = options;
  const { ratePerSecond = Infinity } = options;
  checkWholeNumber('count', count, 0);
  checkRange('intervalMs', intervalMs, 0);
  checkRange('durationMs', durationMs, 0);
  for (const request of requests) checkRequest(request);
  const staggerMs = 1000 / ratePerSecond;
  return new Timetable(requests, {
    count,
    intervalMs: Math.max(intervalMs, requests.length * staggerMs),
    staggerMs,
    durationMs,
  });
}

/** The options of all probes of a series. */
function probeOptions(requests: readonly TargetRequest[], options: SeriesOptions): ManyOptions {
  const { count = Infinity, intervalMs = DEFAULT_INTERVAL_MS } = options;
  const isFastAndLong = intervalMs < RESET_BELOW_INTERVAL_MS && count > RESET_ABOVE_COUNT;
  const mostAtOnce = Math.min(Math.max(requests.length, 1), CONCURRENCY_OF_ADDRESSES);
  return {
    closeWith: isFastAndLong ? 'reset' : 'fin',
    ...options,
    // Each target has its place, so that silent ones do not delay others.
    concurrency: options.concurrency ?? mostAtOnce,
    // A single probe cannot exhaust this machine: report its shortage at once.
    ...(requests.length === 1 ? { shortagePatienceMs: 0 } : {}),
  };
}

/**
 * Probes a target, or several side by side, again and again. Each target keeps its own interval,
 * and each probe resolves its name anew.
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
  const { stopWhen = () => false, everyAddress = false, expect = 'open', maxLatencyMs } = options;
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
  const requests = Array.isArray(targets)
    ? (targets as readonly TargetRequest[])
    : [{ target: targets as Target }];
  const schedule = timetableOf(requests, options);
  const memory = new SeriesMemory({ everyAddress, expect, maxLatencyMs });
  const stalls = new StallWatch();
  try {
    if (signal?.aborted) return;
    const events = probeTargets(requests, probeOptions(requests, options), {
      ...internals,
      schedule,
    });
    for await (const probed of events) {
      const sequence = schedule.sequenceOf(probed.request);
      if (sequence > 1 && wasCutShort(probed.report, timeoutMs)) continue;
      const stalledMs = stalls.since(probed.report.startMs ?? Infinity);
      const { probe, ended } = memory.add(probed, { sequence, stalledMs });
      yield probe;
      yield* ended;
      if (stopWhen(probe)) break;
    }
    yield* memory.unfinishedOutages();
  } finally {
    stalls.close();
  }
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
