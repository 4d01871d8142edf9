import { escapeControls } from '../../report/escape.js';

/** Characters that no shell treats in a special way, anywhere in a word. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** The same for cmd.exe and PowerShell, in which `%`, `@`, `,` and `=` are special. */
const PLAIN_ON_WINDOWS = /^[\w+:./-][\w+:./=-]*$/;

/**
 * A word as it is typed in a shell.
 *
 * @returns null if it cannot be shown, or cannot be quoted for all shells of the platform
 */
export function quoteWord(word: string, platform: NodeJS.Platform): string | null {
  if (escapeControls(word) !== word) return null;
  if (platform !== 'win32')
    return PLAIN.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
  if (PLAIN_ON_WINDOWS.test(word)) return word;
  // Inside double quotes cmd.exe expands %, and PowerShell expands $ and `.
  return /["%$`!^\\]/.test(word) ? null : `"${word}"`;
}

/** A command line of portping to type; null if one of its words cannot be shown. */
export function commandText(words: readonly string[], platform: NodeJS.Platform): string | null {
  const quoted = words.map((word) => quoteWord(word, platform));
  return quoted.includes(null) ? null : ['portping', ...quoted].join(' ');
}
