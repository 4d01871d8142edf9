import type { ProbeEvent } from '../../core/facts/events.js';
import { type Outcome, type ProbeReport, reasonOf } from '../../core/facts/outcome.js';
import type { Reason } from '../../core/states.js';
import { formatEndpoint, formatHostPort } from '../../core/target/target.js';
import { histogram, sparkline } from '../charts.js';
import { escapeControls } from '../escape.js';
import { explain } from '../explanation.js';
import { formatCount, formatDuration, formatMilliseconds } from '../numbers.js';
import { addressOf, describeAttempt, errorNumber, nameTarget } from '../outcome-words.js';
import {
  type Output,
  type Paint,
  type Reporter,
  type ReportOptions,
  SILENCE,
} from '../reporter.js';
import { describeService, describeTls } from '../service.js';
import { describeOutage, describeSummary, describeTotals } from '../summary.js';

/** PortPing's two sentences (KB Q295416), to the letter. */
function verdictLine(port: number, outcome: Outcome, paint: Paint): string {
  if (outcome.state === 'open')
    return `${paint.good('Success!')} Pinged port ${port} in ${formatMilliseconds(outcome.latencyMs)} milliseconds.`;
  if (outcome.state === 'cancelled') return '';
  return `${paint.bad('Error Detected:')} Connection refused <${errorNumber(outcome.error)}> returned.`;
}

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
        `${service.name}: ${formatDuration(service.elapsedMs)} from the handshake until that was clear, ${formatCount(service.receivedBytes, 'byte')} received`,
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
      const name = nameTarget(target, addressOf(outcome));
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
      const prefix = `${timeOf(outage.to)}${nameEndpoints ? `${nameTarget(target, address)}  ` : ''}`;
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
      const title = `--- ${nameTarget(target, address)}${final ? '' : ', so far'} ---`;
      return {
        stdout: '',
        stderr: [title, ...describeSummary(summary), ...pictures]
          .map((line) => `${line}\n`)
          .join(''),
      };
    },
  };
}
