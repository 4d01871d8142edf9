import type { OutageEvent, ProbeEvent } from '../core/series.js';
import type { Summary } from '../core/statistics.js';
import type { Target } from '../core/target.js';
import { jsonReporter } from './json.js';
import type { Canvas } from './pictures.js';
import { textReporter } from './text.js';

/** Text for the two streams, each empty or ending with a newline. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

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
  /** What the port was expected to be, in the user's words (`--expect closed`), or null when it is the usual. */
  readonly expectation: string | null;
  /** The room and the characters there are. */
  readonly canvas: Canvas;
  /** A line of the recent latencies in a summary. */
  readonly sparkline: boolean;
  /** The distribution of the latencies in a summary. */
  readonly histogram: boolean;
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

/** Facts to text. A reporter computes nothing about the network and writes nothing. */
export interface Reporter {
  probe(event: ProbeEvent): Output;
  outage(event: OutageEvent): Output;
  summary(event: SummaryEvent): Output;
}

/** The formats of `--output`. */
export const FORMATS = { text: textReporter, json: jsonReporter } as const satisfies Record<string, (options: ReportOptions) => Reporter>;

/** The name of a format of `--output`. */
export type Format = keyof typeof FORMATS;
