import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readCommandLine } from '../../../src/cli/parsing/command-line.js';
import { VARIABLES } from '../../../src/cli/options/common-options.js';
import { chooseConfig, type ProbeConfig } from '../../../src/cli/options/config.js';
import { freePort, listen } from '../../support/listeners.js';
import { jsonOf, portping } from '../../support/portping.js';

beforeAll(() => {
  vi.stubGlobal('PORTPING_VERSION', '0.0.0');
  return () => vi.unstubAllGlobals();
});
afterEach(() => void vi.unstubAllEnvs());

const LONG = { timeout: '--timeout', dns: '--dns', source: '--source', output: '--output' };

/** A value of each variable that differs from the default, and one that is wrong. */
const VALUES = {
  timeout: ['2s', '7s', 'soon'],
  dns: ['192.0.2.53', '192.0.2.54:5353', 'dns.example'],
  source: ['127.0.0.2', '127.0.0.3', 'eth0'],
  output: ['json', 'csv', 'xml'],
} as const;

const NAMES = Object.keys(VARIABLES) as (keyof typeof VARIABLES)[];

const configOf = async (argv: readonly string[]): Promise<ProbeConfig> =>
  (await chooseConfig(await readCommandLine(argv))) as ProbeConfig;

/** What a configuration says, without the functions in it. */
const textOf = async (argv: readonly string[]): Promise<string> =>
  JSON.stringify(await configOf(argv));

describe.each(NAMES)('the variable of %s', (name) => {
  const [value, other, wrong] = VALUES[name];
  const lines = [
    ['a line without options', []],
    ['a line of common options', ['-v', '--no-color'].slice(name === 'output' ? 1 : 0)],
    ['a line of other options', ['--expect', 'closed']],
    ['a line with --', ['-q', '--']],
  ] as const;

  it.each(lines)('means the same as the option in %s', async (_, words) => {
    const withOption = await textOf([LONG[name], value, ...words, 'db', '25']);
    expect(await textOf([...words, 'db', '25'])).not.toBe(withOption);
    vi.stubEnv(VARIABLES[name], value);
    expect(await textOf([...words, 'db', '25'])).toBe(withOption);
  });

  it.each(lines)('loses against the option in %s', async (_, words) => {
    const expected = await textOf([LONG[name], other, ...words, 'db', '25']);
    vi.stubEnv(VARIABLES[name], wrong);
    expect(await textOf([LONG[name], other, ...words, 'db', '25'])).toBe(expected);
  });

  it('is unset if it is empty', async () => {
    const expected = await textOf(['db', '25']);
    vi.stubEnv(VARIABLES[name], '');
    expect(await textOf(['db', '25'])).toBe(expected);
  });

  it('is named in one line with exit code 64 if its value is wrong', async () => {
    for (const words of [[], ['-v'], ['-c', '2']]) {
      const env = { [VARIABLES[name]]: `${wrong}\x1b[2J` };
      const { stdout, stderr, exitCode } = await portping([...words, '127.0.0.1', '1'], { env });
      expect(stderr).toMatch(new RegExp(`^portping: ${VARIABLES[name]}: "${wrong}\\\\x1b.*\\n$`));
      expect(stderr.match(/\n/g)).toHaveLength(1);
      expect([stdout, exitCode]).toEqual(['', 64]);
    }
  });

  it.each(['--help', '--version', '--explain 10061', '--completion bash'])(
    'changes nothing of %s, even if its value is wrong',
    async (line) => {
      const plain = await portping(line.split(' '));
      const set = await portping(line.split(' '), { env: { [VARIABLES[name]]: wrong } });
      expect([set.stdout, set.stderr, set.exitCode]).toEqual([plain.stdout, '', 0]);
    },
  );
});

describe('a variable that does not fit an option', () => {
  it.each([
    ['PORTPING_SOURCE', '::1', '127.0.0.1 1', /^PORTPING_SOURCE: ::1 is an IPv6 address, but 127/],
    ['PORTPING_OUTPUT', 'csv', '--diagnose db 25', /^PORTPING_OUTPUT: a diagnosis cannot be/],
    [
      'PORTPING_OUTPUT',
      'prometheus',
      '-t db 25',
      /prometheus, because .* \(set by PORTPING_OUTPUT\);/,
    ],
    [
      'PORTPING_OUTPUT',
      'nagios',
      '-q db 25',
      /^--quiet: .* nagios \(set by PORTPING_OUTPUT\); use/,
    ],
  ])('%s=%s is named for %s', async (variable, value, line, message) => {
    vi.stubEnv(variable, value);
    await expect(configOf(line.split(' '))).rejects.toThrow(message);
  });

  it('is not named if the option was given', async () => {
    vi.stubEnv('PORTPING_OUTPUT', 'json');
    await expect(configOf(['-o', 'nagios', '-q', 'db', '25'])).rejects.not.toThrow('PORTPING');
  });

  it('leaves --report its own format', async () => {
    vi.stubEnv('PORTPING_OUTPUT', 'csv');
    expect(await configOf(['--report', 'db', '25'])).toMatchObject({ format: 'markdown' });
  });
});

describe('a run with variables', () => {
  it('probes and prints as they say', async () => {
    const port = String((await listen()).port);
    const env = {
      PORTPING_OUTPUT: 'json',
      PORTPING_TIMEOUT: '7s',
      PORTPING_SOURCE: '127.0.0.1',
    };
    const result = jsonOf(await portping(['127.0.0.1', port], { env }));
    expect(result).toMatchObject({ state: 'open', timeoutMs: 7000 });
  });

  it('with PORTPING_OUTPUT=nagios is a check, also if the usage is wrong', async () => {
    const env = { PORTPING_OUTPUT: 'nagios' };
    const closed = await portping(['127.0.0.1', String(await freePort())], { env });
    expect(closed).toMatchObject({ exitCode: 2, stdout: expect.stringMatching(/^PORTPING CRIT/) });
    const wrong = await portping(['127.0.0.1', '--bogus'], { env });
    expect(wrong).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(/^PORTPING UNKN/) });
  });
});

it('--help and the manual page name every variable', async () => {
  const { stdout } = await portping(['--help']);
  const flat = stdout.replace(/\s+/g, ' ');
  for (const variable of Object.values(VARIABLES)) expect(flat).toContain(`(env: ${variable})`);
});
