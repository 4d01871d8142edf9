/** Characters that no report lets through, as the inside of a class of a regular expression. */
const HARMFUL_CHARACTERS = [
  String.raw`\x00-\x1f\x7f-\x9f`, // C0, DEL, C1
  String.raw`\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f`, // zero width, direction
  String.raw`\u2028-\u202e`, // separators of lines and paragraphs, direction
  String.raw`\u2060-\u206f\u3164\ufeff\uffa0`, // zero width, direction, fillers
  String.raw`\ufff9-\ufffb\ufffe\uffff`, // annotations, what XML forbids
  String.raw`\p{Cs}\u{e0000}-\u{e0fff}`, // lone surrogates, tags
].join('');
const HARMFUL = `[${HARMFUL_CHARACTERS}]`;

/** Printable ASCII without backslashes. The patterns below take long to compile. */
const HARMLESS = /^[ -[\]-~]*$/;

let patterns: { readonly harmful: RegExp; readonly backslashes: RegExp } | undefined;

const compilePatterns = () =>
  (patterns ??= {
    harmful: new RegExp(HARMFUL, 'gu'),
    backslashes: new RegExp(
      String.raw`\\+(?=x[\da-f]{2}|u[\da-f]{4}|u\{[\da-f]+\}|${HARMFUL})`,
      'giu',
    ),
  });

/**
 * Whether what `JSON.stringify` wrote is printable ASCII, many times as fast as by a regular
 * expression: of the control characters in ASCII it writes only DEL as it is.
 */
const isPrintableAscii = (json: string): boolean =>
  Buffer.byteLength(json) === json.length && !json.includes('\x7f');

/**
 * What `JSON.stringify` wrote, with harmful characters (see `escapeControls`) escaped in JSON's own
 * way, which it does itself only below U+0020. A parser reads the same value.
 */
export function escapeJson(json: string): string {
  if (isPrintableAscii(json)) return json; // nearly always
  const unit = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`;
  return json.replace(compilePatterns().harmful, (character) =>
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

/**
 * Text for XML or HTML, in an element or a quoted attribute. Control characters must have been
 * escaped before (see `escapeControls`).
 */
export const escapeMarkup = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/**
 * Makes text from the network or the command line safe for a terminal. Escaped as `\x1b`, `\u202e`
 * or `\u{e0041}` are control characters (C0, DEL, C1), line and paragraph separators, marks that
 * reorder or hide text (bidirectional controls, zero-width characters, tags, U+FEFF), what XML
 * forbids (U+FFFE, U+FFFF), and lone surrogates. Backslashes are doubled only where they would read
 * as such an escape, so that different texts stay different.
 */
export function escapeControls(text: string): string {
  if (HARMLESS.test(text)) return text;
  const { harmful, backslashes } = compilePatterns();
  return text.replace(backslashes, '$&$&').replace(harmful, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code > 0xffff) return `\\u{${code.toString(16)}}`;
    return code <= 0xff
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
