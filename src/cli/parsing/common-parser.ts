import { parseArgs } from 'node:util';
import { COMMON_OPTIONS, type ParsedLine } from '../options/common-options.js';

type CommonName = keyof typeof COMMON_OPTIONS;

interface CommonOption {
  readonly name: CommonName;
  /** False for an option that switches something off. */
  readonly on: boolean;
  readonly type: 'string' | 'boolean';
  readonly short?: string;
}

/** The common options by their long form, as `parseArgs` wants them; `-4` has only a short one. */
const optionsByForm = (): Readonly<Record<string, CommonOption>> =>
  Object.fromEntries(
    Object.entries(COMMON_OPTIONS).map(([name, { flags }]) => {
      const [, short] = /(?<!\S)-([^-\s,])/.exec(flags) ?? [];
      const [, long = name] = /--([\w-]+)/.exec(flags) ?? [];
      const type = flags.includes('<') ? 'string' : 'boolean';
      const on = !long.startsWith('no-');
      return [
        long,
        { name: name as CommonName, on, type, ...(short === undefined ? {} : { short }) },
      ];
    }),
  );

/**
 * Reads a command line that has only common options with Node's own parser. commander takes 6 ms to
 * load and to be told of all options.
 *
 * @param words the words before `--`
 * @param command the words after `--`; null without `--`
 * @returns null when there is anything else, or anything wrong, which `parseOptions` reads
 */
export function parseCommonOptions(
  words: readonly string[],
  command: readonly string[] | null,
): ParsedLine<CommonName> | null {
  // Without a long form an option could be given by its name in the table.
  if (words.some((word) => /^--ipv[46]/.test(word))) return null;
  const texts = new Map<CommonName, string | boolean>();
  const args = [...words];
  const options = optionsByForm();
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    for (const [long, text] of Object.entries(values)) {
      const option = options[long];
      // A value such as `--wait` may have been meant for an option: the other parser explains that.
      if (!option || (typeof text === 'string' && text.startsWith('-'))) return null;
      texts.set(option.name, typeof text === 'string' ? text : option.on);
    }
    return { texts, words: positionals, command, hint: '', shown: null, problem: null };
  } catch {
    return null;
  }
}
