import { BlockList, isIP } from 'node:net';
import { monotonicClock } from '../../core/clock.js';
import { asciiHost, familyOf, formatHostPort, parseHost } from '../../core/target/target.js';
import { parsePorts } from '../../core/target/target-list.js';
import { UsageError } from '../../core/usage-error.js';
import { ownAddresses } from './own-addresses.js';

/**
 * What is allowed when nobody says anything: this machine, and private networks. Link-local addresses are not among them: behind one,
 * 169.254.169.254, clouds keep secrets. Nor is what Amazon keeps behind unique local ones (`METADATA`).
 */
export const DEFAULT_RULES: readonly string[] = [
  '127.0.0.0/8',
  '::1/128', // loopback (RFC 1122, RFC 4291)
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16', // private (RFC 1918)
  'fc00::/7', // unique local (RFC 4193)
];

/** Where clouds have their metadata services in IPv6, as their documentation says: Amazon (and others of the kind beside it), Google, Oracle, Scaleway, Linode, Alibaba. */
const METADATA = [
  'fd00:ec2::/32',
  'fd20:ce::254',
  'fd00:c1::a9fe:a9fe',
  'fd00:42::42',
  'fd00:a9fe:a9fe::1',
  'fd00:100::100:200',
];
/** The same in IPv4, where it is not 169.254.169.254: Alibaba, Azure, Oracle. */
const METADATA_IPV4 = ['100.100.100.200', '168.63.129.16', '192.0.0.192'];
const NEVER_BY_DEFAULT = blocksOf(METADATA);

/**
 * Addresses that a rule for names never permits, beside those that this machine has: whoever runs the DNS of such a name could make the exporter probe
 * its own machine, or the metadata service of a cloud. They need a rule for addresses.
 */
const NEVER_BY_NAME = blocksOf([
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '::/127',
  'fe80::/10',
  ...METADATA,
  ...METADATA_IPV4,
]);
const LOOPBACK = blocksOf(['127.0.0.0/8', '::1/128']);

const ALLOWED =
  'allowed: an address, a block (10.0.0.0/8), or a host (db, *.example.com), with ports behind a colon if you like (:443, :5432,8000-8010); IPv6 with ports in brackets';

/** Where an address is held against the lists, in the one form that those know: without zone, and IPv4 as IPv4 also where IPv6 wraps it (RFC 4291, 2.5.5.2). */
function plainAddress(
  address: string,
): { readonly address: string; readonly family: 'ipv4' | 'ipv6' } | null {
  const [bare = ''] = address.split('%');
  if (isIP(bare) === 4) return { address: bare, family: 'ipv4' };
  if (isIP(bare) !== 6) return null;
  const canonical = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(canonical) ?? [];
  if (high === undefined || low === undefined) return { address: canonical, family: 'ipv6' };
  const bytes = [high, low].flatMap((group) => [
    Number.parseInt(group, 16) >> 8,
    Number.parseInt(group, 16) & 255,
  ]);
  return { address: bytes.join('.'), family: 'ipv4' };
}

/** In front of an IPv4 address in the last 32 bits: translated (RFC 6052; RFC 8215, whatever prefix of it is in use; RFC 2765), or compatible (RFC 4291, 2.5.5.1). */
const WRAPPINGS = /^(64:ff9b:0:0:0:0|64:ff9b:1:.*|0:0:0:0:ffff:0|0:0:0:0:0:0)$/;

/** The IPv4 address that a translator or tunnel could make of this IPv6 address (6to4 too: RFC 3056), as an IPv6 address that `plainAddress` unwraps. */
function unwrapped(address: string): string | null {
  const plain = plainAddress(address);
  if (plain?.family !== 'ipv6') return null;
  const [head = [], tail] = plain.address
    .split('::')
    .map((part) => part.split(':').filter(Boolean));
  const groups: readonly string[] = tail
    ? [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
    : head;
  const [high, low] =
    groups[0] === '2002'
      ? groups.slice(1)
      : WRAPPINGS.test(groups.slice(0, 6).join(':'))
        ? groups.slice(6)
        : [];
  return high === undefined || low === undefined ? null : `::ffff:${high}:${low}`;
}

/** How long the addresses of this machine are known, milliseconds: asking for them takes a while where there are many. */
const OWN_ADDRESSES_MS = 1000;

/** Blocks of addresses, the families apart: one list for both would take every IPv4 address for one in ::/0. */
type Blocks = Readonly<Record<'ipv4' | 'ipv6', BlockList>>;

function addBlock(blocks: Blocks, text: string, rule: string): void {
  const [rawAddress = '', bits, ...more] = text.split('/');
  const plain = plainAddress(rawAddress);
  const width = isIP(rawAddress) === 6 ? 128 : 32;
  const length = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN;
  if (plain === null || rawAddress.includes('%') || more.length > 0)
    throw new UsageError(`--allow: "${rule}" is not an address or a block of them; ${ALLOWED}`);
  if (!(length >= 0 && length <= width))
    throw new UsageError(`--allow: ${rule} has a length of ${bits}; allowed: 0 to ${width}`);
  const wrapped = width === 128 && plain.family === 'ipv4' ? 96 : 0; // ::ffff:10.0.0.0/104 is 10.0.0.0/8
  if (length < wrapped)
    throw new UsageError(
      `--allow: ${rule} is more than the IPv4 addresses; write 0.0.0.0/0 or ::/0`,
    );
  blocks[plain.family].addSubnet(plain.address, length - wrapped, plain.family);
}

function blocksOf(texts: readonly string[], rule?: string): Blocks {
  const blocks = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const text of texts) addBlock(blocks, text, rule ?? text);
  return blocks;
}

function isIn(blocks: Blocks, address: string): boolean {
  const plain = plainAddress(address);
  return plain !== null && blocks[plain.family].check(plain.address, plain.family);
}

const withoutLastDot = (name: string): string => name.replace(/\.$/, '');

const plainName = (host: string): string => withoutLastDot(asciiHost(host).toLowerCase());

/** `*.` at the beginning is any number of labels, another `*` a part of one; `*` alone is every name. */
function patternOf(text: string): RegExp {
  if (text === '*') return /^/;
  const [, any = '', rest = ''] = /^(\*\.)?(.*)$/s.exec(withoutLastDot(text)) ?? [];
  const parts = rest.split('*').map((part) => asciiHost(part).toLowerCase().replace(/[.]/g, '\\.'));
  return new RegExp(`^${any === '' ? '' : '.+\\.'}${parts.join('[^.]*')}$`);
}

interface Rule {
  readonly ports: readonly { readonly first: number; readonly last: number }[];
  /** Null for a rule for names. */
  readonly addresses: Blocks | null;
  readonly names: RegExp | null;
  /** It says `localhost` itself, which nobody's DNS leads elsewhere (RFC 6761, 6.3): then loopback addresses are meant. */
  readonly isLocalhost: boolean;
}

/** Host part and ports of a rule. A colon within an IPv6 address without brackets is part of it. */
function splitRule(text: string): { readonly host: string; readonly ports: string | null } {
  const [, bracketed, length = '', bracketedPorts] =
    /^\[([^\]]*)\](\/\d+)?(?::(.*))?$/s.exec(text) ?? [];
  if (bracketed !== undefined && isIP(bracketed) !== 6)
    throw new UsageError(`--allow: "${text}" has no IPv6 address in its brackets; ${ALLOWED}`);
  if (bracketed !== undefined)
    return { host: `${bracketed}${length}`, ports: bracketedPorts ?? null };
  if (isIP(text.split('/')[0] ?? '') === 6) return { host: text, ports: null };
  const colon = text.indexOf(':');
  return colon < 0
    ? { host: text, ports: null }
    : { host: text.slice(0, colon), ports: text.slice(colon + 1) };
}

function checkPattern(pattern: string, rule: string): void {
  if (pattern === '*.')
    throw new UsageError(`--allow: "${rule}" has nothing behind its dot; write * for every name`);
  if (/^[\d.]*\*[\d.*]*$/.test(pattern) && /\d/.test(pattern))
    throw new UsageError(
      `--allow: "${rule}" is a pattern for names that looks like addresses; write a block of them, such as 10.0.0.0/24`,
    );
  // Half of a label has no ASCII form of its own (RFC 3492).
  const half = pattern
    .split('.')
    .find((label) => label.includes('*') && /[^\x00-\x7f]/.test(label));
  if (half !== undefined)
    throw new UsageError(
      `--allow: "${rule}" has "${half}", of which only ASCII letters, digits and hyphens can be beside a star; write the whole part, or only a star`,
    );
  try {
    parseHost(pattern.replaceAll('*', 'x'));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`--allow: "${rule}" is neither an address nor a host; ${ALLOWED}`);
  }
}

function parseRule(text: string): Rule {
  const { host, ports } = splitRule(text);
  const range = ports === null ? [{ first: 1, last: 65_535 }] : portsOf(ports, text);
  if (isIP(host.split('/')[0] ?? '') !== 0 || host.includes('/') || host.includes(':')) {
    return { ports: range, addresses: blocksOf([host], text), names: null, isLocalhost: false };
  }
  checkPattern(host, text);
  return {
    ports: range,
    addresses: null,
    names: patternOf(host),
    isLocalhost: plainName(host) === 'localhost',
  };
}

function portsOf(text: string, rule: string): Rule['ports'] {
  try {
    return parsePorts(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`--allow: "${rule}": ${error.message}`);
  }
}

/** What may be probed: a list of rules, of which one must permit each address that is really connected to. */
export class AllowList {
  /** The rules as they were written, or the default ones. */
  readonly rules: readonly string[];
  /** Nobody gave a rule. */
  readonly isDefault: boolean;
  readonly #rules: readonly Rule[];
  readonly #findOwn: () => readonly string[];
  #own: { readonly blocks: Blocks; readonly untilMs: number } | null = null;

  /**
   * @param rules each `<address | block | host pattern>[:ports]`; the default ones when empty
   * @param findOwn finds the addresses of this machine, and blocks of them
   * @throws UsageError naming the rule
   */
  constructor(rules: readonly string[], findOwn: () => readonly string[] = ownAddresses) {
    this.#findOwn = findOwn;
    this.isDefault = rules.length === 0;
    this.rules = this.isDefault ? DEFAULT_RULES : rules;
    this.#rules = this.rules.map(parseRule);
  }

  /** Whether a rule for addresses permits this one, or a rule for names this name at this address. */
  permits(host: string, address: string, port: number): boolean {
    return this.#of(port).some(({ addresses, names, isLocalhost }) => {
      if (addresses)
        return isIn(addresses, address) && !(this.isDefault && isIn(NEVER_BY_DEFAULT, address));
      if (isIP(host) !== 0 || !names?.test(plainName(host))) return false;
      return !this.#isNeverByName(address) || (isLocalhost && isIn(LOOPBACK, address));
    });
  }

  /** Whether any rule could permit this name at some address: if not, it need not even be resolved. */
  mayPermit(host: string, port: number): boolean {
    return this.#of(port).some(
      ({ addresses, names }) => addresses !== null || names?.test(plainName(host)),
    );
  }

  /**
   * Why a target that is not permitted is not, and which rule would permit it. No address is told that the asker did not know.
   *
   * @param addresses those of the name, as far as it was resolved
   */
  refusal(host: string, port: number, addresses: readonly string[] = []): string {
    const target = formatHostPort(host, port);
    // Rules have no zone.
    if (familyOf(host) !== null)
      return `${target} is not allowed here; --allow ${formatHostPort(host.replace(/%.*/s, ''), port)} would permit it`;
    // Where a rule for this name is given, another one would not help either. (What this machine has may have changed since it was asked.)
    const isNamed = this.#of(port).some(({ names }) => names?.test(plainName(host)));
    if (
      addresses.length > 0 &&
      (isNamed || addresses.every((address) => this.#isNeverByName(address)))
    ) {
      return `${target} is not allowed here: its addresses are of this machine, of its links or of a cloud's metadata service, which a rule for names never permits; a rule for them (--allow <address>:${port}) would`;
    }
    return `${target} is not allowed here; --allow ${target}, or a rule for its addresses, would permit it`;
  }

  #isNeverByName(address: string): boolean {
    const nowMs = monotonicClock();
    if (this.#own === null || nowMs >= this.#own.untilMs)
      this.#own = {
        blocks: blocksOf(this.#findOwn().map((own) => own.replace(/%.*/s, ''))),
        untilMs: nowMs + OWN_ADDRESSES_MS,
      };
    const { blocks } = this.#own;
    return [address, unwrapped(address)].some(
      (each) => each !== null && (isIn(NEVER_BY_NAME, each) || isIn(blocks, each)),
    );
  }

  #of(port: number): readonly Rule[] {
    return this.#rules.filter(({ ports }) =>
      ports.some(({ first, last }) => port >= first && port <= last),
    );
  }
}
