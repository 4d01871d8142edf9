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

/** Any text: all characters, characters with a meaning in some format, and harmful ones. */
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

/** The event of a probe with any host name and any text of the server. */
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

/** The totals of a run with this many probes. */
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
