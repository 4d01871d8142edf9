import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { delayCause } from '../../../src/core/facts/kernel-facts.js';
import { askKernel, parseSocketStatistics } from '../../../src/core/probe/socket-statistics.js';
import { itWith } from '../../support/tools.js';

/** What `ss -Htino` prints after the addresses; the rest of the line is the same everywhere. */
const PRINTED = {
  repeated:
    'ESTAB 0 0 10.71.0.1:34672 10.71.0.2:7000\n\t ts sack bbr wscale:10,10 rto:204 rtt:1/0.5 ' +
    'mss:1448 pmtu:1500 rcvmss:536 advmss:1448 cwnd:10 bbr:(bw:0bps,mrtt:1) retrans:0/1 minrtt:1\n',
  fast:
    'ESTAB 0 0 10.71.0.1:34670 10.71.0.2:7000\n\t ts sack cubic wscale:10,10 rto:204 ' +
    'rtt:0.052/0.026 mss:1448 pmtu:1500 rcvmss:536 advmss:1460 minrtt:0.052\n',
  unmeasured:
    'ESTAB 0 0 10.70.0.1:53774 10.70.0.9:1300\n\t bbr mss:1280 pmtu:1500 rcvmss:536 advmss:1460 ' +
    'bbr:(bw:0bps,mrtt:4.29497e+06,pacing_gain:1) retrans:0/2 rcv_space:14600\n',
} as const;

describe('what ss prints', () => {
  it.each([
    ['a repeated SYN', PRINTED.repeated, { roundTripMs: 1, repeatedSyns: 1, mss: 1448 }],
    ['none', PRINTED.fast, { roundTripMs: 0.052, repeatedSyns: 0, mss: 1448 }],
    ['no round trip', PRINTED.unmeasured, { roundTripMs: null, repeatedSyns: 2, mss: 1280 }],
  ])('is read: %s', (_, text, facts) => {
    expect(parseSocketStatistics(text)).toEqual(facts);
  });

  it.each(['', '\n', 'ESTAB 0 0 10.0.0.1:1 10.0.0.2:2\n', 'Error: an inet prefix is expected'])(
    'is nothing if it says nothing about the connection: %j',
    (text) => {
      expect(parseSocketStatistics(text)).toBeNull();
    },
  );
});

describe('the cause of a slow handshake', () => {
  it.each([
    ['no SYN was repeated', 1300, { roundTripMs: 1300, repeatedSyns: 0 }, 'no-loss'],
    ['the round trip is short', 1024, { roundTripMs: 0.1, repeatedSyns: 1 }, 'lost-syn'],
    ['it is long, but a second shorter', 2300, { roundTripMs: 1250, repeatedSyns: 2 }, 'lost-syn'],
    ['it is as long as the handshake', 1024, { roundTripMs: 1023, repeatedSyns: 1 }, 'unclear'],
    ['it was not measured', 1024, { roundTripMs: null, repeatedSyns: 1 }, 'unclear'],
  ] as const)('is judged if %s', (_, latencyMs, facts, cause) => {
    expect(delayCause(latencyMs, facts)).toBe(cause);
  });
});

describe('the kernel', () => {
  async function openConnection(host: string): Promise<Socket> {
    const server = createServer((accepted) => accepted.on('error', () => {})).listen(0, host);
    await once(server, 'listening');
    const socket = connect({ host, port: (server.address() as AddressInfo).port });
    onTestFinished(() => {
      socket.destroy();
      server.close();
    });
    await once(socket, 'connect');
    return socket;
  }

  itWith('ss', 'is asked about the one connection', async () => {
    const socket = await openConnection('127.0.0.1');
    expect(await askKernel(socket, 1000, 10_000)).toMatchObject({
      repeatedSyns: 0,
      cause: 'no-loss',
      mss: expect.any(Number),
    });
  });

  it('is asked neither about a fast handshake nor a closed socket, nor too late', async () => {
    const socket = await openConnection('127.0.0.1');
    expect(await askKernel(socket, 899, 10_000)).toBeNull();
    expect(await askKernel(socket, 1000, 0)).toBeNull();
    socket.destroy();
    expect(await askKernel(socket, 1000, 10_000)).toBeNull();
  });

  it('says nothing where there is no ss', async () => {
    const socket = await openConnection('127.0.0.1');
    const { PATH } = process.env;
    onTestFinished(() => void (process.env['PATH'] = PATH));
    process.env['PATH'] = '/nonexistent';
    expect(await askKernel(socket, 1000, 10_000)).toBeNull();
  });
});
