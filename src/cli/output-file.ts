import { randomBytes } from 'node:crypto';
import { closeSync, lstatSync, openSync, realpathSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UsageError } from '../core/usage-error.js';

const fail = (path: string, error: unknown): never => {
  throw new UsageError(`--output-file: ${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
};

/** Where the file really stands: a symbolic link stays one, and points to the new file. */
function resolvePath(path: string): string {
  if (path === '' || path.endsWith('/')) throw new UsageError(`--output-file: "${path}" is not the name of a file`);
  try {
    if (!lstatSync(path, { throwIfNoEntry: false })) return path;
    const real = realpathSync(path);
    // A file would take the place of the device or pipe.
    if (!statSync(real).isFile()) throw new UsageError(`--output-file: ${path} is not a regular file, and is not replaced by one; write to it with >`);
    return real;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return fail(path, error);
  }
}

/**
 * A file that is there whole or not at all: it is written under another name in the same folder and renamed when it is complete, which replaces the
 * old one in one step (POSIX, rename()). A reader sees the old one or the new one, never half of it. The other name begins with a dot and does not end
 * as the file does, so that whoever reads `*.prom` does not take it for one.
 */
export class OutputFile {
  readonly #path: string;
  readonly #realPath: string;
  readonly #temporaryPath: string;
  readonly #remove = (): void => this.discard();
  #descriptor: number | null = null;

  /** @throws UsageError at once when the file cannot be written */
  constructor(path: string) {
    this.#path = path;
    this.#realPath = resolvePath(path);
    this.#temporaryPath = join(dirname(this.#realPath), `.${basename(this.#realPath)}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
    try {
      this.#descriptor = openSync(this.#temporaryPath, 'wx'); // 0666 less the umask, as any new file
    } catch (error) {
      return fail(path, error);
    }
    process.on('exit', this.#remove); // also when a second ^C ends everything at once
  }

  /** @throws UsageError when there is no room, for example; nothing is left behind then */
  write(text: string): void {
    const bytes = Buffer.from(text);
    try {
      for (let written = 0; this.#descriptor !== null && written < bytes.length;) written += writeSync(this.#descriptor, bytes, written);
    } catch (error) {
      this.discard();
      fail(this.#path, error);
    }
  }

  /**
   * Puts the file in its place.
   *
   * @throws UsageError when that cannot be done
   */
  commit(): void {
    if (this.#descriptor === null) return;
    try {
      closeSync(this.#descriptor);
      this.#descriptor = null;
      renameSync(this.#temporaryPath, this.#realPath);
      process.off('exit', this.#remove);
    } catch (error) {
      this.#unlink();
      fail(this.#path, error);
    }
  }

  /** Leaves everything as it was, unless it was committed. */
  discard(): void {
    if (this.#descriptor === null) return;
    closeSync(this.#descriptor);
    this.#descriptor = null;
    this.#unlink();
  }

  #unlink(): void {
    process.off('exit', this.#remove);
    try {
      unlinkSync(this.#temporaryPath);
    } catch {
      // somebody else removed it
    }
  }
}
