import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EXAMPLES } from '../../src/cli/parsing/help.js';
import { EXIT_CODES } from '../../src/core/states.js';
import { formatManualPage, type ManualPage } from '../../src/report/formats/manual-page.js';
import { collect, environment, type ExecResult } from '../support/command.js';
import { exporterCommand } from '../support/exporter.js';
import { portping, portpingCommand } from '../support/portping.js';
import { describeWith, itWith } from '../support/tools.js';

const PROGRAMS = [
  ['portping', portpingCommand],
  ['portping-exporter', exporterCommand],
] as const;

const pathOf = (name: string): string =>
  fileURLToPath(new URL(`../../dist/${name}.1`, import.meta.url));

/** Runs a program that reads manual pages, in a terminal of the given columns. */
function read(argv: readonly string[], input = '', columns = 78): Promise<ExecResult> {
  const [file = '', ...words] = argv;
  const env = { ...environment, MANWIDTH: String(columns) };
  const child = spawn(file, words, { env, stdio: 'pipe', detached: true });
  return collect(child, { input, timeoutMs: 15_000, startedAt: performance.now() });
}

const joined = (text: string): string => text.replace(/\s+/g, ' ');

/** A page with one paragraph. */
const pageWith = (text: string): string => {
  const page: ManualPage = {
    name: 'sample',
    purpose: 'shows a text',
    usages: ['<host>'],
    sections: [{ title: 'DESCRIPTION', text, entries: [{ term: text, text }] }],
    related: ['other'],
  };
  return formatManualPage(page, '1.0.0', '2026-01-02');
};

/** Words that roff would read as requests or escapes, or print as other characters. */
const HOSTILE = String.raw`.so it's \fB -- "^C" ~/x a\b 'quoted' .br ` + '`tick` \\';

describe('a manual page', () => {
  it('keeps each line of its source within 80 bytes and off the control characters', () => {
    const lines = pageWith(`${'word '.repeat(60)}${'.dot '.repeat(60)}`).split('\n');
    const long = lines.filter((line) => line.length > 80 && !line.startsWith('\\fB'));
    expect(long).toEqual([]);
    const requests = new Set(lines.flatMap((line) => /^[.']\w*/.exec(line)?.[0] ?? []));
    expect([...requests].sort()).toEqual(['.BR', '.SH', '.TH', '.TP', '.ad', '.nh']);
  });

  itWith('mandoc', 'prints text with the signs of roff unchanged', async () => {
    const { stdout } = await read(['mandoc', '-T', 'ascii'], pageWith(HOSTILE));
    const printed = joined(stdout.replace(/.\x08/g, ''));
    expect(printed.split(joined(HOSTILE)).length).toBe(4); // printed three times
  });
});

describe.each(PROGRAMS)('the manual page of %s', (name, command) => {
  itWith('mandoc', 'has no fault that mandoc finds', async () => {
    const argv = ['mandoc', '-T', 'lint'];
    expect(await read([...argv, pathOf(name)])).toMatchObject({ stdout: '', exitCode: 0 });
    const broken = readFileSync(pathOf(name), 'utf8').replace('.SH OPTIONS', '.XX OPTIONS');
    expect((await read(argv, broken)).stdout).toMatch(/skipping unknown macro: \.?XX/);
  });

  describeWith('man', 'in man', () => {
    it('has no fault that man warns of', async () => {
      const page = readFileSync(pathOf(name), 'utf8');
      const argv = ['man', '--warnings', '-l', '-'];
      expect(await read(argv, page)).toMatchObject({ stderr: '', exitCode: 0 });
      expect((await read(argv, page.replace('.SH OPTIONS', '.XX OPTIONS'))).stderr).toMatch(/XX/);
    });

    it.each([60, 120])('fits %i columns, and has all that --help says', async (columns) => {
      const { stdout } = await read(['man', '-l', pathOf(name)], '', columns);
      expect(stdout.split('\n').filter((line) => line.length > columns)).toEqual([]);
      const help = await read([...command, '--help']);
      const [options = ''] = help.stdout.split('\nOptions:\n')[1]?.split('\n\n') ?? [];
      const texts = options.split(/^ {2}(?=-)/m).map((text) => joined(text).trim());
      expect(texts.length).toBeGreaterThan(10);
      expect(texts.filter((text) => !joined(stdout).includes(text))).toEqual([]);
    });
  });
});

describe('the manual page of portping', () => {
  itWith('man', 'has every exit code with its reasons, and every example', async () => {
    const { stdout } = await read(['man', '-l', pathOf('portping')]);
    const page = joined(stdout);
    for (const { exitCode, state, meaning, reasons } of EXIT_CODES) {
      const list = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
      expect(page).toContain(joined(` ${exitCode} ${state ?? ''} ${meaning}${list} `));
    }
    for (const [example, purpose] of EXAMPLES) expect(page).toContain(`${example} ${purpose}`);
  });

  it('has the version of the program', async () => {
    const { stdout } = await portping(['--version']);
    expect(readFileSync(pathOf('portping'), 'utf8')).toContain(`"portping ${stdout.trim()}"`);
  });
});
