import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TestModule, Vitest } from 'vitest/node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { READMES } from './support/readme.js';
import { SkippedNeeds } from './support/skipped-needs.js';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

/** Files of this folder and its subfolders, as paths from here. */
const FILES = readdirSync(fileURLToPath(new URL('.', import.meta.url)), { recursive: true })
  .map(String)
  .filter((path) => /\.[cm]?[jt]s$/.test(path));

/** Variables of the system and of Node. */
const OF_NODE = ['PATH', 'UV_THREADPOOL_SIZE'];

describe('test/README.md', () => {
  it('describes every environment variable that tests read', () => {
    const reads = /process\.env(?:\.|\[')([A-Z_]+)/g;
    const names = FILES.flatMap((path) => [...read(path).matchAll(reads)].map(([, name]) => name));
    const described = [...read('README.md').matchAll(/^\| `([A-Z_]+)/gm)].map(([, name]) => name);
    expect([...described, ...OF_NODE].sort()).toEqual([...new Set(names)].sort());
  });

  it('names folders and files that exist', () => {
    const text = read('README.md');
    const folders = [...text.matchAll(/^\| ((?:`[a-z]+`(?:, )?)+) \|/gm)]
      .flatMap(([, cells = '']) => cells.split(', '))
      .map((cell) => cell.replaceAll('`', ''));
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => path);
    const entries = readdirSync(fileURLToPath(new URL('.', import.meta.url)), { recursive: true });
    expect(links.length).toBeGreaterThan(1);
    expect(entries.map(String)).toEqual(expect.arrayContaining([...folders, ...links]));
  });
});

/** What people read about the repository, as paths from its root. */
const DOCUMENTS = [
  ...READMES.map(({ path }) => path),
  'CHANGELOG.md',
  '.github/CONTRIBUTING.md',
  '.github/SECURITY.md',
];

/** A text of the root without the absolute form of links to our own files, for npm. */
const withoutHome = (text: string): string =>
  text.replace(/https:\/\/[\w.-]+\/[\w.-]+\/[\w.-]+(?:\/-)?\/(?:blob|raw)\/HEAD\//g, '');

/** The anchors that GitHub gives to the headings of a text. */
function anchorsOf(text: string): string[] {
  const headings = [...text.replace(/^```[^]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)];
  return headings.map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(DOCUMENTS)('%s', (path) => {
  const place = new URL(`../${path}`, import.meta.url);
  const text = readFileSync(place, 'utf8');

  it('links to and names only files that exist', () => {
    const links = [...text.matchAll(/\]\(([^)#\s]+)/g)].map(([, link = '']) => link);
    const files = links.map(withoutHome).filter((link) => !/^[a-z]+:/.test(link));
    const names = [...text.matchAll(/(?<![\w./])(?:src|test|\.ci)\/[\w./-]*\w/g)].map(
      ([name]) => `/${name}`,
    );
    const urls = [
      ...files.map((file) => new URL(file, place)),
      ...names.map((name) => new URL(`..${name}`, import.meta.url)),
    ];
    expect(urls.filter((url) => !existsSync(url)).map(String)).toEqual([]);
  });

  it('links only to sections that exist', () => {
    const links = [...withoutHome(text).matchAll(/\]\(([^):\s]*)#([^)\s]+)\)/g)];
    const broken = links.filter(([, file = '', anchor = '']) => {
      const linked = file === '' ? text : readFileSync(new URL(file, place), 'utf8');
      return !anchorsOf(linked).includes(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  it('names only scripts that package.json has', () => {
    const { scripts } = JSON.parse(read('../package.json')) as { scripts: Record<string, string> };
    const names = [...text.matchAll(/\bnpm (?:run )?(test|(?<=run )[a-z:]+)/g)].map(([, n]) => n);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining([...new Set(names)]));
  });
});

describe('CHANGELOG.md', () => {
  it('begins with what is not released, in the groups of Keep a Changelog', () => {
    const headings = [...read('../CHANGELOG.md').matchAll(/^##+ (.+)$/gm)].map(([, text]) => text);
    const groups = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
    const isVersion = (text = ''): boolean => /^\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$/.test(text);
    expect(headings[0]).toBe('[Unreleased]');
    const others = headings.slice(1).filter((text = '') => !groups.includes(text));
    expect(others.filter((text) => !isVersion(text))).toEqual([]);
  });
});

describe('a retry', () => {
  it('is allowed only for tests that are marked with REAL_TIME', () => {
    const own = ['support/real-time.ts', 'conventions.test.ts'];
    const others = FILES.filter((path) => !own.includes(path.replaceAll('\\', '/')));
    expect(others.filter((path) => /^\s*retry:|[{,] *retry:/m.test(read(path)))).toEqual([]);
  });
});

describe('the list of skipped needs', () => {
  const exitCode = process.exitCode;
  afterEach(() => {
    vi.unstubAllEnvs();
    process.exitCode = exitCode;
  });

  /** The lines printed after a run that skipped tests with these names. */
  function listOf(...names: string[]): string {
    const lines: string[] = [];
    const logger = { log: (text: string) => lines.push(text) };
    const skipped = names.map((fullName) => ({ fullName, result: () => ({ state: 'skipped' }) }));
    const reporter = new SkippedNeeds();
    reporter.onInit({ config: {}, logger } as unknown as Vitest);
    reporter.onTestRunEnd([{ children: { allTests: () => skipped } } as unknown as TestModule]);
    return lines.join('\n');
  }

  it('counts the tests of each reason', () => {
    vi.stubEnv('PORTPING_TESTS', '');
    expect(listOf('a (skipped: needs root) > b', 'a (skipped: needs root) > c', 'd')).toBe(
      ' Skipped tests:\n   2 × needs root\n   1 × no reason given\n',
    );
    expect(process.exitCode).toBe(exitCode);
  });

  it('fails the run with PORTPING_TESTS=all', () => {
    vi.stubEnv('PORTPING_TESTS', 'all');
    expect(listOf('a (skipped: needs root)')).toContain('1 × needs root');
    expect(process.exitCode).toBe(1);
  });

  it('never fails the run for tests of another operating system', () => {
    vi.stubEnv('PORTPING_TESTS', 'all');
    expect(listOf('a (skipped: needs macOS)', 'b > c (skipped: needs Windows)')).toBe('');
    expect(process.exitCode).toBe(exitCode);
  });
});
