import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { readSystemFile } from '../../core/system-file.js';

/** How many routes are gone through, at the most: the kernel takes the square of their number for a list of them, seconds on a router that knows the whole Internet. */
const MOST_ROUTES = 5000;

/**
 * The blocks for which Linux is the receiver itself, of `/proc/net/fib_trie`: a prefix a line, and below it each route for it as
 * `/<length> <scope> <type>` (fib_trie_seq_show() in the kernel's net/ipv4/fib_trie.c). Only of the tables that every packet is looked up in: those
 * with a number are for packets that a rule picks, as transparent proxies have them, often with all addresses.
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

/** The addresses of `/proc/net/if_inet6`, the first word of each line (if6_seq_show() in the kernel's net/ipv6/addrconf.c). */
export function interfaceAddressesOf(ifInet6: string): string[] {
  return [...ifInet6.matchAll(/^[\da-f]{32}(?= )/gm)].map(([digits]) => hexAddress(digits));
}

/**
 * The same as `localBlocksOf` of `/proc/net/ipv6_route`: destination, length and, last but one, flags, of which the highest is RTF_LOCAL
 * (rt6_info_route() in the kernel's net/ipv6/route.c). It does not tell the tables apart: a route for all addresses is taken for that of a transparent proxy.
 */
export function localBlocksOfIpv6(ipv6Route: string): string[] {
  const routes = ipv6Route.matchAll(/^([\da-f]{32}) ([\da-f]{2}) .* [89a-f][\da-f]{7} +\S+$/gm);
  return [...routes].flatMap(([, digits = '', hexLength = '']) => {
    const length = Number.parseInt(hexLength, 16);
    return length > 0 && length <= 128 ? [`${hexAddress(digits)}/${length}`] : [];
  });
}

/** How many routes of each family there are: of `/proc/net/fib_triestat` all tables together, of `/proc/net/rt6_stats` the fourth number (rt6_stats_seq_show()). */
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

const readNet = (name: string): string => readSystemFile(`/proc/net/${name}`) ?? '';

function linuxBlocks(): string[] {
  const routes = countRoutes(readNet('fib_triestat'), readNet('rt6_stats'));
  return [
    ...interfaceAddressesOf(readNet('if_inet6')),
    ...(routes.ipv4 > MOST_ROUTES ? [] : localBlocksOf(readNet('fib_trie'))),
    ...(routes.ipv6 > MOST_ROUTES ? [] : localBlocksOfIpv6(readNet('ipv6_route'))),
  ];
}

/**
 * The addresses and blocks that lead to this machine itself. `networkInterfaces()` leaves out interfaces without a carrier, which answer all the
 * same, and knows no local routes; Linux has files of both.
 */
export function ownAddresses(platform: NodeJS.Platform = process.platform): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((interfaces = []) =>
    interfaces.map(({ address }) => address),
  );
  return [...new Set([...addresses, ...(platform === 'linux' ? linuxBlocks() : [])])];
}
