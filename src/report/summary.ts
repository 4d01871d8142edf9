import type { Outage } from '../core/facts/events.js';
import type { Figures, ServiceTotals, Summary } from '../core/series/statistics.js';
import { formatCount, formatDuration, formatMilliseconds, roundPercent } from './numbers.js';
import { escapeControls } from './escape.js';
import { describeReason, nameTarget } from './outcome-words.js';
import type { SeriesStart } from './reporter.js';

/** One line for an outage: its length and its causes. `times` is `×`, or `x` in ASCII. */
export function describeOutage(
  { from, to, durationMs, over, probes, causes, moreCauses }: Outage,
  times: string,
): string {
  const list = causes
    .map(({ reason, count }) => `${describeReason(reason)} ${times}${count}`)
    .join(', then ');
  const more = moreCauses > 0 ? `, then ${moreCauses} more changes` : '';
  const [start, end] = [from, to].map((epochMs) => new Date(epochMs).toISOString());
  const length = formatDuration(durationMs);
  const when = over
    ? `from ${start} to ${end}, ${length}`
    : `since ${start}, ${probes === 1 ? 'one probe' : length} so far`;
  return `Outage ${when}: ${list}${more}.`;
}

/** A figure of a summary, or a dash where there is none. */
const figure = (milliseconds: number | null): string =>
  milliseconds === null ? '-' : formatMilliseconds(milliseconds);

const basics = ({ min, mean, max }: Figures): string =>
  `min ${figure(min)}, mean ${figure(mean)}, max ${figure(max)}`;

/** States that a summary counts even when they did not occur. */
const ALWAYS_COUNTED: ReadonlySet<string> = new Set(['open', 'closed', 'filtered', 'failed']);

function countLine({ sent, counts, lossPercent }: Summary): string {
  const states = Object.entries(counts)
    .filter(([state, count]) => count > 0 || ALWAYS_COUNTED.has(state))
    .map(([state, count]) => `${count} ${state}`);
  const loss = lossPercent === null ? '-' : roundPercent(lossPercent, 1);
  return `${formatCount(sent, 'probe')}: ${states.join(', ')}; ${loss}% loss`;
}

function latencyLines({ latency }: Summary): string[] {
  if (latency === null) return [];
  const { standardDeviation, jitter, p50, p90, p95, p99 } = latency;
  const spread = `standard deviation ${figure(standardDeviation)}, jitter ${figure(jitter)}`;
  return [
    `latency in ms: ${basics(latency)}, ${spread}`,
    `               p50 ${figure(p50)}, p90 ${figure(p90)}, p95 ${figure(p95)}, p99 ${figure(p99)}`,
  ];
}

function serviceLine({ answered, failures, answers }: ServiceTotals): string {
  const failed = Object.entries(failures).map(([reason, count]) => `, ${count} ${reason}`);
  const times = answers ? `; answers in ms: ${basics(answers)}` : '';
  return `service: ${answered} answered${failed.join('')}${times}`;
}

/** Probes that a lost SYN or answer delayed: as the kernel knows it, or only probably. */
function lostSynLines({ lostSyns, lostSynsSeen }: Summary): string[] {
  const probable = lostSyns - lostSynsSeen;
  return [
    ...(lostSynsSeen > 0 ? [`lost SYNs or answers, seen by the kernel: ${lostSynsSeen}`] : []),
    ...(probable > 0 ? [`lost SYNs or answers, probably: ${probable}`] : []),
  ];
}

/**
 * A summary in lines: counts and loss, latency, then what else occurred. `times` is as for
 * {@link describeOutage}.
 */
export function describeSummary(summary: Summary, times: string): string[] {
  const { service, resolving, outages, outage, tooSlow } = summary;
  if (summary.sent === 0) return ['0 probes: no verdict'];
  const lines = [countLine(summary), ...latencyLines(summary)];
  if (service) lines.push(serviceLine(service));
  if (tooSlow > 0) lines.push(`too slow: ${tooSlow}`);
  if (resolving) lines.push(`resolving in ms: ${basics(resolving)}`);
  if (outages.count > 0) {
    const { count, longestMs, totalMs } = outages;
    const [longest, total] = [formatDuration(longestMs), formatDuration(totalMs)];
    lines.push(`${formatCount(count, 'outage')}: longest ${longest}, total ${total}`);
  }
  if (outage) lines.push(describeOutage(outage, times));
  return [...lines, ...lostSynLines(summary)];
}

/** What a table of summaries has no column for. `times` is as for {@link describeOutage}. */
export function describeRemarks(summary: Summary, times: string): string[] {
  const { service, outage, tooSlow } = summary;
  const hasFailed = service !== null && Object.keys(service.failures).length > 0;
  return [
    ...(hasFailed ? [serviceLine(service)] : []),
    ...(tooSlow > 0 ? [`too slow: ${tooSlow}`] : []),
    ...(outage ? [describeOutage(outage, times)] : []),
    ...lostSynLines(summary),
  ];
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** How often and how fast: `5 times, every 200 ms`, `without a pause`. */
function describePace({ count, intervalMs, targets }: SeriesStart): string {
  const often = count === Infinity ? '' : ` ${times(count)}${targets > 1 ? ' each' : ''},`;
  if (intervalMs === 0) return `${often} without a pause`;
  const interval = intervalMs < 1000 ? `${Number(intervalMs.toFixed(2))} ms` : null;
  return `${often} every ${interval ?? formatDuration(intervalMs)}`;
}

const KEYS = { none: '', interrupt: '; ^C: end', all: '; Enter: summary, ^C: end' } as const;

/** Addresses that the first line of a series names. */
const MOST_ADDRESSES = 3;

function describeAddresses({ target, addresses }: SeriesStart): string {
  const others = addresses.filter((address) => address !== target?.host);
  if (others.length === 0) return '';
  const more = others.length - MOST_ADDRESSES;
  const named = others.slice(0, MOST_ADDRESSES).map(escapeControls).join(', ');
  return ` (${named}${more > 0 ? ` and ${more} more` : ''})`;
}

/** The first line of a series: what is probed, how often, and the keys that work. */
export function describeStart(start: SeriesStart): string {
  const { target, targets, keys } = start;
  const what =
    target === null
      ? formatCount(targets, 'target')
      : `${nameTarget(target)}${describeAddresses(start)}`;
  return `Probing ${what}${describePace(start)}${KEYS[keys]}`;
}
