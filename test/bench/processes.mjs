import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Without variables that change how Node starts: NODE_EXTRA_CA_CERTS costs Node 20 80 ms. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(NODE_|npm_|FORCE_COLOR$)/i.test(name)),
);

/** The path of a file, given from this folder. */
export const file = (name) => fileURLToPath(new URL(name, import.meta.url));

const undoing = [];

/** Adds an action for the end of the measurements. The last action runs first. */
export function atEnd(action) {
  undoing.push(action);
}

/** Stops all processes and removes all files of the measurements. */
export function cleanUp() {
  while (undoing.length > 0) {
    try {
      undoing.pop()();
    } catch (error) {
      process.stderr.write(`${error.message}\n`);
    }
  }
}

/** A folder that is removed after the measurements. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'portping-bench-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Copies the built command of a checkout, so a later build has no effect. Returns portping.js. */
export function copyOfPortping(checkout) {
  const folder = temporaryFolder();
  for (const part of ['bin', 'dist'])
    cpSync(join(checkout, part), join(folder, part), { recursive: true });
  return join(folder, 'bin/portping.js');
}

/**
 * Runs a command to its end, 15 s at most unless it may take longer.
 *
 * @param {string[]} argv
 * @param {number} timeoutMs
 * @returns status, output, wall time (ms), start and end (seconds since 1970)
 */
export function run(argv, timeoutMs = 15_000) {
  const startedAt = Date.now() / 1000;
  const start = process.hrtime.bigint();
  const { status, stdout, stderr, error } = spawnSync(argv[0], argv.slice(1), {
    env,
    stdio: 'pipe',
    encoding: 'utf8',
    timeout: timeoutMs,
    maxBuffer: 2 ** 26,
  });
  const elapsedMs = Number(process.hrtime.bigint() - start) / 1e6;
  return {
    status,
    stdout,
    stderr: error?.message ?? stderr,
    elapsedMs,
    startedAt,
    endedAt: (Date.now() + 1) / 1000,
  };
}

/**
 * Runs a command that must succeed. Returns its stdout.
 *
 * @param {string} command words without blanks in them
 */
export function must(command) {
  const { status, stdout, stderr } = run(command.split(' '));
  if (status !== 0) throw new Error(`${command}: ${stderr.trim() || `exit code ${status}`}`);
  return stdout;
}

/**
 * Starts a command that runs until it is stopped, at the latest after the measurements.
 *
 * @param {string[]} argv
 * @param {'stdout' | 'stderr'} stream where it reports that it is ready
 * @returns the first line it writes there, and what ends it by a signal and waits for that
 */
export async function start(argv, stream = 'stdout') {
  const child = spawn(argv[0], argv.slice(1), { env, stdio: 'pipe' });
  atEnd(() => child.kill('SIGKILL'));
  const closed = once(child, 'close');
  const line = once(createInterface({ input: child[stream] }), 'line');
  const [first] = await Promise.race([
    line,
    closed.then(() => Promise.reject(new Error(`${argv.join(' ')} ended at once`))),
  ]);
  const stop = (signal) => (child.kill(signal), closed);
  return { first, stop };
}

/**
 * Opens the same port on each host. Returns its number.
 *
 * @param {string[]} prefix words before the command
 */
export async function openPort(hosts, prefix = []) {
  return (await start([...prefix, process.execPath, file('listener.mjs'), ...hosts])).first;
}

/** Measures each peer once per round. The first peer rotates, so noise affects all equally. */
export function roundRobin(peers, rounds, measure) {
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < peers.length; turn++) measure(peers[(round + turn) % peers.length]);
  }
}
