import fc from 'fast-check';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  countRoutes,
  interfaceAddressesOf,
  localBlocksOf,
  localBlocksOfIpv6,
  ownAddresses,
} from '../../../src/exporter/access/own-addresses.js';

/**
 * Of a machine with a veth without a peer (10.9.1.1), the route `local 192.0.2.128/25 dev lo`, and
 * `local default dev lo table 100`.
 */
const FIB_TRIE = `Id 100:
  |-- 0.0.0.0
     /0 host LOCAL
Main:
  |-- 10.9.1.0
     /24 link UNICAST
  |-- 198.51.100.0
     /24 host LOCAL
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 10.9.1.0/24 2 0 2
        |-- 10.9.1.1
           /32 host LOCAL
        |-- 10.9.1.255
           /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
              /9 link UNICAST
              /10 host LOCAL tos=0x08
           |-- 127.0.0.1
              /32 host LOCAL
     |-- 192.0.2.128
        /25 host LOCAL
`;

const NO_ADDRESS = '0'.repeat(32);

/** A line of ipv6_route: destination, length, source, gateway, metric, uses, flags and device. */
const ipv6Route = (destination: string, bits: string, flags: string, device: string): string =>
  [
    ...[destination, bits, NO_ADDRESS, '00', NO_ADDRESS],
    ...['00000400', '00000001', '00000000', flags],
    `      ${device}\n`,
  ].join(' ');

const IPV6_ROUTE = [
  ipv6Route(NO_ADDRESS, '00', '80000001', 'lo'),
  ipv6Route('fd990000000000000000000000000000', '40', '00000001', 'v0'),
  ipv6Route(NO_ADDRESS, '00', '00200200', 'lo'),
  ipv6Route('00000000000000000000000000000001', '80', '80200001', 'lo'),
  ipv6Route('20010db8000100000000000000000000', '40', '80000001', 'lo'),
].join('');

const IF_INET6 = `00000000000000000000000000000001 01 80 10 80       lo
fd990000000000000000000000000001 03 40 00 c0       v0
`;

const TRIESTAT = `Basic info: size of leaf: 48 bytes, size of tnode: 40 bytes.
Main:
\tAver depth:     2.00
\tLeaves:         20003
\tPrefixes:       20004
Local:
\tLeaves:         7
`;

describe('the own addresses of Linux', () => {
  it('are the local IPv4 routes of the tables Main and Local', () => {
    expect(localBlocksOf(FIB_TRIE)).toEqual([
      '198.51.100.0/24',
      '10.9.1.1/32',
      '127.0.0.0/8',
      '127.0.0.0/10',
      '127.0.0.1/32',
      '192.0.2.128/25',
    ]);
  });

  it('are the local IPv6 routes and addresses, without a route for all addresses', () => {
    expect(localBlocksOfIpv6(IPV6_ROUTE)).toEqual([
      '0000:0000:0000:0000:0000:0000:0000:0001/128',
      '2001:0db8:0001:0000:0000:0000:0000:0000/64',
    ]);
    expect(interfaceAddressesOf(IF_INET6)).toEqual([
      '0000:0000:0000:0000:0000:0000:0000:0001',
      'fd99:0000:0000:0000:0000:0000:0000:0001',
    ]);
  });

  it('are not read where there are too many routes: these are counted first', () => {
    expect(countRoutes(TRIESTAT, '186a0 c351 0000 c350 0000 0000 0000\n')).toEqual({
      ipv4: 20_010,
      ipv6: 50_000,
    });
    expect(countRoutes('', '')).toEqual({ ipv4: 0, ipv6: 0 });
  });

  it('leave out the routes of a family that has more than 5,000', () => {
    const own = (routes: { readonly ipv4: number; readonly ipv6: number }) => {
      const files: Record<string, string> = {
        fib_triestat: `Main:\n\tLeaves:         ${routes.ipv4}\n`,
        rt6_stats: `0 0 0 ${routes.ipv6.toString(16)} 0 0 0\n`,
        fib_trie: FIB_TRIE,
        ipv6_route: IPV6_ROUTE,
        if_inet6: IF_INET6,
      };
      return ownAddresses('linux', (name) => files[name] ?? '');
    };
    const [ipv4, ipv6] = ['192.0.2.128/25', '2001:0db8:0001:0000:0000:0000:0000:0000/64'];
    const carrierless = 'fd99:0000:0000:0000:0000:0000:0000:0001';
    expect(own({ ipv4: 5000, ipv6: 5000 })).toEqual(
      expect.arrayContaining([ipv4, ipv6, carrierless]),
    );
    expect(own({ ipv4: 5001, ipv6: 5000 })).toEqual(expect.arrayContaining([ipv6, carrierless]));
    expect(own({ ipv4: 5001, ipv6: 5000 })).not.toContain(ipv4);
    expect(own({ ipv4: 5000, ipv6: 5001 })).toEqual(expect.arrayContaining([ipv4, carrierless]));
    expect(own({ ipv4: 5000, ipv6: 5001 })).not.toContain(ipv6);
  });

  it('are none where the files have another format', () => {
    const tooLong = ipv6Route('20010db8000100000000000000000000', '81', '80000001', 'lo');
    expect(localBlocksOfIpv6(tooLong)).toEqual([]);
    for (const find of [localBlocksOf, localBlocksOfIpv6, interfaceAddressesOf]) {
      for (const text of [
        '',
        '\n',
        'Local:\n  /32 host LOCAL\n',
        'Local:\n  |-- x\n  /32 host LOCAL\n',
        'Local:\n  |-- 1.2.3.4\n  /99 host LOCAL\n',
        '2001 40 80000001 lo\n',
      ])
        expect(find(text), text).toEqual([]);
      fc.assert(fc.property(fc.string(), (text) => void find(text)));
    }
  });
});

it('the own addresses include those of the interfaces; only Linux has others', () => {
  const addresses = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .map(({ address }) => address);
  expect(ownAddresses()).toEqual(expect.arrayContaining(addresses));
  expect(new Set(ownAddresses('darwin'))).toEqual(new Set(addresses));
});
