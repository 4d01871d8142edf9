import { type ChildProcess, spawn } from 'node:child_process';

/** The environment of all commands: small, and the same for every user. */
export const environment = { PATH: process.env['PATH'], HOME: '/tmp', LANG: 'C.UTF-8' };

/** The result of a command. A killed command has a `signal` and no `exitCode`. */
export interface ExecResult {
  stdout: string;
  stderr: string;
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** True if the command was killed at `timeoutMs`. */
  timedOut: boolean;
  /** From start to end, ms; entering a namespace is about 3 ms of it. */
  elapsedMs: number;
}

/** Runs a command outside the namespaces. Returns its stdout; throws its stderr if it fails. */
export async function run(argv: string[], input = ''): Promise<string> {
  const [command = '', ...args] = argv;
  const child = spawn(command, args, { env: environment, detached: true });
  const result = await collect(child, { input, timeoutMs: 15_000, startedAt: performance.now() });
  if (result.exitCode !== 0)
    throw new Error(`${argv.join(' ')}: ${result.stderr.trim() || result.signal}`);
  return result.stdout;
}

/** Options of `collect`. */
export interface CollectOptions {
  input: string;
  timeoutMs: number;
  startedAt: number;
}

/**
 * Feeds a process and waits for its end. Kills its process group at the timeout, so the process
 * must lead one (`detached`).
 */
export function collect(child: ChildProcess, options: CollectOptions): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid) kill(-child.pid);
    }, options.timeoutMs);
    child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.stdin?.on('error', () => {}).end(options.input);
    child.once('error', reject);
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer);
      resolve({
        stdout,
        stderr,
        exitCode,
        signal,
        timedOut,
        elapsedMs: performance.now() - options.startedAt,
      });
    });
  });
}

/** Kills a process, or a process group by its negative id, if it still runs. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}
