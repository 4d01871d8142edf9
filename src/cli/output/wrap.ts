/** The indent of the lines that continue another one which has no column of its own. */
const INDENT = 2;

/** Escape sequences that colour text. They take no room. */
const COLOURS = /\x1b\[[\d;]*m/g;

/**
 * What is never broken: a word, text in backticks, an option or `portping` with the next word, and
 * a command line after "write:", which is there to be copied.
 */
const UNIT =
  /(?<=; write: |, or )portping .+?(?=, or portping | \(see: )|(?:portping (?=\S))?(?:(?:\x1b\[[\d;]*m|["'(])*--?\w[\w-]* (?=\S))?(?:`[^`]*`|\S)+/g;

/** Characters of two columns begin here, apart from those below (UAX #11). */
const FIRST_WIDE = 0x1100;

/** Punctuation, arrows, box drawing, blocks and marks: one column each. */
const isNarrowSymbol = (code: number): boolean => code >= 0x2000 && code < 0x2e80;

/** The columns that a text takes on a terminal, or a few more: a full table takes 30 ms to load. */
function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text.replace(COLOURS, '')) {
    const code = character.codePointAt(0) ?? 0;
    columns += code < FIRST_WIDE || isNarrowSymbol(code) ? 1 : 2;
  }
  return columns;
}

/** The column below which a line goes on: that of its text, after a name, a time or a title. */
function hangingIndent(line: string, columns: number): number {
  const [title = ''] = /^(?:\S+ )*\S* {2,}(?=\S)/.exec(line.replace(COLOURS, '')) ?? [];
  const indent = columnsOf(title);
  return indent > 0 && indent <= columns / 3 ? indent : Math.min(INDENT, columns - 1);
}

/** The words of a line with the blanks before each; a unit that fits no line is broken, too. */
function* pieces(line: string, room: number): Generator<readonly [blanks: string, text: string]> {
  let end = 0;
  for (const { 0: unit, index } of line.matchAll(UNIT)) {
    const parts = columnsOf(unit) > room ? unit.split(' ') : [unit];
    let blanks = line.slice(end, index);
    for (const part of parts) {
      yield [blanks, part];
      blanks = ' ';
    }
    end = index + unit.length;
  }
}

function wrapLine(line: string, columns: number): string {
  if (columnsOf(line) <= columns) return line;
  const indent = hangingIndent(line, columns);
  let wrapped = '';
  let used = 0;
  for (const [blanks, text] of pieces(line, columns - indent)) {
    const width = columnsOf(text);
    const fits = used + blanks.length + width <= columns;
    wrapped += fits || used === 0 ? `${blanks}${text}` : `\n${' '.repeat(indent)}${text}`;
    used = fits || used === 0 ? used + blanks.length + width : indent + width;
  }
  return wrapped;
}

/** Breaks the lines of a text at blanks, so that a terminal does not break them within words. */
export const wrapText = (text: string, columns: number): string =>
  text
    .split('\n')
    .map((line) => wrapLine(line, columns))
    .join('\n');
