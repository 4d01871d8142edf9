import type { Command } from 'commander';
import { EXIT_CODES } from '../../core/states.js';
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
  ['portping --diagnose db 5432', 'why can I not reach it?'],
  ['portping --explain 10061', 'what does this code mean?'],
  ['portping -v --all example.com 443', 'each address, each timing'],
  ['portping -t db 5432', 'until ^C, with outages and statistics'],
  ['portping -c 5 -i 200ms db 5432', 'five probes, with statistics'],
  ['portping --service mail.example.com 25', 'does SMTP answer there?'],
  ['portping --service smtp+tls mail.example.com 25', 'does it answer with a valid certificate?'],
  ['portping 10.0.0.5 22,80,8000-8100', 'which of these ports are open?'],
  ['portping -q -w 2s db 5432 && ./migrate', 'only the exit code, within 2 seconds'],
  ['portping --wait 60s db 5432 -- npm start', 'start when the database listens'],
  ['portping --expect closed host 23', 'fail if telnet is open'],
  ['portping --targets rules.txt -o junit', 'test a firewall; lines: host port state'],
  ['portping -o json db 5432 | jq .latencyMs', 'the latency alone, for a script'],
  ['portping -o nagios --warn 100ms db 5432', 'a check for Nagios or Icinga'],
];

/** Further command lines in `--help` on Windows. */
const WINDOWS_EXAMPLES: typeof EXAMPLES = [
  ['portping -q db 5432; $LASTEXITCODE', 'the exit code, in PowerShell'],
  ["'web1', 'web2' | % { portping $_ 443 }", 'a loop, in PowerShell'],
  ['portping.cmd --wait 60s db 5432 -- npm start', 'in PowerShell, which removes -- for scripts'],
  ['if errorlevel 1 echo not open', 'the exit code, in cmd after portping'],
  ['for %h in (web1 web2) do portping %h 443', 'a loop, in cmd; in a batch file %%h and call'],
  ['portping "[::1]:443" "db:80,443"', 'brackets and commas need double quotes'],
];

/** The part of `--help` after the options: exit codes and examples. */
export function helpEnd(platform = process.platform): string {
  const rows = EXIT_CODES.map(
    ({ exitCode, state, meaning }) =>
      `  ${String(exitCode).padEnd(5)}${(state ?? '').padEnd(12)}${meaning}`,
  );
  const lines = platform === 'win32' ? [...EXAMPLES, ...WINDOWS_EXAMPLES] : EXAMPLES;
  const examples = lines.map(([command, purpose]) =>
    command.length > 40
      ? `  ${command}\n${' '.repeat(44)}${purpose}`
      : `  ${command.padEnd(42)}${purpose}`,
  );
  return `\nExit codes:\n${rows.join('\n')}\n\nExamples:\n${examples.join('\n')}\n`;
}

/** Options that show something and stand alone, by commander's names. */
const SHOWING = { help: '--help', h: '-h', version: '--version' } as const;

/** What a command line asks to see. */
export type Shown = keyof typeof SHOWING;

/**
 * Adds `-h`, `--help` and `--version`. commander's own exit with 0 beside any other option: for
 * `-h db -p 5432`, the words of psql, that would look like an open port. `-h` takes a word only to
 * refuse it.
 */
export function addHelpOptions(program: Command): void {
  program
    .option('--version', 'show the version')
    .option('-h [host]', 'show the options that are used most')
    .option('--help [host]', 'show this help')
    .helpOption(false)
    .configureHelp({ optionTerm: ({ flags }) => flags.replace(' [host]', '') });
}

/**
 * Whether the help or the version is asked for: alone, or with the format, which may change the
 * exit code.
 *
 * @throws UsageError when something else is given with it
 */
export function readHelpRequest(program: Command, hasCommand: boolean): Shown | null {
  const names = program.options.map((option) => option.attributeName());
  const given = names.filter((name) => program.getOptionValueSource(name) === 'cli');
  const asked = (Object.keys(SHOWING) as Shown[]).find((name) => given.includes(name));
  if (asked === undefined) return null;
  const isBare = program.args.length === 0 && program.getOptionValue(asked) === true && !hasCommand;
  if (isBare && given.every((name) => name === asked || name === 'output')) return asked;
  const form = SHOWING[asked];
  const text = asked === 'version' ? 'version' : 'help';
  throw refusal(form, `shows the ${text} and must stand alone`, `write: portping ${form}`);
}
