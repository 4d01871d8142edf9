import { spawn } from 'node:child_process';
import { collect, environment } from './command.js';
import { portpingCommand } from './portping.js';

/** Options of `onTerminal`. */
export interface TerminalOptions {
  columns?: number;
  env?: Record<string, string>;
  /** A redirection of the shell, such as `2>&1 | cat`. */
  redirection?: string;
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** All that the command wrote to a terminal of its own (script(1)); lines end with `\n`. */
export async function onTerminal(
  args: readonly string[],
  { columns = 80, env = {}, redirection = '' }: TerminalOptions = {},
): Promise<string> {
  const words = [...portpingCommand, ...args].map(quoted).join(' ');
  const command = `stty cols ${columns}; ${words} ${redirection}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...environment, TERM: 'xterm', ...env },
    detached: true,
  });
  const options = { input: '', timeoutMs: 30_000, startedAt: performance.now() };
  return (await collect(child, options)).stdout.replaceAll('\r\n', '\n');
}
