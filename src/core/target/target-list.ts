import { type Expectation, EXPECTATIONS } from '../states.js';
import { parsePort } from './port-names.js';
import { familyOf, isLinkLocal, parseHost, type Target } from './target.js';
import { parseUrl } from './url.js';
import { refuseOtherScheme } from './schemes.js';
import { UsageError } from '../usage-error.js';

/** A target that is to be probed, with what is expected of it when that is not the same for all. */
export interface TargetRequest {
  readonly target: Target;
  /** Overrules the expectation of the whole run. */
  readonly expect?: Expectation | undefined;
  /** Where it was asked for, e.g. `targets.txt:12`. */
  readonly origin?: string;
}

/** The most addresses that one CIDR block may stand for: a /16 of IPv4, a /112 of IPv6. */
export const MAX_BLOCK = 65_536;

/**
 * Ports that follow each other, the first and the last included; the same twice for a single one.
 */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Hosts and ports that one entry stands for, without being written out. */
export interface TargetBlock {
  /** How many targets it stands for. */
  readonly size: number;
  /** Whether every host is a literal address, so that nothing is to be resolved. */
  readonly literal: boolean;
  /** The ports, without going through the hosts; one may come more than once. */
  readonly ports: () => Generator<number, void, undefined>;
  /** Each of them: every port of the first host, then of the next. */
  readonly targets: () => Generator<Target, void, undefined>;
}

/**
 * Ports: one, a list (`25,80,smtp`), a range (`8000-8010`), or both.
 *
 * @throws UsageError when one is not a port, or a range runs backwards
 */
export function parsePorts(text: string): readonly PortRange[] {
  return text.split(',').map((part) => {
    const [, from, to] = /^(\d+)-(\d+)$/.exec(part) ?? [];
    if (from === undefined || to === undefined) {
      const port = parsePort(part);
      return { first: port, last: port };
    }
    const [first, last] = [parsePort(from), parsePort(to)];
    if (first > last)
      throw new UsageError(`port: the range ${part} runs backwards; allowed: ${last}-${first}`);
    return { first, last };
  });
}

const isBlock = (host: string): boolean => /\/\d+$/.test(host);

function toNumber(address: string, family: 4 | 6): bigint {
  if (family === 4) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const tail = dotted ? toNumber(dotted[2] ?? '', 4) : 0n;
  const text = dotted
    ? `${dotted[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`
    : address;
  const [head = '', rest] = text.split('::');
  const groups = (part: string | undefined): string[] => (part ? part.split(':') : []);
  const zeros = rest === undefined ? 0 : 8 - groups(head).length - groups(rest).length;
  return [...groups(head), ...Array<string>(zeros).fill('0'), ...groups(rest)].reduce(
    (sum, group) => sum * 65_536n + BigInt(`0x${group}`),
    0n,
  );
}

function toAddress(value: bigint, family: 4 | 6): string {
  if (family === 4)
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  ).join(':');
  // The longest run of zero groups becomes "::" (RFC 5952, section 4.2.3), the first of equals.
  const zeros = (run: string): number => run.split('0').length;
  const [longest] = [...groups.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort(
    ([a], [b]) => zeros(b) - zeros(a),
  );
  if (!longest) return groups;
  const rest = groups.slice(longest.index + longest[0].length + 1);
  return `${groups.slice(0, longest.index)}::${rest}`;
}

/** The addresses of a CIDR block (RFC 4632), its first and last included. */
function parseBlock(text: string): {
  size: number;
  hosts: () => Generator<string, void, undefined>;
} {
  const [, rawHost = '', rawBits = ''] = /^\[?([^\]]*)\]?\/(\d+)$/.exec(text) ?? [];
  const family = familyOf(rawHost);
  const width = family === 6 ? 128 : 32;
  const bits = Number(rawBits);
  if (family === null || rawHost.includes('%'))
    throw new UsageError(
      `host: "${text}" is not a block of addresses; ` +
        `allowed: an address and a length, such as 10.0.0.0/28`,
    );
  if (bits > width)
    throw new UsageError(
      `host: ${text} has a length of ${bits}; allowed: ${width - 16} to ${width}`,
    );
  if (isLinkLocal(rawHost))
    throw new UsageError(
      `host: ${text} is a block of link-local addresses, ` +
        `which say nothing without their interface; name each with it, as in fe80::1%eth0`,
    );
  const size = 2 ** (width - bits);
  if (size > MAX_BLOCK)
    throw new UsageError(
      `host: ${text} is ${Number.isSafeInteger(size) ? size : `2^${width - bits}`} addresses; ` +
        `allowed: at most ${MAX_BLOCK} (/${width - 16})`,
    );
  const first = (toNumber(rawHost, family) >> BigInt(width - bits)) << BigInt(width - bits);
  return {
    size,
    *hosts() {
      for (let offset = 0n; offset < BigInt(size); offset += 1n)
        yield toAddress(first + offset, family);
    },
  };
}

function parseHosts(text: string): {
  size: number;
  literal: boolean;
  hosts: () => Iterable<string>;
} {
  if (isBlock(text)) return { ...parseBlock(text), literal: true };
  const host = parseHost(text);
  return { size: 1, literal: familyOf(host) !== null, hosts: () => [host] };
}

function* portsOf(ranges: readonly PortRange[]): Generator<number, void, undefined> {
  for (const { first, last } of ranges) for (let port = first; port <= last; port += 1) yield port;
}

function blockOf(hostText: string, portTexts: readonly string[]): TargetBlock {
  const { size, literal, hosts } = parseHosts(hostText);
  const ranges = portTexts.flatMap(parsePorts);
  return {
    size: size * ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0),
    literal,
    ports: () => portsOf(ranges),
    *targets() {
      for (const host of hosts()) for (const port of portsOf(ranges)) yield { host, port };
    },
  };
}

const isUrl = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text);

/** Host and port in one word; null when the word has no port. */
function splitWord(word: string): { host: string; ports: string } | null {
  const [, host, ports] = /^(\[[^\]]*\](?:\/\d+)?|[^:]*):([^:]*)$/s.exec(word) ?? [];
  return host === undefined || ports === undefined ? null : { host, ports };
}

/** `[::1]:80` for `::1:80`, which is an address, though its last group may be meant as the port. */
function guessHostPort(word: string): string | null {
  const [, host = '', port = ''] = /^(.*):([1-9]\d*)$/s.exec(word) ?? [];
  return familyOf(host) === 6 ? `[${host}]:${port}` : null;
}

function parseWord(word: string): TargetBlock {
  if (isUrl(word)) {
    const { host, port } = parseUrl(word);
    return blockOf(host, [String(port)]);
  }
  const split = splitWord(word);
  if (split) return blockOf(split.host, [split.ports]);
  parseHosts(word); // says what is wrong with the host, if something is
  const [, host = word, bits = ''] = /^\[?([^\]/]*)\]?(\/\d+)?$/.exec(word) ?? [];
  const guess = guessHostPort(word);
  const first =
    guess === null ? `${word} 443` : `${guess} if ${word.replace(/.*:/s, '')} is the port`;
  throw new UsageError(
    `port: none given for ${word}; ` +
      `write: ${first}, or ${host.includes(':') ? `[${host}]` : host}${bits}:443`,
  );
}

const isPorts = (text: string): boolean => {
  try {
    return parsePorts(text).length > 0;
  } catch {
    return false;
  }
};

/** Refuses a word without a port after one that has its own. */
function refuseStray(word: string, previous: string): never {
  throw new UsageError(
    isPorts(word)
      ? `arguments: ${previous} already has its port; leave out ${word}, or write host:${word}`
      : `arguments: "${word}" has no port; allowed: host:port or a URL for each`,
  );
}

/**
 * The targets of a command line: `<host> <port...>`, where a port may be a list or a range and the
 * host a CIDR block, or any number of `<host:port>` and URLs.
 *
 * @throws UsageError naming the argument, what is wrong with it and what is allowed
 */
export function parseTargets(words: readonly string[]): TargetBlock {
  const [first, ...rest] = words;
  if (first === undefined)
    throw new UsageError(
      'host: nothing given; write: <host> <port>, for example mail.example.com 25',
    );
  words.forEach(refuseOtherScheme);
  const whole = isUrl(first) || splitWord(first) !== null;
  if (!whole && rest.length > 0) return blockOf(first, rest);
  const stray = rest.findIndex((word) => !isUrl(word) && splitWord(word) === null);
  if (stray >= 0) refuseStray(words[stray + 1] ?? '', words[stray] ?? '');
  const blocks = words.map(parseWord);
  return {
    size: blocks.reduce((sum, { size }) => sum + size, 0),
    literal: blocks.every(({ literal }) => literal),
    *ports() {
      for (const block of blocks) yield* block.ports();
    },
    *targets() {
      for (const block of blocks) yield* block.targets();
    },
  };
}

/**
 * One target: `<host> <port>`, `<host:port>` or a URL whose scheme gives the port unless it is
 * written.
 *
 * @throws UsageError also when the words stand for more than one target
 */
export function parseTarget(words: readonly string[]): Target {
  const { size, targets } = parseTargets(words);
  const [target] = targets();
  if (size !== 1 || !target)
    throw new UsageError(`arguments: "${words.join(' ')}" is ${size} targets; allowed: one`);
  return target;
}

/** Refuses the words after a target that are not a state. */
function refuseExtra(words: readonly string[], expect: Expectation | undefined): never {
  const text = words.join(' ');
  const states = EXPECTATIONS.join(', ');
  throw new UsageError(
    expect || words.length > 1
      ? `arguments: "${text}" is too much; ` +
          `allowed: a host and its ports, host:port or a URL, then one of ${states}`
      : `state: "${text}" is not a state; allowed: ${states}`,
  );
}

/**
 * One line of a file of targets: `host port[,port…]`, `host:port` or a URL, then optionally the
 * state that is expected. `#` begins a comment.
 *
 * @param origin where the line stands (`targets.txt:12`), for error messages
 * @returns null for a line without a target
 * @throws UsageError naming the line
 */
export function parseTargetLine(
  line: string,
  origin: string,
): (TargetBlock & { readonly expect?: Expectation }) | null {
  const words = line
    .replace(/(^|\s)#.*$/s, '')
    .trim()
    .split(/\s+/);
  if (words[0] === '' || words[0] === undefined) return null;
  if (line.includes('\0'))
    throw new UsageError(
      `${origin}: the line has a NUL in it, as text in UTF-16 has; allowed: UTF-8`,
    );
  try {
    const last = words.at(-1);
    const expect = words.length > 1 ? EXPECTATIONS.find((each) => each === last) : undefined;
    const named = expect ? words.slice(0, -1) : words;
    const whole = isUrl(named[0] ?? '') || splitWord(named[0] ?? '') !== null;
    const extra = named.slice(whole ? 1 : 2);
    if (extra.length > 0) refuseExtra(extra, expect);
    return { ...parseTargets(named), ...(expect ? { expect } : {}) };
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${origin}: ${error.message}`);
    throw error;
  }
}
