import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
const map = readFileSync(`${root}src/README.md`, 'utf8');

/** The rows of the map: what is to be changed, and the paths that the row names. */
const rows = map
  .split('\n')
  .filter((line) => /^\| (?!to change)[^-]/.test(line))
  .map((line) => {
    const [, change = '', ...cells] = line.split('|').map((cell) => cell.trim());
    const paths = [...cells.join(' ').matchAll(/`([^`\s]+)`/g)].map(([, path = '']) => path);
    return [change, paths] as const;
  });

/** A path of the map is below src/, or begins with test/. */
const placeOf = (path: string): string => `${root}${path.startsWith('test/') ? '' : 'src/'}${path}`;

describe('the map of the source', () => {
  it('has a row for every thing that is often changed', () => {
    expect(rows.length).toBeGreaterThan(30);
  });

  it.each(rows)('names only places that exist for "%s"', (_change, paths) => {
    expect(paths).not.toEqual([]);
    expect(paths.filter((path) => path.includes('/') && !existsSync(placeOf(path)))).toEqual([]);
  });
});
