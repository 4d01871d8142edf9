import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findings, RULES, verdictOf } from '../../../../src/core/diagnosis/rules/table.js';
import type { DnsAnswer } from '../../../../src/core/diagnosis/observations/observations.js';
import type { Attempt } from '../../../../src/core/facts/outcome.js';
import { FAILED_REASONS, FILTERED_REASONS } from '../../../../src/core/states.js';
import {
  answeredHere,
  answeringPorts,
  closed,
  failed,
  filtered,
  nxdomain,
  observations,
  open,
  OTHER_V4,
  PORT,
  server,
  V4,
  V6,
} from '../observations.js';
import { EXCLUSIONS, inWords, kindsOf, verdictIn } from './rule-case.js';

describe('the table of rules', () => {
  it('has every kind once, this machine first and the hints last', () => {
    const kinds = RULES.map(([kind]) => kind);
    expect(new Set(kinds).size).toBe(kinds.length);
    expect([kinds[0], kinds.at(-1)]).toEqual(['no-descriptors', 'proxy']);
  });

  it('says beside every rule what excludes it', () => {
    const kinds = RULES.map(([kind]) => kind);
    expect(kinds.filter((kind) => (EXCLUSIONS.get(kind) ?? []).length === 0)).toEqual([]);
  });
});

describe('the findings', () => {
  it('leave out what a local firewall hides', () => {
    const refused = { attempts: [closed()], companions: answeringPorts };
    expect(kindsOf({ ...refused, localFilter: answeredHere })).toEqual(['local-firewall']);
  });

  it('leave out that the host refused if a firewall on the way did', () => {
    const refusalTiming = {
      pairs: 6,
      refusedMs: 1,
      slowestRefusedMs: 1,
      openPort: 443,
      openMs: 20,
    };
    const refused = { attempts: [closed()], companions: answeringPorts };
    expect(kindsOf({ ...refused, refusalTiming })).toEqual(['refused-on-the-way']);
  });

  it('leave out the refusal if the service listens on loopback', () => {
    const attempts = [closed('203.0.113.5')];
    expect(kindsOf({ attempts, loopback: [open('127.0.0.1')] })).toEqual(['bound-to-loopback']);
  });

  it('do not say that nothing is wrong beside another verdict', () => {
    expect(kindsOf({ attempts: [filtered('no-response', V6), open()] })).toEqual(['family-broken']);
    expect(kindsOf({})).toEqual(['open']);
  });

  it('say so if no rule explains the result', () => {
    const verdict = verdictIn({ attempts: [failed('unknown-error')] });
    expect(verdict.kind).toBe('unexplained');
    expect(inWords(verdict)).toEqual({
      certainty: 'certain',
      statement: 'No observation explains the result.',
      evidence: ['198.51.100.10:5432 could not be tried (unknown error)'],
      advice: 'Report this as a bug, with the whole diagnosis.',
    });
  });
});

describe('the verdict', () => {
  it('is this machine before anything that it cannot see', () => {
    const machine = { addresses: [], sourceAddress: null };
    expect(verdictIn({ ...nxdomain, machine }).kind).toBe('no-network');
  });

  const attempts = [V4, V6].flatMap((address): Attempt[] => [
    open(address),
    closed(address),
    filtered('host-unreach', address, PORT, 3000),
    ...FILTERED_REASONS.map((reason) => filtered(reason, address)),
    ...FAILED_REASONS.map((reason) => failed(reason, address)),
    { state: 'cancelled', endpoint: open(address).endpoint, startedAt: 0, elapsedMs: 0 },
  ]);
  const failures: Record<Exclude<DnsAnswer['kind'], 'addresses'>, true> = {
    'no-record': true,
    'no-such-name': true,
    servfail: true,
    refused: true,
    'no-recursion': true,
    broken: true,
    'no-tcp': true,
    'not-permitted': true,
    'no-route': true,
    rejected: true,
    unspecified: true,
    unreachable: true,
    silent: true,
    cancelled: true,
  };
  const servers = [
    server([V4]),
    server([OTHER_V4, V6]),
    ...Object.keys(failures).map((kind) => server(kind as keyof typeof failures)),
  ];

  it('exists for any observations, and is never a hint', () => {
    const anyAttempts = fc.array(fc.constantFrom(...attempts), { maxLength: 3 });
    const anySeen = fc.record({
      attempts: anyAttempts,
      dnsOnly: anyAttempts,
      given: fc.option(fc.constantFrom(...attempts), { nil: undefined }),
      companions: fc.option(anyAttempts),
      loopback: anyAttempts,
      name: fc.record({ servers: fc.array(fc.constantFrom(...servers), { maxLength: 3 }) }),
      host: fc.constantFrom('db.example', 'localhost'),
    });
    fc.assert(
      fc.property(anySeen, ({ given, ...rest }) => {
        const found = findings(observations(given ? { ...rest, given } : rest));
        expect(verdictOf(found).certainty).not.toBe('possible');
        expect(new Set(found.map(({ kind }) => kind)).size).toBe(found.length);
        for (const { statement, advice, evidence } of found) {
          expect(statement).toMatch(/^\S.*\.$/);
          expect(advice).toMatch(/^[A-Z].*\.$/);
          expect(evidence.every(({ fact }) => fact !== '')).toBe(true);
        }
      }),
    );
  });
});
