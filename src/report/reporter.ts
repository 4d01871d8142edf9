import type { OutageEvent, ProbeEvent } from '../core/facts/events.js';
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

/** Nothing to say. */
export const SILENCE: Output = { stdout: '', stderr: '' };

/** Colours for one stream; each function returns its text unchanged where there are none. */
export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  dim(text: string): string;
}

/** How facts are shown. */
export interface ReportOptions {
  readonly paint: { readonly stdout: Paint; readonly stderr: Paint };
  /** Every attempt and timing. */
  readonly verbose: boolean;
  /** ISO 8601 before each line. */
  readonly timestamps: boolean;
  /** Name the endpoint before each verdict, because there is more than one. */
  readonly nameEndpoints: boolean;
  /** There are several targets: an explanation is given once for each reason, not for each target. */
  readonly manyTargets: boolean;
  /** The state that is expected where a target has none of its own. */
  readonly expect: string;
  /** Who must answer behind an open port: `smtp`, or `its service` where the port decides; null when nobody is asked. */
  readonly service: string | null;
  /** Targets are probed in several rounds, each with a verdict of its own. */
  readonly rounds: boolean;
  /** What the port was expected to be, in the user's words (`--expect closed`), or null when it is the usual. */
  readonly expectation: string | null;
  /** The room and the characters there are. */
  readonly canvas: Canvas;
  /** A line of the recent latencies in a summary. */
  readonly sparkline: boolean;
  /** The distribution of the latencies in a summary. */
  readonly histogram: boolean;
  /** Latencies to alert about, in a format that has alerts. */
  readonly thresholds?: Thresholds;
}

/** The end of a series, or a look at it so far. */
export interface SummaryEvent {
  readonly type: 'summary';
  readonly target: Target;
  /** The address it is about, when every address of the name was probed; else null. */
  readonly address: string | null;
  readonly summary: Summary;
  /** False for a look at a series that goes on. */
  readonly final: boolean;
  readonly exitCode: number;
}

/** The end of a run over many targets. */
export interface Totals {
  readonly type: 'totals';
  /** Verdicts, one for each target or address. */
  readonly probes: number;
  readonly counts: Readonly<Partial<Record<State, number>>>;
  /** How many were not as expected. */
  readonly unexpected: number;
  /** Whether anybody said what to expect. */
  readonly hasExpectations: boolean;
  readonly elapsedMs: number;
  readonly exitCode: number;
  /** False when a signal or a mistake in the list ended the run before every probe had a verdict. */
  readonly isComplete: boolean;
}

/** Facts to text. A reporter computes nothing about the network and writes nothing. */
export interface Reporter {
  probe(event: ProbeEvent): Output;
  outage(event: OutageEvent): Output;
  summary(event: SummaryEvent): Output;
  /** What comes behind everything else; called once. */
  finish(totals: Totals): Output;
  /** For a format that has exit codes of its own; asked after `finish`, which such a format has also when nothing came to a verdict. */
  exitCode?(): number;
}
