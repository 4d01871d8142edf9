import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { SUMMARY_SIGNALS } from './summary-signals.js';

// First of all: by default, Node starts its debugger for SIGUSR1, and SIGQUIT ends the command. A
// run answers both with its summary.
for (const name of SUMMARY_SIGNALS) process.on(name, () => {});

/**
 * Starts the command with V8's code cache, which saves a quarter of its start-up. The cache stands
 * beside the bundle, one for each version of Node, and is written at the end of the first run. V8
 * rejects a cache of another version or of a source of another length. A cache is code: it is used
 * only if it is as safe as the bundle.
 */
const bundlePath = join(import.meta.dirname, 'cli.cjs');
const cachePath = join(
  import.meta.dirname,
  `code-${process.version}-${process.platform}-${process.arch}.cache`,
);
const bundleStats = statSync(bundlePath);

const WRITABLE_BY_OTHERS = 0o022;

/** Whether nobody could have written the cache who could not have written the bundle. */
function isSafe(stats: Stats): boolean {
  if (!stats.isFile()) return false;
  // Windows has no owner and mode (libuv reports 0 and 0666): the folder gives the permissions.
  if (process.platform === 'win32') return true;
  return stats.uid === bundleStats.uid && (stats.mode & WRITABLE_BY_OTHERS) === 0;
}

function readCache(): Buffer | undefined {
  let descriptor: number | undefined;
  try {
    // Follow no link and wait for no FIFO (Windows has neither flag). The same descriptor is
    // checked and read.
    descriptor = openSync(
      cachePath,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    const stats = fstatSync(descriptor);
    const isCurrent = stats.mtimeMs >= bundleStats.mtimeMs;
    return isCurrent && isSafe(stats) ? readFileSync(descriptor) : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Writes the cache whole or not at all: other runs may start now. A failure only costs time. */
function writeCache(script: Script): void {
  const newPath = `${cachePath}.${process.pid}`;
  try {
    // A umask of 000 must not let others write it.
    const descriptor = openSync(newPath, 'wx', 0o644);
    try {
      // Without the bundle's owner it would never be used. Only root can give a file away.
      if (fstatSync(descriptor).uid !== bundleStats.uid)
        fchownSync(descriptor, bundleStats.uid, bundleStats.gid);
      writeFileSync(descriptor, script.createCachedData());
      // V8 does not verify it: zeros left by a power failure would crash each later run.
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(newPath, cachePath);
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
const script = new Script(
  `(function (exports, require, module, __filename, __dirname) {${source}\n})`,
  { filename: bundlePath, ...(cachedData ? { cachedData } : {}) },
);
const bundle = { exports: {} as { main(argv: readonly string[]): Promise<void> } };
const run = script.runInThisContext() as (...args: unknown[]) => void;
run(bundle.exports, createRequire(bundlePath), bundle, bundlePath, import.meta.dirname);
void bundle.exports.main(process.argv.slice(2)).then(() => {
  if (!cachedData || script.cachedDataRejected) writeCache(script);
});
