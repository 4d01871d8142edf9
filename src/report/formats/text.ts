import type { ProbeEvent } from '../../core/facts/events.js';
import type { OpenOutcome, ProbeReport } from '../../core/facts/outcome.js';
import { formatEndpoint, formatHostPort } from '../../core/target/target.js';
import { histogram, sparkline } from '../charts.js';
import { escapeControls } from '../escape.js';
import { explain } from '../failures/explanation.js';
import { formatCount, formatDuration } from '../numbers.js';
import { describeAttempt, describeKernel, nameTarget } from '../outcome-words.js';
import type { Paint, Reporter, ReportOptions, SummaryEvent } from '../reporter.js';
import { describeResolution } from '../failures/resolution-words.js';
import { describeService, describeTls } from '../service.js';
import { describeOutage, describeStart, describeSummary } from '../summary.js';
import { summaryTable } from './summary-table.js';
import { manyTextReporter } from './many-text.js';
import { describeTotals } from '../totals.js';
import { type MoreText, plainTextReporter } from './plain-text.js';

/** Each attempt with our end of it, and whether the other side dropped the connection. */
function attemptLines({ attempts }: ProbeReport): string[] {
  return attempts.flatMap((attempt) => {
    const { local = null, dropped = null } = attempt.state === 'open' ? attempt : {};
    const from = local ? ` from ${formatHostPort(local.address, local.port)}` : '';
    const lines = [`${formatEndpoint(attempt.endpoint)}${from}: ${describeAttempt(attempt)}`];
    if (attempt.state === 'open' && attempt.kernel)
      lines.push(`As the kernel saw it: ${describeKernel(attempt.kernel)}.`);
    if (dropped === null) return lines;
    const how = dropped.by === 'reset' ? 'reset' : 'closed';
    const { afterMs, receivedBytes } = dropped;
    const bytes = `${receivedBytes} ${receivedBytes === 1 ? 'byte' : 'bytes'}`;
    const [when, advice] =
      receivedBytes > 0
        ? [`after ${bytes}`, 'Read what it says with --service banner.']
        : [
            'before any data was read',
            'A load balancer or proxy has no service behind it, a service refuses this client, ' +
              'or a firewall ends it. All look the same from here.',
          ];
    return [
      ...lines,
      `The other side ${how} the connection ${formatDuration(afterMs)} later, ${when}. ${advice}`,
    ];
  });
}

/** The times of an open port and their sum: `dns 1.50 ms + connect 12.3 ms = 13.8 ms`. */
function timeLine({ latencyMs, service }: OpenOutcome, { resolution }: ProbeReport): string {
  const steps = [
    ...(resolution.via === 'literal' ? [] : [['dns', resolution.elapsedMs] as const]),
    ['connect', latencyMs] as const,
    ...(service ? [['service', service.elapsedMs] as const] : []),
  ];
  const sum = formatDuration(steps.reduce((total, [, elapsedMs]) => total + elapsedMs, 0));
  const terms = steps.map(([name, elapsedMs]) => `${name} ${formatDuration(elapsedMs)}`);
  return `${terms.join(' + ')}${steps.length > 1 ? ` = ${sum}` : ''}`;
}

/** What `-v` adds. */
function verboseLines(report: ProbeReport): string[] {
  const { resolution, outcome } = report;
  const lines = [
    ...(resolution.via === 'literal' ? [] : [describeResolution(resolution)]),
    ...attemptLines(report),
  ];
  if (outcome.state !== 'open') return lines;
  const { service } = outcome;
  if (service) {
    const known = `result ${formatDuration(service.elapsedMs)} after the handshake`;
    lines.push(`${service.name}: ${known}, ${formatCount(service.receivedBytes, 'byte')} received`);
  }
  return [...lines, timeLine(outcome, report)];
}

/** What `--service` adds to the verdict on stdout. */
function serviceLines({ outcome }: ProbeReport, paint: Paint): string[] {
  if (outcome.state !== 'open' || outcome.service === null) return [];
  const { service } = outcome;
  const title = service.state === 'answered' ? paint.good('Service:') : paint.bad('Service:');
  return [
    `${title} ${describeService(service)}`,
    ...(service.tls ? [`TLS: ${describeTls(service.tls, service.state === 'answered')}`] : []),
  ];
}

/** What is remarkable about one probe of a series. */
function remarks(event: ProbeEvent): string[] {
  const { lostSynSeconds, formerAddresses, report } = event;
  const { resolution, target } = report;
  const lines: string[] = [];
  if (formerAddresses && resolution.state === 'resolved') {
    const now = resolution.addresses.map(({ address }) => address).join(', ');
    const [from, to] = [formerAddresses.join(', '), now].map(escapeControls);
    lines.push(`${escapeControls(target.host)} changed its address from ${from} to ${to}.`);
  }
  const isSeen = report.outcome.state === 'open' && report.outcome.kernel?.cause === 'lost-syn';
  if (lostSynSeconds !== null && !isSeen)
    lines.push(
      `Probably a lost packet, not distance: this probe took ${lostSynSeconds} s longer than ` +
        'its neighbours. TCP repeats a lost SYN after such a time.',
    );
  return lines;
}

const timesSign = ({ unicode }: ReportOptions['canvas']): string => (unicode ? '×' : 'x');

function summaryLines(
  { target, address, summary, final }: SummaryEvent,
  { canvas, ...options }: ReportOptions,
): string[] {
  const lines = [
    `--- ${nameTarget(target, address)}${final ? '' : ', so far'} ---`,
    ...describeSummary(summary, timesSign(canvas)),
  ];
  if (options.sparkline && summary.recent.length > 1 && summary.latency)
    lines.push(sparkline(summary.recent, canvas));
  if (options.histogram && summary.latency) lines.push(...histogram(summary.bins, canvas));
  return lines;
}

/** One target has a block of its own; several have one table, after their blocks if wanted. */
function summaryText(events: readonly SummaryEvent[], options: ReportOptions): string {
  const isSingle = events.length === 1;
  const blocks =
    isSingle || options.verbose || options.histogram
      ? events.flatMap((event) => summaryLines(event, options))
      : [];
  const end = events[0]?.final ? '' : ', so far';
  const table = isSingle
    ? []
    : [
        `--- ${events.length} targets${end} ---`,
        ...summaryTable(events, options, timesSign(options.canvas)),
      ];
  return [...blocks, ...table].map((line) => `${line}\n`).join('');
}

const MORE: MoreText = {
  explain,
  verboseLines,
  serviceLines,
  remarks,
  outageLine: (outage, { canvas }) => describeOutage(outage, timesSign(canvas)),
  summaryText,
  describeTotals,
  describeStart,
};

/** The classic lines for people and shell loops, with all that options and many targets add. */
export const textReporter = (options: ReportOptions): Reporter =>
  options.manyTargets && !options.rounds
    ? manyTextReporter(options, MORE)
    : plainTextReporter(options, MORE);
