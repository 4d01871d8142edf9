import { csvReporter } from './csv.js';
import { jsonReporter } from './json.js';
import { junitReporter } from './junit.js';
import type { Reporter, ReportOptions } from '../reporter.js';
import { tapReporter } from './tap.js';
import { textReporter } from './text.js';

/** The formats of `--output`. Those that only machines ask for are loaded when they do. */
export const FORMATS = {
  text: textReporter,
  json: jsonReporter,
  csv: csvReporter,
  junit: junitReporter,
  tap: tapReporter,
  nagios: async (options: ReportOptions) => (await import('./nagios.js')).nagiosReporter(options),
  prometheus: async () => (await import('./prometheus.js')).prometheusReporter(),
} as const satisfies Record<string, (options: ReportOptions) => Reporter | Promise<Reporter>>;

/** The name of a format of `--output`. */
export type Format = keyof typeof FORMATS;
