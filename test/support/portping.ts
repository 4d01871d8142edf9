import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { collect, environment, type ExecResult } from './command.js';
import { listenDns } from './listeners.js';

/** The Node that runs the command under test: another version where PORTPING_TEST_NODE names one. */
export const testNode = process.env['PORTPING_TEST_NODE'] ?? process.execPath;

/** The words that start the built command. */
export const portpingCommand = [
  testNode,
  fileURLToPath(new URL('../../bin/portping.js', import.meta.url)),
];

/** The words before a command that is to be run by nobody in particular (setpriv(1)); needs root. */
export const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** Whether the command can be run like that: not where its folder is root's alone. */
export const nobodyCanRun = (): boolean =>
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  spawnSync(asNobody[0] ?? '', [...asNobody.slice(1), ...portpingCommand, '--version']).status ===
    0;

/** Options of `portping`. */
export interface RunOptions {
  env?: Record<string, string>;
  /** Kill it after this many milliseconds; 15,000 unless given. */
  timeoutMs?: number;
  /** Run these words before the command, e.g. a shell that sets a limit. */
  wrapper?: string[];
  input?: string;
}

function start(
  args: readonly string[],
  env: Record<string, string> = {},
  wrapper: readonly string[] = [],
): ChildProcess {
  const [file = '', ...rest] = [...wrapper, ...portpingCommand, ...args];
  return spawn(file, rest, { env: { ...environment, ...env }, stdio: 'pipe', detached: true });
}

/** Runs the command as a child process, without a terminal, with a small environment; never fails by itself. */
export async function portping(
  args: string[],
  { env, timeoutMs = 15_000, wrapper, input = '' }: RunOptions = {},
): Promise<ExecResult> {
  const startedAt = performance.now();
  return collect(start(args, env, wrapper), { input, timeoutMs, startedAt });
}

/** Runs the command with a target whose name server never answers, and interrupts it (SIGINT) as soon as that is asked. */
export async function interruptedPortping(options: readonly string[]): Promise<ExecResult> {
  const startedAt = performance.now();
  let interrupted = false;
  // Once: it is asked for two kinds of addresses, and a second signal would end the command at once.
  const { address } = await listenDns(() => {
    interrupted ||= child.kill('SIGINT');
    return 'silence';
  });
  const child = start([...options, '--dns', address, 'name.test', '25']);
  return collect(child, { input: '', timeoutMs: 15_000, startedAt });
}

/** The one JSON object that a run printed. */
export function jsonOf(result: ExecResult): Record<string, any> {
  return JSON.parse(result.stdout) as Record<string, any>;
}
