import { isIP } from 'node:net';
import { OTHER_PORTS } from '../../core/diagnosis/observations/options.js';
import { parseCount } from '../../core/count.js';
import { parseDuration } from '../../core/duration.js';
import { DEFAULT_INTERVAL_MS, MAX_TLS_DAYS, WAIT_DEFAULTS } from '../../core/limits.js';
import { CONCURRENCY_OF_ADDRESSES, DEFAULT_CONCURRENCY } from '../../core/many/many-options.js';
import { SERVICE_NAMES } from '../../core/service/registry.js';
import { parseServerName, parseServiceName } from '../../core/service/service-parameters.js';
import { EXIT_UNEXPECTEDLY_OPEN, EXPECTATIONS } from '../../core/states.js';
import { parseDnsServer, parseSourceAddress } from '../../core/target/address-parameters.js';
import { parseHost } from '../../core/target/target.js';
import { UsageError } from '../../core/usage-error.js';
import { parseThreshold } from '../../report/threshold.js';
import {
  choice,
  COMMON_OPTIONS,
  DEFAULT_OPTIONS,
  duration,
  flag,
  INPUT_ADVICE,
  longFormOf,
  type OptionDefinition,
  type Parse,
  type ParsedLine,
  switchOff,
  value,
} from './common-options.js';

const optional = <Value>(
  definition: OptionDefinition<Value> &
    Required<Pick<OptionDefinition<Value>, 'parse' | 'form' | 'kind'>>,
): OptionDefinition<Value | true> => definition;

const once = <Value>(definition: OptionDefinition<Value>): OptionDefinition<Value> => ({
  ...definition,
  once: true,
});

const durationOrZero: Parse<number> = (text, name) => parseDuration(text, name, 0);

const countUpTo =
  (maximum: number): Parse<number> =>
  (text, name) =>
    parseCount(text, name, maximum);

function parseHostAddress(text: string, name: string): string {
  if (isIP(text) !== 0) return parseHost(text);
  throw new UsageError(
    `${name}: "${text}" is not an address; allowed: an IPv4 or IPv6 address of the host`,
  );
}

const asWritten: Parse<string> = (text) => text;

function parseInputFile(text: string, name: string): string {
  if (text !== '') return text;
  throw new UsageError(`${name}: "" is not a file name; ${INPUT_ADVICE}`);
}

/** The shells that `--completion` writes a script for. */
const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;

/** A shell that `--completion` writes a script for. */
export type Shell = (typeof SHELLS)[number];

/** A value that is accepted for each placeholder, for error messages and tests. */
export const SAMPLE_VALUES: Readonly<Record<string, string>> = {
  address: '192.0.2.1',
  code: '10061',
  days: '14',
  duration: '5s',
  file: 'list.txt',
  format: 'json',
  host: 'example.com',
  n: '5',
  path: 'results.txt',
  range: '100ms',
  server: '192.0.2.53',
  service: 'https',
  shell: 'bash',
  state: 'closed',
};

/** The options, in the order of `--help`. */
export const OPTIONS = {
  ipv4: COMMON_OPTIONS.ipv4,
  ipv6: COMMON_OPTIONS.ipv6,
  timeout: COMMON_OPTIONS.timeout,
  count: value('-c, --count <n>', 'probe n times', countUpTo(9_999_999_999)),
  continuous: flag(
    '-t, --continuous',
    'probe until interrupted; Enter, ^\\ or, on Windows, Ctrl+Break shows the summary so far',
  ),
  interval: value(
    '-i, --interval <duration>',
    'time from the start of one probe to the start of the next ' +
      `(default: ${DEFAULT_INTERVAL_MS / 1000}s; with --wait ${WAIT_DEFAULTS.intervalMs}ms)`,
    durationOrZero,
  ),
  wait: optional({
    flags: '--wait [duration]',
    help:
      'retry until the port is as expected (--expect), for at most the duration ' +
      `(default: ${WAIT_DEFAULTS.durationMs / 1000}s); then run the command after --, if any`,
    parse: duration,
    form: /^([0-9]+(\.[0-9]+)?[a-z]*|([0-9]+(\.[0-9]+)?(ms|[smhd]))+)$/i,
    kind: 'a duration (500ms, 3s, 2m)',
  }),
  waitForName: flag('--wait-for-name', 'with --wait: retry also while the name does not exist'),
  expect: choice(
    '--expect <state>',
    'the state that the port must have',
    EXPECTATIONS,
    DEFAULT_OPTIONS.expect,
  ),
  maxLatency: value(
    '--max-latency <duration>',
    `fail with exit code ${EXIT_UNEXPECTEDLY_OPEN} if the handshake takes longer`,
    durationOrZero,
  ),
  summaryEvery: value(
    '--summary-every <duration>',
    'with -c or -t: show the summary so far again and again',
    duration,
  ),
  histogram: flag('--histogram', 'with -c or -t: show the distribution of the latency'),
  targets: once(
    value(
      '--targets <file>',
      'read targets from a file (- for standard input): one target per line, optionally ' +
        'followed by the expected state; # starts a comment',
      parseInputFile,
    ),
  ),
  concurrency: value(
    '--concurrency <n>',
    `run at most n probes at once (default: ${DEFAULT_CONCURRENCY}; ` +
      `${CONCURRENCY_OF_ADDRESSES} if all targets are addresses, without --targets or --service)`,
    countUpTo(65_535),
  ),
  rate: value('--rate <n>', 'start at most n probes per second', countUpTo(1_000_000)),
  all: flag('-a, --all', 'probe every address of the name, each with its own verdict'),
  service: once(
    optional({
      flags: '--service [service]',
      help:
        'after the handshake, check that the service answers; without a value, the port ' +
        `selects the service: ${SERVICE_NAMES.join(', ')}`,
      parse: parseServiceName,
      choices: SERVICE_NAMES,
      form: new RegExp(`^(${SERVICE_NAMES.join('|').replaceAll('+', '[+]')})$`, 'i'),
      kind: `the name of a service (${SERVICE_NAMES.join(', ')})`,
    }),
  ),
  sni: value(
    '--sni <host>',
    'with a TLS service: request and verify this name instead of the host',
    parseServerName,
  ),
  tlsMinDays: value(
    '--tls-min-days <days>',
    'with a TLS service: fail if the certificate expires in fewer days',
    countUpTo(MAX_TLS_DAYS),
  ),
  insecure: flag(
    '--insecure',
    'with a TLS service: ignore certificate problems and old TLS versions, but report them',
  ),
  diagnose: flag(
    '--diagnose',
    'find out why a target fails: check the name, its addresses, this machine and other ports ' +
      'of the host; takes up to 3 times the timeout',
  ),
  ip: once(value('--ip <address>', 'with --diagnose: also probe this address', parseHostAddress)),
  companions: switchOff(
    '--no-companions',
    `with --diagnose: do not probe other ports of the host (${OTHER_PORTS.join(', ')})`,
  ),
  report: flag('--report', 'write a diagnosis as Markdown, for a ticket'),
  source: value('--source <address>', 'connect from this local address', parseSourceAddress),
  dns: value('--dns <server>', "ask this DNS server, not the system's resolver", parseDnsServer),
  output: COMMON_OPTIONS.output,
  outputFile: value(
    '--output-file <path>',
    'write the results to this file; the file is replaced only when the run is complete',
    asWritten,
  ),
  warn: value(
    '--warn <range>',
    'with -o nagios: WARNING if the latency is above 100ms, below 10ms:, outside 10ms:100ms or ' +
      'inside @10ms:100ms',
    parseThreshold,
  ),
  crit: value('--crit <range>', 'with -o nagios: CRITICAL, with the same ranges', parseThreshold),
  quiet: COMMON_OPTIONS.quiet,
  verbose: COMMON_OPTIONS.verbose,
  timestamps: COMMON_OPTIONS.timestamps,
  color: COMMON_OPTIONS.color,
  explain: optional({
    flags: '--explain [code]',
    help:
      'explain a code, a word or a line of a verdict (10061, ECONNREFUSED, no-response, ' +
      "'<10060>' ...); without a code, list all codes",
    parse: asWritten,
    form: /^([^-]|$|-[0-9]+$)/,
    kind: 'a code (10061, ECONNREFUSED, EAI_AGAIN)',
  }),
  completion: choice(
    '--completion <shell>',
    'print a script that completes command lines in this shell',
    SHELLS,
  ),
} as const;

/** The name of an option in the option table. */
export type OptionName = keyof typeof OPTIONS;

/** A command line, taken apart but not yet checked. */
export type CommandLine = ParsedLine<OptionName>;

/** The names of all options, in the order of `--help`. */
export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/** The form of an option that messages use: the long one where there is one. */
export const longForm = (name: OptionName): string => longFormOf(OPTIONS[name]);

type ValueOf<Definition> = Definition extends OptionDefinition<infer Value> ? Value : never;
type Defaults = typeof DEFAULT_OPTIONS;

/** The values of a command line's options; those with a default are always there. */
export type OptionValues = {
  readonly [Name in Exclude<OptionName, keyof Defaults>]?: ValueOf<(typeof OPTIONS)[Name]>;
} & {
  readonly [Name in keyof Defaults]: ValueOf<(typeof OPTIONS)[Name]> | Defaults[Name];
};
