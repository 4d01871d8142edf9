import fc from 'fast-check';
import type { ProbeEvent } from '../../src/core/facts/events.js';
import type { Totals } from '../../src/report/reporter.js';
import {
  answeredService,
  closedOutcome,
  eventOf,
  failedOutcome,
  HOSTILE,
  openOutcome,
  reportOf,
  unresolvedOutcome,
} from './reports.js';

/** Any text: of all characters, of those that formats give a meaning, and of those that do harm. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      '"',
      "'",
      ',',
      ';',
      '\r',
      '\n',
      '\t',
      '=',
      '+',
      '-',
      '@',
      '|',
      '#',
      '\\',
      '&',
      '<',
      '>',
      ']]>',
      ' ',
      'x',
      '\uffff',
      '\ufffe',
      '\u0085',
    ),
  }),
  fc.constant(HOSTILE),
);

/** A probe of a host that is called anything, behind whose port anything was said, as events hold it. */
export const anyEvent: fc.Arbitrary<ProbeEvent> = fc
  .tuple(anyText, anyText, fc.constantFrom('open', 'closed', 'failed', 'unresolved'))
  .map(([host, said, state]) => {
    const outcome = {
      open: openOutcome({ service: answeredService({ firstLine: said }) }),
      closed: closedOutcome(),
      failed: failedOutcome(),
      unresolved: unresolvedOutcome('name-not-found', { host }),
    }[state];
    return eventOf(reportOf(outcome, { target: { host, port: 25 } }));
  });

/** The end of a run of so many probes. */
export function totalsOf(probes: number): Totals {
  return {
    type: 'totals',
    probes,
    counts: {},
    unexpected: 0,
    hasExpectations: false,
    elapsedMs: 1234.5,
    exitCode: 0,
    isComplete: true,
  };
}
