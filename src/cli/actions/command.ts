import { accessSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { escapeControls } from '../../report/escape.js';

/** Signals that are passed on to the command. */
const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGINT'] as const;

const CAUSES: Readonly<Record<string, string>> = {
  ENOENT: 'no such command',
  EACCES: 'not permitted, or not a program',
};

function exists(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A folder of PATH that may not be searched makes EACCES of a command that is nowhere else. */
const isNowhere = (file: string): boolean =>
  !file.includes('/') &&
  !(process.env['PATH'] ?? '').split(delimiter).some((folder) => exists(join(folder, file)));

function cannotRun(file: string, { code = '', message }: NodeJS.ErrnoException): number {
  const cause = code === 'EACCES' && isNowhere(file) ? 'ENOENT' : code;
  process.stderr.write(
    `portping: cannot run ${escapeControls(file)}: ${CAUSES[cause] ?? escapeControls(message)}\n`,
  );
  return cause === 'ENOENT' ? 127 : 126;
}

/**
 * Runs a command in place of this process, as far as that can be: its input and output are ours, signals are passed on, and how it ends is how
 * we end. A command that cannot be run gives 127 when it is not there and 126 otherwise, as in a shell (POSIX, 2.8.2).
 *
 * @returns its exit code; when a signal ended it, this process ends by the same one or, where it cannot, with 128 and the signal's number
 */
export async function runCommand(words: readonly string[]): Promise<number> {
  const { spawn } = await import('node:child_process');
  const [file = '', ...args] = words;
  return new Promise<number>((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit' }); // throws some errors (ENOTDIR, ELOOP …), and tells others later
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
      reject(error);
    });
    child.once('exit', (exitCode, signal) => {
      settle();
      if (signal) {
        process.removeAllListeners(signal); // ours would keep it from ending us
        process.kill(process.pid, signal);
      }
      // Still here: it is ignored (SIGPIPE, by Node), or this is the first process of a container, which no signal ends.
      resolve(exitCode ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  }).catch((error: NodeJS.ErrnoException) => cannotRun(file, error));
}
