import { UsageError } from '../../core/usage-error.js';

/** A mapping of a configuration file, and where it stands, for messages. */
export interface Fields {
  /** `--config.file: modules.mail`. */
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** How a value is named in a message: without what it contains, which may be a secret. */
const kindOf = (value: unknown): string =>
  value === null || value === undefined
    ? 'empty'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'a mapping'
        : `a ${typeof value}`;

/**
 * A value as a mapping with known keys only.
 *
 * @param allowed the known keys; null for any
 * @throws UsageError naming the path, what is wrong with it and what is allowed
 */
export function fieldsOf(
  value: unknown,
  path: string,
  allowed: readonly string[] | null = null,
): Fields {
  const expected = allowed === null ? 'names and their values' : allowed.join(', ');
  if (!isMapping(value))
    throw new UsageError(`${path}: is ${kindOf(value)}; allowed: a mapping of ${expected}`);
  const unknown = allowed && Object.keys(value).find((key) => !allowed.includes(key));
  if (unknown)
    throw new UsageError(`${path}.${unknown}: is not supported; allowed: ${allowed.join(', ')}`);
  return { path, values: value };
}

/** A mapping inside a mapping; undefined when it is missing or empty. */
export function mappingAt(
  { path, values }: Fields,
  key: string,
  allowed: readonly string[] | null = null,
): Fields | undefined {
  const value = values[key] ?? undefined;
  return value === undefined ? undefined : fieldsOf(value, `${path}.${key}`, allowed);
}

/**
 * A text; undefined when it is missing or empty. A number is taken as it is written.
 *
 * @param parse reads the text; gets the path for its message
 */
export function textAt<T = string>(
  { path, values }: Fields,
  key: string,
  parse: (text: string, name: string) => T = (text) => text as T,
): T | undefined {
  const value = values[key] ?? '';
  if (value === '') return undefined;
  if (typeof value !== 'string' && typeof value !== 'number')
    throw new UsageError(`${path}.${key}: is ${kindOf(value)}; allowed: a text`);
  return parse(String(value), `${path}.${key}`);
}

/** A truth value; undefined when it is missing. */
export function flagAt({ path, values }: Fields, key: string): boolean | undefined {
  const value = values[key] ?? undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  throw new UsageError(`${path}.${key}: is ${kindOf(value)}; allowed: true or false`);
}

/** One of some words; undefined when it is missing. */
export const wordAt = <T extends string>(
  fields: Fields,
  key: string,
  words: readonly T[],
): T | undefined =>
  textAt(fields, key, (text, name) => {
    const word = words.find((each) => each === text);
    if (word === undefined)
      throw new UsageError(`${name}: "${text}" is unknown; allowed: ${words.join(', ')}`);
    return word;
  });
