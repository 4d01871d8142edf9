import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProbeEvent } from '../../../src/core/facts/events.js';
import { junitReporter } from '../../../src/report/formats/junit.js';
import {
  closedOutcome,
  eventOf,
  failedOutcome,
  HARMFUL,
  HOSTILE,
  openOutcome,
  reportOf,
} from '../../support/reports.js';
import { anyEvent, totalsOf } from '../../support/texts.js';
import { itWith, reasonToSkip } from '../../support/tools.js';

const schema = fileURLToPath(new URL('junit-10.rng', import.meta.url));

function junitOf(events: readonly ProbeEvent[]): string {
  const reporter = junitReporter({ expect: 'open', service: null, rounds: true });
  for (const event of events) expect(reporter.probe(event)).toEqual({ stdout: '', stderr: '' });
  return reporter.finish(totalsOf(events.length)).stdout;
}

/** The errors that xmllint reports; '' when the text is valid. */
function complaints(text: string): string {
  const { status, stderr } = spawnSync(
    'xmllint',
    ['--noout', '--nonet', '--relaxng', schema, '-'],
    { input: text, encoding: 'utf8' },
  );
  return status === 0 ? '' : stderr;
}

describe('the JUnit report', () => {
  it('has a case for each probe: a failure if unexpected, an error if not probed', () => {
    const junit = junitOf(
      [openOutcome(), closedOutcome(), failedOutcome('no-route')].map((outcome) =>
        eventOf(reportOf(outcome)),
      ),
    );
    expect(junit).toContain(
      '<testsuites name="portping" tests="3" failures="1" errors="1" time="1.234">',
    );
    expect(junit).toContain(
      '<testsuite name="portping" tests="3" failures="1" errors="1" time="1.234" ' +
        'skipped="0" timestamp="2026-03-04T05:06:07">',
    );
    expect(junit).toContain(
      '<testcase classname="portping.mail.example.com" ' +
        'name="mail.example.com:25 is open" time="0.014"/>',
    );
    expect(junit).toContain(
      '<failure type="closed" message="closed (conn-refused) (192.0.2.10)">' +
        '10061 WSAECONNREFUSED (ECONNREFUSED): ',
    );
    expect(junit).toContain('<error type="failed" message="failed (no-route) (192.0.2.10)">');
  });

  it('has an error when the run ended early', () => {
    const text = junitReporter({ expect: 'open', service: null, rounds: true }).finish({
      ...totalsOf(0),
      isComplete: false,
    }).stdout;
    expect(text).toContain('<testsuite name="portping" tests="1" failures="0" errors="1"');
    expect(text).toContain(
      '<error type="incomplete" message="the run ended before the last probe">',
    );
    if (reasonToSkip('xmllint') === undefined) expect(complaints(text)).toBe('');
  });

  it('escapes hostile text', () => {
    expect(
      junitOf([
        eventOf(reportOf(closedOutcome(), { target: { host: HOSTILE, port: 25 } })),
      ]).replaceAll('\n', ''),
    ).not.toMatch(HARMFUL);
  });

  itWith('xmllint', 'is checked by a schema that does not accept everything', () => {
    expect(
      complaints(
        '<testsuites tests="1" failures="0" errors="0">' +
          '<testsuite tests="1" failures="0" errors="0"/></testsuites>',
      ),
    ).toMatch(/fails to validate/);
  });

  itWith(
    'xmllint',
    "is valid for Jenkins' xunit plugin with any host name and any text of a server",
    () => {
      expect(complaints(junitOf([]))).toBe('');
      fc.assert(
        fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 40 }), (events) => {
          expect(complaints(junitOf(events))).toBe('');
        }),
        { numRuns: 100 },
      );
    },
  );
});
