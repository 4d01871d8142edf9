import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** What a file imports: with `import … from`, `export … from`, for its effects, dynamically, as a type, or with require(). */
function importsIn(source: string): string[] {
  const found = withoutComments(source).matchAll(
    /\b(?:from|import|require)\s*\(?\s*(['"`])([^'"`\n]+)\1/g,
  );
  return [...found].map(([, , specifier]) => specifier ?? '');
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** The code of a file without its comments and the text in its quotes: a helper's script in a template is not this program. */
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

/** An import as a path from the root when it is one of ours (`src/core/probe.js`), else as it is written. */
function resolveImport(file: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(dirname(file), specifier) : specifier;
}

const FILES = [...filesIn('src'), ...filesIn('bin')];
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** Which of our own directories and files each layer may reach. */
const REACH: readonly [layer: RegExp, mayReach: RegExp][] = [
  [/^src\/core\//, /^src\/core\//],
  [/^src\/report\//, /^src\/(core|report)\//],
  [/^src\/cli\//, /^src\/(core|report|cli)\//],
  [/^src\/exporter\//, /^src\/(core|report|exporter)\//],
  [/^src\/index\.ts$/, /^src\/core\//],
  [/^bin\//, /^dist\/(start|exporter)\.cjs$/],
];

/** What a layer must not have from elsewhere. */
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
  [/^src\/index\.ts$/, /^[^.]/],
  [/^bin\//, /^[^.]/],
];

/** Words that a layer must not use. */
const UNSPOKEN: readonly [layer: RegExp, words: RegExp][] = [
  [
    /^src\/core\//,
    /\bconsole\b|\bprocess\s*\.\s*(stdout|stderr|stdin|argv|exit|exitCode|on|once|abort)\b/,
  ],
  [/^src\/report\//, /\bconsole\b|\bprocess\b|\bset(Timeout|Interval|Immediate)\b/],
  [/^src\/cli\//, /\bconsole\b/],
  [
    /^src\/exporter\/(?!(main|state-signals)\.ts)/,
    /\bconsole\b|\bprocess\s*\.\s*(stdout|stderr|stdin|argv|exit|exitCode|on|once|abort|env)\b/,
  ],
];

describe('the layers', () => {
  it('are all there, and every file of src and bin is in one', () => {
    for (const [layer] of REACH)
      expect(
        FILES.filter((file) => layer.test(file)),
        String(layer),
      ).not.toEqual([]);
    expect(FILES.filter((file) => !REACH.some(([layer]) => layer.test(file)))).toEqual([]);
  });

  it.each(FILES)('let %s import only from its own layer and those below it', (file) => {
    const ours = importsIn(read(file))
      .map((specifier) => resolveImport(file, specifier))
      .filter((path) => /^(\.\.|src|bin|dist|test)(\/|$)/.test(path));
    const [, mayReach] = REACH.find(([layer]) => layer.test(file)) ?? [/^/, /^$/];
    expect(ours.filter((path) => !mayReach.test(path))).toEqual([]);
  });

  it.each(FILES)('let %s import nothing from elsewhere that is not for its layer', (file) => {
    for (const [layer, imports] of FORBIDDEN)
      if (layer.test(file))
        expect(importsIn(read(file)).filter((specifier) => imports.test(specifier))).toEqual([]);
  });

  it.each(FILES)('let %s use no word that is for another layer', (file) => {
    for (const [layer, words] of UNSPOKEN)
      if (layer.test(file)) expect(codeIn(read(file))).not.toMatch(words);
  });

  it('have no files that import each other in a circle, not even their types', () => {
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

  it('have imports between our own files that exist', () => {
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
  it('sees every way to import', () => {
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

  it('does not see what is in comments', () => {
    expect(
      importsIn(
        "// import './a.js'\n/* import './b.js'\n */ code(); // from './c.js'\n * @see import('./d.js')",
      ),
    ).toEqual(['./d.js']);
  });

  it('does not see words in texts, and sees them in code', () => {
    expect(
      codeIn('a(`process.stdout ${b} \\` console`, "console", \'process\'); // console'),
    ).not.toMatch(/process|console/);
    expect(codeIn('console.log(`x`); process.stdout.write("y")')).toMatch(
      /console[^]*process\.stdout/,
    );
  });
});
