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
} from '../observations.js';
import { inWords, type RuleCase, testRules, verdictIn } from './rule-case.js';

const answered = (kind: Parameters<typeof server>[0]): Particulars => ({
  outcome: unresolved('resolver-failed'),
  name: { servers: [server(kind)] },
});
const CASES: Readonly<Record<keyof typeof NAME_RULES, RuleCase>> = {
  'hosts-file-override': {
    trigger: {
      attempts: [filtered()],
      dnsOnly: [open(OTHER_V4)],
      name: { servers: [server([OTHER_V4])], hostsFile: { path: '/etc/hosts', addresses: [V4] } },
    },
    nearMiss: {
      attempts: [filtered()],
      name: { servers: [server([V4])], hostsFile: { path: '/etc/hosts', addresses: [V4] } },
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
    nearMiss: {
      outcome: unresolved(),
      name: { servers: [server('servfail'), server('no-such-name', '192.0.2.54')] },
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
    nearMiss: nxdomain,
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
    nearMiss: nxdomain,
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
  'name-not-found': {
    trigger: nxdomain,
    nearMiss: answered('no-record'),
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
    nearMiss: answered('refused'),
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
    nearMiss: answered('servfail'),
    finding: {
      certainty: 'certain',
      statement:
        'Name resolution is at fault: DNS server 192.0.2.53 refuses to answer this machine ' +
        '(REFUSED).',
      evidence: ['DNS server 192.0.2.53: the server refused to answer (REFUSED)'],
      advice:
        'Use a DNS server that serves this network, or ask the operator of that one to admit ' +
        'it.',
    },
  },
  'dns-broken': {
    trigger: answered('broken'),
    nearMiss: answered('servfail'),
    finding: {
      certainty: 'certain',
      statement: 'Name resolution is at fault: DNS server 192.0.2.53 sent an unusable answer.',
      evidence: ['DNS server 192.0.2.53: an unusable answer'],
      advice: 'Check that server. Something on the way may also change DNS answers.',
    },
  },
  'dns-unreachable': {
    trigger: answered('unreachable'),
    nearMiss: answered('silent'),
    finding: {
      certainty: 'certain',
      statement: 'Name resolution is at fault: nothing listens at DNS server 192.0.2.53.',
      evidence: ['DNS server 192.0.2.53: nothing listens there'],
      advice: 'Start that server, or configure another one (on Linux: /etc/resolv.conf).',
    },
  },
  'dns-silent': {
    trigger: answered('silent'),
    nearMiss: answered('unreachable'),
    finding: {
      certainty: 'certain',
      statement: 'Name resolution is at fault: DNS server 192.0.2.53 does not answer.',
      evidence: ['DNS server 192.0.2.53: no answer'],
      advice:
        'Check that server, or configure another one. It is down, or its packets are ' +
        'dropped. Both look the same from here.',
    },
  },
  'name-no-address': {
    trigger: answered('no-record'),
    nearMiss: nxdomain,
    finding: {
      certainty: 'certain',
      statement:
        'Name resolution is at fault: DNS server 192.0.2.53 says that db.example exists but ' +
        'has no address of the requested kind.',
      evidence: ['DNS server 192.0.2.53: the name exists but has no such record'],
      advice: "Ask the operator of the domain's DNS for an A or AAAA record.",
    },
  },
  unresolved: {
    trigger: { outcome: unresolved(), name: { servers: [] } },
    nearMiss: nxdomain,
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
    ['refused', / refuse to answer this machine/],
    ['silent', / do not answer\./],
    ['no-record', / say that db\.example exists/],
    ['servfail', / failed to resolve/],
  ] as const)('names every server at fault (%s)', (kind, says) => {
    const servers = [server(kind), server(kind, '192.0.2.54')];
    const { statement } = verdictIn({ outcome: unresolved(), name: { servers } });
    expect(statement).toMatch(/: DNS servers 192\.0\.2\.53 and 192\.0\.2\.54 /);
    expect(statement).toMatch(says);
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
