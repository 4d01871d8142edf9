import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OTHER_PORTS } from '../../../../src/core/diagnosis/observations/options.js';
import { observe } from '../../../../src/core/diagnosis/observations/observe.js';
import type {
  DiagnoseOptions,
  DiagnosisInternals,
} from '../../../../src/core/diagnosis/observations/options.js';
import { closed, filtered, open, OTHER_V4, PORT, V4, V6 } from '../observations.js';
import { APART, createNetwork, type FakeNetwork, NAME, SERVER } from './fake-network.js';

async function observeIn(
  network: FakeNetwork,
  options: DiagnoseOptions = {},
  internals: DiagnosisInternals = {},
) {
  const { probe, resolve } = createNetwork(network);
  const target = { host: NAME, port: PORT };
  return observe(target, options, { ...APART, probe, resolve, ...internals });
}

const at = (address: string): string => `${address}:${PORT}`;
const known = { names: { [NAME]: [V4] }, dns: { [NAME]: [V4] } };

describe('what a diagnosis observes', () => {
  it('is the name, its address and the unused address, if the port is open', async () => {
    const seen = await observeIn({ ...known, ports: { [at(V4)]: open() } });
    expect(seen).toMatchObject({
      target: { host: NAME, port: PORT },
      timeoutMs: 5000,
      outcome: { state: 'open' },
      name: {
        resolution: { state: 'resolved' },
        servers: [{ server: SERVER, a: { kind: 'addresses' }, aaaa: { kind: 'no-record' } }],
      },
      addresses: [{ source: 'resolver', attempt: { state: 'open' } }],
      companions: null,
      nobody: { state: 'filtered' },
    });
  });

  it('is other ports of the host, if the port is silent', async () => {
    const seen = await observeIn(known);
    expect(seen.outcome).toMatchObject({ state: 'filtered', reason: 'no-response' });
    expect(seen.companions).toHaveLength(OTHER_PORTS.length);
    expect(seen.nobody).toBeNull();
  });

  it('is the extra address, if the name does not resolve', async () => {
    const ports = { [`${OTHER_V4}:443`]: open(OTHER_V4, 443), [at(OTHER_V4)]: closed(OTHER_V4) };
    const seen = await observeIn({ ports }, { extraAddress: OTHER_V4 });
    expect(seen.outcome.state).toBe('unresolved');
    expect(seen.addresses).toEqual([{ source: 'given', attempt: closed(OTHER_V4) }]);
    expect(seen.companions).toHaveLength(OTHER_PORTS.length);
    expect(seen.refusalTiming).toMatchObject({ openPort: 443 });
  });

  it('is what a DNS server has besides the resolver', async () => {
    const seen = await observeIn({ ...known, dns: { [NAME]: [V4, V6] } });
    expect(seen.addresses).toEqual([
      { source: 'resolver', attempt: filtered() },
      { source: 'dns', attempt: filtered('no-response', V6) },
    ]);
  });

  it('is no DNS server for a literal address', async () => {
    const network = createNetwork({ ports: { [at(V4)]: open() } });
    const checks = new Set<string>();
    const seen = await observe(
      { host: V4, port: PORT },
      { onProgress: (running) => running.forEach((each) => checks.add(each)) },
      { ...APART, ...network },
    );
    expect(seen.name).toMatchObject({ servers: [], hostsFile: null, foundBySearch: [] });
    expect(network.questions).toHaveLength(1);
    expect([...checks]).toEqual(['name', 'address']);
  });

  it('has the latency measured alone in the outcome, too', async () => {
    const ports = { [at(V4)]: [open(V4, PORT, 10), open(V4, PORT, 4)] };
    const seen = await observeIn({ ...known, ports });
    expect(seen.outcome).toMatchObject({ latencyMs: 4 });
    expect(seen.addresses[0]?.attempt).toBe(seen.outcome);
  });

  it('includes what left this machine beside each try', async () => {
    const startCounting = () => () => ({ octetsSent: 0, loopbackPackets: 1 });
    const seen = await observeIn(known, {}, { startCounting });
    expect(seen.localFilter).toMatchObject({ endpoint: { address: V4 }, tries: 5, stopped: 5 });
  });

  it('names every slow check while it runs', async () => {
    const checks = new Set<string>();
    await observeIn(known, {
      onProgress: (running) => running.forEach((each) => checks.add(each)),
    });
    expect([...checks]).toEqual([
      'name',
      'DNS servers',
      'address',
      'local firewall',
      'other ports',
    ]);
  });

  it('is read from the hosts file, the search domains and the environment', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'portping-'));
    const hostsFile = join(directory, 'hosts');
    const resolvConf = join(directory, 'resolv.conf');
    writeFileSync(hostsFile, `${OTHER_V4} ${NAME}\n`);
    writeFileSync(resolvConf, 'search corp.example\n');
    const seen = await observeIn(
      { dns: { [`${NAME}.corp.example`]: [V4] } },
      {},
      {
        hostsFile,
        resolvConf,
        env: { ALL_PROXY: 'proxy.example' },
      },
    );
    expect(seen.name.hostsFile).toEqual({ path: hostsFile, addresses: [OTHER_V4] });
    expect(seen.name.foundBySearch).toEqual([{ name: `${NAME}.corp.example`, addresses: [V4] }]);
    expect(seen.machine.proxy).toEqual({ variable: 'ALL_PROXY', proxy: 'proxy.example' });
  });

  it('resolves with the lookup of the program', async () => {
    const { probe } = createNetwork({ ports: { [at(V4)]: open() } });
    const internals = { ...APART, probe, servers: [] };
    const seen = await observe(
      { host: NAME, port: PORT },
      {},
      {
        ...internals,
        systemLookup: async () => ({ elapsedMs: 1, addresses: [{ address: V4, family: 4 }] }),
      },
    );
    expect(seen.outcome).toMatchObject({ state: 'open', endpoint: { address: V4 } });
  });
});
