import { type Outcome, type ProbeReport, reasonOf } from '../../core/facts/outcome.js';
import type { Outage } from '../../core/facts/events.js';
import type { ProbeEvent } from '../../core/facts/events.js';
import type { Reason } from '../../core/states.js';
import type { Figures, Summary } from '../../core/series/statistics.js';
import { formatEndpoint, formatHostPort, type Target } from '../../core/target/target.js';
import { escapeControls } from '../escape.js';
import { describeAttempt, errorNumber, explain } from '../explanation.js';
import { formatDuration, formatMilliseconds } from '../numbers.js';
import { describeService, describeTls } from '../service.js';
import { histogram, sparkline } from '../pictures.js';
import {
  type Output,
  type Paint,
  type Reporter,
  type ReportOptions,
  SILENCE,
  type Totals,
} from '../reporter.js';

/** PortPing's two sentences (KB Q295416), to the letter. */
function verdictLine(port: number, outcome: Outcome, paint: Paint): string {
  if (outcome.state === 'open')
    return `${paint.good('Success!')} Pinged port ${port} in ${formatMilliseconds(outcome.latencyMs)} milliseconds.`;
  if (outcome.state === 'cancelled') return '';
  return `${paint.bad('Error Detected:')} Connection refused <${errorNumber(outcome.error)}> returned.`;
}

/** `mail.example.com:25 (192.0.2.10)`; the address is left out where it is what the user wrote. */
function nameOf({ host, port }: Target, address: string | null): string {
  const named = escapeControls(formatHostPort(host, port));
  return address === null || address === host ? named : `${named} (${escapeControls(address)})`;
}

const addressOf = ({ outcome }: ProbeReport): string | null =>
  'endpoint' in outcome ? outcome.endpoint.address : null;

function describeResolution({ resolution }: ProbeReport): string {
  const { host, via, elapsedMs } = resolution;
  const who = via === 'system' ? 'system resolver' : `DNS server ${escapeControls(via)}`;
  const found =
    resolution.state === 'resolved'
      ? resolution.addresses.map(({ address }) => escapeControls(address)).join(', ')
      : resolution.state;
  return `${escapeControls(host)}: ${found} (${who}, ${formatDuration(elapsedMs)})`;
}

/** What `-v` adds: the resolution, each attempt with our end of it, what became of the connection, and the sum. */
function details(report: ProbeReport): string[] {
  const { resolution, attempts, outcome } = report;
  const lines = resolution.via === 'literal' ? [] : [describeResolution(report)];
  for (const attempt of attempts) {
    const from =
      attempt.state === 'open' && attempt.local
        ? ` from ${formatHostPort(attempt.local.address, attempt.local.port)}`
        : '';
    lines.push(`${formatEndpoint(attempt.endpoint)}${from}: ${describeAttempt(attempt)}`);
    if (attempt.state === 'open' && attempt.dropped) {
      const how = attempt.dropped.by === 'reset' ? 'reset' : 'closed';
      lines.push(
        `The other side ${how} the connection ${formatDuration(attempt.dropped.afterMs)} later, before anything was said: probably a load balancer or proxy with no service behind it.`,
      );
    }
  }
  if (outcome.state === 'open') {
    const { latencyMs, service } = outcome;
    if (service)
      lines.push(
        `${service.name}: ${formatDuration(service.elapsedMs)} from the handshake until that was clear, ${plural(service.receivedBytes, 'byte')} received`,
      );
    const steps = [
      ...(resolution.via === 'literal' ? [] : [['dns', resolution.elapsedMs] as const]),
      ['connect', latencyMs] as const,
      ...(service ? [['service', service.elapsedMs] as const] : []),
    ];
    const sum = formatDuration(steps.reduce((total, [, elapsedMs]) => total + elapsedMs, 0));
    lines.push(
      `${steps.map(([name, elapsedMs]) => `${name} ${formatDuration(elapsedMs)}`).join(' + ')}${steps.length > 1 ? ` = ${sum}` : ''}`,
    );
  }
  return lines;
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

/** The attempts that failed although another address opened: worth a line each, unless only this machine lacks that family. */
function failuresBesideSuccess({ attempts, outcome }: ProbeReport): string[] {
  if (outcome.state !== 'open') return [];
  return attempts
    .filter(
      (each) =>
        each.state === 'closed' ||
        each.state === 'filtered' ||
        (each.state === 'cancelled' && attempts.indexOf(each) < attempts.indexOf(outcome)),
    )
    .map(
      (each) =>
        `${formatEndpoint(each.endpoint)}: ${describeAttempt(each)}; ${formatEndpoint(outcome.endpoint)} opened.`,
    );
}

/** What is remarkable about one probe of a series. */
function remarks({ lostSynSeconds, formerAddresses, report }: ProbeEvent): string[] {
  const { resolution, target } = report;
  const lines: string[] = [];
  if (formerAddresses && resolution.state === 'resolved') {
    const now = resolution.addresses.map(({ address }) => address).join(', ');
    lines.push(
      `${escapeControls(target.host)} is now ${escapeControls(now)}; it was ${escapeControls(formerAddresses.join(', '))}.`,
    );
  }
  if (lostSynSeconds !== null) {
    lines.push(
      `Probably a lost packet and not distance: that took ${lostSynSeconds} s longer than its neighbours, which is when TCP repeats a SYN.`,
    );
  }
  return lines;
}

/** Holds the outcome against its own expectation, in the words of whoever said it: the line of a list, or the command line. */
function remarkOnExpectation(
  { request, verdict, report: { outcome } }: ProbeEvent,
  { expect, expectation }: ReportOptions,
): string[] {
  const { expect: own, origin = 'the list' } = request;
  const { state } = outcome;
  const expected = own ?? expect;
  if (state === 'cancelled') return [];
  if (expected === 'open' && state === 'open')
    return verdict.tooSlow ? [`Not as expected (${expectation}): open, but too slow.`] : [];
  if (own !== undefined)
    return verdict.asExpected
      ? []
      : [`Not as expected (${escapeControls(origin)} says ${own}): ${state}.`];
  if (expected === 'open') return []; // nobody said anything
  return [`${verdict.asExpected ? 'As' : 'Not as'} expected (${expectation}): ${state}.`];
}

const CAUSES: Readonly<Record<Reason, string>> = {
  'conn-refused': 'refused',
  'no-response': 'no answer',
  'host-unreach': 'host unreachable',
  'net-unreach': 'network unreachable',
  'proto-unreach': 'protocol unreachable',
  'admin-prohibited': 'prohibited',
  'name-not-found': 'no such name',
  'name-no-address': 'no address',
  'resolver-failed': 'resolver failed',
  'resolver-timeout': 'resolver silent',
  'no-route': 'no route from here',
  'no-ports-left': 'no source port left',
  'no-files-left': 'no descriptor left',
  'not-permitted': 'not permitted here',
  'bad-source': 'bad source address',
  'no-resources': 'no memory here',
  'unknown-error': 'unknown error',
  silent: 'service silent',
  dropped: 'dropped by the service',
  'wrong-protocol': 'wrong answer',
  'tls-failed': 'TLS failed',
};

/** A reason in a word or two: `refused`, `no answer`. */
export const describeReason = (reason: Reason): string => CAUSES[reason];

function describeOutage(
  { from, to, durationMs, over, probes, causes, moreCauses }: Outage,
  times: string,
): string {
  const list = causes
    .map(({ reason, count }) => `${describeReason(reason)} ${times}${count}`)
    .join(', then ');
  const more = moreCauses > 0 ? `, then ${moreCauses} more changes` : '';
  const when = over
    ? `from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}, ${formatDuration(durationMs)}`
    : `from ${new Date(from).toISOString()}, ${probes === 1 ? 'one probe' : `${formatDuration(durationMs)} so far`}, not over`;
  return `Outage ${when}: ${list}${more}.`;
}

/** A figure of a summary, or a dash where there is none. */
const figure = (milliseconds: number | null): string =>
  milliseconds === null ? '-' : formatMilliseconds(milliseconds);

const basics = ({ min, mean, max }: Figures): string =>
  `min ${figure(min)}, mean ${figure(mean)}, max ${figure(max)}`;

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

function summaryLines(summary: Summary): string[] {
  const { sent, counts, lossPercent, latency, service, resolving, outages, lostSyns, tooSlow } =
    summary;
  if (sent === 0) return ['0 probes: no verdict'];
  const states = Object.entries(counts).filter(
    ([state, count]) => count > 0 || ['open', 'closed', 'filtered', 'failed'].includes(state),
  );
  const lines = [
    `${plural(sent, 'probe')}: ${states.map(([state, count]) => `${count} ${state}`).join(', ')}; ${lossPercent === null ? '-' : Number(lossPercent.toFixed(1))}% loss`,
  ];
  if (latency) {
    lines.push(
      `latency in ms: ${basics(latency)}, standard deviation ${figure(latency.standardDeviation)}, jitter ${figure(latency.jitter)}`,
    );
    lines.push(
      `               p50 ${figure(latency.p50)}, p90 ${figure(latency.p90)}, p95 ${figure(latency.p95)}, p99 ${figure(latency.p99)}`,
    );
  }
  if (service) {
    const failures = Object.entries(service.failures)
      .map(([reason, count]) => `, ${count} ${reason}`)
      .join('');
    lines.push(
      `service: ${service.answered} answered${failures}${service.answers ? `; answers in ms: ${basics(service.answers)}` : ''}`,
    );
  }
  if (tooSlow > 0) lines.push(`too slow: ${tooSlow}`);
  if (resolving) lines.push(`resolving in ms: ${basics(resolving)}`);
  if (outages.count > 0)
    lines.push(
      `${plural(outages.count, 'outage')}: longest ${formatDuration(outages.longestMs)}, in all ${formatDuration(outages.totalMs)}`,
    );
  if (lostSyns > 0)
    lines.push(
      `${plural(lostSyns, 'latency').replace('latencys', 'latencies')} with a SYN probably lost`,
    );
  return lines;
}

/** The end of a run over many targets in one line. */
export function describeTotals({
  probes,
  counts,
  unexpected,
  hasExpectations,
  elapsedMs,
  isComplete,
}: Totals): string {
  const states = Object.entries(counts).map(([state, count]) => `${count} ${state}`);
  return `${plural(probes, 'probe')} in ${formatDuration(elapsedMs)}: ${states.join(', ') || 'none'}${hasExpectations ? `; ${unexpected} not as expected` : ''}${isComplete ? '' : '; ended before the last one'}.`;
}

/** The classic lines for people and shell loops: one verdict a probe on stdout, everything else on stderr. */
export function textReporter(options: ReportOptions): Reporter {
  const { paint, verbose, timestamps, nameEndpoints, manyTargets, canvas } = options;
  // The reason that was explained last, for each name: again only when it changes. With many targets each reason is explained once.
  const explained = new Map<string, Reason>();
  const lines = (asides: readonly string[], prefix: string): string =>
    asides.map((aside) => `${prefix}${paint.stderr.dim(aside)}\n`).join('');
  const timeOf = (epochMs: number): string =>
    timestamps ? `${new Date(epochMs).toISOString()}  ` : '';

  return {
    probe(event): Output {
      const { report, verdict } = event;
      const { outcome, target, startedAt } = report;
      const name = nameOf(target, addressOf(report));
      const prefix = `${timeOf(startedAt)}${nameEndpoints ? `${name}  ` : ''}`;
      const line = verdictLine(target.port, outcome, paint.stdout);
      const reason = reasonOf(outcome) ?? undefined;
      const topic = manyTargets ? (reason ?? '') : name;
      const isNews = explained.get(topic) !== reason;
      if (reason && !verdict.asExpected) explained.set(topic, reason);
      if (!reason) explained.delete(topic);
      const explanation = isNews && !verdict.asExpected ? explain(report) : null;
      const asides = [
        ...(verbose ? details(report) : failuresBesideSuccess(report)),
        ...remarks(event),
        ...remarkOnExpectation(event, options),
        // What is wrong with a service stands on stdout already.
        ...(explanation
          ? [...(outcome.state === 'open' ? [] : [explanation.what]), explanation.advice]
          : []),
      ];
      const verdictLines = line === '' ? [] : [line, ...serviceLines(report, paint.stdout)];
      return {
        stdout: verdictLines.map((each) => `${prefix}${each}\n`).join(''),
        stderr: lines(asides, prefix),
      };
    },

    outage({ target, address, outage }): Output {
      const prefix = `${timeOf(outage.to)}${nameEndpoints ? `${nameOf(target, address)}  ` : ''}`;
      return {
        stdout: '',
        stderr: lines([describeOutage(outage, canvas.unicode ? '×' : 'x')], prefix),
      };
    },

    finish: (totals) =>
      manyTargets && (totals.probes > 0 || totals.isComplete)
        ? { stdout: '', stderr: `${describeTotals(totals)}\n` }
        : SILENCE,

    summary({ target, address, summary, final }): Output {
      const pictures = [
        ...(options.sparkline && summary.recent.length > 1 && summary.latency
          ? [sparkline(summary.recent, canvas)]
          : []),
        ...(options.histogram && summary.latency ? histogram(summary.bins, canvas) : []),
      ];
      const title = `--- ${nameOf(target, address)}${final ? '' : ', so far'} ---`;
      return {
        stdout: '',
        stderr: [title, ...summaryLines(summary), ...pictures].map((line) => `${line}\n`).join(''),
      };
    },
  };
}
