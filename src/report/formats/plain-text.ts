import type { Outage, ProbeEvent } from '../../core/facts/events.js';
import { type Outcome, type ProbeReport, reasonOf } from '../../core/facts/outcome.js';
import type { Reason } from '../../core/states.js';
import type { Target } from '../../core/target/target.js';
import { escapeControls } from '../escape.js';
import { formatDuration, formatMilliseconds, formatTime } from '../numbers.js';
import {
  addressOf,
  describeOtherFailures,
  describeReason,
  errorNumber,
  type Explanation,
  nameTarget,
} from '../outcome-words.js';
import { explainAtHand } from '../failures/words-at-hand.js';
import {
  type Output,
  type Paint,
  type Reporter,
  type ReportOptions,
  type SeriesStart,
  SILENCE,
  type SummaryEvent,
  type Totals,
} from '../reporter.js';

/** What a plain probe does not need. It is loaded only for other runs. */
export interface MoreText {
  readonly explain?: (report: ProbeReport) => Explanation | null;
  readonly verboseLines?: (report: ProbeReport) => string[];
  readonly serviceLines?: (report: ProbeReport, paint: Paint) => string[];
  readonly remarks?: (event: ProbeEvent) => string[];
  readonly outageLine?: (outage: Outage, options: ReportOptions) => string;
  readonly summaryText?: (events: readonly SummaryEvent[], options: ReportOptions) => string;
  readonly describeStart?: (start: SeriesStart) => string;
  readonly describeTotals?: (totals: Totals) => string;
}

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

/** Says that the times of a probe may be too long, because this process did not run. */
const stallLines = ({ stalledMs }: ProbeEvent): string[] =>
  stalledMs === null
    ? []
    : [
        `portping did not run for ${formatDuration(stalledMs)} during this probe: it was ` +
          'stopped, or this machine or portping itself was too busy. ' +
          'The times of this probe may be that much too long.',
      ];

/**
 * The lines of an explanation. The first begins with the state in the words of `--expect`: on
 * stdout every failure reads "Connection refused". What is wrong with a service stands there.
 */
export function explanationLines(
  { outcome }: ProbeReport,
  { what, advice }: Explanation,
  { bad, dim }: Paint,
): string[] {
  if (!('reason' in outcome)) return [dim(advice)];
  const state = bad(`${outcome.state}, ${describeReason(outcome.reason)}:`);
  return [`${state} ${dim(what)}`, dim(advice)];
}

/** Explains what needs no further file; `prepare` loads the words for the rest. */
function explainPlainly({ outcome }: ProbeReport): Explanation | null {
  const explanation = explainAtHand(outcome);
  if (explanation === null && 'error' in outcome) throw new TypeError('the words were not loaded');
  return explanation;
}

/** Decides when a reason is explained: once for each name until the reason changes. */
class Explainer {
  readonly #latest = new Map<string, Reason>();

  /** @param options.manyTargets explain each reason once for all targets, not for each of them */
  constructor(
    readonly options: ReportOptions,
    public explainReport: (report: ProbeReport) => Explanation | null,
  ) {}

  /** The lines that explain an event; empty when it is as expected or was explained already. */
  explain({ report, verdict }: ProbeEvent, name: string): string[] {
    const { outcome } = report;
    const reason = reasonOf(outcome);
    const { manyTargets, paint } = this.options;
    const topic = manyTargets ? (reason ?? '') : name;
    if (reason === null) {
      this.#latest.delete(topic);
      return [];
    }
    if (verdict.asExpected || this.#latest.get(topic) === reason) return [];
    this.#latest.set(topic, reason);
    const explanation = this.explainReport(report);
    return explanation === null ? [] : explanationLines(report, explanation, paint.stderr);
  }
}

/** Whether the lines of a run need more than those of plain probes, of one target or of several. */
export const needsMore = ({ verbose, service, rounds, histogram }: ReportOptions): boolean =>
  verbose || service !== null || rounds || histogram;

/**
 * The classic lines for people and shell loops: verdicts on stdout, all the rest on stderr.
 *
 * @param more all of it if {@link needsMore}, and for several targets how their run ends
 */
export function plainTextReporter(options: ReportOptions, more: MoreText = {}): Reporter {
  const { paint, verbose, timestamps, nameEndpoints, manyTargets } = options;
  const explainer = new Explainer(options, more.explain ?? explainPlainly);
  const prefixOf = (epochMs: number, target: Target, address: string | null): string => {
    const time = timestamps ? `${formatTime(epochMs)}  ` : '';
    return `${time}${nameEndpoints ? `${nameTarget(target, address)}  ` : ''}`;
  };
  const { dim } = paint.stderr;
  const linesAfter = (prefix: string, lines: readonly string[]): string =>
    lines.map((line) => `${prefix}${line}\n`).join('');

  return {
    prepare({ outcome }) {
      const hasAll = explainer.explainReport !== explainPlainly;
      if (hasAll || !('error' in outcome) || explainAtHand(outcome)) return undefined;
      return import('../failures/failure-words.js').then(({ explainFailure }) => {
        explainer.explainReport = explainFailure;
      });
    },
    probe(event): Output {
      const { report } = event;
      const { outcome, target, startedAt } = report;
      const address = addressOf(outcome);
      const prefix = prefixOf(startedAt, target, address);
      const line = outcomeLine(target.port, outcome, paint.stdout);
      const asides = [
        ...(verbose && more.verboseLines
          ? more.verboseLines(report)
          : describeOtherFailures(report)),
        ...(more.remarks?.(event) ?? []),
        ...stallLines(event),
        ...expectationLines(event, options),
      ].map(dim);
      const explanation = explainer.explain(event, nameTarget(target, address));
      const lines = line === '' ? [] : [line, ...(more.serviceLines?.(report, paint.stdout) ?? [])];
      return {
        stdout: linesAfter(prefix, lines),
        stderr: linesAfter(prefix, [...asides, ...explanation]),
      };
    },
    outage({ target, address, outage }): Output {
      const line = more.outageLine?.(outage, options);
      if (line === undefined) return SILENCE;
      return { stdout: '', stderr: linesAfter(prefixOf(outage.to, target, address), [dim(line)]) };
    },
    summaries: (events) => ({ stdout: '', stderr: more.summaryText?.(events, options) ?? '' }),
    start(start): Output {
      if (!more.describeStart) return SILENCE;
      const time = timestamps ? `${new Date().toISOString()}  ` : '';
      return { stdout: '', stderr: `${time}${dim(more.describeStart(start))}\n` };
    },
    finish: (totals) =>
      more.describeTotals && manyTargets && (totals.probes > 0 || totals.isComplete)
        ? { stdout: '', stderr: `${more.describeTotals(totals)}\n` }
        : SILENCE,
  };
}
