import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/**
 * Parts of dependencies that the command never uses but would pay for at each start, and what stands in for them in the bundle.
 * Each is [imported module, importer, replacement source].
 */
const STAND_INS: readonly [module: RegExp, importer: RegExp, source: string][] = [
  // commander starts subcommands that are programs of their own; portping has none.
  [/^(node:)?child_process$/, /[\\/]commander[\\/]/, 'export default {};'],
  // ora counts terminal lines with it; compiling its one regular expression takes 28 to 46 ms. The spinner's text is cut to ASCII.
  [/^string-width$/, /[\\/]ora[\\/]/, 'export default (text) => text.length;'],
  // ora's two default spinners, out of ninety (cli-spinners, MIT licence).
  [
    /^cli-spinners$/,
    /[\\/]ora[\\/]/,
    String.raw`export default { dots: { interval: 80, frames: [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'] }, line: { interval: 130, frames: ['-', '\\', '|', '/'] } };`,
  ],
];

export default defineConfig([
  {
    // The command: one CommonJS file with all it needs, because Node starts that 5 to 15 ms sooner than ES modules. What is imported
    // dynamically (ora, chalk) is in the file, but its code runs only when it is asked for.
    entry: { cli: 'src/cli/main.ts' },
    format: 'cjs',
    outExtension: () => ({ js: '.cjs' }),
    target: 'node20',
    noExternal: [/.*/],
    removeNodeProtocol: false,
    splitting: false,
    minifySyntax: true,
    minifyWhitespace: true,
    define: { PORTPING_VERSION: JSON.stringify(version) },
    esbuildPlugins: [
      {
        name: 'stand-ins',
        setup(build) {
          for (const [index, [module, importer, contents]] of STAND_INS.entries()) {
            const namespace = `stand-in-${index}`;
            build.onResolve({ filter: module }, (args) => (importer.test(args.importer) ? { path: args.path, namespace } : undefined));
            build.onLoad({ filter: /.*/, namespace }, () => ({ contents, loader: 'js' }));
          }
        },
      },
    ],
  },
  {
    entry: { index: 'src/index.ts' },
    format: 'esm',
    target: 'node20',
    dts: true,
    splitting: false,
  },
]);
