import { type Format, FORMATS } from '../../report/formats/registry.js';
import type { OptionName } from './option-table.js';

/** A command line, taken apart but not yet checked. */
export interface CommandLine {
  /**
   * The options that were given, with their values as text; true for an option without a value,
   * false for one that switches something off.
   */
  readonly texts: ReadonlyMap<OptionName, string | boolean>;
  /** The words that are not options. */
  readonly words: readonly string[];
  /** The words after `--`; null without `--`. */
  readonly command: readonly string[] | null;
  /** What to add to an error about the words, if one of them may have been meant for an option. */
  readonly hint: string;
  /** The text that was asked for (help, version); null otherwise. */
  readonly shown: string | null;
  /** Why it cannot be taken apart; null if it can. */
  readonly problem: Error | null;
}

/** Takes a command line apart. Loads commander, which takes 7 ms, only if there are options. */
export async function readCommandLine(argv: readonly string[]): Promise<CommandLine> {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  const command = end < 0 ? null : argv.slice(end + 1);
  if (words.some((word) => word.startsWith('-')))
    return (await import('./option-parser.js')).parseOptions(words, command);
  return { texts: new Map(), words, command, hint: '', shown: null, problem: null };
}

/** Whether a command line, which may be wrong, asks for the output of a monitoring check. */
export function asksForCheck({ texts }: CommandLine): boolean {
  const format = texts.get('output');
  return (
    typeof format === 'string' &&
    Object.hasOwn(FORMATS, format) &&
    FORMATS[format as Format].isCheck
  );
}
