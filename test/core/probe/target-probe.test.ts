import { describe, expect, it } from 'vitest';
import type { Address, ProbeReport, Resolution } from '../../../src/core/facts/outcome.js';
import {
  probeEveryAddress,
  type ProbeInternals,
  type ProbeOptions,
  probeTarget,
} from '../../../src/core/probe/target-probe.js';
import { errorFacts } from '../../../src/core/errors/socket-errors.js';
import type { SystemLookup } from '../../../src/core/resolve/system-lookup.js';
import type { Target } from '../../../src/core/target/target.js';
import { UsageError } from '../../../src/core/usage-error.js';
import { freePort, listen, listenDns, runAlone, silentPort } from '../../support/listeners.js';
import { itOnLoopback, itWith } from '../../support/tools.js';

/** An address without a route: connect() itself fails, on every machine. */
const UNROUTABLE = '255.255.255.255';

/** A system resolver that returns these addresses for every name. */
function having(...addresses: string[]): SystemLookup {
  return async () => ({
    elapsedMs: 3,
    addresses: addresses.map((address): Address => ({
      address,
      family: address.includes(':') ? 6 : 4,
    })),
  });
}

const failing: SystemLookup = async () => ({
  elapsedMs: 3,
  error: errorFacts({ code: 'ENODATA', syscall: 'getaddrinfo' }),
});

/** `address state` of each attempt, and the address that decided. */
function summary({ attempts, outcome }: ProbeReport) {
  return {
    attempts: attempts.map(({ endpoint, state }) => `${endpoint.address} ${state}`),
    decided: 'endpoint' in outcome ? `${outcome.endpoint.address} ${outcome.state}` : outcome.state,
  };
}

async function everyAddress(
  target: Target,
  options: ProbeOptions,
  internals: ProbeInternals = {},
): Promise<ProbeReport[]> {
  const reports: ProbeReport[] = [];
  for await (const report of probeEveryAddress(target, options, internals)) reports.push(report);
  return reports;
}

describe('probeTarget', () => {
  it('reports localhost as open if only 127.0.0.1 has a listener', async () => {
    const { port } = await listen('127.0.0.1');
    const before = Date.now();
    const report = await probeTarget({ host: 'localhost', port });
    expect(report).toMatchObject({
      target: { host: 'localhost', port },
      timeoutMs: 5000,
      resolution: { state: 'resolved', host: 'localhost', via: 'system' },
      outcome: { state: 'open', endpoint: { address: '127.0.0.1', family: 4, port } },
    });
    expect(report.attempts).toContain(report.outcome);
    expect(report.startedAt).toBeGreaterThanOrEqual(before);
    expect(report.startedAt).toBeLessThanOrEqual(Date.now());
  });

  itWith('ipv6', 'tries 127.0.0.1 after ::1 refuses, and reports both attempts', async () => {
    const { port } = await listen('127.0.0.1');
    expect(
      summary(
        await probeTarget(
          { host: 'localhost', port },
          {},
          { systemLookup: having('::1', '127.0.0.1') },
        ),
      ),
    ).toEqual({
      attempts: ['::1 closed', '127.0.0.1 open'],
      decided: '127.0.0.1 open',
    });
  });

  itWith('ipv6', 'does not try the second address if the first one opens', async () => {
    const first = await listen('::1');
    const second = await listen('127.0.0.1', { port: first.port });
    expect(
      summary(
        await probeTarget(
          { host: 'localhost', port: first.port },
          {},
          { systemLookup: having('::1', '127.0.0.1') },
        ),
      ),
    ).toEqual({ attempts: ['::1 open'], decided: '::1 open' });
    expect(second.connections).toEqual([]);
  });

  itWith('ipv6', 'alternates the families, starting with that of the first address', async () => {
    const port = await freePort();
    const { attempts } = summary(
      await probeTarget(
        { host: 'many.test', port },
        {},
        { systemLookup: having('127.0.0.1', '127.0.0.2', '127.0.0.3', '::1') },
      ),
    );
    expect(attempts).toEqual([
      '127.0.0.1 closed',
      '::1 closed',
      '127.0.0.2 closed',
      '127.0.0.3 closed',
    ]);
  });

  itWith('ipv6', 'does not resolve a literal address', async () => {
    const { port } = await listen('::1');
    expect(await probeTarget({ host: '::1', port }, {}, { systemLookup: failing })).toMatchObject({
      resolution: { via: 'literal', elapsedMs: 0, addresses: [{ address: '::1', family: 6 }] },
      outcome: { state: 'open', endpoint: { address: '::1', family: 6, port } },
    });
  });

  it('cancels attempts without an answer when another address opens', async () => {
    const port = await silentPort('127.0.0.1');
    await listen('127.0.0.2', { port });
    expect(
      summary(
        await probeTarget(
          { host: 'half.test', port },
          {},
          { systemLookup: having('127.0.0.1', '127.0.0.2') },
        ),
      ),
    ).toEqual({
      attempts: ['127.0.0.1 cancelled', '127.0.0.2 open'],
      decided: '127.0.0.2 open',
    });
  });

  it.each([
    [['127.0.0.1', '127.0.0.2'], '127.0.0.2 closed', 'closed before filtered'],
    [['127.0.0.1', UNROUTABLE], '127.0.0.1 filtered', 'filtered before failed'],
    [[UNROUTABLE, '127.0.0.2'], '127.0.0.2 closed', 'closed before failed'],
    [
      [UNROUTABLE, '127.0.0.1', '127.0.0.2'],
      '127.0.0.2 closed',
      'closed before filtered and failed',
    ],
    [['127.0.0.2', '127.0.0.3'], '127.0.0.2 closed', 'the first of equals'],
  ])('decides among %j by %s: %s', async (addresses, decided) => {
    const port = await silentPort('127.0.0.1'); // 127.0.0.1 is silent, the others refuse
    const report = await probeTarget(
      { host: 'many.test', port },
      { timeoutMs: 500 },
      { systemLookup: having(...addresses) },
    );
    expect(summary(report).decided).toBe(decided);
    expect(report.attempts).toHaveLength(addresses.length);
  });

  it('has one deadline for resolving and connecting together', async () => {
    const port = await silentPort();
    const slow: SystemLookup = () =>
      new Promise((resolve) =>
        setTimeout(resolve, 500, {
          elapsedMs: 500,
          addresses: [{ address: '127.0.0.1', family: 4 }],
        }),
      );
    const report = await probeTarget(
      { host: 'slow.test', port },
      { timeoutMs: 1000 },
      { systemLookup: slow },
    );
    expect(report).toMatchObject({
      timeoutMs: 1000,
      outcome: { state: 'filtered', reason: 'no-response' },
    });
    if (report.outcome.state !== 'filtered') throw new Error(report.outcome.state);
    expect(report.outcome.elapsedMs).toBeLessThan(900); // and not 1000
  });

  it('makes an attempt of 1 ms if resolving has used up the deadline', async () => {
    const resolution: Resolution = {
      state: 'resolved',
      host: 'late.test',
      via: 'system',
      elapsedMs: 60,
      addresses: [{ address: '127.0.0.1', family: 4 }],
    };
    const report = await probeTarget(
      { host: 'late.test', port: await silentPort() },
      { timeoutMs: 30 },
      { resolve: () => new Promise((resolve) => setTimeout(resolve, 60, resolution)) },
    );
    expect(report.outcome).toMatchObject({ state: 'filtered', reason: 'no-response' });
  });

  it('reports a name that does not exist as unresolved, without attempts', async () => {
    const report = await probeTarget(
      { host: 'nothing.test', port: 80 },
      { dnsServer: (await listenDns(() => 'NXDOMAIN')).address },
    );
    expect(report).toMatchObject({
      attempts: [],
      outcome: { state: 'unresolved', reason: 'name-not-found' },
    });
    expect(report.outcome).toBe(report.resolution);
  });

  it.each([
    ['when the warm-up, which would delay its answer, is over', true, 'tcp tcp udp udp'],
    ['during a warm-up that gets no answer', false, 'tcp udp udp tcp'],
  ])('asks the DNS server %s', async (_, isAnswered, order) => {
    const { address } = await listenDns(() => 'NXDOMAIN');
    const { stdout, stderr } = await runAlone(`
      import { Socket as UdpSocket } from 'node:dgram';
      import { Socket } from 'node:net';
      import { probeTarget } from './core/probe/target-probe.js';
      import './core/resolve/resolver.js'; // or loading it would give the warm-up time
      const { setTimeout } = globalThis;
      // The warm-up's timeout, and the wait for one that is answered, are longer here: a busy
      // machine changes no order.
      const longerMs = { 250: 2000, ${isAnswered ? '100: 20_000' : ''} };
      globalThis.setTimeout = (callback, ms) => setTimeout(callback, longerMs[ms] ?? ms);
      const calls = [];
      for (const [name, { prototype }] of Object.entries({ tcp: Socket, udp: UdpSocket })) {
        const { connect } = prototype;
        prototype.connect = function (...args) {
          calls.push(name);
          return ${isAnswered} || name === 'udp' ? connect.apply(this, args) : this;
        };
      }
      await probeTarget({ host: 'name.test', port: 1 }, { dnsServer: '${address}' });
      console.log(calls.join(' '));
    `);
    expect({ stdout, stderr }).toEqual({ stdout: `${order}\n`, stderr: '' });
  });

  it('probes the addresses from the DNS server of the options', async () => {
    const { port } = await listen();
    const { address } = await listenDns((type, name) =>
      type === 'A' ? [{ type, name, ttl: 1, data: '127.0.0.1' }] : [],
    );
    expect(await probeTarget({ host: 'mail.test', port }, { dnsServer: address })).toMatchObject({
      resolution: { via: address },
      outcome: { state: 'open', endpoint: { address: '127.0.0.1' } },
    });
  });

  it.each([
    [4, 4],
    [6, 6],
    [undefined, 0],
  ] as const)('looks a name up only in the family %s', async (family, asked) => {
    const families: number[] = [];
    const systemLookup: SystemLookup = async (_, each) => {
      families.push(each);
      return having('127.0.0.1')(_, each);
    };
    await probeTarget({ host: 'mail.test', port: await freePort() }, { family }, { systemLookup });
    expect(families).toEqual([asked]);
  });

  itOnLoopback(
    'looks a name up only in the family of the source address %s',
    async (sourceAddress, family) => {
      const families: number[] = [];
      const systemLookup: SystemLookup = async (host, each) => {
        families.push(each);
        return having(sourceAddress)(host, each);
      };
      const report = await probeTarget(
        { host: 'mail.test', port: await freePort(sourceAddress) },
        { sourceAddress },
        { systemLookup },
      );
      expect(families).toEqual([family]);
      expect(report.outcome.state).toBe('closed');
    },
  );

  it('reports cancelled if it is aborted before or during resolving or connecting', async () => {
    const never: SystemLookup = () => new Promise(() => {});
    const port = await silentPort();
    expect(
      (await probeTarget({ host: '127.0.0.1', port }, { signal: AbortSignal.abort() })).outcome
        .state,
    ).toBe('cancelled');
    for (const systemLookup of [never, having('127.0.0.1')]) {
      const abortion = new AbortController();
      const probe = probeTarget(
        { host: 'mail.test', port },
        { signal: abortion.signal, timeoutMs: 60_000 },
        { systemLookup },
      );
      setTimeout(() => abortion.abort(), 50);
      expect((await probe).outcome.state).toBe('cancelled');
    }
  });

  it('reports that the other side drops the connection only with watchMs', async () => {
    const { port } = await listen('127.0.0.1', { onConnection: 'end' });
    expect(await probeTarget({ host: '127.0.0.1', port }, { watchMs: 5000 })).toMatchObject({
      outcome: { state: 'open', dropped: { by: 'end' } },
    });
    expect(await probeTarget({ host: '127.0.0.1', port })).toMatchObject({
      outcome: { state: 'open', dropped: null },
    });
  });

  it('reports an open port without the warm-up', async () => {
    const { port } = await listen();
    expect(await probeTarget({ host: '127.0.0.1', port }, {}, { skipWarmUp: true })).toMatchObject({
      outcome: { state: 'open' },
    });
  });

  it.each([0, 65536, 1.5])('rejects with a UsageError for the port %d', async (port) => {
    await expect(probeTarget({ host: '127.0.0.1', port })).rejects.toThrow(UsageError);
  });

  it.each([
    [{ host: '127.0.0.1:18080', port: 18080 }, /^host: "127\.0\.0\.1:18080" is more than a host/],
    [{ host: '[::1]:80', port: 80 }, /^host: "\[::1\]:80" is more than a host; give host "::1"/],
    [{ host: '[::1]', port: 80 }, /^host: "\[::1\]" is more than a host; give host "::1"/],
    [{ host: '', port: 80 }, /^host: nothing given/],
    [{ host: '127.1', port: 80 }, /^host: "127\.1" is not an IPv4 address in four decimal parts/],
    [{ host: 'fe80::1', port: 80 }, /^host: fe80::1 is a link-local address/],
    [{ port: 80 } as Target, /^host: undefined is not a string/],
    [{ host: 'localhost', port: '80' as unknown as number }, /^port: "80" is not a number/],
    [{ host: 'localhost' } as Target, /^port: undefined is not a number; allowed: 1 to 65535$/],
    ['localhost:80' as unknown as Target, /^target: "localhost:80" is not a target/],
    [null as unknown as Target, /^target: null is not a target/],
  ])(
    'rejects with a UsageError that names the parameter for the target %j',
    async (wrong, says) => {
      const misuse = probeTarget(wrong);
      await expect(misuse).rejects.toThrow(UsageError);
      await expect(misuse).rejects.toThrow(says);
    },
  );

  it('rejects with a UsageError for a source address that is a name', async () => {
    await expect(
      probeTarget({ host: '127.0.0.1', port: 9 }, { sourceAddress: 'localhost' }),
    ).rejects.toThrow(UsageError);
  });

  itWith('ipv6', 'does not try the second address while it watches the first', async () => {
    const first = await listen('::1');
    const second = await listen('127.0.0.1', { port: first.port });
    await probeTarget(
      { host: 'localhost', port: first.port },
      { watchMs: 400 },
      { systemLookup: having('::1', '127.0.0.1') },
    );
    expect(second.connections).toEqual([]);
  });

  it.each([0, -1])('rejects with a UsageError for the timeout %d', async (timeoutMs) => {
    await expect(
      probeTarget({ host: '127.0.0.1', port: await freePort() }, { timeoutMs }),
    ).rejects.toThrow(UsageError);
  });
});

describe('probeEveryAddress', () => {
  it('reports each address in order with its own verdict, even after the first opens', async () => {
    const port = await silentPort('127.0.0.3');
    await listen('127.0.0.1', { port });
    const reports = await everyAddress(
      { host: 'many.test', port },
      { timeoutMs: 800 },
      { systemLookup: having('127.0.0.1', '127.0.0.2', '127.0.0.3', UNROUTABLE) },
    );
    expect(reports.map((report) => summary(report).decided)).toEqual([
      '127.0.0.1 open',
      '127.0.0.2 closed',
      '127.0.0.3 filtered',
      `${UNROUTABLE} failed`,
    ]);
    for (const report of reports) expect(report.attempts).toEqual([report.outcome]);
    expect(new Set(reports.map(({ resolution }) => resolution)).size).toBe(1);
  });

  itWith('ipv6', 'makes one report for a literal address', async () => {
    const { port } = await listen('::1');
    const reports = await everyAddress({ host: '::1', port }, {});
    expect(reports.map((report) => summary(report).decided)).toEqual(['::1 open']);
  });

  it('makes one report without attempts for a name without an address', async () => {
    const [report, ...others] = await everyAddress(
      { host: 'nothing.test', port: 80 },
      { dnsServer: (await listenDns(() => [])).address },
    );
    expect(report).toMatchObject({
      attempts: [],
      outcome: { state: 'unresolved', reason: 'name-no-address' },
    });
    expect(others).toEqual([]);
  });

  it('yields a report as soon as it and all earlier ones are complete', async () => {
    const port = await silentPort('127.0.0.2');
    await listen('127.0.0.1', { port });
    const reports = probeEveryAddress(
      { host: 'many.test', port },
      { timeoutMs: 2000 },
      { systemLookup: having('127.0.0.1', '127.0.0.2') },
    );
    const start = Date.now();
    await reports.next();
    expect(Date.now() - start).toBeLessThan(1500);
    expect((await reports.next()).value).toMatchObject({ outcome: { state: 'filtered' } });
  });

  it('makes one cancelled report if it is aborted before the name resolves', async () => {
    const reports = await everyAddress(
      { host: 'many.test', port: 9 },
      { signal: AbortSignal.abort() },
      { systemLookup: having('127.0.0.1', '127.0.0.2') },
    );
    expect(reports.map(({ outcome }) => outcome.state)).toEqual(['cancelled']);
  });

  it('rejects with a UsageError for an invalid port', async () => {
    await expect(everyAddress({ host: '127.0.0.1', port: 0 }, {})).rejects.toThrow(UsageError);
  });
});
