import { describe, expect, it } from 'vitest';
import { ADDRESS_RULES } from '../../../../src/core/diagnosis/rules/address.js';
import {
  closed,
  failed,
  filtered,
  localhost,
  open,
  OTHER_V4,
  type Particulars,
  V6,
} from '../observations.js';
import { kindsOf, type RuleCase, testRules, verdictIn } from './rule-case.js';

const CASES: Readonly<Record<keyof typeof ADDRESS_RULES, RuleCase>> = {
  'stale-record': {
    trigger: { attempts: [filtered()], given: open(OTHER_V4) },
    nearMisses: {
      'it does not open either': {
        attempts: [filtered()],
        given: filtered('no-response', OTHER_V4),
      },
      'an address of the name opens': { attempts: [open()], given: open(OTHER_V4) },
    },
    finding: {
      certainty: 'probable',
      statement:
        'The address of db.example is probably stale or wrong, or the way there ' +
        'or its host is at fault: 198.51.100.10 did not answer, but ' +
        '198.51.100.20 opened. Both look the same from here.',
      evidence: [
        '198.51.100.10:5432 did not answer',
        '198.51.100.20:5432 opened',
        'DNS server 192.0.2.53: 198.51.100.10',
      ],
      advice:
        'Check which address is right. Ask the operator of DNS to ' +
        'correct the record, or the operator of the host.',
    },
  },
  'localhost-family': {
    trigger: {
      ...localhost,
      attempts: [closed('::1'), open('127.0.0.1')],
      listeners: [{ address: '127.0.0.1', waiting: 0 }],
    },
    nearMisses: {
      'a service listens there': {
        ...localhost,
        attempts: [closed('::1'), open('127.0.0.1')],
        listeners: [{ address: '::', waiting: 0 }],
      },
      'both open': { ...localhost, attempts: [open('::1'), open('127.0.0.1')] },
      'the other is silent': {
        ...localhost,
        attempts: [filtered('no-response', '::1'), open('127.0.0.1')],
      },
      'the name is another': { attempts: [closed(V6), open()] },
    },
    finding: {
      certainty: 'certain',
      statement:
        'The service listens only on 127.0.0.1, but localhost also means ::1, which comes ' +
        'first.',
      evidence: ['[::1]:5432 refused', '127.0.0.1:5432 opened'],
      advice:
        'Let the service listen on both, or use the address. Programs that try only the ' +
        'first address fail.',
    },
  },
  'bound-to-loopback': {
    trigger: {
      attempts: [closed('203.0.113.5')],
      loopback: [open('127.0.0.1')],
      listeners: [{ address: '127.0.0.1', waiting: 0 }],
    },
    nearMisses: {
      'it is silent': {
        attempts: [filtered('no-response', '203.0.113.5')],
        loopback: [open('127.0.0.1')],
      },
      'a service listens there': {
        attempts: [closed('203.0.113.5')],
        loopback: [open('127.0.0.1')],
        listeners: [{ address: '0.0.0.0', waiting: 0 }],
      },
      'loopback refuses, too': {
        attempts: [closed('203.0.113.5')],
        loopback: [closed('127.0.0.1')],
      },
    },
    finding: {
      certainty: 'certain',
      statement: 'The service listens on 127.0.0.1, but not on 203.0.113.5, which refused.',
      evidence: ['203.0.113.5:5432 refused', '127.0.0.1:5432 opened'],
      advice:
        'Let it listen on that address, too (the setting is often called "bind" or "listen").',
    },
  },
  'family-broken': {
    trigger: { attempts: [filtered('no-response', V6), open()] },
    nearMisses: {
      'the other refuses': { attempts: [closed(V6), open()] },
      'it has no route': { attempts: [failed('no-route', V6), open()] },
    },
    finding: {
      certainty: 'probable',
      statement:
        'IPv6 to db.example is broken, or a firewall stops this port over IPv6: the port is open ' +
        'over IPv4. Both look the same from here.',
      evidence: ['[2001:db8::10]:5432 did not answer', '198.51.100.10:5432 opened'],
      advice:
        'Use IPv4 until IPv6 is repaired, or have the IPv6 record removed. Check the network on ' +
        "the way, the host's own IPv6, and the firewalls.",
    },
  },
  'one-family-only': {
    trigger: { attempts: [closed(V6), open()] },
    nearMisses: {
      'the other has no route': { attempts: [failed('no-route', V6), open()] },
      'it is silent': { attempts: [filtered('no-response', V6), open()] },
    },
    finding: {
      certainty: 'probable',
      statement:
        'The service listens on IPv4 only, or a firewall rejects the port over IPv6: ' +
        '2001:db8::10 refused. Both look the same from here.',
      evidence: ['[2001:db8::10]:5432 refused', '198.51.100.10:5432 opened'],
      advice:
        'Check on the host on which addresses it listens. ' +
        'Let it listen on both, or have the IPv6 record removed.',
    },
  },
  'some-addresses-fail': {
    trigger: { attempts: [closed(OTHER_V4), open()] },
    nearMisses: {
      'another family does': { attempts: [closed(V6), open()] },
      'none opens': { attempts: [closed(OTHER_V4), closed()] },
    },
    finding: {
      certainty: 'certain',
      statement: 'The port is open, but not at every address of db.example: 198.51.100.20 refused.',
      evidence: ['198.51.100.20:5432 refused', '198.51.100.10:5432 opened'],
      advice: 'Check these hosts, or have their records removed.',
    },
  },
  'addresses-fail-differently': {
    trigger: { attempts: [closed(), filtered('no-response', OTHER_V4)] },
    nearMisses: {
      'all fail alike': { attempts: [closed(), closed(OTHER_V4)] },
      'one opens': { attempts: [closed(), filtered('no-response', OTHER_V4), open(V6)] },
    },
    finding: {
      certainty: 'certain',
      statement:
        'No address of db.example opens, and they fail in different ways: 198.51.100.10 ' +
        'refused (nothing listens there, or a firewall rejects it) and 198.51.100.20 did not ' +
        'answer (the host is down, or a firewall drops the packets).',
      evidence: ['198.51.100.10:5432 refused', '198.51.100.20:5432 did not answer'],
      advice: 'Check each of these hosts. A client reports only one of the failures.',
    },
  },
};

testRules(ADDRESS_RULES, CASES);

describe('addresses that fail in different ways', () => {
  it('are no finding if one opens or if the other cannot be tried here', () => {
    const silent = filtered('no-response', OTHER_V4);
    const kind = 'addresses-fail-differently';
    expect(kindsOf({ attempts: [closed(), silent] })).toContain(kind);
    expect(kindsOf({ attempts: [closed(), silent, open(V6)] })).not.toContain(kind);
    expect(kindsOf({ attempts: [closed(), failed('no-route', V6)] })).not.toContain(kind);
  });
});

describe('the addresses of a name', () => {
  const statementOf = (particulars: Particulars): string => verdictIn(particulars).statement;

  it('are named with their results if only the extra address opens', () => {
    const attempts = [closed(V6), filtered()];
    expect(statementOf({ attempts, given: open(OTHER_V4) })).toBe(
      'The address of db.example is probably stale or wrong, or the way there or its host is ' +
        'at fault: ' +
        '2001:db8::10 refused and 198.51.100.10 did not answer, but 198.51.100.20 opened. ' +
        'Both look the same from here.',
    );
  });

  it('of localhost are named without an order if the open one comes first', () => {
    const attempts = [open('127.0.0.1'), closed('::1')];
    const listeners = [{ address: '127.0.0.1', waiting: 0 }];
    expect(statementOf({ ...localhost, attempts, listeners })).toBe(
      'The service listens only on 127.0.0.1, but localhost also means ::1.',
    );
  });

  it('of localhost may be rejected by a firewall if the listeners are not known', () => {
    const attempts = [open('127.0.0.1'), closed('::1')];
    const verdict = verdictIn({ ...localhost, attempts });
    expect(verdict).toMatchObject({ kind: 'localhost-family', certainty: 'probable' });
    expect(verdict.advice).toMatch(/A firewall of this machine that rejects looks the same\.$/);
    const overIpv6 = { attempts: [open('::1'), closed('127.0.0.1')] };
    const dual = [{ address: '::', waiting: 0 }];
    expect(verdictIn({ ...localhost, ...overIpv6, listeners: dual }).certainty).toBe('probable');
    const only = [{ address: '::1', waiting: 0 }];
    expect(verdictIn({ ...localhost, ...overIpv6, listeners: only }).certainty).toBe('certain');
  });

  it('of localhost are not a matter of the service if one is silent or none may open', () => {
    const kindOf = (attempts: Particulars['attempts']): string =>
      verdictIn({ ...localhost, attempts: attempts ?? [], listeners: [] }).kind;
    expect(kindOf([open('127.0.0.1'), filtered('no-response', '::1')])).toBe('family-broken');
    expect(kindOf([open('127.0.0.1'), open('::1')])).toBe('open');
  });

  it('may be broken for IPv4, too', () => {
    expect(statementOf({ attempts: [open(V6), filtered()] })).toBe(
      'IPv4 to db.example is broken, or a firewall stops this port over IPv4: the port is open ' +
        'over IPv6. Both look the same from here.',
    );
    expect(statementOf({ attempts: [open(V6), closed()] })).toBe(
      'The service listens on IPv6 only, or a firewall rejects the port over IPv4: ' +
        '198.51.100.10 refused. Both look the same from here.',
    );
  });
});

describe('a service that listens on loopback', () => {
  const attempts = [closed('203.0.113.5')];
  const loopback = [open('127.0.0.1'), closed('::1')];
  const listensOn = (address: string) => ({
    attempts,
    loopback,
    listeners: [{ address, waiting: 0 }],
  });

  it('is only probable where the sockets of the system are unknown', () => {
    expect(verdictIn({ attempts, loopback })).toMatchObject({
      kind: 'bound-to-loopback',
      certainty: 'probable',
      statement:
        'The service listens on 127.0.0.1, but probably not on 203.0.113.5, which refused.',
      advice: expect.stringMatching(/A firewall of this machine that rejects looks the same\.$/),
    });
  });

  it.each(['0.0.0.0', '::', '203.0.113.5'])('is no cause if one listens on %s', (address) => {
    expect(verdictIn(listensOn(address)).kind).toBe('local-firewall');
  });

  it('is a cause if one listens on :: for IPv6 alone', () => {
    const seen = { ...listensOn('::'), loopback: [closed('127.0.0.1'), open('::1')] };
    expect(verdictIn(seen)).toMatchObject({ kind: 'bound-to-loopback', certainty: 'certain' });
  });

  it('is no cause if loopback refuses, too', () => {
    expect(verdictIn({ attempts, loopback: [closed('127.0.0.1')] }).kind).toBe('refused');
  });
});
