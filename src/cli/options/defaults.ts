import { DEFAULT_TIMEOUT_MS } from '../../core/limits.js';

/**
 * The options of a command line that has none. They stand apart from the option table so that such
 * a command line, the most frequent one, loads neither the table nor commander.
 */
export const DEFAULT_OPTIONS = {
  timeout: DEFAULT_TIMEOUT_MS,
  expect: 'open',
  output: 'text',
  color: true,
  companions: true,
} as const;

/**
 * The most targets that can be probed again and again, waited for, or held in one check: each has
 * its own statistics.
 */
export const MAX_REPEATED_TARGETS = 1000;

/** What `--targets` takes, for error messages. */
export const INPUT_ADVICE = 'use a file, or - for standard input';
