import type { Conversation } from '../conversation/conversation.js';
import type { ProtocolName } from '../conversation/protocol-signatures.js';

/** SMTP and FTP greet alike: half a greeting (`220 ftp.exam`) does not tell which one it is. */
export const GREETS_BY_NUMBER: readonly ProtocolName[] = ['SMTP', 'FTP'];

/** A reply of SMTP (RFC 5321, 4.2) or FTP (RFC 959, 4.2): three digits and one line or more. */
export interface NumberedReply {
  readonly code: number;
  /** All lines, each with its code. */
  readonly lines: readonly string[];
  /** The first of them. */
  readonly line: string;
}

/**
 * Reads a reply to its last line. In FTP the lines between may be anything. In SMTP all have the
 * same code (RFC 5321, 4.2.1), so a last line with another code is an error: waiting for the right
 * one would only end at the deadline.
 */
export async function readReply(
  conversation: Conversation,
  awaited: 'its greeting' | `its answer to ${string}`,
  protocol: 'SMTP' | 'FTP',
): Promise<NumberedReply> {
  const first = await conversation.readLine(awaited);
  const [, digits, hyphen] = /^([1-5]\d\d)(?:([ -])|$)/.exec(first) ?? [];
  if (digits === undefined) {
    const kind = awaited === 'its greeting' ? 'greeting' : 'reply';
    throw conversation.unexpected(first, `an ${protocol} ${kind}`);
  }
  const lines = [first];
  for (let isLast = hyphen !== '-'; !isLast;) {
    const line = await conversation.readLine(awaited);
    lines.push(line);
    isLast = line === digits || line.startsWith(`${digits} `);
    if (!isLast && protocol === 'SMTP' && /^[1-5]\d\d( |$)/.test(line))
      throw conversation.unexpected(
        line,
        `the last line of ${awaited}, which began with ${digits}`,
      );
  }
  return { code: Number(digits), lines, line: first };
}
