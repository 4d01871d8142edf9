import { describe, expect, it } from 'vitest';
import { HINT_RULES } from '../../../../src/core/diagnosis/rules/hints.js';
import {
  answeringPorts,
  closed,
  failed,
  filtered,
  localhost,
  observations,
  open,
  PORT,
  server,
  V4,
  V6,
} from '../observations.js';
import { kindsOf, type RuleCase, testRules } from './rule-case.js';

const CASES: Readonly<Record<keyof typeof HINT_RULES, RuleCase>> = {
  'family-without-route': {
    trigger: { attempts: [failed('no-route', V6), open()] },
    nearMisses: {
      'the family is filtered': { attempts: [filtered('no-response', V6), open()] },
      'the other has no route either': { attempts: [failed('no-route', V6), failed('no-route')] },
    },
    finding: {
      certainty: 'certain',
      statement: 'This machine has no IPv6 route, but the name has IPv6 addresses.',
      evidence: ['[2001:db8::10]:5432 could not be tried (no route)'],
      advice: 'This is normal on a network without IPv6. Programs should fall back to IPv4.',
    },
    verdict: false,
  },
  'known-by-search-domain': {
    trigger: {
      name: {
        servers: [server('no-such-name')],
        foundBySearch: [{ name: 'db.example.corp.example', addresses: [V4] }],
      },
    },
    nearMisses: { 'from another source': { name: { servers: [server('no-such-name')] } } },
    finding: {
      certainty: 'possible',
      statement:
        'db.example exists only as db.example.corp.example, with a search domain of this ' +
        'machine. Other machines may not find it.',
      evidence: [
        'DNS server 192.0.2.53: no such name (NXDOMAIN)',
        'db.example.corp.example: 198.51.100.10',
      ],
      advice: 'Use the full name where it must work everywhere.',
    },
  },
  'not-from-dns': {
    trigger: { name: { servers: [server('no-such-name')] } },
    nearMisses: { 'the name is localhost': { ...localhost, attempts: [open('127.0.0.1')] } },
    finding: {
      certainty: 'possible',
      statement:
        'DNS has no address for db.example. Its address comes from another source (mDNS, a ' +
        'directory, the system itself) on this machine.',
      evidence: ['DNS server 192.0.2.53: no such name (NXDOMAIN)'],
      advice: 'Add the name to DNS if other machines need it: they may not find it.',
    },
  },
  'outbound-smtp': {
    trigger: { port: 25, attempts: [filtered('no-response', V4, 25)] },
    nearMisses: {
      'another mail port is': { port: 587, attempts: [filtered('no-response', V4, 587)] },
    },
    finding: {
      certainty: 'possible',
      statement: 'Many providers and clouds block outgoing port 25.',
      evidence: ['198.51.100.10:25 did not answer'],
      advice: 'Ask your provider, send through its relay, or use port 587.',
    },
  },
  'loopback-server': {
    trigger: { attempts: [closed()], companions: answeringPorts },
    nearMisses: {
      'of this one, where loopback was tried': {
        attempts: [closed('203.0.113.5')],
        loopback: [closed('127.0.0.1')],
      },
    },
    finding: {
      certainty: 'possible',
      statement: 'A server that listens only on 127.0.0.1 refuses other machines like this.',
      evidence: ['198.51.100.10:5432 refused'],
      advice: 'Check on the host on which address it listens (on Linux: ss -ltn).',
    },
  },
  'repeated-syn': {
    trigger: { attempts: [closed(V4, PORT, 2030)], machine: { platform: 'win32' } },
    nearMisses: { 'on another system': { attempts: [closed(V4, PORT, 2030)] } },
    finding: {
      certainty: 'possible',
      statement: 'Windows retries a SYN that was refused (KB 175523).',
      evidence: ['198.51.100.10:5432 refused'],
      advice: 'These retries cause the delay, not the network. No action is needed.',
    },
  },
  proxy: {
    trigger: { machine: { proxy: { variable: 'ALL_PROXY', proxy: 'proxy.example:3128' } } },
    nearMisses: { 'none is': {} },
    finding: {
      certainty: 'possible',
      statement:
        'Applications that use ALL_PROXY connect through proxy.example:3128, not directly.',
      evidence: ['ALL_PROXY is set'],
      advice: 'Probe the proxy, too.',
    },
  },
};

testRules(HINT_RULES, CASES);

describe('hints', () => {
  it('name the hosts file if the address comes from there', () => {
    const hostsFile = { path: '/etc/hosts', addresses: [V4] };
    const seen = observations({ name: { servers: [server('no-such-name')], hostsFile } });
    expect(HINT_RULES['not-from-dns'](seen)?.statement).toBe(
      'DNS has no address for db.example. Its address comes from /etc/hosts on this machine.',
    );
  });

  it('name the other family if IPv4 has no route', () => {
    const seen = observations({ attempts: [failed('no-route'), open(V6)] });
    expect(HINT_RULES['family-without-route'](seen)).toMatchObject({
      statement: 'This machine has no IPv4 route, but the name has IPv4 addresses.',
      advice: 'This is normal on a network without IPv4. Programs should fall back to IPv6.',
    });
  });

  it('of a retried SYN need more than 400 ms', () => {
    const refusal = (elapsedMs: number) =>
      kindsOf({ attempts: [closed(V4, PORT, elapsedMs)], machine: { platform: 'win32' } });
    expect(refusal(401)).toContain('repeated-syn');
    expect(refusal(400)).not.toContain('repeated-syn');
  });
});
