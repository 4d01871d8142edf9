import type { Bin } from '../core/series/statistics.js';
import { formatMilliseconds } from './numbers.js';

/** The room and the characters that the terminal has. */
export interface Canvas {
  /** Columns, at least 20. */
  readonly width: number;
  /** Whether block characters can be shown. */
  readonly unicode: boolean;
}

const STEPS = { unicode: [...'▁▂▃▄▅▆▇█'], ascii: [...'_.-=+*#@'] } as const;

/** Recent values as a line of bars, the newest at the right, with gaps where there is none. All equal values are the lowest bar. */
export function sparkline(values: readonly (number | null)[], { width, unicode }: Canvas): string {
  const shown = values.slice(-width);
  const numbers = shown.filter((value) => value !== null);
  const [min, max] = [Math.min(...numbers), Math.max(...numbers)];
  const steps = unicode ? STEPS.unicode : STEPS.ascii;
  return shown
    .map((value) =>
      value === null
        ? ' '
        : steps[max === min ? 0 : Math.round(((value - min) / (max - min)) * (steps.length - 1))],
    )
    .join('');
}

const MAX_ROWS = 16;

/** Neighbouring bins put together until there are few enough to be rows. */
function fewer(bins: readonly Bin[]): Bin[] {
  const each = Math.ceil(bins.length / MAX_ROWS);
  return Array.from({ length: Math.ceil(bins.length / each) }, (_, row) => {
    const group = bins.slice(row * each, (row + 1) * each);
    return {
      from: group[0]?.from ?? 0,
      to: group.at(-1)?.to ?? 0,
      count: group.reduce((sum, { count }) => sum + count, 0),
    };
  });
}

/** A bound; below a millisecond with one decimal more than a latency has, because neighbours would look the same. */
const formatBound = (milliseconds: number): string =>
  milliseconds < 0.9995 ? milliseconds.toFixed(3) : formatMilliseconds(milliseconds);

/** A distribution as rows: bounds in milliseconds, a bar, the count. A bin that is not empty has a mark, however small. */
export function histogram(bins: readonly Bin[], { width, unicode }: Canvas): string[] {
  const rows = fewer(bins);
  const most = Math.max(...rows.map(({ count }) => count));
  const bounds = rows.map(({ from, to }) => [formatBound(from), formatBound(to)] as const);
  const columns = Math.max(...bounds.flat().map((bound) => bound.length));
  const digits = String(most).length;
  const room = Math.max(width - 2 * columns - digits - 9, 1);
  return rows.map(({ count }, index) => {
    const [from = '', to = ''] = bounds[index] ?? [];
    const bar = (unicode ? '█' : '#').repeat(
      count === 0 ? 0 : Math.max(Math.round((count / most) * room), 1),
    );
    return `${from.padStart(columns)} - ${to.padStart(columns)} ms ${String(count).padStart(digits)} ${bar}`.trimEnd();
  });
}
