import { escapeControls } from '../report/escape.js';

/** Signals that are passed on to the command. */
const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGINT'] as const;

/**
 * Runs a command in place of this process, as far as that can be: its input and output are ours, signals are passed on, and how it ends is how
 * we end. A command that cannot be run gives 127 when it is not there and 126 otherwise, as in a shell (POSIX, 2.8.2).
 *
 * @returns its exit code; when a signal ended it, this process ends by the same one
 */
export async function runCommand(words: readonly string[]): Promise<number> {
  const { spawn } = await import('node:child_process');
  const [file = '', ...args] = words;
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: 'inherit' });
    // On a terminal ^C reaches the whole process group by itself.
    const passOn = (signal: NodeJS.Signals): void => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of PASSED_ON) process.on(signal, passOn);
    const settle = (): void => {
      for (const signal of PASSED_ON) process.off(signal, passOn);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      settle();
      process.stderr.write(`portping: cannot run ${escapeControls(file)}: ${error.code === 'ENOENT' ? 'no such command' : escapeControls(error.message)}\n`);
      resolve(error.code === 'ENOENT' ? 127 : 126);
    });
    child.once('exit', (exitCode, signal) => {
      settle();
      if (signal) process.kill(process.pid, signal);
      resolve(exitCode ?? 1);
    });
  });
}
