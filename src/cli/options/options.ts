import type { Expectation } from '../../core/states.js';
import type { RawDiagnosisOptions } from './diagnosis-arguments.js';
import type { RawFormatOptions } from './format-arguments.js';
import type { RawServiceOptions } from './service-arguments.js';

/** The options as commander reads them. */
export interface RawOptions
  extends Omit<RawDiagnosisOptions, 'output'>, RawFormatOptions, RawServiceOptions {
  readonly 4?: true;
  readonly 6?: true;
  readonly timeout: number;
  readonly count?: number;
  readonly continuous?: true;
  readonly interval?: number;
  readonly wait?: number;
  readonly waitForName?: true;
  readonly expect: Expectation;
  readonly maxLatency?: number;
  readonly histogram?: true;
  readonly targets?: string;
  readonly concurrency?: number;
  readonly rate?: number;
  readonly all?: true;
  readonly source?: string;
  readonly dns?: string;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly timestamps?: true;
  readonly color: boolean;
  readonly explain?: string | true;
}

/** The options of a command line that has none. */
export const DEFAULT_OPTIONS = {
  timeout: 5000,
  expect: 'open',
  output: 'text',
  color: true,
  companions: true,
} as const satisfies RawOptions;
