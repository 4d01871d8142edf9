import { spawn } from 'node:child_process';
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

/** A folder in PATH that may not be searched gives EACCES for a command that does not exist. */
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
 * Runs a command in place of this process: it gets our streams and signals, and we end as it ends.
 *
 * @returns its exit code; 127 if it does not exist and 126 if it cannot be run (POSIX, 2.8.2).
 * If a signal ended it, this process ends by that signal, or returns 128 and its number
 */
export function runCommand(words: readonly string[]): Promise<number> {
  const [file = '', ...args] = words;
  return new Promise<number>((resolve, reject) => {
    // Throws some errors (ENOTDIR, ELOOP …); others come as an event.
    const child = spawn(file, args, { stdio: 'inherit' });
    // On a terminal, ^C reaches the whole process group.
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
        process.removeAllListeners(signal); // a listener would keep it from ending us
        process.kill(process.pid, signal);
      }
      // Still here: Node ignores SIGPIPE, and no signal ends the first process of a container.
      resolve(exitCode ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  }).catch((error: NodeJS.ErrnoException) => cannotRun(file, error));
}
