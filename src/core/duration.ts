import { MAX_DURATION_MS } from './limits.js';
import { UsageError } from './usage-error.js';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * A duration as users write it: `500ms`, `3s`, `1.5m`, `2h`, `1d`; a bare number is seconds, as for
 * ping, nc and curl.
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
  const match = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|d)?$/.exec(text);
  const durationMs = match ? Number(match[1]) * (UNIT_MS[match[2] ?? 's'] ?? NaN) : NaN;
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
