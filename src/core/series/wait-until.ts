import type { ProbeEvent } from '../facts/events.js';
import { DEFAULT_TIMEOUT_MS } from '../limits.js';
import type { Reason } from '../states.js';
import type { TargetRequest } from '../target/target-list.js';
import type { Target } from '../target/target.js';
import {
  probeSeries,
  type SeriesInternals,
  type SeriesOptions,
  wasCutShort,
} from './probe-series.js';

/** Reasons that waiting does not cure: no such name, no route, not allowed or not usable here. */
const INCURABLE: ReadonlySet<Reason> = new Set<Reason>([
  'name-not-found',
  'name-no-address',
  'no-route',
  'not-permitted',
  'bad-source',
  'unknown-error',
]);

/** The defaults of waiting, in milliseconds. */
export const WAIT_DEFAULTS = { durationMs: 60_000, intervalMs: 500 } as const;

/** How long to wait, and for what. */
export interface WaitOptions extends Omit<SeriesOptions, 'count' | 'stopWhen' | 'everyAddress'> {
  /** Gives up after this time in milliseconds, 0 or more; default 60000. */
  readonly durationMs?: number;
  /** From the start of one probe to the start of the next, in milliseconds; default 500. */
  readonly intervalMs?: number;
  /** Also wait for a name that has no address yet; default false. */
  readonly waitForName?: boolean;
  /** Called after each probe that does not end the wait. */
  readonly onProbe?: (event: ProbeEvent) => void;
}

/** How a wait ended. */
export interface WaitResult {
  /** The probe that decided, or the last one; null when the wait ended before there was one. */
  readonly event: ProbeEvent | null;
  /**
   * `expected`: the port is as expected. `timeout`: the time is over. `incurable`: waiting would
   * not help. `aborted`: by the signal.
   */
  readonly end: 'expected' | 'timeout' | 'incurable' | 'aborted';
}

type Judgement = 'expected' | 'incurable' | null;

/** How a probe ends the wait; null when it does not. */
function judgeProbe(
  { verdict, report }: ProbeEvent,
  { timeoutMs = DEFAULT_TIMEOUT_MS, waitForName = false }: WaitOptions,
): Judgement {
  if (verdict.asExpected && !wasCutShort(report, timeoutMs)) return 'expected';
  const { outcome } = report;
  if (!('reason' in outcome) || !INCURABLE.has(outcome.reason)) return null;
  return waitForName && outcome.state === 'unresolved' ? null : 'incurable';
}

const endOfWait = (judgement: Judgement, signal: AbortSignal | undefined): WaitResult['end'] =>
  judgement !== 'expected' && signal?.aborted ? 'aborted' : (judgement ?? 'timeout');

/**
 * Probes until the port is as expected, the time is over, or waiting cannot help: a name that does
 * not exist (unless `waitForName`), no route, not permitted.
 *
 * @returns how the wait ended; never rejects because of what the network answers
 * @throws UsageError when the target or an option is misused
 */
export async function waitUntil(
  target: Target | TargetRequest,
  options: WaitOptions = {},
  internals: SeriesInternals = {},
): Promise<WaitResult> {
  const request: TargetRequest = 'target' in target ? target : { target };
  const { waitForName: _, onProbe, ...seriesOptions } = options;
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
  const { durationMs = WAIT_DEFAULTS.durationMs, intervalMs = WAIT_DEFAULTS.intervalMs } = options;
  const stopWhen = (event: ProbeEvent): boolean => judgeProbe(event, options) !== null;
  let last: ProbeEvent | null = null;
  const complete = { ...seriesOptions, durationMs, intervalMs, stopWhen };
  for await (const event of probeSeries([request], complete, internals)) {
    if (event.type !== 'probe') continue;
    last = event;
    if (!stopWhen(event) && !wasCutShort(event.report, timeoutMs)) onProbe?.(event);
  }
  return { event: last, end: endOfWait(last && judgeProbe(last, options), signal) };
}
