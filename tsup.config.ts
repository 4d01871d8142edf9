import type { Plugin } from 'esbuild';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/**
 * Parts of dependencies that the command never uses but would pay for at each start, and what
 * stands in for them in the bundle.
 * Each is [imported module, importer, replacement source].
 */
const STAND_INS: readonly [module: RegExp, importer: RegExp, source: string][] = [
  // commander starts subcommands that are programs of their own; portping has none.
  [/^(node:)?child_process$/, /[\\/]commander[\\/]/, 'export default {};'],
  // ora counts terminal lines with it; compiling its one regular expression takes 28 to 46 ms. The
  // spinner's text is cut to fit one line.
  [/^string-width$/, /[\\/]ora[\\/]/, 'export default (text) => text.length;'],
  // ora's two default spinners, out of ninety (cli-spinners, MIT licence).
  [
    /^cli-spinners$/,
    /[\\/]ora[\\/]/,
    String.raw`export default {
      dots: { interval: 80, frames: [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'] },
      line: { interval: 130, frames: ['-', '\\', '|', '/'] },
    };`,
  ],
];

const standIns: Plugin = {
  name: 'stand-ins',
  setup(build) {
    for (const [index, [module, importer, contents]] of STAND_INS.entries()) {
      const namespace = `stand-in-${index}`;
      build.onResolve({ filter: module }, (args) =>
        importer.test(args.importer) ? { path: args.path, namespace } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace }, () => ({ contents, loader: 'js' }));
    }
  },
};

/** What the bundles contain. They are built side by side, and each completes the licence file. */
const bundled = new Set<string>();

/** Writes the licences of all that is bundled beside the bundles: they ask for that. */
const licences: Plugin = {
  name: 'licences',
  setup(build) {
    build.initialOptions.metafile = true;
    build.onEnd(({ metafile }) => {
      for (const path of Object.keys(metafile?.inputs ?? {}).flatMap(
        (each) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(each)?.[0] ?? [],
      ))
        bundled.add(path);
      const texts = [...bundled].sort().map((path) => {
        const { name, version, license } = JSON.parse(
          readFileSync(`${path}/package.json`, 'utf8'),
        ) as Record<string, string>;
        const file = readdirSync(path).find((each) => /^licen[cs]e/i.test(each));
        const text = file ? readFileSync(`${path}/${file}`, 'utf8').trim() : '';
        return `${name} ${version} (${license})\n\n${text}\n`;
      });
      writeFileSync('dist/third-party-licenses.txt', texts.join(`\n${'-'.repeat(78)}\n\n`));
    });
  },
};

/** A program: one CommonJS file, because Node starts that 5 to 15 ms sooner than ES modules. */
const program = {
  format: 'cjs',
  outExtension: () => ({ js: '.cjs' }),
  target: 'node20',
  removeNodeProtocol: false,
  splitting: false,
} as const satisfies Options;
const minified = { minifySyntax: true, minifyWhitespace: true } as const satisfies Options;

export default defineConfig([
  {
    // The command, with all it needs: what is imported dynamically (ora, chalk) is in the file, but
    // its code runs only when it is used.
    entry: { cli: 'src/cli/main.ts' },
    ...program,
    ...minified,
    noExternal: [/.*/],
    define: { PORTPING_VERSION: JSON.stringify(version), 'import.meta.dirname': '__dirname' },
    esbuildPlugins: [standIns, licences],
    // Started by start.cjs through V8's code cache, where import() would not find its way.
    esbuildOptions: (options) => {
      options.supported = { 'dynamic-import': false };
    },
  },
  {
    entry: { start: 'src/cli/process/start.ts' },
    ...program,
    ...minified,
    define: { 'import.meta.dirname': '__dirname' },
  },
  {
    // The exporter, a program of its own.
    entry: { exporter: 'src/exporter/main.ts' },
    ...program,
    ...minified,
    noExternal: [/.*/],
    define: { PORTPING_VERSION: JSON.stringify(version) },
    esbuildPlugins: [standIns, licences],
  },
  {
    // The thread of a sweep, started by the command for thousands of addresses and ports.
    entry: { 'sweep-worker': 'src/core/many/sweep-worker.ts' },
    ...program,
    noExternal: [/.*/],
  },
  {
    entry: { index: 'src/index.ts' },
    format: 'esm',
    target: 'node20',
    removeNodeProtocol: false,
    dts: true,
    splitting: false,
  },
]);
