import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/core/facts/outcome.js';
import {
  type LatencyFigures,
  Statistics,
  type Summary,
} from '../../../src/core/series/statistics.js';
import { eventsOf, outageEvent } from '../../support/events.js';
import {
  answeredService,
  cancelledOutcome,
  closedOutcome,
  droppedService,
  eventOf,
  failedOutcome,
  filteredOutcome,
  openOutcome,
  reportOf,
  resolved,
  silentService,
  STARTED_AT,
  unresolvedOutcome,
} from '../../support/reports.js';

/** The summary of probes with these outcomes; a number is an open port with that latency. */
function summaryOf(outcomes: readonly (Outcome | number)[]): Summary {
  const statistics = new Statistics();
  for (const event of eventsOf(outcomes)) statistics.add(event);
  return statistics.summary();
}

/** Whole numbers from 1 on. */
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** The numbers in an object, however deep. */
const numbersIn = (value: unknown): number[] =>
  typeof value === 'number'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(numbersIn)
      : [];

const NONE_OPEN = {
  service: null,
  latency: null,
  bins: [],
  tooSlow: 0,
  lostSyns: 0,
  lostSynsSeen: 0,
  outage: null,
};

describe('the latency figures', () => {
  it('match values computed by hand for four latencies', () => {
    // Squares of the differences from 25: 225 + 25 + 25 + 225 = 500; √(500 ÷ 3) = 12.909944.
    // Differences of neighbours: 20, 10, 20.
    expect(summaryOf([10, 30, 20, 40]).latency).toEqual({
      count: 4,
      min: 10,
      mean: 25,
      max: 40,
      standardDeviation: expect.closeTo(12.909944, 6) as number,
      p50: 20,
      p90: 40,
      p95: 40,
      p99: 40,
      jitter: expect.closeTo(50 / 3, 10) as number,
    });
  });

  it('match values computed by hand for two latencies', () => {
    // mean 2, squares 1 + 1, √(2 ÷ 1)
    expect(summaryOf([3, 1]).latency).toEqual({
      count: 2,
      min: 1,
      mean: 2,
      max: 3,
      standardDeviation: expect.closeTo(Math.SQRT2, 12) as number,
      p50: 1,
      p90: 3,
      p95: 3,
      p99: 3,
      jitter: 2,
    });
  });

  it.each([
    [10, [5, 9, 10, 10]],
    [20, [10, 18, 19, 20]],
    [100, [50, 90, 95, 99]],
    [101, [51, 91, 96, 100]],
    [200, [100, 180, 190, 198]],
  ])('have nearest-rank percentiles for the latencies from 0.1 to %d × 0.1 ms', (count, ranks) => {
    const { p50, p90, p95, p99 } =
      summaryOf(upTo(count).map((each) => each / 10)).latency ?? ({} as LatencyFigures);
    expect([p50, p90, p95, p99].map((each) => Math.round(each * 1000))).toEqual(
      ranks.map((rank) => rank * 100),
    );
  });

  it('have no deviation and no jitter for one latency', () => {
    const one = 0.1234567;
    expect(summaryOf([one]).latency).toEqual({
      count: 1,
      min: one,
      mean: one,
      max: one,
      standardDeviation: null,
      p50: one,
      p90: one,
      p95: one,
      p99: one,
      jitter: null,
    });
  });

  it('have the deviation 0 for equal latencies', () => {
    expect(summaryOf([0.3, 0.3, 0.3]).latency).toMatchObject({
      min: 0.3,
      mean: 0.3,
      max: 0.3,
      standardDeviation: 0,
      jitter: 0,
    });
  });

  it('count jitter only between consecutive open probes', () => {
    const gap = filteredOutcome();
    // |12 − 10| and |103 − 100|
    expect(summaryOf([10, 12, gap, 100, 103, closedOutcome(), 50]).latency?.jitter).toBe(2.5);
    expect(summaryOf([10, gap, 20, gap, 30]).latency).toMatchObject({ count: 3, jitter: null });
    expect(summaryOf([10, unresolvedOutcome(), 20, 21]).latency?.jitter).toBe(1);
  });

  it('count jitter across a cancelled probe', () => {
    expect(summaryOf([10, cancelledOutcome(), 14]).latency).toMatchObject({ count: 2, jitter: 4 });
  });

  it('are exact for an hour and for less than a microsecond', () => {
    expect(summaryOf([3_600_000]).latency).toMatchObject({
      min: 3_600_000,
      max: 3_600_000,
      p99: 3_600_000,
    });
    const { latency, bins } = summaryOf([0.0001]);
    expect(latency).toMatchObject({ min: 0.0001, p50: 0.0001, p99: 0.0001, max: 0.0001 });
    expect(bins.map(({ count }) => count)).toEqual([1]);
  });
});

describe('a summary', () => {
  it('is empty without probes', () => {
    expect(new Statistics().summary()).toEqual({
      firstAt: null,
      latestAt: null,
      latest: null,
      sent: 0,
      counts: { open: 0, closed: 0, filtered: 0, unresolved: 0, failed: 0 },
      lossPercent: null,
      outages: { count: 0, longestMs: 0, totalMs: 0 },
      resolving: null,
      recent: [],
      ...NONE_OPEN,
    });
  });

  it('counts the outage that is going on as long as it is so far, until it has ended', () => {
    const statistics = new Statistics();
    const { outage } = outageEvent({ durationMs: 2000, over: false });
    const [open, closed] = eventsOf([5, closedOutcome()]);
    if (!open || !closed) throw new TypeError('two events');
    statistics.add(outageEvent({ durationMs: 3000 }));
    statistics.add({ ...closed, outage });
    const totals = { count: 2, longestMs: 3000, totalMs: 5000 };
    expect(statistics.summary()).toMatchObject({ outages: totals, outage });
    statistics.add(open);
    statistics.add(outageEvent({ durationMs: 2000 }));
    expect(statistics.summary()).toMatchObject({ outages: totals, outage: null });
  });

  it('has no latency if no probe was open', () => {
    expect(
      summaryOf([
        closedOutcome(),
        closedOutcome(),
        filteredOutcome(),
        unresolvedOutcome(),
        failedOutcome(),
      ]),
    ).toEqual({
      firstAt: STARTED_AT,
      latestAt: STARTED_AT + 4000,
      latest: 'failed',
      sent: 5,
      counts: { open: 0, closed: 2, filtered: 1, unresolved: 1, failed: 1 },
      lossPercent: 100,
      outages: { count: 0, longestMs: 0, totalMs: 0 },
      resolving: { count: 4, min: 1.5, mean: 1.5, max: 1.5, standardDeviation: 0 },
      recent: [null, null, null, null, null],
      ...NONE_OPEN,
    });
  });

  it('counts each state and the percentage of probes that were not open', () => {
    const { sent, counts, lossPercent } = summaryOf([
      1,
      closedOutcome(),
      2,
      filteredOutcome(),
      unresolvedOutcome(),
      failedOutcome(),
      3,
      filteredOutcome(),
    ]);
    expect({ sent, counts, lossPercent }).toEqual({
      sent: 8,
      counts: { open: 3, closed: 1, filtered: 2, unresolved: 1, failed: 1 },
      lossPercent: 62.5,
    });
    expect(summaryOf([1, 2]).lossPercent).toBe(0);
    expect(summaryOf([1, 2, closedOutcome()]).lossPercent).toBeCloseTo(100 / 3, 10);
  });

  it('does not count cancelled probes', () => {
    const resolvingCancelled: Outcome = {
      state: 'cancelled',
      host: 'mail.example.com',
      via: 'system',
      elapsedMs: 10,
    };
    expect(summaryOf([cancelledOutcome(), resolvingCancelled])).toEqual(new Statistics().summary());
    const events = eventsOf([cancelledOutcome(), 5, cancelledOutcome()]);
    const statistics = new Statistics();
    for (const event of events) statistics.add(event);
    expect(statistics.summary()).toMatchObject({
      firstAt: STARTED_AT + 1000,
      latestAt: STARTED_AT + 1000,
      sent: 1,
      lossPercent: 0,
      resolving: { count: 1 },
      recent: [5],
    });
  });

  it('has the start times of the first and the latest probe', () => {
    expect(summaryOf([1, closedOutcome(), 2])).toMatchObject({
      firstAt: STARTED_AT,
      latestAt: STARTED_AT + 2000,
    });
  });

  it('has the resolving times of all resolved names, for any state of the port', () => {
    const statistics = new Statistics();
    const literal = { ...resolved(), via: 'literal', elapsedMs: 0 };
    statistics.add(
      eventOf(reportOf(openOutcome(), { resolution: { ...resolved(), elapsedMs: 4 } })),
    );
    statistics.add(eventOf(reportOf(openOutcome(), { resolution: literal })));
    statistics.add(
      eventOf(
        reportOf(closedOutcome(), {
          resolution: { ...resolved(), via: '192.0.2.53', elapsedMs: 1 },
        }),
      ),
    );
    statistics.add(eventOf(reportOf(unresolvedOutcome('name-not-found', { elapsedMs: 900 }))));
    statistics.add(
      eventOf(reportOf(filteredOutcome(), { resolution: { ...resolved(), elapsedMs: 7 } })),
    );
    expect(statistics.summary()).toMatchObject({
      sent: 5,
      resolving: { count: 3, min: 1, mean: 4, max: 7, standardDeviation: 3 },
      latency: { count: 2, min: 12.3456, max: 12.3456 },
    });
  });

  it('has no resolving times if only addresses were probed', () => {
    const statistics = new Statistics();
    statistics.add(
      eventOf(
        reportOf(openOutcome(), { resolution: { ...resolved(), via: 'literal', elapsedMs: 0 } }),
      ),
    );
    expect(statistics.summary()).toMatchObject({ sent: 1, resolving: null });
  });

  it('counts open probes that were too slow, and lost SYNs', () => {
    const statistics = new Statistics();
    for (const event of eventsOf([5, 20, 10, closedOutcome(), 11], { maxLatencyMs: 10 }))
      statistics.add(event);
    statistics.add(eventOf(reportOf(openOutcome({ latencyMs: 1005 })), { lostSynSeconds: 1 }));
    const kernel = { roundTripMs: 5, repeatedSyns: 1, mss: 1448, cause: 'lost-syn' } as const;
    const seen = openOutcome({ latencyMs: 3005, kernel });
    statistics.add(eventOf(reportOf(seen), { lostSynSeconds: 3 }));
    const late = openOutcome({ latencyMs: 1005, kernel: { ...kernel, cause: 'no-loss' } });
    statistics.add(eventOf(reportOf(late)));
    expect(statistics.summary()).toMatchObject({
      tooSlow: 2,
      lostSyns: 2,
      lostSynsSeen: 1,
      latency: { count: 7, max: 3005 },
    });
  });

  it('adds up outages and does not count them as probes', () => {
    const statistics = new Statistics();
    for (const durationMs of [3000, 10_000, 500]) statistics.add(outageEvent({ durationMs }));
    expect(statistics.summary()).toMatchObject({
      sent: 0,
      outages: { count: 3, longestMs: 10_000, totalMs: 13_500 },
    });
  });

  it('keeps the latest 240 latencies, with null for each probe that was not open', () => {
    const outcomes = upTo(300).map((each) => (each % 7 === 0 ? closedOutcome() : each));
    const shown = upTo(300).map((each) => (each % 7 === 0 ? null : each));
    expect(summaryOf(outcomes.slice(0, 240)).recent).toEqual(shown.slice(0, 240));
    expect(summaryOf(outcomes.slice(0, 241)).recent).toEqual(shown.slice(1, 241));
    expect(summaryOf(outcomes).recent).toEqual(shown.slice(60));
  });

  it('is not changed by later events', () => {
    const statistics = new Statistics();
    for (const event of eventsOf([1, 2, closedOutcome(), 50])) statistics.add(event);
    statistics.add(outageEvent());
    const summary = statistics.summary();
    const copy = structuredClone(summary);
    for (const event of eventsOf([
      9,
      0.5,
      700,
      filteredOutcome(),
      unresolvedOutcome(),
      failedOutcome(),
    ]))
      statistics.add(event);
    statistics.add(outageEvent({ durationMs: 9000 }));
    expect(summary).toEqual(copy);
    expect(statistics.summary()).toMatchObject({
      sent: 10,
      outages: { count: 2, longestMs: 9000 },
    }); // the later events were counted
  });

  it('is the same on a second call', () => {
    const statistics = new Statistics();
    for (const event of eventsOf([1, 2, closedOutcome(), 50])) statistics.add(event);
    expect(statistics.summary()).toEqual(statistics.summary());
  });
});

/**
 * Latencies from a microsecond to a minute; every magnitude is equally frequent.
 * Some are whole microseconds and some are equal.
 */
const latency = fc.oneof(
  fc
    .double({ min: 0, max: Math.log(6e7), noNaN: true })
    .map((exponent) => Math.min(Math.exp(exponent), 6e7) / 1000),
  fc.integer({ min: 1, max: 60_000_000 }).map((microseconds) => microseconds / 1000),
  fc.integer({ min: 1, max: 40 }).map((microseconds) => microseconds / 1000),
  fc.constantFrom(0.001, 1, 15.999, 16, 16.001, 32.767, 32.768, 32.769, 60_000),
);
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: latency },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Outcome[]>(
        closedOutcome(),
        filteredOutcome(),
        unresolvedOutcome(),
        failedOutcome(),
        cancelledOutcome(),
      ),
    },
  ),
  { maxLength: 300 },
);

/** The figures by their definitions, computed over all values at once. */
function naiveFigures(outcomes: readonly (Outcome | number)[]): LatencyFigures | null {
  const shown = outcomes.filter((each) => typeof each === 'number' || each.state !== 'cancelled');
  const values = shown.filter((each) => typeof each === 'number');
  if (values.length === 0) return null;
  const sum = (numbers: readonly number[]): number =>
    numbers.reduce((total, each) => total + each, 0);
  const mean = sum(values) / values.length;
  const sorted = values.map((each) => Math.round(each * 1000)).sort((a, b) => a - b);
  const percentile = (percent: number): number =>
    (sorted[Math.ceil((percent * values.length) / 100) - 1] ?? NaN) / 1000;
  const differences = shown.slice(1).flatMap((each, index) => {
    const before = shown[index];
    return typeof each === 'number' && typeof before === 'number' ? [Math.abs(each - before)] : [];
  });
  return {
    count: values.length,
    min: Math.min(...values),
    mean,
    max: Math.max(...values),
    standardDeviation:
      values.length < 2
        ? null
        : Math.sqrt(sum(values.map((each) => (each - mean) ** 2)) / (values.length - 1)),
    p50: percentile(50),
    p90: percentile(90),
    p95: percentile(95),
    p99: percentile(99),
    jitter: differences.length === 0 ? null : sum(differences) / differences.length,
  };
}

function expectClose(
  found: number | null | undefined,
  wanted: number | null | undefined,
  tolerance: number,
  name: string,
): void {
  if (typeof wanted !== 'number' || typeof found !== 'number') expect(found, name).toBe(wanted);
  else
    expect(Math.abs(found - wanted), `${name}: ${found} and not ${wanted}`).toBeLessThanOrEqual(
      tolerance,
    );
}

describe('statistics of random probes', () => {
  it('match a naive computation', () => {
    fc.assert(
      fc.property(steps, (outcomes) => {
        const found = summaryOf(outcomes).latency;
        const wanted = naiveFigures(outcomes);
        if (!wanted || !found) return void expect(found).toBe(wanted);
        for (const name of ['count', 'min', 'max'] as const)
          expect(found[name], name).toBe(wanted[name]);
        for (const name of ['mean', 'standardDeviation', 'jitter'] as const)
          expectClose(found[name], wanted[name], 1e-10 * wanted.max, name);
        // Exact to a microsecond below 16 ms, to 0.01 % above.
        // The naive figures are rounded to a microsecond, too.
        for (const name of ['p50', 'p90', 'p95', 'p99'] as const)
          expectClose(
            found[name],
            wanted[name],
            wanted[name] < 16 ? 0.001 : wanted[name] * 0.0001,
            name,
          );
        for (const name of ['p50', 'p90', 'p95', 'p99'] as const)
          expect(found[name] >= found.min && found[name] <= found.max, name).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('have exact nearest-rank percentiles if the latencies are far apart', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1500 }), (count) => {
        // below 16 ms, 10 µs apart
        const { p50, p90, p95, p99 } =
          summaryOf(upTo(count).map((each) => each / 100)).latency ?? ({} as LatencyFigures);
        expect([p50, p90, p95, p99].map((each) => Math.round(each * 1000) / 10)).toEqual(
          [50, 90, 95, 99].map((percent) => Math.ceil((percent * count) / 100)),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('have bins without gaps that hold every latency; the first and last are not empty', () => {
    fc.assert(
      fc.property(steps, (outcomes) => {
        const { bins, latency: figures } = summaryOf(outcomes);
        const values = outcomes
          .filter((each) => typeof each === 'number')
          .map((each) => Math.round(each * 1000) / 1000);
        expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(figures?.count ?? 0);
        expect(bins.map(({ count }) => count)).toEqual(
          bins.map(({ from, to }) => values.filter((value) => value >= from && value < to).length),
        );
        expect(bins.slice(1).map(({ from }) => from)).toEqual(
          bins.slice(0, -1).map(({ to }) => to),
        );
        expect(bins.every(({ from, to }) => Math.abs(to / from - 2 ** (1 / 8)) < 1e-10)).toBe(true);
        if (values.length > 0) {
          expect(bins.at(0)?.count).toBeGreaterThan(0);
          expect(bins.at(-1)?.count).toBeGreaterThan(0);
          expect(bins.at(0)?.from).toBeLessThanOrEqual(Math.min(...values));
          expect(bins.at(-1)?.to).toBeGreaterThan(Math.max(...values));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('contain only finite numbers', () => {
    fc.assert(
      fc.property(steps, (outcomes) => {
        expect(numbersIn(summaryOf(outcomes)).filter((number) => !Number.isFinite(number))).toEqual(
          [],
        );
      }),
    );
  });

  it('count every probe once and keep the latest', () => {
    fc.assert(
      fc.property(steps, (outcomes) => {
        const { sent, counts, recent } = summaryOf(outcomes);
        const shown = outcomes
          .filter((each) => typeof each === 'number' || each.state !== 'cancelled')
          .map((each) => (typeof each === 'number' ? each : null));
        expect(sent).toBe(shown.length);
        expect(counts.open).toBe(shown.filter((each) => each !== null).length);
        expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(sent);
        expect(recent).toEqual(shown.slice(-240));
      }),
    );
  });
});

describe('the service figures', () => {
  it('count answers and failures and have the answer times', () => {
    const services = [
      answeredService({ answerMs: 2 }),
      silentService(),
      answeredService({ answerMs: 4 }),
      droppedService(),
      droppedService(),
    ];
    const { counts, lossPercent, service } = summaryOf([
      ...services.map((each) => openOutcome({ service: each })),
      closedOutcome(),
    ]);
    expect(counts.open).toBe(5);
    expect(lossPercent).toBeCloseTo(100 / 6, 10);
    expect(service).toEqual({
      answered: 2,
      failures: { silent: 1, dropped: 2 },
      answers: {
        count: 2,
        min: 2,
        mean: 3,
        max: 4,
        standardDeviation: expect.closeTo(Math.SQRT2, 10) as number,
      },
    });
  });

  it('have no answer times if the service never answered', () => {
    expect(summaryOf([openOutcome({ service: silentService() })]).service).toEqual({
      answered: 0,
      failures: { silent: 1 },
      answers: null,
    });
  });
});
