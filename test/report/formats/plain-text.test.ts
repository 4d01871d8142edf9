import { describe, expect, it } from 'vitest';
import { plainTextReporter } from '../../../src/report/formats/plain-text.js';
import { textReporter } from '../../../src/report/formats/text.js';
import {
  cancelledOutcome,
  closedOutcome,
  eventOf,
  failedOutcome,
  filteredOutcome,
  openOutcome,
  options,
  reportOf,
  unresolvedOutcome,
} from '../../support/reports.js';

const failures = [failedOutcome('no-route'), filteredOutcome(), unresolvedOutcome()];

describe('a reporter of plain probes', () => {
  it.each([openOutcome(), closedOutcome(), failedOutcome('no-files-left'), cancelledOutcome()])(
    'has all its words for $state',
    (outcome) => {
      const event = eventOf(reportOf(outcome));
      const reporter = plainTextReporter(options());
      expect(reporter.prepare?.(event.report)).toBeUndefined();
      expect(reporter.probe(event)).toEqual(textReporter(options()).probe(event));
    },
  );

  it.each(failures)('loads the words for $state, $reason', async (outcome) => {
    const event = eventOf(reportOf(outcome));
    const reporter = plainTextReporter(options());
    await reporter.prepare?.(event.report);
    expect(reporter.probe(event)).toEqual(textReporter(options()).probe(event));
    expect(reporter.prepare?.(event.report)).toBeUndefined();
  });

  it.each(failures)('does not leave the explanation of $state, $reason out', (outcome) => {
    const event = eventOf(reportOf(outcome));
    expect(() => plainTextReporter(options()).probe(event)).toThrow('not loaded');
  });
});
