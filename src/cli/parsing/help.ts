import { type Command, Option } from 'commander';
import { EXIT_CODES } from '../../core/states.js';
import { parseTargets } from '../../core/target/target-list.js';
import { UsageError } from '../../core/usage-error.js';
import { refusal } from '../options/rule.js';

/** What portping does, in one sentence. */
export const DESCRIPTION =
  'Is a TCP port open, how long did the handshake take and, if it is not open, ' +
  'whose fault is that?';

/** The forms of a command line. */
export const USAGE = `[options] <host> <port...>
       portping [options] <host:port | URL>...`;

/** How targets are written. */
export const TARGET_HELP =
  '<host> <port...>, <host:port> or a URL; a host is a name, an address ([...] around IPv6 ' +
  'before :port) or a block (10.0.0.0/28); a port is 25, 80,443, 8000-8010 or smtp';

/** Command lines, and what each is for. */
export const EXAMPLES: readonly (readonly [command: string, purpose: string])[] = [
  ['portping mail.example.com 25', 'is SMTP reachable?'],
  ['portping db:5432', 'the same as: portping db 5432'],
  ['portping https://example.com', 'the port comes from the scheme'],
  ['portping -w 2s -q db 5432 && ./migrate', 'only the exit code, within 2 seconds'],
  ['portping -c 5 -i 200ms db 5432', 'five probes, with statistics'],
  ['portping -t --timestamps db 5432', 'until ^C, with outages'],
  ['portping --wait 60s db 5432 -- npm start', 'start when the database is ready'],
  ['portping --expect closed host 23', 'fail if telnet is open'],
  ['portping --service mail.example.com 25', 'does SMTP answer there?'],
  [
    'portping --service smtp+tls --tls-min-days 14 mail.example.com 25',
    'fail if its certificate expires in less than 14 days',
  ],
  ['portping 10.0.0.5 22,80,8000-8100', 'several ports'],
  ['portping --targets list.txt -o junit', 'test a firewall; lines: host port state'],
  ['portping -v --all example.com 443', 'every address, every timing'],
  ['portping -o json example.com 443 | jq .latencyMs', 'the latency alone, for a script'],
  ['portping -o nagios --warn 100ms db 5432', 'a check for Nagios or Icinga'],
  ['portping --diagnose db 5432', 'why can I not reach it?'],
  ['portping --explain 10060', 'what does this code mean?'],
];

/** The part of `--help` after the options: exit codes and examples. */
export function helpEnd(): string {
  const rows = EXIT_CODES.map(
    ({ exitCode, state, meaning }) =>
      `  ${String(exitCode).padEnd(5)}${(state ?? '').padEnd(12)}${meaning}`,
  );
  const examples = EXAMPLES.map(([command, purpose]) =>
    command.length > 40
      ? `  ${command}\n${' '.repeat(44)}${purpose}`
      : `  ${command.padEnd(42)}${purpose}`,
  );
  return `\nExit codes:\n${rows.join('\n')}\n\nExamples:\n${examples.join('\n')}\n`;
}

/** The options of psql, redis-cli, mysql and check_tcp for host and port. Always refused. */
const FOREIGN_OPTIONS = {
  host: ['-H, --host [host]', '--hostname [host]'],
  port: ['-p, --port [port]', '-P, --ports [port]'],
};

const attributesOf = (kind: keyof typeof FOREIGN_OPTIONS): string[] =>
  FOREIGN_OPTIONS[kind].map((flags) => new Option(flags).attributeName());

/** The values of `-h` and `--help`. */
export interface HelpWords {
  /** In the order of the command line; undefined where there is none. */
  readonly help: (string | undefined)[];
}

/**
 * Adds `--help` and `--version`. commander's own exit with 0 whatever else is given: for
 * `-h db -p 5432`, the words of psql, that would look like an open port.
 */
export function addHelpOptions(program: Command): HelpWords {
  const words: HelpWords = { help: [] };
  program
    .option('--version', 'show the version')
    .option('-h, --help [host]', 'show this help')
    .helpOption(false)
    .configureHelp({ optionTerm: ({ long, flags }) => (long === '--help' ? '-h, --help' : flags) })
    .on('option:help', (value: string | null) => words.help.push(value ?? undefined));
  for (const flags of Object.values(FOREIGN_OPTIONS).flat()) {
    program.addOption(new Option(flags).hideHelp());
  }
  return words;
}

/** The form of an option that was typed: the long or the short one. */
function typedForm(name: string, program: Command, typed: readonly string[]): string {
  const { long, short } = program.options.find((option) => option.attributeName() === name) ?? {};
  const isLong = typed.some((word) => word === long || word.startsWith(`${long}=`));
  return (isLong ? long : (short ?? long)) ?? name;
}

function areTargets(words: readonly string[]): boolean {
  try {
    parseTargets(words);
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

/** A command line that is accepted, with the host and port that were meant if they are known. */
function adviceFor(
  hosts: readonly string[],
  words: readonly string[],
  ports: readonly string[],
): string {
  const meant = [
    [...hosts, ...words, ...ports],
    [...words, ...hosts, ...ports],
  ];
  const candidates = [...meant, ...meant.map((each) => [...each, '443']), ['db', ...ports]];
  return `portping ${(candidates.find(areTargets) ?? ['db', '5432']).join(' ')}`;
}

/**
 * Whether the help or the version is asked for: alone, or with the format, which may change the
 * exit code.
 *
 * @param typed the words of the command line before `--`
 * @throws UsageError when something else is given with it, or for an option of another program
 */
export function readHelpRequest(
  program: Command,
  { help }: HelpWords,
  typed: readonly string[],
  hasCommand: boolean,
): 'help' | 'version' | null {
  const names = program.options.map((option) => option.attributeName());
  const given = names.filter((name) => program.getOptionValueSource(name) === 'cli');
  const valuesOf = (names: readonly string[]): string[] =>
    names
      .map((name): unknown => program.getOptionValue(name))
      .filter((value) => typeof value === 'string');
  const hosts = [...help.filter((value) => value !== undefined), ...valuesOf(attributesOf('host'))];
  const ports = valuesOf(attributesOf('port'));
  const targetWords = [...hosts, ...program.args, ...ports];
  const advice = (): string => adviceFor(hosts, program.args, ports);

  const asked = given.includes('help') ? 'help' : given.includes('version') ? 'version' : null;
  if (asked !== null) {
    const isBare = targetWords.length === 0 && help.length < 2 && !hasCommand;
    const isAlone = isBare && given.every((name) => name === asked || name === 'output');
    if (isAlone) return asked;
    const form = typedForm(asked, program, typed);
    const instead = `${targetWords.length > 0 ? `${advice()}, or ` : ''}portping ${form}`;
    throw refusal(form, `shows the ${asked} and must stand alone`, `write: ${instead}`);
  }
  for (const kind of ['host', 'port'] as const) {
    const foreign = attributesOf(kind).find((name) => given.includes(name));
    if (foreign === undefined) continue;
    const form = typedForm(foreign, program, typed);
    throw refusal(form, `there is no option for the ${kind}`, `write: ${advice()}`);
  }
  return null;
}
