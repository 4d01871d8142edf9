import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE_NAMES, SERVICES } from '../src/core/service/registry.js';
import { EXIT_CODES } from '../src/core/states.js';
import { jsonReporter } from '../src/report/formats/json.js';
import { collect, environment } from './support/command.js';
import { testNode } from './support/portping.js';
import { eventOf, openOutcome, reportOf } from './support/reports.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** The rows of the first table after a text, as trimmed cells. */
const rowsAfter = (text: string): string[][] =>
  (/^\|[-|]+\|\n((?:\|.*\n)+)/m.exec(readme.split(text)[1] ?? '')?.[1] ?? '')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));

describe('README.md', () => {
  // An empty line, one row of titles, the delimiter row, and all rows directly below it.
  it('has tables that GitHub renders as tables', () => {
    const tables = readme.replace(/^```[^]*?^```$/gm, '').match(/.*\n(?:^\|.*\n)+/gm) ?? [];
    expect(tables.length).toBeGreaterThan(5);
    for (const table of tables) expect(table).toMatch(/^\n\|.*\|\n\|(-{3,}\|)+\n(\|.*\|\n)+$/);
  });

  it('lists every JSON field of a probe', () => {
    const { stdout } = jsonReporter({ manyTargets: false }).probe(eventOf(reportOf(openOutcome())));
    const fields = rowsAfter('The fields of a probe:').flatMap(([, names = '']) =>
      names.replaceAll('`', '').split(', '),
    );
    expect(['schema', 'type', ...fields].sort()).toEqual(
      Object.keys(JSON.parse(stdout) as object).sort(),
    );
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
    expect(readme).toContain(rows.join('\n'));
  });

  it('lists exactly the services of the program, with their ports', () => {
    const rows = rowsAfter('<!-- services: checked by test/readme.test.ts -->\n');
    const shown = rows.map(
      ([, names = '', ports]) => [names.replaceAll('`', '').split(', '), ports] as const,
    );
    expect(shown.flatMap(([names]) => names)).toEqual(SERVICE_NAMES);
    for (const [names, ports] of shown) {
      const own = names
        .map((name) => SERVICES[name as keyof typeof SERVICES].ports.join(', '))
        .filter((each) => each !== '');
      expect(ports).toBe(own.join('; '));
    }
  });

  const examples = [...readme.matchAll(/```js\n([^]*?)```/g)].map(([, code]) => code ?? '');
  let server: Server;
  beforeAll(
    () =>
      new Promise<void>((resolve) => {
        server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1', resolve);
      }),
  );
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('has examples that tsc --strict accepts', () => {
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
  )('has an example that runs: %s', async (_, code) => {
    const { port } = server.address() as { port: number };
    const library = new URL('../dist/index.js', import.meta.url).href;
    const script = code
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
