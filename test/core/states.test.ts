import { describe, expect, it } from 'vitest';
import {
  EXIT_BUG,
  EXIT_CODES,
  EXIT_USAGE,
  exitCodeOf,
  type Reason,
  type State,
} from '../../src/core/states.js';

/** Every state and reason of the types: the compiler fails when one is missing here, or is none. */
const STATES = Object.keys({
  open: 0,
  closed: 0,
  filtered: 0,
  unresolved: 0,
  failed: 0,
  cancelled: 0,
} satisfies Record<State, 0>) as State[];
const REASONS = Object.keys({
  'conn-refused': 0,
  'no-response': 0,
  'host-unreach': 0,
  'net-unreach': 0,
  'proto-unreach': 0,
  'admin-prohibited': 0,
  'icmp-error': 0,
  'name-not-found': 0,
  'name-no-address': 0,
  'resolver-failed': 0,
  'resolver-timeout': 0,
  'no-route': 0,
  'no-ports-left': 0,
  'no-files-left': 0,
  'not-permitted': 0,
  'bad-source': 0,
  'no-resources': 0,
  'unknown-error': 0,
  silent: 0,
  dropped: 0,
  'wrong-protocol': 0,
  'tls-failed': 0,
} satisfies Record<Reason, 0>) as Reason[];

describe('the table of exit codes', () => {
  it('has one row for each exit code, sorted', () => {
    const exitCodes = EXIT_CODES.map((row) => row.exitCode);
    expect(exitCodes).toEqual([...new Set(exitCodes)].sort((a, b) => a - b));
  });

  it('has one row for each state, and a second row for open ports that fail a check', () => {
    expect(
      EXIT_CODES.map((row) => row.state)
        .filter((state) => state !== null)
        .sort(),
    ).toEqual([...STATES, 'open'].sort());
  });

  it('has every reason in exactly one row', () => {
    expect(EXIT_CODES.flatMap((row) => row.reasons).sort()).toEqual([...REASONS].sort());
  });

  it('has rows without reasons only for open, cancelled and no state', () => {
    for (const row of EXIT_CODES.filter((each) => each.reasons.length === 0))
      expect(['open', 'cancelled', null]).toContain(row.state);
  });

  it('has exit codes from 0 to 255, each with its meaning', () => {
    for (const { exitCode, meaning } of EXIT_CODES) {
      expect(Number.isInteger(exitCode) && exitCode >= 0 && exitCode < 256).toBe(true);
      expect(meaning).toMatch(/^[^\n]{5,}[^.\n]$/);
    }
  });
});

describe('exitCodeOf', () => {
  it.each<[State, number]>([
    ['open', 0],
    ['closed', 1],
    ['filtered', 2],
    ['unresolved', 3],
    ['failed', 4],
    ['cancelled', 130],
  ])('returns for %s the exit code %i', (state, exitCode) => {
    expect(exitCodeOf(state)).toBe(exitCode);
  });

  it('throws for an unknown state', () => {
    expect(() => exitCodeOf('ajar' as State)).toThrow(TypeError);
  });

  it('never returns the exit codes for wrong usage and for bugs', () => {
    expect([EXIT_USAGE, EXIT_BUG]).toEqual([64, 70]);
    for (const state of STATES) expect([EXIT_USAGE, EXIT_BUG]).not.toContain(exitCodeOf(state));
    for (const exitCode of [EXIT_USAGE, EXIT_BUG])
      expect(EXIT_CODES.find((row) => row.exitCode === exitCode)?.state).toBeNull();
  });
});
