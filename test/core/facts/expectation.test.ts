import { UsageError } from '../../../src/core/usage-error.js';
import { describe, expect, it } from 'vitest';
import { judge } from '../../../src/core/facts/expectation.js';
import { EXPECTATIONS, type Expectation } from '../../../src/core/states.js';
import type { Outcome } from '../../../src/core/facts/outcome.js';
import { probeTargets } from '../../../src/core/many/probe-targets.js';
import { probeSeries } from '../../../src/core/series/probe-series.js';
import { waitUntil } from '../../../src/core/series/wait-until.js';
import type {
  FailedReason,
  FilteredReason,
  State,
  UnresolvedReason,
} from '../../../src/core/states.js';
import { freePort } from '../../support/listeners.js';
import {
  answeredService,
  cancelledOutcome,
  closedOutcome,
  droppedService,
  failedOutcome,
  filteredOutcome,
  openOutcome,
  silentService,
  tlsFailedService,
  unresolvedOutcome,
} from '../../support/reports.js';

const LATENCY_MS = 12.5;

const resolvingFailed: Outcome = {
  ...failedOutcome('no-files-left'),
  state: 'failed',
  host: 'mail.example.com',
  via: 'system',
};
const resolvingCancelled: Outcome = {
  state: 'cancelled',
  host: 'mail.example.com',
  via: 'system',
  elapsedMs: 3,
};

/** Every reason of the types: the compiler fails when one is missing here, or is none. */
const FILTERED = Object.keys({
  'no-response': 0,
  'host-unreach': 0,
  'net-unreach': 0,
  'proto-unreach': 0,
  'admin-prohibited': 0,
  'icmp-error': 0,
} satisfies Record<FilteredReason, 0>) as FilteredReason[];
const UNRESOLVED = Object.keys({
  'name-not-found': 0,
  'name-no-address': 0,
  'resolver-failed': 0,
  'resolver-timeout': 0,
} satisfies Record<UnresolvedReason, 0>) as UnresolvedReason[];
const FAILED = Object.keys({
  'no-route': 0,
  'no-ports-left': 0,
  'no-files-left': 0,
  'not-permitted': 0,
  'bad-source': 0,
  'no-resources': 0,
  'unknown-error': 0,
} satisfies Record<FailedReason, 0>) as FailedReason[];

const OUTCOMES: Readonly<Record<State, readonly Outcome[]>> = {
  open: [openOutcome({ latencyMs: LATENCY_MS })],
  closed: [closedOutcome()],
  filtered: FILTERED.map((reason) => filteredOutcome(reason)),
  unresolved: UNRESOLVED.map((reason) => unresolvedOutcome(reason)),
  failed: [...FAILED.map((reason) => failedOutcome(reason)), resolvingFailed],
  cancelled: [cancelledOutcome(), resolvingCancelled],
};

/**
 * The exit code for each state under each expectation.
 * Open ports are fast enough. Only 0 means "as expected".
 */
const EXIT_CODES: Readonly<Record<State, Readonly<Record<Expectation, number>>>> = {
  open: { open: 0, closed: 5, filtered: 5, 'not-open': 5 },
  closed: { open: 1, closed: 0, filtered: 1, 'not-open': 0 },
  filtered: { open: 2, closed: 2, filtered: 0, 'not-open': 0 },
  unresolved: { open: 3, closed: 3, filtered: 3, 'not-open': 3 },
  failed: { open: 4, closed: 4, filtered: 4, 'not-open': 4 },
  cancelled: { open: 130, closed: 130, filtered: 130, 'not-open': 130 },
};

/** Latencies that a port of 12.5 ms may have at the most, and whether that is too slow for them. */
const LIMITS: readonly (readonly [maxLatencyMs: number | undefined, tooSlow: boolean])[] = [
  [undefined, false],
  [Infinity, false],
  [60_000, false],
  [12.5001, false],
  [12.5, false],
  [12.4999, true],
  [0.001, true],
  [0, true],
];

const CASES = (Object.keys(OUTCOMES) as State[]).flatMap((state) =>
  EXPECTATIONS.flatMap((expected) =>
    LIMITS.map(([limit, slow]) => [state, expected, limit, slow] as const),
  ),
);

describe('judge', () => {
  it.each(CASES)(
    'judges the state %s with %s expected and a maximum latency of %s ms',
    (state, expected, maxLatencyMs, limitExceeded) => {
      const tooSlow = state === 'open' && limitExceeded;
      const exitCode = tooSlow ? 5 : EXIT_CODES[state][expected];
      expect(OUTCOMES[state].length).toBeGreaterThan(0);
      for (const outcome of OUTCOMES[state])
        expect(judge(outcome, { expect: expected, maxLatencyMs })).toEqual({
          asExpected: exitCode === 0,
          exitCode,
          tooSlow,
        });
    },
  );

  it('expects an open port of any latency by default', () => {
    for (const state of Object.keys(OUTCOMES) as State[]) {
      for (const outcome of OUTCOMES[state]) {
        expect(judge(outcome)).toEqual({
          asExpected: state === 'open',
          exitCode: EXIT_CODES[state].open,
          tooSlow: false,
        });
        expect(judge(outcome, {})).toEqual(judge(outcome));
      }
    }
    expect(judge(openOutcome({ latencyMs: 3_600_000 })).asExpected).toBe(true);
  });

  it('gives exit code 6 for an open port whose service failed, only if open is expected', () => {
    for (const service of [silentService(), droppedService(), tlsFailedService()]) {
      const outcome = openOutcome({ service, latencyMs: 10 });
      expect(judge(outcome)).toEqual({ asExpected: false, exitCode: 6, tooSlow: false });
      expect(judge(outcome, { maxLatencyMs: 1 })).toEqual({
        asExpected: false,
        exitCode: 6,
        tooSlow: true,
      });
      for (const unwanted of ['closed', 'filtered', 'not-open'] as const)
        expect(judge(outcome, { expect: unwanted })).toMatchObject({
          asExpected: false,
          exitCode: 5,
        });
    }
    expect(judge(openOutcome({ service: answeredService() }))).toEqual({
      asExpected: true,
      exitCode: 0,
      tooSlow: false,
    });
    expect(judge(openOutcome({ service: answeredService() }), { maxLatencyMs: 1 })).toEqual({
      asExpected: false,
      exitCode: 5,
      tooSlow: true,
    });
  });

  it('never accepts unresolved, failed or cancelled as expected', () => {
    for (const outcome of [...OUTCOMES.unresolved, ...OUTCOMES.failed, ...OUTCOMES.cancelled]) {
      for (const expected of EXPECTATIONS)
        expect(
          judge(outcome, { expect: expected, maxLatencyMs: 60_000 }).asExpected,
          `${outcome.state} as ${expected}`,
        ).toBe(false);
    }
  });

  it('throws a UsageError for an invalid expectation in any state of the port', () => {
    for (const wrong of [
      'Closed',
      '',
      'ajar',
      null,
      1,
      Symbol('open'),
    ] as unknown as Expectation[]) {
      for (const outcome of [openOutcome(), closedOutcome(), cancelledOutcome()])
        expect(() => judge(outcome, { expect: wrong })).toThrow(UsageError);
    }
    expect(() => judge(openOutcome(), { expect: 'Closed' as Expectation })).toThrow(
      'expect: "Closed" is not an expectation; allowed: open, closed, filtered, not-open',
    );
  });

  it('makes probeTargets, probeSeries and waitUntil reject an invalid expectation', async () => {
    const [target, wrong] = [
      { host: '127.0.0.1', port: await freePort() },
      'Closed' as Expectation,
    ];
    await expect(
      probeTargets([{ target, expect: wrong }], {}, { skipWarmUp: true }).next(),
    ).rejects.toThrow(UsageError);
    await expect(
      probeSeries(target, { expect: wrong }, { skipWarmUp: true }).next(),
    ).rejects.toThrow(UsageError);
    await expect(waitUntil(target, { expect: wrong }, { skipWarmUp: true })).rejects.toThrow(
      UsageError,
    );
  });

  it('accepts the expectations open, closed, filtered and not-open', () => {
    expect([...EXPECTATIONS].sort()).toEqual(['closed', 'filtered', 'not-open', 'open']);
  });
});
