import { Command, CommanderError, Option } from 'commander';
import { parseCount } from '../core/count.js';
import { parseDuration } from '../core/duration.js';
import { DEFAULT_TIMEOUT_MS } from '../core/limits.js';
import {
  checkSourceFamily,
  parseDnsServer,
  parsePortNumber,
  parseSourceAddress,
  splitAddress,
} from '../core/target/address-parameters.js';
import { UsageError } from '../core/usage-error.js';
import type { ManualPage } from '../report/formats/manual-page.js';
import { AllowList } from './access/allow-list.js';
import { MAX_TIMEOUT_MS } from './access/probe-request.js';
import { DEFAULT_RULES } from './access/special-addresses.js';

declare const PORTPING_VERSION: string;

/** The most probes at once that `--concurrency` allows. */
const MAX_CONCURRENCY = 10_000;

/** An address and a port to listen on. */
export interface ListenAddress {
  /** Null for all addresses of this machine. */
  readonly address: string | null;
  /** 0 for any free port. */
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

function parseListenAddress(text: string, name: string): ListenAddress {
  const { address, port } = splitAddress(text) ?? { address: null, port: null };
  const number = port === null ? null : parsePortNumber(port, 0);
  if (number === null)
    throw new UsageError(
      `${name}: "${text}" is not an address and a port; ` +
        'allowed: 127.0.0.1:9991, [::1]:9991, or :9991 for all addresses',
    );
  return { address, port: number };
}

/** An option with a value: one row of the table. */
interface ValueOption {
  readonly flags: `--${string} <${string}>`;
  readonly help: string;
  /** As the user would write it; the parser reads it too. */
  readonly default?: string;
  /**
   * @param name the option, for the error message
   * @param given the rules of `--allow` so far
   */
  readonly parse: (text: string, name: string, given?: readonly string[]) => unknown;
}

/** The options that take a value, by the names that commander gives them. */
const VALUE_OPTIONS = {
  listen: {
    flags: '--listen <address:port>',
    help: 'where to listen; :9991 is all addresses',
    // Prometheus' wiki, "Default port allocations", lists no other exporter on this port.
    default: '127.0.0.1:9991',
    parse: parseListenAddress,
  },
  allow: {
    flags: '--allow <rule>',
    help:
      'what may be probed: an address, a CIDR block or a host pattern, with ports if needed: ' +
      '10.0.0.0/8, 10.0.0.5:5432, *.example.com:443; may be repeated ' +
      `(default: ${DEFAULT_RULES.join(' ')})`,
    parse: (rule, _name, rules = []) => [...rules, rule],
  },
  timeout: {
    flags: '--timeout <duration>',
    help: 'timeout of a probe, unless the request gives one',
    default: `${DEFAULT_TIMEOUT_MS / 1000}s`,
    parse: (text, name) => parseDuration(text, name, 1, MAX_TIMEOUT_MS),
  },
  timeoutOffset: {
    flags: '--timeout-offset <duration>',
    help: "end a probe this long before Prometheus' scrape timeout",
    default: '500ms',
    parse: (text, name) => parseDuration(text, name, 0),
  },
  concurrency: {
    flags: '--concurrency <n>',
    help: 'probes at once; further requests are refused with 503',
    default: '200',
    parse: (text, name) => parseCount(text, name, MAX_CONCURRENCY),
  },
  dns: {
    flags: '--dns <server>',
    help: 'ask this DNS server instead of the system',
    parse: parseDnsServer,
  },
  source: {
    flags: '--source <address>',
    help: 'local address to probe from',
    parse: parseSourceAddress,
  },
} as const satisfies Readonly<Record<string, ValueOption>>;

type OptionTable = typeof VALUE_OPTIONS;

/** The options as commander returns them. */
type RawOptions = {
  readonly [Name in keyof OptionTable]:
    | ReturnType<OptionTable[Name]['parse']>
    | (OptionTable[Name] extends { readonly default: string } ? never : undefined);
} & { readonly 4?: true; readonly 6?: true };

function toCommanderOption({ flags, help, default: text, parse }: ValueOption): Option {
  const name = flags.slice(0, flags.indexOf(' '));
  const option = new Option(flags, help).argParser<readonly string[]>(
    (value, given) => parse(value, name, given) as readonly string[],
  );
  return text === undefined ? option : option.default(parse(text, name), text);
}

function createCommand(write: (text: string) => void): Command {
  const command = new Command('portping-exporter').description(
    'TCP probes for Prometheus, with the cause as a label: GET /probe?target=host:port. ' +
      'Also: /metrics of the exporter itself, /-/healthy, and a page for people at /.',
  );
  for (const option of Object.values(VALUE_OPTIONS)) command.addOption(toCommanderOption(option));
  return command
    .addOption(new Option('-4', 'only IPv4').conflicts('6'))
    .addOption(new Option('-6', 'only IPv6').conflicts('4'))
    .version(PORTPING_VERSION, '--version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .configureOutput({ writeOut: write, writeErr: () => {} })
    .exitOverride();
}

/** The manual page of the exporter, from the table that `--help` is made from. */
export function exporterManual(): ManualPage {
  const command = createCommand(() => {});
  const help = command.createHelp();
  const [purpose = '', ...rest] = command.description().split(/(?<=\.) /);
  return {
    name: command.name(),
    purpose,
    usages: [command.usage()],
    sections: [
      { title: 'DESCRIPTION', text: rest.join(' ') },
      {
        title: 'OPTIONS',
        entries: help.visibleOptions(command).map((option) => ({
          term: help.optionTerm(option),
          text: help.optionDescription(option),
        })),
      },
    ],
    related: ['portping'],
  };
}

/**
 * The exporter's command line as a checked configuration.
 *
 * @param argv the words after `node portping-exporter`
 * @throws UsageError naming the argument, what is wrong with it and what is allowed
 */
export function parseExporterArguments(argv: readonly string[]): ExporterConfig {
  let shown = '';
  const command = createCommand((text) => {
    shown += text;
  });
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { action: 'show', text: shown };
    throw new UsageError(error.message.replace(/^error: /, '').replace(/\s+/g, ' '));
  }
  const options = command.opts<RawOptions>();
  const family = options[4] ? 4 : options[6] ? 6 : undefined;
  checkSourceFamily(options.source, family, '--source');
  return {
    action: 'serve',
    listen: options.listen,
    allow: new AllowList(options.allow ?? []),
    timeoutMs: options.timeout,
    offsetMs: options.timeoutOffset,
    concurrency: options.concurrency,
    family,
    dnsServer: options.dns,
    sourceAddress: options.source,
  };
}
