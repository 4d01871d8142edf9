import { quoteValue } from '../core/limits.js';
import { EXPECTATIONS } from '../core/states.js';
import { parseDnsServer, parseSourceAddress } from '../core/target/address-parameters.js';
import { UsageError } from '../core/usage-error.js';

interface Rule {
  readonly fits: (value: unknown) => boolean;
  readonly allowed: string;
}

const oneOf = (...values: readonly unknown[]): Rule => ({
  fits: (value) => values.includes(value),
  allowed: values.join(', '),
});
const YES_OR_NO = oneOf(true, false);
const A_FUNCTION: Rule = { fits: (value) => typeof value === 'function', allowed: 'a function' };

/** Options whose kind is checked here. Numbers are checked where they are used. */
const RULES: Readonly<Partial<Record<string, Rule>>> = {
  family: oneOf(4, 6),
  closeWith: oneOf('fin', 'reset'),
  expect: oneOf(...EXPECTATIONS),
  everyAddress: YES_OR_NO,
  waitForName: YES_OR_NO,
  otherPorts: YES_OR_NO,
  onProbe: A_FUNCTION,
  onProgress: A_FUNCTION,
  stopWhen: A_FUNCTION,
  signal: { fits: (value) => value instanceof AbortSignal, allowed: 'an AbortSignal' },
  service: {
    fits: (value) => typeof value === 'object' && value !== null,
    allowed: "an object such as { name: 'smtp' }",
  },
};

/** Options that are text, and what reads them. */
const PARSERS: Readonly<Partial<Record<string, (text: string, name: string) => unknown>>> = {
  dnsServer: parseDnsServer,
  sourceAddress: parseSourceAddress,
};

/** Edits from one word to another: letters left out, put in or exchanged (Levenshtein, 1965). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (const [column, another] of [...other].entries()) {
      const [left = 0, above = 0, diagonal = 0] = [next[column], row[column + 1], row[column]];
      next.push(Math.min(left + 1, above + 1, diagonal + (letter === another ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** The name that was probably meant: `timeout` is close to `timeoutMs`. */
function closest(name: string, known: readonly string[]): string | undefined {
  const word = name.toLowerCase();
  return known.find((each) => {
    const other = each.toLowerCase();
    return word !== '' && (other.startsWith(word) || distance(word, other) <= 2);
  });
}

/**
 * Checks the options of a public function: a name that is unknown is refused, not ignored.
 *
 * @param known all names that the function takes
 * @returns the options
 * @throws UsageError naming the option
 */
export function checkOptions<T extends object>(
  options: T,
  known: Readonly<Record<keyof T, true>>,
): T {
  if (typeof options !== 'object' || (options as unknown) === null)
    throw new UsageError(`options: ${quoteValue(options)} is not an object`);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name)) {
      const names = Object.keys(known);
      const near = closest(name, names);
      const advice = near === undefined ? `allowed: ${names.join(', ')}` : `did you mean ${near}?`;
      throw new UsageError(`${name}: there is no such option; ${advice}`);
    }
    if (value === undefined) continue;
    PARSERS[name]?.(value as string, name);
    const rule = RULES[name];
    if (rule && !rule.fits(value))
      throw new UsageError(
        `${name}: ${quoteValue(value)} is not allowed; allowed: ${rule.allowed}`,
      );
  }
  return options;
}
