import { describe, expect, it } from 'vitest';
import {
  collectAddresses,
  probeAddresses,
  probeDnsOnlyAddresses,
  probeGivenAddress,
  probeUnusedAddress,
} from '../../../../src/core/diagnosis/observations/address-check.js';
import {
  closed,
  filtered,
  open,
  OTHER_V4,
  PORT,
  resolvedTo,
  server,
  unresolved,
  V4,
  V6,
} from '../observations.js';
import { contextOf, createNetwork, probedBy } from './fake-network.js';

describe('the addresses of a name', () => {
  it('are all probed and watched for a drop, also when the first one opens', async () => {
    const network = createNetwork({ ports: { [`${V4}:${PORT}`]: open() } });
    const attempts = await probeAddresses(contextOf(network), resolvedTo([V4, V6]));
    expect(attempts.map(({ state }) => state)).toEqual(['open', 'filtered']);
    expect(network.probes.map(({ options }) => options.watchMs)).toEqual([500, 500]);
  });

  it('are none without a resolution', async () => {
    const network = createNetwork();
    expect(await probeAddresses(contextOf(network), unresolved())).toEqual([]);
    expect(network.probes).toEqual([]);
  });
});

describe('the extra address', () => {
  it('is probed after the resolver has answered', async () => {
    const network = createNetwork({ ports: { [`${OTHER_V4}:${PORT}`]: open(OTHER_V4) } });
    let answer = (): void => {};
    const resolving = new Promise<void>((resolve) => (answer = resolve));
    const probing = probeGivenAddress(contextOf(network, { extraAddress: OTHER_V4 }), resolving);
    expect(network.probes).toEqual([]);
    answer();
    expect(await probing).toMatchObject({ state: 'open', endpoint: { address: OTHER_V4 } });
  });

  it('does not wait for a silent resolver', async () => {
    const context = contextOf(createNetwork(), { extraAddress: OTHER_V4 });
    expect(await probeGivenAddress(context, new Promise(() => {}))).toMatchObject({
      state: 'filtered',
    });
  });

  it('is not probed if there is none', async () => {
    const network = createNetwork();
    expect(await probeGivenAddress(contextOf(network), Promise.resolve())).toBeNull();
    expect(network.probes).toEqual([]);
  });
});

describe('addresses that only DNS servers have', () => {
  it('are probed, each once, without those that were probed already', async () => {
    const network = createNetwork();
    const context = contextOf(network, { extraAddress: '198.51.100.30' });
    const asked = [server([V4, OTHER_V4]), server([OTHER_V4, '198.51.100.30', V6])];
    const attempts = await probeDnsOnlyAddresses(context, [open()], Promise.resolve(asked));
    expect(attempts.map(({ endpoint }) => endpoint.address)).toEqual([OTHER_V4, V6]);
  });

  it('are at most six', async () => {
    const many = Array.from({ length: 9 }, (_, index) => `198.51.100.${100 + index}`);
    const asked = Promise.resolve([server(many)]);
    const attempts = await probeDnsOnlyAddresses(contextOf(createNetwork()), [], asked);
    expect(attempts).toHaveLength(6);
  });
});

describe('the attempts on all addresses', () => {
  it('have the shorter latency of two, if the port is open', async () => {
    const ports = {
      [`${V4}:${PORT}`]: open(V4, PORT, 2),
      [`${OTHER_V4}:${PORT}`]: open(OTHER_V4, PORT, 30),
    };
    const context = contextOf(createNetwork({ ports }));
    expect(await collectAddresses(context, [open()], [closed(V6)], open(OTHER_V4))).toEqual([
      { source: 'resolver', attempt: open(V4, PORT, 2) },
      { source: 'dns', attempt: closed(V6) },
      { source: 'given', attempt: open(OTHER_V4, PORT, 10) },
    ]);
  });

  it('are not repeated if the port is not open', async () => {
    const network = createNetwork();
    await collectAddresses(contextOf(network), [closed()], [], filtered());
    expect(network.probes).toEqual([]);
  });
});

describe('the unused address', () => {
  const tries = async (
    { attached = '127.0.0.9', ...options }: { readonly attached?: string; otherPorts?: boolean },
    attempt: ReturnType<typeof open> | undefined,
  ) => {
    const network = createNetwork({
      ports: {
        [`192.0.2.1:${PORT}`]: open('192.0.2.1'),
        [`[2001:db8::1]:${PORT}`]: open('2001:db8::1'),
      },
    });
    const isDirectlyAttached = ({ address }: { address: string }) => address === attached;
    const context = contextOf(network, options, { isDirectlyAttached });
    const answer = await probeUnusedAddress(context, attempt);
    return [answer?.state ?? null, probedBy(network)] as const;
  };

  it('is tried on the same port if the port is open', async () => {
    expect(await tries({}, open())).toEqual(['open', [`192.0.2.1:${PORT}`]]);
  });

  it('is of the same family as the open one', async () => {
    expect(await tries({}, open(V6))).toEqual(['open', [`[2001:db8::1]:${PORT}`]]);
  });

  it('is timed three times, and the shortest latency counts', async () => {
    const latencies = [9, 3, 5].map((latencyMs) => open('192.0.2.1', PORT, latencyMs));
    const network = createNetwork({ ports: { [`192.0.2.1:${PORT}`]: latencies } });
    expect(await probeUnusedAddress(contextOf(network), open())).toMatchObject({ latencyMs: 3 });
    expect(network.probes).toHaveLength(3);
  });

  it.each([
    ['no port is open', {}, undefined],
    ['only the target port may be tried', { otherPorts: false }, open()],
    ['the open port is on this machine', {}, open('127.0.0.9')],
    ['it is itself the target', {}, open('192.0.2.1')],
    ['no router is on the way to it', { attached: '192.0.2.1' }, open()],
    ['no router is on the way to the open port', { attached: V4 }, open()],
  ])('is not tried if %s', async (_, options, attempt) => {
    expect(await tries(options, attempt)).toEqual([null, []]);
  });

  it('is tried for at most a second', async () => {
    const network = createNetwork();
    await probeUnusedAddress(contextOf(network), open());
    await probeUnusedAddress(contextOf(network, { timeoutMs: 200 }, { clock: () => 0 }), open());
    expect(network.probes.map(({ options }) => options.timeoutMs)).toEqual([1000, 200]);
  });
});
