import { describe, expect, it } from 'vitest';
import type { Outage } from '../../src/core/facts/events.js';
import type { Summary } from '../../src/core/series/statistics.js';
import { describeOutage, describeSummary } from '../../src/report/summary.js';
import { STARTED_AT } from '../support/reports.js';

const outage: Outage = {
  from: STARTED_AT,
  to: STARTED_AT + 5000,
  durationMs: 5000,
  over: true,
  probes: 7,
  causes: [
    { reason: 'conn-refused', count: 5 },
    { reason: 'no-response', count: 2 },
  ],
  moreCauses: 0,
};

describe('an outage', () => {
  it('has a start, an end, a length and causes', () => {
    expect(describeOutage(outage, '×')).toBe(
      'Outage from 2026-03-04T05:06:07.089Z to 2026-03-04T05:06:12.089Z, 5 s: ' +
        'refused ×5, then no answer ×2.',
    );
  });

  it('has no end while it continues', () => {
    expect(describeOutage({ ...outage, over: false }, 'x')).toBe(
      'Outage since 2026-03-04T05:06:07.089Z, 5 s so far: refused x5, then no answer x2.',
    );
  });

  it('stands in the summary while it continues', () => {
    const ongoing = { ...outage, over: false };
    expect(describeSummary({ ...summary, outage: ongoing }, 'x').at(-1)).toBe(
      'Outage since 2026-03-04T05:06:07.089Z, 5 s so far: refused x5, then no answer x2.',
    );
  });

  it('has no length while it consists of a single probe', () => {
    const causes = [{ reason: 'conn-refused', count: 1 }] as const;
    expect(describeOutage({ ...outage, over: false, probes: 1, causes }, 'x')).toBe(
      'Outage since 2026-03-04T05:06:07.089Z, one probe so far: refused x1.',
    );
  });

  it('has the number of changes that it does not list', () => {
    expect(describeOutage({ ...outage, moreCauses: 3 }, 'x')).toMatch(/x2, then 3 more changes\.$/);
  });
});

const figures = { count: 3, min: 1, mean: 2, max: 3, standardDeviation: 1 };

const summary: Summary = {
  firstAt: STARTED_AT,
  latestAt: STARTED_AT + 5000,
  sent: 5,
  counts: { open: 3, closed: 0, filtered: 2, unresolved: 0, failed: 0 },
  latest: 'open',
  lossPercent: 40,
  latency: { ...figures, p50: 2, p90: 3, p95: 3, p99: 3, jitter: null },
  service: null,
  tooSlow: 0,
  lostSyns: 0,
  lostSynsSeen: 0,
  outage: null,
  outages: { count: 0, longestMs: 0, totalMs: 0 },
  resolving: null,
  recent: [1, 2, null, null, 3],
  bins: [],
};

describe('a summary', () => {
  it('counts the states and gives the latency', () => {
    expect(describeSummary(summary, '×')).toEqual([
      '5 probes: 3 open, 0 closed, 2 filtered, 0 failed; 40% loss',
      'latency in ms: min 1.00, mean 2.00, max 3.00, standard deviation 1.00, jitter -',
      '               p50 2.00, p90 3.00, p95 3.00, p99 3.00',
    ]);
  });

  it.each([
    [1, 2099, '99.95% loss'],
    [2099, 1, '0.05% loss'],
    [2100, 0, '0% loss'],
  ])('rounds the loss of %d open and %d closed probes to %s', (open, closed, loss) => {
    const lossPercent = (closed / 2100) * 100;
    const counts = { ...summary.counts, open, closed };
    expect(describeSummary({ ...summary, sent: 2100, counts, lossPercent }, '×')[0]).toMatch(
      new RegExp(`; ${loss}$`),
    );
  });

  it('reports that there is no verdict before the first probe', () => {
    expect(describeSummary({ ...summary, sent: 0 }, '×')).toEqual(['0 probes: no verdict']);
  });

  it('counts unresolved probes only when there are any', () => {
    const counts = { ...summary.counts, filtered: 1, unresolved: 1 };
    expect(describeSummary({ ...summary, counts }, '×')[0]).toBe(
      '5 probes: 3 open, 0 closed, 1 filtered, 1 unresolved, 0 failed; 40% loss',
    );
  });

  it('has one line for each other event', () => {
    const facts: Partial<Summary> = {
      latency: null,
      service: { answered: 1, failures: { silent: 2, dropped: 1 }, answers: figures },
      tooSlow: 2,
      resolving: figures,
      outages: { count: 2, longestMs: 3000, totalMs: 4500 },
      lostSyns: 4,
      lostSynsSeen: 3,
    };
    expect(describeSummary({ ...summary, ...facts }, '×').slice(1)).toEqual([
      'service: 1 answered, 2 silent, 1 dropped; answers in ms: min 1.00, mean 2.00, max 3.00',
      'too slow: 2',
      'resolving in ms: min 1.00, mean 2.00, max 3.00',
      '2 outages: longest 3 s, total 4.5 s',
      'lost SYNs or answers, seen by the kernel: 3',
      'lost SYNs or answers, probably: 1',
    ]);
  });
});
