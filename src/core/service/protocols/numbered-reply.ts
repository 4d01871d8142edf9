import type { Conversation } from '../conversation/conversation.js';

/** A reply of SMTP (RFC 5321, 4.2) or FTP (RFC 959, 4.2): three digits, and text in one line or several. */
export interface NumberedReply {
  readonly code: number;
  readonly lines: readonly string[];
}

/**
 * Reads a reply to its last line. The lines between the first and the last of FTP's may be anything; of SMTP's, all have the same code (RFC 5321,
 * 4.2.1), and a last line with another one is refused: the right one would be waited for in vain.
 */
export async function readReply(
  talk: Conversation,
  awaited: 'its greeting' | `its answer to ${string}`,
  protocol: 'SMTP' | 'FTP',
): Promise<NumberedReply> {
  const first = await talk.readLine(awaited);
  const [, digits, hyphen] = /^([1-5]\d\d)(?:([ -])|$)/.exec(first) ?? [];
  if (digits === undefined)
    return talk.refuse(
      first,
      `${awaited === 'its greeting' ? 'a greeting' : 'an answer'} of ${protocol}`,
    );
  const lines = [first];
  for (let last = hyphen !== '-'; !last;) {
    const line = await talk.readLine(awaited);
    lines.push(line);
    last = line === digits || line.startsWith(`${digits} `);
    if (!last && protocol === 'SMTP' && /^[1-5]\d\d( |$)/.test(line))
      talk.refuse(line, `the end of ${awaited}, which began with ${digits}`);
  }
  return { code: Number(digits), lines };
}
