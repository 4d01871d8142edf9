import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/core/usage-error.js';
import { alerts, formatThreshold, parseThreshold } from '../../src/report/threshold.js';

const threshold = (text: string) => parseThreshold(text, '--warn');

describe('a threshold', () => {
  it.each([
    // the examples of the Nagios guidelines, with durations
    ['10ms', [0, 10], [10.1, 100]],
    ['10ms:', [10, 1e6], [0, 9.9]],
    ['~:10ms', [0, 10], [10.1]],
    ['10ms:20ms', [10, 15, 20], [9.9, 20.1]],
    ['@10ms:20ms', [9.9, 20.1], [10, 15, 20]],
    ['@20ms', [20.1], [0, 20]],
    ['0.5', [500], [501]],
    ['0:', [0, 1e6], []],
    [':5ms', [0, 5], [5.1]],
    ['~:-10ms', [], [0, 1e6]],
    ['-7ms:23ms', [0, 23], [23.1]],
    ['@-7ms:23ms', [23.1], [0, 23]],
    ['-7:', [0, 1e6], []],
  ] as const)('%s is silent and alerts where the guidelines say so', (text, silent, loud) => {
    expect(silent.filter((latencyMs) => alerts(threshold(text), latencyMs))).toEqual([]);
    expect(loud.filter((latencyMs) => !alerts(threshold(text), latencyMs))).toEqual([]);
  });

  it.each([
    ['100ms', '0.1'],
    ['10ms:', '0.01:'],
    ['~:10ms', '~:0.01'],
    ['10ms:2s', '0.01:2'],
    ['@10ms:20ms', '@0.01:0.02'],
    ['0:', '0:'],
    [':5ms', '0.005'],
    ['~:-10ms', '~:-0.01'],
    ['-7ms:23ms', '-0.007:0.023'],
    ['@1', '@1'],
  ])('%s is %s in performance data, in seconds', (text, formatted) =>
    expect(formatThreshold(threshold(text))).toBe(formatted),
  );

  it.each([
    '',
    ':',
    '~',
    '~:',
    '@:',
    ':-1',
    '-5:-10',
    '--1:5',
    '-:5',
    '-~:5',
    '@',
    '10ms:20ms:30ms',
    '@@1',
    '20ms:10ms',
    'fast',
    '1us',
    '-1',
  ])('is not %j', (text) => {
    expect(() => threshold(text)).toThrow(UsageError);
  });

  it('fails only with a usage error, and reads its own output, for any text', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^@?[~0-9ms:.-]{0,12}$/), (text) => {
        try {
          const read = threshold(text);
          const { text: _, ...again } = threshold(
            formatThreshold(read).replace(/[\d.]+/g, (digits) => `${digits}s`),
          );
          expect(again.inside).toBe(read.inside);
          for (const end of ['fromMs', 'toMs'] as const)
            if (Number.isFinite(read[end])) expect(again[end]).toBeCloseTo(read[end], 2);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });
});
