import { describe, expect, it } from 'vitest';
import { parseCounters } from '../../../../src/core/diagnosis/observations/counters.js';
import { proxyFor, sourceAddressFor } from '../../../../src/core/diagnosis/observations/machine.js';

describe('the proxy of the environment', () => {
  const https = { host: 'db.example', port: 443 };

  it('is the one for the port, then the one for all', () => {
    const env = {
      https_proxy: 'http://proxy.example:3128',
      HTTP_PROXY: 'other:1',
      ALL_PROXY: 'socks5://all.example:1080',
    };
    expect(proxyFor(https, env)).toEqual({ variable: 'https_proxy', proxy: 'proxy.example:3128' });
    expect(proxyFor({ ...https, port: 80 }, env)).toEqual({
      variable: 'HTTP_PROXY',
      proxy: 'other:1',
    });
    expect(proxyFor({ ...https, port: 5432 }, env)).toEqual({
      variable: 'ALL_PROXY',
      proxy: 'all.example:1080',
    });
  });

  it('is told without user and password', () => {
    expect(
      proxyFor(https, { HTTPS_PROXY: 'http://user:p@ss@proxy.example:3128/path?query' })?.proxy,
    ).toBe('proxy.example:3128');
    expect(proxyFor(https, { HTTPS_PROXY: 'user:secret@proxy.example:3128' })?.proxy).toBe(
      'proxy.example:3128',
    );
  });

  it('is none when none is set, or when NO_PROXY leaves the host out', () => {
    expect(proxyFor(https, {})).toBeNull();
    expect(proxyFor(https, { HTTPS_PROXY: '' })).toBeNull();
    for (const list of ['*', 'db.example', 'localhost, .example', 'example:443', '*.example'])
      expect(proxyFor(https, { HTTPS_PROXY: 'proxy', NO_PROXY: list })).toBeNull();
    for (const list of ['', 'b.example', 'db.example.com', 'localhost'])
      expect(proxyFor(https, { HTTPS_PROXY: 'proxy', NO_PROXY: list })).not.toBeNull();
  });
});

describe('the source address', () => {
  it('is the one the system would use, and sends nothing to find out', async () => {
    expect(await sourceAddressFor({ address: '127.0.0.1', family: 4 })).toBe('127.0.0.1');
  });
});

describe('the counters of the kernel', () => {
  const files = {
    snmp: 'Ip: Forwarding DefaultTTL\nIp: 1 64\nIcmp: InMsgs InDestUnreachs OutDestUnreachs\nIcmp: 9 4 3\nIcmpMsg: InType3\nIcmpMsg: 4\n',
    snmp6: 'Ip6InReceives \t70\nIcmp6InDestUnreachs   \t2\nIcmp6OutDestUnreachs \t1\n',
    netstat: 'TcpExt: SyncookiesSent TCPRetransFail\nTcpExt: 0 7\nIpExt: InNoRoutes\nIpExt: 0\n',
    dev: `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     500       5    0    0    0     0          0         0      500       5    0    0    0     0       0          0
  eth0:1234567     100    0    0    0     0          0         0     7654      20    0    0    0     0       0          0
 wlan0: 10           1    0    0    0     0          0         0      900       3    0    0    0     0       0          0
`,
  };

  it('are the packets sent over all interfaces but loopback, and the ICMP and TCP counters of both families', () => {
    expect(parseCounters(files)).toEqual({
      packetsSent: 23,
      unreachableSent: 4,
      unreachableReceived: 6,
      failedRepeats: 7,
    });
  });

  it('are there without IPv6, and not without the rest', () => {
    expect(parseCounters({ ...files, snmp6: null })).toMatchObject({ unreachableSent: 3 });
    expect(parseCounters({ ...files, dev: null })).toBeNull();
  });
});
