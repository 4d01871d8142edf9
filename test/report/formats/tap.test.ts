import fc from 'fast-check';
import { Parser } from 'tap-parser';
import { describe, expect, it } from 'vitest';
import type { ProbeEvent } from '../../../src/core/facts/events.js';
import { tapReporter } from '../../../src/report/formats/tap.js';
import {
  cancelledOutcome,
  closedOutcome,
  eventOf,
  HARMFUL,
  openOutcome,
  reportOf,
} from '../../support/reports.js';
import { anyEvent, totalsOf } from '../../support/texts.js';

function tapOf(events: readonly ProbeEvent[]): string {
  const reporter = tapReporter({ expect: 'open', service: null, rounds: true });
  return [
    ...events.map((event) => reporter.probe(event).stdout),
    reporter.finish(totalsOf(events.length)).stdout,
  ].join('');
}

describe('the TAP report', () => {
  it('has a test point for each probe, with the cause if it is not ok', () => {
    expect(tapOf([eventOf(reportOf(openOutcome())), eventOf(reportOf(closedOutcome()))])).toMatch(
      new RegExp(
        String.raw`^TAP version 13\nok 1 - mail\.example\.com:25 is open\nnot ok 2 - ` +
          String.raw`mail\.example\.com:25 is open\n {2}---\n {2}seen: "closed ` +
          String.raw`\(conn-refused\) \(192\.0\.2\.10\)"\n {2}message: "10061 .*"\n ` +
          String.raw`{2}seconds: 0\.002\n {2}exitCode: 1\n {2}\.\.\.\n1\.\.2\n$`,
      ),
    );
  });

  it.each([
    ['closed', false, 'expected closed, but the port is open'],
    ['closed', true, 'expected closed, but the port is open'],
    ['not-open', false, 'expected not open, but the port is open'],
    ['open', true, 'the port is open, but slower than --max-latency'],
  ] as const)('says why an open port fails when %s is expected', (state, tooSlow, message) => {
    const event = eventOf(reportOf(openOutcome()));
    const failed = {
      ...event,
      request: { ...event.request, expect: state },
      verdict: { ...event.verdict, asExpected: false, exitCode: 5, tooSlow },
    };
    expect(tapOf([failed])).toContain(`\n  message: "${message}"\n`);
  });

  it('says that a cancelled probe has no verdict', () => {
    const event = eventOf(reportOf(cancelledOutcome()));
    const failed = { ...event, verdict: { ...event.verdict, asExpected: false, exitCode: 130 } };
    expect(tapOf([failed])).toContain('\n  message: "the probe ended before it had a verdict"\n');
  });

  it('bails out in place of a plan when the run ended early', () => {
    expect(
      tapReporter({ expect: 'open', service: null, rounds: true }).finish({
        ...totalsOf(0),
        isComplete: false,
      }).stdout,
    ).toBe('TAP version 13\nBail out! The run ended before the last probe.\n');
  });

  it('has a plan even without a probe', () => {
    expect(tapOf([])).toBe('TAP version 13\n1..0\n');
  });

  it('gives a TAP parser the right results, for any host name', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 20 }), (events) => {
        const tap = tapOf(events);
        expect(tap.replaceAll('\n', '')).not.toMatch(HARMFUL);
        const results = Parser.parse(tap);
        const points = results
          .filter(([kind]) => kind === 'assert')
          .map(([, point]) => point as { ok: boolean; skip: unknown; todo: unknown });
        expect(points.map(({ ok }) => ok)).toEqual(events.map(({ verdict }) => verdict.asExpected));
        expect(points.some(({ skip, todo }) => skip || todo)).toBe(false);
        expect(results.find(([kind]) => kind === 'complete')?.[1]).toMatchObject({
          count: events.length,
          bailout: false,
        });
        expect(results.filter(([kind]) => kind === 'extra' || kind === 'comment')).toEqual([]);
      }),
    );
  });
});
