import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wrapText } from '../../src/cli/output/wrap.js';
import { freePort } from '../support/listeners.js';
import { portping } from '../support/portping.js';
import { onTerminal } from '../support/terminal.js';
import { describeWith } from '../support/tools.js';

describe('wrapText', () => {
  it.each([
    ['breaks at a blank', 'one two three', 9, 'one two\n  three'],
    ['keeps a line that fits exactly', 'one two', 7, 'one two'],
    ['keeps lines apart', 'one two\nthree four\n', 8, 'one two\nthree\n  four\n'],
    ['hangs under the text after a name', 'db:1  one two three', 20, 'db:1  one two three'],
    ['hangs under the text after a title', '+ Name   one two 345', 27, '+ Name   one two 345'],
    [
      'hangs under the text that two blanks precede',
      'db:22  one two three four',
      21,
      'db:22  one two three\n       four',
    ],
    ['keeps the indent of a line', '      p50 1 p90 2', 20, '      p50 1 p90 2'],
    ['hangs under an indented text', '     one two three', 15, '     one two\n     three'],
    [
      'does not hang too far to the right',
      'a-long-name:5432  one two',
      20,
      'a-long-name:5432\n  one two',
    ],
    ['keeps an option with its value', 'Use --timeout 10s now', 15, 'Use\n  --timeout 10s\n  now'],
    ['keeps a short option with its value', 'Use "-w 10s" now', 11, 'Use\n  "-w 10s"\n  now'],
    [
      'keeps a command with its first option',
      '(see: portping --help)',
      20,
      '(see:\n  portping --help)',
    ],
    [
      'keeps a command line that is recommended',
      'portping: -n: unknown option; write: portping -c 4 db 25, or portping -h (see: portping -h)',
      40,
      'portping: -n: unknown option; write:\n' +
        '  portping -c 4 db 25, or portping -h\n  (see: portping -h)',
    ],
    [
      'keeps text in backticks',
      'Run `portping --diagnose db 5432` to see.',
      32,
      'Run\n  `portping --diagnose db 5432`\n  to see.',
    ],
    [
      'breaks a command that fits no line, but no option',
      'Run `portping --diagnose db 5432`',
      14,
      'Run `portping\n  --diagnose\n  db 5432`',
    ],
    ['does not break a word that fits no line', 'see 0123456789abc', 8, 'see\n  0123456789abc'],
    [
      'counts no columns for colours',
      '\x1b[31mone\x1b[39m \x1b[2mtwo\x1b[22m',
      7,
      '\x1b[31mone\x1b[39m \x1b[2mtwo\x1b[22m',
    ],
    ['counts two columns for wide characters', '例例 例', 6, '例例\n  例'],
    ['counts one column for bars', '▁▂▃▄ ▅▆▇█', 9, '▁▂▃▄ ▅▆▇█'],
    ['survives a terminal of one column', 'a b', 1, 'a\nb'],
  ])('%s', (_, text, columns, wrapped) => {
    expect(wrapText(text, columns)).toBe(wrapped);
  });

  it('changes nothing but blanks, and no line is longer than the terminal or one unit', () => {
    const word = fc.constantFrom('a', '--option', '-w', 'value', 'portping', '`x', 'y`', '例', '');
    const line = fc.array(word).map((words) => words.join(' '));
    fc.assert(
      fc.property(line, fc.integer({ min: 12, max: 60 }), (text, columns) => {
        const wrapped = wrapText(text, columns);
        const squeeze = (lines: string): string => lines.replace(/\s+/g, ' ').trim();
        expect(squeeze(wrapped)).toBe(squeeze(text));
        for (const each of wrapped.split('\n'))
          if (each.trim().includes(' ')) expect(each.length).toBeLessThanOrEqual(columns);
      }),
    );
  });
});

describeWith('script', 'long lines on a terminal of 60 columns', () => {
  const columns = 60;

  it('break at words, with a hanging indent', async () => {
    const screen = await onTerminal(['127.0.0.1', String(await freePort())], { columns });
    const lines = screen
      .replace(/\x1b\[[\d;]*m/g, '')
      .trimEnd()
      .split('\n');
    expect(lines[0]).toBe('Error Detected: Connection refused <10061> returned.');
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    expect(lines.slice(1).filter((line) => !line.startsWith('  '))).toEqual([
      expect.stringMatching(/^closed, refused: /),
      expect.stringMatching(/^Nothing listens /),
    ]);
  });

  it('break in a refusal, too', async () => {
    expect(await onTerminal(['--timeout', '5x', 'db', '1'], { columns: 40 })).toMatch(
      /^portping: --timeout: "5x"[^\n]*\n {2}\S/,
    );
  });

  it('break in the explanation of a code, which is one line each elsewhere', async () => {
    const args = ['--explain', '10061'];
    const [screen, { stdout }] = [await onTerminal(args, { columns }), await portping(args)];
    expect(screen).not.toBe(stdout);
    expect(screen.replace(/\n {2}/g, ' ')).toBe(stdout);
    for (const line of screen.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
  });

  it('are one line each where stderr is not the terminal', async () => {
    const args = ['127.0.0.1', String(await freePort())];
    const screen = await onTerminal(args, { columns, redirection: '2>&1 | cat' });
    expect(screen.split('\n')).toHaveLength(4);
    expect((await portping(args)).stderr.split('\n')).toHaveLength(3);
  });

  it('are there once, in colour as without', async () => {
    const args = ['--expect', 'closed', '127.0.0.1', String(await freePort())];
    const remark = /^As expected \(--expect closed\): closed\.$/gm;
    const screen = await onTerminal(args, { columns });
    expect(screen).toContain('\x1b[2mAs expected');
    expect(screen.replace(/\x1b\[[\d;]*m/g, '').match(remark)).toHaveLength(1);
    expect((await portping(args)).stderr.match(remark)).toHaveLength(1);
  });

  it('are never those of a verdict', async () => {
    const name = `${'long'.repeat(15)}.invalid`;
    const targets = [`${name}:1`, '127.0.0.1:1'];
    const screen = await onTerminal(['--no-color', '--dns', '127.0.0.1:1', ...targets], {
      columns,
    });
    expect(screen).toContain(`${name}:1  Error Detected: Connection refused <`);
  });
});
