import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/core/facts/outcome.js';
import { OutageTracker } from '../../../src/core/series/outages.js';
import { type Outage } from '../../../src/core/facts/events.js';
import type { Reason } from '../../../src/core/states.js';
import {
  answeredService,
  cancelledOutcome,
  closedOutcome,
  failedOutcome,
  filteredOutcome,
  openOutcome,
  reportOf,
  silentService,
  STARTED_AT,
  unresolvedOutcome,
} from '../../support/reports.js';

const KINDS = {
  open: openOutcome(),
  cancelled: cancelledOutcome(),
  refused: closedOutcome(),
  silent: filteredOutcome('no-response'),
  unreachable: filteredOutcome('host-unreach'),
  nameless: unresolvedOutcome('name-not-found'),
  stuck: failedOutcome('no-files-left'),
} satisfies Record<string, Outcome>;
type Kind = keyof typeof KINDS;

const reasonOf = (kind: Kind): Reason | null => {
  const outcome = KINDS[kind];
  return 'reason' in outcome ? outcome.reason : null;
};

/** Seconds after STARTED_AT as the wall clock shows them. */
const at = (seconds: number): number => STARTED_AT + seconds * 1000;

/**
 * The outages in probes that began at these seconds, by default one probe a second.
 * `rest` is the outage that had not ended after the last probe.
 */
function track(
  kinds: readonly Kind[],
  seconds: readonly number[] = kinds.map((_, index) => index),
): { ended: (Outage | null)[]; rest: Outage | null } {
  const tracker = new OutageTracker();
  const ended = kinds.map((kind, index) =>
    tracker.add(reportOf(KINDS[kind], { startedAt: at(seconds[index] ?? 0) })),
  );
  return { ended, rest: tracker.finish() };
}

const allOf = ({ ended, rest }: ReturnType<typeof track>): Outage[] =>
  [...ended, rest].filter((each) => each !== null);

describe('OutageTracker', () => {
  it('finds no outage if every probe was open or there was no probe', () => {
    expect(track(['open', 'open', 'open'])).toEqual({ ended: [null, null, null], rest: null });
    expect(track([])).toEqual({ ended: [], rest: null });
  });

  it('reports an outage from the first probe that was not open to the next open one', () => {
    expect(
      track(['open', 'refused', 'refused', 'silent', 'open', 'open'], [0, 1, 2, 3, 7.5, 8]),
    ).toEqual({
      ended: [
        null,
        null,
        null,
        null,
        {
          from: at(1),
          to: at(7.5),
          durationMs: 6500,
          over: true,
          probes: 3,
          causes: [
            { reason: 'conn-refused', count: 2 },
            { reason: 'no-response', count: 1 },
          ],
          moreCauses: 0,
        },
        null,
      ],
      rest: null,
    });
  });

  it('counts the causes in order, and a cause that returns a second time separately', () => {
    const [outage] = allOf(
      track([
        'refused',
        'refused',
        'silent',
        'nameless',
        'stuck',
        'refused',
        'unreachable',
        'unreachable',
        'open',
      ]),
    );
    expect(outage?.causes).toEqual([
      { reason: 'conn-refused', count: 2 },
      { reason: 'no-response', count: 1 },
      { reason: 'name-not-found', count: 1 },
      { reason: 'no-files-left', count: 1 },
      { reason: 'conn-refused', count: 1 },
      { reason: 'host-unreach', count: 2 },
    ]);
  });

  it('ends an ongoing outage at its last probe and marks it as not over', () => {
    expect(track(['open', 'refused', 'silent'], [0, 1, 4])).toEqual({
      ended: [null, null, null],
      rest: {
        from: at(1),
        to: at(4),
        durationMs: 3000,
        over: false,
        probes: 2,
        causes: [
          { reason: 'conn-refused', count: 1 },
          { reason: 'no-response', count: 1 },
        ],
        moreCauses: 0,
      },
    });
  });

  it('gives an outage of one last probe the duration 0', () => {
    expect(track(['open', 'refused']).rest).toEqual({
      from: at(1),
      to: at(1),
      durationMs: 0,
      over: false,
      probes: 1,
      causes: [{ reason: 'conn-refused', count: 1 }],
      moreCauses: 0,
    });
  });

  it('reports an ongoing outage once', () => {
    const tracker = new OutageTracker();
    tracker.add(reportOf(KINDS.refused));
    expect(tracker.finish()).not.toBeNull();
    expect(tracker.finish()).toBeNull();
    expect(tracker.add(reportOf(KINDS.open))).toBeNull();
  });

  it('starts a new outage after each one that ended', () => {
    const outages = allOf(track(['refused', 'open', 'silent', 'silent', 'open', 'nameless']));
    expect(
      outages.map(({ from, to, over, probes, causes }) => [
        from,
        to,
        over,
        probes,
        causes[0]?.reason,
        causes.length,
      ]),
    ).toEqual([
      [at(0), at(1), true, 1, 'conn-refused', 1],
      [at(2), at(4), true, 2, 'no-response', 1],
      [at(5), at(5), false, 1, 'name-not-found', 1],
    ]);
  });

  it('ignores cancelled probes', () => {
    const [outage, ...others] = allOf(
      track(['cancelled', 'refused', 'cancelled', 'refused', 'cancelled', 'open', 'cancelled']),
    );
    expect(outage).toMatchObject({
      from: at(1),
      to: at(5),
      probes: 2,
      causes: [{ reason: 'conn-refused', count: 2 }],
    });
    expect(others).toEqual([]);
    expect(allOf(track(['open', 'cancelled', 'open']))).toEqual([]);
    expect(track(['refused', 'cancelled']).rest).toMatchObject({ to: at(0), probes: 1 });
  });

  it.each([
    ['forward', 3600],
    ['back', -3600],
  ])('has the same duration when the clock is set an hour %s', (_, step) => {
    const tracker = new OutageTracker();
    const add = (kind: Kind, second: number, wallSecond: number) =>
      tracker.add(reportOf(KINDS[kind], { startedAt: at(wallSecond), startMs: second * 1000 }));
    add('refused', 1, 1);
    add('refused', 1.5, 1.5 + step);
    expect(tracker.current).toMatchObject({ durationMs: 500, over: false });
    expect(add('open', 2.1, 2.1 + step)).toMatchObject({
      from: at(1),
      to: at(2.1 + step),
      durationMs: 1100,
    });
  });

  it('reports the duration 0 if the clock was set back', () => {
    expect(allOf(track(['refused', 'silent', 'open'], [100, 40, 50]))).toMatchObject([
      { from: at(100), to: at(50), durationMs: 0, probes: 2 },
    ]);
    expect(allOf(track(['refused', 'silent'], [100, 40]))).toMatchObject([
      { from: at(100), to: at(40), durationMs: 0, over: false },
    ]);
  });

  it('keeps the first twenty causes and counts the others', () => {
    const kinds = Array.from({ length: 50 }, (_, index): Kind =>
      index % 2 === 0 ? 'refused' : 'silent',
    );
    const [outage] = allOf(track([...kinds, 'silent', 'silent', 'open']));
    expect(outage).toMatchObject({ probes: 52, moreCauses: 30 });
    expect(outage?.causes).toHaveLength(20);
    expect(outage?.causes.every(({ count }) => count === 1)).toBe(true);
  });

  it('keeps twenty causes in full, and the next outage starts at zero', () => {
    const kinds = Array.from({ length: 21 }, (_, index): Kind =>
      index % 2 === 0 ? 'refused' : 'silent',
    );
    const [twenty] = allOf(track([...kinds.slice(0, 20), 'silent', 'silent']));
    expect(twenty).toMatchObject({ probes: 22, moreCauses: 0 });
    expect(twenty?.causes.at(-1)).toEqual({ reason: 'no-response', count: 3 });
    expect(
      allOf(track([...kinds, 'open', 'refused'])).map(({ moreCauses, causes }) => [
        moreCauses,
        causes.length,
      ]),
    ).toEqual([
      [1, 20],
      [0, 1],
    ]);
  });

  it('does not change an outage that it has returned', () => {
    const tracker = new OutageTracker();
    tracker.add(reportOf(KINDS.refused));
    const outage = tracker.add(reportOf(KINDS.open, { startedAt: at(1) }));
    const copy = structuredClone(outage);
    for (const kind of ['refused', 'silent', 'open'] as const)
      tracker.add(reportOf(KINDS[kind], { startedAt: at(2) }));
    expect(outage).toEqual(copy);
  });

  const kind = fc.constantFrom<Kind[]>(
    'open',
    'cancelled',
    'refused',
    'silent',
    'unreachable',
    'nameless',
    'stuck',
  );
  const kinds = fc.oneof(
    fc.array(kind, { maxLength: 60 }),
    fc.array(fc.constantFrom<Kind[]>('refused', 'silent', 'nameless'), {
      minLength: 15,
      maxLength: 120,
    }), // long ones
  );

  it('finds each run of probes that were not open, and its causes', () => {
    fc.assert(
      fc.property(kinds, (each) => {
        const seen = each
          .map((kind, index) => [kind, index] as const)
          .filter(([kind]) => kind !== 'cancelled');
        const stretches: { indices: number[]; end: number | null }[] = [];
        let current: { indices: number[]; end: number | null } | null = null;
        for (const [kind, index] of seen) {
          if (kind === 'open') {
            if (current) current.end = index;
            current = null;
          } else {
            if (!current) stretches.push((current = { indices: [], end: null }));
            current.indices.push(index);
          }
        }
        const expected = stretches.map(({ indices, end }): Outage => {
          const runs: { reason: Reason; count: number }[] = [];
          for (const index of indices) {
            const reason = reasonOf(each[index] ?? 'open') ?? 'unknown-error';
            const run = runs.at(-1);
            if (run?.reason === reason) run.count += 1;
            else runs.push({ reason, count: 1 });
          }
          const [from, to] = [indices[0] ?? NaN, end ?? indices.at(-1) ?? NaN];
          return {
            from: at(from),
            to: at(to),
            durationMs: (to - from) * 1000,
            over: end !== null,
            probes: indices.length,
            causes: runs.slice(0, 20),
            moreCauses: Math.max(runs.length - 20, 0),
          };
        });
        expect(allOf(track(each))).toEqual(expected);
      }),
    );
  });

  it('never counts more probes than there were', () => {
    fc.assert(
      fc.property(kinds, (each) => {
        for (const { causes, moreCauses, probes } of allOf(track(each))) {
          const counted = causes.reduce((sum, { count }) => sum + count, 0);
          expect(causes.length).toBeLessThanOrEqual(20);
          expect(counted + moreCauses).toBeLessThanOrEqual(probes);
          if (moreCauses === 0) expect(counted).toBe(probes);
        }
      }),
    );
  });
});

describe('a service that does not answer', () => {
  it('is an outage that ends when the service answers', () => {
    const tracker = new OutageTracker();
    const outcomes = [
      closedOutcome(),
      openOutcome({ service: silentService() }),
      openOutcome({ service: silentService() }),
      openOutcome({ service: answeredService() }),
    ];
    const [, , , outage] = outcomes.map((outcome, index) =>
      tracker.add(reportOf(outcome, { startedAt: at(index) })),
    );
    expect(outage).toMatchObject({
      over: true,
      probes: 3,
      durationMs: 3000,
      causes: [
        { reason: 'conn-refused', count: 1 },
        { reason: 'silent', count: 2 },
      ],
    });
  });
});
