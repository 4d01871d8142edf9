/** Milliseconds without a unit: two decimals below 10, one below 100, none from 100 on. */
export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds < 9.995) return milliseconds.toFixed(2);
  return milliseconds.toFixed(milliseconds < 99.95 ? 1 : 0);
}

/** Milliseconds to a whole microsecond, for programs: further digits are not measured. */
export const roundMilliseconds = (milliseconds: number): number =>
  Math.round(milliseconds * 1000) / 1000;

/** Milliseconds in seconds, to a whole microsecond. */
export const toSeconds = (milliseconds: number): number => Number((milliseconds / 1000).toFixed(6));

/** A duration in running text: `0.31 ms`, `12.3 ms`, `3.07 s`, `5 s`, `2 min 5 s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${formatMilliseconds(milliseconds)} ms`;
  if (milliseconds < 59_995) return `${Number((milliseconds / 1000).toFixed(2))} s`;
  const seconds = Math.round(milliseconds / 1000);
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

/**
 * How long was waited in vain, in running text. A wait ends a little before its deadline, which
 * then is shown as it was given: `500 ms`, not `486 ms`.
 */
export function formatWait(elapsedMs: number, deadlineMs: number): string {
  const isDeadline = elapsedMs > deadlineMs * 0.9 && elapsedMs < deadlineMs * 1.1;
  return formatDuration(isDeadline ? deadlineMs : elapsedMs);
}

/** Up to this many seconds a wait is counted in seconds alone. */
const MOST_SECONDS = 120;

/** How far a wait is: `3 of 60 s`, `2 min 5 s of 10 min`. */
export function formatProgress(elapsedMs: number, totalMs: number): string {
  const total = Number((totalMs / 1000).toFixed(2));
  const seconds = Math.min(Math.floor(elapsedMs / 1000), total);
  if (total <= MOST_SECONDS) return `${seconds} of ${total} s`;
  return `${seconds === 0 ? '0 s' : formatDuration(seconds * 1000)} of ${formatDuration(totalMs)}`;
}

/** A percentage with these decimals, or with more where it would else become 0 or 100. */
export function roundPercent(percent: number, decimals: number): number {
  const rounded = Number(percent.toFixed(decimals));
  const isEnd = rounded === 0 || rounded === 100;
  return isEnd && rounded !== percent && decimals < 20
    ? roundPercent(percent, decimals + 1)
    : rounded;
}

/** A number of things: `1 probe`, `3 probes`. */
export const formatCount = (count: number, thing: string): string =>
  `${count} ${thing}${count === 1 ? '' : 's'}`;

let latest = { epochMs: NaN, text: '' };

/**
 * A time as ISO 8601 in UTC, to a millisecond. The latest text is kept: a sweep has many probes in
 * a millisecond, and writing one takes longer than all other numbers of its line.
 *
 * @param epochMs milliseconds since the epoch
 * @throws RangeError when it is no time of the years -271821 to 275760
 */
export function formatTime(epochMs: number): string {
  if (epochMs !== latest.epochMs) latest = { epochMs, text: new Date(epochMs).toISOString() };
  return latest.text;
}
