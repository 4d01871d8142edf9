import { parseDuration } from '../../core/duration.js';
import { DEFAULT_TIMEOUT_MS } from '../../core/limits.js';
import { UsageError } from '../../core/usage-error.js';
import { type Format, FORMAT_NAMES, FORMATS } from '../../report/formats/registry.js';

/** The options of a command line that has none. */
export const DEFAULT_OPTIONS = {
  timeout: DEFAULT_TIMEOUT_MS,
  expect: 'open',
  output: 'text',
  color: true,
  companions: true,
} as const;

/**
 * Environment variables that set options, by the name of the option. An option of the command line
 * wins. An empty variable counts as unset.
 */
export const VARIABLES = {
  timeout: 'PORTPING_TIMEOUT',
  dns: 'PORTPING_DNS',
  source: 'PORTPING_SOURCE',
  output: 'PORTPING_OUTPUT',
} as const;

/**
 * The most targets that can be probed again and again, waited for, or held in one check: each has
 * its own statistics.
 */
export const MAX_REPEATED_TARGETS = 1000;

/** What `--targets` takes, for error messages. */
export const INPUT_ADVICE = 'use a file, or - for standard input';

/** A command line, taken apart but not yet checked. */
export interface ParsedLine<Name extends string> {
  /**
   * The options that were given, with their values as text; true for an option without a value,
   * false for one that switches something off.
   */
  readonly texts: ReadonlyMap<Name, string | boolean>;
  /** The words that are not options. */
  readonly words: readonly string[];
  /** The words after `--` if they are a command, which runs after a wait; otherwise null. */
  readonly command: readonly string[] | null;
  /** What to add to an error about the words, if one of them may have been meant for an option. */
  readonly hint: string;
  /** The text that was asked for (help, version); null otherwise. */
  readonly shown: string | null;
  /** Why it cannot be taken apart; null if it can. */
  readonly problem: Error | null;
  /** The environment variables that gave a value, by option. */
  readonly variables?: ReadonlyMap<Name, string>;
}

/** Reads the value of an option; `name` is its long form, for the error message. */
export type Parse<Value> = (text: string, name: string) => Value;

/** All that is known about an option, apart from its rules (`option-rules.ts`). */
export interface OptionDefinition<Value = unknown> {
  /** As commander reads it: `-w, --timeout <duration>`. */
  readonly flags: string;
  /** The text in `--help`. */
  readonly help: string;
  /** Undefined for an option without a value. */
  readonly parse?: Parse<Value>;
  /** All values that are allowed, where they are a list. */
  readonly choices?: readonly string[];
  /**
   * For an option whose value may be left out: the next word is its value if it has this form. A
   * POSIX extended regular expression, which shells understand too.
   */
  readonly form?: RegExp;
  /** What `form` describes, in words for an error message. */
  readonly kind?: string;
  /** Refused when given twice. Of other options the last one counts. */
  readonly once?: true;
}

export const flag = (flags: string, help: string): OptionDefinition<true> => ({ flags, help });

export const switchOff = (flags: string, help: string): OptionDefinition<false> => ({
  flags,
  help,
});

export const value = <Value>(
  flags: string,
  help: string,
  parse: Parse<Value>,
): OptionDefinition<Value> => ({ flags, help, parse });

/** An option with a list of allowed values, one of which may be the default. */
export function choice<Choice extends string>(
  flags: string,
  help: string,
  choices: readonly Choice[],
  byDefault?: NoInfer<Choice>,
): OptionDefinition<Choice> {
  const list = choices.map((each) => (each === byDefault ? `${each} (default)` : each));
  const parse: Parse<Choice> = (text, name) => {
    const found = choices.find((each) => each === text);
    if (found !== undefined) return found;
    throw new UsageError(`${name}: "${text}" is not allowed; allowed: ${choices.join(', ')}`);
  };
  return { flags, help: `${help}: ${list.join(', ')}`, parse, choices };
}

export const duration: Parse<number> = (text, name) => parseDuration(text, name);

/** The form of an option that messages use: the long one where there is one. */
export const longFormOf = ({ flags }: OptionDefinition): string =>
  /--[\w-]+/.exec(flags)?.[0] ?? flags;

/**
 * The options that are given most often, as the option table has them. They stand apart so that
 * they do not need what the others do.
 */
export const COMMON_OPTIONS = {
  ipv4: flag('-4', 'use IPv4 only'),
  ipv6: flag('-6', 'use IPv6 only'),
  timeout: value(
    '-w, --timeout <duration>',
    'time limit for one probe, from name lookup to exit ' +
      `(default: ${DEFAULT_OPTIONS.timeout / 1000}s)`,
    duration,
  ),
  output: choice('-o, --output <format>', 'output format', FORMAT_NAMES, DEFAULT_OPTIONS.output),
  quiet: flag(
    '-q, --quiet',
    'print nothing, with -c or -t only the summary; the exit code is the result',
  ),
  verbose: flag('-v, --verbose', 'show every attempt and timing'),
  timestamps: flag('--timestamps', 'start each line with the time (ISO 8601)'),
  color: switchOff('--no-color', 'use no colours (environment: NO_COLOR, FORCE_COLOR)'),
} as const;

/**
 * Options that no rule restricts as long as all that are given are in one of these groups and the
 * output is no check. The rules need not be loaded for them; a test checks them against all rules.
 */
const UNRESTRICTED: readonly (readonly string[])[] = [
  ['timeout', 'color', 'verbose', 'timestamps'],
  ['timeout', 'color', 'quiet'],
  ['timeout', 'color', 'output'],
];

/** Whether the rules have nothing to say about these options. */
export const isUnrestricted = (names: ReadonlySet<string>, output: Format): boolean =>
  !FORMATS[output].isCheck &&
  UNRESTRICTED.some((group) => [...names].every((name) => group.includes(name)));
