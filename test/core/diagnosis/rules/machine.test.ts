import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../../src/core/facts/outcome.js';
import { MACHINE_RULES } from '../../../../src/core/diagnosis/rules/machine.js';
import {
  answeredHere,
  answeringPorts,
  closed,
  failed,
  filtered,
  observations,
  open,
  OTHER_V4,
  type Particulars,
  PORT,
  silentPorts,
  unresolved,
  V4,
} from '../observations.js';
import { inWords, type RuleCase, testRules } from './rule-case.js';

type LocalFilter = NonNullable<Particulars['localFilter']>;

const localNetwork: Attempt = {
  ...failed('not-permitted'),
  error: { code: 'EHOSTUNREACH', errno: -65, winsock: 10065, syscall: 'connect' },
} as Attempt;
const invalidRemote: Attempt = {
  ...failed('no-route'),
  error: { code: 'EADDRNOTAVAIL', errno: -4090, winsock: 10049, syscall: 'connect' },
} as Attempt;

const CASES: Readonly<Record<keyof typeof MACHINE_RULES, RuleCase>> = {
  'no-descriptors': {
    trigger: { attempts: [failed('no-files-left')] },
    nearMisses: {
      'one address of several failed so': { attempts: [open(), failed('no-files-left', OTHER_V4)] },
    },
    finding: {
      certainty: 'certain',
      statement: 'This machine is at fault: no file descriptor was free for the probe.',
      evidence: ['198.51.100.10:5432 could not be tried (no free file descriptor)'],
      advice: 'Raise the limit (ulimit -n), or close open files.',
    },
  },
  'no-source-ports': {
    trigger: { attempts: [failed('no-ports-left')] },
    nearMisses: { 'it had no route': { attempts: [failed('no-route')] } },
    finding: {
      certainty: 'certain',
      statement: 'This machine is at fault: it has no free source port for the connection.',
      evidence: ['198.51.100.10:5432 could not be tried (no free source port)'],
      advice:
        'Wait a minute, or widen the range of ephemeral ports. Too many connections are open ' +
        'or were closed within the last minute (TIME_WAIT).',
    },
  },
  'bad-source': {
    trigger: { attempts: [failed('bad-source')] },
    nearMisses: { 'it had no source port': { attempts: [failed('no-ports-left')] } },
    finding: {
      certainty: 'certain',
      statement: 'This machine cannot use the source address for this target.',
      evidence: ['198.51.100.10:5432 could not be tried (the source address cannot be used)'],
      advice: "Use an address of this machine, of the target's family.",
    },
  },
  'local-network-privacy': {
    trigger: { attempts: [localNetwork] },
    nearMisses: {
      'another ban of this machine': { attempts: [failed('not-permitted')] },
      'no route': { attempts: [failed('no-route')] },
    },
    finding: {
      certainty: 'probable',
      statement:
        'macOS does not let the app that started portping use the local network. ' +
        'Nothing was sent.',
      evidence: ['198.51.100.10:5432 could not be tried (not permitted)'],
      advice:
        'Allow the app in System Settings > Privacy & Security > Local Network. ' +
        'A VPN or security software can also do this.',
    },
  },
  'not-permitted': {
    trigger: { attempts: [failed('not-permitted')] },
    nearMisses: {
      'macOS stopped it in the local network': { attempts: [localNetwork] },
      'the network prohibited it': { attempts: [filtered('admin-prohibited')] },
    },
    finding: {
      certainty: 'certain',
      statement: 'This machine does not permit the connection. Nothing was sent.',
      evidence: ['198.51.100.10:5432 could not be tried (not permitted)'],
      advice:
        'Check the firewall, policy routes and sandboxes of this machine, not the other side.',
    },
  },
  'no-resources': {
    trigger: { attempts: [failed('no-resources')] },
    nearMisses: { 'an unknown error': { attempts: [failed('unknown-error')] } },
    finding: {
      certainty: 'certain',
      statement: 'This machine is at fault: it had no memory or buffers for the connection.',
      evidence: ['198.51.100.10:5432 could not be tried (no memory or buffers)'],
      advice: 'Check the load of this machine, then try again.',
    },
  },
  'no-network': {
    trigger: { attempts: [failed('no-route')], machine: { addresses: [], sourceAddress: null } },
    nearMisses: {
      'the target is loopback': {
        attempts: [closed('127.0.0.1')],
        machine: { addresses: [], sourceAddress: '127.0.0.1' },
      },
    },
    finding: {
      certainty: 'certain',
      statement: 'This machine is at fault: no network address is up.',
      evidence: ['no interface but loopback has an address'],
      advice: 'Check the cable, the wireless network and the network settings of this machine.',
    },
  },
  'invalid-remote': {
    trigger: { attempts: [invalidRemote] },
    nearMisses: { 'it had no route': { attempts: [failed('no-route')] } },
    finding: {
      certainty: 'certain',
      statement: 'Windows cannot connect to 198.51.100.10. Nothing was sent.',
      evidence: ['198.51.100.10:5432 could not be tried (no route)'],
      advice:
        'Check the address: it may be multicast or broadcast. If it is IPv6, check that this ' +
        'machine has IPv6.',
    },
  },
  'no-route': {
    trigger: { attempts: [failed('no-route')] },
    nearMisses: {
      'Windows refused the address': { attempts: [invalidRemote] },
      'a router on the way had none': { attempts: [filtered('net-unreach')] },
    },
    finding: {
      certainty: 'certain',
      statement: 'This machine is at fault: it has no usable route to 198.51.100.10.',
      evidence: ['198.51.100.10:5432 could not be tried (no route)'],
      advice: 'Check the default route, and any VPN that should be up (on Linux: ip route).',
    },
  },
  'local-firewall': {
    trigger: { attempts: [closed()], companions: answeringPorts, localFilter: answeredHere },
    nearMisses: {
      'other traffic may hide that packets left, or nothing listens here': {
        attempts: [closed()],
        companions: answeringPorts,
        localFilter: { ...answeredHere, stopped: 1, answeredHere: 1 },
      },
    },
    finding: {
      certainty: 'certain',
      statement:
        'A firewall on this machine rejects connections to 198.51.100.10:5432. Nothing was ' +
        'learned about the other side.',
      evidence: [
        '198.51.100.10:5432 refused',
        'in 5 of 5 tries no packet left this machine',
        '5 of these tries were answered, over 1 loopback packets',
      ],
      advice:
        'Check the rules for outgoing traffic on this machine (on Linux: nft list ruleset, ' +
        'iptables -S OUTPUT), not the other side.',
    },
  },
};

testRules(MACHINE_RULES, CASES);

describe('a local firewall', () => {
  const silent = { attempts: [filtered()], companions: silentPorts } as const;
  const unreachable = { attempts: [filtered('host-unreach', V4, PORT, 1)] } as const;
  const unanswered = { answeredHere: 0, loopbackPackets: null };
  const judge = (particulars: Particulars, localFilter: Partial<LocalFilter>) => {
    const all = { ...particulars, localFilter: { ...answeredHere, ...localFilter } };
    const conclusion = MACHINE_RULES['local-firewall'](observations(all));
    return conclusion && inWords(conclusion);
  };

  it('certainly rejects with an ICMP message, too', () => {
    expect(judge(unreachable, {})).toMatchObject({
      certainty: 'certain',
      statement: expect.stringMatching(
        /^A firewall on this machine rejects connections to 198\.51\.100\.10:5432\. /,
      ),
    });
  });

  it('probably rejects if the answer came too late for the tries, as with ICMPv6', () => {
    expect(judge(unreachable, unanswered)).toMatchObject({
      certainty: 'probable',
      statement: expect.stringMatching(/^A firewall on this machine probably rejects/),
      evidence: [
        '198.51.100.10:5432 was reported unreachable',
        'in 5 of 5 tries no packet left this machine',
      ],
    });
  });

  it('may as well redirect if the SYN itself was on loopback', () => {
    expect(judge({ attempts: [closed()] }, { loopbackPackets: 2 })).toMatchObject({
      certainty: 'certain',
      statement:
        'This machine itself refuses connections to 198.51.100.10:5432: its firewall rejects ' +
        'them, or a redirect or a local route leads them to a port here that refuses. ' +
        'Nothing was learned about the other side.',
    });
  });

  it('probably drops if no packet left for a silent port', () => {
    expect(judge(silent, unanswered)).toMatchObject({
      certainty: 'probable',
      statement:
        'A firewall on this machine probably drops connections to 198.51.100.10:5432. ' +
        'Nothing was learned about the other side.',
      evidence: [
        '198.51.100.10:5432 did not answer',
        'in 5 of 5 tries no packet left this machine',
      ],
    });
  });

  it('is concluded if other traffic hides most of the tries', () => {
    expect(judge(silent, { ...unanswered, stopped: 2 })).not.toBeNull();
  });

  it.each([
    ['packets left in every try', { stopped: 0 }],
    ['a single try sent nothing', { stopped: 1 }],
  ])('is not concluded if %s', (_, localFilter) => {
    expect(judge(silent, { ...unanswered, ...localFilter })).toBeNull();
  });
});

describe('a local firewall before an address of this machine', () => {
  const own = '203.0.113.5';
  const judge = (particulars: Particulars): string | undefined =>
    MACHINE_RULES['local-firewall'](observations(particulars))?.statement;
  const silent = { attempts: [filtered('no-response', own)], loopback: [open('127.0.0.1')] };

  it('probably drops if no listener there can be too busy', () => {
    const statement = 'A firewall on this machine probably drops connections to 203.0.113.5:5432.';
    expect(judge({ ...silent, listeners: [] })).toBe(statement);
    expect(judge({ ...silent, listeners: [{ address: '0.0.0.0', waiting: 0 }] })).toBe(statement);
    expect(judge({ ...silent, listeners: [{ address: '127.0.0.1', waiting: 9 }] })).toBe(statement);
  });

  it.each([
    ['connections wait', [{ address: own, waiting: 9 }]],
    ['the listeners are unknown', null],
  ])('is one of two causes of silence if %s', (_, listeners) => {
    expect(judge({ ...silent, listeners })).toBe(
      'A firewall on this machine drops connections to 203.0.113.5:5432, or the service is too ' +
        'busy to accept them. Both look the same from here.',
    );
  });

  it('probably rejects with ICMP, or if a service listens there', () => {
    const loopback = [open('127.0.0.1')];
    expect(judge({ attempts: [filtered('host-unreach', own)], loopback })).toBe(
      'A firewall on this machine probably rejects connections to 203.0.113.5:5432.',
    );
    const listeners = [{ address: '0.0.0.0', waiting: 0 }];
    expect(judge({ attempts: [closed(own)], loopback, listeners })).toBe(
      'A firewall on this machine probably rejects connections to 203.0.113.5:5432, or a ' +
        'redirect leads them elsewhere: a service listens on 0.0.0.0.',
    );
  });

  it('is not concluded if nothing listens and the address refuses', () => {
    const loopback = [closed('127.0.0.1')];
    expect(judge({ attempts: [closed(own)], loopback, listeners: [] })).toBeUndefined();
    expect(judge({ attempts: [closed(own)], loopback, listeners: null })).toBeUndefined();
  });
});

describe('a failure on this machine', () => {
  it('may be one of the lookup', () => {
    const outcome = { ...unresolved(), state: 'failed', reason: 'no-files-left' } as const;
    const conclusion = MACHINE_RULES['no-descriptors'](observations({ outcome }));
    expect(conclusion && inWords(conclusion)).toMatchObject({
      certainty: 'certain',
      evidence: ['the lookup failed on this machine'],
    });
  });
});
