import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { run } from './command.js';
import type { Lab } from './lab.js';

/** How long a screen may take; only a hang takes longer. */
const PATIENCE = { timeout: 40_000, interval: 50 } as const;

/** A terminal in a namespace of the lab, as a person there sees it. Needs `tmux`. */
export interface LabTerminal {
  /** The working folder. */
  readonly folder: string;
  /** The screen: text with SGR sequences, without empty lines at its end. */
  readonly screen: () => Promise<string>;
  /** Waits until the text of the screen matches. */
  readonly waitFor: (expected: RegExp) => Promise<void>;
  /** Types keys by tmux's names, such as `C-c`. */
  readonly press: (key: string) => Promise<void>;
  /** Waits until the script has ended. */
  readonly ended: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Runs a shell script on a terminal of the client. */
export async function openLabTerminal(
  lab: Lab,
  size: { columns: number; rows: number },
  commands: string,
): Promise<LabTerminal> {
  const folder = await mkdtemp(join(tmpdir(), 'portping-terminal-'));
  const tmux = (...words: string[]): Promise<string> =>
    run(['tmux', '-u', '-S', join(folder, 'tmux'), '-f', '/dev/null', ...words]);
  const end = join(folder, 'ended');
  const script = join(folder, 'script');
  // The shell survives ^C, and keeps the screen as long as it runs.
  const lines = [`cd '${folder}'`, 'trap : INT', commands, `: > '${end}'`, 'exec sleep infinity'];
  await writeFile(script, lines.join('\n'));
  await lab.exec('client', [
    ...['tmux', '-u', '-S', join(folder, 'tmux'), '-f', '/dev/null', 'new-session', '-d'],
    ...['-x', String(size.columns), '-y', String(size.rows), `sh ${script}`],
    ...[';', 'set', '-g', 'status', 'off'],
  ]);
  const screen = async (): Promise<string> =>
    (await tmux('capture-pane', '-e', '-p')).trimEnd().replace(/[ \t]+$/gm, '');
  return {
    folder,
    screen,
    waitFor: (expected) =>
      vi.waitFor(async () => {
        const shown = (await screen()).replace(/\x1b\[[\d;]*m/g, '');
        if (!expected.test(shown)) throw new Error(`${expected} is not on the screen:\n${shown}`);
      }, PATIENCE),
    press: async (key) => void (await tmux('send-keys', key)),
    ended: () =>
      vi.waitFor(async () => {
        if (!existsSync(end)) throw new Error(`the script still runs:\n${await screen()}`);
      }, PATIENCE),
    close: async () => {
      await tmux('kill-server').catch(() => {});
      await rm(folder, { recursive: true, force: true });
    },
  };
}
