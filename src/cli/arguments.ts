import { Command, CommanderError, Option } from 'commander';
import { isIP } from 'node:net';
import { parseDuration } from '../core/duration.js';
import { type Expectation, EXPECTATIONS } from '../core/expectation.js';
import type { ProbeOptions } from '../core/probe-target.js';
import { WAIT_DEFAULTS } from '../core/series.js';
import { EXIT_CODES } from '../core/states.js';
import { familyOf, parsePort } from '../core/target.js';
import { parseTargets, type TargetBlock } from '../core/target-list.js';
import { UsageError } from '../core/usage-error.js';
import { type Format, FORMATS } from '../report/reporter.js';
import { addDiagnosisOptions, chooseDiagnosis, type DiagnosisConfig, type RawDiagnosisOptions } from './diagnosis-arguments.js';

declare const PORTPING_VERSION: string;

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
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly timestamps: boolean;
  readonly histogram: boolean;
  /** False when the user asked for no colour; otherwise it is for the terminal to decide. */
  readonly color: boolean;
}

interface RawOptions extends RawDiagnosisOptions {
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
  readonly output: Format;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly timestamps?: true;
  readonly color: boolean;
  readonly explain?: string | true;
}

const EXAMPLES = `
Examples:
  portping mail.example.com 25              is SMTP reachable?
  portping db:5432                          the same as: portping db 5432
  portping https://example.com              the port comes from the scheme
  portping -w 2s -q db 5432 && ./migrate    only the exit code, within 2 seconds
  portping -c 5 -i 200ms db 5432            five times, with statistics
  portping -t --timestamps db 5432          until ^C, outages and all
  portping --wait 60s db 5432 -- npm start  start when the database is there
  portping --expect closed host 23          fail when telnet is open
  portping 10.0.0.5 22,80,8000-8100         several ports
  portping --targets list.txt -o junit      a firewall's test: host port expected-state
  portping -v --all example.com 443         every address, every timing
  portping -o json example.com 443 | jq .latencyMs
  portping --diagnose db 5432               why can I not reach it?
  portping --explain 10060                  what does this code mean?
`;

function exitCodeHelp(): string {
  const rows = EXIT_CODES.map(({ exitCode, state, meaning }) => `  ${String(exitCode).padEnd(5)}${(state ?? '').padEnd(12)}${meaning}`);
  return `\nExit codes:\n${rows.join('\n')}\n`;
}

function parseSource(text: string): string {
  if (isIP(text) === 0) throw new UsageError(`--source: "${text}" is not an address; allowed: an IPv4 or IPv6 address of this machine`);
  return text;
}

function parseDnsServer(text: string): string {
  const [, bracketed, bracketedPort, plain, plainPort] = /^(?:\[([^\]]+)\](?::(.*))?|([^:]+)(?::(.*))?)$/s.exec(text) ?? [];
  const address = bracketed ?? plain ?? text;
  const family = isIP(address);
  if (family === 0 || (family === 4 && bracketed !== undefined)) {
    throw new UsageError(`--dns: "${text}" is not the address of a DNS server; allowed: an address, or address:port`);
  }
  const port = bracketedPort ?? plainPort;
  if (port === undefined) return address;
  return family === 6 ? `[${address}]:${parsePort(port)}` : `${address}:${parsePort(port)}`;
}

function parseNumber(text: string, name: string, most: number): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > most) throw new UsageError(`${name}: "${text}" is not a number of probes; allowed: 1 to ${most}`);
  return number;
}

/**
 * `--wait` takes a duration or nothing: what follows it is its duration only when it looks like one, so that `--wait db 5432` means what it says.
 */
function completeWait(argv: readonly string[]): string[] {
  return argv.map((word, index) => (word === '--wait' && !/^\d+(\.\d+)?[a-z]*$/i.test(argv[index + 1] ?? '') ? `--wait=${WAIT_DEFAULTS.durationMs}ms` : word));
}

function command(write: (text: string) => void): Command {
  const program = new Command('portping')
    .description('Is a TCP port open, how long did the handshake take and, if it is not open, whose fault is that?')
    .usage('[options] <host> <port...>\n       portping [options] <host:port | URL>...')
    .argument('[target...]', '<host> <port...>, <host:port> or a URL; IPv6 as [address]:port; ports as 25, 80,443, 8000-8010 or smtp; hosts as 10.0.0.0/28, too')
    .addOption(new Option('-4', 'only IPv4').conflicts('6'))
    .addOption(new Option('-6', 'only IPv6').conflicts('4'))
    .addOption(
      new Option('-w, --timeout <duration>', 'one deadline for resolving, connecting and giving the prompt back')
        .default(5000, '5s')
        .argParser((text) => parseDuration(text, '--timeout')),
    )
    .addOption(new Option('-c, --count <n>', 'probe n times').argParser((text) => parseNumber(text, '--count', 9_999_999_999)).conflicts(['continuous', 'wait']))
    .addOption(new Option('-t, --continuous', 'probe until interrupted; Enter shows the summary so far').conflicts('wait'))
    .option('-i, --interval <duration>', 'between starts of probes (default: 1s, with --wait 500ms)', (text) => parseDuration(text, '--interval', 0))
    .addOption(
      new Option('--wait [duration]', 'keep trying until open; give up after the duration (60s unless given); words after -- are a command to run then')
        .argParser((text) => parseDuration(text, '--wait'))
        .conflicts(['all']),
    )
    .option('--wait-for-name', 'with --wait: also for a name that does not exist yet')
    .addOption(new Option('--expect <state>', 'what the port must be').choices(EXPECTATIONS).default('open'))
    .option('--max-latency <duration>', 'slower than this counts as not as expected', (text) => parseDuration(text, '--max-latency', 0))
    .option('--histogram', 'with -c or -t: the distribution of the latency')
    .option('--targets <file>', 'one target a line, with the state expected of it behind it if you like; - for standard input, # comments')
    .option('--concurrency <n>', 'how many probes at once (default: 500)', (text) => parseNumber(text, '--concurrency', 65_535))
    .option('--rate <n>', 'how many probes are started in a second, at the most', (text) => parseNumber(text, '--rate', 1_000_000))
    .option('-a, --all', 'probe every address the name has, each with its own verdict');
  return addDiagnosisOptions(program)
    .option('--source <address>', 'local address to probe from', parseSource)
    .option('--dns <server>', 'ask this DNS server instead of the system', parseDnsServer)
    .addOption(new Option('-o, --output <format>', 'how results are written').choices(Object.keys(FORMATS)).default('text'))
    .addOption(new Option('-q, --quiet', 'only the exit code').conflicts('verbose'))
    .option('-v, --verbose', 'every attempt and timing')
    .option('--timestamps', 'ISO 8601 time before each line')
    .option('--no-color', 'no colours (also: NO_COLOR, FORCE_COLOR)')
    .option('--explain [code]', 'look an error up (10061, ECONNREFUSED, EAI_AGAIN …); without a code, the table')
    .version(PORTPING_VERSION, '--version', 'the version')
    .helpOption('-h, --help', 'this help')
    .addHelpText('after', () => `${exitCodeHelp()}${EXAMPLES}`)
    .configureOutput({ writeOut: write, writeErr: () => {} })
    .exitOverride();
}

/** Commander's refusals as one line: `error: unknown option '--x'\n(Did you mean --y?)`. */
function usageErrorOf(error: CommanderError): UsageError {
  const negative = /unknown option '(-\d[^']*)'/.exec(error.message)?.[1];
  if (negative !== undefined) return new UsageError(`port: ${negative} is out of range; allowed: 1 to 65535`);
  return new UsageError(error.message.replace(/^error: /, '').replace(/\s+/g, ' '));
}

function checkFamily({ size, targets }: TargetBlock, family: 4 | 6 | undefined, source: string | undefined): void {
  const sourceFamily = source === undefined ? null : familyOf(source);
  if (family !== undefined && sourceFamily !== null && sourceFamily !== family) throw new UsageError(`--source: ${source} is an IPv${sourceFamily} address, but -${family} was given`);
  const [target] = size === 1 ? targets() : [];
  const literal = target ? familyOf(target.host) : null;
  if (target === undefined || literal === null) return;
  if (family !== undefined && literal !== family) throw new UsageError(`-${family}: ${target.host} is an IPv${literal} address`);
  if (sourceFamily !== null && literal !== sourceFamily) {
    throw new UsageError(`--source: ${source} is an IPv${sourceFamily} address, but ${target.host} is IPv${literal}; allowed: an IPv${literal} address`);
  }
}

/** How many targets can be probed again and again, or waited for: each has its own figures. */
const MOST_REPEATED = 1000;

function chooseTargets(words: readonly string[], options: RawOptions): TargetBlock | string {
  if (options.targets !== undefined) {
    if (words.length > 0) throw new UsageError(`--targets: the targets come from there; "${words.join(' ')}" is too much`);
    return options.targets;
  }
  const block = parseTargets(words);
  checkFamily(block, options[4] ? 4 : options[6] ? 6 : undefined, options.source);
  if (block.size > MOST_REPEATED && ((options.count ?? 1) > 1 || options.continuous || options.wait !== undefined)) {
    throw new UsageError(`arguments: ${block.size} targets given; allowed with -c, -t or --wait: ${MOST_REPEATED}`);
  }
  if (block.size === 1 && (options.concurrency ?? options.rate) !== undefined && (options.count ?? 1) === 1 && !options.continuous) {
    throw new UsageError(`--${options.concurrency === undefined ? 'rate' : 'concurrency'}: there is only one probe; allowed with several targets`);
  }
  return block;
}

/** Options that mean something only beside another one are refused without it: none is accepted and ignored. */
function checkPartners({ targets, count, continuous, interval, wait, waitForName, histogram, expect, maxLatency }: RawOptions, command: readonly string[]): void {
  const repeated = (count ?? 1) > 1 || continuous === true;
  if (targets === '-' && (repeated || wait !== undefined)) throw new UsageError('--targets: standard input can be read once only; allowed with -c, -t or --wait: a file');
  if (interval !== undefined && !repeated && wait === undefined) throw new UsageError('--interval: there is only one probe; allowed with -c, -t or --wait');
  if (histogram && !repeated) throw new UsageError('--histogram: there is only one probe; allowed with -c or -t');
  if (waitForName && wait === undefined) throw new UsageError('--wait-for-name: nothing is waited for; allowed with --wait');
  if (command.length > 0 && wait === undefined) throw new UsageError('--: a command is run after a wait; allowed with --wait');
  if (maxLatency !== undefined && expect !== 'open') throw new UsageError(`--max-latency: only an open port has a latency; allowed with --expect open, not ${expect}`);
}

/**
 * The command line as a checked configuration.
 *
 * @param argv the words after `node portping`
 * @throws UsageError naming the argument, what is wrong with it and what is allowed
 */
export function parseArguments(argv: readonly string[]): Config {
  let shown = '';
  const program = command((text) => { shown += text; });
  // Commander takes the words behind `--` for arguments; here they are a command.
  const end = argv.indexOf('--');
  const own = end < 0 ? argv : argv.slice(0, end);
  const commandWords = end < 0 ? [] : argv.slice(end + 1);
  try {
    program.parse(completeWait(own), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { action: 'show', text: shown };
    throw usageErrorOf(error);
  }
  const options = program.opts<RawOptions>();
  if (options.explain !== undefined) {
    if (program.args.length > 0) throw new UsageError(`--explain: takes one code and no target; "${program.args.join(' ')}" is too much`);
    return { action: 'explain', query: options.explain === true ? null : options.explain };
  }
  if (end >= 0 && commandWords.length === 0) throw new UsageError('--: no command behind it; write: portping --wait <host> <port> -- <command>');
  checkPartners(options, commandWords);
  const probe = { family: options[4] ? 4 : options[6] ? 6 : undefined, timeoutMs: options.timeout, sourceAddress: options.source, dnsServer: options.dns } as const;
  const diagnosis = chooseDiagnosis(program.args, options, probe);
  if (diagnosis) {
    checkFamily(parseTargets(program.args), probe.family, probe.sourceAddress);
    return diagnosis;
  }
  return {
    action: 'probe',
    targets: chooseTargets(program.args, options),
    concurrency: options.concurrency ?? null,
    ratePerSecond: options.rate,
    probe,
    expect: options.expect,
    maxLatencyMs: options.maxLatency,
    count: options.continuous ? Infinity : (options.count ?? 1),
    intervalMs: options.interval,
    wait: options.wait === undefined ? null : { durationMs: options.wait, waitForName: options.waitForName ?? false, command: commandWords },
    all: options.all ?? false,
    format: options.output,
    quiet: options.quiet ?? false,
    verbose: options.verbose ?? false,
    timestamps: options.timestamps ?? false,
    histogram: options.histogram ?? false,
    color: options.color,
  };
}
