import { describe, expect, it } from 'vitest';
import { SERVICE_RULES } from '../../../../src/core/diagnosis/rules/service.js';
import type { Attempt } from '../../../../src/core/facts/outcome.js';
import type { KernelFacts } from '../../../../src/core/facts/kernel-facts.js';
import {
  closed,
  dropped,
  filtered,
  observations,
  open,
  OTHER_V4,
  PORT,
  server,
  unresolved,
  V4,
} from '../observations.js';
import { inWords, kindsOf, type RuleCase, testRules, verdictIn } from './rule-case.js';

/** An open port whose handshake took 1,030 ms, and what the kernel knows of it. */
const delayed = (
  cause: KernelFacts['cause'],
  repeatedSyns: number,
  roundTripMs: number | null,
): Attempt =>
  ({ ...open(V4, PORT, 1030), kernel: { cause, repeatedSyns, roundTripMs, mss: 1448 } }) as Attempt;

const CASES: Readonly<Record<keyof typeof SERVICE_RULES, RuleCase>> = {
  'answered-by-somebody-else': {
    trigger: { nobody: open('192.0.2.1') },
    nearMisses: { 'that address is silent': { nobody: filtered('no-response', '192.0.2.1') } },
    finding: {
      certainty: 'probable',
      statement:
        'Something on the way or on this machine, such as a captive portal or a proxy, ' +
        'probably answers ' +
        'everything: the port is open even at 192.0.2.1, an address that no host may have.',
      evidence: ['198.51.100.10:5432 opened', '192.0.2.1:5432 opened'],
      advice:
        'Sign in to the network with a browser, try from another network, or ' +
        'look for a redirect on this machine (on Linux: nft list ruleset, ' +
        'iptables -t nat -S OUTPUT). Nothing was ' +
        'learned about the host.',
    },
  },
  'dropped-at-once': {
    trigger: { attempts: [dropped('reset')] },
    nearMisses: { 'it spoke first': { attempts: [dropped('end', 26)] }, 'it stayed': {} },
    finding: {
      certainty: 'probable',
      statement:
        'The port is open, but the other side reset the connection at once: a load balancer ' +
        'or proxy with no service behind it, a service that ' +
        'refuses this client, or a firewall. All look the same from here.',
      evidence: ['198.51.100.10:5432 opened', 'the other side reset the connection'],
      advice:
        'Check the service behind that port and its access lists, then the ' +
        'firewalls on the way.',
    },
  },
  'handshake-delayed': {
    trigger: { attempts: [delayed('lost-syn', 1, 0.1)] },
    nearMisses: {
      'it did not, and the answer itself took long': { attempts: [delayed('no-loss', 0, 1030)] },
    },
    finding: {
      certainty: 'certain',
      statement:
        'The port is open, but the first SYN to 198.51.100.10:5432 was lost on the way, the ' +
        'host ignored it, or its answer was lost. All look the same from here. ' +
        'The distance is not why the handshake took long.',
      evidence: ['198.51.100.10:5432 opened', 'the kernel repeated the SYN once', 'round trip'],
      advice:
        'Look for packet loss on the way. Check also whether the host is too busy to accept ' +
        'connections (on Linux: nstat -az TcpExtListenOverflows).',
    },
  },
  'hosts-file-differs': {
    trigger: {
      name: { servers: [server([OTHER_V4])], hostsFile: { path: '/etc/hosts', addresses: [V4] } },
    },
    nearMisses: {
      'both have the same address': {
        name: { hostsFile: { path: '/etc/hosts', addresses: [V4] } },
      },
    },
    finding: {
      certainty: 'certain',
      statement:
        'The hosts file of this machine overrides DNS for db.example: it has 198.51.100.10, ' +
        'but DNS has 198.51.100.20.',
      evidence: [
        '/etc/hosts: 198.51.100.10',
        'DNS server 192.0.2.53: 198.51.100.20',
        '198.51.100.10:5432 opened',
      ],
      advice: 'Remove the entry from /etc/hosts if it is wrong.',
    },
  },
  'dns-servers-differ': {
    trigger: { name: { servers: [server([V4]), server('no-such-name', '192.0.2.54')] } },
    nearMisses: {
      'they have an address in common': {
        name: { servers: [server([V4]), server([OTHER_V4, V4], '192.0.2.54')] },
      },
    },
    finding: {
      certainty: 'certain',
      statement:
        'The DNS servers of this machine disagree about db.example: 192.0.2.53 has ' +
        '198.51.100.10 and 192.0.2.54 has no address.',
      evidence: [
        'DNS server 192.0.2.53: 198.51.100.10',
        'DNS server 192.0.2.54: no such name (NXDOMAIN)',
        '198.51.100.10:5432 opened',
      ],
      advice:
        'Ask the operators of these DNS servers. Until then, applications get one answer or ' +
        'the other.',
    },
  },
  'dns-server-ailing': {
    trigger: { name: { servers: [server([V4]), server('silent', '192.0.2.54')] } },
    nearMisses: {
      'every server has the name': {
        name: { servers: [server([V4]), server([V4], '192.0.2.54')] },
      },
    },
    finding: {
      certainty: 'certain',
      statement:
        'The port is open, but not every question to DNS has a usable answer: there is none ' +
        'from 192.0.2.54. Names may resolve slowly.',
      evidence: ['DNS server 192.0.2.54: no answer'],
      advice: 'Repair that server, or remove it from the configuration.',
    },
  },
  'closed-after-data': {
    trigger: { attempts: [dropped('end', 26)] },
    nearMisses: { 'it ended it in silence': { attempts: [dropped('end')] } },
    finding: {
      certainty: 'possible',
      statement:
        'The service sent 26 bytes, then closed the connection. Some services do no more ' +
        '(daytime), and some refuse a client in this way.',
      evidence: ['198.51.100.10:5432 opened', 'the other side closed the connection'],
      advice: 'Read what it says with --service banner.',
    },
  },
  open: {
    trigger: {},
    nearMisses: {
      'only the extra address is open': {
        outcome: unresolved(),
        given: open(),
      },
      'it is closed': { attempts: [closed()] },
    },
    finding: {
      certainty: 'certain',
      statement: '198.51.100.10:5432 is open. Only the handshake was tried.',
      evidence: ['198.51.100.10:5432 opened'],
      advice:
        'If the application still fails, check the service (--service) and its ' +
        'settings. Firewalls may stop what follows the handshake, and a small ' +
        'MTU large packets.',
    },
  },
};

testRules(SERVICE_RULES, CASES);

describe('a service that spoke and closed', () => {
  it('is open, and nothing is said against it', () => {
    expect(kindsOf({ attempts: [dropped('end', 26)] })).toEqual(['open', 'closed-after-data']);
  });
});

describe('problems beside an open port', () => {
  it('are dropped connections that were closed, too', () => {
    expect(inWords(verdictIn({ attempts: [dropped('end')] }))).toMatchObject({
      certainty: 'probable',
      statement:
        'The port is open, but the other side closed the connection at once: ' +
        'a load balancer or proxy with no service behind it, a service that ' +
        'refuses this client, or a firewall. All look the same from here.',
    });
  });

  it('are only possible as the cause if servers differ in addresses that may be on purpose', () => {
    const name = { servers: [server([V4]), server([OTHER_V4], '192.0.2.54')] };
    const conclusion = SERVICE_RULES['dns-servers-differ'](observations({ name }));
    expect(conclusion?.certainty).toBe('possible');
    expect(verdictIn({ name }).kind).toBe('open');
  });
});

describe('an address that no host may have', () => {
  const kindWith = (targetMs: number, unusedMs: number): string =>
    verdictIn({
      attempts: [open(V4, PORT, targetMs)],
      nobody: open('192.0.2.1', PORT, unusedMs),
    }).kind;

  it('opens by the same answer as the target if both take about as long', () => {
    expect(kindWith(40, 40)).toBe('answered-by-somebody-else');
    expect(kindWith(1, 0.2)).toBe('answered-by-somebody-else');
  });

  it('says nothing about a target that answers from farther away or from nearer', () => {
    expect(kindWith(40, 1)).toBe('open');
    expect(kindWith(1, 40)).toBe('open');
  });
});

describe('a handshake whose SYN was repeated', () => {
  it.each([1030, null])(
    'has several causes if the answer may be to the first SYN (round trip %s)',
    (roundTripMs) => {
      expect(verdictIn({ attempts: [delayed('unclear', 1, roundTripMs)] })).toMatchObject({
        kind: 'handshake-delayed',
        certainty: 'probable',
        statement:
          'The port is open, but the SYN to 198.51.100.10:5432 had to be repeated: it or its ' +
          'answer was lost, or the answer took longer than a second. All look the same from here.',
      });
    },
  );
});

describe('a DNS server that does not help', () => {
  it.each(['silent', 'unreachable', 'servfail', 'refused', 'broken'] as const)(
    'is only possible as the cause if the port is not open (%s)',
    (kind) => {
      const name = { servers: [server([V4]), server(kind, '192.0.2.54')] };
      const particulars = { attempts: [closed()], name };
      const conclusion = SERVICE_RULES['dns-server-ailing'](observations(particulars));
      expect(conclusion && inWords(conclusion)).toMatchObject({
        certainty: 'possible',
        statement:
          'Not every question to DNS has a usable answer: there is none from 192.0.2.54. ' +
          'Names may resolve slowly.',
      });
    },
  );

  it('is named with the type that it does not answer', () => {
    const silent = { kind: 'silent', addresses: [], elapsedMs: 5000 } as const;
    const name = { servers: [{ ...server([V4]), aaaa: silent }] };
    expect(inWords(verdictIn({ name }))).toMatchObject({
      certainty: 'certain',
      statement: expect.stringContaining('there is none from 192.0.2.53 for AAAA.'),
      evidence: [
        'DNS server 192.0.2.53, A: 198.51.100.10',
        'DNS server 192.0.2.53, AAAA: no answer',
      ],
    });
  });

  it('is not accused for SERVFAIL of one type beside an address of the other', () => {
    const failing = { kind: 'servfail', addresses: [], elapsedMs: 2 } as const;
    const name = { servers: [{ ...server([V4]), aaaa: failing }] };
    expect(verdictIn({ name }).kind).toBe('open');
  });
});
