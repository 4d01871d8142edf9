import type { ProbeEvent } from '../../core/facts/events.js';
import {
  type OpenOutcome,
  type Outcome,
  type ProbeReport,
  reasonOf,
} from '../../core/facts/outcome.js';
import type { Reason } from '../../core/states.js';
import { formatEndpoint, formatHostPort, type Target } from '../../core/target/target.js';
import { histogram, sparkline } from '../charts.js';
import { escapeControls } from '../escape.js';
import { explain } from '../explanation.js';
import { formatCount, formatDuration, formatMilliseconds } from '../numbers.js';
import {
  addressOf,
  describeAttempt,
  describeKernel,
  describeOtherFailures,
  errorNumber,
  nameTarget,
} from '../outcome-words.js';
import {
  type Output,
  type Paint,
  type Reporter,
  type ReportOptions,
  SILENCE,
  type SummaryEvent,
} from '../reporter.js';
import { describeResolution } from '../resolution-words.js';
import { describeService, describeTls } from '../service.js';
import { describeOutage, describeSummary, describeTotals } from '../summary.js';

/** PortPing's two sentences (KB Q295416), to the letter; empty when the probe was cancelled. */
function outcomeLine(port: number, outcome: Outcome, paint: Paint): string {
  if (outcome.state === 'cancelled') return '';
  if (outcome.state === 'open') {
    const milliseconds = formatMilliseconds(outcome.latencyMs);
    return `${paint.good('Success!')} Pinged port ${port} in ${milliseconds} milliseconds.`;
  }
  const code = errorNumber(outcome.error);
  return `${paint.bad('Error Detected:')} Connection refused <${code}> returned.`;
}

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
        : ['before any data', 'Probably a load balancer or proxy has no service behind it.'];
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
  const { lostSynSeconds, stalledMs, formerAddresses, report } = event;
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
  if (stalledMs !== null)
    lines.push(
      `portping did not run for ${formatDuration(stalledMs)} during this probe: it was stopped, ` +
        'or this machine was too busy. The times of this probe may be too long by that.',
    );
  return lines;
}

/** Whether the outcome is as the line of a list or the command line expects, and which of them. */
function expectationLines(
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
  if (expected === 'open') return []; // the default: nothing was asked for
  return [`${verdict.asExpected ? 'As' : 'Not as'} expected (${expectation}): ${state}.`];
}

/** Decides when a reason is explained: once for each name until the reason changes. */
class Explainer {
  readonly #latest = new Map<string, Reason>();

  /** @param manyTargets explain each reason once for all targets, not for each of them */
  constructor(readonly manyTargets: boolean) {}

  /** The lines that explain an event; empty when it is as expected or was explained already. */
  explain({ report, verdict }: ProbeEvent, name: string): string[] {
    const { outcome } = report;
    const reason = reasonOf(outcome);
    const topic = this.manyTargets ? (reason ?? '') : name;
    if (reason === null) {
      this.#latest.delete(topic);
      return [];
    }
    if (verdict.asExpected || this.#latest.get(topic) === reason) return [];
    this.#latest.set(topic, reason);
    const explanation = explain(report);
    if (explanation === null) return [];
    // What is wrong with a service stands on stdout already.
    return [...(outcome.state === 'open' ? [] : [explanation.what]), explanation.advice];
  }
}

const timesSign = ({ unicode }: ReportOptions['canvas']): string => (unicode ? '×' : 'x');

function summaryText(
  { target, address, summary, final }: SummaryEvent,
  { canvas, ...options }: ReportOptions,
): string {
  const lines = [
    `--- ${nameTarget(target, address)}${final ? '' : ', so far'} ---`,
    ...describeSummary(summary, timesSign(canvas)),
  ];
  if (options.sparkline && summary.recent.length > 1 && summary.latency)
    lines.push(sparkline(summary.recent, canvas));
  if (options.histogram && summary.latency) lines.push(...histogram(summary.bins, canvas));
  return lines.map((line) => `${line}\n`).join('');
}

/** The classic lines for people and shell loops: verdicts on stdout, all the rest on stderr. */
export function textReporter(options: ReportOptions): Reporter {
  const { paint, verbose, timestamps, nameEndpoints, manyTargets, canvas } = options;
  const explainer = new Explainer(manyTargets);
  const prefixOf = (epochMs: number, target: Target, address: string | null): string => {
    const time = timestamps ? `${new Date(epochMs).toISOString()}  ` : '';
    return `${time}${nameEndpoints ? `${nameTarget(target, address)}  ` : ''}`;
  };
  const dimLines = (lines: readonly string[], prefix: string): string =>
    lines.map((line) => `${prefix}${paint.stderr.dim(line)}\n`).join('');

  return {
    probe(event): Output {
      const { report } = event;
      const { outcome, target, startedAt } = report;
      const address = addressOf(outcome);
      const prefix = prefixOf(startedAt, target, address);
      const line = outcomeLine(target.port, outcome, paint.stdout);
      const asides = [
        ...(verbose ? verboseLines(report) : describeOtherFailures(report)),
        ...remarks(event),
        ...expectationLines(event, options),
        ...explainer.explain(event, nameTarget(target, address)),
      ];
      const lines = line === '' ? [] : [line, ...serviceLines(report, paint.stdout)];
      return {
        stdout: lines.map((each) => `${prefix}${each}\n`).join(''),
        stderr: dimLines(asides, prefix),
      };
    },
    outage({ target, address, outage }): Output {
      const line = describeOutage(outage, timesSign(canvas));
      return { stdout: '', stderr: dimLines([line], prefixOf(outage.to, target, address)) };
    },
    summary: (event) => ({ stdout: '', stderr: summaryText(event, options) }),
    finish: (totals) =>
      manyTargets && (totals.probes > 0 || totals.isComplete)
        ? { stdout: '', stderr: `${describeTotals(totals)}\n` }
        : SILENCE,
  };
}
