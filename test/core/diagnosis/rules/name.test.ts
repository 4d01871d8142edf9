import { describe, expect, it } from 'vitest';
import { NAME_RULES } from '../../../../src/core/diagnosis/rules/name.js';
import {
  answeringPorts,
  closed,
  filtered,
  nxdomain,
  observations,
  open,
  OTHER_V4,
  type Particulars,
  server,
  unresolved,
  V4,
  V6,
} from '../observations.js';
import { inWords, kindsOf, type RuleCase, testRules, verdictIn } from './rule-case.js';

const answered = (kind: Parameters<typeof server>[0]): Particulars => ({
  outcome: { ...unresolved('resolver-failed'), elapsedMs: kind === 'silent' ? 2000 : 3 },
  name: { servers: [server(kind)] },
});
/** A server that answers 0.0.0.0 for a name. */
const blocking: ReturnType<typeof server> = {
  ...server([V4]),
  a: { kind: 'unspecified', addresses: ['0.0.0.0'], elapsedMs: 2 },
};

/** A server that answers for one type only. */
const half = (type: 'a' | 'aaaa', says: Parameters<typeof server>[0]) => ({
  ...server(says),
  [type]: { kind: 'silent', addresses: [], elapsedMs: 5000 },
});

const CASES: Readonly<Record<keyof typeof NAME_RULES, RuleCase>> = {
  'name-blocked': {
    trigger: {
      outcome: { ...unresolved('name-no-address'), unspecified: ['0.0.0.0'] },
      name: { servers: [blocking] },
    },
    nearMisses: {
      'it has another address, too': { attempts: [closed()], name: { servers: [server([V4])] } },
    },
    finding: {
      certainty: 'certain',
      statement:
        'Name resolution is at fault: db.example has only 0.0.0.0 from DNS server 192.0.2.53, ' +
        'and no host has that address. A filter usually blocks a name like this.',
      evidence: ['DNS server 192.0.2.53: 0.0.0.0'],
      advice:
        'Look for a filter (an ad blocker, a DNS firewall, parental control) and allow the name ' +
        'there, or ask another DNS server.',
    },
  },
  'hosts-file-override': {
    trigger: {
      attempts: [filtered()],
      dnsOnly: [open(OTHER_V4)],
      name: { servers: [server([OTHER_V4])], hostsFile: { path: '/etc/hosts', addresses: [V4] } },
    },
    nearMisses: {
      'DNS was used': {
        attempts: [filtered()],
        dnsOnly: [open(OTHER_V4)],
        name: {
          servers: [server([V4, OTHER_V4])],
          hostsFile: { path: '/etc/hosts', addresses: ['198.51.100.30'] },
        },
      },
    },
    finding: {
      certainty: 'certain',
      statement:
        'The hosts file of this machine overrides DNS for db.example: it has 198.51.100.10, ' +
        'but DNS has 198.51.100.20, where the port is open.',
      evidence: [
        '/etc/hosts: 198.51.100.10',
        'DNS server 192.0.2.53: 198.51.100.20',
        '198.51.100.10:5432 did not answer',
        '198.51.100.20:5432 opened',
      ],
      advice: 'Remove the entry from /etc/hosts if it is wrong.',
    },
  },
  'dns-servers-disagree': {
    trigger: {
      outcome: unresolved(),
      dnsOnly: [open(OTHER_V4)],
      name: { servers: [server('no-such-name'), server([OTHER_V4], '192.0.2.54')] },
    },
    nearMisses: {
      'a server failed to answer': {
        outcome: unresolved(),
        name: { servers: [server('servfail'), server('no-such-name', '192.0.2.54')] },
      },
    },
    finding: {
      certainty: 'certain',
      statement:
        'The DNS servers of this machine disagree about db.example: 192.0.2.53 has no ' +
        'address and 192.0.2.54 has 198.51.100.20. The port is open at 198.51.100.20.',
      evidence: [
        'DNS server 192.0.2.53: no such name (NXDOMAIN)',
        'DNS server 192.0.2.54: 198.51.100.20',
        '198.51.100.20:5432 opened',
      ],
      advice:
        'Ask the operators of these DNS servers. Until then, applications get one answer or ' +
        'the other.',
    },
  },
  'only-with-search-domain': {
    trigger: {
      ...nxdomain,
      name: {
        ...nxdomain.name,
        foundBySearch: [{ name: 'db.example.corp.example', addresses: [V4] }],
      },
    },
    nearMisses: { 'it does not exist': nxdomain },
    finding: {
      certainty: 'certain',
      statement:
        'The name db.example does not exist. With a search domain of this machine, ' +
        'db.example.corp.example exists.',
      evidence: [
        'DNS server 192.0.2.53: no such name (NXDOMAIN)',
        'db.example.corp.example: 198.51.100.10',
      ],
      advice: 'Use db.example.corp.example:5432.',
    },
  },
  'only-in-dns': {
    trigger: { outcome: unresolved(), name: { servers: [server([V4])] } },
    nearMisses: {
      'it waited for an answer of DNS': {
        outcome: unresolved('resolver-timeout'),
        name: { servers: [server([V4])] },
      },
      'a server before that one gave an answer with which the resolver ends': {
        outcome: unresolved(),
        name: { servers: [server('broken'), server([V4], '192.0.2.54')] },
      },
    },
    finding: {
      certainty: 'certain',
      statement:
        'Name resolution on this machine is at fault: DNS has an address for db.example, but ' +
        "the system's resolver, which applications use, finds none.",
      evidence: ['DNS server 192.0.2.53: 198.51.100.10', "the system's resolver: ENOTFOUND"],
      advice:
        "Check which sources the system's resolver asks, and in which order (on Linux: the " +
        'hosts line of /etc/nsswitch.conf).',
    },
  },
  'no-dns-source': {
    trigger: { outcome: unresolved(), name: { servers: [server('servfail')], sources: ['files'] } },
    nearMisses: {
      'it may ask': {
        outcome: unresolved(),
        name: { servers: [server('servfail')], sources: ['files', 'sss'] },
      },
    },
    finding: {
      certainty: 'certain',
      statement:
        "The system's resolver has no address for db.example. It asks only sources of this " +
        'machine (files), and no DNS server.',
      evidence: ["the system's resolver: ENOTFOUND"],
      advice:
        'Add the name to the hosts file, or let the system ask DNS, too (the hosts line of ' +
        '/etc/nsswitch.conf).',
    },
  },
  'name-not-found': {
    trigger: nxdomain,
    nearMisses: { 'the name exists without an address': answered('no-record') },
    finding: {
      certainty: 'certain',
      statement:
        'Name resolution is at fault: DNS server 192.0.2.53 says that db.example, or the ' +
        'name it is an alias for, does not exist (NXDOMAIN).',
      evidence: ['DNS server 192.0.2.53: no such name (NXDOMAIN)'],
      advice:
        'Check the spelling. If the name is an alias (CNAME), check the name it points to. ' +
        "If both are right, ask the operator of the domain's DNS.",
    },
  },
  'dns-servfail': {
    trigger: answered('servfail'),
    nearMisses: { REFUSED: answered('refused') },
    finding: {
      certainty: 'certain',
      statement:
        'Name resolution is at fault: DNS server 192.0.2.53 failed to resolve db.example ' +
        '(SERVFAIL).',
      evidence: ['DNS server 192.0.2.53: the server failed (SERVFAIL)'],
      advice:
        'Check that server and the servers of the domain. It may not reach them, or their ' +
        'DNSSEC signatures may be wrong.',
    },
  },
  'dns-refused': {
    trigger: answered('refused'),
    nearMisses: { SERVFAIL: answered('servfail') },
    finding: {
      certainty: 'certain',
      statement:
        'Name resolution is at fault: DNS server 192.0.2.53 refuses to answer for db.example ' +
        '(REFUSED).',
      evidence: ['DNS server 192.0.2.53: the server refused to answer (REFUSED)'],
      advice:
        'It may not serve this machine, or only its own zones. Use a DNS server that resolves ' +
        'for this network, or ask the operator of that one.',
    },
  },
  'dns-no-recursion': {
    trigger: answered('no-recursion'),
    nearMisses: {
      'NODATA of a server that resolves, or of one that has the zone': answered('no-record'),
    },
    finding: {
      certainty: 'certain',
      statement:
        'Name resolution is at fault: DNS server 192.0.2.53 does not look db.example up at ' +
        'other servers (no recursion), so the answer says nothing about the name.',
      evidence: ['DNS server 192.0.2.53: no address, and no recursion'],
      advice:
        'It may not serve this machine, or only its own zones. Use a DNS server that resolves ' +
        'for this network, or ask the operator of that one.',
    },
  },
  'dns-broken': {
    trigger: answered('broken'),
    nearMisses: { SERVFAIL: answered('servfail') },
    finding: {
      certainty: 'certain',
      statement: 'Name resolution is at fault: DNS server 192.0.2.53 sent an unusable answer.',
      evidence: ['DNS server 192.0.2.53: an unusable answer'],
      advice: 'Check that server. Something on the way may also change DNS answers.',
    },
  },
  'dns-without-tcp': {
    trigger: answered('no-tcp'),
    nearMisses: { 'UDP failed': answered('unreachable') },
    finding: {
      certainty: 'certain',
      statement:
        'Name resolution is at fault: the answer of DNS server 192.0.2.53 does not fit into ' +
        'UDP, and it does not answer over TCP.',
      evidence: ['DNS server 192.0.2.53: truncated over UDP, and no answer over TCP'],
      advice: 'Open TCP port 53 of that server, and in the firewalls on the way.',
    },
  },
  'dns-not-permitted': {
    trigger: answered('not-permitted'),
    nearMisses: { 'an ICMP error came': answered('rejected') },
    finding: {
      certainty: 'certain',
      statement:
        'Name resolution is at fault: this machine does not permit questions to DNS server ' +
        '192.0.2.53. Nothing was sent.',
      evidence: ['DNS server 192.0.2.53: not permitted by this machine'],
      advice: 'Check the firewall (outgoing port 53), policy routes and sandboxes of this machine.',
    },
  },
  'dns-no-route': {
    trigger: answered('no-route'),
    nearMisses: { 'the network reported an error': answered('silent') },
    finding: {
      certainty: 'certain',
      statement:
        'Name resolution is at fault: this machine has no usable route to DNS server 192.0.2.53. ' +
        'Nothing was sent.',
      evidence: ['DNS server 192.0.2.53: no route'],
      advice:
        'Check the default route, and any VPN that should be up, or configure another DNS server.',
    },
  },
  'dns-rejected': {
    trigger: answered('rejected'),
    nearMisses: { 'this machine refused to send': answered('not-permitted') },
    finding: {
      certainty: 'certain',
      statement:
        'Name resolution is at fault: an ICMP message rejected the question to DNS server ' +
        '192.0.2.53: probably a firewall forbids it.',
      evidence: ['DNS server 192.0.2.53: rejected by an ICMP message'],
      advice:
        'Ask the operator of that server or of the firewall, or configure another DNS server.',
    },
  },
  'resolver-slow': {
    trigger: {
      outcome: unresolved('resolver-timeout'),
      name: { servers: [server([V4]), server('silent', '192.0.2.54')] },
    },
    nearMisses: {
      'a DNS server was silent': {
        outcome: unresolved('resolver-timeout'),
        name: { servers: [server('silent'), server([V4], '192.0.2.54')] },
      },
    },
    finding: {
      certainty: 'certain',
      statement:
        "Name resolution is at fault: the system's resolver did not answer within 5 s, " +
        'but DNS has an address for db.example.',
      evidence: [
        'DNS server 192.0.2.53: 198.51.100.10',
        'DNS server 192.0.2.54: no answer',
        "the system's resolver did not answer",
      ],
      advice:
        'Check the other sources of names (on Linux: the hosts line of /etc/nsswitch.conf). ' +
        'DNS may also have been slow at first: try again.',
    },
  },
  'dns-unreachable': {
    trigger: answered('unreachable'),
    nearMisses: { silence: answered('silent') },
    finding: {
      certainty: 'certain',
      statement:
        'Name resolution is at fault: the port of DNS server 192.0.2.53 is unreachable. ' +
        'Nothing listens there, or a firewall rejects the question.',
      evidence: ['DNS server 192.0.2.53: its port is unreachable'],
      advice:
        'Start that server, check the firewalls, or configure another server ' +
        '(on Linux: /etc/resolv.conf).',
    },
  },
  'dns-silent': {
    trigger: answered('silent'),
    nearMisses: { 'the system did not wait for it': answered('unreachable') },
    finding: {
      certainty: 'certain',
      statement: 'Name resolution is at fault: DNS server 192.0.2.53 did not answer within 5 s.',
      evidence: ['DNS server 192.0.2.53: no answer'],
      advice:
        'Check that server, or configure another one. It is down or too slow, answers ' +
        'from another address, or its packets ' +
        'are dropped. All look the same ' +
        'from here.',
    },
  },
  'name-no-address': {
    trigger: answered('no-record'),
    nearMisses: { NXDOMAIN: nxdomain },
    finding: {
      certainty: 'certain',
      statement:
        'Name resolution is at fault: DNS server 192.0.2.53 says that db.example exists but ' +
        'has no address of the requested kind.',
      evidence: ['DNS server 192.0.2.53: the name exists but has no such record'],
      advice:
        "Ask the operator of the domain's DNS to add an A or AAAA record, or to correct the alias.",
    },
  },
  unresolved: {
    trigger: { outcome: unresolved(), name: { servers: [] } },
    nearMisses: { 'a server answered': nxdomain },
    finding: {
      certainty: 'certain',
      statement:
        "Name resolution is at fault: the system's resolver finds no address for db.example.",
      evidence: ["the system's resolver: ENOTFOUND"],
      advice: 'Check the spelling, and the resolver of this machine.',
    },
  },
};

testRules(NAME_RULES, CASES);

describe('a failure of name resolution', () => {
  it('clears the service if that is open at the extra address', () => {
    expect(inWords(verdictIn({ ...nxdomain, given: open(OTHER_V4) }))).toMatchObject({
      certainty: 'certain',
      statement:
        'Name resolution is at fault, not the service, which is open at 198.51.100.20:5432: ' +
        'DNS server 192.0.2.53 says that db.example, or the name it is an alias for, ' +
        'does not exist (NXDOMAIN).',
      evidence: ['DNS server 192.0.2.53: no such name (NXDOMAIN)', '198.51.100.20:5432 opened'],
    });
  });

  it('does not clear the service if that is not open there', () => {
    expect(verdictIn({ ...nxdomain, given: closed(OTHER_V4) }).statement).toMatch(
      /^Name resolution is at fault: DNS server/,
    );
  });

  it.each([
    ['no-such-name', / say that db\.example/],
    ['refused', / refuse to answer for db\.example \(REFUSED\)/],
    ['silent', / did not answer within 5 s\./],
    ['no-record', / say that db\.example exists/],
    ['servfail', / failed to resolve/],
  ] as const)('names every server at fault (%s)', (kind, says) => {
    const servers = [server(kind), server(kind, '192.0.2.54')];
    const { statement } = verdictIn({ outcome: unresolved(), name: { servers } });
    expect(statement).toMatch(/: DNS servers 192\.0\.2\.53 and 192\.0\.2\.54 /);
    expect(statement).toMatch(says);
  });

  it.each([
    ['no-such-name', 'servfail', 'name-not-found'],
    ['no-record', 'servfail', 'name-no-address'],
    ['servfail', 'no-such-name', 'name-not-found'],
    ['no-recursion', 'no-such-name', 'name-not-found'],
    ['no-recursion', [V4], 'dns-no-recursion'],
    ['broken', [V4], 'dns-broken'],
    ['no-recursion', 'silent', 'dns-no-recursion'],
    [[V4], 'servfail', 'only-in-dns'],
  ] as const)(
    'that came at once is due to the answer that ended it (%j, %j)',
    (one, other, kind) => {
      const servers = [server(one), server(other, '192.0.2.54')];
      const outcome = unresolved(kind.startsWith('dns') ? 'resolver-failed' : 'name-not-found');
      expect(kindsOf({ outcome, name: { servers } })).toEqual([kind]);
      expect(verdictIn({ outcome, name: { servers } }).certainty).toBe('certain');
    },
  );

  it.each(['no-such-name', 'no-record', 'no-recursion', 'broken'] as const)(
    'has two causes if the first server has an address and the second ends it (%s)',
    (kind) => {
      const servers = [server([V4]), server(kind, '192.0.2.54')];
      expect(verdictIn({ outcome: unresolved(), name: { servers } })).toMatchObject({
        kind: 'only-in-dns',
        certainty: 'probable',
        statement: expect.stringMatching(
          /other sources than DNS, or .* of DNS server 192\.0\.2\.54/,
        ),
      });
    },
  );
});

describe('a silent DNS server', () => {
  const timeout = unresolved('resolver-timeout');
  const judge = (particulars: Particulars) =>
    inWords(verdictIn({ outcome: timeout, ...particulars }));

  it.each([
    ['aaaa', [V4], 'DNS server 192.0.2.53 answered for A, but not for AAAA within 5 s.'],
    ['a', [V6], 'DNS server 192.0.2.53 answered for AAAA, but not for A within 5 s.'],
    ['a', 'no-record', 'DNS server 192.0.2.53 answered for AAAA, but not for A within 5 s.'],
  ] as const)('is named with the type that it did not answer (%s)', (type, says, statement) => {
    const verdict = judge({ name: { servers: [half(type, says)] } });
    expect(verdict).toMatchObject({
      certainty: 'certain',
      statement: `Name resolution is at fault: ${statement}`,
    });
    expect(verdict.evidence).toContain(`DNS server 192.0.2.53, ${type.toUpperCase()}: no answer`);
    expect(verdict.advice).not.toMatch(/It is down/);
  });

  it('is named although the next server has an address: the system waits for the first', () => {
    const servers = [server('silent'), server([V4], '192.0.2.54')];
    expect(judge({ name: { servers } })).toMatchObject({
      certainty: 'certain',
      statement: 'Name resolution is at fault: DNS server 192.0.2.53 did not answer within 5 s.',
      advice: expect.stringMatching(/remove it from the configuration.*use a longer timeout/),
    });
  });

  it('is no drop of one type beside an ICMP error for the other', () => {
    const outcome = { ...timeout, elapsedMs: 5000 };
    const servers = [half('aaaa', 'unreachable')];
    expect(kindsOf({ outcome, name: { servers } })).toEqual(['dns-unreachable']);
  });

  it('is not the cause after a server that decides', () => {
    const servers = [server('no-such-name'), server('silent', '192.0.2.54')];
    expect(kindsOf({ outcome: timeout, name: { servers } })).toEqual(['name-not-found']);
  });

  it('is not the cause if the system says "not found" although DNS has an address', () => {
    const particulars = { outcome: unresolved(), name: { servers: [half('aaaa', [V4])] } };
    expect(verdictIn(particulars).kind).toBe('only-in-dns');
  });

  it.each<[string, Particulars]>([
    ['another source is slow', { name: { sources: ['files', 'ldap', 'dns'] } }],
    ['the system asks unknown sources', { name: { sources: null } }],
    ['it had less than a second', { timeoutMs: 900 }],
    ['the system failed at once', { outcome: unresolved('resolver-failed') }],
  ])('is only probably the cause where %s', (_, { name, ...rest }) => {
    const verdict = judge({ ...rest, name: { servers: [server('silent')], ...name } });
    expect(verdict.certainty).toBe('probable');
  });
});

describe('a slow DNS server', () => {
  const answersAfter = (ms: number) => {
    const answer = { kind: 'addresses', addresses: [V4], elapsedMs: ms } as const;
    return { ...server([V4]), a: answer };
  };

  it('is named if it answers later than the resolver gave up', () => {
    const outcome = { ...unresolved('resolver-timeout'), elapsedMs: 1010 };
    expect(inWords(verdictIn({ outcome, name: { servers: [answersAfter(1500)] } }))).toMatchObject({
      certainty: 'probable',
      statement:
        'Name resolution is at fault: DNS server 192.0.2.53 probably answers too slowly for ' +
        "db.example. The system's resolver gave up after 1.01 s.",
    });
    const quick = verdictIn({ outcome, name: { servers: [answersAfter(950)] } });
    expect(quick.statement).toMatch(
      /resolver did not answer within 1\.01 s, but DNS has an address/,
    );
  });
});

describe('an alias', () => {
  const pointing = (kind: 'no-such-name' | 'no-record', aliases: string[]): Particulars => {
    const answer = { kind, addresses: [], elapsedMs: 2, aliases };
    return {
      outcome: unresolved(),
      name: { servers: [{ ...server(kind), a: answer, aaaa: answer }] },
    };
  };

  it.each([
    [
      'no-such-name',
      ['a.example', 'b.example'],
      'an alias (CNAME) for b.example, which does not exist (NXDOMAIN)',
    ],
    [
      'no-record',
      ['b.example'],
      'an alias (CNAME) for b.example, which has no address of the requested kind',
    ],
    [
      'no-record',
      ['b.example', 'db.example'],
      'an alias (CNAME) that leads back to itself (b.example, db.example)',
    ],
  ] as const)('is followed to its end (%s, %j)', (kind, aliases, words) => {
    expect(verdictIn(pointing(kind, [...aliases])).statement).toBe(
      `Name resolution is at fault: DNS server 192.0.2.53 says that db.example is ${words}.`,
    );
  });
});

describe('a blocked name', () => {
  const outcome = { ...unresolved('name-no-address'), unspecified: ['0.0.0.0'] };

  it('is blocked by the hosts file if that has the address', () => {
    const hostsFile = { path: '/etc/hosts', addresses: ['0.0.0.0'] };
    const verdict = verdictIn({ outcome, name: { servers: [server([V4])], hostsFile } });
    expect(inWords(verdict)).toMatchObject({
      statement: expect.stringMatching(/has only 0\.0\.0\.0 from the hosts file \/etc\/hosts, and/),
      evidence: ['the hosts file /etc/hosts: 0.0.0.0', 'DNS server 192.0.2.53: 198.51.100.10'],
      advice: 'Remove the entry from /etc/hosts if the name should not be blocked.',
    });
  });

  it('is not a name that only DNS has', () => {
    expect(kindsOf({ outcome, name: { servers: [server([V4])] } })).toEqual(['name-blocked']);
  });
});

describe('a hosts file that differs from DNS', () => {
  const name = {
    servers: [server([OTHER_V4])],
    hostsFile: { path: '/etc/hosts', addresses: [V4] },
  };

  it('is only possible as the cause if the address in DNS is no better', () => {
    const particulars = { attempts: [closed()], dnsOnly: [closed(OTHER_V4)], name };
    const conclusion = NAME_RULES['hosts-file-override'](observations(particulars));
    expect(conclusion && inWords(conclusion)).toMatchObject({
      certainty: 'possible',
      statement:
        'The hosts file of this machine overrides DNS for db.example: ' +
        'it has 198.51.100.10, but DNS has 198.51.100.20.',
    });
    expect(verdictIn(particulars).kind).toBe('refused');
  });
});

describe('a hosts file', () => {
  const entry = { path: '/etc/hosts', addresses: ['198.51.100.30'] };
  const override = (particulars: Particulars) =>
    NAME_RULES['hosts-file-override'](observations({ attempts: [closed()], ...particulars }));
  const servers = [server([OTHER_V4])];

  it('overrides DNS if applications get its address', () => {
    const hostsFile = { path: '/etc/hosts', addresses: [V4] };
    expect(override({ name: { servers, hostsFile } })?.statement).toMatch(/overrides DNS/);
  });

  it.each<[string, Particulars['name']]>([
    ['applications get another address', { servers, hostsFile: entry }],
    [
      'its entry is of the other family',
      { servers, hostsFile: { path: '/etc/hosts', addresses: [V6] } },
    ],
    [
      'DNS has the same address',
      { servers: [server([V4])], hostsFile: { path: '/etc/hosts', addresses: [V4] } },
    ],
    [
      'DNS comes first',
      { servers, hostsFile: { path: '/etc/hosts', addresses: [V4] }, sources: ['dns', 'files'] },
    ],
    [
      'no server answered for that family',
      {
        servers: [half('a', [V6])],
        hostsFile: { path: '/etc/hosts', addresses: [V4] },
      },
    ],
  ])('does not override DNS if %s', (_, name) => {
    expect(override(name ? { name } : {})).toBeNull();
  });
});

describe('DNS servers that disagree', () => {
  const judge = (particulars: Particulars) => {
    const conclusion = NAME_RULES['dns-servers-disagree'](observations(particulars));
    return conclusion && inWords(conclusion);
  };

  it('are certainly the cause if the port is open only at the address of another server', () => {
    const name = { servers: [server([V4]), server([OTHER_V4], '192.0.2.54')] };
    const particulars = { attempts: [filtered()], dnsOnly: [open(OTHER_V4)], name };
    expect(judge(particulars)).toMatchObject({
      certainty: 'certain',
      statement:
        'The DNS servers of this machine disagree about db.example: ' +
        '192.0.2.53 has 198.51.100.10 and 192.0.2.54 has 198.51.100.20. ' +
        'The port is open at 198.51.100.20.',
    });
  });

  it.each<[string, Particulars]>([
    [
      'the port refused anyway',
      {
        attempts: [closed()],
        name: { servers: [server([V4]), server('no-such-name', '192.0.2.54')] },
      },
    ],
    [
      'no address is open',
      {
        attempts: [filtered()],
        companions: answeringPorts,
        name: { servers: [server([V4]), server([OTHER_V4], '192.0.2.54')] },
      },
    ],
  ])('are only possible as the cause if %s', (_, particulars) => {
    expect(judge(particulars)?.certainty).toBe('possible');
    expect(verdictIn(particulars).kind).not.toBe('dns-servers-disagree');
  });
});

describe('a resolver that did not answer in time, beside DNS that did', () => {
  it('may only need more time if it had less than a second', () => {
    const conclusion = NAME_RULES['resolver-slow'](
      observations({
        timeoutMs: 500,
        outcome: unresolved('resolver-timeout'),
        name: { servers: [server([V4])] },
      }),
    );
    expect(conclusion && inWords(conclusion)).toMatchObject({
      certainty: 'probable',
      statement:
        "The name was not resolved: the system's resolver did not answer within 0.5 s, but DNS " +
        'has an address for db.example. The resolver is slow, or it only needs more time. ' +
        'Both look the same from here.',
      advice: 'Try a longer timeout first.',
    });
  });
});
