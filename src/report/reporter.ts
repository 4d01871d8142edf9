import type { OutageEvent, ProbeEvent } from '../core/facts/events.js';
import type { ProbeReport } from '../core/facts/outcome.js';
import type { Summary } from '../core/series/statistics.js';
import type { Target } from '../core/target/target.js';
import type { State } from '../core/states.js';
import type { Canvas } from './charts.js';
import type { Thresholds } from './threshold.js';

/** The version of the JSON objects. It changes when a field is renamed, removed or redefined. */
export const JSON_SCHEMA = 'portping/1';

/** Text for the two streams, each empty or ending with a newline. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Nothing to write. */
export const SILENCE: Output = { stdout: '', stderr: '' };

/** Colours for one stream. Without colours each function returns its text unchanged. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
}

/** How facts are shown. */
export interface ReportOptions {
  readonly paint: { readonly stdout: Paint; readonly stderr: Paint };
  /** Show every attempt and timing. */
  readonly verbose: boolean;
  /** Write the time, in ISO 8601, before each line. */
  readonly timestamps: boolean;
  /** Name the endpoint before each verdict: there is more than one. */
  readonly nameEndpoints: boolean;
  /** There are several targets: explain each reason once, not for each target. */
  readonly manyTargets: boolean;
  /** The state that is expected where a target has none of its own. */
  readonly expect: string;
  /**
   * The service that must answer: `smtp`, or `its service` where the port decides. Null when no
   * service is checked.
   */
  readonly service: string | null;
  /** Targets are probed in several rounds; each round has its own verdict. */
  readonly rounds: boolean;
  /** The user's own expectation (`--expect closed`); null when there is none. */
  readonly expectation: string | null;
  /** What the terminal can show. */
  readonly canvas: Canvas;
  /** Draw the recent latencies in a summary. */
  readonly sparkline: boolean;
  /** Draw the distribution of the latencies in a summary. */
  readonly histogram: boolean;
  /** Latencies that raise an alert, in a format that has alerts. */
  readonly thresholds?: Thresholds;
}

/** What a series is going to do. */
export interface SeriesStart {
  readonly type: 'start';
  /** The target; null when there are several. */
  readonly target: Target | null;
  /** The addresses of the target's name, in the order they are tried; empty when not known. */
  readonly addresses: readonly string[];
  /** The number of targets. */
  readonly targets: number;
  /** Probes of each target; Infinity for no limit. */
  readonly count: number;
  /** From the start of one probe of a target to the start of its next, milliseconds. */
  readonly intervalMs: number;
  /** The keys that work: none, ^C, or Enter (the summary so far) and ^C. */
  readonly keys: 'none' | 'interrupt' | 'all';
}

/** The summary of a series, at its end or so far. */
export interface SummaryEvent {
  readonly type: 'summary';
  readonly target: Target;
  /** The address, when every address of the name is probed; else null. */
  readonly address: string | null;
  readonly summary: Summary;
  /** False while the series goes on. */
  readonly final: boolean;
  readonly exitCode: number;
}

/** The end of a run over many targets. */
export interface Totals {
  readonly type: 'totals';
  /** Verdicts, one for each target or address. */
  readonly probes: number;
  readonly counts: Readonly<Partial<Record<State, number>>>;
  /** The number of verdicts that were not as expected. */
  readonly unexpected: number;
  /** Whether the user stated an expectation. */
  readonly hasExpectations: boolean;
  readonly elapsedMs: number;
  readonly exitCode: number;
  /** False when a signal or an error in the list ended the run before its last verdict. */
  readonly isComplete: boolean;
}

/** Turns facts into text. It computes nothing about the network and writes nothing itself. */
export interface Reporter {
  /**
   * Loads what `probe` needs for this report; undefined when it has all. A plain probe starts
   * sooner without the words for every failure.
   */
  prepare?(report: ProbeReport): Promise<void> | undefined;
  probe(event: ProbeEvent): Output;
  outage(event: OutageEvent): Output;
  /** The summaries of a series, one for each target or address. */
  summaries(events: readonly SummaryEvent[]): Output;
  /** The beginning of a series; a format without this shows nothing. */
  start?(start: SeriesStart): Output;
  /** The end of the output; called once, last. */
  finish(totals: Totals): Output;
  /** Markdown for the summary of a job of GitHub Actions; called after `finish`. */
  jobSummary?(): string;
  /** The exit code of a format that has its own; called after `finish`. */
  exitCode?(): number;
}
