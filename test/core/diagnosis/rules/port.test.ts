import { describe, expect, it } from 'vitest';
import { PORT_RULES } from '../../../../src/core/diagnosis/rules/port.js';
import {
  answeringPorts,
  closed,
  failed,
  filtered,
  type Particulars,
  PORT,
  silentPorts,
  V4,
  V6,
} from '../observations.js';
import { kindsOf, type RuleCase, testRules, verdictIn } from './rule-case.js';

const nearer = { pairs: 6, refusedMs: 1, slowestRefusedMs: 2, openPort: 443, openMs: 20 };

const CASES: Readonly<Record<keyof typeof PORT_RULES, RuleCase>> = {
  prohibited: {
    trigger: { attempts: [filtered('admin-prohibited')] },
    nearMisses: {
      'another ICMP message': { attempts: [filtered('host-unreach', V4, PORT, 1)] },
      'this machine forbade the call': { attempts: [failed('not-permitted')] },
    },
    finding: {
      certainty: 'certain',
      statement:
        'A firewall or router answered that connections to 198.51.100.10:5432 are prohibited.',
      evidence: ['198.51.100.10:5432 was reported as prohibited'],
      advice:
        'Ask the operator of the firewalls and routers there or on the way. It may also be a ' +
        'firewall of this machine.',
    },
  },
  'port-rejected': {
    trigger: { attempts: [filtered('host-unreach', V4, PORT, 1)], companions: answeringPorts },
    nearMisses: {
      'other ports do not answer either': {
        attempts: [filtered('host-unreach', V4, PORT, 1)],
        companions: [filtered('host-unreach', V4, 443, 1)],
      },
      'the port is silent': { attempts: [filtered()], companions: answeringPorts },
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
    nearMisses: {
      'other ports are silent, too': { attempts: [filtered()], companions: silentPorts },
      'the port is rejected': {
        attempts: [filtered('host-unreach', V4, PORT, 1)],
        companions: answeringPorts,
      },
    },
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
        "Ask the operator of the host's firewall, or of one on the way, to open the port. " +
        'A service too busy to accept connections looks the same, and so does a ' +
        'firewall of this machine that drops the answers.',
    },
  },
  'host-absent': {
    trigger: {
      attempts: [filtered('host-unreach', V4, PORT, 3070)],
      companions: [filtered('host-unreach', V4, 443, 3060)],
    },
    nearMisses: {
      'an answer at another time': {
        attempts: [filtered('host-unreach', V4, PORT, 3070)],
        companions: [filtered('host-unreach', V4, 443, 3060), filtered('icmp-error', V4, 80, 1020)],
      },
      'one port alone': {
        attempts: [filtered('host-unreach', V4, PORT, 3070)],
        companions: silentPorts,
      },
    },
    finding: {
      certainty: 'probable',
      statement:
        'Probably no host is at 198.51.100.10, or a router on the way is down: ' +
        'the "host unreachable" reply came after about ' +
        '3 s, the usual ARP timeout.',
      evidence: [
        '198.51.100.10:5432 was reported unreachable',
        '198.51.100.10:443 was reported unreachable',
      ],
      advice: 'Check the address, and that the host and the gateway are on and ' + 'connected.',
    },
  },
  'host-unreachable': {
    trigger: {
      attempts: [filtered('host-unreach', V4, PORT, 1)],
      companions: [filtered('host-unreach', V4, 443, 1)],
    },
    nearMisses: {
      'another port answers': {
        attempts: [filtered('host-unreach', V4, PORT, 1)],
        companions: answeringPorts,
      },
    },
    finding: {
      certainty: 'probable',
      statement:
        '198.51.100.10 was reported unreachable: a firewall rejects the connection, a router ' +
        'cannot find the host, or the packets circle between routers until they expire (a ' +
        'routing loop). All look the same from here.',
      evidence: [
        '198.51.100.10:5432 was reported unreachable',
        '198.51.100.10:443 was reported unreachable',
      ],
      advice:
        'Check the address and the route (traceroute shows a loop), and ask the operator of the ' +
        'network there.',
    },
  },
  'network-unreachable': {
    trigger: { attempts: [filtered('net-unreach')], companions: [] },
    nearMisses: {
      'another port answers': { attempts: [filtered('net-unreach')], companions: answeringPorts },
    },
    finding: {
      certainty: 'probable',
      statement:
        'The network of 198.51.100.10 was reported unreachable: a router on the way has no ' +
        'route or prohibits the connection, or a firewall rejects it. All look the same from here.',
      evidence: ['198.51.100.10:5432 was reported to be on an unreachable network'],
      advice: 'Check the address, any VPN that should be up, and the routing on the way.',
    },
  },
  'no-tcp': {
    trigger: { attempts: [filtered('proto-unreach', V4, PORT, 1)] },
    nearMisses: {
      'another port answers': {
        attempts: [filtered('proto-unreach', V4, PORT, 1)],
        companions: answeringPorts,
      },
    },
    finding: {
      certainty: 'probable',
      statement:
        '198.51.100.10 was reported not to support TCP: probably a firewall or router rejects ' +
        'in this unusual way, or the host has no TCP.',
      evidence: ['198.51.100.10:5432 was reported not to support TCP'],
      advice: 'Check the address, and ask the operator of the network there.',
    },
  },
  'icmp-error': {
    trigger: { attempts: [filtered('icmp-error', V4, PORT, 1)] },
    nearMisses: { 'another port answers': { attempts: [filtered('proto-unreach', V4, PORT, 1)] } },
    finding: {
      certainty: 'probable',
      statement:
        'An unusual ICMP error answered the connection to 198.51.100.10: a router, a firewall ' +
        'or the host itself rejects it. All look the same from here.',
      evidence: ['198.51.100.10:5432 caused an unusual ICMP error'],
      advice: 'Check the address, and ask the operators of the network on the way.',
    },
  },
  'others-rejected': {
    trigger: {
      attempts: [filtered()],
      companions: [filtered('host-unreach', V4, 443, 1), filtered('no-response', V4, 80)],
    },
    nearMisses: {
      'the others are silent, too': { attempts: [filtered()], companions: silentPorts },
      'they answer': { attempts: [filtered()], companions: answeringPorts },
    },
    finding: {
      certainty: 'probable',
      statement:
        'Port 5432 of 198.51.100.10 does not answer, but other ports were rejected (443 was ' +
        'reported unreachable): a router or firewall drops this port, or rejects every port and ' +
        'limits its replies. Both look the same from here.',
      evidence: ['198.51.100.10:5432 did not answer', '198.51.100.10:443 was reported unreachable'],
      advice: "Ask the operators of the host's firewall and of the network on the way.",
    },
  },
  'nothing-answers': {
    trigger: { attempts: [filtered()], companions: silentPorts },
    nearMisses: {
      'another port answers': { attempts: [filtered()], companions: answeringPorts },
      'an ICMP error came': {
        attempts: [filtered('host-unreach', V4, PORT, 1)],
        companions: silentPorts,
      },
    },
    finding: {
      certainty: 'probable',
      statement:
        '198.51.100.10 answers neither on port 5432 nor on 443 and 80: the host is down or ' +
        'answers too late, a firewall drops everything, or the packets or the ' +
        'answers are lost in routing. All look the same from here.',
      evidence: [
        '198.51.100.10:5432 did not answer',
        '198.51.100.10:443 did not answer',
        '198.51.100.10:80 did not answer',
      ],
      advice:
        'Check from inside its own network whether the host is up, how fast it answers, and ' +
        'whether it has a route back. If ' +
        'it is well, check the firewalls and routers on the way, and the rules ' +
        'of this machine for incoming packets.',
    },
  },
  'refused-on-the-way': {
    trigger: { attempts: [closed()], companions: answeringPorts, refusalTiming: nearer },
    nearMisses: {
      'one refusal is slow': {
        attempts: [closed()],
        companions: answeringPorts,
        refusalTiming: { ...nearer, slowestRefusedMs: 15 },
      },
    },
    finding: {
      certainty: 'probable',
      statement:
        'A firewall on the way probably refuses port 5432, or port 443 is forwarded to a host ' +
        'farther away: each refusal came much faster than each handshake with port 443.',
      evidence: ['port 5432 refused', 'port 443 of the same host opened'],
      advice: 'Ask the operators of the firewalls between here and the host.',
    },
  },
  refused: {
    trigger: { attempts: [closed()] },
    nearMisses: {
      silence: { attempts: [filtered()] },
      'another ICMP error': { attempts: [filtered('host-unreach', V4, PORT, 1)] },
    },
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
    const companions = [filtered('host-unreach', V6, 443, 2900)];
    expect(statementOf({ attempts, companions })).toBe(
      'Probably no host is at 2001:db8::10, or a router on the way is down: ' +
        'the "host unreachable" reply came after about 3 s, ' +
        'the usual neighbour discovery timeout.',
    );
  });

  it('names every cause of silence, also if no other port was tried', () => {
    expect(statementOf({ attempts: [filtered()], companions: null })).toBe(
      '198.51.100.10 does not answer on port 5432, and no other port was tried: ' +
        'the host is down or answers too late, a firewall drops everything, or the packets ' +
        'or the ' +
        'answers are lost in routing. All look the same from here.',
    );
  });
});

describe('a host that answers "unreachable" after 3 s', () => {
  const late = filtered('host-unreach', V4, PORT, 3070);
  const kindOf = (companions: Particulars['companions']): string =>
    verdictIn({ attempts: [late], companions: companions ?? null }).kind;

  it('may be absent or limit its replies if no other port was tried', () => {
    const verdict = verdictIn({ attempts: [late] });
    expect(verdict.statement).toBe(
      '198.51.100.10 was reported unreachable after about 3 s: no host has that address (it is ' +
        'the usual ARP timeout), a router on the way is down, or a router or ' +
        'firewall that limits its replies rejects the connection. All look the ' +
        'same from here.',
    );
    expect(verdict.kind).toBe('host-unreachable');
  });

  it.each([
    'host-unreach',
    'net-unreach',
    'proto-unreach',
    'admin-prohibited',
    'icmp-error',
  ] as const)('is not absent if another port was rejected sooner (%s)', (reason) => {
    const limited = [filtered('host-unreach', V4, 80, 3080), filtered(reason, V4, 443, 1030)];
    expect(kindOf(limited)).toBe('host-unreachable');
    expect(verdictIn({ attempts: [late], companions: limited }).statement).toMatch(
      /^198\.51\.100\.10 was reported unreachable: a firewall rejects/,
    );
  });

  it('is probably absent if other ports are as late, or silent for less than that', () => {
    const asLate = filtered('host-unreach', V4, 80, 2950);
    expect(kindOf([asLate, filtered('no-response', V4, 443, 2000)])).toBe('host-absent');
    expect(kindOf(silentPorts)).toBe('host-unreachable');
  });

  it('is not absent if another port was silent for longer or answered later', () => {
    const asLate = filtered('host-unreach', V4, 80, 2950);
    for (const other of [
      filtered('no-response', V4, 443, 5000),
      filtered('host-unreach', V4, 443, 4100),
    ])
      expect(kindOf([asLate, other])).toBe('host-unreachable');
  });
});

describe('a silent port of a host whose other ports are rejected', () => {
  it('does not belong to a host that may be down: something answered', () => {
    const companions = [filtered('icmp-error', V4, 443, 1), ...silentPorts];
    const { kind, statement } = verdictIn({ attempts: [filtered()], companions });
    expect(kind).toBe('others-rejected');
    expect(statement).not.toMatch(/is down|drops everything/);
  });

  it('is no matter of a firewall if all others were reported unreachable after 3 s', () => {
    const attempts = [filtered('no-response', V4, PORT, 2000)];
    const late = [443, 80].map((port) => filtered('host-unreach', V4, port, 3050));
    const kinds = kindsOf({ attempts, companions: late });
    expect(kinds).toContain('host-absent');
    expect(kinds).not.toContain('others-rejected');
  });
});

describe('a host of which other ports only refuse', () => {
  const refusing = [closed(V4, 443), closed(V4, 80)];

  it('is not said to be up if its port is silent: a firewall on the way may refuse', () => {
    expect(verdictIn({ attempts: [filtered()], companions: refusing })).toMatchObject({
      kind: 'port-filtered',
      certainty: 'probable',
      statement:
        'Port 5432 of 198.51.100.10 is probably filtered: other ports refused (443 refused and ' +
        '80 refused). Either the host refused them, or a firewall on the way, and the host may ' +
        'be down.',
    });
  });

  it('is not said to be up if its port is rejected', () => {
    const attempts = [filtered('host-unreach', V4, PORT, 1)];
    expect(verdictIn({ attempts, companions: refusing })).toMatchObject({
      kind: 'port-rejected',
      certainty: 'probable',
      statement:
        'A firewall probably rejects port 5432: other ports of 198.51.100.10 refused instead. ' +
        'Either the host refused them, or a firewall on the way, and the host may be down.',
    });
  });
});

describe('a refusal', () => {
  const verdictOfTiming = (refusedMs: number, openMs: number) =>
    verdictIn({
      attempts: [closed()],
      companions: answeringPorts,
      refusalTiming: { ...nearer, slowestRefusedMs: refusedMs, refusedMs, openMs },
    });

  it('comes from nearer if it takes less than half of the handshake, and 2 ms less', () => {
    expect(verdictOfTiming(9, 20).kind).toBe('refused-on-the-way');
    expect(verdictOfTiming(10, 20).kind).toBe('refused');
    expect(verdictOfTiming(0.1, 2.2).kind).toBe('refused-on-the-way');
    expect(verdictOfTiming(0.1, 2.1).kind).toBe('refused');
  });

  it('says nothing after fewer pairs, as at the deadline', () => {
    const refusalTiming = { ...nearer, pairs: 5 };
    const particulars = { attempts: [closed()], companions: answeringPorts, refusalTiming };
    expect(verdictIn(particulars).kind).toBe('refused');
  });

  it('at an own address is explained by the table of sockets, if no socket listens', () => {
    const { kind, certainty, statement, evidence, advice } = verdictIn({
      attempts: [closed()],
      listeners: [],
    });
    expect({ kind, certainty, statement, evidence: evidence.map(({ fact }) => fact) }).toEqual({
      kind: 'refused',
      certainty: 'certain',
      statement:
        '198.51.100.10:5432 refused the connection, ' +
        'and nothing listens on that port of this machine.',
      evidence: ['198.51.100.10:5432 refused', 'no socket of this machine listens there'],
    });
    expect(advice).toContain('forwards the port');
  });

  it.each([
    ['the table of sockets is not known', null],
    ['another address of this machine listens', [{ address: '203.0.113.5', waiting: 0 }]],
  ])('at an own address has two causes that look alike, if %s', (_, listeners) => {
    const { statement } = verdictIn({ attempts: [closed()], listeners });
    expect(statement).toContain('or a firewall rejects it. Both look the same');
  });

  it('that takes as long as the handshake shows both times', () => {
    expect(verdictOfTiming(19, 20).evidence).toEqual([
      { fact: 'port 5432 refused', elapsedMs: 19 },
      { fact: 'port 443 of the same host opened', elapsedMs: 20 },
    ]);
  });
});
