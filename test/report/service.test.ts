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

describe('the line about the service', () => {
  it('reports what answered and its time, after the classic verdict', () => {
    expect(show(answeredService())).toEqual({
      stdout:
        `${VERDICT}Service: smtp answered "220 mail.example.com ESMTP" in 4.10 ` +
        `milliseconds.\n`,
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
      'smtp dropped the connection: it was closed 1.02 ms after the handshake, before its ' +
        'greeting.',
    ],
    [
      'a reset',
      droppedService({ by: 'reset', winsock: 10054, unfinished: '220-', firstLine: '220-' }),
      'smtp dropped the connection: it was reset <10054> 1.02 ms after the handshake, in the ' +
        'middle of its greeting, which began with "220-".',
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
  ])('describes %s', (_, finding, sentence) => {
    expect(describeService(finding)).toBe(sentence);
  });

  it('colours its first word only', () => {
    const paint = { stdout: visiblePaint, stderr: visiblePaint };
    expect(show(answeredService(), { paint }).stdout).toMatch(/\ngood\(Service:\) smtp answered/);
    expect(show(silentService(), { paint }).stdout).toMatch(/\nbad\(Service:\) smtp is silent/);
  });

  it('has its advice on stderr, and repeats nothing', () => {
    const { stdout, stderr } = show(droppedService());
    expect(stdout).toBe(
      `${VERDICT}Service: smtp dropped the connection: it was closed 1.02 ms after the ` +
        `handshake, before its greeting.\n`,
    );
    expect(stderr).toBe(
      'A load balancer or proxy with no service behind it does so, a service ' +
        'that refuses this client (access list, too many connections), or a ' +
        'firewall that inspects the data. Check the log of the service.\n',
    );
  });

  it('does not doubt that there is a service if it spoke before it closed', () => {
    const said = { firstLine: 'Not allowed now.', receivedBytes: 18 };
    expect(show(droppedService(said)).stderr).toBe(
      'The service spoke, then refused this client (access list, too many connections) or ' +
        'failed. Check its log.\n',
    );
  });

  it('begins with the endpoint, as every line does', () => {
    const { stdout } = show(tlsFailedService(), { nameEndpoints: true });
    const lines = stdout.split('\n').slice(0, -1);
    expect(lines).toHaveLength(3);
    for (const line of lines)
      expect(line).toMatch(/^mail\.example\.com:25 \(192\.0\.2\.10\) {2}(Success!|Service:|TLS:) /);
  });

  it('explains a reason once in a series, and again after a change', () => {
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

  it('is called a wrong answer in an outage: the right service may have refused', () => {
    expect(describeReason('wrong-protocol')).toBe('wrong answer');
  });

  it('has the time of the conversation with -v', () => {
    expect(show(answeredService(), { verbose: true }).stderr).toMatch(
      new RegExp(
        String.raw`\nsmtp: result 5\.20 ms after the handshake, 60 bytes received\ndns ` +
          String.raw`1\.50 ms \+ connect 12\.3 ms \+ service 5\.20 ms = 19\.0 ms\n$`,
      ),
    );
  });

  it('cuts a long line of the server', () => {
    expect(describeService(answeredService({ firstLine: 'a'.repeat(512) })).length).toBeLessThan(
      230,
    );
  });
});

describe('the line about TLS', () => {
  it('has version, suite, certificate and days left', () => {
    expect(describeTls(tlsFacts(), true)).toBe(
      'TLSv1.3, TLS_AES_256_GCM_SHA384; certificate of CN=mail.example.com from CN=Example ' +
        'CA, for mail.example.com, www.example.com, valid for 62 more days.',
    );
  });

  it('lists what --insecure ignored, only if the service answered', () => {
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

describe('the advice on a service', () => {
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

  it('exists for every failure, one line each', () => {
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

  it('names --insecure only after a TLS handshake, and only for what it ignores', () => {
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

  it('names the whole chain if the certificate itself may be good', () => {
    expect(adviseOnService(tlsFailedService({ failure: 'untrusted' }))).toMatch(
      /the chain that it sends\./,
    );
  });

  it('never blames a missing offer of STARTTLS: it may have been made and refused', () => {
    expect(adviseOnService(tlsFailedService({ failure: 'no-starttls', tls: null }))).not.toMatch(
      /offer/,
    );
  });

  it('names a client certificate if the connection was dropped inside TLS', () => {
    expect(adviseOnService(droppedService({ name: 'https', tls: tlsFacts() }))).toMatch(
      /no client certificate\), or a firewall/,
    );
    expect(adviseOnService(droppedService())).not.toMatch(/certificate/);
  });

  it('takes silence inside TLS for silence: only the handshake had come', () => {
    expect(
      adviseOnService(silentService({ name: 'smtps', receivedBytes: 2000, tls: tlsFacts() })),
    ).toMatch(/^The connection opened, but nothing came/);
    expect(adviseOnService(silentService({ name: 'https', receivedBytes: 7 }))).toMatch(
      /is slow or hangs/,
    );
  });

  it('suggests https if plain HTTP was dropped', () => {
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

  it('is absent if the service answered', () => {
    expect(adviseOnService(answeredService())).toBeNull();
  });

  it('does not suggest a waiting service if clients send first anyway', () => {
    expect(adviseOnService(silentService())).toMatch(/waits for the client/);
    for (const name of ['http', 'https', 'tls', 'x400', 'smtps'] as const)
      expect(adviseOnService(silentService({ name }))).not.toMatch(/waits for the client/);
  });
});

describe('the other formats', () => {
  it('have the service and the reason in JSON', () => {
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
        /^Service: https failed at TLS: .* To trust it, .* a proxy on the way intercepts TLS\./,
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

  it('have the service in CSV, safe from formulas', () => {
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

  it('assert in JUnit and TAP that the service answers', () => {
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
      new RegExp(
        String.raw`^TAP version 13\nnot ok 1 - mail\.example\.com:25 is open and its ` +
          String.raw`service answers\n {2}---\n {2}seen: "open \(tls-failed\)`,
      ),
    );
    expect(
      tapReporter({ expect: 'closed', service: 'smtp', rounds: false }).probe(
        eventOf(reportOf(closedOutcome())),
      ).stdout,
    ).toMatch(/ is closed\n/);
  });

  it('have the answer of the service in the table of many targets', () => {
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
      'mail.example.com:25 (192.0.2.10)  open  12.3 ms  smtp answered "220 mail.example.com ' +
        'ESMTP" in 4.10 milliseconds.\n' +
        'mail.example.com:25 (192.0.2.10)  open  12.3 ms  smtp is silent: its greeting did ' +
        'not come within 4.99 s.\n',
    );
  });

  it('escape everything that a server sent', () => {
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
