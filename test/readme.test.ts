import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readCommandLine } from '../src/cli/parsing/command-line.js';
import { chooseConfig } from '../src/cli/options/config.js';
import { EXAMPLES } from '../src/cli/parsing/help.js';
import { SERVICE_NAMES, SERVICES } from '../src/core/service/registry.js';
import { EXIT_CODES } from '../src/core/states.js';
import { UsageError } from '../src/core/usage-error.js';
import { parseExporterArguments } from '../src/exporter/arguments.js';
import { csvReporter } from '../src/report/formats/csv.js';
import { jsonReporter } from '../src/report/formats/json.js';
import { collect, environment } from './support/command.js';
import { testNode } from './support/portping.js';
import {
  fencesOf,
  makeReadmeFolder,
  readmeEnvironment,
  README_COMMANDS,
  READMES,
  readmeBlocks,
} from './support/readme.js';
import { eventOf, openOutcome, reportOf } from './support/reports.js';

const [front = { path: '', text: '' }] = READMES;

/** The rows of the first table after a text that only one README has, as trimmed cells. */
function rowsAfter(text: string): string[][] {
  const after = READMES.flatMap((readme) => readme.text.split(text).slice(1));
  expect(after).toHaveLength(1);
  return (/^\|[-|]+\|\n((?:\|.*\n)+)/m.exec(after[0] ?? '')?.[1] ?? '')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
}

/** The names in the first cells of rows, which are written as code. */
const namesIn = (rows: readonly string[][]): string[] =>
  rows.flatMap(([, names = '']) => names.replaceAll('`', '').split(', '));

describe('README.md', () => {
  it('is read in one sitting: at most 200 lines', () => {
    expect(front.text.split('\n').length).toBeLessThanOrEqual(201);
  });

  it('has one picture and twelve examples, which --help has, too', () => {
    expect(front.text.match(/!\[/g)).toHaveLength(1);
    const [, examples = ''] = /## Twelve examples\n([^]*?)\n## /.exec(front.text) ?? [];
    const lines = [...examples.matchAll(/^ {4}(portping .*?) {2,}/gm)].map(([, line]) => line);
    expect(lines).toHaveLength(12);
    expect(EXAMPLES.map(([line]) => line)).toEqual(expect.arrayContaining(lines));
  });

  it('has the exit codes of the program', () => {
    const rows = EXIT_CODES.map(({ exitCode, state, meaning, reasons }) => {
      const cells = [
        String(exitCode),
        state ?? '',
        meaning,
        reasons.map((reason) => `\`${reason}\``).join(', '),
      ];
      return `| ${cells.join(' | ')} |`.replace(/ {2,}/g, ' ');
    });
    expect(front.text).toContain(rows.join('\n'));
  });
});

describe.each(READMES)('$path', ({ text }) => {
  it('begins with a title and a sentence', () => {
    expect(text).toMatch(/^# \w.+\n\n[\w`](.|\n(?!\n))+[.:]\n/);
  });

  it('has no line of more than 120 columns outside tables and URLs', () => {
    const lines = text.replace(/\]\(https:[^)]*\)/g, ']()').split('\n');
    const long = lines.filter((line) => line.length > 120 && !line.startsWith('|'));
    expect(long).toEqual([]);
  });

  // An empty line, one row of titles, the delimiter row, and all rows directly below it.
  it('has tables that GitHub renders as tables', () => {
    const tables = text.replace(/^```[^]*?^```$/gm, '').match(/.*\n(?:^\|.*\n)+/gm) ?? [];
    const isTable = /^\n\|.*\|\n\|(-{3,}:?\|)+\n(\|.*\|\n)+$/;
    expect(tables.filter((table) => !isTable.test(table))).toEqual([]);
  });

  it('has code only in languages that are checked', () => {
    const checked = ['', 'dockerfile', 'groovy', 'ini', 'promql', 'ts', 'yaml'];
    const others = fencesOf(text).filter(({ language }) => !checked.includes(language));
    expect(others).toEqual([]);
  });

  it('has YAML that can be parsed', () => {
    const blocks = fencesOf(text).filter(({ language }) => language === 'yaml');
    const errors = blocks.flatMap(({ code }) =>
      parseAllDocuments(code).flatMap((each) => each.errors),
    );
    expect(errors).toEqual([]);
  });
});

describe('the READMEs of folders', () => {
  it('list every JSON field of a probe', () => {
    const { stdout } = jsonReporter({ manyTargets: false }).probe(eventOf(reportOf(openOutcome())));
    const fields = namesIn(rowsAfter('The fields of a\nprobe:'));
    expect(['schema', 'type', ...fields].sort()).toEqual(
      Object.keys(JSON.parse(stdout) as object).sort(),
    );
  });

  it('list every column of CSV, in its order', () => {
    const [titles = ''] = csvReporter({ expect: 'open' })
      .probe(eventOf(reportOf(openOutcome())))
      .stdout.split('\r\n');
    const columns = namesIn(rowsAfter('<!-- columns: checked by test/readme.test.ts -->\n'));
    expect(columns.join(',')).toBe(titles);
  });

  it('list exactly the services of the program, with their ports', () => {
    const rows = rowsAfter('<!-- services: checked by test/readme.test.ts -->\n');
    const shown = rows.map((row) => [namesIn([row]), row[2]] as const);
    expect(shown.flatMap(([names]) => names)).toEqual(SERVICE_NAMES);
    for (const [names, ports] of shown) {
      const own = names
        .map((name) => SERVICES[name as keyof typeof SERVICES].ports.join(', '))
        .filter((each) => each !== '');
      expect(ports).toBe(own.join('; '));
    }
  });
});

describe('a command line in a README', () => {
  let folder = '';
  beforeAll(async () => {
    vi.stubGlobal('PORTPING_VERSION', '0.0.0');
    folder = await makeReadmeFolder((program) => `printf '%s\\n' ${program} "$@" >&3`);
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** The words that a shell makes of a line; the first is the program. */
  async function wordsOf(line: string): Promise<string[]> {
    const child = spawn('/bin/sh', ['-c', `exec 3>words; ${line}`], {
      cwd: folder,
      env: { ...environment, ...readmeEnvironment(folder) },
      stdio: 'pipe',
      detached: true,
    });
    await collect(child, { input: '', timeoutMs: 10_000, startedAt: performance.now() });
    const words = (await readFile(join(folder, 'words'), 'utf8')).split('\n');
    return words.slice(0, -1);
  }

  async function accept([program = '', ...words]: string[]): Promise<void> {
    if (program === 'portping') await chooseConfig(await readCommandLine(words));
    else if (program === 'portping-exporter') parseExporterArguments(words);
    else throw new Error(`nothing was started: ${program}`);
  }

  it('is found wherever there is one', () => {
    expect(README_COMMANDS.length).toBeGreaterThan(60);
    expect(README_COMMANDS.filter(({ isRefused }) => isRefused)).toHaveLength(1);
  });

  const rows = (isRefused: boolean): [string, string][] =>
    README_COMMANDS.filter((each) => each.isRefused === isRefused).map(({ path, line }) => [
      path,
      line,
    ]);

  it.each(rows(false))('is accepted in %s: %s', async (_, line) => {
    await expect(accept(await wordsOf(line))).resolves.toBeUndefined();
  });

  it.each(rows(true))('is refused where %s says so: %s', async (_, line) => {
    await expect(accept(await wordsOf(line))).rejects.toThrow(UsageError);
  });
});

describe('an example in TypeScript', () => {
  const examples = readmeBlocks('ts');
  let server: Server;
  beforeAll(
    () =>
      new Promise<void>((resolve) => {
        server = createServer((socket) => socket.on('error', () => {}).resume());
        server.listen(0, '127.0.0.1', resolve);
      }),
  );
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('is accepted by tsc --strict', () => {
    const root = fileURLToPath(new URL('..', import.meta.url));
    // Examples in the package's root can import it by its name, with its built types.
    const files = new Map(examples.map((code, index) => [`${root}example-${index}.mts`, code]));
    const options: ts.CompilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      types: ['node'],
      typeRoots: [`${root}node_modules/@types`],
    };
    const disk = ts.createCompilerHost(options);
    const host: ts.CompilerHost = {
      ...disk,
      fileExists: (path) => files.has(path) || disk.fileExists(path),
      readFile: (path) => files.get(path) ?? disk.readFile(path),
      getSourceFile: (path, ...rest) =>
        files.has(path)
          ? ts.createSourceFile(path, files.get(path) ?? '', ts.ScriptTarget.ES2022)
          : disk.getSourceFile(path, ...rest),
    };
    const program = ts.createProgram([...files.keys()], options, host);
    const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
      const source = files.get(file?.fileName ?? '') ?? file?.fileName;
      return `${source}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
    expect(problems).toEqual([]);
    expect(program.getSourceFile(`${root}dist/index.d.ts`)).toBeDefined();
  });

  it.each(
    examples.map((code) => [code.split('\n').find((line) => line.includes('await')) ?? code, code]),
  )('runs: %s', async (_, code) => {
    const { port } = server.address() as { port: number };
    const library = new URL('../dist/index.js', import.meta.url).href;
    const script = ts
      .transpile(code, { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 })
      .replaceAll('"portping"', `'${library}'`)
      .replaceAll("'portping'", `'${library}'`)
      .replaceAll('example.com', '127.0.0.1')
      .replaceAll('443', String(port));
    const child = spawn(testNode, ['--input-type=module', '-e', script], {
      env: environment,
      stdio: 'pipe',
      detached: true,
    });
    const result = await collect(child, {
      input: '',
      timeoutMs: 10_000,
      startedAt: performance.now(),
    });
    expect(result.stderr).toBe('');
    expect(result.stdout).toMatch(/open/);
    expect(result.exitCode).toBe(0);
  });
});
