import type { Reporter, ReportOptions } from '../reporter.js';
import { needsMore, plainTextReporter } from './plain-text.js';

/** Options that change how a probe is shown; each format has a place for some of them. */
export type DisplayOption = 'quiet' | 'verbose' | 'timestamps' | 'histogram' | 'summaryEvery';

/** A format of `--output`: how to make its reporter, and which options fit it. */
export interface FormatInfo {
  /** Makes its reporter. All formats but text are loaded only when they are asked for. */
  readonly create: (options: ReportOptions) => Reporter | Promise<Reporter>;
  /**
   * The options that change its output; any other is refused. `verbose` includes watching a
   * connection for being dropped. `timestamps` is false where the output has times anyway.
   */
  readonly shows: Readonly<Record<DisplayOption, boolean>>;
  /**
   * Why it holds one probe of each target, in words for a refusal of `--count`, `--continuous`
   * and `--wait`; null where probes may be repeated.
   */
  readonly onceBecause: string | null;
  /**
   * Whether it is a check of a monitoring scheduler. A check has thresholds (`--warn`, `--crit`)
   * and exit codes of its own, also for wrong usage. It probes all targets at once, to end within
   * `--timeout`.
   */
  readonly isCheck: boolean;
}

/** A report that only shows verdicts, one after the other or at the end. */
const VERDICTS_ONLY = {
  quiet: true,
  verbose: false,
  timestamps: false,
  histogram: false,
  summaryEvery: false,
} as const;

const ROWS = {
  text: {
    create: async (options) => {
      if (needsMore(options)) return (await import('./text.js')).textReporter(options);
      return options.manyTargets
        ? (await import('./many-text.js')).manyTextReporter(options)
        : plainTextReporter(options);
    },
    shows: { quiet: true, verbose: true, timestamps: true, histogram: true, summaryEvery: true },
    onceBecause: null,
    isCheck: false,
  },
  json: {
    create: async (options) => (await import('./json.js')).jsonReporter(options),
    shows: { ...VERDICTS_ONLY, verbose: true, summaryEvery: true },
    onceBecause: null,
    isCheck: false,
  },
  csv: {
    create: async (options) => (await import('./csv.js')).csvReporter(options),
    shows: VERDICTS_ONLY,
    onceBecause: null,
    isCheck: false,
  },
  junit: {
    create: async (options) => (await import('./junit.js')).junitReporter(options),
    shows: VERDICTS_ONLY,
    onceBecause: null,
    isCheck: false,
  },
  tap: {
    create: async (options) => (await import('./tap.js')).tapReporter(options),
    shows: VERDICTS_ONLY,
    onceBecause: null,
    isCheck: false,
  },
  github: {
    create: async (options) => (await import('./github.js')).githubReporter(options),
    shows: VERDICTS_ONLY,
    onceBecause: null,
    isCheck: false,
  },
  nagios: {
    create: async (options) => (await import('./nagios.js')).nagiosReporter(options),
    shows: { ...VERDICTS_ONLY, quiet: false },
    onceBecause: 'the scheduler repeats the check',
    isCheck: true,
  },
  prometheus: {
    create: async () => (await import('./prometheus.js')).prometheusReporter(),
    shows: { ...VERDICTS_ONLY, quiet: false },
    onceBecause: 'it describes one moment, and the collector reads it again',
    isCheck: false,
  },
} satisfies Record<string, FormatInfo>;

/** The name of a format of `--output`. */
export type Format = keyof typeof ROWS;

/** The formats of `--output`, in the order of `--help`. To add one: its file and its row above. */
export const FORMATS: Readonly<Record<Format, FormatInfo>> = ROWS;

/** The names of all formats, in the order of `--help`. */
export const FORMAT_NAMES = Object.keys(ROWS) as readonly Format[];

/** The formats whose output an option changes, in the order of `--help`. */
export const formatsThatShow = (option: DisplayOption): readonly Format[] =>
  FORMAT_NAMES.filter((format) => FORMATS[format].shows[option]);
