/**
 * Text from the network or the command line made safe for a terminal: control characters (C0, DEL, C1), line and paragraph separators,
 * marks that reorder or hide text (bidirectional controls, zero-width characters, tags, U+FEFF) and lone surrogates become `\x1b`, `\u202e`, `\u{e0041}`.
 * A backslash is doubled only where it would otherwise read as such an escape.
 */
export function escapeControls(text: string): string {
  return text
    .replace(/\\(?=x[0-9a-f]{2}|u[0-9a-f]{4}|u\{)/gi, '\\\\')
    .replace(/[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\p{Cs}\u{e0000}-\u{e0fff}]/gu, (character) => {
      const code = character.codePointAt(0) ?? 0;
      if (code > 0xffff) return `\\u{${code.toString(16)}}`;
      return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    });
}
