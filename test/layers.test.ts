import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** The imports of a file, in every form of the language. */
function importsIn(source: string): string[] {
  const { importedFiles } = ts.preProcessFile(source, true, true);
  return importedFiles.map(({ fileName }) => fileName);
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** The code of a file without comments and strings: scripts in templates run in other processes. */
function codeIn(source: string): string {
  return withoutComments(source).replace(
    /`(?:\\[\s\S]|\$\{[^`]*?\}|[^`\\])*`|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g,
    "''",
  );
}

/** Source files, as paths from the root with slashes. */
function filesIn(directory: string): string[] {
  const found = readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name),
  );
  return found.map((entry) =>
    relative(ROOT, join(entry.parentPath ?? entry.path, entry.name))
      .split(sep)
      .join('/'),
  );
}

/** Our own imports as paths from the root (`src/core/clock.js`); others are unchanged. */
function resolveImport(file: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(dirname(file), specifier) : specifier;
}

const FILES = [...filesIn('src'), ...filesIn('bin')];
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** The folders of core. Each may import only from itself and the folders before it. */
const CORE_ROOMS = [
  '', // the ground floor: single files
  'target/',
  'facts/',
  'errors/',
  'service/conversation/',
  'service/protocols/',
  'service/',
  'resolve/',
  'probe/',
  'many/',
  'diagnosis/observations/',
  'diagnosis/rules/',
  'diagnosis/',
  'series/',
];

const coreRoom = (room: string): RegExp => new RegExp(`^src/core/${room}[^/]+$`);

/** Our folders and files that each layer may import. */
const REACH: readonly (readonly [layer: RegExp, mayReach: RegExp])[] = [
  ...CORE_ROOMS.map((room, index): readonly [RegExp, RegExp] => [
    coreRoom(room),
    new RegExp(
      CORE_ROOMS.slice(0, index + 1)
        .map((each) => coreRoom(each).source)
        .join('|'),
    ),
  ]),
  [/^src\/report\//, /^src\/(core|report)\//],
  [/^src\/cli\//, /^src\/(core|report|cli)\//],
  [/^src\/exporter\//, /^src\/(core|report|exporter)\//],
  [/^src\/library\//, /^src\/(core|report|library)\//],
  [/^src\/index\.ts$/, /^src\/(core|report|library)\//],
  [/^bin\//, /^dist\/(cli|exporter)\.cjs$/],
];

/** Node's and other packages' modules that a layer must not import. */
const FORBIDDEN: readonly [layer: RegExp, imports: RegExp][] = [
  [
    /^src\/core\//,
    /^(node:)?(tty|readline|repl|https?|http2)\b|^(chalk|commander|ora|prom-client)\b/,
  ],
  [
    /^src\/report\//,
    /^(node:)?(net|dns|fs|tls|dgram|https?|http2|child_process|worker_threads|os|process|tty|readline)(\/|$)|^(chalk|commander|ora|prom-client)\b/,
  ],
  [/^src\/cli\//, /^(node:)?(https?|http2)\b|^prom-client\b/],
  [/^src\/exporter\//, /^(chalk|ora)\b/],
  [/^src\/(index\.ts$|library\/)/, /^[^.]/],
  [/^bin\//, /^[^.]/],
];

/** Words that a layer must not contain. */
const UNSPOKEN: readonly [layer: RegExp, words: RegExp][] = [
  [
    /^src\/core\//,
    /\bconsole\b|\bprocess\s*\.\s*(stdout|stderr|stdin|argv|exit|exitCode|on|once|abort)\b/,
  ],
  [/^src\/report\//, /\bconsole\b|\bprocess\b|\bset(Timeout|Interval|Immediate)\b/],
  [/^src\/cli\//, /\bconsole\b/],
  [
    /^src\/exporter\/(?!(main|process\/state-signals)\.ts)/,
    /\bconsole\b|\bprocess\s*\.\s*(stdout|stderr|stdin|argv|exit|exitCode|on|once|abort|env)\b/,
  ],
];

describe('the layers', () => {
  it('all exist, and every file of src and bin is in one layer', () => {
    for (const [layer] of REACH)
      expect(
        FILES.filter((file) => layer.test(file)),
        String(layer),
      ).not.toEqual([]);
    expect(FILES.filter((file) => !REACH.some(([layer]) => layer.test(file)))).toEqual([]);
  });

  it.each(FILES)('let %s import only from its own layer and lower ones', (file) => {
    const ours = importsIn(read(file))
      .map((specifier) => resolveImport(file, specifier))
      .filter((path) => /^(\.\.|src|bin|dist|test)(\/|$)/.test(path));
    const [, mayReach] = REACH.find(([layer]) => layer.test(file)) ?? [/^/, /^$/];
    expect(ours.filter((path) => !mayReach.test(path))).toEqual([]);
  });

  it.each(FILES)('let %s import no module that is forbidden in its layer', (file) => {
    const rules = FORBIDDEN.filter(([layer]) => layer.test(file));
    const isForbidden = (name: string) => rules.some(([, imports]) => imports.test(name));
    expect(importsIn(read(file)).filter(isForbidden)).toEqual([]);
  });

  it.each(FILES)('let %s use no word that is forbidden in its layer', (file) => {
    const code = codeIn(read(file));
    const rules = UNSPOKEN.filter(([layer]) => layer.test(file));
    expect(rules.filter(([, words]) => words.test(code))).toEqual([]);
  });

  it('have no import cycles between folders', () => {
    const reached = new Map<string, Set<string>>();
    for (const file of FILES.filter((each) => each.startsWith('src/'))) {
      const folder = posix.dirname(file);
      const others = reached.get(folder) ?? new Set<string>();
      for (const specifier of importsIn(read(file))) {
        if (specifier.startsWith('.')) others.add(posix.dirname(resolveImport(file, specifier)));
      }
      others.delete(folder);
      reached.set(folder, others);
    }
    const circleFrom = (folder: string, path: readonly string[]): string | null => {
      if (path.includes(folder)) return [...path.slice(path.indexOf(folder)), folder].join(' -> ');
      for (const next of reached.get(folder) ?? []) {
        const circle = circleFrom(next, [...path, folder]);
        if (circle !== null) return circle;
      }
      return null;
    };
    for (const folder of reached.keys()) expect(circleFrom(folder, [])).toBeNull();
  });

  it('have at most 12 files in a folder, except for folders of similar files', () => {
    const alike = /^src\/(core\/service\/protocols|core\/diagnosis\/rules|report\/formats)$/;
    const count = new Map<string, number>();
    for (const file of FILES) {
      const folder = posix.dirname(file);
      if (!alike.test(folder)) count.set(folder, (count.get(folder) ?? 0) + 1);
    }
    expect([...count].filter(([, files]) => files > 12)).toEqual([]);
  });

  it('have no import cycles between files, not even of types', () => {
    const above: string[] = [];
    const visit = (file: string): void => {
      expect(
        above.includes(file) ? [...above.slice(above.indexOf(file)), file].join(' -> ') : '',
      ).toBe('');
      if (known.has(file)) return;
      known.add(file);
      above.push(file);
      for (const specifier of importsIn(read(file)))
        if (specifier.startsWith('.'))
          visit(resolveImport(file, specifier).replace(/\.js$/, '.ts'));
      above.pop();
    };
    const known = new Set<string>();
    for (const file of FILES.filter((each) => each.startsWith('src/'))) visit(file);
  });

  it('import only files that exist', () => {
    for (const file of FILES.filter((each) => each.startsWith('src/'))) {
      for (const path of importsIn(read(file))
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => resolveImport(file, specifier))) {
        expect(FILES, `${file} imports ${path}`).toContain(path.replace(/\.js$/, '.ts'));
      }
    }
  });
});

describe('the reader of imports', () => {
  it('finds every form of import', () => {
    const source = `
      import a from './a.js';
      import type { B } from "./b.js";
      import { c, type C } from './c.js'; import * as d from './d.js';
      import {
        e,
      } from './e.js';
      import './f.js';
      export { g } from './g.js';
      export * from './h.js';
      export type { I } from './i.js';
      const j = await import('./j.js');
      const k = require("./k.js");
      let l: import('./l.js').L;
      import m, { n } from'./m.js';
    `;
    expect(importsIn(source)).toEqual([...'abcdefghijklm'].map((letter) => `./${letter}.js`));
  });

  it('ignores imports in comments', () => {
    expect(
      importsIn(
        "// import './a.js'\n/* import './b.js'\n */ code(); // from './c.js'\n" +
          " * @see import('./d.js')",
      ),
    ).toEqual(['./d.js']);
  });

  it('finds words in code, but not in strings', () => {
    expect(
      codeIn('a(`process.stdout ${b} \\` console`, "console", \'process\'); // console'),
    ).not.toMatch(/process|console/);
    expect(codeIn('console.log(`x`); process.stdout.write("y")')).toMatch(
      /console[^]*process\.stdout/,
    );
  });
});
