import type { Conversation } from '../conversation/conversation.js';
import type { ServiceCheck } from '../conversation/service-check.js';

/** Our end's number in the connection request (SRC-REF); any but 0. */
const OWN_REFERENCE = 0x5050;

/**
 * A TPKT (RFC 1006, section 6, and RFC 2126: version 3, one reserved byte, the length of all) with a COTP connection request (ISO 8073 / X.224, 13.3):
 * class 0, no selectors, and the size that TPDUs may have: 2048 bytes.
 */
export function connectionRequest(): Buffer {
  return Buffer.from([
    0x03,
    0x00,
    0x00,
    0x0e,
    0x09,
    0xe0,
    0x00,
    0x00,
    OWN_REFERENCE >> 8,
    OWN_REFERENCE & 0xff,
    0x00,
    0xc0,
    0x01,
    0x0b,
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

/**
 * What a TPDU (without its TPKT) means, when it is one that answers a connection request: a confirm, a disconnect request or an error.
 *
 * @returns null when it is none of these
 */
export function describeTpdu(tpdu: Buffer): string | null {
  const length = tpdu[0] ?? 0;
  const code = tpdu[1] ?? 0;
  // The header's length does not count itself; 255 is reserved (X.224, 13.2.1).
  if (length === 255 || length + 1 > tpdu.length) return null;
  if ((code & 0xf0) === 0xd0 && length >= 6)
    return `a COTP connection confirm (CC), class ${(tpdu[6] ?? 0) >> 4}`;
  if (code === 0x80 && length >= 6)
    return `a COTP disconnect request (DR), ${DISCONNECT_REASONS[tpdu[6] ?? 0] ?? 'unknown reason'} (${tpdu[6]})`;
  if (code === 0x70 && length >= 4)
    return `a COTP error (ER), ${REJECT_CAUSES[tpdu[4] ?? 0] ?? 'unknown cause'} (${tpdu[4]})`;
  return null;
}

const EXPECTED = 'an answer of an ISO transport';

async function readTpkt(talk: Conversation): Promise<Buffer> {
  const awaited = 'its answer to the connection request';
  await talk.listen(0, awaited);
  const [version] = talk.unread;
  if (version !== 3) talk.refuse(talk.firstLine ?? '', EXPECTED);
  const head = await talk.readBytes(4, awaited);
  const length = head.readUInt16BE(2);
  if (length < 7) talk.refuse(talk.firstLine ?? '', EXPECTED); // less than the shortest TPDU
  return talk.readBytes(length - 4, awaited);
}

/** An ISO transport over TCP, as X.400 uses it: either answer to a connection request, also a no, shows that it is there. */
export const checkX400: ServiceCheck = async (talk) => {
  talk.write(connectionRequest());
  const meaning = describeTpdu(await readTpkt(talk));
  return meaning === null ? talk.refuse(talk.firstLine ?? '', EXPECTED) : { meaning };
};
