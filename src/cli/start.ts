import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';

/**
 * Starts the command with V8's code cache, which takes a quarter off its start-up. The cache stands beside the bundle, one for each version of Node,
 * and is written at the end of the first run there. V8 itself refuses one of another version or of a source of another length; one that is older than
 * the bundle is not even tried. Where it cannot be written, nothing is lost but the time.
 */
const bundlePath = join(import.meta.dirname, 'cli.cjs');
const cachePath = join(import.meta.dirname, `code-${process.version}-${process.platform}-${process.arch}.cache`);

function readCache(): Buffer | undefined {
  try {
    return statSync(cachePath).mtimeMs < statSync(bundlePath).mtimeMs ? undefined : readFileSync(cachePath);
  } catch {
    return undefined;
  }
}

function writeCache(script: Script): void {
  const newPath = `${cachePath}.${process.pid}`;
  try {
    const descriptor = openSync(newPath, 'w');
    try {
      writeFileSync(descriptor, script.createCachedData());
      fsyncSync(descriptor); // V8 believes what it finds: zeros that a lost power supply left there would crash each later run
    } finally {
      closeSync(descriptor);
    }
    renameSync(newPath, cachePath); // whole or not at all: others may be starting now
  } catch {
    removeQuietly(newPath); // a folder that is not ours to write in, or a full disk
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // nothing was made there
  }
}

const cachedData = readCache();
const source = readFileSync(bundlePath, 'utf8');
const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, { filename: bundlePath, ...(cachedData ? { cachedData } : {}) });
const bundle = { exports: {} as { main(argv: readonly string[]): Promise<void> } };
const run = script.runInThisContext() as (...args: unknown[]) => void;
run(bundle.exports, createRequire(bundlePath), bundle, bundlePath, import.meta.dirname);
void bundle.exports.main(process.argv.slice(2)).then(() => {
  if (!cachedData || script.cachedDataRejected) writeCache(script);
});
