import { isUtf8 } from 'node:buffer';

/** Bytes as text: UTF-8 where they are that, else each byte as the character of that number (ISO 8859-1). */
export function decodeText(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}

/** At most so many bytes, and not half of a character of UTF-8. */
export function cutText(bytes: Buffer, most: number): string {
  if (bytes.length <= most) return decodeText(bytes);
  let end = most;
  while (end > most - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${decodeText(bytes.subarray(0, end))}…`;
}

const MOST_QUOTED = 120;

/** A text in quotation marks, its beginning where it is long. */
export function quote(text: string): string {
  return `"${text.length > MOST_QUOTED ? `${text.slice(0, MOST_QUOTED)}…` : text}"`;
}

/** What the first bytes of well-known services look like, as characters of ISO 8859-1. */
const LOOKS = [
  [/^SSH-\d/, 'SSH'],
  [/^HTTP\/\d/, 'HTTP'],
  [/^\* (OK|PREAUTH|BYE)\b/i, 'IMAP'],
  [/^\+OK\b/i, 'POP3'],
  [/^(220|421|554)[ -].*smtp/i, 'SMTP'],
  [/^(220|421)[ -].*ftp/i, 'FTP'],
  [/^20[01][ -].*(nntp|inn\b|news)/i, 'NNTP'],
  [/^RFB \d{3}\.\d{3}/, 'VNC'],
  [/^[\x14-\x17]\x03[\x00-\x04]/, 'TLS'],
  [/^\x03\x00[^]{2}[^][\xd0\x80\x70\xe0]/, 'an ISO transport'],
  [/^[^]{3}\x00[\x0a\xff]/, 'MySQL'],
  [/^\xff[\xfb-\xfe]/, 'Telnet'],
] as const satisfies readonly (readonly [pattern: RegExp, name: string])[];

/** A protocol that is known by its first bytes. */
export type Protocol = (typeof LOOKS)[number][1];

/** The name of the protocol that bytes look like, or null when none is known. */
export function recognizeProtocol(bytes: Buffer): Protocol | null {
  const text = bytes.toString('latin1', 0, 512);
  return LOOKS.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
