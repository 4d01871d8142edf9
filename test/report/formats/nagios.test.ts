import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge } from '../../../src/core/facts/expectation.js';
import type { ProbeEvent } from '../../../src/core/facts/events.js';
import { CHECK_STATES } from '../../../src/report/formats/check-line.js';
import { nagiosReporter } from '../../../src/report/formats/nagios.js';
import type { Thresholds } from '../../../src/report/threshold.js';
import { parseThreshold } from '../../../src/report/threshold.js';
import {
  cancelledOutcome,
  closedOutcome,
  endpoint,
  eventOf,
  failedOutcome,
  filteredOutcome,
  HARMFUL,
  HOSTILE,
  openOutcome,
  reportOf,
  resolved,
  answeredService,
  silentService,
  tlsFacts,
  unresolvedOutcome,
} from '../../support/reports.js';

const totals = {
  type: 'totals',
  probes: 1,
  counts: {},
  unexpected: 0,
  hasExpectations: false,
  elapsedMs: 1,
  exitCode: 0,
  isComplete: true,
} as const;
const NONE: Thresholds = { warn: undefined, crit: undefined };
const range = (text: string) => parseThreshold(text, '--warn');

function check(
  events: readonly ProbeEvent[],
  { thresholds = NONE, expect: expected = 'open', interrupted = false } = {},
) {
  const reporter = nagiosReporter({ expect: expected, thresholds });
  const streamed = events.map((event) => reporter.probe(event).stdout).join('');
  const { stdout, stderr } = reporter.finish({ ...totals, isComplete: !interrupted });
  expect([streamed, stderr]).toEqual(['', '']);
  const [first = '', ...long] = stdout.trimEnd().split('\n');
  return { first, long, stdout, exitCode: reporter.exitCode?.() };
}

describe('a check of one target', () => {
  it('prints OK, the endpoint and the latency, with performance data in seconds', () => {
    expect(check([eventOf(reportOf(openOutcome()))])).toEqual({
      first:
        'PORTPING OK: mail.example.com:25 (192.0.2.10) open in 12.3 ms | ' +
        'time=0.012346s;;;0;5 dns=0.001500s;;;0;5',
      long: [],
      exitCode: 0,
      stdout: expect.any(String),
    });
  });

  it('has no DNS time for a literal address', () => {
    const report = reportOf(openOutcome(), {
      target: { host: '192.0.2.10', port: 25 },
      resolution: { ...resolved(), via: 'literal', elapsedMs: 0 },
    });
    expect(check([eventOf(report)]).first).toBe(
      'PORTPING OK: 192.0.2.10:25 open in 12.3 ms | time=0.012346s;;;0;5',
    );
  });

  it.each([
    [
      { warn: range('10ms'), crit: range('1s') },
      'WARNING',
      1,
      'open in 12.3 ms, outside --warn 10ms | time=0.012346s;0.01;1;0;5',
    ],
    [
      { warn: range('1ms'), crit: range('5ms') },
      'CRITICAL',
      2,
      'outside --crit 5ms | time=0.012346s;0.001;0.005;0;5',
    ],
    [
      { warn: range('20ms:'), crit: undefined },
      'WARNING',
      1,
      'outside --warn 20ms: | time=0.012346s;0.02:;;0;5',
    ],
    [
      { warn: range('20ms'), crit: range('@1s:2s') },
      'OK',
      0,
      'open in 12.3 ms | time=0.012346s;0.02;@1:2;0;5',
    ],
  ] as const)('compares the latency with %j: %s', (thresholds, state, exitCode, text) => {
    const result = check([eventOf(reportOf(openOutcome()))], { thresholds });
    expect(result.first).toContain(text);
    expect(result.first).toMatch(new RegExp(`^PORTPING ${state}: `));
    expect(result.exitCode).toBe(exitCode);
  });

  it.each([
    [
      closedOutcome(),
      'CRITICAL',
      'mail.example.com:25 (192.0.2.10) closed, refused <10061> after 0.31 ms',
    ],
    [
      filteredOutcome(),
      'CRITICAL',
      'mail.example.com:25 (192.0.2.10) filtered, no answer <10060> after 4 s',
    ],
    [
      unresolvedOutcome(),
      'CRITICAL',
      'mail.example.com:25 unresolved, no such name <11001> after 8.25 ms',
    ],
    [
      failedOutcome('no-ports-left'),
      'UNKNOWN',
      'mail.example.com:25 (192.0.2.10) failed, no source port left',
    ],
    [cancelledOutcome(), 'UNKNOWN', 'mail.example.com:25 (192.0.2.10) no verdict'],
  ] as const)('names the cause and explains it below: %#', (outcome, state, text) => {
    const { first, long, exitCode } = check([eventOf(reportOf(outcome))]);
    expect(first).toContain(`PORTPING ${state}: ${text}`);
    expect(exitCode).toBe(CHECK_STATES[state]);
    expect(long).toHaveLength(outcome.state === 'cancelled' ? 0 : 2);
    expect(first).not.toContain('time=');
  });

  it('is OK when a port is closed as expected', () => {
    const closed = eventOf(reportOf(closedOutcome()), {
      verdict: judge(closedOutcome(), { expect: 'closed' }),
    });
    expect(check([closed], { expect: 'closed' })).toMatchObject({
      exitCode: 0,
      first: expect.stringMatching(
        /^PORTPING OK: .* closed as expected, refused <10061> after 0.31 ms \| dns=/,
      ) as string,
    });
    const open = eventOf(reportOf(openOutcome()), {
      verdict: judge(openOutcome(), { expect: 'not-open' }),
    });
    expect(check([open], { expect: 'not-open' })).toMatchObject({
      exitCode: 2,
      first: expect.stringContaining('open in 12.3 ms, expected not open | time=') as string,
    });
  });

  it('shows the answer of the service, its time, and its TLS', () => {
    const { first, long, exitCode } = check([
      eventOf(reportOf(openOutcome({ service: answeredService({ tls: tlsFacts() }) }))),
    ]);
    expect(first).toBe(
      'PORTPING OK: mail.example.com:25 (192.0.2.10) open in 12.3 ms, ' +
        'smtp answered "220 mail.example.com ESMTP" in 4.10 milliseconds | ' +
        'time=0.012346s;;;0;5 service=0.005200s;;;0;5 dns=0.001500s;;;0;5',
    );
    expect(long).toEqual([expect.stringMatching(/^TLS: TLSv1\.3, .*, valid for 62 more days\.$/)]);
    expect(exitCode).toBe(0);
  });

  it('escapes the text of a service exactly once', () => {
    const { first } = check([
      eventOf(
        reportOf(openOutcome({ service: answeredService({ firstLine: '220 a\x1b[31m|b' }) })),
      ),
    ]);
    expect(first).toContain('smtp answered "220 a\\x1b[31m\\x7cb" in');
  });

  it('is CRITICAL when the port is open and the service does not answer', () => {
    const outcome = openOutcome({ service: silentService() });
    const { first, long, exitCode } = check([eventOf(reportOf(outcome))]);
    expect(first).toMatch(
      new RegExp(
        String.raw`^PORTPING CRITICAL: mail\.example\.com:25 \(192\.0\.2\.10\) open in ` +
          String.raw`12\.3 ms, but smtp is silent: its greeting did not come within 4.99 s \| ` +
          String.raw`time=0\.012346s`,
      ),
    );
    expect(long).toEqual([expect.stringContaining('The connection opened, but nothing came')]);
    expect(exitCode).toBe(2);
  });

  it('is UNKNOWN when it was interrupted', () => {
    expect(check([], { interrupted: true })).toMatchObject({
      first: 'PORTPING UNKNOWN: no verdict: interrupted',
      exitCode: 3,
    });
  });
});

describe('a check of several targets', () => {
  const other = (outcome: Parameters<typeof reportOf>[0], host = 'db') =>
    eventOf(reportOf(outcome, { target: { host, port: 5432 } }));

  it('has the worst state, a line per target, worst first, and labels that name targets', () => {
    const { first, long, exitCode } = check([
      eventOf(reportOf(openOutcome())),
      other(closedOutcome()),
    ]);
    expect(first).toBe(
      'PORTPING CRITICAL: 1 of 2 not OK: ' +
        'db:5432 (192.0.2.10) closed, refused <10061> after 0.31 ms | ' +
        "'mail.example.com:25 time'=0.012346s;;;0;5 'mail.example.com:25 dns'=0.001500s;;;0;5 " +
        "'db:5432 dns'=0.001500s;;;0;5",
    );
    expect(long).toEqual([
      expect.stringMatching(
        new RegExp(
          String.raw`^CRITICAL: db:5432 \(192\.0\.2\.10\) closed, refused <10061> after ` +
            String.raw`0\.31 ms\. 10061 WSAECONNREFUSED .*\.$`,
        ),
      ),
      'OK: mail.example.com:25 (192.0.2.10) open in 12.3 ms',
    ]);
    expect(exitCode).toBe(2);
  });

  it('ranks WARNING and CRITICAL as worse than UNKNOWN', () => {
    expect(check([other(failedOutcome()), other(closedOutcome(), 'db2')]).exitCode).toBe(2);
    expect(check([other(failedOutcome()), other(openOutcome(), 'db2')]).exitCode).toBe(3);
    const slow = check([other(failedOutcome()), other(openOutcome(), 'db2')], {
      thresholds: { warn: range('1ms'), crit: undefined },
    });
    expect(slow.exitCode).toBe(1);
  });

  it('names at most three targets in its first line', () => {
    const { first, long } = check(
      ['a', 'b', 'c', 'd', 'e'].map((host) => other(closedOutcome(), host)),
    );
    expect(first).toMatch(
      /^[^;]*5 of 5 not OK: a:5432 [^/]* \/ b:5432 [^/]* \/ c:5432 [^/]* \/ and 2 more \|/,
    );
    expect(long).toHaveLength(5);
  });

  it('is not OK when it was interrupted before the last target', () => {
    expect(check([other(openOutcome())], { interrupted: true })).toMatchObject({
      exitCode: 3,
      first: expect.stringContaining(
        'PORTPING UNKNOWN: all 1 as expected / interrupted before the others had a verdict',
      ) as string,
    });
  });

  it('has the addresses of one target in the labels, and one time of resolving', () => {
    const second = { ...endpoint, address: '192.0.2.11' };
    const { first } = check([
      eventOf(reportOf(openOutcome())),
      eventOf(reportOf(openOutcome({ endpoint: second }))),
    ]);
    expect(first.split(' | ')[1]).toBe(
      "'mail.example.com:25 (192.0.2.10) time'=0.012346s;;;0;5 " +
        "'mail.example.com:25 dns'=0.001500s;;;0;5 " +
        "'mail.example.com:25 (192.0.2.11) time'=0.012346s;;;0;5",
    );
  });
});

it('a Nagios check escapes a hostile name', () => {
  const host = `${HOSTILE}|a'b=c`;
  const service = answeredService({ firstLine: `220 ${HOSTILE} | time=1s` });
  const { stdout } = check([
    eventOf(reportOf(openOutcome({ service }), { target: { host, port: 1 } })),
    eventOf(reportOf(closedOutcome(), { target: { host: 'x', port: 1 } })),
  ]);
  for (const line of stdout.trimEnd().split('\n')) expect(line).not.toMatch(HARMFUL);
  const [first = ''] = stdout.split('\n');
  expect(first.match(/\|/g)).toHaveLength(1);
  expect(first.split('|')[1]).toMatch(/^( ('(?:[^'=]|'')+'|[\w.-]+)=[\d.]+s;;;0;5)+$/);
});

it('a Nagios check has one line of text and valid performance data, for any text', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      fc.boolean(),
      (host, firstLine, several) => {
        const event = eventOf(
          reportOf(openOutcome({ service: answeredService({ firstLine }) }), {
            target: { host, port: 1 },
          }),
        );
        const other = eventOf(reportOf(closedOutcome(), { target: { host: 'x', port: 1 } }));
        const { first, stdout } = check(several ? [event, other] : [event]);
        expect(stdout.match(/\|/g)).toHaveLength(1);
        expect(stdout.endsWith('\n')).toBe(true);
        expect(first.split('|')[1]).toMatch(/^( ('(?:[^'=]|'')+'|[\w.-]+)=[\d.]+s;;;0;5)+$/);
      },
    ),
  );
});
