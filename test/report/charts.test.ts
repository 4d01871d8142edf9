import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bin } from '../../src/core/series/statistics.js';
import { histogram, sparkline } from '../../src/report/charts.js';

const unicode = { width: 80, unicode: true } as const;
const ascii = { width: 80, unicode: false } as const;

const STEPS = { unicode: [...'▁▂▃▄▅▆▇█'], ascii: [...'_.-=+*#@'] };

describe('sparkline', () => {
  it('draws a bar for each value, from the least to the greatest', () => {
    expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8], unicode)).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([8, 1, 4.5, 8], unicode)).toBe('█▁▅█');
  });

  it('draws in ASCII without Unicode', () => {
    expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8], ascii)).toBe('_.-=+*#@');
    expect(sparkline([8, null, 1], ascii)).toBe('@ _');
  });

  it('leaves a gap for each probe that was not open, also at the ends', () => {
    expect(sparkline([null, 1, null, null, 2, null], unicode)).toBe(' ▁  █ ');
    expect(sparkline([null, null], unicode)).toBe('  ');
  });

  it('draws the lowest bar when all values are equal, or there is only one', () => {
    expect(sparkline([7, 7, 7], unicode)).toBe('▁▁▁');
    expect(sparkline([0, 0, null, 0], ascii)).toBe('__ _');
    expect(sparkline([0.3], unicode)).toBe('▁');
  });

  it('is empty without values', () => {
    expect(sparkline([], unicode)).toBe('');
  });

  it('shows the newest values that fit, on a scale of only these values', () => {
    const values = [1000, ...Array.from({ length: 20 }, (_, index) => index)];
    const text = sparkline(values, { width: 20, unicode: true });
    expect([...text]).toHaveLength(20);
    expect(text.startsWith('▁')).toBe(true);
    expect(text.endsWith('█')).toBe(true);
  });

  it('accepts the greatest and the least numbers', () => {
    expect(sparkline([Number.MAX_VALUE, 0], unicode)).toBe('█▁');
    expect(sparkline([0, Number.MIN_VALUE], unicode)).toBe('▁█');
    expect(sparkline([1, 1 + Number.EPSILON], unicode)).toBe('▁█');
  });

  it('has one column per value and a higher bar for a higher value, for any values', () => {
    const value = fc.oneof(
      fc.constant(null),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(0, 1, 1 + Number.EPSILON, Number.MIN_VALUE, Number.MAX_VALUE),
    );
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 260 }),
        fc.integer({ min: 20, max: 260 }),
        fc.boolean(),
        (values, width, isUnicode) => {
          const steps = isUnicode ? STEPS.unicode : STEPS.ascii;
          const characters = [...sparkline(values, { width, unicode: isUnicode })];
          const shown = values.slice(-width);
          expect(characters).toHaveLength(shown.length);
          const bars = shown
            .flatMap((each, index) =>
              each === null ? [] : [{ value: each, step: steps.indexOf(characters[index] ?? '') }],
            )
            .sort((a, b) => a.value - b.value);
          for (const [index, each] of shown.entries())
            if (each === null) expect(characters[index]).toBe(' ');
          for (const [index, { step }] of bars.entries())
            expect(step).toBeGreaterThanOrEqual(bars[index - 1]?.step ?? 0);
          if (bars[0]) expect(bars[0].step).toBe(0);
          if (bars[0]?.value !== bars.at(-1)?.value) expect(bars.at(-1)?.step).toBe(7);
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** The parts of a row. */
function read(row: string): { from: string; to: string; count: number; bar: string } {
  const [, from = '', to = '', count = '', bar = ''] =
    /^ *(\d+(?:\.\d+)?) - +(\d+(?:\.\d+)?) ms +(\d+)(?: (█+|#+))?$/.exec(row) ??
    expect.fail(`not a row: "${row}"`);
  return { from, to, count: Number(count), bar };
}

const countOf = (counted: readonly { readonly count: number }[]): number =>
  counted.reduce((sum, { count }) => sum + count, 0);

/** Bins of statistics, each 9 % wider than the previous, from bin `first`. */
function binsOf(counts: readonly number[], first = 0): Bin[] {
  const bound = (bin: number): number => 2 ** (bin / 8) / 1000;
  return counts.map((count, index) => ({
    from: bound(first + index),
    to: bound(first + index + 1),
    count,
  }));
}

describe('histogram', () => {
  it('has a row for each bin: bounds, count and bar', () => {
    const bins: Bin[] = [
      { from: 8, to: 9, count: 10 },
      { from: 9, to: 10, count: 0 },
      { from: 10, to: 120, count: 5 },
    ];
    expect(histogram(bins, { width: 41, unicode: true })).toEqual([
      `8.00 - 9.00 ms 10 ${'█'.repeat(22)}`,
      '9.00 - 10.0 ms  0',
      `10.0 -  120 ms  5 ${'█'.repeat(11)}`,
    ]);
  });

  it('draws in ASCII without Unicode', () => {
    const rows = histogram(binsOf([1, 2, 3], 80), ascii);
    expect(rows.join('')).toMatch(/^[\x20-\x7e]+$/);
    expect(rows.map((row) => read(row).bar.length > 0)).toEqual([true, true, true]);
  });

  it('has no rows without bins', () => {
    expect(histogram([], unicode)).toEqual([]);
  });

  it('has one row for one bin', () => {
    const rows = histogram(binsOf([3], 80), unicode);
    expect(rows.map((row) => read(row).count)).toEqual([3]);
    expect(rows[0]?.length).toBeLessThanOrEqual(80);
  });

  it('draws no bars when every bin is empty', () => {
    for (const row of histogram(binsOf([0, 0, 0], 80), unicode))
      expect(read(row)).toMatchObject({ count: 0, bar: '' });
  });

  it('merges neighbouring bins when there are more than sixteen', () => {
    const rows = histogram(
      binsOf(
        Array.from({ length: 17 }, () => 1),
        80,
      ),
      unicode,
    ).map(read);
    expect(rows.map(({ count }) => count)).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 1]);
    expect(rows.slice(1).map(({ from }) => from)).toEqual(rows.slice(0, -1).map(({ to }) => to));
    expect(
      histogram(
        binsOf(
          Array.from({ length: 16 }, () => 1),
          80,
        ),
        unicode,
      ),
    ).toHaveLength(16);
  });

  it('shows a bin of one next to a bin of a billion', () => {
    const [many, one] = histogram(binsOf([1e9, 1], 80), unicode).map(read);
    expect(one).toMatchObject({ count: 1, bar: '█' });
    expect(many?.bar.length).toBeGreaterThan(20);
  });

  const bins = fc.oneof(
    // bins of statistics, from a microsecond to an hour
    fc
      .tuple(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 1e9 }), fc.constantFrom(0, 1, 1e9)), {
          maxLength: 254,
        }),
        fc.nat({ max: 253 }),
      )
      .map(([counts, first]) => binsOf(counts.slice(0, 254 - first), first)),
    // and arbitrary bins
    fc.array(
      fc.record({
        from: fc.double({ min: 0, max: 3_600_000, noNaN: true }),
        to: fc.double({ min: 0, max: 3_600_000, noNaN: true }),
        count: fc.integer({ min: 0, max: 1e9 }),
      }),
      { maxLength: 40 },
    ),
  );

  it('fits into sixteen rows with a bar for each filled bin, for any bins', () => {
    fc.assert(
      fc.property(
        bins,
        fc.integer({ min: 40, max: 250 }),
        fc.boolean(),
        (each: readonly Bin[], width, isUnicode) => {
          const texts = histogram(each, { width, unicode: isUnicode });
          expect(texts.length).toBeLessThanOrEqual(16);
          for (const text of texts) expect(text.length, text).toBeLessThanOrEqual(width);
          const rows = texts.map(read);
          const most = Math.max(...rows.map(({ count }) => count));
          const longest = Math.max(...rows.map(({ bar }) => bar.length));
          for (const { count, bar } of rows) {
            expect(bar.length > 0).toBe(count > 0);
            if (count === most) expect(bar.length).toBe(longest);
          }
          expect(countOf(rows)).toBe(countOf(each));
          expect(rows.length > 0).toBe(each.length > 0);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('runs from the lowest bound to the highest, and longer bars mean greater counts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 40, max: 200 }),
        (counts, width) => {
          const all = binsOf(counts, 100); // 5.79 ms and more
          const rows = histogram(all, { width, unicode: true }).map(read);
          expect(Math.abs(Number(rows[0]?.from) / (all[0]?.from ?? NaN) - 1)).toBeLessThan(0.01);
          expect(Math.abs(Number(rows.at(-1)?.to) / (all.at(-1)?.to ?? NaN) - 1)).toBeLessThan(
            0.01,
          );
          const sorted = [...rows].sort((a, b) => a.count - b.count);
          for (const [index, { bar }] of sorted.entries())
            expect(bar.length).toBeGreaterThanOrEqual(sorted[index - 1]?.bar.length ?? 0);
        },
      ),
    );
  });
});
