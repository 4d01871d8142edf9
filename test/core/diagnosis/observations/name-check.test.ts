import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { overallAnswer } from '../../../../src/core/diagnosis/rules/evidence.js';
import {
  askServers,
  checkName,
  type NameCheckOptions,
} from '../../../../src/core/diagnosis/observations/name-check.js';
import { type DnsReply, listenDns } from '../../../support/listeners.js';
import { server, V4, V6 } from '../observations.js';
import { createNetwork, NAME, SERVER } from './fake-network.js';

const ALIAS: DnsReply = [{ type: 'CNAME', name: 'alias.test', ttl: 1, data: 'other.test' }];

describe('asking DNS servers directly', () => {
  const ask = async (dns: Record<string, string | string[]>, options: object = {}) => {
    const network = createNetwork({ dns });
    const { resolve } = network;
    const common = { resolve, timeoutMs: 100, servers: [SERVER] };
    return { network, answers: await askServers(NAME, { ...common, ...options }) };
  };

  it('asks each server once for both families', async () => {
    const servers = [SERVER, '192.0.2.54', SERVER];
    const { network, answers } = await ask({ [NAME]: [V4, V6] }, { servers });
    expect(answers.map((each) => each.server)).toEqual([SERVER, '192.0.2.54']);
    expect(answers[0]).toMatchObject({ a: { addresses: [V4] }, aaaa: { addresses: [V6] } });
    expect(network.questions).toHaveLength(4);
  });

  it('asks at most six servers', async () => {
    const servers = Array.from({ length: 9 }, (_, index) => `192.0.2.${index + 1}`);
    expect((await ask({}, { servers })).answers).toHaveLength(6);
  });

  it('asks only for the family that is wanted', async () => {
    const { answers } = await ask({ [NAME]: [V4, V6] }, { family: 6 });
    expect(answers).toMatchObject([{ a: null, aaaa: { addresses: [V6] } }]);
  });

  it('asks only the given server', async () => {
    const { answers } = await ask({}, { servers: undefined, dnsServer: '192.0.2.99' });
    expect(answers.map((each) => each.server)).toEqual(['192.0.2.99']);
  });

  it.each([
    ['ENOTFOUND', 'no-such-name'],
    ['ENODATA', 'no-record'],
    ['ESERVFAIL', 'servfail'],
    ['EREFUSED', 'refused'],
    ['ENORECURSION', 'no-recursion'],
    ['ECONNREFUSED', 'unreachable'],
    ['ETIMEOUT', 'silent'],
    ['ECANCELLED', 'silent'],
    ['EFORMERR', 'broken'],
    ['EBADRESP', 'broken'],
  ])('reports %s as %s', async (code, kind) => {
    expect((await ask({ [NAME]: code })).answers[0]?.a?.kind).toBe(kind);
  });
});

describe('a real DNS server', () => {
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
    expect(observation && overallAnswer(observation)).toBe(kind);
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

describe('the search domains', () => {
  const resolvConf = join(mkdtempSync(join(tmpdir(), 'portping-')), 'resolv.conf');
  writeFileSync(resolvConf, 'search one.example two.example\n');
  const found = async (
    host: string,
    known: Parameters<typeof server>[0],
    options: Partial<NameCheckOptions> = {},
  ) => {
    const { resolve } = createNetwork({ dns: { [`${host}.two.example`]: [V4] } });
    const common = { resolve, timeoutMs: 100, resolvConf, hostsFile: '/dev/null' };
    const checked = await checkName(host, Promise.resolve([server(known)]), {
      ...common,
      ...options,
    });
    return checked.foundBySearch;
  };

  it('are tried if a server says that there is no such name, or no address', async () => {
    const name = { name: 'db.two.example', addresses: [V4] };
    expect(await found('db', 'no-such-name')).toEqual([name]);
    expect(await found('db', 'no-record')).toEqual([name]);
  });

  it.each([
    ['a server has an address', 'db', [V4], {}],
    ['no server has answered', 'db', 'silent', {}],
    ['the name ends with a dot', 'db.', 'no-such-name', {}],
    ['a server was given', 'db', 'no-such-name', { dnsServer: SERVER }],
  ] as const)('are not tried if %s', async (_, host, known, options) => {
    expect(await found(host, known, options)).toEqual([]);
  });
});

describe('the hosts file', () => {
  const hostsFile = join(mkdtempSync(join(tmpdir(), 'portping-')), 'hosts');
  writeFileSync(hostsFile, `${V4} ${NAME}\n`);
  const inFile = async (host: string, options: Partial<NameCheckOptions> = {}) =>
    (await checkName(host, Promise.resolve([]), { timeoutMs: 100, hostsFile, ...options }))
      .hostsFile;

  it('is read for a name', async () => {
    expect(await inFile(NAME)).toEqual({ path: hostsFile, addresses: [V4] });
    expect(await inFile('other.example')).toEqual({ path: hostsFile, addresses: [] });
  });

  it('is not read for an address, for a given server, or if there is none', async () => {
    expect(await inFile(V4)).toBeNull();
    expect(await inFile(NAME, { dnsServer: SERVER })).toBeNull();
    expect(await inFile(NAME, { hostsFile: '/nonexistent' })).toBeNull();
  });
});
