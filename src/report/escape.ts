const HARMFUL = String.raw`[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\p{Cs}\u{e0000}-\u{e0fff}]`;
const HARMFUL_CHARACTER = new RegExp(HARMFUL, 'gu');
const AMBIGUOUS_BACKSLASHES = new RegExp(
  String.raw`\\+(?=x[\da-f]{2}|u[\da-f]{4}|u\{[\da-f]+\}|${HARMFUL})`,
  'giu',
);

/**
 * JSON with the same characters escaped in JSON's own way: it does so by itself only below U+0020. What a parser reads stays the same.
 */
export function escapeJson(json: string): string {
  const unit = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`;
  return json.replace(HARMFUL_CHARACTER, (character) =>
    Array.from({ length: character.length }, (_, index) => unit(character.charCodeAt(index))).join(
      '',
    ),
  );
}

/** An object as one line of JSON that is safe for a terminal, ending with a newline. */
export const formatJsonLine = (object: object): string => `${escapeJson(JSON.stringify(object))}\n`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text without control characters (see `escapeControls`) for XML or HTML, in an element or in a quoted attribute. */
export const escapeMarkup = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/**
 * Text from the network or the command line made safe for a terminal: control characters (C0, DEL, C1), line and paragraph separators, marks that
 * reorder or hide text (bidirectional controls, zero-width characters, tags, U+FEFF), what XML forbids (U+FFFE, U+FFFF) and lone surrogates become
 * `\x1b`, `\u202e`, `\u{e0041}`. Backslashes are doubled only where they would otherwise read as such an escape, so that different texts stay different.
 */
export function escapeControls(text: string): string {
  return text.replace(AMBIGUOUS_BACKSLASHES, '$&$&').replace(HARMFUL_CHARACTER, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code > 0xffff) return `\\u{${code.toString(16)}}`;
    return code <= 0xff
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
