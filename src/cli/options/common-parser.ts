import { Command, CommanderError, Option } from 'commander';
import { COMMON_OPTIONS, type OptionDefinition, type ParsedLine } from './common-options.js';

/** Stands for a value that was left out. A word of a command line cannot contain NUL. */
export const NO_VALUE = '\0';

/** Which options were given, how often, and their values. */
export function watchOptions<Name extends string>(
  program: Command,
  definitions: Readonly<Record<Name, OptionDefinition>>,
): { readonly texts: Map<Name, string | boolean>; readonly twice: Name[] } {
  const texts = new Map<Name, string | boolean>();
  const twice: Name[] = [];
  for (const name of Object.keys(definitions) as Name[]) {
    const { flags, once } = definitions[name];
    const option = new Option(flags);
    program.on(`option:${option.name()}`, (text?: string | null) => {
      if (texts.has(name) && once) twice.push(name);
      texts.set(
        name,
        text === undefined || text === null || text === NO_VALUE ? !option.negate : text,
      );
    });
  }
  return { texts, twice };
}

/**
 * Reads a command line that has only common options. commander knows no others here, which takes a
 * third of the time.
 *
 * @param words the words before `--`
 * @param command the words after `--`; null without `--`
 * @returns null when there is anything else, which `parseOptions` reads
 */
export function parseCommonOptions(
  words: readonly string[],
  command: readonly string[] | null,
): ParsedLine<keyof typeof COMMON_OPTIONS> | null {
  const program = new Command()
    .argument('[target...]')
    .helpOption(false)
    .configureOutput({ writeErr: () => {} })
    .exitOverride();
  for (const { flags } of Object.values(COMMON_OPTIONS)) program.addOption(new Option(flags));
  const { texts } = watchOptions(program, COMMON_OPTIONS);
  try {
    program.parse(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return null;
    throw error;
  }
  // A value such as `--wait` may have been meant for an option: the other parser explains that.
  if ([...texts.values()].some((text) => typeof text === 'string' && text.startsWith('-')))
    return null;
  return { texts, words: program.args, command, hint: '', shown: null, problem: null };
}
