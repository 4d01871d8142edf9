import type { ManyInternals } from '../../core/many/many-options.js';
import type { SeriesOptions } from '../../core/series/probe-series.js';
import type { Reporter } from '../../report/reporter.js';
import type { Sink } from '../output/sink.js';

/** What a run of probes needs from the program. */
export interface Surroundings {
  readonly options: SeriesOptions & { readonly signal: AbortSignal };
  readonly internals: ManyInternals;
  readonly reporter: Reporter;
  readonly quiet: boolean;
  /** Between two summaries of a series so far, milliseconds; undefined for none. */
  readonly summaryEveryMs: number | undefined;
  /** False for `--no-color`. */
  readonly color: boolean;
  readonly sink: Sink;
}

/** A new line after the `^C` that a terminal echoes; empty without a terminal. */
export const newLineAfterEcho = (): string => (process.stderr.isTTY ? '\n' : '');
