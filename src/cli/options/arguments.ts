import type { Expectation } from '../../core/states.js';
import type { ProbeOptions } from '../../core/probe/target-probe.js';
import { familyOf } from '../../core/target/target.js';
import { parseTargets, type TargetBlock } from '../../core/target/target-list.js';
import { UsageError } from '../../core/usage-error.js';
import type { Thresholds } from '../../report/threshold.js';
import { type Format, FORMATS } from '../../report/formats/registry.js';
import { chooseDiagnosis, type DiagnosisConfig } from './diagnosis-arguments.js';
import { checkFormat } from './format-arguments.js';
import { DEFAULT_OPTIONS, type RawOptions } from './options.js';
import type { ServiceChoice } from './service-arguments.js';

/** What a command line asks for, checked and complete. */
export type Config =
  /** Print this text on stdout and end. */
  | { readonly action: 'show'; readonly text: string }
  /** Look an error up, or print the whole table when there is no query. */
  | { readonly action: 'explain'; readonly query: string | null }
  | DiagnosisConfig
  | ProbeConfig;

/** Waiting until the port is as expected. */
export interface WaitConfig {
  readonly durationMs: number;
  /** Wait also for a name that does not exist yet. */
  readonly waitForName: boolean;
  /** Words of the command to run when the port is as expected; none when empty. */
  readonly command: readonly string[];
}

/** Probes of one target or many. */
export interface ProbeConfig {
  readonly action: 'probe';
  /** The targets of the command line, or the path of a file of targets (`-` for standard input). */
  readonly targets: TargetBlock | string;
  /** Null for the default. */
  readonly concurrency: number | null;
  readonly ratePerSecond: number | undefined;
  readonly probe: Pick<ProbeOptions, 'family' | 'timeoutMs' | 'sourceAddress' | 'dnsServer'>;
  /** The service that must answer; null when none is asked. */
  readonly service: ServiceChoice | null;
  readonly expect: Expectation;
  readonly maxLatencyMs: number | undefined;
  /** How often; Infinity until interrupted. */
  readonly count: number;
  /** Start to start; undefined for the default of what is done. */
  readonly intervalMs: number | undefined;
  /** Null unless waiting. */
  readonly wait: WaitConfig | null;
  /** Every address of the name, each with its own verdict. */
  readonly all: boolean;
  readonly format: Format;
  /** Instead of standard output; null for that. */
  readonly outputFile: string | null;
  readonly thresholds: Thresholds;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly timestamps: boolean;
  readonly histogram: boolean;
  /** False when the user asked for no colour; otherwise it is for the terminal to decide. */
  readonly color: boolean;
}

/** Refuses an address that a family or a source address leaves out. */
function checkAddress(
  address: string,
  family: 4 | 6 | undefined,
  source: string | undefined,
): void {
  const own = familyOf(address);
  const sourceFamily = source === undefined ? null : familyOf(source);
  if (own === null) return;
  if (family !== undefined && own !== family)
    throw new UsageError(`-${family}: ${address} is an IPv${own} address`);
  if (sourceFamily !== null && own !== sourceFamily) {
    throw new UsageError(
      `--source: ${source} is an IPv${sourceFamily} address, but ${address} is IPv${own}; allowed: an IPv${own} address`,
    );
  }
}

function checkFamily(
  { size, targets }: TargetBlock,
  family: 4 | 6 | undefined,
  source: string | undefined,
): void {
  const sourceFamily = source === undefined ? null : familyOf(source);
  if (family !== undefined && sourceFamily !== null && sourceFamily !== family)
    throw new UsageError(
      `--source: ${source} is an IPv${sourceFamily} address, but -${family} was given`,
    );
  const [target] = size === 1 ? targets() : [];
  if (target) checkAddress(target.host, family, source);
}

/** How many targets can be probed again and again, or waited for, or be in one check: each has its own figures. */
export const MOST_REPEATED = 1000;

function chooseTargets(words: readonly string[], options: RawOptions): TargetBlock | string {
  if (options.targets !== undefined) {
    if (words.length > 0)
      throw new UsageError(
        `--targets: the targets come from there; "${words.join(' ')}" is too much`,
      );
    return options.targets;
  }
  const block = parseTargets(words);
  checkFamily(block, options[4] ? 4 : options[6] ? 6 : undefined, options.source);
  if (block.size > MOST_REPEATED && FORMATS[options.output].isCheck)
    throw new UsageError(
      `arguments: ${block.size} targets given; allowed in one check: ${MOST_REPEATED}`,
    );
  if (
    block.size > MOST_REPEATED &&
    ((options.count ?? 1) > 1 || options.continuous || options.wait !== undefined)
  ) {
    throw new UsageError(
      `arguments: ${block.size} targets given; allowed with -c, -t or --wait: ${MOST_REPEATED}`,
    );
  }
  if (block.size === 1 && options.concurrency !== undefined)
    throw new UsageError(
      '--concurrency: there is only one probe at a time; allowed with several targets',
    );
  if (
    block.size === 1 &&
    options.rate !== undefined &&
    (options.count ?? 1) === 1 &&
    !options.continuous
  ) {
    throw new UsageError('--rate: there is only one probe; allowed with several targets');
  }
  return block;
}

/** The service that is asked for; each of the targets is looked at, unless they come from a file, whose lines are looked at as they are read. */
async function chooseServiceOf(
  targets: TargetBlock | string,
  options: RawOptions,
): Promise<ServiceChoice | null> {
  const { service, sni, insecure, tlsMinDays, expect } = options;
  if ([service, sni, insecure, tlsMinDays].every((each) => each === undefined)) return null;
  const { chooseService } = await import('./service-arguments.js');
  const choice = chooseService(options, expect);
  if (choice === null || choice.request.name !== undefined || typeof targets === 'string')
    return choice;
  for (const port of targets.ports()) choice.check(port);
  choice.finish();
  return choice;
}

/** Words that are no targets may have been meant for an option: the hint says how they were taken. */
function withHint<T>(hint: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof UsageError && hint !== ''
      ? new UsageError(`${error.message}${hint}`)
      : error;
  }
}

/** Options that mean something only beside another one are refused without it: none is accepted and ignored. */
function checkPartners(
  {
    targets,
    count,
    continuous,
    interval,
    wait,
    waitForName,
    histogram,
    expect,
    maxLatency,
    concurrency,
    rate,
  }: RawOptions,
  command: readonly string[],
): void {
  const repeated = (count ?? 1) > 1 || continuous === true;
  if (targets === '-' && (repeated || wait !== undefined))
    throw new UsageError(
      '--targets: standard input can be read once only; allowed with -c, -t or --wait: a file',
    );
  if (interval !== undefined && !repeated && wait === undefined)
    throw new UsageError('--interval: there is only one probe; allowed with -c, -t or --wait');
  if (histogram && !repeated)
    throw new UsageError('--histogram: there is only one probe; allowed with -c or -t');
  for (const [option, given] of [
    ['--concurrency', concurrency],
    ['--rate', rate],
  ] as const) {
    if (given !== undefined && wait !== undefined)
      throw new UsageError(
        `${option}: each target is waited for by itself; allowed with --wait: --interval`,
      );
  }
  if (waitForName && wait === undefined)
    throw new UsageError('--wait-for-name: nothing is waited for; allowed with --wait');
  if (command.length > 0 && wait === undefined)
    throw new UsageError('--: a command is run after a wait; allowed with --wait');
  if (maxLatency !== undefined && expect !== 'open')
    throw new UsageError(
      `--max-latency: only an open port has a latency; allowed with --expect open, not ${expect}`,
    );
}

/**
 * The command line as a checked configuration.
 *
 * @param argv the words after `node portping`
 * @throws UsageError naming the argument, what is wrong with it and what is allowed
 */
export async function parseArguments(argv: readonly string[]): Promise<Config> {
  // Words behind `--` are a command.
  const end = argv.indexOf('--');
  const own = end < 0 ? argv : argv.slice(0, end);
  const commandWords = end < 0 ? [] : argv.slice(end + 1);
  const hasOptions = own.some((word) => word.startsWith('-'));
  const line = hasOptions
    ? (await import('./command-line.js')).readCommandLine(argv)
    : { options: DEFAULT_OPTIONS as RawOptions, words: own, hint: '' };
  if ('shown' in line) return { action: 'show', text: line.shown };
  const { options, words, hint } = line;
  checkFormat(options, end >= 0);
  if (options.explain !== undefined) {
    if (commandWords.length > 0)
      throw new UsageError('--: --explain runs no command; allowed with --wait');
    if (words.length > 0)
      throw new UsageError(
        `--explain: takes one code and no target; "${words.join(' ')}" is too much`,
      );
    return { action: 'explain', query: options.explain === true ? null : options.explain };
  }
  if (end >= 0 && !commandWords[0])
    throw new UsageError(
      '--: no command behind it; write: portping --wait <host> <port> -- <command>',
    );
  checkPartners(options, commandWords);
  const probe = {
    family: options[4] ? 4 : options[6] ? 6 : undefined,
    timeoutMs: options.timeout,
    sourceAddress: options.source,
    dnsServer: options.dns,
  } as const;
  const diagnosis = chooseDiagnosis(words, options, probe);
  if (diagnosis) {
    checkFamily(parseTargets(words), probe.family, probe.sourceAddress);
    if (diagnosis.extraAddress !== undefined)
      checkAddress(diagnosis.extraAddress, probe.family, probe.sourceAddress);
    return diagnosis;
  }
  const targets = withHint(hint, () => chooseTargets(words, options));
  return {
    action: 'probe',
    targets,
    concurrency: options.concurrency ?? null,
    ratePerSecond: options.rate,
    probe,
    service: await chooseServiceOf(targets, options),
    expect: options.expect,
    maxLatencyMs: options.maxLatency,
    count: options.continuous ? Infinity : (options.count ?? 1),
    intervalMs: options.interval,
    wait:
      options.wait === undefined
        ? null
        : {
            durationMs: options.wait,
            waitForName: options.waitForName ?? false,
            command: commandWords,
          },
    all: options.all ?? false,
    format: options.output,
    outputFile: options.outputFile ?? null,
    thresholds: { warn: options.warn, crit: options.crit },
    quiet: options.quiet ?? false,
    verbose: options.verbose ?? false,
    timestamps: options.timestamps ?? false,
    histogram: options.histogram ?? false,
    color: options.color,
  };
}
