import type { ProbeReport } from '../core/outcome.js';
import { jsonReporter } from './json.js';
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
}

/** Facts to text. A reporter computes nothing about the network and writes nothing. */
export interface Reporter {
  probe(report: ProbeReport): Output;
}

/** The formats of `--output`. */
export const FORMATS = { text: textReporter, json: jsonReporter } as const satisfies Record<string, (options: ReportOptions) => Reporter>;

/** The name of a format of `--output`. */
export type Format = keyof typeof FORMATS;
