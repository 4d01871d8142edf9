import type { Conversation } from './conversation.js';

/** A reply of SMTP (RFC 5321, 4.2) or FTP (RFC 959, 4.2): three digits, and text in one line or several. */
export interface NumberedReply {
  readonly code: number;
  readonly lines: readonly string[];
}

/**
 * Reads a reply to its last line. The lines between the first and the last of FTP's may be anything.
 *
 * @param expected what a line that is no reply is told not to be: `a greeting of SMTP`
 */
export async function readReply(talk: Conversation, awaited: string, expected: string): Promise<NumberedReply> {
  const first = await talk.readLine(awaited);
  const [, digits, hyphen] = /^([1-5]\d\d)(?:([ -])|$)/.exec(first) ?? [];
  if (digits === undefined) return talk.refuse(first, expected);
  const lines = [first];
  for (let last = hyphen !== '-'; !last; ) {
    const line = await talk.readLine(awaited);
    lines.push(line);
    last = line === digits || line.startsWith(`${digits} `);
  }
  return { code: Number(digits), lines };
}
