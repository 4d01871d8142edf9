import { readFileSync } from 'node:fs';
import type { Canvas } from '../../report/charts.js';

/** Whether UTF-8 can be shown: the locale decides (locale(7)); on Windows, the terminal. */
function canShowUnicode(env: NodeJS.ProcessEnv): boolean {
  if (process.platform === 'win32') return Boolean(env['WT_SESSION'] ?? env['TERM_PROGRAM']);
  return (
    /utf-?8/i.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '') && env['TERM'] !== 'linux'
  );
}

/** The room and the characters of stderr; 80 columns where it is no terminal. */
export function canvas(env: NodeJS.ProcessEnv = process.env): Canvas {
  return {
    width: Math.max((process.stderr.isTTY && process.stderr.columns) || 80, 20),
    unicode: canShowUnicode(env),
  };
}

/**
 * What breaks the long lines of a text at words, for a terminal; elsewhere the text is unchanged.
 * It is loaded only for a terminal.
 */
export async function wrapperFor(stream: NodeJS.WriteStream): Promise<(text: string) => string> {
  if (!stream.isTTY || !(stream.columns > 0)) return (text) => text;
  try {
    const { wrapText } = await import('./wrap.js');
    return (text) => wrapText(text, stream.columns);
  } catch {
    return (text) => text; // no file descriptor is left
  }
}

/**
 * Whether this process may read from its terminal. A background job that tries is stopped
 * (SIGTTIN). On Linux, fields 5 and 8 of /proc/self/stat are our process group and the terminal's.
 * Elsewhere the answer is yes.
 */
function isForeground(): boolean {
  if (process.platform !== 'linux') return true;
  try {
    const [, , group, , , terminalGroup] = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return group === terminalGroup;
  } catch {
    return true;
  }
}

/** Which keys work on this terminal, for a person who reads stderr. */
export function workingKeys(): 'none' | 'interrupt' | 'all' {
  if (!process.stderr.isTTY || !isForeground()) return 'none';
  return process.stdin.isTTY ? 'all' : 'interrupt';
}

/**
 * Calls back whenever Enter is pressed, on a terminal only.
 *
 * @returns ends it
 */
export function onEnter(callback: () => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY || !isForeground()) return () => {};
  stdin.on('data', callback).on('error', () => {});
  return () => {
    stdin.off('data', callback).pause();
  };
}
