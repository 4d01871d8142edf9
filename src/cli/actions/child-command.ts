import { accessSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, resolve } from 'node:path';
import spawn from 'cross-spawn'; // finds npm.cmd on Windows
import { escapeControls } from '../../report/escape.js';

/** Signals that do not end us while the command runs. SIGBREAK is Ctrl+Break on Windows. */
const SIGNALS = [
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGINT',
  'SIGBREAK',
] as const;

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

const IS_WINDOWS = process.platform === 'win32';

/**
 * Whether a command is in no folder of PATH. Windows also looks in the current folder, and adds the
 * endings of PATHEXT.
 */
function isNowhere(file: string): boolean {
  const isPath = file.includes('/') || (IS_WINDOWS && file.includes('\\'));
  if (isPath && !IS_WINDOWS) return false;
  const { PATH = '', PATHEXT = '.COM;.EXE;.BAT;.CMD' } = process.env;
  const folders = [...(IS_WINDOWS ? ['.'] : []), ...(isPath ? [] : PATH.split(delimiter))];
  const endings = IS_WINDOWS ? ['', ...PATHEXT.split(';')] : [''];
  return !folders.some((folder) =>
    endings.some((ending) => exists(resolve(folder, `${file}${ending}`))),
  );
}

function cannotRun(file: string, { code = '', message }: NodeJS.ErrnoException): number {
  // A folder in PATH that may not be searched gives EACCES for a command that does not exist.
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
  // cmd.exe would look for it, complain and exit with 1, as other commands do.
  if (IS_WINDOWS && isNowhere(file))
    return Promise.resolve(cannotRun(file, Object.assign(new Error(), { code: 'ENOENT' })));
  return new Promise<number>((settle, reject) => {
    // Throws some errors (ENOTDIR, ELOOP …); others come as an event.
    const child = spawn(file, args, { stdio: 'inherit' });
    // On a terminal, ^C reaches the whole process group. Windows sends each signal to all processes
    // of the console, and kill() would end the command before it has cleaned up.
    const passOn = (signal: NodeJS.Signals): void => {
      if (IS_WINDOWS || (signal === 'SIGINT' && process.stdin.isTTY)) return;
      child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, passOn);
    const stopListening = (): void => {
      for (const signal of SIGNALS) process.off(signal, passOn);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      stopListening();
      reject(error);
    });
    child.once('exit', (exitCode, signal) => {
      stopListening();
      if (signal) {
        process.removeAllListeners(signal); // a listener would keep it from ending us
        process.kill(process.pid, signal);
      }
      // Still here: Node ignores SIGPIPE, and no signal ends the first process of a container.
      settle(exitCode ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  }).catch((error: NodeJS.ErrnoException) => cannotRun(file, error));
}
