import dns from 'node:dns';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Answer } from 'dns-packet';
import { UsageError } from '../../../src/core/usage-error.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Resolution } from '../../../src/core/facts/outcome.js';
import { pendingLookups } from '../../../src/core/pending-lookups.js';
import { resolveHost } from '../../../src/core/resolve/resolver.js';
import { errorFacts } from '../../../src/core/errors/socket-errors.js';
import {
  type LookupAnswer,
  lookUpInProcess,
  type SystemLookup,
  uniqueAddresses,
} from '../../../src/core/resolve/system-lookup.js';
import {
  type DnsReply,
  freePort,
  listenDns,
  runAlone,
  SOON,
  type TestDnsServer,
} from '../../support/listeners.js';
import { block } from '../../support/real-time.js';

const NAME = 'mail.example.test';

/** A system's resolver that gives one answer at once, and says how long that took. */
function answering(
  answer: { addresses: { address: string; family: 4 | 6 }[] } | { code: string; errno?: number },
  elapsedMs = 7,
): SystemLookup & { readonly asked: [string, number][] } {
  const asked: [string, number][] = [];
  const lookUp: SystemLookup = async (host, family): Promise<LookupAnswer> => {
    asked.push([host, family]);
    return 'code' in answer
      ? { elapsedMs, error: errorFacts({ ...answer, syscall: 'getaddrinfo' }) }
      : { elapsedMs, addresses: answer.addresses };
  };
  return Object.assign(lookUp, { asked });
}

/** A system's resolver that never answers, as `getaddrinfo` with a dead server. */
const silent: SystemLookup = () => new Promise(() => {});

/** Makes this DNS server the configured one. */
function configure({ address }: Pick<TestDnsServer, 'address'>): void {
  const configured = dns.getServers();
  dns.setServers([address]);
  onTestFinished(() => dns.setServers(configured));
}

/** A DNS server that is configured and gives the same answer to every question. */
async function configuredDns(
  reply: DnsReply | ((type: string) => DnsReply),
): Promise<TestDnsServer> {
  const server = await listenDns(typeof reply === 'function' ? reply : () => reply);
  configure(server);
  return server;
}

const a = (data: string): Answer[] => [{ type: 'A', name: NAME, ttl: 1, data }];
const aaaa = (data: string): Answer[] => [{ type: 'AAAA', name: NAME, ttl: 1, data }];

/** The answer for an alias: its CNAME record, and what is known of the other name. */
const alias = (...records: Answer[]): Answer[] => [
  { type: 'CNAME', name: NAME, ttl: 1, data: 'other.example.test' },
  ...records,
];
const otherA = (data: string): Answer => ({ type: 'A', name: 'other.example.test', ttl: 1, data });

/** `state reason winsock` */
function verdict(resolution: Resolution): string {
  return 'reason' in resolution
    ? `${resolution.state} ${resolution.reason} ${resolution.error.winsock}`
    : resolution.state;
}

describe('resolving a literal address', () => {
  it.each([
    ['192.0.2.10', 4],
    ['::1', 6],
    ['fe80::1%eth0', 6],
    ['::ffff:192.0.2.10', 6],
  ] as const)('gives %s itself, at once and without asking anybody', async (host, family) => {
    const systemLookup = answering({ code: 'ENOTFOUND' });
    expect(await resolveHost(host, {}, { systemLookup })).toEqual({
      state: 'resolved',
      host,
      via: 'literal',
      elapsedMs: 0,
      addresses: [{ address: host, family }],
    });
    expect(systemLookup.asked).toEqual([]);
  });
});

describe('resolving an address of another family than asked for', () => {
  it.each([
    ['192.0.2.10', 6],
    ['::1', 4],
  ] as const)(
    'finds that %s is no address of IPv%i, without asking anybody',
    async (host, family) => {
      const systemLookup = answering({ code: 'ENOTFOUND' });
      const resolution = await resolveHost(host, { family }, { systemLookup });
      expect(verdict(resolution)).toBe('unresolved name-no-address 11004');
      expect(resolution).toMatchObject({ host, via: 'literal', elapsedMs: 0, family, servers: [] });
      expect(systemLookup.asked).toEqual([]);
    },
  );
});

describe('resolving with the system', () => {
  it("gives the resolver's addresses in its order, with its own time", async () => {
    const addresses = [
      { address: '2001:db8::1', family: 6 },
      { address: '192.0.2.10', family: 4 },
      { address: '192.0.2.9', family: 4 },
    ] as const;
    const systemLookup = answering({ addresses: [...addresses] });
    expect(await resolveHost(NAME, {}, { systemLookup })).toEqual({
      state: 'resolved',
      host: NAME,
      via: 'system',
      elapsedMs: 7,
      addresses,
    });
  });

  it.each([
    [undefined, 0],
    [4, 4],
    [6, 6],
  ] as const)('asks for the family %s as %i', async (family, asked) => {
    const systemLookup = answering({ addresses: [{ address: '192.0.2.10', family: 4 }] });
    await resolveHost(NAME, { family }, { systemLookup });
    expect(systemLookup.asked).toEqual([[NAME, asked]]);
  });

  it('asks for an internationalised name in its ASCII form', async () => {
    const systemLookup = answering({ addresses: [{ address: '192.0.2.10', family: 4 }] });
    expect((await resolveHost('münchen.test', {}, { systemLookup })).host).toBe(
      'xn--mnchen-3ya.test',
    );
    expect(systemLookup.asked).toEqual([['xn--mnchen-3ya.test', 0]]);
  });

  it('finds localhost', async () => {
    const resolution = await resolveHost('localhost');
    if (resolution.state !== 'resolved') throw new Error(`localhost: ${resolution.state}`);
    expect(resolution.addresses.map(({ address }) => address)).toContain('127.0.0.1');
    expect(resolution.elapsedMs).toBeGreaterThan(0);
  });

  it('finds only the family of localhost that it is asked for', async () => {
    expect(await resolveHost('localhost', { family: 4 })).toMatchObject({
      state: 'resolved',
      addresses: [{ address: '127.0.0.1', family: 4 }],
    });
  });
});

describe('the codes of the system resolver', () => {
  // Each as getaddrinfo gives it. NXDOMAIN adds nothing to any of them.
  it.each<[what: string, error: { code: string; errno?: number }, expected: string]>([
    ['ENOTFOUND', { code: 'ENOTFOUND', errno: -3008 }, 'unresolved name-not-found 11001'],
    [
      'ENOTFOUND, which libuv makes of "no address"',
      { code: 'ENOTFOUND', errno: -3007 },
      'unresolved name-no-address 11004',
    ],
    [
      'ENOTFOUND, which libuv makes of "no address of that family"',
      { code: 'ENOTFOUND', errno: -3000 },
      'unresolved name-no-address 11004',
    ],
    ["Windows' ENOENT", { code: 'ENOENT' }, 'unresolved name-no-address 11004'],
    ['ENODATA', { code: 'ENODATA' }, 'unresolved name-no-address 11004'],
    ['EAI_AGAIN', { code: 'EAI_AGAIN', errno: -3001 }, 'unresolved resolver-failed 11002'],
    ['EAI_FAIL', { code: 'EAI_FAIL', errno: -3004 }, 'unresolved resolver-failed 11003'],
    ['an unknown code', { code: 'EAI_WHATEVER' }, 'unresolved resolver-failed null'],
    ['EAI_MEMORY', { code: 'EAI_MEMORY' }, 'unresolved resolver-failed 10055'],
  ])('lets %s stand when DNS adds nothing to it', async (_, error, expected) => {
    await configuredDns('NXDOMAIN');
    const resolution = await resolveHost(
      NAME,
      { timeoutMs: 5000 },
      { systemLookup: answering(error) },
    );
    expect(verdict(resolution)).toBe(expected);
    expect(resolution).toMatchObject({
      via: 'system',
      host: NAME,
      elapsedMs: 7,
      family: 0,
      error: { code: error.code, syscall: 'getaddrinfo' },
    });
  });

  it.each<[dnsSays: DnsReply, expected: string]>([
    ['SERVFAIL', 'ESERVFAIL'],
    ['REFUSED', 'EREFUSED'],
    ['FORMERR', 'EFORMERR'],
    ['NOTIMP', 'ENOTIMP'],
  ])('asks DNS what is behind EAI_AGAIN, and finds %s', async (dnsSays, code) => {
    await configuredDns(dnsSays);
    const resolution = await resolveHost(
      NAME,
      { timeoutMs: 5000 },
      { systemLookup: answering({ code: 'EAI_AGAIN', errno: -3001 }) },
    );
    expect(resolution).toMatchObject({
      state: 'unresolved',
      reason: 'resolver-failed',
      error: { code },
    });
  });

  it('asks DNS what is behind EAI_AGAIN, and finds silence, within the deadline', async () => {
    await configuredDns('silence');
    const start = Date.now();
    const resolution = await resolveHost(
      NAME,
      { timeoutMs: 300 },
      { systemLookup: answering({ code: 'EAI_AGAIN', errno: -3001 }, 1000) },
    );
    expect(verdict(resolution)).toBe('unresolved resolver-timeout 11002');
    expect(Date.now() - start).toBeLessThan(3000);
  });

  it('does not take an EAI_AGAIN that came at once for silence', async () => {
    await configuredDns('silence');
    const systemLookup = answering({ code: 'EAI_AGAIN', errno: -3001 });
    const resolution = await resolveHost(NAME, { timeoutMs: 1000 }, { systemLookup });
    expect(verdict(resolution)).toBe('unresolved resolver-failed 11002');
    expect(resolution).toMatchObject({
      elapsedMs: 7,
      error: { code: 'EAI_AGAIN' },
      answers: [
        { family: 6, error: { code: 'ETIMEOUT' } },
        { family: 4, error: { code: 'ETIMEOUT' } },
      ],
    });
  });

  it('asks DNS for the cause of EAI_AGAIN; no DNS server listens', async () => {
    configure({ address: `127.0.0.1:${await freePort()}` });
    const resolution = await resolveHost(
      NAME,
      { timeoutMs: 5000 },
      { systemLookup: answering({ code: 'EAI_AGAIN', errno: -3001 }) },
    );
    expect(resolution).toMatchObject({
      state: 'unresolved',
      reason: 'resolver-failed',
      error: { code: 'ECONNREFUSED', winsock: 11002 },
    });
  });

  it('learns from DNS that a name that the system does not find has no address', async () => {
    await configuredDns([]);
    const resolution = await resolveHost(
      NAME,
      { timeoutMs: 5000 },
      { systemLookup: answering({ code: 'ENOTFOUND', errno: -3008 }) },
    );
    expect(verdict(resolution)).toBe('unresolved name-no-address 11004');
  });

  it('learns from DNS that a name that the system does not find is an empty alias', async () => {
    await configuredDns(alias());
    const resolution = await resolveHost(
      NAME,
      { timeoutMs: 5000 },
      { systemLookup: answering({ code: 'ENOTFOUND', errno: -3008 }) },
    );
    expect(verdict(resolution)).toBe('unresolved name-no-address 11004');
  });

  it.each(['ENOTFOUND', 'EAI_AGAIN'])(
    'keeps %s of the system when DNS has addresses: applications see what the system sees',
    async (code) => {
      await configuredDns((type) => (type === 'A' ? a('192.0.2.10') : []));
      const resolution = await resolveHost(
        NAME,
        { timeoutMs: 5000 },
        { systemLookup: answering({ code }) },
      );
      expect(resolution).toMatchObject({ state: 'unresolved', error: { code } });
    },
  );

  it('asks DNS for nothing but the family that was asked for', async () => {
    const server = await configuredDns('NXDOMAIN');
    await resolveHost(
      NAME,
      { family: 4, timeoutMs: 5000 },
      { systemLookup: answering({ code: 'ENOTFOUND' }) },
    );
    expect(server.questions).toEqual([`A ${NAME}`]);
  });

  it('names the configured DNS servers, and the family that was asked for', async () => {
    await configuredDns('NXDOMAIN');
    const resolution = await resolveHost(
      NAME,
      { family: 6, timeoutMs: 5000 },
      { systemLookup: answering({ code: 'ENOTFOUND' }) },
    );
    expect(resolution).toMatchObject({ family: 6, servers: dns.getServers() });
  });

  it(
    'reports a lookup without a free descriptor as no-files-left, not as a missing name',
    { timeout: 60_000 },
    async () => {
      const { stdout, stderr } = await runAlone(
        `
      import { openSync, closeSync } from 'node:fs';
      import { resolveHost } from './core/resolve/resolver.js';
      await import('node:dns');
      const descriptors = [];
      try { for (;;) descriptors.push(openSync('/dev/null')); } catch {}
      const resolution = await resolveHost('localhost');
      for (const descriptor of descriptors) closeSync(descriptor);
      const { state, reason, error } = resolution;
      console.log(JSON.stringify([state, reason, error?.code, error?.winsock]));
      `,
        { prefix: ['/bin/sh', '-c', 'ulimit -n 64 && exec "$@"', 'sh'] },
      );
      expect({ stdout, stderr }).toEqual({
        stdout: '["failed","no-files-left","EMFILE",10024]\n',
        stderr: '',
      });
    },
  );
});

describe('a system that does not answer', () => {
  const answersOf = async (reply: (type: string) => DnsReply) => {
    await configuredDns(reply);
    const resolution = await resolveHost(NAME, { timeoutMs: 1600 }, { systemLookup: silent });
    if (resolution.state !== 'unresolved') throw new TypeError(resolution.state);
    expect(resolution.reason).toBe('resolver-timeout');
    const answers = resolution.answers ?? [];
    return answers.map(({ family, error }) => `${family} ${error?.code ?? 'addresses'}`);
  };

  it('is reported with the type that the DNS server does not answer', async () => {
    const replies = (type: string): DnsReply => (type === 'A' ? a('192.0.2.10') : 'silence');
    expect(await answersOf(replies)).toEqual(['6 ETIMEOUT', '4 addresses']);
  });

  it('is reported with a DNS server that answers', async () => {
    expect(await answersOf(() => 'NXDOMAIN')).toEqual(['6 ENOTFOUND', '4 ENOTFOUND']);
  });

  it('is given half of the time before DNS is asked', async () => {
    const { questions } = await configuredDns('NXDOMAIN');
    const systemLookup: SystemLookup = () => sleep(20, { elapsedMs: 20, addresses: [] });
    await resolveHost(NAME, { timeoutMs: 10_000 }, { systemLookup });
    expect(questions).toEqual([]);
  });
});

describe('an address that no host has', () => {
  const given = (...addresses: string[]) =>
    answering({
      addresses: addresses.map((address) => ({
        address,
        family: address.includes(':') ? (6 as const) : (4 as const),
      })),
    });

  it.each([['0.0.0.0'], ['::'], ['0.0.0.0', '::']])(
    'is no address of the name: %s %s',
    async (...addresses) => {
      const resolution = await resolveHost(NAME, {}, { systemLookup: given(...addresses) });
      expect(verdict(resolution)).toBe('unresolved name-no-address 11004');
      expect(resolution).toMatchObject({ unspecified: addresses });
    },
  );

  it('is left out beside another', async () => {
    const systemLookup = given('0.0.0.0', '192.0.2.10');
    expect(await resolveHost(NAME, {}, { systemLookup })).toMatchObject({
      state: 'resolved',
      addresses: [{ address: '192.0.2.10' }],
    });
  });

  it('is reported of a DNS server, too', async () => {
    const { address } = await listenDns((type) => (type === 'A' ? a('0.0.0.0') : []));
    expect(await resolveHost(NAME, { dnsServer: address })).toMatchObject({
      state: 'unresolved',
      unspecified: ['0.0.0.0'],
    });
  });

  it('is probed if the caller asks for it', async () => {
    expect(await resolveHost('0.0.0.0')).toMatchObject({ state: 'resolved', via: 'literal' });
  });
});

describe('asking a DNS server', () => {
  it('leaves nothing behind that would keep the process', async () => {
    const { address } = await listenDns((type) => [
      type === 'A'
        ? { type: 'A', name: 'both.test', data: '192.0.2.1' }
        : { type: 'AAAA', name: 'both.test', data: '2001:db8::1' },
    ]);
    const result = await runAlone(`
      import { resolveHost } from './core/resolve/resolver.js';
      const options = { dnsServer: '${address}', timeoutMs: 200_000 };
      const both = { bothFamilies: true };
      const { state, addresses } = await resolveHost('both.test', options, both);
      console.log(state, addresses.length);
    `);
    expect(result).toEqual({ stdout: 'resolved 2\n', stderr: '', exitCode: 0 });
  });

  it.each([
    ['an address', 'from the question on'],
    ['NXDOMAIN', 'from the question on'],
    ['silence', 'from the start'],
    ['an address, with silence about IPv6,', 'from the start'],
  ])('has the time to %s %s', async (reply, from) => {
    const { address } = await listenDns((type) => {
      if (reply === 'silence' || reply === 'NXDOMAIN') return reply;
      if (type === 'A') return [{ type: 'A', name: 'name.test', data: '192.0.2.1' }];
      return reply.includes('silence') ? 'silence' : [];
    });
    // The sockets of this process take a second to start.
    const { stdout, stderr } = await runAlone(`
      import { Socket } from 'node:dgram';
      import { resolveHost } from './core/resolve/resolver.js';
      const { connect } = Socket.prototype;
      let endMs = 0;
      Socket.prototype.connect = function (...args) {
        endMs ||= performance.now() + 1000;
        while (performance.now() < endMs);
        return connect.apply(this, args);
      };
      const options = { dnsServer: '${address}', timeoutMs: 2000 };
      const { elapsedMs } = await resolveHost('name.test', options);
      const isWhole = elapsedMs >= 1000;
      console.log(isWhole ? 'from the start' : elapsedMs >= 0 ? 'from the question on' : elapsedMs);
    `);
    expect({ stdout, stderr }).toEqual({ stdout: `${from}\n`, stderr: '' });
  });

  it('takes an answer that came while this process was busy', async () => {
    const { address } = await listenDns(async (type) => {
      if (type === 'A') return [{ type: 'A', name: 'both.test', data: '192.0.2.1' }];
      await sleep(30);
      return [{ type: 'AAAA', name: 'both.test', data: '2001:db8::1' }];
    });
    // After the first answer this process is busy for longer than the other one is waited for.
    const { stdout, stderr } = await runAlone(`
      import { stat } from 'node:fs';
      import { Socket } from 'node:dgram';
      import { resolveHost } from './core/resolve/resolver.js';
      const { connect } = Socket.prototype;
      Socket.prototype.connect = function (...args) {
        const stall = () => {
          const endMs = performance.now() + 1000;
          while (performance.now() < endMs);
        };
        this.once('message', () => stat('.', stall)); // not in a timer: timers come next
        return connect.apply(this, args);
      };
      const { addresses } = await resolveHost('both.test', { dnsServer: '${address}' });
      console.log(addresses.length);
    `);
    expect({ stdout, stderr }).toEqual({ stdout: '2\n', stderr: '' });
  });

  it('reports no-files-left without a free descriptor, not a failing server', async () => {
    const { address, questions } = await listenDns(() => 'NXDOMAIN');
    const { stdout, stderr } = await runAlone(
      `
      import { openSync, closeSync } from 'node:fs';
      import { resolveHost } from './core/resolve/resolver.js';
      await import('node:dns');
      const descriptors = [];
      try { for (;;) descriptors.push(openSync('/dev/null')); } catch {}
      const resolution = await resolveHost('name.test', { dnsServer: '${address}' });
      for (const descriptor of descriptors) closeSync(descriptor);
      console.log(resolution.state, resolution.reason);
      `,
      { prefix: ['/bin/sh', '-c', 'ulimit -n 64 && exec "$@"', 'sh'] },
    );
    expect({ stdout, stderr, questions }).toEqual({
      stdout: 'failed no-files-left\n',
      stderr: '',
      questions: [],
    });
  });
});

describe('the deadline of resolving', () => {
  it('holds when the system never answers', async () => {
    const start = Date.now();
    const resolution = await resolveHost(NAME, { timeoutMs: 100 }, { systemLookup: silent });
    expect(verdict(resolution)).toBe('unresolved resolver-timeout 11002');
    expect(resolution.elapsedMs).toBeGreaterThan(90);
    expect(Date.now() - start).toBeLessThan(5000);
  });

  it('is believed only if no answer is waiting, also after a busy stretch', async () => {
    const systemLookup: SystemLookup = () =>
      new Promise((resolve) =>
        setImmediate(resolve, { elapsedMs: 1, addresses: [{ address: '192.0.2.10', family: 4 }] }),
      );
    await nextTurn(); // from here on timers come before what setImmediate() does
    const resolving = resolveHost(NAME, { timeoutMs: 20 }, { systemLookup });
    block(100);
    expect((await resolving).state).toBe('resolved');
  });

  it('does not lose an answer that comes in time', async () => {
    const systemLookup: SystemLookup = () =>
      new Promise((resolve) =>
        setTimeout(resolve, 50, {
          elapsedMs: 50,
          addresses: [{ address: '192.0.2.10', family: 4 }],
        }),
      );
    expect((await resolveHost(NAME, { timeoutMs: 10_000 }, { systemLookup })).state).toBe(
      'resolved',
    );
  });

  it.each([0, -1, NaN, 2 ** 31, Infinity])(
    'throws a UsageError when it is %d, which no timer keeps',
    async (timeoutMs) => {
      await expect(resolveHost(NAME, { timeoutMs }, { systemLookup: silent })).rejects.toThrow(
        UsageError,
      );
    },
  );
});

describe('the DNS questions that refine a "not found" of the system', () => {
  it('take at most a second of the timeout', async () => {
    await configuredDns('silence');
    const startMs = performance.now();
    const systemLookup = answering({ code: 'ENOTFOUND', errno: -3008 });
    const resolution = await resolveHost(NAME, { timeoutMs: 30_000 }, { systemLookup });
    expect(verdict(resolution)).toBe('unresolved name-not-found 11001');
    expect(performance.now() - startMs).toBeGreaterThan(900);
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});

describe('aborting', () => {
  it('lets the process end although DNS is silent', { timeout: 60_000 }, async () => {
    const { address } = await listenDns(() => 'silence');
    const { stdout, exitCode } = await runAlone(
      `
      import { resolveHost } from './core/resolve/resolver.js';
      const signal = AbortSignal.timeout(300);
      const options = { dnsServer: '${address}', timeoutMs: 60_000, signal };
      console.log((await resolveHost('a.test', options)).state);
      `,
    );
    expect({ stdout, exitCode }).toEqual({ stdout: 'cancelled\n', exitCode: 0 });
  });

  it('ends resolving at once with the state cancelled', async () => {
    const abortion = new AbortController();
    const resolving = resolveHost(
      NAME,
      { signal: abortion.signal, timeoutMs: 60_000 },
      { systemLookup: silent },
    );
    abortion.abort();
    expect(await resolving).toMatchObject({ state: 'cancelled', host: NAME, via: 'system' });
  });

  it('before resolving begins has the same effect', async () => {
    expect(
      await resolveHost(
        NAME,
        { signal: AbortSignal.abort(), timeoutMs: 60_000 },
        { systemLookup: silent },
      ),
    ).toMatchObject({ state: 'cancelled' });
  });

  it('ends a question to a DNS server too', async () => {
    const { address, questions } = await listenDns(() => 'silence');
    const abortion = new AbortController();
    const resolving = resolveHost(NAME, {
      dnsServer: address,
      signal: abortion.signal,
      timeoutMs: 60_000,
    });
    await expect.poll(() => questions.length, SOON).toBeGreaterThan(0);
    abortion.abort();
    expect(await resolving).toMatchObject({ state: 'cancelled', via: address });
  });

  it('ends the question that DNS is asked about a failure', async () => {
    const { questions } = await configuredDns('silence');
    const abortion = new AbortController();
    const resolving = resolveHost(
      NAME,
      { signal: abortion.signal, timeoutMs: 60_000 },
      { systemLookup: answering({ code: 'EAI_AGAIN' }) },
    );
    await expect.poll(() => questions.length, SOON).toBeGreaterThan(0);
    abortion.abort();
    expect(await resolving).toMatchObject({ state: 'cancelled' });
  });
});

describe('resolving with a DNS server of the caller', () => {
  it('gives its A and AAAA records, IPv6 first, and says who was asked', async () => {
    const { address, questions } = await listenDns((type) =>
      type === 'A' ? a('192.0.2.10') : aaaa('2001:db8::1'),
    );
    expect(await resolveHost(NAME, { dnsServer: address }, { systemLookup: silent })).toMatchObject(
      {
        state: 'resolved',
        host: NAME,
        via: address,
        addresses: [
          { address: '2001:db8::1', family: 6 },
          { address: '192.0.2.10', family: 4 },
        ],
      },
    );
    expect([...questions].sort()).toEqual([`A ${NAME}`, `AAAA ${NAME}`]);
  });

  it.each([
    [4, 'A', '192.0.2.10'],
    [6, 'AAAA', '2001:db8::1'],
  ] as const)(
    'asks only for the records of IPv%i when only they are wanted',
    async (family, type, found) => {
      const { address, questions } = await listenDns((asked) =>
        asked === 'A' ? a('192.0.2.10') : aaaa('2001:db8::1'),
      );
      expect(await resolveHost(NAME, { dnsServer: address, family })).toMatchObject({
        state: 'resolved',
        addresses: [{ address: found, family }],
      });
      expect(questions).toEqual([`${type} ${NAME}`]);
    },
  );

  it('gives every address once, in the order of the answer', async () => {
    const records = ['192.0.2.3', '192.0.2.1', '192.0.2.3', '192.0.2.2'].flatMap((data) => a(data));
    const { address } = await listenDns((type) => (type === 'A' ? records : []));
    const resolution = await resolveHost(NAME, { dnsServer: address });
    expect(
      resolution.state === 'resolved' && resolution.addresses.map((each) => each.address),
    ).toEqual(['192.0.2.3', '192.0.2.1', '192.0.2.2']);
  });

  it.each<[DnsReply, string, string]>([
    ['NXDOMAIN', 'ENOTFOUND', 'unresolved name-not-found 11001'],
    [[], 'ENODATA', 'unresolved name-no-address 11004'],
    ['SERVFAIL', 'ESERVFAIL', 'unresolved resolver-failed 11002'],
    ['REFUSED', 'EREFUSED', 'unresolved resolver-failed 11003'],
    ['FORMERR', 'EFORMERR', 'unresolved resolver-failed 11003'],
    ['NOTIMP', 'ENOTIMP', 'unresolved resolver-failed 11003'],
  ])('tells %j from the others (%s)', async (reply, code, expected) => {
    const { address } = await listenDns(() => reply);
    const resolution = await resolveHost(NAME, { dnsServer: address, timeoutMs: 10_000 });
    expect(verdict(resolution)).toBe(expected);
    expect(resolution).toMatchObject({ via: address, servers: [address], error: { code } });
  });

  it('takes silence for a timeout, within the deadline', async () => {
    const { address } = await listenDns(() => 'silence');
    const start = Date.now();
    const resolution = await resolveHost(NAME, { dnsServer: address, timeoutMs: 300 });
    expect(verdict(resolution)).toBe('unresolved resolver-timeout 11002');
    expect(Date.now() - start).toBeLessThan(5000);
  });

  it.each([
    ['one question', 1, 10_000],
    ['two questions', 2, 3500],
  ])('asks again when %s got no answer', async (_, unanswered, timeoutMs) => {
    let asked = 0;
    const { address } = await listenDns(() =>
      ++asked <= unanswered ? 'silence' : a('192.0.2.10'),
    );
    expect(await resolveHost(NAME, { dnsServer: address, family: 4, timeoutMs })).toMatchObject({
      state: 'resolved',
    });
    expect(asked).toBe(unanswered + 1);
  });

  it('asks at once even if there is time for hours', async () => {
    const { address } = await listenDns(() => a('192.0.2.10'));
    const options = { dnsServer: address, family: 4, timeoutMs: 2_000_000_000 } as const;
    expect(await resolveHost(NAME, options)).toMatchObject({ state: 'resolved' });
  });

  it('says when no server listens there', async () => {
    const dnsServer = `127.0.0.1:${await freePort()}`;
    expect(await resolveHost(NAME, { dnsServer })).toMatchObject({
      state: 'unresolved',
      reason: 'resolver-failed',
      error: { code: 'ECONNREFUSED', winsock: 11002 },
    });
  });

  it.each<[string, DnsReply, string]>([
    ['is no such record', [], 'resolved'],
    ['is SERVFAIL', 'SERVFAIL', 'resolved'],
    ['is REFUSED', 'REFUSED', 'resolved'],
  ])('finds the IPv4 address of a name whose answer for IPv6 %s', async (_, reply, state) => {
    const { address } = await listenDns((type) => (type === 'A' ? a('192.0.2.10') : reply));
    expect(await resolveHost(NAME, { dnsServer: address })).toMatchObject({
      state,
      addresses: [{ address: '192.0.2.10', family: 4 }],
    });
  });

  it('finds the IPv4 address of a name whose question for IPv6 gets no answer', async () => {
    const { address } = await listenDns((type) => (type === 'A' ? a('192.0.2.10') : 'silence'));
    expect(await resolveHost(NAME, { dnsServer: address, timeoutMs: 500 })).toMatchObject({
      state: 'resolved',
      addresses: [{ address: '192.0.2.10', family: 4 }],
    });
  });

  it.each<[string, DnsReply, DnsReply, string]>([
    [
      'NXDOMAIN for one family outweighs',
      'NXDOMAIN',
      'SERVFAIL',
      'unresolved name-not-found 11001',
    ],
    [
      '"no such record" for one family leaves open',
      [],
      'SERVFAIL',
      'unresolved resolver-failed 11002',
    ],
  ])('%s a failure for the other', async (_, one, other, expected) => {
    for (const [v4, v6] of [
      [one, other],
      [other, one],
    ] as const) {
      const { address } = await listenDns((type) => (type === 'A' ? v4 : v6));
      expect(verdict(await resolveHost(NAME, { dnsServer: address, timeoutMs: 10_000 }))).toBe(
        expected,
      );
    }
  });

  it('waits for a slow A record when an alias has no AAAA record', async () => {
    const { address } = await listenDns(async (type) =>
      type === 'A' ? sleep(200, alias(otherA('192.0.2.10'))) : alias(),
    );
    const resolution = await resolveHost(NAME, { dnsServer: address, timeoutMs: 10_000 });
    expect(resolution).toMatchObject({
      state: 'resolved',
      addresses: [{ address: '192.0.2.10', family: 4 }],
    });
    expect(resolution.elapsedMs).toBeGreaterThan(190);
  });

  it.each<[what: string, only: 4 | 6 | undefined, syscall: RegExp]>([
    ['of any kind', undefined, /^queryA(aaa)?$/],
    ['of IPv4', 4, /^queryA$/],
    ['of IPv6', 6, /^queryAaaa$/],
  ])('reports an alias without an address %s as ENODATA', async (_, family, syscall) => {
    const { address } = await listenDns(() => alias());
    const resolution = await resolveHost(NAME, { dnsServer: address, family, timeoutMs: 10_000 });
    expect(verdict(resolution)).toBe('unresolved name-no-address 11004');
    expect(resolution).toMatchObject({
      aliases: ['other.example.test'],
      error: { code: 'ENODATA', errno: null, syscall: expect.stringMatching(syscall) as string },
    });
  });

  it.each<[what: string, reply: DnsReply, expected: string]>([
    ['silence', 'silence', 'unresolved resolver-timeout 11002'],
    ['SERVFAIL', 'SERVFAIL', 'unresolved resolver-failed 11002'],
  ])('reports %s for the A record of an alias without AAAA record', async (_, reply, expected) => {
    const { address } = await listenDns((type) => (type === 'A' ? reply : alias()));
    expect(verdict(await resolveHost(NAME, { dnsServer: address, timeoutMs: 500 }))).toBe(expected);
  });

  it('reports a loop of aliases as a name without an address', async () => {
    const back: Answer = { type: 'CNAME', name: 'other.example.test', ttl: 1, data: NAME };
    const { address } = await listenDns(() => alias(back));
    expect(verdict(await resolveHost(NAME, { dnsServer: address, timeoutMs: 10_000 }))).toBe(
      'unresolved name-no-address 11004',
    );
  });

  it('asks for an internationalised name in its ASCII form', async () => {
    const { address, questions } = await listenDns(() => 'NXDOMAIN');
    await resolveHost('münchen.test', { dnsServer: address, family: 4 });
    expect(questions).toEqual(['A xn--mnchen-3ya.test']);
  });

  it('throws when the server is not an address', async () => {
    await expect(resolveHost(NAME, { dnsServer: 'dns.example.test' })).rejects.toThrow(TypeError);
  });
});

describe('a host that can be no name', () => {
  it('is unresolved, or refused by its name', async () => {
    const end = await resolveHost('no name').then(
      ({ state }) => state as string,
      (error: Error) => error.message,
    );
    expect(end).toMatch(/^unresolved$|"no name"/);
  });
});

describe('lookUpInProcess', () => {
  it('never rejects, and gives the facts of a failure', async () => {
    const answer = await lookUpInProcess('a name that cannot be', 0);
    expect('error' in answer && answer.error).toMatchObject({
      syscall: 'getaddrinfo',
      winsock: expect.any(Number) as number,
    });
    expect(answer.elapsedMs).toBeGreaterThanOrEqual(0);
  });

  it('has Node compile what it needs before the first lookup, and once only', async () => {
    const preload = fileURLToPath(new URL('../../support/counting-lookups.cjs', import.meta.url));
    const { stdout, stderr } = await runAlone(`
      import { createRequire } from 'node:module';
      createRequire(import.meta.url)(${JSON.stringify(preload)});
      const { lookUpInProcess } = await import('./core/resolve/system-lookup.js');
      const answers = await Promise.all(['a', 'b'].map((host) => lookUpInProcess(host, 0)));
      answers.push(await lookUpInProcess('c', 0));
      console.log(answers.map(({ addresses }) => addresses[0].address).join(' '));
    `);
    expect(stderr).toBe('');
    expect(stdout).toBe('192.0.2.2 192.0.2.2 192.0.2.2\n');
  });
});

describe('pendingLookups', () => {
  it('counts the lookups that the system has not answered yet', async () => {
    // Spelled differently, so that each is a question of its own.
    const names = Array.from({ length: 50 }, (_, index) =>
      [...'localhost']
        .map((letter, bit) => ((index >> bit) & 1 ? letter.toUpperCase() : letter))
        .join(''),
    );
    const before = pendingLookups();
    let over = false;
    const lookups = Promise.all(names.map((name) => lookUpInProcess(name, 4))).then(() => {
      over = true;
    });
    const counts: number[] = [];
    for (; !over; await nextTurn()) counts.push(pendingLookups() - before);
    await lookups;
    expect(Math.max(...counts)).toBeGreaterThan(1);
    expect(Math.max(...counts)).toBeLessThanOrEqual(50);
    expect(pendingLookups()).toBe(before);
  });
});

describe('uniqueAddresses', () => {
  it('keeps each address once, at its first place', () => {
    const found = [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
      { address: '127.0.0.2', family: 4 },
    ];
    expect(uniqueAddresses(found).map(({ address }) => address)).toEqual([
      '::1',
      '127.0.0.1',
      '127.0.0.2',
    ]);
  });
});
