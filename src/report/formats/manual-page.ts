/** A term and what it means. */
interface ManualEntry {
  /** Printed bold. */
  readonly term: string;
  readonly text: string;
}

/** A manual page, before it is written in the language of man(7). */
export interface ManualPage {
  readonly name: string;
  /** What the program does, for the first line of the page and for whatis(1). */
  readonly purpose: string;
  /** The forms of a command line, without the name. */
  readonly usages: readonly string[];
  readonly sections: readonly {
    readonly title: string;
    readonly text?: string | undefined;
    readonly entries?: readonly ManualEntry[];
  }[];
  /** Pages to read too, of section 1. */
  readonly related: readonly string[];
}

/** Characters that roff reads or prints as something else (groff_char(7)). */
const GLYPHS: Readonly<Record<string, string>> = {
  '\\': String.raw`\e`,
  '-': String.raw`\-`,
  '^': String.raw`\(ha`,
  '~': String.raw`\(ti`,
  '`': String.raw`\(ga`,
  "'": String.raw`\(aq`,
  '"': String.raw`\(dq`,
};

const MAX_LINE = 72;

/** Text as roff prints it unchanged. */
function escape(text: string): string {
  return text.replace(/[\\^~`'"-]/g, (each) => GLYPHS[each] ?? each).replace(/^\./, '\\&.');
}

/** Text in lines that fit a terminal; roff joins them again. */
function fill(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line === undefined || line.length + word.length >= MAX_LINE) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.map(escape).join('\n');
}

const bold = (text: string): string => `\\fB${escape(text)}\\fR`;

function entry({ term, text }: ManualEntry): string {
  return `.TP\n${bold(term)}\n${fill(text)}`;
}

/**
 * A manual page in the language of man(7).
 *
 * @param date the day it was written, in ISO 8601
 */
export function formatManualPage(page: ManualPage, version: string, date: string): string {
  const { name, purpose, usages, sections, related } = page;
  const parts = [
    `.TH ${name.toUpperCase()} 1 ${date} "portping ${version}" "User Commands"`,
    // Words that are copied are never hyphenated, and blanks never doubled.
    `.nh\n.ad l\n.SH NAME\n${escape(name)} \\-\n${fill(purpose)}`,
    `.SH SYNOPSIS\n${usages.map((usage) => `${bold(name)} ${escape(usage)}`).join('\n.br\n')}`,
    ...sections.flatMap(({ title, text, entries = [] }) => [
      `.SH ${title}`,
      ...(text === undefined ? [] : [fill(text)]),
      ...entries.map(entry),
    ]),
    `.SH SEE ALSO\n${related.map((each) => `.BR ${escape(each)} (1)`).join('\n')}`,
  ];
  return `${parts.join('\n')}\n`;
}
