import { BlockList, isIP } from 'node:net';
import { UsageError } from '../../core/usage-error.js';

/** Family names as BlockList has them. */
type Family = 'ipv4' | 'ipv6';

/** An address in the form that BlockList compares. */
interface PlainAddress {
  readonly address: string;
  readonly family: Family;
}

/** `::ffff:0:0/96`, the IPv4-mapped addresses: IPv4 in the last 32 bits (RFC 4291, 2.5.5.2). */
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0xffff];
const MAPPED_PREFIX_BITS = 16 * MAPPED_PREFIX.length;

/** IPv6 prefixes behind which translators and tunnels find an IPv4 address, and at which group. */
const EMBEDDING_PREFIXES: readonly { readonly groups: readonly number[]; readonly at: number }[] = [
  { groups: [0x64, 0xff9b, 0, 0, 0, 0], at: 6 }, // NAT64, well-known prefix (RFC 6052)
  { groups: [0x64, 0xff9b, 1], at: 6 }, // NAT64, local use, any prefix length (RFC 8215)
  { groups: [0, 0, 0, 0, 0xffff, 0], at: 6 }, // IPv4-translated (RFC 2765)
  { groups: [0, 0, 0, 0, 0, 0], at: 6 }, // IPv4-compatible (RFC 4291, 2.5.5.1)
  { groups: [0x2002], at: 1 }, // 6to4 (RFC 3056)
];

/** The eight groups of an IPv6 address without a zone, as numbers. */
function groupsOf(address: string): readonly number[] {
  const [head = [], tail = []] = new URL(`http://[${address}]/`).hostname
    .slice(1, -1)
    .split('::')
    .map((part) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))));
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

const startsWith = (groups: readonly number[], prefix: readonly number[]): boolean =>
  prefix.every((group, index) => group === groups[index]);

/** The IPv4 address in two groups of an IPv6 address. */
const ipv4At = (groups: readonly number[], at: number): string =>
  groups
    .slice(at, at + 2)
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');

const withoutZone = (address: string): string => address.split('%', 1)[0] ?? '';

/** Drops the zone, and unwraps IPv4-mapped addresses. Null for text that is not an address. */
function toPlainAddress(text: string): PlainAddress | null {
  const address = withoutZone(text);
  if (isIP(address) === 4) return { address, family: 'ipv4' };
  if (isIP(address) !== 6) return null;
  const groups = groupsOf(address);
  return startsWith(groups, MAPPED_PREFIX)
    ? { address: ipv4At(groups, MAPPED_PREFIX.length), family: 'ipv4' }
    : { address, family: 'ipv6' };
}

/** The IPv4 address that a translator or tunnel would make of an IPv6 address, or null. */
export function embeddedIpv4(text: string): string | null {
  const plain = toPlainAddress(text);
  if (plain?.family !== 'ipv6') return null;
  const groups = groupsOf(plain.address);
  const prefix = EMBEDDING_PREFIXES.find((each) => startsWith(groups, each.groups));
  return prefix === undefined ? null : ipv4At(groups, prefix.at);
}

/** A CIDR block: an address and the length of its prefix. */
interface Block extends PlainAddress {
  readonly bits: number;
}

/**
 * An address (a block of one) or a CIDR block. `::ffff:10.0.0.0/104` is 10.0.0.0/8.
 *
 * @param argument the argument it belongs to, for the error message
 * @param allowed what to say when it is not a block
 */
function parseBlock(text: string, argument: string, allowed: string): Block {
  const [address = '', length, ...rest] = text.split('/');
  const plain = toPlainAddress(address);
  if (plain === null || address.includes('%') || rest.length > 0)
    throw new UsageError(`${argument}: "${text}" is not an address or a CIDR block; ${allowed}`);
  const width = isIP(address) === 6 ? 128 : 32;
  const bits = length === undefined ? width : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (bits < 0 || bits > width)
    throw new UsageError(
      `${argument}: "${text}" has the prefix length "${length}"; allowed: 0 to ${width}`,
    );
  const wrapping = width === 128 && plain.family === 'ipv4' ? MAPPED_PREFIX_BITS : 0;
  if (bits < wrapping)
    throw new UsageError(
      `${argument}: "${text}" covers more than IPv4 addresses; ` +
        `allowed: a prefix length from ${wrapping} to ${width}, or 0.0.0.0/0 or ::/0`,
    );
  return { ...plain, bits: bits - wrapping };
}

/** A set of addresses and CIDR blocks. */
export class AddressBlocks {
  // One list for each family: a common BlockList takes every IPv4 address to be in ::/0.
  readonly #lists: Readonly<Record<Family, BlockList>> = {
    ipv4: new BlockList(),
    ipv6: new BlockList(),
  };

  /**
   * @param texts addresses and blocks
   * @param argument the argument they come from, for the error message
   * @param allowed what to say when one is not a block
   * @throws UsageError for the first text that is not a block
   */
  constructor(texts: readonly string[], argument = 'address', allowed = 'allowed: 10.0.0.0/8') {
    for (const text of texts) {
      const { address, family, bits } = parseBlock(text, argument, allowed);
      this.#lists[family].addSubnet(address, bits, family);
    }
  }

  /** Whether an address is in one of the blocks. Zones are ignored; text is in none. */
  has(address: string): boolean {
    const plain = toPlainAddress(address);
    return plain !== null && this.#lists[plain.family].check(plain.address, plain.family);
  }
}
