import { describe, expect, it } from 'vitest';
import { parseCount } from '../../src/core/count.js';
import { UsageError } from '../../src/core/usage-error.js';

describe('parseCount', () => {
  it.each([
    ['1', 1],
    ['007', 7],
    ['10000', 10_000],
  ])('reads %s as %d', (text, count) => {
    expect(parseCount(text, '--concurrency', 10_000)).toBe(count);
  });

  it.each(['', ' ', '-1', '+1', '1.5', '1e3', '0x10', 'ten', '1 ', '1'.repeat(16)])(
    'refuses %j, which is not a whole number of at most 15 digits',
    (text) => {
      expect(() => parseCount(text, '--concurrency', 10_000)).toThrow(
        new UsageError(`--concurrency: "${text}" is not a whole number; allowed: 1 to 10000`),
      );
    },
  );

  it.each(['0', '10001'])('refuses %s, which is out of range', (text) => {
    expect(() => parseCount(text, '--concurrency', 10_000)).toThrow(
      new UsageError(`--concurrency: ${text} is out of range; allowed: 1 to 10000`),
    );
  });
});
