import { describe, expect, it } from 'vitest';
import type {
  CertificateFacts,
  ServiceFinding,
  TlsFailure,
} from '../../src/core/facts/service-finding.js';
import { csvReporter } from '../../src/report/formats/csv.js';
import { jsonReporter } from '../../src/report/formats/json.js';
import { junitReporter } from '../../src/report/formats/junit.js';
import type { ReportOptions } from '../../src/report/reporter.js';
import { adviseOnService, describeService, describeTls } from '../../src/report/service.js';
import { tableReporter } from '../../src/report/formats/table.js';
import { tapReporter } from '../../src/report/formats/tap.js';
import { textReporter } from '../../src/report/formats/text.js';
import { describeReason } from '../../src/report/outcome-words.js';
import {
  answeredService,
  closedOutcome,
  droppedService,
  eventOf,
  HARMFUL,
  HOSTILE,
  openOutcome,
  options,
  reportOf,
  silentService,
  tlsFacts,
  tlsFailedService,
  visiblePaint,
} from '../support/reports.js';

const wrong = (problem: string): ServiceFinding => ({
  ...answeredService(),
  state: 'wrong-protocol',
  problem,
});
const eventWith = (service: ServiceFinding) => eventOf(reportOf(openOutcome({ service })));
const show = (service: ServiceFinding, facts: Partial<ReportOptions> = {}) =>
  textReporter(options(facts)).probe(eventWith(service));
const VERDICT = 'Success! Pinged port 25 in 12.3 milliseconds.\n';

describe('the second line', () => {
  it('says what answered, in how long, behind the classic verdict', () => {
    expect(show(answeredService())).toEqual({
      stdout: `${VERDICT}Service: smtp answered "220 mail.example.com ESMTP" in 4.10 milliseconds.\n`,
      stderr: '',
    });
  });

  it.each<[string, ServiceFinding, string]>([
    [
      'an answer that is no text',
      answeredService({
        name: 'x400',
        firstLine: null,
        meaning: 'a COTP connection confirm (CC), class 0',
      }),
      'x400 answered with a COTP connection confirm (CC), class 0 in 4.10 milliseconds.',
    ],
    [
      'an empty line',
      answeredService({ name: 'banner', firstLine: null }),
      'banner answered "" in 4.10 milliseconds.',
    ],
    ['silence', silentService(), 'smtp is silent: its greeting did not come within 4.99 s.'],
    [
      'half of a greeting',
      silentService({ firstLine: '220 m', unfinished: '220 m', receivedBytes: 5 }),
      'smtp is silent: its greeting was not complete within 4.99 s; it began with "220 m".',
    ],
    [
      'silence after the greeting',
      silentService({ firstLine: '220 x', receivedBytes: 7, awaited: 'its answer to EHLO' }),
      'smtp is silent: its answer to EHLO did not come within 4.99 s. It had sent "220 x".',
    ],
    [
      'half of a TLS handshake',
      silentService({ name: 'https', receivedBytes: 7, awaited: 'its part of the TLS handshake' }),
      'https is silent: its part of the TLS handshake was not complete within 4.99 s.',
    ],
    [
      'silence inside TLS',
      silentService({ name: 'smtps', receivedBytes: 2000, tls: tlsFacts() }),
      'smtps is silent: its greeting did not come within 4.99 s.',
    ],
    [
      'an end',
      droppedService(),
      'smtp dropped the connection: it was closed 1.02 ms after the handshake, before its greeting.',
    ],
    [
      'a reset',
      droppedService({ by: 'reset', winsock: 10054, unfinished: '220-', firstLine: '220-' }),
      'smtp dropped the connection: it was reset <10054> 1.02 ms after the handshake, in the middle of its greeting, which began with "220-".',
    ],
    [
      'a reset that came first',
      droppedService({ by: 'reset', winsock: 10054, afterMs: 0 }),
      'smtp dropped the connection: it was reset <10054> at once, before its greeting.',
    ],
    [
      'another protocol',
      wrong('"SSH-2.0-x" is not an SMTP greeting; it looks like SSH'),
      'smtp did not answer as it should: "SSH-2.0-x" is not an SMTP greeting; it looks like SSH.',
    ],
    [
      'a bad certificate',
      tlsFailedService(),
      'https failed at TLS: the certificate is self-signed.',
    ],
  ])('says what is to say of %s', (_, finding, sentence) => {
    expect(describeService(finding)).toBe(sentence);
  });

  it('is coloured at its first word only', () => {
    const paint = { stdout: visiblePaint, stderr: visiblePaint };
    expect(show(answeredService(), { paint }).stdout).toMatch(/\ngood\(Service:\) smtp answered/);
    expect(show(silentService(), { paint }).stdout).toMatch(/\nbad\(Service:\) smtp is silent/);
  });

  it('has the advice behind it on stderr, and says nothing twice', () => {
    const { stdout, stderr } = show(droppedService());
    expect(stdout).toBe(
      `${VERDICT}Service: smtp dropped the connection: it was closed 1.02 ms after the handshake, before its greeting.\n`,
    );
    expect(stderr).toBe(
      'Probably a load balancer or proxy with no service behind it, or a service that refuses this client (access list, too many connections). Check its log.\n',
    );
  });

  it('has the endpoint before it, as every line has', () => {
    const { stdout } = show(tlsFailedService(), { nameEndpoints: true });
    const lines = stdout.split('\n').slice(0, -1);
    expect(lines).toHaveLength(3);
    for (const line of lines)
      expect(line).toMatch(/^mail\.example\.com:25 \(192\.0\.2\.10\) {2}(Success!|Service:|TLS:) /);
  });

  it('explains a reason once in a series, and again when it has changed', () => {
    const reporter = textReporter(options());
    const asides = [
      silentService(),
      silentService(),
      droppedService(),
      answeredService(),
      droppedService(),
    ].map((service) => reporter.probe(eventWith(service)).stderr !== '');
    expect(asides).toEqual([true, false, true, false, true]);
  });

  it('is a wrong answer in an outage, and not another protocol: the right service may have said no', () => {
    expect(describeReason('wrong-protocol')).toBe('wrong answer');
  });

  it('adds the time of the conversation with -v', () => {
    expect(show(answeredService(), { verbose: true }).stderr).toMatch(
      /\nsmtp: result 5\.20 ms after the handshake, 60 bytes received\ndns 1\.50 ms \+ connect 12\.3 ms \+ service 5\.20 ms = 19\.0 ms\n$/,
    );
  });

  it('shows no more of what was said than fits a line for people', () => {
    expect(describeService(answeredService({ firstLine: 'a'.repeat(512) })).length).toBeLessThan(
      230,
    );
  });
});

describe('the line about TLS', () => {
  it('has version, suite, certificate and days left', () => {
    expect(describeTls(tlsFacts(), true)).toBe(
      'TLSv1.3, TLS_AES_256_GCM_SHA384; certificate of CN=mail.example.com from CN=Example CA, for mail.example.com, www.example.com, valid for 62 more days.',
    );
  });

  it('tells what --insecure passed over, and only then', () => {
    const facts = tlsFacts({
      problems: [{ failure: 'self-signed', problem: 'the certificate is self-signed' }],
    });
    expect(describeTls(facts, true)).toMatch(
      / 62 more days\. Ignored \(--insecure\): the certificate is self-signed\.$/,
    );
    expect(describeTls(facts, false)).not.toMatch(/Ignored/);
  });

  it.each([
    [null, 'with an unreadable expiry date'],
    [-1, 'expired'],
    [0, 'valid for less than a day'],
    [1, 'valid for 1 more day'],
    [2, 'valid for 2 more days'],
  ])('says of %j days left: %s', (daysLeft, words) => {
    const { certificate } = tlsFacts();
    expect(
      describeTls(
        tlsFacts({
          certificate: certificate && { ...certificate, daysLeft, subject: '', names: [] },
        }),
        true,
      ),
    ).toBe(`TLSv1.3, TLS_AES_256_GCM_SHA384; certificate from CN=Example CA, ${words}.`);
  });

  it('names four of many names', () => {
    const { certificate } = tlsFacts();
    expect(
      describeTls(
        tlsFacts({
          certificate: certificate && { ...certificate, names: ['a', 'b', 'c', 'd', 'e', 'f'] },
        }),
        true,
      ),
    ).toMatch(/, for a, b, c, d and 2 more, /);
    expect(describeTls(tlsFacts({ certificate: null }), true)).toBe(
      'TLSv1.3, TLS_AES_256_GCM_SHA384; no certificate.',
    );
  });
});

describe('the advice', () => {
  const failures = Object.keys({
    'no-starttls': 0,
    injection: 0,
    'not-tls': 0,
    handshake: 0,
    'old-version': 0,
    'no-certificate': 0,
    'self-signed': 0,
    'unknown-authority': 0,
    expired: 0,
    'not-yet-valid': 0,
    'wrong-name': 0,
    'expires-soon': 0,
    weak: 0,
    untrusted: 0,
  } satisfies Record<TlsFailure, 0>) as TlsFailure[];

  it('is there for every failure, one line each', () => {
    const findings = [
      silentService(),
      silentService({ name: 'http' }),
      silentService({ receivedBytes: 3 }),
      droppedService(),
      wrong('x'),
      ...failures.map((failure) => tlsFailedService({ failure })),
    ];
    for (const finding of findings) expect(adviseOnService(finding)).toMatch(/^[A-Z][^\n]{30,}\.$/);
  });

  it('names --insecure only where TLS was reached, and only for what that passes over', () => {
    const advised = (tls: ReturnType<typeof tlsFacts> | null): TlsFailure[] =>
      failures.filter((failure) =>
        / --insecure ignores this problem\.$/.test(
          adviseOnService(tlsFailedService({ failure, tls })) ?? '',
        ),
      );
    expect(advised(tlsFacts())).toEqual([
      'old-version',
      'no-certificate',
      'self-signed',
      'unknown-authority',
      'not-yet-valid',
      'wrong-name',
      'weak',
      'untrusted',
    ]);
    expect(advised(null)).toEqual([]);
  });

  it('is to look at the whole chain where the certificate itself may be well', () => {
    expect(adviseOnService(tlsFailedService({ failure: 'untrusted' }))).toMatch(
      /the chain that it sends\./,
    );
  });

  it('does not say that an offer of STARTTLS was taken out: it may have been made and refused', () => {
    expect(adviseOnService(tlsFailedService({ failure: 'no-starttls', tls: null }))).not.toMatch(
      /offer/,
    );
  });

  it('names a certificate of the client where it was dropped inside TLS', () => {
    expect(adviseOnService(droppedService({ name: 'https', tls: tlsFacts() }))).toMatch(
      /no client certificate\)\. Check its log\.$/,
    );
    expect(adviseOnService(droppedService())).not.toMatch(/certificate/);
  });

  it('does not say of silence inside TLS that something had been said: that was the handshake', () => {
    expect(
      adviseOnService(silentService({ name: 'smtps', receivedBytes: 2000, tls: tlsFacts() })),
    ).toMatch(/^Something accepts connections but sends nothing/);
    expect(adviseOnService(silentService({ name: 'https', receivedBytes: 7 }))).toMatch(
      /is slow or hangs/,
    );
  });

  it('thinks of TLS where plain HTTP was dropped', () => {
    expect(adviseOnService(droppedService({ name: 'http' }))).toMatch(
      / Or the port has TLS from the start: try https\.$/,
    );
    for (const facts of [
      { name: 'https' },
      { name: 'smtp' },
      { name: 'http', unfinished: '<html>' },
    ])
      expect(adviseOnService(droppedService(facts))).not.toMatch(/https/);
  });

  it('is none when the service answered', () => {
    expect(adviseOnService(answeredService())).toBeNull();
  });

  it('does not tell who is to speak first to a service that waits for us anyway', () => {
    expect(adviseOnService(silentService())).toMatch(/waits for the client/);
    for (const name of ['http', 'https', 'tls', 'x400', 'smtps'] as const)
      expect(adviseOnService(silentService({ name }))).not.toMatch(/waits for the client/);
  });
});

describe('the other formats', () => {
  it('have the service in JSON, with the reason', () => {
    const read = (service: ServiceFinding): Record<string, unknown> =>
      JSON.parse(jsonReporter(options()).probe(eventWith(service)).stdout) as Record<
        string,
        unknown
      >;
    expect(read(answeredService({ tls: tlsFacts() }))).toMatchObject({
      state: 'open',
      reason: null,
      exitCode: 0,
      explanation: null,
      service: {
        name: 'smtp',
        state: 'answered',
        firstLine: '220 mail.example.com ESMTP',
        meaning: null,
        answerMs: 4.1,
        elapsedMs: 5.2,
        receivedBytes: 60,
        problem: null,
        failure: null,
        awaited: null,
        unfinished: null,
        dropped: null,
        tls: {
          version: 'TLSv1.3',
          cipher: 'TLS_AES_256_GCM_SHA384',
          certificate: {
            subject: 'CN=mail.example.com',
            validTo: '2026-05-05T17:06:07.089Z',
            daysLeft: 62,
          },
          problems: [],
        },
      },
    });
    const undated = {
      ...tlsFacts().certificate,
      validTo: null,
      daysLeft: null,
    } as CertificateFacts;
    expect(read(answeredService({ tls: tlsFacts({ certificate: undated }) }))).toMatchObject({
      service: {
        tls: {
          certificate: { validFrom: '2026-02-04T05:06:07.089Z', validTo: null, daysLeft: null },
        },
      },
    });
    expect(read(droppedService({ by: 'reset', winsock: 10054 }))).toMatchObject({
      state: 'open',
      reason: 'dropped',
      exitCode: 6,
      service: { state: 'dropped', dropped: { by: 'reset', afterMs: 1.02, winsock: 10054 } },
    });
    expect(read(tlsFailedService())).toMatchObject({
      reason: 'tls-failed',
      exitCode: 6,
      service: { failure: 'self-signed', problem: 'the certificate is self-signed' },
      explanation: expect.stringMatching(
        /^Service: https failed at TLS: .* To trust it, /,
      ) as string,
    });
    const keys = [
      answeredService(),
      silentService(),
      droppedService(),
      wrong('x'),
      tlsFailedService(),
    ].map((each) => Object.keys(read(each)['service'] as object));
    for (const each of keys) expect(each).toEqual(keys[0]);
  });

  it('have the service in CSV, safe against formulas', () => {
    const [header, row] = csvReporter({ expect: 'open' })
      .probe(eventWith(answeredService({ firstLine: '=cmd|calc', tls: tlsFacts() })))
      .stdout.split('\r\n');
    expect(header).toMatch(
      /,service,service_state,service_ms,service_said,tls_version,tls_days_left$/,
    );
    expect(row).toMatch(/,smtp,answered,4\.1,'=cmd\|calc,TLSv1\.3,62$/);
    expect(
      csvReporter({ expect: 'open' }).probe(
        eventWith(droppedService({ by: 'reset', winsock: 10054 })),
      ).stdout,
    ).toMatch(/,open,dropped,10054,.*,smtp,dropped,,,,\r\n$/);
  });

  it('assert in JUnit and TAP that the service answers, whatever came of it', () => {
    const settings = { expect: 'open', service: 'smtp', rounds: false };
    const junit = junitReporter(settings);
    junit.probe(eventWith(answeredService()));
    junit.probe(eventWith(silentService()));
    junit.probe(eventOf(reportOf(closedOutcome())));
    const xml = junit.finish({
      type: 'totals',
      probes: 3,
      counts: {},
      unexpected: 2,
      hasExpectations: true,
      elapsedMs: 1,
      exitCode: 6,
      isComplete: true,
    }).stdout;
    expect(xml.match(/name="mail\.example\.com:25 is open and smtp answers"/g)).toHaveLength(3);
    expect(xml).toMatch(
      /<failure type="open" message="open \(silent\) \(192\.0\.2\.10\)">Service: smtp is silent: /,
    );
    const tap = tapReporter({ expect: 'open', service: 'its service', rounds: false });
    expect(tap.probe(eventWith(tlsFailedService())).stdout).toMatch(
      /^TAP version 13\nnot ok 1 - mail\.example\.com:25 is open and its service answers\n {2}---\n {2}seen: "open \(tls-failed\)/,
    );
    expect(
      tapReporter({ expect: 'closed', service: 'smtp', rounds: false }).probe(
        eventOf(reportOf(closedOutcome())),
      ).stdout,
    ).toMatch(/ is closed\n/);
  });

  it('have what the service said in the table of many targets', () => {
    const table = tableReporter(options());
    table.probe(eventWith(answeredService()));
    table.probe(eventWith(silentService()));
    const { stdout } = table.finish({
      type: 'totals',
      probes: 2,
      counts: { open: 2 },
      unexpected: 1,
      hasExpectations: true,
      elapsedMs: 1,
      exitCode: 6,
      isComplete: true,
    });
    expect(stdout).toBe(
      'mail.example.com:25 (192.0.2.10)  open  12.3 ms  smtp answered "220 mail.example.com ESMTP" in 4.10 milliseconds.\n' +
        'mail.example.com:25 (192.0.2.10)  open  12.3 ms  smtp is silent: its greeting did not come within 4.99 s.\n',
    );
  });

  it('let nothing harmful through that a server said', () => {
    const { certificate } = tlsFacts();
    const hostile = tlsFacts({
      version: HOSTILE,
      cipher: HOSTILE,
      certificate: certificate && {
        ...certificate,
        subject: HOSTILE,
        issuer: HOSTILE,
        names: [HOSTILE],
      },
      problems: [{ failure: 'untrusted', problem: HOSTILE }],
    });
    const findings: ServiceFinding[] = [
      answeredService({ firstLine: HOSTILE, tls: hostile }),
      answeredService({ meaning: HOSTILE }),
      silentService({ firstLine: HOSTILE, unfinished: `${HOSTILE}2`, receivedBytes: 9 }),
      droppedService({ firstLine: HOSTILE, unfinished: `${HOSTILE}2` }),
      wrong(HOSTILE),
      tlsFailedService({ problem: HOSTILE, tls: hostile }),
    ];
    for (const finding of findings) {
      const event = eventWith(finding);
      const junit = junitReporter({ expect: 'open', service: 'smtp', rounds: false });
      junit.probe(event);
      const totals = {
        type: 'totals',
        probes: 1,
        counts: {},
        unexpected: 1,
        hasExpectations: true,
        elapsedMs: 1,
        exitCode: 6,
        isComplete: true,
      } as const;
      const { stdout, stderr } = textReporter(options({ verbose: true })).probe(event);
      const others = [
        jsonReporter(options()).probe(event),
        csvReporter({ expect: 'open' }).probe(event),
        tapReporter({ expect: 'open', service: 'smtp', rounds: false }).probe(event),
        junit.finish(totals),
      ].map((each) => each.stdout);
      for (const text of [stdout, stderr, ...others])
        expect(text.replace(/\r?\n/g, '')).not.toMatch(HARMFUL);
    }
  });
});
