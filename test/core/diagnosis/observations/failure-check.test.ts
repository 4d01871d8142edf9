import { describe, expect, it } from 'vitest';
import { checkFailure } from '../../../../src/core/diagnosis/observations/failure-check.js';
import { closed, failed, filtered, open, PORT, V4 } from '../observations.js';
import { contextOf, createNetwork, probedBy } from './fake-network.js';

const NOTHING = {
  loopback: [],
  listeners: null,
  companions: null,
  localFilter: null,
  refusalTiming: null,
};

describe('a port that refused or did not answer', () => {
  it('is compared with other ports of the host', async () => {
    const network = createNetwork({ ports: { [`${V4}:80`]: closed(V4, 80) } });
    const { companions, loopback } = await checkFailure(contextOf(network), filtered());
    expect(companions?.map(({ endpoint: { port }, state }) => `${port} ${state}`)).toEqual([
      '443 filtered',
      '80 closed',
      '22 filtered',
      '445 filtered',
      '3389 filtered',
      '25 filtered',
    ]);
    expect(loopback).toEqual([]);
  });

  it('is not tried again as one of the other ports', async () => {
    const network = createNetwork();
    const context = contextOf(network, {}, {}, { host: V4, port: 443 });
    await checkFailure(context, filtered('no-response', V4, 443));
    expect(probedBy(network)).not.toContain(`${V4}:443`);
  });

  it('leaves other ports alone on request', async () => {
    const network = createNetwork();
    const context = contextOf(network, { otherPorts: false });
    expect(await checkFailure(context, filtered())).toEqual(NOTHING);
    expect(network.probes).toEqual([]);
  });

  it('is tried on loopback if the address is of this machine, and nothing else is', async () => {
    const network = createNetwork({ ports: { [`127.0.0.1:${PORT}`]: open('127.0.0.1') } });
    const own = await checkFailure(contextOf(network), closed('127.0.0.9'));
    expect(own).toEqual({
      ...NOTHING,
      loopback: [open('127.0.0.1'), filtered('no-response', '::1')],
    });
    const readListeners = () => [{ address: '127.0.0.1', waiting: 0 }];
    const context = contextOf(network, {}, { readListeners });
    const loopback = await checkFailure(context, closed('::1'));
    expect(loopback.listeners).toEqual(readListeners());
    expect(loopback.loopback).toEqual([open('127.0.0.1')]);
  });

  it.each([
    ['open', open()],
    ['one that could not be tried', failed('no-route')],
    ['absent', null],
  ])('is not examined if it is %s', async (_, attempt) => {
    const network = createNetwork();
    expect(await checkFailure(contextOf(network), attempt)).toEqual(NOTHING);
    expect(network.probes).toEqual([]);
  });
});

describe('the timing of a refusal', () => {
  const ports = {
    [`${V4}:${PORT}`]: [5, 3, 4].map((elapsedMs) => closed(V4, PORT, elapsedMs)),
    [`${V4}:22`]: [50, 30, 20, 40].map((latencyMs) => open(V4, 22, latencyMs)),
  };

  it('is of six pairs of a refusal and a handshake with an open port', async () => {
    const { refusalTiming } = await checkFailure(contextOf(createNetwork({ ports })), closed());
    expect(refusalTiming).toEqual({
      pairs: 6,
      refusedMs: 3,
      slowestRefusedMs: 5,
      openPort: 22,
      openMs: 20,
    });
  });

  it('is not taken of a silent port, or without an open one', async () => {
    const silent = await checkFailure(contextOf(createNetwork({ ports })), filtered());
    expect(silent.refusalTiming).toBeNull();
    const alone = await checkFailure(
      contextOf(createNetwork({ ports: { [`${V4}:${PORT}`]: closed() } })),
      closed(),
    );
    expect(alone.refusalTiming).toBeNull();
  });

  it('is not taken after the deadline', async () => {
    let nowMs = 0;
    const context = contextOf(createNetwork({ ports }), { timeoutMs: 10 }, { clock: () => nowMs });
    nowMs = 30;
    expect((await checkFailure(context, closed())).refusalTiming).toBeNull();
  });
});
