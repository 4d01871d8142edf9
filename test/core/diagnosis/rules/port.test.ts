import { describe, expect, it } from 'vitest';
import { PORT_RULES } from '../../../../src/core/diagnosis/rules/port.js';
import {
  answeringPorts,
  closed,
  filtered,
  type Particulars,
  PORT,
  silentPorts,
  V4,
  V6,
} from '../observations.js';
import { type RuleCase, testRules, verdictIn } from './rule-case.js';

const nearer = { refusedMs: 1, openPort: 443, openMs: 20 };
const CASES: Readonly<Record<keyof typeof PORT_RULES, RuleCase>> = {
  prohibited: {
    trigger: { attempts: [filtered('admin-prohibited')] },
    nearMiss: { attempts: [filtered('host-unreach', V4, PORT, 1)] },
    finding: {
      certainty: 'certain',
      statement: 'A firewall answered that connections to 198.51.100.10:5432 are prohibited.',
      evidence: ['198.51.100.10:5432 was reported as prohibited'],
      advice: "Ask the operator of the firewall there or on the way; it may be this machine's own.",
    },
  },
  'port-rejected': {
    trigger: { attempts: [filtered('host-unreach', V4, PORT, 1)], companions: answeringPorts },
    nearMiss: {
      attempts: [filtered('host-unreach', V4, PORT, 1)],
      companions: [filtered('host-unreach', V4, 443, 1)],
    },
    finding: {
      certainty: 'probable',
      statement:
        'The host is up, and a firewall probably rejects port 5432: other ports of ' +
        '198.51.100.10 answer.',
      evidence: [
        '198.51.100.10:5432 was reported unreachable',
        '198.51.100.10:443 opened',
        '198.51.100.10:80 refused',
      ],
      advice:
        "Ask the operator of the host's firewall. firewalld rejects every port like this " +
        'that is not opened.',
    },
  },
  'port-filtered': {
    trigger: { attempts: [filtered()], companions: answeringPorts },
    nearMiss: { attempts: [filtered()], companions: silentPorts },
    finding: {
      certainty: 'probable',
      statement:
        'The host is up, but port 5432 is probably filtered: 198.51.100.10 answers on other ' +
        'ports (443 opened and 80 refused).',
      evidence: [
        '198.51.100.10:5432 did not answer',
        '198.51.100.10:443 opened',
        '198.51.100.10:80 refused',
      ],
      advice:
        "Ask the operator of the host's firewall, or of one on the way, to open the port. A " +
        'service too busy to accept connections looks the same.',
    },
  },
  'host-absent': {
    trigger: {
      attempts: [filtered('host-unreach', V4, PORT, 3070)],
      companions: [filtered('host-unreach', V4, 443, 3060)],
    },
    nearMiss: {
      attempts: [filtered('host-unreach', V4, PORT, 1)],
      companions: [filtered('host-unreach', V4, 443, 1)],
    },
    finding: {
      certainty: 'probable',
      statement:
        'Probably no host is at 198.51.100.10: the "host unreachable" reply came after about ' +
        '3 s, the usual ARP timeout.',
      evidence: [
        '198.51.100.10:5432 was reported unreachable',
        '198.51.100.10:443 was reported unreachable',
      ],
      advice: 'Check the address, and that the host is on and connected.',
    },
  },
  'host-unreachable': {
    trigger: {
      attempts: [filtered('host-unreach', V4, PORT, 1)],
      companions: [filtered('host-unreach', V4, 443, 1)],
    },
    nearMiss: { attempts: [filtered('host-unreach', V4, PORT, 1)], companions: answeringPorts },
    finding: {
      certainty: 'probable',
      statement:
        '198.51.100.10 was reported unreachable: a firewall rejects the connection, or a ' +
        'router cannot find the host. Both look the same from here.',
      evidence: [
        '198.51.100.10:5432 was reported unreachable',
        '198.51.100.10:443 was reported unreachable',
      ],
      advice: 'Check the address, and ask the operator of the network there.',
    },
  },
  'network-unreachable': {
    trigger: { attempts: [filtered('net-unreach')], companions: [] },
    nearMiss: { attempts: [filtered('net-unreach')], companions: answeringPorts },
    finding: {
      certainty: 'probable',
      statement:
        'The network of 198.51.100.10 was reported unreachable: a router on the way has no ' +
        'route, or a firewall rejects the connection. Both look the same from here.',
      evidence: ['198.51.100.10:5432 was reported to be on an unreachable network'],
      advice: 'Check the address, any VPN that should be up, and the routing on the way.',
    },
  },
  'no-tcp': {
    trigger: { attempts: [filtered('proto-unreach', V4, PORT, 1)] },
    nearMiss: { attempts: [filtered('proto-unreach', V4, PORT, 1)], companions: answeringPorts },
    finding: {
      certainty: 'probable',
      statement:
        '198.51.100.10 was reported not to support TCP: probably a firewall rejects in this ' +
        'unusual way.',
      evidence: ['198.51.100.10:5432 was reported not to support TCP'],
      advice: 'Check the address, and ask the operator of the firewall there.',
    },
  },
  'nothing-answers': {
    trigger: { attempts: [filtered()], companions: silentPorts },
    nearMiss: { attempts: [filtered()], companions: answeringPorts },
    finding: {
      certainty: 'probable',
      statement:
        '198.51.100.10 answers neither on port 5432 nor on 443 and 80: the host is down, or ' +
        'a firewall drops everything. Both look the same from here.',
      evidence: [
        '198.51.100.10:5432 did not answer',
        '198.51.100.10:443 did not answer',
        '198.51.100.10:80 did not answer',
      ],
      advice:
        'Check from inside its own network whether the host is up. If it is, ask the ' +
        'operators of the firewalls on the way.',
    },
  },
  'refused-on-the-way': {
    trigger: { attempts: [closed()], companions: answeringPorts, refusalTiming: nearer },
    nearMiss: {
      attempts: [closed()],
      companions: answeringPorts,
      refusalTiming: { ...nearer, openMs: 2.5 },
    },
    finding: {
      certainty: 'probable',
      statement:
        'A firewall on the way probably refuses port 5432: the refusal came much faster than ' +
        'the handshake with port 443 of the same host.',
      evidence: ['port 5432 refused', 'port 443 of the same host opened'],
      advice: 'Ask the operators of the firewalls between here and the host.',
    },
  },
  refused: {
    trigger: { attempts: [closed()] },
    nearMiss: { attempts: [filtered()] },
    finding: {
      certainty: 'certain',
      statement:
        '198.51.100.10:5432 refused the connection: nothing listens on that port, or a ' +
        'firewall rejects it. Both look the same from here.',
      evidence: ['198.51.100.10:5432 refused'],
      advice:
        'Check on the host whether the service is running, and on which address and port it ' +
        'listens.',
    },
  },
};

testRules(PORT_RULES, CASES);

describe('a filtered port', () => {
  const statementOf = (particulars: Particulars): string => verdictIn(particulars).statement;

  it.each(['host-unreach', 'net-unreach', 'proto-unreach'] as const)(
    'is probably rejected by a firewall if other ports answer (%s)',
    (reason) => {
      const attempts = [filtered(reason, V4, PORT, 1)];
      expect(verdictIn({ attempts, companions: answeringPorts })).toMatchObject({
        kind: 'port-rejected',
        certainty: 'probable',
      });
    },
  );

  it('of an IPv6 host that is absent names neighbour discovery', () => {
    const attempts = [filtered('host-unreach', V6, PORT, 3070)];
    expect(statementOf({ attempts })).toBe(
      'Probably no host is at 2001:db8::10: the "host unreachable" reply came after about 3 s, ' +
        'the usual neighbour discovery timeout.',
    );
  });

  it('names both causes of silence, also if no other port was tried', () => {
    expect(statementOf({ attempts: [filtered()], companions: null })).toBe(
      '198.51.100.10 does not answer on port 5432, and no other port was tried: ' +
        'the host is down, or a firewall drops everything. Both look the same from here.',
    );
  });
});

describe('a refusal', () => {
  const verdictOfTiming = (refusedMs: number, openMs: number) =>
    verdictIn({
      attempts: [closed()],
      companions: answeringPorts,
      refusalTiming: { refusedMs, openPort: 443, openMs },
    });

  it('comes from nearer if it takes less than half of the handshake, and 2 ms less', () => {
    expect(verdictOfTiming(9, 20).kind).toBe('refused-on-the-way');
    expect(verdictOfTiming(10, 20).kind).toBe('refused');
    expect(verdictOfTiming(0.1, 2.2).kind).toBe('refused-on-the-way');
    expect(verdictOfTiming(0.1, 2.1).kind).toBe('refused');
  });

  it('that takes as long as the handshake shows both times', () => {
    expect(verdictOfTiming(19, 20).evidence).toEqual([
      { fact: 'port 5432 refused', elapsedMs: 19 },
      { fact: 'port 443 of the same host opened', elapsedMs: 20 },
    ]);
  });
});
