import { UsageError } from '../../core/usage-error.js';
import {
  type DisplayOption,
  type Format,
  FORMATS,
  formatsThatShow,
} from '../../report/formats/registry.js';
import type { Threshold } from '../../report/threshold.js';
import { isPipe } from './target-source.js';

/** The options that have to do with the format, as commander has them. */
export interface RawFormatOptions {
  readonly output: Format;
  readonly outputFile?: string;
  readonly warn?: Threshold;
  readonly crit?: Threshold;
}

interface OtherOptions {
  readonly count?: number;
  readonly continuous?: true;
  readonly wait?: number;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly timestamps?: true;
  readonly targets?: string;
  readonly concurrency?: number;
  readonly rate?: number;
  readonly maxLatency?: number;
  readonly expect: string;
  readonly histogram?: true;
}

const DISPLAY_OPTIONS = [
  'quiet',
  'verbose',
  'timestamps',
  'histogram',
] as const satisfies readonly DisplayOption[];

function checkShown({ output, ...options }: RawFormatOptions & OtherOptions): void {
  for (const option of DISPLAY_OPTIONS) {
    if (options[option] && !FORMATS[output].shows[option])
      throw new UsageError(
        `--${option}: the format ${output} does without it; allowed with --output ${formatsThatShow(option).join(', ')}`,
      );
  }
}

function checkRepeats({ output, ...options }: RawFormatOptions & OtherOptions): void {
  const { onceBecause } = FORMATS[output];
  if (onceBecause === null) return;
  const refused = {
    '--count': (options.count ?? 1) > 1,
    '--continuous': options.continuous,
    '--wait': options.wait !== undefined,
  };
  for (const [option, given] of Object.entries(refused))
    if (given)
      throw new UsageError(
        `${option}: not with --output ${output}: ${onceBecause}; allowed: one probe`,
      );
}

/** A check must end within its timeout, or its scheduler kills it: nothing may hold its probes back. */
function checkNagios({ targets, concurrency, rate, maxLatency }: OtherOptions): void {
  if (targets !== undefined && (targets === '-' || isPipe(targets)))
    throw new UsageError(
      '--targets: a check cannot wait for what comes through a pipe; allowed with --output nagios: a file',
    );
  if (concurrency !== undefined)
    throw new UsageError(
      '--concurrency: a check probes all of its targets at once, to end within --timeout; not allowed with --output nagios',
    );
  if (rate !== undefined)
    throw new UsageError(
      '--rate: a check probes all of its targets at once, to end within --timeout; not allowed with --output nagios',
    );
  if (maxLatency !== undefined)
    throw new UsageError('--max-latency: a check has thresholds; write it as --warn or --crit');
}

/**
 * Refuses what means nothing beside the format or the file that the results are written to.
 *
 * @param command whether a command is to be run after a wait
 * @throws UsageError naming the option
 */
export function checkFormat(options: RawFormatOptions & OtherOptions, command: boolean): void {
  const { output, outputFile, warn, crit, expect } = options;
  for (const [option, threshold] of [
    ['--warn', warn],
    ['--crit', crit],
  ] as const) {
    if (threshold === undefined) continue;
    if (!FORMATS[output].isCheck)
      throw new UsageError(
        `${option}: only a check has thresholds; allowed with --output nagios (else: --max-latency)`,
      );
    if (expect !== 'open')
      throw new UsageError(
        `${option}: only an open port has a latency; allowed with --expect open, not ${expect}`,
      );
  }
  checkRepeats(options);
  checkShown(options);
  if (FORMATS[output].isCheck) checkNagios(options);
  if (outputFile === undefined) return;
  if (options.quiet)
    throw new UsageError('--output-file: --quiet writes nothing; allowed without it');
  if (options.continuous)
    throw new UsageError(
      '--output-file: the file is put in place at the end, and --continuous has none; allowed with --count',
    );
  if (command)
    throw new UsageError(
      '--output-file: not together with a command behind --; allowed with --wait alone',
    );
}

/** Whether a command line that may be wrong asks for the output of a check. */
export function asksForCheck(argv: readonly string[]): boolean {
  const own = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length);
  const formats = own.flatMap((word, index) => {
    const [, beside, behind] = /^(?:-[46aqtv]*o(.+)|--output=(.*))$/.exec(word) ?? [];
    return /^(-[46aqtv]*o|--output)$/.test(word)
      ? [own[index + 1]]
      : [beside ?? behind].filter((each) => each !== undefined);
  });
  return formats.at(-1) === 'nagios'; // the last one holds
}
