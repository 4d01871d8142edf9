import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { adviseHabit } from '../../../src/cli/habits/advice.js';
import { chooseConfig } from '../../../src/cli/options/config.js';
import { readCommandLine } from '../../../src/cli/parsing/command-line.js';
import { quoteWord } from '../../../src/cli/habits/shell-words.js';
import { editDistance, nearWord } from '../../../src/cli/habits/near-words.js';
import { UsageError } from '../../../src/core/usage-error.js';
import { run } from '../../support/command.js';
import { portping } from '../../support/portping.js';
import { COMMAND_LINES } from './command-lines.js';

beforeAll(() => {
  vi.stubGlobal('PORTPING_VERSION', '0.0.0');
  return () => vi.unstubAllGlobals();
});

/** Null when a command line is accepted, else why it is refused. */
async function refusalOf(argv: readonly string[]): Promise<UsageError | null> {
  try {
    await chooseConfig(await readCommandLine(argv));
    return null;
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

/** The command lines that a refusal recommends. */
async function advisedFor(argv: readonly string[]): Promise<string[]> {
  const error = await refusalOf(argv);
  if (error === null) return ['accepted'];
  const { message } = await adviseHabit(argv, error, 'linux');
  const [, advice = ''] = /; write: (portping .*)$/s.exec(message) ?? [];
  return advice.split(', or ').map((line) => line.replace('portping ', ''));
}

describe('a command line of another tool is answered by the line that works', () => {
  it.each(COMMAND_LINES)('%s %s', async (_tool, typed, lines) => {
    const advised = await advisedFor(typed.split(' '));
    expect(advised.join(' | ')).toBe(lines);
    for (const line of advised) expect(await refusalOf(line.split(' ')), line).toBeNull();
  });
});

/** What an injected command would make. */
const MARKER = join(tmpdir(), `portping-injected-${process.pid}`);

/** The words that a shell makes of a line. */
async function readByShell(line: string): Promise<string[]> {
  const shown = await run(['sh', '-c', `portping() { printf '%s\\0' "$@"; }\n${line}`]);
  return shown.split('\0').slice(0, -1);
}

describe('what is recommended', () => {
  const typed = COMMAND_LINES.flatMap(([, line]) => line.split(' '));
  const hostile = ['$(id)', '`id`', "';id;'", 'a b', '\x1b[2J', '\u202e', '"', '--', '*', '~', ''];

  it('is accepted for any mixture of words of other tools', async () => {
    let advised = 0;
    const words = fc.array(fc.constantFrom(...new Set([...typed, ...hostile])), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(words, async (argv) => {
        const error = await refusalOf(argv);
        if (error === null || argv.length === 0) return;
        const better = await adviseHabit(argv, error, 'linux');
        if (better === error) return;
        advised += 1;
        expect(better.message).not.toMatch(/write:[^]*[\x00-\x1f\u202e]/);
        for (const line of (/; write: (.*)$/s.exec(better.message)?.[1] ?? '').split(', or '))
          if (!line.includes("'"))
            expect(await refusalOf(line.split(' ').slice(1)), line).toBeNull();
      }),
      { numRuns: 400 },
    );
    expect(advised).toBeGreaterThan(40);
  });

  it.each([
    ['a file name with a space', ['-j', 'db', '25', '--output-file', 'my file']],
    ['a command for a shell', ['db:25', '-t', '9', '--', 'sh', '-c', 'touch "$HOME"/x; echo `id`']],
    ['a quote', ['-j', 'db', '25', '--output-file', "it's"]],
    ['a dollar', ['-n', '2', 'db', '25', '--output-file', `$(touch ${MARKER})`]],
  ])('is read back by a shell word by word: %s', async (_, argv) => {
    const error = await refusalOf(argv);
    const { message } = await adviseHabit(argv, error ?? new UsageError(''), 'linux');
    const [, line = ''] = /; write: (portping .*)$/s.exec(message) ?? [];
    const words = await readByShell(line);
    expect(words).toEqual(expect.arrayContaining(argv.slice(-1)));
    expect(await refusalOf(words)).toBeNull();
    expect(existsSync(MARKER)).toBe(false);
  });

  it.each([
    ['a control character', ['-n', '2', 'db', '25', '--output-file', 'a\x1b[2Jb']],
    ['a mark that reorders text', ['-j', 'db', '25', '--output-file', 'a\u202eb']],
    ['a host that is a command', ['-p', '25', 'db; rm -rf ~']],
    ['a port that is a command', ['-p', '25;reboot', 'db']],
    ['a host with a substitution', ['-n', '2', '$(reboot)', '25']],
    ['too many words', ['-p', ...Array<string>(50).fill('25')]],
    ['a block with a wrong length', ['10.0.0.0/33', '1']],
    ['a word that no target has', ['-p', '25', 'x'.repeat(5000)]],
    ['letters with many readings', [`-${'k'.repeat(40)}~`, 'https://db']],
  ])('is nothing if a word cannot be shown or meant: %s', async (_, argv) => {
    const error = (await refusalOf(argv)) ?? new UsageError('');
    expect(await adviseHabit(argv, error, 'linux')).toBe(error);
  });

  it('is nothing where nothing is foreign', async () => {
    for (const line of [
      'db',
      'db 99999',
      '--histogram db 25',
      '-o json -t -c 2 db 25',
      '--frobnicate',
    ]) {
      const error = await refusalOf(line.split(' '));
      expect(await adviseHabit(line.split(' '), error ?? new UsageError(''), 'linux')).toBe(error);
    }
  });

  it('reaches the terminal escaped, in one line, with exit code 64', async () => {
    for (const argv of [['-n', '4', 'db', '25'], ['db\x1b[2J/25'], ['\x1b]0;x\x07@db', '25']]) {
      const { stdout, stderr, exitCode } = await portping(argv);
      expect(stderr).toMatch(/^portping: [\x20-\x7e]+ \(see: portping -h\)\n$/);
      expect([stdout, exitCode]).toEqual(['', 64]);
    }
  });
});

describe('a word for a shell', () => {
  it.each([
    ['db', 'db', 'db'],
    ['a b', "'a b'", '"a b"'],
    ['', "''", '""'],
    ["it's", String.raw`'it'\''s'`, `"it's"`],
    ['$HOME', "'$HOME'", null],
    ['%PATH%', "'%PATH%'", null],
    ['a&b', "'a&b'", '"a&b"'],
    ['25,80', '25,80', '"25,80"'],
    ['a"b', `'a"b'`, null],
    ['a\x07', null, null],
  ])('%j is quoted or left out', (word, posix, windows) => {
    expect(quoteWord(word, 'linux')).toBe(posix === "'%PATH%'" ? '%PATH%' : posix);
    expect(quoteWord(word, 'win32')).toBe(windows);
  });
});

describe('a near word', () => {
  it.each([
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['smpt', 'smtp', 1],
    ['kitten', 'sitting', 3],
  ])('%j is %j with %i changes', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
    expect(editDistance(to, from)).toBe(distance);
  });

  it('is none if two are as near, or none is near', () => {
    expect(nearWord('imap', ['imaps', 'imap2'])).toBeUndefined();
    expect(nearWord('yaml', ['text', 'json', 'csv'])).toBeUndefined();
    expect(nearWord('imaps', ['imap', 'imaps'])).toBe('imaps');
  });
});
