import { describe, expect, it } from 'vitest';
import type { Outcome, ProbeReport } from '../../../src/core/facts/outcome.js';
import { EXIT_CODES } from '../../../src/core/states.js';
import { jsonReporter } from '../../../src/report/formats/json.js';
import { JSON_SCHEMA } from '../../../src/report/reporter.js';
import {
  cancelledOutcome,
  closedOutcome,
  endpoint6,
  eventOf,
  failedOutcome,
  filteredOutcome,
  HOSTILE,
  openOutcome,
  options,
  reportOf,
  resolved,
  unresolvedOutcome,
} from '../../support/reports.js';

/** The object of one report, as a program reads it. */
function read(report: ProbeReport): Record<string, unknown> {
  return JSON.parse(jsonReporter(options()).probe(eventOf(report)).stdout) as Record<
    string,
    unknown
  >;
}

const resolvingFailed: Outcome = {
  ...failedOutcome('no-files-left'),
  state: 'failed',
  host: 'mail.example.com',
  via: 'system',
};
const OUTCOMES: readonly Outcome[] = [
  openOutcome(),
  closedOutcome(),
  filteredOutcome(),
  failedOutcome(),
  unresolvedOutcome(),
  cancelledOutcome(),
  resolvingFailed,
  { state: 'cancelled', host: 'mail.example.com', via: 'system', elapsedMs: 10 },
];

describe('the JSON of an open port', () => {
  it('has every fact in its field', () => {
    const first = closedOutcome({ endpoint: endpoint6, elapsedMs: 0.1234567 });
    const second = openOutcome({ dropped: { by: 'reset', afterMs: 1.23456, receivedBytes: 7 } });
    const resolution = resolved([
      { address: '2001:db8::1', family: 6 },
      { address: '192.0.2.10', family: 4 },
    ]);
    expect(read(reportOf(second, { attempts: [first, second], resolution }))).toEqual({
      schema: 'portping/1',
      type: 'probe',
      sequence: 1,
      time: '2026-03-04T05:06:07.089Z',
      target: { host: 'mail.example.com', port: 25 },
      origin: null,
      expected: null,
      timeoutMs: 5000,
      state: 'open',
      reason: null,
      exitCode: 0,
      asExpected: true,
      tooSlow: false,
      address: '192.0.2.10',
      latencyMs: 12.346,
      elapsedMs: null,
      error: null,
      service: null,
      kernel: null,
      lostSynSeconds: null,
      stalledMs: null,
      formerAddresses: null,
      resolution: {
        host: 'mail.example.com',
        via: 'system',
        state: 'resolved',
        reason: null,
        elapsedMs: 1.5,
        addresses: [
          { address: '2001:db8::1', family: 6 },
          { address: '192.0.2.10', family: 4 },
        ],
        error: null,
        servers: null,
      },
      attempts: [
        {
          address: '2001:db8::1',
          family: 6,
          port: 25,
          state: 'closed',
          reason: 'conn-refused',
          time: '2026-03-04T05:06:07.089Z',
          latencyMs: null,
          elapsedMs: 0.123,
          local: null,
          kernel: null,
          dropped: null,
          error: { code: 'ECONNREFUSED', errno: -111, winsock: 10061, syscall: 'connect' },
        },
        {
          address: '192.0.2.10',
          family: 4,
          port: 25,
          state: 'open',
          reason: null,
          time: '2026-03-04T05:06:07.089Z',
          latencyMs: 12.346,
          elapsedMs: null,
          local: { address: '192.0.2.99', port: 50_000 },
          kernel: null,
          dropped: { by: 'reset', afterMs: 1.235, receivedBytes: 7 },
          error: null,
        },
      ],
      explanation: null,
    });
  });
});

describe('the JSON of a slow open port', () => {
  it.each([0.0521, null])(
    'has what the kernel knows, with a round trip of %s ms',
    (roundTripMs) => {
      const kernel = { roundTripMs, repeatedSyns: 1, mss: 1448, cause: 'lost-syn' } as const;
      const object = read(reportOf(openOutcome({ latencyMs: 1024, kernel })));
      const expected = { ...kernel, roundTripMs: roundTripMs && 0.052 };
      expect(object).toMatchObject({ kernel: expected, attempts: [{ kernel: expected }] });
    },
  );
});

describe('the JSON of a port that is not open', () => {
  it('has the reason, the error and the explanation', () => {
    expect(read(reportOf(filteredOutcome('no-response', { elapsedMs: 4000.4321 })))).toMatchObject({
      state: 'filtered',
      reason: 'no-response',
      exitCode: 2,
      address: '192.0.2.10',
      latencyMs: null,
      elapsedMs: 4000.432,
      error: { code: 'ETIMEDOUT', errno: null, winsock: 10060, syscall: 'connect' },
      explanation: expect.stringMatching(
        /^10060 WSAETIMEDOUT \(ETIMEDOUT\): no answer from 192\.0\.2\.10 within 4 s\. A firewall /,
      ) as string,
    });
  });

  it('has the DNS servers and no attempts when the name is unresolved', () => {
    expect(read(reportOf(unresolvedOutcome()))).toMatchObject({
      state: 'unresolved',
      reason: 'name-not-found',
      exitCode: 3,
      address: null,
      elapsedMs: 8.25,
      attempts: [],
      resolution: {
        state: 'unresolved',
        reason: 'name-not-found',
        addresses: [],
        servers: ['198.51.100.53'],
        error: { code: 'ENOTFOUND' },
      },
    });
  });

  it('has no explanation when the probe was cancelled', () => {
    expect(read(reportOf(cancelledOutcome()))).toMatchObject({
      state: 'cancelled',
      exitCode: 130,
      error: null,
      explanation: null,
    });
  });
});

describe('every JSON object', () => {
  it.each(
    OUTCOMES.map(
      (outcome) =>
        [`${outcome.state}${'endpoint' in outcome ? '' : ' while resolving'}`, outcome] as const,
    ),
  )('has the same fields in the same order when the outcome is %s', (_, outcome) => {
    const object = read(reportOf(outcome));
    expect(Object.keys(object)).toEqual([
      'schema',
      'type',
      'sequence',
      'time',
      'target',
      'origin',
      'expected',
      'timeoutMs',
      'state',
      'reason',
      'exitCode',
      'asExpected',
      'tooSlow',
      'address',
      'latencyMs',
      'elapsedMs',
      'error',
      'service',
      'kernel',
      'lostSynSeconds',
      'stalledMs',
      'formerAddresses',
      'resolution',
      'attempts',
      'explanation',
    ]);
    expect(Object.keys(object['resolution'] as object)).toEqual([
      'host',
      'via',
      'state',
      'reason',
      'elapsedMs',
      'addresses',
      'error',
      'servers',
    ]);
    for (const attempt of object['attempts'] as object[]) {
      expect(Object.keys(attempt)).toEqual([
        'address',
        'family',
        'port',
        'state',
        'reason',
        'time',
        'latencyMs',
        'elapsedMs',
        'local',
        'kernel',
        'dropped',
        'error',
      ]);
    }
  });

  it.each(OUTCOMES.map((outcome) => [outcome.state, outcome] as const))(
    'has numbers that are numbers and times in ISO 8601 when the outcome is %s',
    (state, outcome) => {
      const object = read(reportOf(outcome));
      expect(object['schema']).toBe(JSON_SCHEMA);
      expect(object['time']).toBe('2026-03-04T05:06:07.089Z');
      expect(object['timeoutMs']).toBe(5000);
      expect(object['exitCode']).toBe(EXIT_CODES.find((row) => row.state === state)?.exitCode);
      expect(
        [object['latencyMs'], object['elapsedMs']].map((value) => typeof value).sort(),
      ).toEqual(['number', 'object']); // one is a number, the other is null
      expect(typeof object['latencyMs']).toBe(state === 'open' ? 'number' : 'object');
      for (const { time } of object['attempts'] as { time: string }[])
        expect(new Date(time).toISOString()).toBe(time);
    },
  );

  it.each(OUTCOMES.map((outcome) => [outcome.state, outcome] as const))(
    'is one line on stdout and nothing on stderr when the outcome is %s',
    (_, outcome) => {
      const report = reportOf(outcome);
      const { stdout, stderr } = jsonReporter(options()).probe(eventOf(report));
      expect(stdout).toMatch(/^\{[^\n]*\}\n$/);
      expect(stderr).toBe('');
    },
  );

  it('has times with at most microsecond precision', () => {
    expect(read(reportOf(openOutcome({ latencyMs: 0.123_456_789 })))['latencyMs']).toBe(0.123);
    expect(read(reportOf(openOutcome({ latencyMs: 1 / 3 })))['latencyMs']).toBe(0.333);
  });
});

describe('a hostile name in JSON', () => {
  const report = reportOf(unresolvedOutcome('name-not-found', { host: HOSTILE, via: HOSTILE }), {
    target: { host: HOSTILE, port: 25 },
  });

  it('parses back to the same text', () => {
    expect(read(report)['target']).toEqual({ host: HOSTILE, port: 25 });
  });

  it('puts no raw control character, line end or direction mark into the line', () => {
    const { stdout } = jsonReporter(options()).probe(eventOf(report));
    expect(stdout.slice(0, -1)).not.toMatch(
      /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\p{Cs}]/u,
    );
  });

  it.each(['\u061c', '\u200b', '\u200e', '\u200f', '\ufeff'])(
    'puts no raw %j into the line',
    (character) => {
      const { stdout } = jsonReporter(options()).probe(
        eventOf(reportOf(openOutcome(), { target: { host: `a${character}b`, port: 25 } })),
      );
      expect(stdout).not.toContain(character);
    },
  );
});
