import type { Expectation } from '../../core/states.js';
import type { ProbeOptions } from '../../core/probe/target-probe.js';
import type { Target } from '../../core/target/target.js';
import { parsePlainTargets } from '../../core/target/plain-targets.js';
import type { TargetBlock } from '../../core/target/target-list.js';
import { WAIT_DEFAULTS } from '../../core/limits.js';
import { UsageError } from '../../core/usage-error.js';
import type { Thresholds } from '../../report/threshold.js';
import type { Format } from '../../report/formats/registry.js';
import {
  COMMON_OPTIONS,
  DEFAULT_OPTIONS,
  isUnrestricted,
  longFormOf,
  type OptionDefinition,
} from './common-options.js';
import type { CommandLine, OptionName, OptionValues, Shell } from './option-table.js';
import type { Given, Rule } from './rule.js';
import type { ServiceChoice } from './service-choice.js';

/** The options of a single probe. */
type ProbeChoices = Pick<ProbeOptions, 'family' | 'timeoutMs' | 'sourceAddress' | 'dnsServer'>;

/** What a command line asks for, checked and complete. */
export type Config =
  /** Print this text on standard output. */
  | { readonly action: 'show'; readonly text: string }
  /** Explain an error code, or print the whole table when there is none. */
  | { readonly action: 'explain'; readonly code: string | null }
  /** Print the script that completes command lines in a shell. */
  | { readonly action: 'complete'; readonly shell: Shell }
  | DiagnosisConfig
  | ProbeConfig;

/** Finding out why a target can or cannot be reached. */
export interface DiagnosisConfig {
  readonly action: 'diagnose';
  readonly target: Target;
  readonly probe: ProbeChoices;
  /** Probed too, in addition to those of the name. */
  readonly extraAddress: string | undefined;
  /** Whether other ports of the host may be probed. */
  readonly companions: boolean;
  readonly format: 'text' | 'json' | 'markdown';
  /** Null for standard output. */
  readonly outputFile: string | null;
  readonly quiet: boolean;
  /** False for `--no-color`; otherwise the terminal decides. */
  readonly color: boolean;
}

/** Waiting until the port is as expected. */
export interface WaitConfig {
  readonly durationMs: number;
  /** Retry also while the name does not exist. */
  readonly waitForName: boolean;
  /** The command to run when the port is as expected; empty for none. */
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
  readonly probe: ProbeChoices;
  /** The service that must answer; null for none. */
  readonly service: ServiceChoice | null;
  readonly expect: Expectation;
  readonly maxLatencyMs: number | undefined;
  /** Probes of each target; Infinity for `--continuous`. */
  readonly count: number;
  /** From start to start; undefined for the default of the action. */
  readonly intervalMs: number | undefined;
  /** Between two summaries of a series so far, milliseconds; undefined for none. */
  readonly summaryEveryMs: number | undefined;
  /** Null unless waiting. */
  readonly wait: WaitConfig | null;
  /** Probe every address of the name, each with its own verdict. */
  readonly all: boolean;
  readonly format: Format;
  /** Null for standard output. */
  readonly outputFile: string | null;
  readonly thresholds: Thresholds;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly timestamps: boolean;
  readonly histogram: boolean;
  /** False for `--no-color`; otherwise the terminal decides. */
  readonly color: boolean;
}

/** The definitions of the options that were given. */
async function loadDefinitions(
  names: Iterable<OptionName>,
): Promise<Partial<Record<OptionName, OptionDefinition>>> {
  const areCommon = [...names].every((name) => name in COMMON_OPTIONS);
  return areCommon ? COMMON_OPTIONS : (await import('./option-table.js')).OPTIONS;
}

/** Parses the values of the options. A command line without options has the defaults. */
async function parseValues({ texts, variables }: CommandLine): Promise<OptionValues> {
  if (texts.size === 0) return DEFAULT_OPTIONS;
  const definitions = await loadDefinitions(texts.keys());
  const values: Partial<Record<OptionName, unknown>> = { ...DEFAULT_OPTIONS };
  for (const [name, text] of texts) {
    const definition = definitions[name];
    values[name] =
      typeof text === 'string' && definition
        ? definition.parse?.(text, variables?.get(name) ?? longFormOf(definition))
        : text;
  }
  return values as OptionValues; // each value comes from the parser of its own name
}

/** Checks the rules of the options or of the targets. They are loaded only if one may apply. */
async function enforce(load: () => Promise<readonly Rule[]>, given: Given): Promise<void> {
  const { names, command, options } = given;
  if (command === null && isUnrestricted(names, options.output)) return;
  const { enforceRules } = await import('./rule.js');
  enforceRules(await load(), given);
}

const loadOptionRules = async (): Promise<readonly Rule[]> =>
  (await import('./option-rules.js')).OPTION_RULES;

const loadTargetRules = async (): Promise<readonly Rule[]> =>
  (await import('./target-rules.js')).TARGET_RULES;

/** A word that is not a target may have been meant for an option: the hint says how it was read. */
async function parseWords(words: readonly string[], hint: string): Promise<TargetBlock> {
  try {
    const plain = parsePlainTargets(words);
    return plain ?? (await import('../../core/target/target-list.js')).parseTargets(words);
  } catch (error) {
    throw error instanceof UsageError && hint !== ''
      ? new UsageError(`${error.message}${hint}`)
      : error;
  }
}

/** Checks each target of the command line; those of a file are checked as they are read. */
async function chooseCheckedService({ options, block }: Given): Promise<ServiceChoice | null> {
  if (options.service === undefined) return null;
  const { chooseService } = await import('./service-choice.js');
  const choice = chooseService(options);
  if (choice === null || choice.request.name !== undefined || block === null) return choice;
  for (const port of block.ports()) choice.check(port);
  choice.finish();
  return choice;
}

function probeChoices({ ipv4, ipv6, timeout, source, dns }: OptionValues): ProbeChoices {
  const family = ipv4 ? 4 : ipv6 ? 6 : undefined;
  return { family, timeoutMs: timeout, sourceAddress: source, dnsServer: dns };
}

async function chooseDiagnosis({ options, words }: Given): Promise<DiagnosisConfig> {
  const { parseTarget } = await import('../../core/target/target-list.js');
  return {
    action: 'diagnose',
    target: parseTarget(words),
    probe: probeChoices(options),
    extraAddress: options.ip,
    companions: options.companions,
    format: options.report ? 'markdown' : options.output === 'json' ? 'json' : 'text',
    outputFile: options.outputFile ?? null,
    quiet: options.quiet ?? false,
    color: options.color,
  };
}

function chooseWait({ options, command }: Given): WaitConfig | null {
  if (options.wait === undefined) return null;
  return {
    durationMs: options.wait === true ? WAIT_DEFAULTS.durationMs : options.wait,
    waitForName: options.waitForName ?? false,
    command: command ?? [],
  };
}

function chooseProbes(
  given: Given,
  targets: TargetBlock | string,
  service: ServiceChoice | null,
): ProbeConfig {
  const { options } = given;
  return {
    action: 'probe',
    targets,
    service,
    probe: probeChoices(options),
    wait: chooseWait(given),
    count: options.continuous ? Infinity : (options.count ?? 1),
    concurrency: options.concurrency ?? null,
    ratePerSecond: options.rate,
    intervalMs: options.interval,
    summaryEveryMs: options.summaryEvery,
    expect: options.expect,
    maxLatencyMs: options.maxLatency,
    all: options.all ?? false,
    ...chooseDisplay(options),
  };
}

function chooseDisplay(options: OptionValues) {
  return {
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

/**
 * What a command line asks for.
 *
 * @throws UsageError that names the argument, what is wrong with it and what is allowed
 */
export async function chooseConfig(line: CommandLine): Promise<Config> {
  const { texts, words, command, hint, shown, problem, variables } = line;
  if (problem !== null) throw problem;
  if (shown !== null) return { action: 'show', text: shown };
  const options = await parseValues(line);
  const names = new Set(texts.keys());
  const given: Given = { options, words, command, names, variables, block: null };
  await enforce(loadOptionRules, given);
  if (options.completion !== undefined) return { action: 'complete', shell: options.completion };
  if (options.explain !== undefined)
    return { action: 'explain', code: options.explain === true ? null : options.explain };
  const block = options.targets === undefined ? await parseWords(words, hint) : null;
  const complete: Given = { ...given, block };
  if (options.diagnose || options.report) {
    const config = await chooseDiagnosis(complete);
    await enforce(loadTargetRules, complete);
    return config;
  }
  await enforce(loadTargetRules, complete);
  return chooseProbes(
    complete,
    block ?? options.targets ?? '',
    await chooseCheckedService(complete),
  );
}
