import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { collect, environment, type ExecResult } from './command.js';

/** The Node that runs the command under test: another version where PORTPING_TEST_NODE names one. */
export const testNode = process.env['PORTPING_TEST_NODE'] ?? process.execPath;

/** The words that start the built command. */
export const portpingCommand = [testNode, fileURLToPath(new URL('../../bin/portping.js', import.meta.url))];

/** Options of `portping`. */
export interface RunOptions {
  env?: Record<string, string>;
  /** Kill it after this many milliseconds; 15,000 unless given. */
  timeoutMs?: number;
  /** Run these words before the command, e.g. a shell that sets a limit. */
  wrapper?: string[];
  input?: string;
}

/** Runs the command as a child process, without a terminal, with a small environment; never fails by itself. */
export async function portping(args: string[], { env = {}, timeoutMs = 15_000, wrapper = [], input = '' }: RunOptions = {}): Promise<ExecResult> {
  const [file = '', ...rest] = [...wrapper, ...portpingCommand, ...args];
  const startedAt = performance.now();
  const child = spawn(file, rest, { env: { ...environment, ...env }, stdio: 'pipe', detached: true });
  return collect(child, { input, timeoutMs, startedAt });
}

/** The one JSON object that a run printed. */
export function jsonOf(result: ExecResult): Record<string, any> {
  return JSON.parse(result.stdout) as Record<string, any>;
}
