import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KernelFacts } from '../../../src/core/facts/kernel-facts.js';
import { RetransmissionDetector } from '../../../src/core/series/retransmission.js';
import {
  cancelledOutcome,
  closedOutcome,
  filteredOutcome,
  openOutcome,
} from '../../support/reports.js';

/** What the detector returns for each of these latencies, in milliseconds. */
function detect(latencies: readonly number[]): (number | null)[] {
  const detector = new RetransmissionDetector();
  return latencies.map((latencyMs) => detector.add(openOutcome({ latencyMs })));
}

const near = [20, 19.5, 20.4, 21, 20.1];
const nothing = near.map(() => null);

describe('RetransmissionDetector', () => {
  // Linux up to 6.4 repeats a SYN after 1, 3 and 7 s, later ones after 1, 2, 3, 4, 5, 7 and 11 s.
  it.each([
    [1020, 1],
    [1021.5, 1],
    [2050, 2],
    [3100, 3],
    [4060, 4],
    [5080, 5],
    [7100, 7],
  ])('reads %d ms among latencies of 20 ms as a SYN repeated after %d s', (latencyMs, seconds) => {
    expect(detect([...near, latencyMs])).toEqual([...nothing, seconds]);
  });

  it.each([40, 200, 500, 700, 870, 1200, 1400, 1500, 1700, 2400, 3500])(
    'finds no repeated SYN in %d ms among latencies of 20 ms',
    (latencyMs) => {
      expect(detect([...near, latencyMs])).toEqual([...nothing, null]);
    },
  );

  it('finds no repeated SYN in latencies from 900 to 1100 ms', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 900, max: 1100, noNaN: true }), { maxLength: 40 }),
        (latencies) => {
          expect(detect(latencies)).toEqual(latencies.map(() => null));
        },
      ),
    );
  });

  it('finds a repeated SYN among latencies of about 1 s', () => {
    expect(detect([1000, 950, 1050, 1020, 2010])).toEqual([null, null, null, null, 1]);
  });

  it.each([1020, 3020, 7020])('finds no repeated SYN in a first latency of %d ms', (latencyMs) => {
    expect(detect([latencyMs])).toEqual([null]);
  });

  it('finds no repeated SYN in fast latencies after a slow first one', () => {
    expect(detect([1020, 20, 20.5, 19.5, 20])).toEqual([null, null, null, null, null]);
  });

  it('needs one earlier latency to find a repeated SYN', () => {
    expect(detect([20, 1020])).toEqual([null, 1]);
  });

  it('finds one repeated SYN, not five, if a host becomes a second slower for good', () => {
    const slower = [1020, 1021, 1019.5, 1022, 1020, 1020, 1021, 1020, 1020, 1020, 1020, 1020];
    expect(detect([...near, ...slower])).toEqual([
      ...nothing,
      1,
      ...slower.slice(1).map(() => null),
    ]);
  });

  it('finds each of several repeated SYNs with fast latencies between them', () => {
    expect(detect([...near, 1020, 20, 1020, 20.5, 1021])).toEqual([
      ...nothing,
      1,
      null,
      1,
      null,
      1,
    ]);
  });

  it('finds a SYN repeated twice after one that was repeated once', () => {
    expect(detect([...near, 1020, 3040])).toEqual([...nothing, 1, 3]);
  });

  it('says what the kernel knows, and compares only where it does not know', () => {
    const detector = new RetransmissionDetector();
    const add = (cause: KernelFacts['cause'], latencyMs: number, roundTripMs: number | null) => {
      const repeatedSyns = cause === 'no-loss' ? 0 : 1;
      const kernel = { cause, repeatedSyns, roundTripMs, mss: 1448 };
      return detector.add(openOutcome({ latencyMs, kernel }));
    };
    // A path that loses every first SYN: there is nothing to compare with.
    expect([1024, 1020, 1030].map((latencyMs) => add('lost-syn', latencyMs, 0.1))).toEqual([
      1, 1, 1,
    ]);
    for (const latencyMs of near) expect(detector.add(openOutcome({ latencyMs }))).toBeNull();
    expect(add('no-loss', 1020, 1020)).toBeNull();
    expect(detector.add(openOutcome({ latencyMs: 20 }))).toBeNull();
    expect(add('unclear', 1020, null)).toBe(1);
  });

  it('adapts to a latency that changes by less than a second', () => {
    const farther = Array.from({ length: 9 }, () => 520);
    expect(detect([...near, ...farther, 1520, 1020])).toEqual([
      ...nothing,
      ...farther.map(() => null),
      1,
      null,
    ]);
  });

  it('compares with the median, which one outlier does not change', () => {
    expect(detect([20, 20, 500, 20, 20, 1020])).toEqual([null, null, null, null, null, 1]);
  });

  it('ignores probes that were not open', () => {
    const detector = new RetransmissionDetector();
    const others = [
      closedOutcome({ elapsedMs: 1020 }),
      filteredOutcome('no-response', { elapsedMs: 5000 }),
      cancelledOutcome({ elapsedMs: 20 }),
    ];
    for (const outcome of others) expect(detector.add(outcome)).toBeNull();
    expect(detector.add(openOutcome({ latencyMs: 1020 }))).toBeNull(); // still the first
    expect(detector.add(openOutcome({ latencyMs: 20 }))).toBeNull();
    for (const outcome of others) expect(detector.add(outcome)).toBeNull();
  });

  it('finds only delays of whole seconds, at least 1 s', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 60_000, noNaN: true }), { maxLength: 60 }),
        (latencies) => {
          for (const seconds of detect(latencies))
            if (seconds !== null)
              expect(Number.isInteger(seconds) && seconds >= 1, String(seconds)).toBe(true);
        },
      ),
    );
  });
});
