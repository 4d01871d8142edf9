import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { readSystemFile } from '../../core/system-file.js';

/**
 * With more routes than this their list is not read. The kernel needs time in the square of their
 * number for it: seconds on a router with a full Internet table.
 */
const MOST_ROUTES = 5000;

/**
 * The IPv4 blocks that Linux delivers to itself, from `/proc/net/fib_trie`: one prefix a line, then
 * its routes as `/<length> <scope> <type>` (`fib_trie_seq_show()` in the kernel's
 * net/ipv4/fib_trie.c). Only the tables Main and Local count, because every packet is looked up
 * there. Numbered tables serve policy rules, such as a transparent proxy's route for everything.
 */
export function localBlocksOf(fibTrie: string): string[] {
  const found: string[] = [];
  let isForAll = false;
  let prefix = '';
  for (const line of fibTrie.split('\n')) {
    if (/^\S/.test(line)) isForAll = /^(Main|Local):/.test(line);
    prefix = /^ *\|-- (\S+)$/.exec(line)?.[1] ?? prefix;
    const length = /^ *\/(\d+) \S+ LOCAL\b/.exec(line)?.[1];
    if (isForAll && length !== undefined && Number(length) <= 32 && isIP(prefix) === 4)
      found.push(`${prefix}/${length}`);
  }
  return found;
}

const hexAddress = (digits: string): string => digits.replace(/.{4}(?=.)/g, '$&:');

/**
 * The addresses in `/proc/net/if_inet6`: the first word of each line (`if6_seq_show()` in the
 * kernel's net/ipv6/addrconf.c).
 */
export function interfaceAddressesOf(ifInet6: string): string[] {
  return [...ifInet6.matchAll(/^[\da-f]{32}(?= )/gm)].map(([digits]) => hexAddress(digits));
}

/**
 * The IPv6 blocks that Linux delivers to itself, from `/proc/net/ipv6_route`: destination, length
 * and, second to last, flags, whose highest bit is RTF_LOCAL (`rt6_info_route()` in the kernel's
 * net/ipv6/route.c). The file does not name the table, so a route for all addresses is taken to be
 * a transparent proxy's and skipped.
 */
export function localBlocksOfIpv6(ipv6Route: string): string[] {
  const routes = ipv6Route.matchAll(/^([\da-f]{32}) ([\da-f]{2}) .* [89a-f][\da-f]{7} +\S+$/gm);
  return [...routes].flatMap(([, digits = '', hexLength = '']) => {
    const length = Number.parseInt(hexLength, 16);
    return length > 0 && length <= 128 ? [`${hexAddress(digits)}/${length}`] : [];
  });
}

/**
 * The number of routes of each family: the sum over all tables of `/proc/net/fib_triestat`, and the
 * fourth number of `/proc/net/rt6_stats`, in hexadecimal (`rt6_stats_seq_show()`).
 */
export function countRoutes(
  fibTriestat: string,
  rt6Stats: string,
): { readonly ipv4: number; readonly ipv6: number } {
  const leaves = [...fibTriestat.matchAll(/^\s*Leaves:\s+(\d+)$/gm)].map(([, number]) =>
    Number(number),
  );
  return {
    ipv4: leaves.reduce((sum, each) => sum + each, 0),
    ipv6: Number.parseInt(rt6Stats.split(' ')[3] ?? '', 16) || 0,
  };
}

/** Reads a file of `/proc/net`; empty when there is none. */
type ReadNet = (name: string) => string;

const readProcNet: ReadNet = (name) => readSystemFile(`/proc/net/${name}`) ?? '';

function linuxBlocks(readNet: ReadNet): string[] {
  const routes = countRoutes(readNet('fib_triestat'), readNet('rt6_stats'));
  return [
    ...interfaceAddressesOf(readNet('if_inet6')),
    ...(routes.ipv4 > MOST_ROUTES ? [] : localBlocksOf(readNet('fib_trie'))),
    ...(routes.ipv6 > MOST_ROUTES ? [] : localBlocksOfIpv6(readNet('ipv6_route'))),
  ];
}

/**
 * The addresses and CIDR blocks that lead to this machine. `networkInterfaces()` leaves out
 * interfaces without a carrier, though they answer, and local routes. Linux has files of both.
 */
export function ownAddresses(
  platform: NodeJS.Platform = process.platform,
  readNet = readProcNet,
): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((interfaces = []) =>
    interfaces.map(({ address }) => address),
  );
  return [...new Set([...addresses, ...(platform === 'linux' ? linuxBlocks(readNet) : [])])];
}
