import { readFileSync } from 'node:fs';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The code blocks of README.md in one language (`yaml`; empty for none), in order. */
export function readmeBlocks(language: string): string[] {
  return [...readme.matchAll(/^```(\w*)\n([^]*?)^```$/gm)]
    .filter(([, of]) => of === language)
    .map(([, , code]) => code ?? '');
}

/** The only block of README.md that contains this text. */
export function readmeBlock(language: string, text: string): string {
  const [block, another] = readmeBlocks(language).filter((each) => each.includes(text));
  if (block === undefined || another !== undefined)
    throw new Error(`README.md must have exactly one ${language || 'plain'} block with "${text}"`);
  return block;
}
