import { parseDuration } from '../core/duration.js';
import { UsageError } from '../core/usage-error.js';
import { toSeconds } from './numbers.js';

/** A range of latencies by the monitoring plugins guidelines ("Threshold and Ranges"). */
export interface Threshold {
  /** Milliseconds; -Infinity where the range has no lower end. */
  readonly fromMs: number;
  /** Milliseconds; Infinity where the range has no upper end. */
  readonly toMs: number;
  /** `@`: alert inside the range, its ends included, instead of outside. */
  readonly inside: boolean;
  /** The user's own text. */
  readonly text: string;
}

/** Thresholds of the latency. */
export interface Thresholds {
  readonly warn: Threshold | undefined;
  readonly crit: Threshold | undefined;
}

/** An end of a range: a duration, which may be below 0. */
const parseBound = (text: string, name: string): number =>
  text.startsWith('-') ? -parseDuration(text.slice(1), name, 0) : parseDuration(text, name, 0);

/**
 * Reads a threshold: `[@][from:][to]`, with durations in place of the guidelines' numbers. `100ms`
 * and `~:100ms` alert above it, `10ms:` below it, `10ms:100ms` outside and `@10ms:100ms` inside. No
 * latency is below 0, but the guidelines have ranges that are.
 *
 * @param name the option, for the error message
 * @throws UsageError when it is no threshold, or ends before it starts
 */
export function parseThreshold(text: string, name: string): Threshold {
  const refuse = (why: string): never => {
    throw new UsageError(
      `${name}: "${text}" ${why}; allowed: 100ms (alert above), 10ms: (below), ` +
        '10ms:100ms (outside), @10ms:100ms (inside)',
    );
  };
  const [, at = '', from = '', to = ''] =
    /^(@?)(?:([^:@]*):)?([^:@]*)$/.exec(text) ?? refuse('is not a threshold');
  if (to === '~' || (to === '' && (from === '' || from === '~'))) refuse('is not a threshold');
  const bound = (part: string): number => parseBound(part, name);
  const fromMs = from === '' ? 0 : from === '~' ? -Infinity : bound(from);
  const toMs = to === '' ? Infinity : bound(to);
  if (fromMs > toMs) refuse('ends before it starts');
  return { fromMs, toMs, inside: at === '@', text };
}

/** Whether a latency raises an alert. Both ends belong to the range. */
export function alerts({ fromMs, toMs, inside }: Threshold, latencyMs: number): boolean {
  return (latencyMs >= fromMs && latencyMs <= toMs) === inside;
}

/** A threshold for performance data: in seconds, without a unit. */
export function formatThreshold({ fromMs, toMs, inside }: Threshold): string {
  const from =
    fromMs === -Infinity ? '~:' : fromMs === 0 && toMs !== Infinity ? '' : `${toSeconds(fromMs)}:`;
  return `${inside ? '@' : ''}${from}${toMs === Infinity ? '' : toSeconds(toMs)}`;
}
