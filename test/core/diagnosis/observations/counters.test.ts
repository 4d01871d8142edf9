import { describe, expect, it } from 'vitest';
import {
  parseLoopback,
  parseOctetsPassed,
  startCounting,
} from '../../../../src/core/diagnosis/observations/counters.js';

const NETSTAT = `TcpExt: SyncookiesSent TCPRetransFail
TcpExt: 0 7
IpExt: InNoRoutes OutOctets
IpExt: 3 900
`;
const SNMP6 = 'Ip6InReceives \t70\nIp6OutOctets   \t2\nIp6OutTransmits \t1\n';
const DEV = `Inter-|   Receive                            |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop
  eth0:1234567     100    0    0    0     0          0         0     7654      20    0    0
    lo:     501       5    0    0    0     0          0         0      500       4    0    0
`;

describe('the counters of the kernel', () => {
  it('are the octets of both families, and what was sent over loopback', () => {
    expect(parseOctetsPassed(NETSTAT, SNMP6)).toEqual({ total: 902, knowsIpv6: true });
    expect(parseLoopback(DEV)).toEqual({ octets: 500, packets: 4 });
  });

  it('do not know about IPv6 on older kernels, or without it', () => {
    const older = SNMP6.replace(/Ip6OutTransmits.*\n/, '');
    expect(parseOctetsPassed(NETSTAT, older)).toEqual({ total: 902, knowsIpv6: false });
    expect(parseOctetsPassed(NETSTAT, null)).toEqual({ total: 900, knowsIpv6: false });
  });

  it('are none if the kernel has no such counter, or one that never counts', () => {
    expect(parseOctetsPassed(null, SNMP6)).toBeNull();
    expect(parseOctetsPassed(NETSTAT.replace('OutOctets', 'Other'), SNMP6)).toBeNull();
    expect(parseOctetsPassed(NETSTAT.replace('900', '0'), SNMP6)).toBeNull();
    expect(parseLoopback(null)).toBeNull();
    expect(parseLoopback(DEV.replace('lo:', 'dummy0:'))).toBeNull();
  });

  it('are not looked for on other systems', () => {
    expect(startCounting(4, 'darwin')).toBeNull();
  });
});
