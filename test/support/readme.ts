import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { environment } from './command.js';

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
interface ReadmeCommand {
  /** The README that has it. */
  readonly path: string;
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
  const start = String.raw`(?:CMD |sh '|- |run: |command: |ExecStart=\S*/(?=portping))`;
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

/** The command lines of a README: in code blocks, in the files that it shows, and in prose. */
function commandsOf({ path, text }: Readme): ReadmeCommand[] {
  const prose = text.replace(/^```[^]*?^```$/gm, '');
  const isCommand = new RegExp(`^(?:until |docker run .*)?${PROGRAM} `);
  const indented = [...prose.matchAll(/^ {4,6}(?:\$ )?(\S.*)$/gm)]
    .map(([, line = '']) => line.replace(/ {2,}\S.*$/, ''))
    .filter((line) => isCommand.test(line));
  const shown = fencesOf(text).flatMap(({ code }) => commandsInFile(code));
  const spans = [...prose.matchAll(/`([^`\n]+)`(\s+fails\s+with\s+exit\s+code\s+64)?/g)].filter(
    ([, code = '']) => isCommand.test(code),
  );
  return [
    ...[...indented, ...shown].map((line) => ({ path, line, isRefused: false })),
    ...spans.map(([, line = '', fails]) => ({ path, line, isRefused: fails !== undefined })),
  ];
}

/** All command lines of portping in the READMEs, without those of tests, which are titles. */
export const README_COMMANDS: readonly ReadmeCommand[] = READMES.filter(
  ({ path }) => !path.startsWith('test/'),
).flatMap(commandsOf);

/** Programs that pass their words on to portping, and others that do nothing. */
const PROGRAMS = {
  npx: '[ "$1" = --yes ] && shift; shift; exec portping "$@"',
  docker: `
    program=portping
    while [ "$1" != portping ] && [ "$1" != ./portping-1.0.0.tgz ]; do
      [ "$1" = --entrypoint ] && program=$2 && shift
      shift
    done
    shift; exec "$program" "$@"`,
  jq: 'cat > /dev/null',
  npm: '',
  migrate: '',
  'send-queue': '',
};

/** The environment of command lines that are run in a folder of `makeReadmeFolder`. */
export const readmeEnvironment = (folder: string): Record<string, string> => ({
  PATH: `${folder}:${environment.PATH}`,
  host: 'db',
  port: '5432',
});

/**
 * Makes a folder in which command lines of the READMEs can be run.
 *
 * @param scriptOf what the shell is to do for `portping` and `portping-exporter`
 */
export async function makeReadmeFolder(scriptOf: (program: string) => string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'portping-readme-'));
  const own = ['portping', 'portping-exporter'].map((name) => [name, scriptOf(name)] as const);
  for (const [name, script] of [...own, ...Object.entries(PROGRAMS)]) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  for (const name of ['rules.txt', 'targets.txt'])
    await writeFile(join(folder, name), readmeBlock('', '# what must be open'));
  return folder;
}
