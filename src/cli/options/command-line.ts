import { type Format, FORMATS } from '../../report/formats/registry.js';
import type { CommandLine } from './option-parser.js';

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
