import { SocketAddress } from 'node:net';
import { isAliasLoop } from '../facts/outcome.js';

/** A question for the addresses of a name. */
export interface AddressQuestion {
  readonly id: number;
  readonly host: string;
  readonly family: 4 | 6;
}

/** What a reply says, as far as it is about addresses. */
export interface DnsMessage {
  /** The response code (RFC 1035, section 4.1.1). */
  readonly rcode: number;
  /** The answer did not fit into UDP: ask over TCP. */
  readonly isTruncated: boolean;
  readonly addresses: readonly string[];
  /** The names that the name is an alias for (CNAME), in order. A loop ends with a name again. */
  readonly aliases: readonly string[];
  /**
   * It has no address, and it does not say that there is none: the server does no recursion, or
   * only refers to others (RFC 2308, section 2.2).
   */
  readonly isReferral: boolean;
}

/** Types of records and the class of the internet (RFC 1035, section 3.2; RFC 3596). */
const TYPES = { 4: 1, 6: 28 } as const;
const NS = 2;
const CNAME = 5;
const SOA = 6;
const INTERNET = 1;

/** Flags and lengths of RFC 1035, sections 2.3.4 and 4.1. */
const RESPONSE = 0x80_00;
const TRUNCATED = 0x02_00;
const AUTHORITATIVE = 0x04_00;
const RECURSION_DESIRED = 0x01_00;
const RECURSION_AVAILABLE = 0x00_80;
const HEADER_BYTES = 12;
const MOST_LABEL_BYTES = 63;
const MOST_NAME_BYTES = 255;
const POINTER = 0xc0;

/** A name on the wire; null for text that cannot be one. */
function encodeName(name: string): Buffer | null {
  const labels = name
    .replace(/\.$/, '')
    .split('.')
    .map((label) => Buffer.from(label));
  if (labels.some(({ length }) => length === 0 || length > MOST_LABEL_BYTES)) return null;
  const bytes = labels.flatMap((label) => [Buffer.of(label.length), label]);
  const encoded = Buffer.concat([...bytes, Buffer.of(0)]);
  return encoded.length > MOST_NAME_BYTES ? null : encoded;
}

/** The question as a message; null if the host cannot be a name in DNS. */
export function encodeQuestion({ id, host, family }: AddressQuestion): Buffer | null {
  const name = encodeName(host);
  if (name === null) return null;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(RECURSION_DESIRED, 2);
  header.writeUInt16BE(1, 4); // one question
  return Buffer.concat([header, name, Buffer.of(0, TYPES[family], 0, INTERNET)]);
}

/** Reads a message from front to back. Throws RangeError behind its end. */
class Reader {
  offset = HEADER_BYTES;

  constructor(readonly message: Buffer) {}

  number(): number {
    this.offset += 2;
    return this.message.readUInt16BE(this.offset - 2);
  }

  /** A name in lower case, without the final dot; a dot within a label is escaped. */
  name(): string {
    const labels: string[] = [];
    let { offset } = this;
    let isOver = false;
    for (let jumps = 0; jumps < MOST_NAME_BYTES; jumps += 1) {
      const length = this.message.readUInt8(offset);
      const isPointer = length >= POINTER;
      const next = offset + (isPointer ? 2 : 1 + length);
      if (!isOver) this.offset = next;
      if (length === 0) return labels.join('.').toLowerCase();
      if (isPointer) offset = this.message.readUInt16BE(offset) & ~(POINTER << 8);
      else {
        const label = this.message.toString('latin1', offset + 1, next);
        labels.push(label.replace(/[.\\]/g, String.raw`\$&`));
        offset = next;
      }
      isOver ||= isPointer;
    }
    throw new RangeError('a name without end');
  }
}

function readAddress(data: Buffer, family: 4 | 6): string {
  if (data.length !== (family === 4 ? 4 : 16)) throw new RangeError('an address of another length');
  if (family === 4) return data.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => data.readUInt16BE(2 * index).toString(16));
  return new SocketAddress({ family: 'ipv6', address: groups.join(':') }).address;
}

/** The names that a chain of aliases leads through. A loop ends with a name of the chain again. */
function followAliases(host: string, targets: ReadonlyMap<string, string>): string[] {
  const aliases: string[] = [];
  const seen = new Set([host]);
  for (let next = targets.get(host); next !== undefined; next = targets.get(next)) {
    aliases.push(next);
    if (seen.has(next)) break;
    seen.add(next);
  }
  return aliases;
}

/** The records of the answer that lead from the host to its addresses. */
function readRecords(
  reader: Reader,
  count: number,
  { host, family }: AddressQuestion,
): Pick<DnsMessage, 'addresses' | 'aliases'> {
  const targets = new Map<string, string>();
  const found: { readonly owner: string; readonly address: string }[] = [];
  for (let index = 0; index < count; index += 1) {
    const owner = reader.name();
    const type = reader.number();
    reader.offset += 6; // class and time to live
    const length = reader.number();
    const start = reader.offset;
    if (start + length > reader.message.length) throw new RangeError('a record without end');
    if (type === CNAME) targets.set(owner, reader.name());
    else if (type === TYPES[family])
      found.push({
        owner,
        address: readAddress(reader.message.subarray(start, start + length), family),
      });
    reader.offset = start + length;
  }
  const aliases = followAliases(host, targets);
  const last = aliases.at(-1) ?? host;
  const addresses = found.filter(({ owner }) => owner === last).map(({ address }) => address);
  return { addresses, aliases };
}

/** The types of the records that follow. */
function readTypes(reader: Reader, count: number): Set<number> {
  const types = new Set<number>();
  for (let index = 0; index < count; index += 1) {
    reader.name();
    types.add(reader.number());
    reader.offset += 6; // class and time to live
    reader.offset += reader.number();
  }
  return types;
}

/**
 * Whether a reply without addresses refers to other servers. With SOA it says that there is no
 * address. Without SOA and NS that counts only from a server that resolves, or that has the name's
 * own zone; the target of an alias may be in another one.
 */
function isReferral(flags: number, authority: ReadonlySet<number>, hasAlias: boolean): boolean {
  if (authority.has(SOA)) return false;
  if ((flags & AUTHORITATIVE) !== 0 && !hasAlias) return false;
  return authority.has(NS) || (flags & RECURSION_AVAILABLE) === 0;
}

/**
 * Parses the reply to a question.
 *
 * @returns null for a message that is no reply to it
 * @throws RangeError if it is malformed
 */
export function parseReply(message: Buffer, question: AddressQuestion): DnsMessage | null {
  if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== question.id) return null;
  const flags = message.readUInt16BE(2);
  const questions = message.readUInt16BE(4);
  const answers = message.readUInt16BE(6);
  if ((flags & RESPONSE) === 0) return null;
  const rcode = flags & 0xf;
  const isTruncated = (flags & TRUNCATED) !== 0;
  const host = question.host.toLowerCase().replace(/\.$/, '');
  const reader = new Reader(message);
  if (questions > 1 || (questions === 0 && rcode === 0)) return null;
  if (questions === 1) {
    const isSame = reader.name() === host && reader.number() === TYPES[question.family];
    if (!isSame) return null;
    reader.offset += 2; // class
  }
  if (isTruncated) return { rcode, isTruncated, addresses: [], aliases: [], isReferral: false };
  const records = readRecords(reader, answers, { ...question, host });
  const { addresses, aliases } = records;
  const isEmpty = rcode === 0 && addresses.length === 0 && !isAliasLoop(host, aliases);
  const authority = isEmpty ? readTypes(reader, message.readUInt16BE(8)) : new Set<number>();
  return {
    rcode,
    isTruncated,
    ...records,
    isReferral: isEmpty && isReferral(flags, authority, aliases.length > 0),
  };
}
