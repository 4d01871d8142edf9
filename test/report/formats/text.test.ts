import { describe, expect, it } from 'vitest';
import { judge } from '../../../src/core/facts/expectation.js';
import { type Expectation } from '../../../src/core/states.js';
import type { Outcome, ProbeReport } from '../../../src/core/facts/outcome.js';
import type { ReportOptions } from '../../../src/report/reporter.js';
import { tableReporter } from '../../../src/report/formats/table.js';
import { textReporter } from '../../../src/report/formats/text.js';
import { explain } from '../../../src/report/failures/explanation.js';
import {
  cancelledOutcome,
  closedOutcome,
  endpoint,
  endpoint6,
  errorOf,
  eventOf,
  failedOutcome,
  filteredOutcome,
  HARMFUL,
  HOSTILE,
  openOutcome,
  options,
  reportOf,
  resolved,
  silentService,
  unresolvedOutcome,
  visiblePaint,
} from '../../support/reports.js';

const show = (report: ProbeReport, facts: Partial<ReportOptions> = {}) =>
  textReporter(options(facts)).probe(eventOf(report));
const stdoutOf = (outcome: Outcome, facts: Partial<ReportOptions> = {}) =>
  show(reportOf(outcome), facts).stdout;
const linesOf = (
  outcome: Outcome,
  report: Partial<ProbeReport> = {},
  facts: Partial<ReportOptions> = {},
) => show(reportOf(outcome, report), facts).stderr.split('\n').slice(0, -1);

describe('the explanations of many targets', () => {
  it('are printed once for each reason, also after expected results', () => {
    const reporter = textReporter(options({ manyTargets: true, nameEndpoints: true }));
    const refused = reportOf(closedOutcome());
    const request = { target: refused.target, expect: 'closed', origin: 'list:1' } as const;
    expect(
      reporter.probe(
        eventOf(refused, { request, verdict: judge(refused.outcome, { expect: 'closed' }) }),
      ).stderr,
    ).toBe('');
    expect(reporter.probe(eventOf(refused)).stderr).toMatch(/10061 WSAECONNREFUSED/);
    expect(
      reporter.probe(
        eventOf(refused, { request, verdict: judge(refused.outcome, { expect: 'closed' }) }),
      ).stderr,
    ).toBe('');
    expect(reporter.probe(eventOf(refused)).stderr).toBe('');
  });

  it('are printed with the table when probes failed on this machine', () => {
    const table = tableReporter(options({ manyTargets: true }));
    const [first, second] = [
      table.probe(eventOf(reportOf(failedOutcome('no-route')))),
      table.probe(eventOf(reportOf(failedOutcome('no-route')))),
    ];
    expect(first.stderr).toMatch(
      /^mail\.example\.com:25 {2}failed, no route from here: 10051 WSAENETUNREACH .*\nmail\.example\.com:25 {2}.*\n$/,
    );
    expect([first.stdout, second]).toEqual(['', { stdout: '', stderr: '' }]);
    expect(table.probe(eventOf(reportOf(closedOutcome())))).toEqual({ stdout: '', stderr: '' });
  });
});

describe('the verdict', () => {
  it("is exactly the first of PortPing's two sentences when the port is open", () => {
    expect(show(reportOf(openOutcome()))).toEqual({
      stdout: 'Success! Pinged port 25 in 12.3 milliseconds.\n',
      stderr: '',
    });
  });

  it.each([
    [0.2149, '0.21'],
    [9.994, '9.99'],
    [9.995, '10.0'],
    [99.95, '100'],
    [1234.5, '1235'],
  ])('writes %d ms with the digits that matter', (latencyMs, shown) => {
    expect(stdoutOf(openOutcome({ latencyMs }))).toBe(
      `Success! Pinged port 25 in ${shown} milliseconds.\n`,
    );
  });

  it.each<[string, Outcome, number]>([
    ['refused', closedOutcome(), 10061],
    ['silent', filteredOutcome('no-response'), 10060],
    ['unreachable', filteredOutcome('host-unreach'), 10065],
    ['beyond an unreachable network', filteredOutcome('net-unreach'), 10051],
    ['prohibited', filteredOutcome('admin-prohibited'), 10013],
    ['not speaking TCP', filteredOutcome('proto-unreach'), 10042],
    ['out of files', failedOutcome('no-files-left'), 10024],
    ['out of ports', failedOutcome('no-ports-left'), 10049],
    ['without a name', unresolvedOutcome('name-not-found'), 11001],
    ['without an answer from DNS', unresolvedOutcome('resolver-timeout'), 11002],
    ['without an address', unresolvedOutcome('name-no-address'), 11004],
  ])(
    'is the second one, with the Windows Sockets code, when the target is %s',
    (_, outcome, code) => {
      expect(stdoutOf(outcome)).toBe(`Error Detected: Connection refused <${code}> returned.\n`);
    },
  );

  it('has the number or the name of an error unknown to Windows Sockets', () => {
    expect(
      stdoutOf(failedOutcome('unknown-error', { error: errorOf('EWHATEVER', { errno: -4000 }) })),
    ).toBe('Error Detected: Connection refused <4000> returned.\n');
    expect(stdoutOf(failedOutcome('unknown-error', { error: errorOf('EWHATEVER') }))).toBe(
      'Error Detected: Connection refused <EWHATEVER> returned.\n',
    );
  });

  it('is missing when the probe was cancelled', () => {
    expect(show(reportOf(cancelledOutcome()))).toEqual({ stdout: '', stderr: '' });
  });

  it('has only its first words coloured, and stderr is dimmed', () => {
    const paint = { stdout: visiblePaint, stderr: visiblePaint };
    expect(stdoutOf(openOutcome(), { paint })).toBe(
      'good(Success!) Pinged port 25 in 12.3 milliseconds.\n',
    );
    expect(stdoutOf(closedOutcome(), { paint })).toBe(
      'bad(Error Detected:) Connection refused <10061> returned.\n',
    );
    for (const line of linesOf(closedOutcome(), {}, { paint }))
      expect(line).toMatch(/^(bad\(closed, refused:\) )?dim\(.*\)$/);
  });

  it('has separate colour settings for stdout and stderr', () => {
    const paint = { stdout: options().paint.stdout, stderr: visiblePaint };
    expect(stdoutOf(closedOutcome(), { paint })).toBe(
      'Error Detected: Connection refused <10061> returned.\n',
    );
    expect(linesOf(closedOutcome(), {}, { paint })[1]).toMatch(/^dim\(/);
  });
});

describe('the endpoint before the verdict', () => {
  const nameEndpoints = true;

  it('is the target, with the address of a name', () => {
    expect(stdoutOf(openOutcome(), { nameEndpoints })).toBe(
      'mail.example.com:25 (192.0.2.10)  Success! Pinged port 25 in 12.3 milliseconds.\n',
    );
  });

  it('is only the address when the user gave an address', () => {
    expect(
      show(reportOf(openOutcome(), { target: { host: '192.0.2.10', port: 25 } }), { nameEndpoints })
        .stdout,
    ).toBe('192.0.2.10:25  Success! Pinged port 25 in 12.3 milliseconds.\n');
  });

  it('has IPv6 in brackets', () => {
    const report = reportOf(openOutcome({ endpoint: endpoint6 }), {
      target: { host: '2001:db8::1', port: 25 },
    });
    expect(show(report, { nameEndpoints }).stdout).toBe(
      '[2001:db8::1]:25  Success! Pinged port 25 in 12.3 milliseconds.\n',
    );
    expect(stdoutOf(openOutcome({ endpoint: endpoint6 }), { nameEndpoints })).toMatch(
      /^mail\.example\.com:25 \(2001:db8::1\) {2}Success!/,
    );
  });

  it('is only the target when the name is unresolved', () => {
    expect(stdoutOf(unresolvedOutcome(), { nameEndpoints })).toBe(
      'mail.example.com:25  Error Detected: Connection refused <11001> returned.\n',
    );
  });

  it('starts every line on stderr too', () => {
    const lines = linesOf(closedOutcome(), {}, { nameEndpoints });
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines)
      expect(line).toMatch(/^mail\.example\.com:25 \(192\.0\.2\.10\) {2}\S/);
  });
});

describe('timestamps', () => {
  it('start every line on both streams, in ISO 8601', () => {
    const { stdout, stderr } = show(reportOf(closedOutcome()), {
      timestamps: true,
      nameEndpoints: true,
    });
    expect(stdout).toBe(
      '2026-03-04T05:06:07.089Z  mail.example.com:25 (192.0.2.10)  ' +
        'Error Detected: Connection refused <10061> returned.\n',
    );
    for (const line of stderr.split('\n').slice(0, -1))
      expect(line).toMatch(/^2026-03-04T05:06:07\.089Z {2}mail/);
  });
});

describe('the explanation', () => {
  it('has two lines on stderr', () => {
    const outcome = closedOutcome();
    const { what, advice } = explain(reportOf(outcome)) ?? {};
    expect(linesOf(outcome)).toEqual([`closed, refused: ${what}`, advice]);
  });

  it.each<[string, Outcome, string]>([
    ['refused', closedOutcome(), 'closed, refused: 10061 WSAECONNREFUSED '],
    ['silent', filteredOutcome('no-response'), 'filtered, no answer: 10060 WSAETIMEDOUT '],
    ['prohibited', filteredOutcome('admin-prohibited'), 'filtered, prohibited: 10013 WSAEACCES '],
    ['without a name', unresolvedOutcome(), 'unresolved, no such name: 11001 WSAHOST_NOT_FOUND '],
    ['without a route', failedOutcome('no-route'), 'failed, no route from here: 10051 '],
  ])('begins with the state in the words of --expect: %s', (_, outcome, beginning) => {
    const line = linesOf(outcome)[0] ?? '';
    expect(line.slice(0, beginning.length)).toBe(beginning);
    expect(line.length).toBeGreaterThan(beginning.length);
  });

  it('has no state if the port is open: stdout has it, and what is wrong with the service', () => {
    expect(linesOf(openOutcome({ service: silentService() }))[0]).toMatch(/^[A-Z]/);
  });
});

describe('the explanation in a series', () => {
  /** The number of lines on stderr for each of these probes, in order. */
  function linesOfEach(...outcomes: Outcome[]): number[] {
    const reporter = textReporter(options());
    return outcomes.map(
      (outcome) => reporter.probe(eventOf(reportOf(outcome))).stderr.split('\n').length - 1,
    );
  }

  it('is printed once for a reason, and again after another reason or an open port', () => {
    expect(
      linesOfEach(
        closedOutcome(),
        closedOutcome(),
        filteredOutcome(),
        filteredOutcome(),
        openOutcome(),
        filteredOutcome(),
      ),
    ).toEqual([2, 0, 2, 0, 0, 2]);
  });

  it('is printed for each address separately', () => {
    expect(
      linesOfEach(closedOutcome(), closedOutcome({ endpoint: endpoint6 }), closedOutcome()),
    ).toEqual([2, 2, 0]);
  });

  it('is omitted when the outcome was expected', () => {
    const event = eventOf(reportOf(closedOutcome()), {
      verdict: { asExpected: true, exitCode: 0, tooSlow: false },
    });
    expect(
      textReporter(options({ expect: 'closed', expectation: '--expect closed' })).probe(event)
        .stderr,
    ).toBe('As expected (--expect closed): closed.\n');
  });
});

describe('the remarks on a probe of a series', () => {
  it('name the old and the new addresses when a name changes them', () => {
    const report = reportOf(openOutcome());
    const event = eventOf(report, { formerAddresses: ['192.0.2.1', '192.0.2.2\x1b'] });
    expect(textReporter(options()).probe(event).stderr).toBe(
      'mail.example.com changed its address from 192.0.2.1, 192.0.2.2\\x1b to 192.0.2.10.\n',
    );
  });

  it('explain a latency of whole seconds by a lost packet', () => {
    const event = eventOf(reportOf(openOutcome()), { lostSynSeconds: 3 });
    expect(textReporter(options()).probe(event).stderr).toBe(
      'Probably a lost packet, not distance: this probe took 3 s longer than its neighbours. ' +
        'TCP repeats a lost SYN after such a time.\n',
    );
  });

  it('say how long the process did not run', () => {
    const event = eventOf(reportOf(openOutcome()), { stalledMs: 1300 });
    expect(textReporter(options()).probe(event).stderr).toBe(
      'portping did not run for 1.3 s during this probe: it was stopped, or this machine or ' +
        'portping itself was too busy. The times of this probe may be that much too long.\n',
    );
  });
});

describe('the remark on what was expected', () => {
  const CLOSED = { expect: 'closed', expectation: '--expect closed' } as const;
  const FAST = { maxLatencyMs: 5, expectation: '--max-latency 5 ms' } as const;

  it.each<
    [
      string,
      Outcome,
      Expectation | undefined,
      { expect?: Expectation; maxLatencyMs?: number; expectation?: string },
      string | null,
    ]
  >([
    ['closed without an expectation', closedOutcome(), undefined, {}, null],
    ['open without an expectation', openOutcome(), undefined, {}, null],
    [
      'open where it must be closed',
      openOutcome(),
      undefined,
      CLOSED,
      'Not as expected (--expect closed): open.',
    ],
    [
      'filtered where it must be closed',
      filteredOutcome(),
      undefined,
      CLOSED,
      'Not as expected (--expect closed): filtered.',
    ],
    [
      'without a name where it must be closed',
      unresolvedOutcome(),
      undefined,
      CLOSED,
      'Not as expected (--expect closed): unresolved.',
    ],
    [
      'closed as it must be',
      closedOutcome(),
      undefined,
      CLOSED,
      'As expected (--expect closed): closed.',
    ],
    ['interrupted', cancelledOutcome(), undefined, CLOSED, null],
    ['open as its line says', openOutcome(), 'open', CLOSED, null],
    [
      'closed where its line says open',
      closedOutcome(),
      'open',
      CLOSED,
      'Not as expected (list\\x1b.txt:2 says open): closed.',
    ],
    [
      'open where its line says closed',
      openOutcome(),
      'closed',
      {},
      'Not as expected (list\\x1b.txt:2 says closed): open.',
    ],
    ['filtered as its line says', filteredOutcome(), 'filtered', CLOSED, null],
    ['closed as its line says', closedOutcome(), 'not-open', FAST, null],
    [
      'open, slow, where its line says closed',
      openOutcome(),
      'closed',
      FAST,
      'Not as expected (list\\x1b.txt:2 says closed): open.',
    ],
    [
      'open, slow, where its line says open',
      openOutcome(),
      'open',
      FAST,
      'Not as expected (--max-latency 5 ms): open, but too slow.',
    ],
    [
      'open, slow, where no state was asked for',
      openOutcome(),
      undefined,
      FAST,
      'Not as expected (--max-latency 5 ms): open, but too slow.',
    ],
    ['closed where only a latency was asked for', closedOutcome(), undefined, FAST, null],
    [
      'open without the service that its line and --service ask for',
      openOutcome({ service: silentService() }),
      'open',
      {},
      null,
    ],
  ])(
    'compares a port with its own expectation: %s',
    (_, ...[outcome, own, { expect: common, maxLatencyMs, expectation = null }, remark]) => {
      const report = reportOf(outcome);
      const request = { target: report.target, expect: own, origin: 'list\x1b.txt:2' };
      const event = eventOf(report, {
        request,
        verdict: judge(outcome, { expect: own ?? common, maxLatencyMs }),
      });
      const { stderr } = textReporter(options({ expect: common ?? 'open', expectation })).probe(
        event,
      );
      expect(stderr.split('\n').filter((line) => / expected /.test(line))).toEqual(
        remark === null ? [] : [remark],
      );
    },
  );
});

describe('an open port whose name has other addresses', () => {
  it('has a line for each address that refused or was silent before', () => {
    const open = openOutcome();
    const attempts = [
      closedOutcome({ endpoint: endpoint6 }),
      cancelledOutcome({ endpoint: { ...endpoint, address: '192.0.2.9' } }),
      open,
    ];
    expect(linesOf(open, { attempts })).toEqual([
      '[2001:db8::1]:25: closed, conn-refused <10061> after 0.31 ms; 192.0.2.10:25 opened.',
      '192.0.2.9:25: cancelled after 100 ms without an answer; 192.0.2.10:25 opened.',
    ]);
  });

  it('has no line for addresses without a route or with a later start', () => {
    const open = openOutcome();
    const attempts = [
      failedOutcome('no-route', { endpoint: endpoint6 }),
      open,
      cancelledOutcome({ endpoint: { ...endpoint, address: '192.0.2.9' } }),
    ];
    expect(linesOf(open, { attempts })).toEqual([]);
  });
});

describe('a port that is not open at several addresses', () => {
  const silent = filteredOutcome('no-response', {
    endpoint: { ...endpoint, address: '192.0.2.9' },
  });
  const unreachable = failedOutcome('no-route', { endpoint: endpoint6 });

  it('has a line for each address that failed in another way', () => {
    const closed = closedOutcome();
    const [other, here, ...rest] = linesOf(closed, { attempts: [silent, unreachable, closed] });
    expect(other).toBe('192.0.2.9:25: filtered, no-response <10060> after 4 s.');
    expect(here).toMatch(/^\[2001:db8::1\]:25: failed, no-route <10051> after/);
    expect(rest[0]).toMatch(/192\.0\.2\.10:25 refused the connection/);
  });

  it('has no line for silent addresses that the explanation names', () => {
    const decisive = filteredOutcome('no-response');
    const lines = linesOf(decisive, { attempts: [decisive, silent] });
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/no answer from 192\.0\.2\.10 and 192\.0\.2\.9 within/);
  });
});

describe('the verbose report', () => {
  const verbose = true;

  it('has the resolution, the attempt with its local address, and the sum on stderr', () => {
    const { stdout, stderr } = show(reportOf(openOutcome()), { verbose });
    expect(stdout).toBe('Success! Pinged port 25 in 12.3 milliseconds.\n');
    expect(stderr.split('\n')).toEqual([
      'mail.example.com: 192.0.2.10 (system resolver, 1.50 ms)',
      '192.0.2.10:25 from 192.0.2.99:50000: open in 12.3 ms',
      'dns 1.50 ms + connect 12.3 ms = 13.8 ms',
      '',
    ]);
  });

  it.each([
    ['lost-syn', 'the first SYN was lost or ignored, or the answer to it was lost; 1 SYN repeated'],
    ['unclear', 'the first SYN or its answer was lost, or the answer came late; 1 SYN repeated'],
    ['no-loss', 'no SYN was repeated, the answer came late'],
  ] as const)('has what the kernel knows of a slow handshake (%s)', (cause, words) => {
    const repeatedSyns = cause === 'no-loss' ? 0 : 1;
    const kernel = { roundTripMs: 0.1, repeatedSyns, mss: 1448, cause };
    const open = openOutcome({ latencyMs: 1024, kernel });
    const event = eventOf(reportOf(open), { lostSynSeconds: cause === 'lost-syn' ? 1 : null });
    const { stderr } = textReporter(options({ verbose })).probe(event);
    expect(stderr.split('\n')[2]).toBe(
      `As the kernel saw it: round trip 0.10 ms; ${words}; MSS 1448.`,
    );
    expect(stderr).not.toMatch(/Probably/);
  });

  it('has every attempt, in order', () => {
    const open = openOutcome({
      endpoint: endpoint6,
      local: { address: '2001:db8::99', port: 50_000 },
    });
    const attempts = [
      closedOutcome(),
      filteredOutcome('host-unreach', { elapsedMs: 3070 }),
      cancelledOutcome(),
      failedOutcome(),
      open,
    ];
    expect(linesOf(open, { attempts }, { verbose }).slice(1, 6)).toEqual([
      '192.0.2.10:25: closed, conn-refused <10061> after 0.31 ms',
      '192.0.2.10:25: filtered, host-unreach <10065> after 3.07 s',
      '192.0.2.10:25: cancelled after 100 ms without an answer',
      '192.0.2.10:25: failed, no-route <10051> after 0.20 ms',
      '[2001:db8::1]:25 from [2001:db8::99]:50000: open in 12.3 ms',
    ]);
  });

  it('keeps the explanation', () => {
    const lines = linesOf(closedOutcome(), {}, { verbose });
    expect(lines.slice(-2)).toEqual(linesOf(closedOutcome()));
    expect(lines).toHaveLength(4);
  });

  it.each([
    ['end', 'closed'],
    ['reset', 'reset'],
  ] as const)('says that the other side dropped the connection (%s)', (by, word) => {
    const lines = linesOf(
      openOutcome({ dropped: { by, afterMs: 1.234, receivedBytes: 0 } }),
      {},
      { verbose },
    );
    expect(lines).toContain(
      `The other side ${word} the connection 1.23 ms later, before any data was read. ` +
        'A load balancer or proxy has no service behind it, a service refuses this client, ' +
        'or a firewall ends it. All look the same from here.',
    );
  });

  it('says that the other side spoke before it dropped the connection', () => {
    const dropped = { by: 'end', afterMs: 1.234, receivedBytes: 26 } as const;
    expect(linesOf(openOutcome({ dropped }), {}, { verbose })).toContain(
      'The other side closed the connection 1.23 ms later, after 26 bytes. ' +
        'Read what it says with --service banner.',
    );
  });

  it('has no line about resolving for a literal address', () => {
    const resolution = {
      state: 'resolved',
      host: '192.0.2.10',
      via: 'literal',
      elapsedMs: 0,
      addresses: [{ address: '192.0.2.10', family: 4 }],
    } as const;
    expect(
      linesOf(openOutcome(), { resolution, target: { host: '192.0.2.10', port: 25 } }, { verbose }),
    ).toEqual(['192.0.2.10:25 from 192.0.2.99:50000: open in 12.3 ms', 'connect 12.3 ms']);
  });

  it('names the DNS server and all addresses that it returned', () => {
    const resolution = {
      ...resolved([
        { address: '2001:db8::1', family: 6 },
        { address: '192.0.2.10', family: 4 },
      ]),
      via: '192.0.2.53',
    };
    expect(linesOf(openOutcome(), { resolution }, { verbose })[0]).toBe(
      'mail.example.com: 2001:db8::1, 192.0.2.10 (DNS server 192.0.2.53, 1.50 ms)',
    );
  });

  it('reports an unresolved name', () => {
    expect(linesOf(unresolvedOutcome(), {}, { verbose })[0]).toBe(
      'mail.example.com: unresolved (system resolver, 8.25 ms)',
    );
  });
});

describe('text from the network or the command line', () => {
  const hostile = { host: HOSTILE, port: 25 };
  const everything = { verbose: true, timestamps: true, nameEndpoints: true };

  it.each<[string, ProbeReport]>([
    [
      'a target',
      reportOf(openOutcome(), {
        target: hostile,
        resolution: resolved([{ address: '192.0.2.10', family: 4 }], HOSTILE),
      }),
    ],
    [
      'a name that is unresolved',
      reportOf(
        unresolvedOutcome('name-not-found', { host: HOSTILE, via: HOSTILE, servers: [HOSTILE] }),
        { target: hostile },
      ),
    ],
    [
      'a name without an address',
      reportOf(unresolvedOutcome('name-no-address', { host: HOSTILE, via: HOSTILE }), {
        target: hostile,
      }),
    ],
    [
      'a resolver that failed',
      reportOf(unresolvedOutcome('resolver-failed', { host: HOSTILE, servers: [HOSTILE] }), {
        target: hostile,
      }),
    ],
    [
      'a resolver that was silent',
      reportOf(unresolvedOutcome('resolver-timeout', { host: HOSTILE, servers: [HOSTILE] }), {
        target: hostile,
      }),
    ],
    [
      'an error',
      reportOf(failedOutcome('unknown-error', { error: errorOf(HOSTILE, { syscall: HOSTILE }) }), {
        target: hostile,
      }),
    ],
    [
      'an error of resolving',
      reportOf(
        {
          state: 'failed',
          reason: 'no-route',
          host: HOSTILE,
          via: HOSTILE,
          elapsedMs: 1,
          error: errorOf(HOSTILE),
        },
        { target: hostile },
      ),
    ],
    ['a refusal', reportOf(closedOutcome(), { target: hostile })],
  ])('writes no control characters: %s', (_, report) => {
    for (const facts of [{}, everything]) {
      const { stdout, stderr } = show(report, facts);
      for (const line of `${stdout}${stderr}`.split('\n')) expect(line).not.toMatch(HARMFUL);
      expect(stdout.match(/\n/g)).toHaveLength(1);
    }
  });

  it('is escaped, not omitted', () => {
    expect(
      show(reportOf(openOutcome(), { target: { host: '\x1b[31mred', port: 25 } }), {
        nameEndpoints: true,
      }).stdout,
    ).toMatch(/^\\x1b\[31mred:25 \(192\.0\.2\.10\) {2}Success!/);
  });
});
