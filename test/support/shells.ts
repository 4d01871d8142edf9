import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environment } from './command.js';

/** Shells that tests type into, and how each starts without the user's files. */
const SHELLS = {
  bash: 'bash --noprofile --norc -i',
  zsh: 'zsh -f -i',
  fish: 'fish --no-config --private -i',
} as const;

/** A shell that tests type into. */
export type TypedShell = keyof typeof SHELLS;

/** A shell at a terminal. */
export interface ShellPrompt {
  /** Its home, which ends with it. */
  readonly home: string;
  /** Types text and waits until the shell has printed something; returns its first group. */
  readonly type: (text: string, answer: RegExp) => Promise<string>;
  readonly close: () => Promise<void>;
}

/** Starts a shell at a terminal of 100 columns. Needs `script`. */
export function openPrompt(shell: TypedShell): ShellPrompt {
  const home = mkdtempSync(join(tmpdir(), 'portping-shell-'));
  const command = `stty cols 100 rows 40; exec ${SHELLS[shell]}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...environment, HOME: home, TERM: 'xterm', SHELL: '/bin/sh' },
    cwd: home,
    stdio: 'pipe',
  });
  let unread = '';
  let look = (): void => {};
  let fail = (_reason: Error): void => {};
  const exited = new Promise((resolve) => child.once('exit', resolve));
  void exited.then(() => fail(new Error(`${shell} ended: ${unread}`)));
  child.stdout.on('data', (data: Buffer) => {
    unread += data.toString();
    look();
  });
  const type = (text: string, answer: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      look = () => {
        const match = answer.exec(unread);
        if (match === null) return;
        look = () => {};
        unread = unread.slice(match.index + match[0].length);
        resolve(match[1] ?? '');
      };
      fail = reject;
      child.stdin.write(text);
    });
  const close = async (): Promise<void> => {
    child.stdin.end();
    child.kill('SIGHUP');
    await exited;
    rmSync(home, { recursive: true, force: true });
  };
  return { home, type, close };
}
