import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished } from 'vitest';
import { collect, environment, type ExecResult } from './support/command.js';
import { freePort } from './support/listeners.js';
import { testNode } from './support/portping.js';
import { itWith, type Need } from './support/tools.js';

const pathOf = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url));

/** The option that makes Node look like another runtime. */
const faking = (name: string): string =>
  '--import=data:text/javascript,Object.defineProperty(process,"versions",' +
  `{value:{...process.versions,${name}:"1.0.0"}})`;

function run(words: readonly string[], cwd?: string): Promise<ExecResult> {
  const [file = '', ...args] = words;
  const child = spawn(file, args, { env: environment, detached: true, cwd });
  return collect(child, { input: '', timeoutMs: 15_000, startedAt: performance.now() });
}

/** A script that calls functions of the library and prints for each what it throws. */
const libraryScript = (...calls: string[]): string =>
  [
    `import * as library from ${JSON.stringify(pathOf('dist/index.js'))};`,
    ...calls.map(
      (call) =>
        `try { console.log(await ${call}) } catch (error) { console.log('threw', error.message) }`,
    ),
  ].join('\n');

const TARGET = "{ host: '127.0.0.1', port: 1 }";
const CALLS = [
  "library.probePort({ address: '127.0.0.1', family: 4, port: 1 })",
  `library.probeTarget(${TARGET})`,
  `library.probeEveryAddress(${TARGET})`,
  `library.probeTargets([{ target: ${TARGET} }])`,
  `library.probeSeries(${TARGET})`,
  `library.waitUntil(${TARGET})`,
  "library.resolveHost('127.0.0.1')",
  `library.diagnose(${TARGET})`,
];

interface Runtime {
  readonly title: string;
  readonly needs: readonly Need[];
  /** The words that start a file in it. */
  readonly start: readonly string[];
}

const RUNTIMES: readonly Runtime[] = [
  { title: 'Bun', needs: ['bun'], start: ['bun'] },
  { title: 'Deno', needs: ['deno'], start: ['deno', 'run', '--allow-all'] },
  {
    title: 'Deno without the right to read the environment',
    needs: ['deno'],
    start: ['deno', 'run', '--no-prompt', '--allow-read'],
  },
  ...['bun', 'deno'].map((name) => ({
    title: `a Node that says it is ${name}`,
    needs: [],
    start: [testNode, faking(name)],
  })),
];

describe.each(RUNTIMES)('in $title', ({ needs, start }) => {
  const refusal = (program: string): RegExp =>
    new RegExp(
      `^${program}: (Bun|Deno) [\\d.]+ [^\\n]+; ` +
        'use Node.js 20.19 or later, for example: npx portping\\n$',
    );

  for (const args of ['127.0.0.1 PORT', '--count 2 127.0.0.1 PORT', '--help', '--no-such-option'])
    itWith(needs, `\`portping ${args}\` refuses in one line with exit 70`, async () => {
      const words = args.replace('PORT', String(await freePort())).split(' ');
      const result = await run([...start, pathOf('bin/portping.js'), ...words]);
      expect(result.stdout).toBe('');
      expect(result.stderr).toMatch(refusal('portping'));
      expect(result.exitCode).toBe(70);
    });

  itWith(needs, 'the exporter refuses in one line with exit 70', async () => {
    const result = await run([...start, pathOf('bin/portping-exporter.js')]);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(refusal('portping-exporter'));
    expect(result.exitCode).toBe(70);
  });

  itWith(needs, 'each function of the library that probes throws', async () => {
    const words = [...evaluated(start), libraryScript(...CALLS)];
    const { stdout, stderr } = await run(words);
    expect(stderr).toBe('');
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(CALLS.length);
    for (const line of lines) expect(line).toMatch(/^threw (Bun|Deno) [\d.]+ .*; use Node\.js/);
  });
});

/** The words that run a module given as text. */
function evaluated(start: readonly string[]): string[] {
  if (start[0] === 'deno') return ['deno', 'eval'];
  return [...start, ...(start[0] === 'bun' ? [] : ['--input-type=module']), '--eval'];
}

itWith([], 'Node itself is not refused, by the command and the library', async () => {
  const port = await freePort();
  const { exitCode } = await run([testNode, pathOf('bin/portping.js'), '127.0.0.1', String(port)]);
  expect(exitCode).toBe(1);
  const script = libraryScript("library.resolveHost('127.0.0.1')");
  const { stdout } = await run([testNode, '--input-type=module', '--eval', script]);
  expect(stdout).not.toContain('threw');
  expect(stdout).toContain("state: 'resolved'");
});

itWith('bun', 'bunx runs the command with Node, but with Bun if asked to', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portping-bunx-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'node_modules/.bin'), { recursive: true });
  await symlink(pathOf('bin/portping.js'), join(folder, 'node_modules/.bin/portping'));
  const words = ['portping', '127.0.0.1', String(await freePort())];

  const inNode = await run(['bun', 'x', ...words], folder);
  expect(inNode.stdout).toBe('Error Detected: Connection refused <10061> returned.\n');
  expect(inNode.exitCode).toBe(1);
  const inBun = await run(['bun', 'x', '--bun', ...words], folder);
  expect(inBun.stdout).toBe('');
  expect(inBun.exitCode).toBe(70);
});
