import { describe, expect, it } from 'vitest';
import { describeTotals } from '../../src/report/totals.js';
import { totalsOf } from '../support/texts.js';

describe('the totals of a run', () => {
  const totals = { ...totalsOf(3), counts: { open: 1, closed: 2 } };

  it('have the number of probes, the time and the states', () => {
    expect(describeTotals(totals)).toBe('3 probes in 1.23 s: 1 open, 2 closed.');
  });

  it('count unexpected results when states were expected', () => {
    expect(describeTotals({ ...totals, hasExpectations: true, unexpected: 1 })).toBe(
      '3 probes in 1.23 s: 1 open, 2 closed; 1 not as expected.',
    );
  });

  it('report that a run ended early', () => {
    expect(describeTotals({ ...totalsOf(0), isComplete: false })).toBe(
      '0 probes in 1.23 s: none; the run ended early.',
    );
  });
});
