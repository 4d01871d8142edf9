import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatDuration,
  formatMilliseconds,
  formatProgress,
  formatTime,
  roundPercent,
} from '../../src/report/numbers.js';

describe('formatMilliseconds', () => {
  it.each([
    [0, '0.00'],
    [0.004, '0.00'],
    [0.0051, '0.01'],
    [0.31, '0.31'],
    [1, '1.00'],
    [9.99, '9.99'],
    [9.994, '9.99'],
    [9.995, '10.0'],
    [9.999, '10.0'],
    [10, '10.0'],
    [12.3456, '12.3'],
    [99.9, '99.9'],
    [99.94, '99.9'],
    [99.95, '100'],
    [99.999, '100'],
    [100, '100'],
    [100.5, '101'],
    [123.456, '123'],
    [5000.4, '5000'],
    [123_456, '123456'],
  ])('writes %d as %s', (milliseconds, text) => {
    expect(formatMilliseconds(milliseconds)).toBe(text);
  });

  it('rounds to two decimals below 10, one below 100 and none above', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 2 ** 31, noNaN: true }).map((value) => value),
        fc.constantFrom(1, 1e-3, 1e-5, 1e-7, 1e-9),
        (value, scale) => {
          const milliseconds = value * scale;
          const text = formatMilliseconds(milliseconds);
          const shown = Number(text);
          const decimals = shown < 10 ? 2 : shown < 100 ? 1 : 0;
          expect(text).toMatch(
            decimals === 0 ? /^\d{3,}$/ : new RegExp(`^\\d{1,2}\\.\\d{${decimals}}$`),
          );
          expect(Math.abs(shown - milliseconds)).toBeLessThanOrEqual(0.5000001 * 10 ** -decimals);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('keeps the order of times', () => {
    const time = fc.oneof(
      fc.double({ min: 0, max: 200, noNaN: true }),
      fc.double({ min: 9.9, max: 10.1, noNaN: true }),
      fc.double({ min: 99.9, max: 100.1, noNaN: true }),
    );
    fc.assert(
      fc.property(time, time, (one, other) => {
        const [less, more] = one < other ? [one, other] : [other, one];
        expect(Number(formatMilliseconds(less))).toBeLessThanOrEqual(
          Number(formatMilliseconds(more)),
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0.00 ms'],
    [0.31, '0.31 ms'],
    [12.34, '12.3 ms'],
    [250, '250 ms'],
    [999, '999 ms'],
    [999.4, '999 ms'],
    [999.5, '1 s'],
    [1000, '1 s'],
    [1004, '1 s'],
    [1006, '1.01 s'],
    [3070, '3.07 s'],
    [3500, '3.5 s'],
    [5000, '5 s'],
    [59_990, '59.99 s'],
    [59_994, '59.99 s'],
    [59_995, '1 min'],
    [60_000, '1 min'],
    [60_400, '1 min'],
    [61_000, '1 min 1 s'],
    [125_000, '2 min 5 s'],
    [3_599_000, '59 min 59 s'],
    [3_599_999, '1 h'],
    [3_600_000, '1 h'],
    [3_660_000, '1 h 1 min'],
    [3_661_000, '1 h 1 min 1 s'],
    [7_205_000, '2 h 5 s'],
    [86_400_000, '24 h'],
    [2_147_483_647, '596 h 31 min 24 s'],
  ])('writes %d ms as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it('stays close to the measured time', () => {
    const unitMs: Record<string, number> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 2 ** 31, noNaN: true }),
        fc.constantFrom(1, 1e-2, 1e-4, 1e-6, 1e-9),
        (value, scale) => {
          const milliseconds = value * scale;
          const words = formatDuration(milliseconds).split(' ');
          let readMs = 0;
          for (let index = 0; index < words.length; index += 2)
            readMs += Number(words[index]) * (unitMs[words[index + 1] ?? ''] ?? NaN);
          expect(Math.abs(readMs - milliseconds)).toBeLessThanOrEqual(
            milliseconds < 999 ? 0.51 : milliseconds < 59_994 ? 5.1 : 501,
          );
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('roundPercent', () => {
  it.each([
    [0, 1, 0],
    [100, 1, 100],
    [3.88, 1, 3.9],
    [100 / 2100, 1, 0.05],
    [(2099 / 2100) * 100, 1, 99.95],
    [100 / 300_000, 3, 0.0003],
    [(299_999 / 300_000) * 100, 3, 99.9997],
  ])('rounds %d to %d decimals or as many as it takes: %d', (percent, decimals, rounded) => {
    expect(roundPercent(percent, decimals)).toBe(rounded);
  });

  it('gives 0 and 100 only for none and all', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.nat(10_000_000), (one, other) => {
        const [part, whole] = [Math.min(one, other), Math.max(one, other, 1)];
        const percent = roundPercent((part / whole) * 100, 1);
        expect(percent === 0).toBe(part === 0);
        expect(percent === 100).toBe(part === whole);
      }),
    );
  });
});

describe('formatProgress', () => {
  it.each([
    [0, 60_000, '0 of 60 s'],
    [3999, 60_000, '3 of 60 s'],
    [61_000, 60_000, '60 of 60 s'],
    [1200, 1500, '1 of 1.5 s'],
    [1, 500, '0 of 0.5 s'],
    [0, 600_000, '0 s of 10 min'],
    [125_900, 600_000, '2 min 5 s of 10 min'],
  ])('writes %d ms of %d ms as %s', (elapsedMs, totalMs, text) => {
    expect(formatProgress(elapsedMs, totalMs)).toBe(text);
  });
});

describe('formatTime', () => {
  it('is the same for a time after any other time', () => {
    const times = fc.array(fc.integer({ min: -1e12, max: 1e13 }), { minLength: 1 });
    fc.assert(
      fc.property(times, (values) => {
        for (const value of values.flatMap((each) => [each, each]))
          expect(formatTime(value)).toBe(new Date(value).toISOString());
      }),
    );
  });

  it('refuses what is no time, also twice', () => {
    expect(() => formatTime(NaN)).toThrow(RangeError);
    expect(() => formatTime(NaN)).toThrow(RangeError);
    expect(formatTime(0)).toBe('1970-01-01T00:00:00.000Z');
  });
});
