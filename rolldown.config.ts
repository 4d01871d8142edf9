import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig, type OutputOptions, type Plugin, type RolldownOptions } from 'rolldown';
import { commandManual } from './src/cli/manual.js';
import { exporterManual } from './src/exporter/arguments.js';
import { formatManualPage } from './src/report/formats/manual-page.js';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/**
 * Parts of dependencies that the programs never use but would pay for, and what stands in for them.
 * Each is [imported module, importer, replacement source].
 */
const STAND_INS: readonly (readonly [module: RegExp, importer: RegExp, source: string])[] = [
  // commander starts subcommands that are programs of their own; portping has none.
  [/^(node:)?child_process$/, /[\\/]commander[\\/]/, 'export default {};'],
  // ora counts terminal lines with it; compiling its one regular expression takes 28 to 46 ms. The
  // spinner's text is cut to fit one line.
  [/^string-width$/, /[\\/]ora[\\/]/, 'export default (text) => text.length;'],
];

const standIns: Plugin = {
  name: 'stand-ins',
  resolveId(name, importer = '') {
    const index = STAND_INS.findIndex(([module, by]) => module.test(name) && by.test(importer));
    return index < 0 ? null : `\0stand-in-${index}`;
  },
  load(id) {
    const [, index] = /^\0stand-in-(\d+)$/.exec(id) ?? [];
    return index === undefined ? null : (STAND_INS[Number(index)]?.[2] ?? null);
  },
};

/** The packages in the bundles. Each bundle that is written completes the licence file. */
const bundled = new Set<string>();

/** Writes the licences of all that is bundled beside the bundles: they ask for that. */
const licences: Plugin = {
  name: 'licences',
  generateBundle(_, chunks) {
    for (const chunk of Object.values(chunks))
      for (const id of chunk.type === 'chunk' ? chunk.moduleIds : [])
        for (const path of /^.*node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id) ?? [])
          bundled.add(path.replaceAll('\\', '/'));
    const texts = [...bundled].sort().map((path) => {
      const { name, version, license } = JSON.parse(
        readFileSync(`${path}/package.json`, 'utf8'),
      ) as Record<string, string>;
      const file = readdirSync(path).find((each) => /^licen[cs]e/i.test(each));
      const text = file ? readFileSync(`${path}/${file}`, 'utf8').trim() : '';
      return `${name} ${version} (${license})\n\n${text}\n`;
    });
    const source = texts.join(`\n${'-'.repeat(78)}\n\n`);
    this.emitFile({ type: 'asset', fileName: 'third-party-licenses.txt', source });
  },
};

/** Leaves out a `require` of the bundler's own runtime whose value is not used: a file less. */
const unusedRuntime: Plugin = {
  name: 'unused-runtime',
  generateBundle(_, chunks) {
    for (const chunk of Object.values(chunks))
      if (chunk.type === 'chunk')
        chunk.code = chunk.code.replace(
          /(^|[,;])require\("\.\/[\w-]+-runtime\.cjs"\);/,
          (_, before: string) => (before === '' ? '' : ';'),
        );
  },
};

/** Writes the manual pages beside the programs. SOURCE_DATE_EPOCH sets their date. */
const manualPages: Plugin = {
  name: 'manual-pages',
  generateBundle() {
    const seconds = Number(process.env['SOURCE_DATE_EPOCH'] ?? Date.now() / 1000);
    const date = new Date(seconds * 1000).toISOString().slice(0, 10);
    for (const page of [commandManual(), exporterManual()]) {
      const source = formatManualPage(page, version, date);
      this.emitFile({ type: 'asset', fileName: `${page.name}.1`, source });
    }
  },
};

// The exporter's parser expects what its bundle defines.
Object.assign(globalThis, { PORTPING_VERSION: version });

/** CommonJS, because Node starts that 5 to 15 ms sooner than ES modules. */
const program = (
  name: string,
  entry: string,
  output: Pick<OutputOptions, 'codeSplitting'> = { codeSplitting: false },
): RolldownOptions => ({
  input: { [name]: entry },
  // Other chunks may import from the entry: what it needs stands in one file.
  preserveEntrySignatures: 'allow-extension',
  platform: 'node',
  tsconfig: false,
  transform: {
    target: 'node20',
    define: { PORTPING_VERSION: JSON.stringify(version), 'import.meta.dirname': '__dirname' },
  },
  plugins: [standIns, unusedRuntime, licences, ...(name === 'cli' ? [manualPages] : [])],
  output: {
    dir: 'dist',
    format: 'cjs',
    // import() in CommonJS would load Node's ES modules, which takes 3 ms.
    dynamicImportInCjs: false,
    entryFileNames: '[name].cjs',
    chunkFileNames: `${name}-[name].cjs`,
    // Stack traces name functions and classes.
    minify: { compress: true, mangle: { keepNames: true }, codegen: { removeWhitespace: true } },
    ...output,
  },
});

/**
 * The chunks of the command, the first that fits first. Each has the modules that match and all
 * that these import. A file takes 0.3 ms to load, and 40 KB of code a millisecond to compile.
 */
const CHUNKS: readonly (readonly [name: string, modules: RegExp])[] = [
  ['cli', /[\\/]src[\\/](cli[\\/]main|core[\\/]deadline)\.ts$/], // a plain probe
  ['commander', /[\\/]node_modules[\\/]commander[\\/]/],
  [
    'names',
    /[\\/](resolve[\\/](resolver|lookup-queue|system-lookup|name-cache)|process[\\/]lookups)\.ts$/,
  ],
  ['targets', /[\\/]core[\\/]target[\\/]target-list\.ts$/],
  ['several', /[\\/](many-options|probe-targets|formats[\\/]many-text)\.ts$/],
  ['failures', /[\\/]report[\\/]failures[\\/]failure-words\.ts$/],
  ['text', /[\\/](formats[\\/]text|service[\\/]registry)\.ts$/],
  ['series', /[\\/](probe-series|series-figures)\.ts$/],
  [
    'options',
    /[\\/]cli[\\/](options|parsing)[\\/](option|format|target)-(parser|table|rules)\.ts$/,
  ],
];

/** A program of a package's code: its names are of no use in a stack trace of portping. */
function packed(name: string, entry: string): RolldownOptions {
  const options = program(name, entry);
  return { ...options, output: { ...options.output, minify: true } };
}

/** Packages that the exporter loads only if they are used, and the files they are in. */
const LATER: Readonly<Record<string, string>> = { yaml: './exporter-yaml.cjs' };

const exporterProgram = program('exporter', 'src/exporter/main.ts');

export default defineConfig([
  program('cli', 'src/cli/main.ts', {
    codeSplitting: {
      groups: CHUNKS.map(([name, test], index) => ({
        name,
        test,
        priority: CHUNKS.length - index,
      })),
    },
  }),
  {
    ...exporterProgram,
    external: Object.keys(LATER),
    output: { ...exporterProgram.output, paths: LATER },
  },
  ...Object.entries(LATER).map(([name, file]) => packed(file.slice(2, -4), name)),
  // The thread that compares passwords.
  packed('password-worker', 'src/exporter/web/password-worker.ts'),
  // The thread of a sweep, started by the command for thousands of addresses and ports.
  program('sweep-worker', 'src/core/many/sweep-worker.ts'),
]);
