import type { Summary } from '../../core/series/statistics.js';
import { sparkline } from '../charts.js';
import { formatDuration, formatMilliseconds, roundPercent } from '../numbers.js';
import { nameTarget } from '../outcome-words.js';
import type { ReportOptions, SummaryEvent } from '../reporter.js';
import { describeRemarks } from '../summary.js';

/** A column: what its cells say, and on which side they stand. */
interface Column {
  readonly title: string;
  readonly cell: (event: SummaryEvent) => string;
  readonly side: 'left' | 'right';
}

const time = (milliseconds: number | undefined): string =>
  milliseconds === undefined ? '-' : formatMilliseconds(milliseconds);

/** How long a target was not open: `1.5 s`, or with their number `3, total 12 s`. */
function describeOutages({ outages: { count, totalMs } }: Summary): string {
  if (count === 0) return '-';
  return count === 1 ? formatDuration(totalMs) : `${count}, total ${formatDuration(totalMs)}`;
}

const COLUMNS = {
  target: {
    title: 'target',
    cell: ({ target, address }) => nameTarget(target, address),
    side: 'left',
  },
  state: { title: 'state', cell: ({ summary }) => summary.latest ?? 'no verdict', side: 'left' },
  sent: { title: 'sent', cell: ({ summary }) => String(summary.sent), side: 'right' },
  loss: {
    title: 'loss',
    cell: ({ summary: { lossPercent } }) =>
      lossPercent === null ? '-' : `${roundPercent(lossPercent, 1)}%`,
    side: 'right',
  },
  p50: { title: 'p50 ms', cell: ({ summary }) => time(summary.latency?.p50), side: 'right' },
  p95: { title: 'p95 ms', cell: ({ summary }) => time(summary.latency?.p95), side: 'right' },
  max: { title: 'max ms', cell: ({ summary }) => time(summary.latency?.max), side: 'right' },
  outage: { title: 'outage', cell: ({ summary }) => describeOutages(summary), side: 'right' },
} satisfies Record<string, Column>;

/** The columns that a narrow terminal goes without, the first one first. */
const LEFT_OUT: readonly (keyof typeof COLUMNS)[] = ['p50', 'sent', 'max', 'p95'];

const GAP = '  ';

/** Bars that are worth their room. */
const LEAST_BARS = 8;
const MOST_BARS = 60;

function render(events: readonly SummaryEvent[], { title, cell, side }: Column): string[] {
  const cells = [title, ...events.map(cell)];
  const width = Math.max(...cells.map(({ length }) => length));
  return cells.map((text) => (side === 'left' ? text.padEnd(width) : text.padStart(width)));
}

const widthOf = (columns: readonly (readonly string[])[]): number =>
  columns.reduce((sum, [head = '']) => sum + head.length + GAP.length, -GAP.length);

/** The columns that fit. The others are left out one after the other. */
function fittingColumns(events: readonly SummaryEvent[], width: number): string[][] {
  const left = new Map(
    Object.entries(COLUMNS).map(([name, column]) => [name, render(events, column)]),
  );
  for (const name of LEFT_OUT) if (widthOf([...left.values()]) > width) left.delete(name);
  return [...left.values()];
}

/**
 * The summaries of several targets in one aligned table. On a terminal it fits the columns and ends
 * in sparklines. What has no column follows in lines of its own.
 */
export function summaryTable(
  events: readonly SummaryEvent[],
  { canvas, sparkline: isTerminal }: ReportOptions,
  times: string,
): string[] {
  const columns = fittingColumns(events, isTerminal ? canvas.width : Infinity);
  const room = Math.min(canvas.width - widthOf(columns) - GAP.length, MOST_BARS);
  const bars = events.map(({ summary: { recent, latency } }) =>
    isTerminal && room >= LEAST_BARS && latency !== null
      ? sparkline(recent, { ...canvas, width: room })
      : '',
  );
  const rows = ['', ...bars].map((bar, row) =>
    [...columns.map((column) => column[row] ?? ''), bar].join(GAP).trimEnd(),
  );
  const remarks = events.flatMap(({ target, address, summary }) =>
    describeRemarks(summary, times).map((line) => `${nameTarget(target, address)}${GAP}${line}`),
  );
  return [...rows, ...remarks];
}
