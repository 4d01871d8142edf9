import { Command, CommanderError, Option } from 'commander';
import { isIP } from 'node:net';
import { parseDnsServer, parseSourceAddress } from '../../core/target/address-parameters.js';
import { parseDuration } from '../../core/duration.js';
import { EXPECTATIONS } from '../../core/states.js';
import { WAIT_DEFAULTS } from '../../core/series/probe-series.js';
import { MAX_TLS_DAYS } from '../../core/service/conversation/certificate.js';
import { SERVICE_NAMES } from '../../core/service/registry.js';
import { EXIT_CODES } from '../../core/states.js';
import { asciiHost, parseHost } from '../../core/target/target.js';
import { UsageError } from '../../core/usage-error.js';
import { FORMAT_NAMES } from '../../report/formats/registry.js';
import { parseThreshold } from '../../report/threshold.js';
import { addHelpOptions, readHelpOptions } from './help-options.js';
import { DEFAULT_OPTIONS, type RawOptions } from './options.js';
import { completeService, parseServiceName } from './service-arguments.js';

declare const PORTPING_VERSION: string;

/** Options that say how often and how many ports are probed, or how a probe is shown: a diagnosis has its own way of all that. */
const NOT_WITH_DIAGNOSIS = [
  'count',
  'continuous',
  'wait',
  'all',
  'expect',
  'maxLatency',
  'targets',
  'concurrency',
  'rate',
  'service',
  'sni',
  'insecure',
  'tlsMinDays',
  'verbose',
  'timestamps',
];

function parseExtraAddress(text: string): string {
  if (isIP(text) === 0)
    throw new UsageError(
      `--ip: "${text}" is not an address; allowed: an IPv4 or IPv6 address of the host`,
    );
  return parseHost(text);
}

/** Adds the options of a diagnosis. */
function addDiagnosisOptions(program: Command): Command {
  return program
    .addOption(
      new Option(
        '--diagnose',
        'find out why: the name, the addresses, this machine, the host; at the most three times the timeout',
      ).conflicts(NOT_WITH_DIAGNOSIS),
    )
    .option(
      '--ip <address>',
      'with --diagnose: an address to probe too, whatever the name says',
      parseExtraAddress,
    )
    .option(
      '--no-companions',
      'with --diagnose: leave other ports of the host alone (443, 80, 22, 445, 3389, 25)',
    )
    .addOption(
      new Option('--report', 'the diagnosis as a block of Markdown, for a ticket').conflicts([
        ...NOT_WITH_DIAGNOSIS,
        'output',
      ]),
    );
}

/** Adds the options about the service behind an open port. */
function addServiceOptions(program: Command): Command {
  return program
    .addOption(
      new Option(
        '--service [name]',
        `after the handshake, see that the service answers; without a name the port decides: ${SERVICE_NAMES.join(', ')}`,
      ).argParser(parseServiceName),
    )
    .option(
      '--sni <name>',
      'with a service that has TLS: the name to ask for and to find in the certificate, instead of the host',
      parseServerName,
    )
    .option(
      '--tls-min-days <n>',
      'with a service that has TLS: days for which the certificate must yet be valid',
      parseDays,
    )
    .option(
      '--insecure',
      'with a service that has TLS: go on when the certificate, or the version of TLS, is not acceptable',
    );
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
  portping --service mail.example.com 25    does SMTP answer there?
  portping --service smtp+tls --tls-min-days 14 mail.example.com 25
  portping 10.0.0.5 22,80,8000-8100         several ports
  portping --targets list.txt -o junit      a firewall's test: host port expected-state
  portping -v --all example.com 443         every address, every timing
  portping -o json example.com 443 | jq .latencyMs
  portping -o nagios --warn 100ms db 5432   a check for Nagios or Icinga
  portping --diagnose db 5432               why can I not reach it?
  portping --explain 10060                  what does this code mean?
`;

function exitCodeHelp(): string {
  const rows = EXIT_CODES.map(
    ({ exitCode, state, meaning }) =>
      `  ${String(exitCode).padEnd(5)}${(state ?? '').padEnd(12)}${meaning}`,
  );
  return `\nExit codes:\n${rows.join('\n')}\n`;
}

function parseServerName(text: string): string {
  let name;
  try {
    name = parseHost(text);
  } catch (error) {
    throw error instanceof UsageError
      ? new UsageError(
          error.message
            .replace(/^host:/, '--sni:')
            .replace(/, an IPv4 address in four parts, or an IPv6 address$/, ''),
        )
      : error;
  }
  if (isIP(name) !== 0)
    throw new UsageError(`--sni: "${text}" is an address; allowed: a host name (RFC 6066)`);
  return asciiHost(name).replace(/\.$/, '');
}

function parseDays(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > MAX_TLS_DAYS)
    throw new UsageError(
      `--tls-min-days: "${text}" is not a number of days; allowed: 1 to ${MAX_TLS_DAYS}`,
    );
  return days;
}

function parseNumber(text: string, name: string, most: number): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > most)
    throw new UsageError(`${name}: "${text}" is not a number of probes; allowed: 1 to ${most}`);
  return number;
}

/**
 * `--wait` takes a duration or nothing: what follows it is its duration only when it looks like one, so that `--wait db 5432` means what it says.
 *
 * @returns the words, and what to add to an error about the words of the targets, as `completeService` has it
 */
function completeWait(argv: readonly string[]): ReturnType<typeof completeService> {
  let hintFor = (_: readonly string[]): string => '';
  const words = argv.map((word, index) => {
    const next = argv[index + 1] ?? '';
    if (word !== '--wait' || /^\d+(\.\d+)?[a-z]*$/i.test(next)) return word;
    if (/^[a-z][\w+-]*$/i.test(next))
      hintFor = ({ length }) =>
        length > 2
          ? `; "${next}" was taken for the host, as it is not a duration: 500ms, 3s, 2m`
          : '';
    return `--wait=${WAIT_DEFAULTS.durationMs}ms`;
  });
  return { argv: words, hintFor };
}

/** A number below 0 behind `--explain` is its code, such as Node's `error.errno`, and not an option. */
function completeExplain(argv: readonly string[]): readonly string[] {
  const index = argv.indexOf('--explain');
  const code = argv[index + 1] ?? '';
  return index >= 0 && /^-\d+$/.test(code) ? argv.toSpliced(index, 2, `--explain=${code}`) : argv;
}

/** `--explain` looks an error up and does nothing else: of the other options only the one about colours may stand beside it. */
function checkExplain(program: Command): void {
  if (program.getOptionValue('explain') === undefined) return;
  const names = program.options.map(
    (option) => [option.attributeName(), option.long ?? option.short] as const,
  );
  const [, other] =
    names.find(
      ([name]) =>
        name !== 'explain' && name !== 'color' && program.getOptionValueSource(name) === 'cli',
    ) ?? [];
  if (other !== undefined)
    throw new UsageError(
      `${other}: --explain only looks an error up; allowed beside it: --no-color`,
    );
}

function command(write: (text: string) => void): Command {
  const program = new Command('portping')
    .description(
      'Is a TCP port open, how long did the handshake take and, if it is not open, whose fault is that?',
    )
    .usage('[options] <host> <port...>\n       portping [options] <host:port | URL>...')
    .argument(
      '[target...]',
      '<host> <port...>, <host:port> or a URL; IPv6 as [address]:port; ports as 25, 80,443, 8000-8010 or smtp; hosts as 10.0.0.0/28, too',
    )
    .addOption(new Option('-4', 'only IPv4').conflicts('6'))
    .addOption(new Option('-6', 'only IPv6').conflicts('4'))
    .addOption(
      new Option(
        '-w, --timeout <duration>',
        'one deadline for resolving, connecting and giving the prompt back',
      )
        .default(DEFAULT_OPTIONS.timeout, '5s')
        .argParser((text) => parseDuration(text, '--timeout')),
    )
    .addOption(
      new Option('-c, --count <n>', 'probe n times')
        .argParser((text) => parseNumber(text, '--count', 9_999_999_999))
        .conflicts(['continuous', 'wait']),
    )
    .addOption(
      new Option(
        '-t, --continuous',
        'probe until interrupted; Enter or SIGQUIT (^\\) shows the summary so far',
      ).conflicts('wait'),
    )
    .option(
      '-i, --interval <duration>',
      'between starts of probes (default: 1s, with --wait 500ms)',
      (text) => parseDuration(text, '--interval', 0),
    )
    .addOption(
      new Option(
        '--wait [duration]',
        'keep trying until open; give up after the duration (60s unless given); words after -- are a command to run then',
      )
        .argParser((text) => parseDuration(text, '--wait'))
        .conflicts(['all']),
    )
    .option('--wait-for-name', 'with --wait: also for a name that does not exist yet')
    .addOption(
      new Option('--expect <state>', 'what the port must be')
        .choices(EXPECTATIONS)
        .default(DEFAULT_OPTIONS.expect),
    )
    .option('--max-latency <duration>', 'slower than this counts as not as expected', (text) =>
      parseDuration(text, '--max-latency', 0),
    )
    .option('--histogram', 'with -c or -t: the distribution of the latency')
    .option(
      '--targets <file>',
      'one target a line, with the state expected of it behind it if you like; - for standard input, # comments',
    )
    .option(
      '--concurrency <n>',
      'how many probes at once (default: 500, or 2000 where all targets are addresses of the command line and no --service is asked)',
      (text) => parseNumber(text, '--concurrency', 65_535),
    )
    .option('--rate <n>', 'how many probes are started in a second, at the most', (text) =>
      parseNumber(text, '--rate', 1_000_000),
    )
    .option('-a, --all', 'probe every address the name has, each with its own verdict');
  return addDiagnosisOptions(addServiceOptions(program))
    .option('--source <address>', 'local address to probe from', (text) =>
      parseSourceAddress(text, '--source'),
    )
    .option('--dns <server>', 'ask this DNS server instead of the system', (text) =>
      parseDnsServer(text, '--dns'),
    )
    .addOption(
      new Option('-o, --output <format>', 'how results are written')
        .choices(FORMAT_NAMES)
        .default(DEFAULT_OPTIONS.output),
    )
    .option(
      '--output-file <path>',
      'write the results there, whole or not at all, instead of to standard output',
    )
    .option(
      '--warn <range>',
      'with -o nagios: WARNING for a latency above it (100ms), below it (10ms:), outside (10ms:100ms) or inside (@10ms:100ms)',
      (text) => parseThreshold(text, '--warn'),
    )
    .option('--crit <range>', 'with -o nagios: CRITICAL for such a latency', (text) =>
      parseThreshold(text, '--crit'),
    )
    .addOption(
      new Option('-q, --quiet', 'only the exit code').conflicts([
        'verbose',
        'timestamps',
        'histogram',
      ]),
    )
    .option('-v, --verbose', 'every attempt and timing')
    .option('--timestamps', 'ISO 8601 time before each line')
    .option('--no-color', 'no colours (also: NO_COLOR, FORCE_COLOR)')
    .option(
      '--explain [code]',
      'look an error up (10061, ECONNREFUSED, EAI_AGAIN ...); without a code, the table',
    )
    .addHelpText('after', () => `${exitCodeHelp()}${EXAMPLES}`)
    .configureOutput({ writeOut: write, writeErr: () => {} })
    .exitOverride();
}

/** Options that say what is looked at: of two, the first would be passed over and not be missed. Of others the last one holds, as everywhere. */
const ONCE = ['targets', 'ip', 'service'];

function refuseTwice(program: Command): Command {
  for (const name of ONCE) {
    let given = false;
    program.on(`option:${name}`, () => {
      if (given) throw new UsageError(`--${name}: given twice; allowed: once`);
      given = true;
    });
  }
  return program;
}

/** Commander's refusals as one line: `error: unknown option '--x'\n(Did you mean --y?)`. */
function usageErrorOf(error: CommanderError): UsageError {
  const negative = /unknown option '(-\d[^']*)'/.exec(error.message)?.[1];
  if (negative !== undefined)
    return new UsageError(`port: ${negative} is out of range; allowed: 1 to 65535`);
  return new UsageError(error.message.replace(/^error: /, '').replace(/\s+/g, ' '));
}

/** What a command line holds: its options, the other words and what to add to an error about those, or a text to show instead (help, version). */
export type CommandLine =
  | { readonly options: RawOptions; readonly words: readonly string[]; readonly hint: string }
  | { readonly shown: string };

/**
 * Reads the options off a command line. Needed only where there is one: commander takes some 7 ms to load and set up.
 *
 * @param argv the whole of it; what stands behind `--` is a command, and not read
 * @throws UsageError for an option that is unknown, lacks its value, or has one that is not allowed
 */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const end = argv.indexOf('--');
  const own = end < 0 ? argv : argv.slice(0, end);
  let shown = '';
  const service = completeService(completeExplain(own));
  const wait = completeWait(service.argv);
  const program = refuseTwice(
    command((text) => {
      shown += text;
    }),
  );
  const helpWords = addHelpOptions(program);
  try {
    program.parse(wait.argv, { from: 'user' });
  } catch (error) {
    throw error instanceof CommanderError ? usageErrorOf(error) : error;
  }
  const asked = readHelpOptions(program, helpWords, argv);
  if (asked === 'version') return { shown: [PORTPING_VERSION, ''].join('\n') };
  if (asked === 'help') {
    program.outputHelp();
    return { shown };
  }
  checkExplain(program);
  return {
    options: program.opts<RawOptions>(),
    words: program.args,
    hint: `${service.hintFor(program.args)}${wait.hintFor(program.args)}`,
  };
}
