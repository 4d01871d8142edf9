import { isUtf8 } from 'node:buffer';

/** Decodes valid UTF-8 as such; anything else as ISO 8859-1, one character a byte. */
export function decodeText(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}

/** Decodes at most this many bytes, ending with `…` if cut. Never cuts a UTF-8 character. */
export function cutText(bytes: Buffer, maxBytes: number): string {
  if (bytes.length <= maxBytes) return decodeText(bytes);
  let end = maxBytes;
  while (end > maxBytes - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${decodeText(bytes.subarray(0, end))}…`;
}

const MAX_QUOTED_CHARACTERS = 120;

/** A text in quotation marks, cut to 120 characters. */
export function quote(text: string): string {
  const isLong = text.length > MAX_QUOTED_CHARACTERS;
  return `"${isLong ? `${text.slice(0, MAX_QUOTED_CHARACTERS)}…` : text}"`;
}
