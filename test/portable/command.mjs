import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The Node that runs the commands. The suite itself may need another one. */
export const node = process.env.PORTPING_TEST_NODE ?? process.execPath;

/** The commands run in this folder. */
export const folder = mkdtempSync(join(tmpdir(), 'portping-portable-'));
// Windows removes no folder in which a process still runs.
after(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));

const STREAMS = ['stdin', 'stdout', 'stderr'];

const read = (stream) => readFileSync(join(folder, stream), 'utf8').replaceAll('\r\n', '\n');

/** Starts a program of `bin`. Its streams are files: pipes fail under Wine. */
export function start(program, args, input = '') {
  writeFileSync(join(folder, 'stdin'), input);
  const stdio = STREAMS.map((name) => openSync(join(folder, name), name === 'stdin' ? 'r' : 'w'));
  const script = fileURLToPath(new URL(`../../bin/${program}.js`, import.meta.url));
  const child = spawn(node, [script, ...args.map(String)], { cwd: folder, stdio });
  stdio.forEach((descriptor) => closeSync(descriptor));
  const ended = once(child, 'close').then(([exitCode]) => ({
    exitCode,
    stdout: read('stdout'),
    stderr: read('stderr'),
  }));
  return { child, ended };
}

/** Waits until something is so, while a program runs. */
export async function until(child, isSo) {
  while (!isSo()) {
    if (child.exitCode !== null) throw new Error(`ended too early: ${read('stderr')}`);
    await sleep(20);
  }
}

/** Waits until a running program has written a text to standard error, and returns all of it. */
export async function untilWritten(child, text) {
  await until(child, () => read('stderr').includes(text));
  return read('stderr');
}

/** Runs portping to its end. */
export const portping = (args, input) => start('portping', args, input).ended;
