/** The first bytes of well-known protocols, read as ISO 8859-1. */
const SIGNATURES = [
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
  [/^\x00\x00[^]\x04\x00\x00\x00\x00\x00/, 'HTTP/2'], // SETTINGS (RFC 9113, 3.4)
] as const satisfies readonly (readonly [pattern: RegExp, name: string])[];

/** A protocol that its first bytes identify. */
export type ProtocolName = (typeof SIGNATURES)[number][1];

/** The protocol that these first bytes identify, or null. Looks at 512 bytes at most. */
export function recognizeProtocol(bytes: Buffer): ProtocolName | null {
  const text = bytes.toString('latin1', 0, 512);
  return SIGNATURES.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
