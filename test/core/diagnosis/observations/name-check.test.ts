import { describe, expect, it } from 'vitest';
import { wordOf } from '../../../../src/core/diagnosis/observations/evidence.js';
import { askServers } from '../../../../src/core/diagnosis/observations/name-check.js';
import { type DnsReply, listenDns } from '../../../support/listeners.js';

const ALIAS: DnsReply = [{ type: 'CNAME', name: 'alias.test', ttl: 1, data: 'other.test' }];

describe('askServers', () => {
  it.each<[what: string, reply: DnsReply, kind: string]>([
    ['an alias without an address as a name without a record', ALIAS, 'no-record'],
    ['a name without an address as a name without a record', [], 'no-record'],
    ['NXDOMAIN as no such name', 'NXDOMAIN', 'no-such-name'],
    ['SERVFAIL', 'SERVFAIL', 'servfail'],
    ['REFUSED', 'REFUSED', 'refused'],
    ['silence', 'silence', 'silent'],
  ])('reports %s', async (_, reply, kind) => {
    const { address } = await listenDns(() => reply);
    const [observation] = await askServers('alias.test', { servers: [address], timeoutMs: 500 });
    expect(observation).toMatchObject({
      server: address,
      a: { kind, addresses: [] },
      aaaa: { kind, addresses: [] },
    });
    expect(observation && wordOf(observation)).toBe(kind);
  });

  it('reports an alias with an IPv4 address and without an IPv6 address', async () => {
    const answers = (type: string): DnsReply =>
      type === 'A'
        ? [...ALIAS, { type: 'A', name: 'other.test', ttl: 1, data: '192.0.2.10' }]
        : ALIAS;
    const { address } = await listenDns(answers);
    const [observation] = await askServers('alias.test', { servers: [address], timeoutMs: 5000 });
    expect(observation).toMatchObject({
      a: { kind: 'addresses', addresses: ['192.0.2.10'] },
      aaaa: { kind: 'no-record', addresses: [] },
    });
  });
});
