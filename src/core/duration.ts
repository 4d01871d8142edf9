import { MAX_DURATION_MS } from './limits.js';
import { UsageError } from './usage-error.js';

/** Units of time, the longest first, and their length in milliseconds. */
const UNITS: readonly (readonly [pattern: string, lengthMs: number])[] = [
  ['d|days?', 86_400_000],
  ['h|hrs?|hours?', 3_600_000],
  ['m|mins?|minutes?', 60_000],
  ['s|secs?|seconds?', 1000],
  ['ms|msecs?|milliseconds?', 1],
];

const NUMBER = String.raw`(\d+(?:\.\d+)?|\.\d+)`;

let pattern: RegExp | undefined;

/** Milliseconds, not checked for their range; NaN for what is not a duration. */
function readDuration(text: string): number {
  if (/^(\d+(\.\d+)?|\.\d+)$/.test(text)) return Number(text) * 1000;
  pattern ??= new RegExp(`^${UNITS.map(([unit]) => `(?:${NUMBER}(?:${unit}))?`).join('')}$`);
  const numbers = text === '' ? null : pattern.exec(text)?.slice(1);
  if (!numbers) return NaN;
  return UNITS.reduce((sum, [, length], index) => sum + Number(numbers[index] ?? 0) * length, 0);
}

/**
 * A duration as users write it: `500ms`, `3s`, `5sec`, `1.5m`, `1m30s`, `2h`, `1d`; a bare number
 * is seconds, as for ping, nc and curl.
 *
 * @param text what the user wrote
 * @param name the argument, for the error message
 * @param minimumMs the shortest duration allowed, in milliseconds
 * @param maximumMs the longest duration allowed, in milliseconds
 * @returns milliseconds, `minimumMs` to `maximumMs`
 * @throws UsageError when it is not a duration or out of range
 */
export function parseDuration(
  text: string,
  name: string,
  minimumMs = 1,
  maximumMs = MAX_DURATION_MS,
): number {
  const durationMs = readDuration(text);
  if (Number.isNaN(durationMs)) {
    throw new UsageError(
      `${name}: "${text}" is not a duration; ` +
        `allowed: a number of seconds, or one with ms, s, m, h or d (500ms, 3s, 2m)`,
    );
  }
  if (durationMs < minimumMs || durationMs > maximumMs) {
    const longest = maximumMs === MAX_DURATION_MS ? '24.8 days' : `${maximumMs / 1000}s`;
    throw new UsageError(`${name}: ${text} is out of range; allowed: ${minimumMs}ms to ${longest}`);
  }
  return durationMs;
}
