import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/core/duration.js';
import { MAX_DURATION_MS } from '../../src/core/limits.js';
import { UsageError } from '../../src/core/usage-error.js';

/** The message of the refusal; fails when there is none. */
function refusalOf(text: string, minimumMs?: number): string {
  try {
    parseDuration(text, '--timeout', minimumMs);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  throw new Error(`${JSON.stringify(text)} was taken`);
}

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['1ms', 1],
    ['3s', 3000],
    ['0.5s', 500],
    ['2m', 120_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['24d', 2_073_600_000],
    ['1.5ms', 1.5],
    ['007s', 7000],
    ['5sec', 5000],
    ['1second', 1000],
    ['90secs', 90_000],
    ['10min', 600_000],
    ['2hours', 7_200_000],
    ['1day', 86_400_000],
    ['250msec', 250],
    ['1m30s', 90_000],
    ['1h30m', 5_400_000],
    ['1min30sec', 90_000],
    ['1s500ms', 1500],
    ['2d12h30m5s1ms', 217_805_001],
  ])('reads %s as %d ms', (text, durationMs) => {
    expect(parseDuration(text, '--timeout')).toBe(durationMs);
  });

  it.each([
    ['5', 5000],
    ['0.25', 250],
    ['.5', 500],
    ['0.001', 1],
    ['60', 60_000],
  ])('reads the bare number %s as seconds, as ping, nc and curl do', (text, durationMs) => {
    expect(parseDuration(text, '--timeout')).toBe(durationMs);
  });

  it.each([
    '',
    ' ',
    's',
    'ms',
    '-1',
    '-1s',
    '+1s',
    '1e3',
    '1,5s',
    '1.',
    '.',
    '1..5',
    '1 s',
    ' 1s',
    '1s ',
    '1s\n',
    '1S',
    '1M',
    '1sek',
    '30s1m',
    '1m1m',
    '1m30',
    '1m 30s',
    '1month',
    '0x10',
    '٣s',
    '５',
    'Infinity',
    'NaN',
    'constructor',
    '1constructor',
  ])('refuses %j, which is not a duration, and lists what is allowed', (text) => {
    expect(refusalOf(text)).toBe(
      `--timeout: "${text}" is not a duration; ` +
        'allowed: a number of seconds, or one with ms, s, m, h or d (500ms, 3s, 2m)',
    );
  });

  it.each([
    '0',
    '0s',
    '0ms',
    '0.9ms',
    '0.0009',
    '25d',
    '597h',
    '2147483.648',
    '2147483648ms',
    '9'.repeat(400),
  ])('refuses %s, which is out of range, and names the range', (text) => {
    expect(refusalOf(text)).toBe(`--timeout: ${text} is out of range; allowed: 1ms to 24.8 days`);
  });

  it("accepts the longest timeout of Node's timers, and not a millisecond more", () => {
    expect(parseDuration('2147483647ms', '--timeout')).toBe(MAX_DURATION_MS);
    expect(parseDuration('2147483.647', '--timeout')).toBe(MAX_DURATION_MS);
    expect(MAX_DURATION_MS).toBe(2_147_483_647);
  });

  it('accepts zero if the minimum is zero, and refuses less than the minimum', () => {
    expect(parseDuration('0', '--interval', 0)).toBe(0);
    expect(parseDuration('100ms', '--interval', 100)).toBe(100);
    expect(refusalOf('99ms', 100)).toBe(
      '--timeout: 99ms is out of range; allowed: 100ms to 24.8 days',
    );
  });

  it('names the argument in the refusal', () => {
    expect(() => parseDuration('soon', '--interval')).toThrow(/^--interval: "soon" /);
  });

  it('reads every whole number of milliseconds unchanged', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MAX_DURATION_MS }), (durationMs) => {
        expect(parseDuration(`${durationMs}ms`, '--timeout')).toBe(durationMs);
        expect(parseDuration(`${durationMs / 1000}s`, '--timeout')).toBeCloseTo(durationMs, 3);
      }),
    );
  });

  it('returns a duration in range or throws a UsageError for any text', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'0123456789.smhd -+e\n') }),
    );
    fc.assert(
      fc.property(anything, (text) => {
        let durationMs: number;
        try {
          durationMs = parseDuration(text, '--timeout');
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          return;
        }
        expect(durationMs >= 1 && durationMs <= MAX_DURATION_MS).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
