import { UsageError } from './usage-error.js';

/**
 * A count as users write it: a whole number from 1 on.
 *
 * @param text what the user wrote
 * @param name the argument, for the error message
 * @param maximum the largest count allowed, below 10^15
 * @throws UsageError when it is not a whole number or out of range
 */
export function parseCount(text: string, name: string, maximum: number): number {
  if (!/^\d{1,15}$/.test(text))
    throw new UsageError(`${name}: "${text}" is not a whole number; allowed: 1 to ${maximum}`);
  const count = Number(text);
  if (count < 1 || count > maximum)
    throw new UsageError(`${name}: ${text} is out of range; allowed: 1 to ${maximum}`);
  return count;
}
