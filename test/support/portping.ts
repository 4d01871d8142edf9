import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { collect, environment, type ExecResult, run } from './command.js';
import { listenDns } from './listeners.js';

/** The Node that runs the command under test: PORTPING_TEST_NODE, or this one. */
export const testNode = process.env['PORTPING_TEST_NODE'] ?? process.execPath;

const checkout = fileURLToPath(new URL('../../', import.meta.url));

/** The words that start the built command. */
export const portpingCommand = [testNode, join(checkout, 'bin/portping.js')];

/** The words before a command that the user nobody is to run (setpriv(1)). They need root. */
export const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** Options of `portping`. */
export interface RunOptions {
  env?: Record<string, string>;
  /** Kill it after this many milliseconds; 15,000 unless given. */
  timeoutMs?: number;
  /** Words that start the command, e.g. a shell that sets a limit. */
  wrapper?: string[];
  /** The command to run; the built one of this checkout unless given. */
  command?: readonly string[];
  input?: string;
}

function start(
  args: readonly string[],
  { env, wrapper = [], command = portpingCommand }: RunOptions = {},
): ChildProcess {
  const [file = '', ...rest] = [...wrapper, ...command, ...args];
  return spawn(file, rest, { env: { ...environment, ...env }, stdio: 'pipe', detached: true });
}

/** Runs the command without a terminal and with a small environment. Never rejects. */
export async function portping(args: string[], options: RunOptions = {}): Promise<ExecResult> {
  const { timeoutMs = 15_000, input = '' } = options;
  const startedAt = performance.now();
  return collect(start(args, options), { input, timeoutMs, startedAt });
}

/** Runs a copy of the command that every user may read, as the user nobody. */
export async function portpingAsNobody(
  args: string[],
  { wrapper = [], ...options }: RunOptions = {},
): Promise<ExecResult> {
  const folder = await mkdtemp(join(tmpdir(), 'portping-nobody-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['bin', 'dist'])
    await cp(join(checkout, name), join(folder, name), { recursive: true });
  await run(['chmod', '-R', 'a+rX', folder]);
  const command = [testNode, join(folder, 'bin/portping.js')];
  return portping(args, { ...options, command, wrapper: [...asNobody, ...wrapper] });
}

/** Runs the command with a name server that never answers; interrupts it at the first question. */
export async function interruptedPortping(options: readonly string[]): Promise<ExecResult> {
  const startedAt = performance.now();
  let interrupted = false;
  // Send only one SIGINT. A second, at the query for the other family, ends the run at once.
  const { address } = await listenDns(() => {
    interrupted ||= child.kill('SIGINT');
    return 'silence';
  });
  const child = start([...options, '--dns', address, 'name.test', '25']);
  return collect(child, { input: '', timeoutMs: 15_000, startedAt });
}

/** The JSON object that a run printed. */
export function jsonOf(result: ExecResult): Record<string, any> {
  return JSON.parse(result.stdout) as Record<string, any>;
}
