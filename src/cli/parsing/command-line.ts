import { type Format, FORMATS } from '../../report/formats/registry.js';
import { VARIABLES } from '../options/common-options.js';
import type { CommandLine, OptionName } from '../options/option-table.js';
import { parseCommonOptions } from './common-parser.js';

/** Actions that use no option with a variable, and one that has its own format. */
const WITHOUT_DEFAULTS = ['explain', 'completion'] as const;

/** Adds the values of environment variables for options that were not given. */
function addDefaults(line: CommandLine): CommandLine {
  const { texts, shown } = line;
  if (shown !== null || WITHOUT_DEFAULTS.some((name) => texts.has(name))) return line;
  const all = new Map(texts);
  const variables = new Map<OptionName, string>();
  for (const name of Object.keys(VARIABLES) as (keyof typeof VARIABLES)[]) {
    const text = process.env[VARIABLES[name]];
    // A report has its own format.
    if (!text || texts.has(name) || (name === 'output' && texts.has('report'))) continue;
    variables.set(name, VARIABLES[name]);
    all.set(name, text);
  }
  return variables.size === 0 ? line : { ...line, texts: all, variables };
}

/** Reads the words before `--`. commander is loaded only for options that are not common. */
async function readOptions(
  words: readonly string[],
  afterOptions: readonly string[] | null,
): Promise<CommandLine> {
  if (words.some((word) => word.startsWith('-'))) {
    const common = parseCommonOptions(words, afterOptions);
    return common ?? (await import('./option-parser.js')).parseOptions(words, afterOptions);
  }
  return { texts: new Map(), words, command: afterOptions, hint: '', shown: null, problem: null };
}

/** What people type to see how to begin; `/?` is that of Windows. */
const HELP_WORDS = ['help', '/?', '-?'];

const isHelpWord = ([word = '', ...rest]: readonly string[]): boolean =>
  rest.length === 0 && HELP_WORDS.includes(word);

/**
 * Takes a command line apart. Words after the first `--` are targets (POSIX, XBD 12.2, guideline
 * 10), or with `--wait` the command to run.
 */
export async function readCommandLine(argv: readonly string[]): Promise<CommandLine> {
  if (isHelpWord(argv)) {
    const { shortHelp } = await import('./short-help.js');
    return { ...(await readOptions([], null)), shown: shortHelp() };
  }
  const end = argv.indexOf('--');
  if (end < 0) return addDefaults(await readOptions(argv, null));
  const line = addDefaults(await readOptions(argv.slice(0, end), argv.slice(end + 1)));
  const { texts, words, command, hint } = line;
  if (command === null) return line;
  const text = command.join(' ');
  if (texts.has('wait'))
    return words.length > 0
      ? line
      : { ...line, hint: `${hint}; with --wait, "${text}" after -- is the command` };
  const isCommand = words.length > 0 && command.length > 0;
  const runs = isCommand ? `; "${text}" can be a command only with --wait` : '';
  return { ...line, words: [...words, ...command], command: null, hint: `${hint}${runs}` };
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
