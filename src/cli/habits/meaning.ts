/** What a foreign option or form stands for in portping. */
export interface Meaning {
  /** Options of portping, each with its value if it has one. */
  readonly options?: readonly (readonly string[])[];
  readonly host?: string;
  readonly port?: string;
  /** Words in the place of this one. */
  readonly words?: readonly string[];
  /** The port if none is given, as an example or because the tool has it. */
  readonly defaultPort?: string;
  /** The words that are not options are a command to run after the wait. */
  readonly runsCommand?: true;
}

/** A way to read an option of another tool. */
export interface OptionHabit {
  /** The forms of the option: `-p`, `--port`, `-Port`. */
  readonly forms: readonly string[];
  /** What its value looks like; null for an option without a value. */
  readonly value: RegExp | null;
  readonly means: (value: string, form: string) => Meaning;
  /** What is wrong with it here. */
  readonly problem: string;
  /** It is read in this way only on a command line that has this. */
  readonly beside?: RegExp;
  /** Other tools mean something else: the next reading is named too. */
  readonly isAmbiguous?: true;
}

/** A way to read a word that is not an option. */
export interface FormHabit {
  readonly form: RegExp;
  readonly argument: 'host' | 'port' | 'arguments';
  readonly means: (match: readonly string[]) => Meaning;
  readonly problem: string;
  readonly isAmbiguous?: true;
  /** It is read in this way only if no word follows that could be a port. */
  readonly isLast?: true;
}

export const NOTHING = (): Meaning => ({});
export const asHost = (host: string): Meaning => ({ host });
export const asPort = (port: string): Meaning => ({ port });

/** These options of portping, for any value. */
export const as =
  (...options: readonly string[]) =>
  (): Meaning => ({ options: options.map((option) => option.split(' ')) });

/** An option of portping with the value, after a conversion. */
export const withValue =
  (option: string, convert: (value: string) => string = (value) => value) =>
  (value: string): Meaning => ({ options: [[option, convert(value)]] });

/** A number of seconds, with its unit. */
export const inSeconds = (value: string): string => (/^[\d.]+$/.test(value) ? `${value}s` : value);

/** A number of milliseconds, with the unit that reads best. */
export function inMilliseconds(value: string): string {
  if (!/^[\d.]+$/.test(value)) return value;
  return Number(value) % 1000 === 0 ? `${Number(value) / 1000}s` : `${value}ms`;
}
