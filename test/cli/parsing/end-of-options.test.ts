import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readCommandLine } from '../../../src/cli/parsing/command-line.js';
import { chooseConfig } from '../../../src/cli/options/config.js';
import { createProgram } from '../../../src/cli/parsing/option-parser.js';
import { freePort, listen } from '../../support/listeners.js';
import { portping } from '../../support/portping.js';

beforeAll(() => void vi.stubGlobal('PORTPING_VERSION', '0.0.0'));
afterAll(() => void vi.unstubAllGlobals());

const COMMON = ['-w', '-w2s', '--timeout=2s', '-q', '-v', '-qv', '-ojson', '--no-color', '--'];
const OTHER = ['-c', '-t', '--rate=5', '--expect=closed', '-a'];
const PLAIN = ['db', '5432', '2s', '-x', '::1', '', '-'];

/** What commander alone makes of a line: it treats `--` as POSIX says. Null if it refuses it. */
function readByCommander(argv: readonly string[]): { words: string[]; given: string[] } | null {
  const program = createProgram(() => {});
  try {
    program.parse([...argv], { from: 'user' });
  } catch {
    return null;
  }
  const names = program.options.map((option) => option.attributeName());
  return {
    words: program.args,
    given: names.filter((name) => program.getOptionValueSource(name) === 'cli'),
  };
}

describe('words after --', () => {
  it.each([
    ['common options only', COMMON],
    ['other options too', [...COMMON, ...OTHER]],
  ])('are targets for both parsers, with %s', async (_, options) => {
    const words = fc.array(fc.constantFrom(...options, ...PLAIN), { maxLength: 6 });
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(words, words, async (before, after) => {
        const argv = [...before, '--', ...after];
        // POSIX makes "--" the value of an option that needs one; portping asks for the value.
        if (/^-[wc]$/.test(argv[argv.indexOf('--') - 1] ?? '')) return;
        const expected = readByCommander(argv);
        if (expected === null) return;
        const { texts, words, command, problem } = await readCommandLine(argv);
        compared += 1;
        expect({ words, given: [...texts.keys()].sort(), command, problem }).toEqual({
          words: expected.words,
          given: expected.given.sort(),
          command: null,
          problem: null,
        });
      }),
      { numRuns: 2000 },
    );
    expect(compared).toBeGreaterThan(300);
  });

  it('are never options, so that a variable cannot add one', async () => {
    for (const word of ['--help', '--version', '-q', '--wait', '--output-file=x', '--explain'])
      for (const options of [[], ['-q'], ['-c', '1']]) {
        const line = await readCommandLine([...options, '--', word, '25']);
        await expect(chooseConfig(line), word).rejects.toThrow(/^host: "--?[\w=-]+" is not a host/);
      }
  });

  it.each([['--wait'], ['--wait=2s'], ['--wait', '2s'], ['-q', '--wait'], ['--wait', '-q']])(
    'are a command with %j %j',
    async (...options) => {
      const given = options.filter((word) => word !== undefined);
      const line = await readCommandLine([...given, 'db', '25', '--', 'npm', '--', '-q']);
      expect(line).toMatchObject({ words: ['db', '25'], command: ['npm', '--', '-q'] });
    },
  );

  it('are no command if --wait is only the value of another option', async () => {
    const line = await readCommandLine(['--output-file', '--wait', '--', 'db', '25']);
    expect(line).toMatchObject({ words: ['db', '25'], command: null, problem: null });
  });

  it('are missing as the value of an option before --', async () => {
    for (const option of ['-w', '-c'])
      expect((await readCommandLine([option, '--', 'db', '25'])).problem?.message).toContain(
        'needs a value',
      );
  });
});

it('a host and a port after -- are probed as before it', async () => {
  const [open, closed] = [(await listen()).port, await freePort()];
  for (const options of [[], ['-w', '2s'], ['-c', '1']]) {
    expect((await portping([...options, '--', '127.0.0.1', String(open)])).exitCode).toBe(0);
    expect((await portping([...options, '--', `127.0.0.1:${closed}`])).exitCode).toBe(1);
  }
  expect((await portping(['-q', '127.0.0.1', String(open), '--'])).exitCode).toBe(0);
});
