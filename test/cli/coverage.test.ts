import { describe, expect, it } from 'vitest';
import { Coverage } from '../../src/cli/actions/coverage.js';
import { eventOf, openOutcome, reportOf } from '../support/reports.js';

const TARGET = { host: 'mail.example.com', port: 25 };
const requests = [{ target: TARGET }, { target: { host: 'other.example.com', port: 25 } }];
const first = eventOf(reportOf(openOutcome()));
const second = {
  ...first,
  report: { ...first.report, target: { host: 'other.example.com', port: 25 } },
};

describe('an interrupted run is complete', () => {
  it('with a number of probes when all of them were made', () => {
    const coverage = new Coverage({ requests, size: 2, count: 2 }, false);
    for (const event of [first, second, first]) coverage.add(event);
    expect([coverage.isComplete, coverage.describeInterruption()]).toEqual([
      false,
      'Interrupted after 3 of 4 probes.',
    ]);
    coverage.add(second);
    expect([coverage.isComplete, coverage.describeInterruption()]).toEqual([true, '']);
  });

  it('without a number of probes when every target has a verdict', () => {
    const coverage = new Coverage({ requests, size: 2, count: Infinity }, false);
    expect(coverage.describeInterruption()).toBe('Interrupted before there was a verdict.');
    for (const event of [first, first, first]) coverage.add(event);
    expect([coverage.isComplete, coverage.describeInterruption()]).toEqual([
      false,
      'Interrupted before every target had a verdict.',
    ]);
    coverage.add(second);
    expect(coverage.isComplete).toBe(true);
  });

  it('with every address of a name when each that was found has a verdict', () => {
    const { resolution } = first.report;
    if (resolution.state !== 'resolved')
      throw new TypeError('the report is of a name that resolves');
    const [address, ...rest] = resolution.addresses;
    const found = [...resolution.addresses, { address: '192.0.2.99', family: 4 as const }];
    expect([address?.address, rest]).toEqual(['192.0.2.10', []]);
    const two = {
      ...first,
      report: { ...first.report, resolution: { ...resolution, addresses: found } },
    };
    const coverage = new Coverage(
      { requests: requests.slice(0, 1), size: 1, count: Infinity },
      true,
    );
    coverage.add(two);
    expect(coverage.isComplete).toBe(false);
    const outcome = openOutcome();
    coverage.add({
      ...two,
      report: {
        ...two.report,
        outcome: { ...outcome, endpoint: { ...outcome.endpoint, address: '192.0.2.99' } },
      },
    });
    expect(coverage.isComplete).toBe(true);
  });

  it('never when the number of probes is unknown', () => {
    for (const [plan, everyAddress] of [
      [{ requests, size: null, count: 1 }, false],
      [{ requests, size: 2, count: 1 }, true],
    ] as const) {
      const coverage = new Coverage(plan, everyAddress);
      for (const event of [first, second]) coverage.add(event);
      expect([coverage.isComplete, coverage.describeInterruption()]).toEqual([
        false,
        'Interrupted before the last probe.',
      ]);
    }
  });
});
