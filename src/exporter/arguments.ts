import { Command, CommanderError, Option } from 'commander';
import { isIP } from 'node:net';
import { parseDnsServer, parseSourceAddress } from '../core/target/address-parameters.js';
import { parseDuration } from '../core/duration.js';
import { UsageError } from '../core/usage-error.js';
import { AllowList, DEFAULT_RULES } from './access/allow-list.js';
import { MAX_TIMEOUT_MS } from './access/probe-request.js';

declare const PORTPING_VERSION: string;

/** Where to listen. The port is not one of those that exporters have by common consent, as far as is known (Prometheus' wiki, "Default port allocations"). */
const DEFAULT_LISTEN = '127.0.0.1:9991';
const DEFAULT_CONCURRENCY = 200;

/** An address and a port to listen on; the address is null for all. */
export interface ListenAddress {
  readonly address: string | null;
  /** 0 for any that is free. */
  readonly port: number;
}

/** What the exporter's command line asks for. */
export type ExporterConfig =
  | { readonly action: 'show'; readonly text: string }
  | {
      readonly action: 'serve';
      readonly listen: ListenAddress;
      readonly allow: AllowList;
      readonly timeoutMs: number;
      readonly offsetMs: number;
      readonly concurrency: number;
      readonly family: 4 | 6 | undefined;
      readonly dnsServer: string | undefined;
      readonly sourceAddress: string | undefined;
    };

interface RawOptions {
  readonly listen: ListenAddress;
  readonly allow: readonly string[];
  readonly timeout: number;
  readonly timeoutOffset: number;
  readonly concurrency: number;
  readonly dns?: string;
  readonly source?: string;
  readonly 4?: true;
  readonly 6?: true;
}

/**
 * An address and a port to listen on.
 *
 * @throws UsageError when it is not such a pair
 */
function parseListen(text: string): ListenAddress {
  const [, bracketed, plain = '', digits = ''] =
    /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  const family = bracketed === undefined ? (address === '' ? 0 : 4) : 6;
  const port = digits === '' ? NaN : Number(digits);
  if (!(port <= 65_535) || isIP(address) !== family) {
    throw new UsageError(
      `--listen: "${text}" is not an address and a port; allowed: 127.0.0.1:9991, [::1]:9991, or :9991 for all addresses`,
    );
  }
  return { address: address === '' ? null : address, port };
}

function parseConcurrency(text: string): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > 10_000)
    throw new UsageError(`--concurrency: "${text}" is not a number of probes; allowed: 1 to 10000`);
  return number;
}

function command(write: (text: string) => void): Command {
  return new Command('portping-exporter')
    .description(
      'TCP probes for Prometheus, with the cause as a label: GET /probe?target=host:port. Also /metrics of its own, /-/healthy, and / for people.',
    )
    .addOption(
      new Option('--listen <address:port>', 'where to listen; :9991 is all addresses')
        .default(parseListen(DEFAULT_LISTEN), DEFAULT_LISTEN)
        .argParser(parseListen),
    )
    .addOption(
      new Option(
        '--allow <rule>',
        `what may be probed: an address, a block of them or a host pattern, with ports if you like: 10.0.0.0/8, 10.0.0.5:5432, *.example.com:443; may be repeated (default: ${DEFAULT_RULES.join(' ')})`,
      ).argParser((rule, rules: readonly string[] | undefined) => [...(rules ?? []), rule]),
    )
    .addOption(
      new Option('--timeout <duration>', 'how long a probe may take if a request does not say')
        .default(5000, '5s')
        .argParser((text) => parseDuration(text, '--timeout', 1, MAX_TIMEOUT_MS)),
    )
    .addOption(
      new Option(
        '--timeout-offset <duration>',
        'how much earlier than Prometheus gives up a probe ends',
      )
        .default(500, '500ms')
        .argParser((text) => parseDuration(text, '--timeout-offset', 0)),
    )
    .addOption(
      new Option('--concurrency <n>', 'probes at once; more are refused with 503')
        .default(DEFAULT_CONCURRENCY)
        .argParser(parseConcurrency),
    )
    .option('--dns <server>', 'ask this DNS server instead of the system', parseDnsServer)
    .option('--source <address>', 'local address to probe from', parseSourceAddress)
    .addOption(new Option('-4', 'only IPv4').conflicts('6'))
    .addOption(new Option('-6', 'only IPv6').conflicts('4'))
    .version(PORTPING_VERSION, '--version', 'the version')
    .helpOption('-h, --help', 'this help')
    .configureOutput({ writeOut: write, writeErr: () => {} })
    .exitOverride();
}

/**
 * The exporter's command line as a checked configuration.
 *
 * @throws UsageError naming the argument, what is wrong with it and what is allowed
 */
export function parseExporterArguments(argv: readonly string[]): ExporterConfig {
  let shown = '';
  const program = command((text) => {
    shown += text;
  });
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { action: 'show', text: shown };
    throw new UsageError(error.message.replace(/^error: /, '').replace(/\s+/g, ' '));
  }
  const {
    listen,
    allow = [],
    timeout,
    timeoutOffset,
    concurrency,
    dns,
    source,
    ...families
  } = program.opts<RawOptions>();
  const family = families[4] ? 4 : families[6] ? 6 : undefined;
  if (source !== undefined && family !== undefined && isIP(source) !== family)
    throw new UsageError(
      `--source: ${source} is an IPv${isIP(source)} address, but -${family} was given`,
    );
  return {
    action: 'serve',
    listen,
    allow: new AllowList(allow),
    timeoutMs: timeout,
    offsetMs: timeoutOffset,
    concurrency,
    family,
    dnsServer: dns,
    sourceAddress: source,
  };
}
