import { parseCount } from '../core/count.js';
import { parseDuration } from '../core/duration.js';
import { DEFAULT_TIMEOUT_MS } from '../core/limits.js';
import { parseServerName } from '../core/service/service-parameters.js';
import {
  parseDnsServer,
  parseSourceAddress,
  splitAddress,
} from '../core/target/address-parameters.js';
import { parsePortNumber } from '../core/target/port.js';
import { UsageError } from '../core/usage-error.js';
import { MAX_TIMEOUT_MS } from './config/modules.js';
import { METRIC_NAMES, type MetricNames } from './pages/page.js';
import { DEFAULT_RULES } from './access/special-addresses.js';

/** The most probes at once that `--concurrency` allows. */
const MAX_CONCURRENCY = 10_000;

/** An address and a port to listen on. */
export interface ListenAddress {
  /** Null for all addresses of this machine. */
  readonly address: string | null;
  /** 0 for any free port. */
  readonly port: number;
}

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

function parseMetricNames(text: string, name: string): MetricNames {
  const names = METRIC_NAMES.find((each) => each === text);
  if (names === undefined)
    throw new UsageError(`${name}: "${text}" is unknown; allowed: ${METRIC_NAMES.join(', ')}`);
  return names;
}

/** An option with a value: one row of the table. */
export interface ValueOption {
  readonly flags: `--${string} <${string}>`;
  readonly help: string;
  /** As the user would write it; the parser reads it too. */
  readonly default?: string;
  /**
   * @param name the option, for the error message
   * @param given the values of an option that may be repeated, so far
   */
  readonly parse: (text: string, name: string, given?: readonly string[]) => unknown;
}

/** The options that take a value, by the names that commander gives them. */
export const VALUE_OPTIONS = {
  listen: {
    flags: '--listen <address:port>',
    help: 'where to listen; :9991 is all addresses',
    // In the range that Prometheus' wiki ("Default port allocations") hands out, 9100 to 9999. It
    // stays: any port outside is as likely to be taken by a service, and it is in configurations.
    // A clash with an exporter that is given this port later is refused at the start.
    default: '127.0.0.1:9991',
    parse: parseListenAddress,
  },
  'web.listenAddress': {
    flags: '--web.listen-address <address:port>',
    help: "--listen by the name of Prometheus' exporters",
    parse: parseListenAddress,
  },
  'web.config.file': {
    flags: '--web.config.file <file>',
    help: "TLS and users, in the YAML of Prometheus' exporter-toolkit; read again when it changes",
    parse: (text) => text,
  },
  'web.allowedHost': {
    flags: '--web.allowed-host <name>',
    help:
      'a name under which the exporter is reached, such as that of a proxy; may be repeated. ' +
      'Then no other name is answered but localhost (default: every name, or on a loopback ' +
      'address only localhost)',
    parse: (text, name, names = []) => [...names, parseServerName(text, name)],
  },
  allow: {
    flags: '--allow <rule>',
    help:
      'what may be probed: an address, a CIDR block or a host pattern, with ports if needed: ' +
      '10.0.0.0/8, 10.0.0.5:5432, *.example.com:443; may be repeated ' +
      `(default: ${DEFAULT_RULES.join(' ')})`,
    parse: (rule, _name, rules = []) => [...rules, rule],
  },
  'config.file': {
    flags: '--config.file <file>',
    help: 'own modules, in the YAML of blackbox_exporter; SIGHUP and /-/reload read it again',
    parse: (text) => text,
  },
  metrics: {
    flags: '--metrics <names>',
    help: "the metrics of a probe: portping_*, blackbox_exporter's (probe_success ...), or both",
    default: 'both',
    parse: parseMetricNames,
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
export type RawOptions = {
  readonly [Name in keyof OptionTable]:
    | ReturnType<OptionTable[Name]['parse']>
    | (OptionTable[Name] extends { readonly default: string } ? never : undefined);
} & { readonly 4?: true; readonly 6?: true };
