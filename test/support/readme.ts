import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A README of the tree. */
export interface Readme {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** Every README.md of the tree; that of the root is the first. */
export const READMES: readonly Readme[] = [
  'README.md',
  ...['src', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .map((path) => join(folder, String(path)))
      .filter((path) => /\bREADME\.md$/.test(path))
      .map((path) => relative('.', path).split(sep).join('/')),
  ),
].map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** The fenced code blocks of a text, in order. */
export function fencesOf(text: string): { language: string; code: string }[] {
  return [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));
}

/** The code blocks of all READMEs in one language (`yaml`; empty for none), in order. */
export function readmeBlocks(language: string): string[] {
  return READMES.flatMap(({ text }) => fencesOf(text))
    .filter((fence) => fence.language === language)
    .map(({ code }) => code);
}

/** The only block of all READMEs that contains this text. */
export function readmeBlock(language: string, text: string): string {
  const [block, another] = readmeBlocks(language).filter((each) => each.includes(text));
  if (block === undefined || another !== undefined)
    throw new Error(`there must be exactly one ${language || 'plain'} block with "${text}"`);
  return block;
}

/** A command line of a README, as a shell reads it. */
export interface ReadmeCommand {
  readonly line: string;
  /** Whether the text says that it fails with exit code 64. */
  readonly isRefused: boolean;
}

const PROGRAM = String.raw`(?:npx (?:--yes )?(?:\./)?portping\S*|portping|portping-exporter)`;

/** Words as one line that a shell splits into the same words. */
const quote = (words: readonly string[]): string =>
  words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`)).join(' ');

/** The commands in the files that a fenced block shows. */
function commandsInFile(code: string): string[] {
  const start = String.raw`(?:CMD |sh '|- |run: |ExecStart=\S*/(?=portping))`;
  const lines = code.matchAll(new RegExp(`${start}(${PROGRAM} [^'\\n]*)`, 'g'));
  const arrays = code.matchAll(/(?:command|args): (\[.*?\])/g);
  return [
    ...[...lines].map(([, line = '']) => line),
    ...[...arrays].map(([, list = '']) => {
      const words = parse(list) as string[];
      return quote(words[0] === 'portping' ? words : ['portping', ...words]);
    }),
  ];
}

/** Every command line of portping in a text: in code blocks, in the files shown, and in prose. */
export function commandsOf(text: string): ReadmeCommand[] {
  const prose = text.replace(/^```[^]*?^```$/gm, '');
  const isCommand = new RegExp(`^(?:until |docker run .*)?${PROGRAM} `);
  const indented = [...prose.matchAll(/^ {4,6}(?:\$ )?(\S.*)$/gm)]
    .map(([, line = '']) => line.replace(/ {2,}\S.*$/, ''))
    .filter((line) => isCommand.test(line));
  const spans = [...prose.matchAll(/`([^`\n]+)`(\s+fails with\s+exit code 64)?/g)].filter(
    ([, code = '']) => isCommand.test(code),
  );
  return [
    ...[...indented, ...fencesOf(text).flatMap(({ code }) => commandsInFile(code))].map((line) => ({
      line,
      isRefused: false,
    })),
    ...spans.map(([, line = '', fails]) => ({ line, isRefused: fails !== undefined })),
  ];
}
