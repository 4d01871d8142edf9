import type { Conversation } from '../conversation/conversation.js';
import type { ServiceProtocol } from '../conversation/service-protocol.js';

/** Our number for the connection (SRC-REF): any except 0. */
const OWN_REFERENCE = 0x5050;

/**
 * A TPKT (RFC 1006, section 6, and RFC 2126) with a COTP connection request (ISO 8073 / X.224,
 * 13.3): class 0, no selectors, TPDUs of at most 2048 bytes.
 */
export function connectionRequest(): Buffer {
  return Buffer.concat([
    Buffer.from([0x03, 0x00, 0x00, 0x0e]), // TPKT: version 3, reserved, length of all
    Buffer.from([0x09, 0xe0, 0x00, 0x00]), // length of the header, CR, DST-REF
    Buffer.from([OWN_REFERENCE >> 8, OWN_REFERENCE & 0xff, 0x00]), // SRC-REF, class 0
    Buffer.from([0xc0, 0x01, 0x0b]), // TPDU size: 2 to the power of 11
  ]);
}

/** Reasons of a disconnect request (X.224, 13.5.3 d). */
const DISCONNECT_REASONS: Readonly<Record<number, string>> = {
  0: 'reason not specified',
  1: 'congestion at the TSAP',
  2: 'no session entity is attached to the TSAP',
  3: 'address unknown',
  128: 'normal disconnect by the session entity',
  129: 'congestion of the transport entity',
  130: 'the proposed class is not supported',
  131: 'duplicate source reference',
  132: 'mismatched references',
  133: 'protocol error',
  135: 'reference overflow',
  136: 'connection request refused on this network connection',
  138: 'header or parameter length invalid',
};

/** Causes of a TPDU error (X.224, 13.12.3 c). */
const REJECT_CAUSES: Readonly<Record<number, string>> = {
  0: 'reason not specified',
  1: 'invalid parameter code',
  2: 'invalid TPDU type',
  3: 'invalid parameter value',
};

/** The value of a table, and the number itself: `address unknown (3)`. */
const lookUp = (table: Readonly<Record<number, string>>, key: number, kind: string): string =>
  `${table[key] ?? `unknown ${kind}`} (${key})`;

/**
 * Describes a TPDU (without its TPKT) that answers a connection request: a confirm, a disconnect
 * request or an error.
 *
 * @returns null when it is none of these
 */
export function describeTpdu(tpdu: Buffer): string | null {
  const at = (index: number): number => tpdu[index] ?? 0;
  const length = at(0);
  const code = at(1);
  // The header's length does not count itself; 255 is reserved (X.224, 13.2.1).
  if (length === 255 || length + 1 > tpdu.length) return null;
  if ((code & 0xf0) === 0xd0 && length >= 6)
    return `a COTP connection confirm (CC), class ${at(6) >> 4}`;
  if (code === 0x80 && length >= 6)
    return `a COTP disconnect request (DR), ${lookUp(DISCONNECT_REASONS, at(6), 'reason')}`;
  if (code === 0x70 && length >= 4)
    return `a COTP error (ER), ${lookUp(REJECT_CAUSES, at(4), 'cause')}`;
  return null;
}

const EXPECTED = 'an ISO transport answer';

/** The length of the shortest TPKT: its head and the shortest TPDU. */
const MIN_TPKT_BYTES = 7;

async function readTpkt(conversation: Conversation): Promise<Buffer> {
  const awaited = 'its answer to the connection request';
  await conversation.waitForInput(0, awaited);
  const [version] = conversation.unread;
  if (version !== 3) throw conversation.unexpected(conversation.firstLine ?? '', EXPECTED);
  const head = await conversation.readBytes(4, awaited);
  const length = head.readUInt16BE(2);
  if (length < MIN_TPKT_BYTES)
    throw conversation.unexpected(conversation.firstLine ?? '', EXPECTED);
  return conversation.readBytes(length - 4, awaited);
}

/**
 * An ISO transport over TCP, as X.400 uses it. Every answer to a connection request, also a
 * refusal, shows that it is there.
 */
export const x400: ServiceProtocol = {
  recognizedAs: ['an ISO transport'],
  async check(conversation) {
    conversation.write(connectionRequest());
    const meaning = describeTpdu(await readTpkt(conversation));
    if (meaning === null) throw conversation.unexpected(conversation.firstLine ?? '', EXPECTED);
    return { meaning };
  },
};
