import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { environment } from './command.js';

/** A new folder, removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'portping-engine-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Starts a server in the foreground. Its process group is killed when the test ends. */
export function startDaemon(
  argv: readonly string[],
  cwd: string,
): { readonly child: ChildProcess; output(): string } {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-20_000);
    });
  const closed = once(child, 'close');
  onTestFinished(async () => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (child.exitCode !== null || child.signalCode !== null) break;
      if (child.pid) process.kill(-child.pid, signal);
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 5000))]);
    }
  });
  return { child, output: () => output };
}
