import { Command, CommanderError, Option } from 'commander';
import { isIP } from 'node:net';
import { parseDuration } from '../core/duration.js';
import type { ProbeOptions } from '../core/probe-target.js';
import { EXIT_CODES } from '../core/states.js';
import { familyOf, parsePort, parseTarget, type Target } from '../core/target.js';
import { UsageError } from '../core/usage-error.js';
import { type Format, FORMATS } from '../report/reporter.js';

declare const PORTPING_VERSION: string;

/** What a command line asks for, checked and complete. */
export type Config =
  /** Print this text on stdout and end. */
  | { readonly action: 'show'; readonly text: string }
  /** Look an error up, or print the whole table when there is no query. */
  | { readonly action: 'explain'; readonly query: string | null }
  | ProbeConfig;

/** A probe of one target. */
export interface ProbeConfig {
  readonly action: 'probe';
  readonly target: Target;
  readonly probe: Pick<ProbeOptions, 'family' | 'timeoutMs' | 'sourceAddress' | 'dnsServer'>;
  /** Every address of the name, each with its own verdict. */
  readonly all: boolean;
  readonly format: Format;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly timestamps: boolean;
  /** False when the user asked for no colour; otherwise it is for the terminal to decide. */
  readonly color: boolean;
}

interface RawOptions {
  readonly 4?: true;
  readonly 6?: true;
  readonly timeout: number;
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
  portping -v --all example.com 443         every address, every timing
  portping -o json example.com 443 | jq .latencyMs
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

function command(write: (text: string) => void): Command {
  return new Command('portping')
    .description('Is a TCP port open, how long did the handshake take and, if it is not open, whose fault is that?')
    .usage('[options] <host> <port>\n       portping [options] <host:port | URL>')
    .argument('[target...]', '<host> <port>, <host:port> or a URL; IPv6 as [address]:port')
    .addOption(new Option('-4', 'only IPv4').conflicts('6'))
    .addOption(new Option('-6', 'only IPv6').conflicts('4'))
    .addOption(
      new Option('-w, --timeout <duration>', 'one deadline for resolving, connecting and giving the prompt back')
        .default(5000, '5s')
        .argParser((text) => parseDuration(text, '--timeout')),
    )
    .option('-a, --all', 'probe every address the name has, each with its own verdict')
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

function checkFamily(target: Target, family: 4 | 6 | undefined, source: string | undefined): void {
  const literal = familyOf(target.host);
  const sourceFamily = source === undefined ? null : familyOf(source);
  if (family !== undefined && literal !== null && literal !== family) throw new UsageError(`-${family}: ${target.host} is an IPv${literal} address`);
  if (family !== undefined && sourceFamily !== null && sourceFamily !== family) throw new UsageError(`--source: ${source} is an IPv${sourceFamily} address, but -${family} was given`);
  if (literal !== null && sourceFamily !== null && literal !== sourceFamily) {
    throw new UsageError(`--source: ${source} is an IPv${sourceFamily} address, but ${target.host} is IPv${literal}; allowed: an IPv${literal} address`);
  }
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
  try {
    program.parse(argv, { from: 'user' });
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
  const target = parseTarget(program.args);
  const family = options[4] ? 4 : options[6] ? 6 : undefined;
  checkFamily(target, family, options.source);
  return {
    action: 'probe',
    target,
    probe: { family, timeoutMs: options.timeout, sourceAddress: options.source, dnsServer: options.dns },
    all: options.all ?? false,
    format: options.output,
    quiet: options.quiet ?? false,
    verbose: options.verbose ?? false,
    timestamps: options.timestamps ?? false,
    color: options.color,
  };
}
