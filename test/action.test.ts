import { spawn } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { collect, environment, type ExecResult } from './support/command.js';
import { temporaryFolder } from './support/daemon.js';
import { freePort, listen } from './support/listeners.js';
import { portpingCommand } from './support/portping.js';
import { describeWith } from './support/tools.js';

interface Action {
  readonly inputs: Record<string, { required?: boolean; default?: string }>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

interface Step {
  readonly shell: string;
  readonly env: Record<string, string>;
  readonly run: string;
}

const FILE = new URL('../.github/actions/portping/action.yml', import.meta.url);

let action: Action;
beforeAll(async () => {
  action = parse(await readFile(FILE, 'utf8')) as Action;
});

describeWith('bash', 'the action for GitHub', () => {
  /** Runs the step as GitHub does, with an npx that starts the built command. */
  async function runAction(
    inputs: Record<string, string>,
  ): Promise<ExecResult & { summary: string }> {
    const folder = await temporaryFolder();
    const [summary, npx] = [join(folder, 'summary.md'), join(folder, 'npx')];
    const words = portpingCommand.map((word) => `'${word}'`).join(' ');
    await writeFile(npx, `#!/bin/sh\n[ "$1" = --yes ] || exit 99\nshift 2\nexec ${words} "$@"\n`);
    await chmod(npx, 0o755);
    const [step] = action.runs.steps;
    const valueOf = (name: string): string => inputs[name] ?? action.inputs[name]?.default ?? '';
    const variables = Object.entries(step?.env ?? {}).map(([name, expression]) => [
      name,
      valueOf(/^\$\{\{ inputs\.(\w+) \}\}$/.exec(expression)?.[1] ?? ''),
    ]);
    const child = spawn(
      'bash',
      ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step?.run ?? ''],
      {
        env: {
          ...environment,
          PATH: `${folder}:${environment.PATH}`,
          GITHUB_STEP_SUMMARY: summary,
          ...Object.fromEntries(variables),
        },
        cwd: folder,
        detached: true,
      },
    );
    const options = { input: '', timeoutMs: 30_000, startedAt: performance.now() };
    const result = await collect(child, options);
    return { ...result, summary: await readFile(summary, 'utf8').catch(() => '') };
  }

  it('takes its inputs only as variables, which cannot become commands', () => {
    expect(action.runs.using).toBe('composite');
    for (const { run } of action.runs.steps) expect(run).not.toContain('${{');
  });

  it('annotates each target that is not as expected, and fails with its exit code', async () => {
    const [open, closed] = [(await listen()).port, await freePort()];
    const targets = `127.0.0.1:${open}\n127.0.0.1:${closed}`;
    const { stdout, stderr, exitCode, summary } = await runAction({ targets });
    expect(stdout).toMatch(
      new RegExp(
        `^::error title=127\\.0\\.0\\.1%3A${closed}%3A closed \\(conn-refused\\)::` +
          'Expected: [^\\n]*\\n$',
      ),
    );
    expect(summary).toMatch(/^### portping: 1 of 2 targets not as expected\n/);
    expect([stderr, exitCode]).toEqual(['', 1]);
  });

  it('waits, and prints nothing if all targets are as expected', async () => {
    const targets = `127.0.0.1:${await freePort()}`;
    const { stdout, exitCode, summary } = await runAction({
      targets,
      expect: 'closed',
      wait: '5s',
    });
    expect([stdout, exitCode]).toEqual(['', 0]);
    expect(summary).toMatch(/^### portping: 1 target as expected\n/);
  });

  it('runs nothing that stands in its inputs', async () => {
    const { stdout, exitCode } = await runAction({
      targets: '127.0.0.1:1 $(echo::forged) `id`;id *',
    });
    expect(stdout).not.toMatch(/uid=|^::forged/m);
    expect(exitCode).toBe(64);
    expect((await runAction({ targets: '--version' })).exitCode).toBe(64);
    expect((await runAction({ targets: '127.0.0.1:1', expect: 'open --version' })).exitCode).toBe(
      64,
    );
  });

  it('fails without targets', async () => {
    expect((await runAction({ targets: '' })).exitCode).toBe(64);
  });
});
