import type { Bin } from '../core/series/statistics.js';
import { formatMilliseconds } from './numbers.js';

/** What the terminal can show. */
export interface Canvas {
  /** Columns, at least 20. */
  readonly width: number;
  /** Whether block characters can be shown. */
  readonly unicode: boolean;
}

const STEPS = { unicode: [...'▁▂▃▄▅▆▇█'], ascii: [...'_.-=+*#@'] } as const;

/**
 * Recent values as a line of bars, the newest at the right, with a gap for each null. Only the
 * newest that fit are shown. Where all values are equal, each is the lowest bar.
 */
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

/** Merges neighbouring bins until they fit into `MAX_ROWS` rows. */
function mergeBins(bins: readonly Bin[]): Bin[] {
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

/** A bound. Below 1 ms it has three decimals: with two, neighbours would look the same. */
const formatBound = (milliseconds: number): string =>
  milliseconds < 0.9995 ? milliseconds.toFixed(3) : formatMilliseconds(milliseconds);

/**
 * A distribution as rows: bounds in milliseconds, the count, a bar. Every bin that is not empty has
 * a bar of at least one character.
 */
export function histogram(bins: readonly Bin[], { width, unicode }: Canvas): string[] {
  const rows = mergeBins(bins);
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
    const range = `${from.padStart(columns)} - ${to.padStart(columns)} ms`;
    return `${range} ${String(count).padStart(digits)} ${bar}`.trimEnd();
  });
}
