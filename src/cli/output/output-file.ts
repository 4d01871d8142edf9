import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { UsageError } from '../../core/usage-error.js';
import { describeSystemError } from '../../core/system-error.js';
import { isHeld, replaceFile } from './replace-file.js';
import { windowsNameProblem } from './windows-names.js';

const STDOUT_ADVICE = 'leave the option out to write to standard output';
const PATH_ADVICE = 'use another path, such as results.txt';

/** Who may keep Windows from replacing a file. */
const HOLDERS =
  'another program may hold it open (an editor, a spreadsheet, antivirus software or a backup), ' +
  'or it is read-only; ';

const fail = (path: string, error: unknown): never => {
  const { code, syscall, path: missing } = error as NodeJS.ErrnoException;
  // realpath() is asked for the directory of the file, or of what a link points to.
  if (code === 'ENOENT' && syscall === 'realpath')
    throw new UsageError(`--output-file: the directory ${missing} does not exist; create it first`);
  throw new UsageError(
    `--output-file: ${path} cannot be written (${describeSystemError(error)}); ${PATH_ADVICE}`,
  );
};

/** Names of devices and of descriptors; /dev/shm has ordinary files. */
const SPECIAL = /^\/(?:dev(?!\/shm\/)|proc)\//;

/**
 * Refuses a place under /dev or /proc. /dev/stdout leads to the file of a redirection, and a new
 * file in its place would lose what `>> log` keeps.
 */
function refuseSpecial(path: string, place: string): void {
  const [folder] = SPECIAL.exec(place) ?? [];
  if (folder === undefined) return;
  const where = place === path ? 'is' : `leads to ${place},`;
  const problem = `${path} ${where} under ${folder.slice(0, -1)}, where no file is replaced`;
  const advice = place === '/dev/null' ? 'write > /dev/null instead' : STDOUT_ADVICE;
  throw new UsageError(`--output-file: ${problem}; ${advice}`);
}

/** Refuses what Windows takes for no file. */
function refuseWindowsName(path: string): void {
  const problem = windowsNameProblem(path);
  if (problem === undefined) return;
  const isNull = problem.includes(' NUL ');
  const advice = isNull ? 'write > NUL instead, or > $null in PowerShell' : PATH_ADVICE;
  throw new UsageError(`--output-file: ${path} ${problem}; ${advice}`);
}

/**
 * Where the file really stands: a symbolic link stays one, and points to the new file, also where
 * nothing stands yet. Goes link by link, because the last place does not show a way through /dev.
 */
function followLinks(path: string, given = path): string {
  // Not realpathSync(), which removes `link/..` without following the link.
  const place = join(realpathSync.native(dirname(path)), basename(path));
  refuseSpecial(given, place);
  if (!lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) return place;
  const link = readlinkSync(place);
  return followLinks(isAbsolute(link) ? link : `${dirname(place)}/${link}`, given);
}

/** Path and state of what is to be replaced; the state is undefined when nothing is there yet. */
function findFile(path: string): { readonly realPath: string; readonly old: Stats | undefined } {
  if (path === '-') throw new UsageError(`--output-file: "-" is not a file name; ${STDOUT_ADVICE}`);
  if (path === '' || path.endsWith('/') || path.endsWith(sep))
    throw new UsageError(`--output-file: "${path}" is not a file name; ${PATH_ADVICE}`);
  if (process.platform === 'win32') refuseWindowsName(path);
  refuseSpecial(path, resolve(path));
  try {
    const old = statSync(path, { throwIfNoEntry: false }); // throws for links in a circle
    const realPath = followLinks(path);
    if (old?.isDirectory())
      throw new UsageError(`--output-file: ${path} is a directory; ${PATH_ADVICE}`);
    // A file would take the place of the pipe.
    if (old && !old.isFile())
      throw new UsageError(
        `--output-file: ${path} is not a regular file and is not replaced; write to it with >`,
      );
    return { realPath, old };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return fail(path, error);
  }
}

/** Gives the new file the owner, group and mode of the old one, as far as that is permitted. */
function takeOver(descriptor: number, { uid, gid, mode }: Stats): void {
  const own = fstatSync(descriptor);
  for (const [user, group] of [
    [own.uid, gid],
    [uid, gid],
  ] as const) {
    try {
      if (user !== own.uid || group !== own.gid) fchownSync(descriptor, user, group);
    } catch {
      // not allowed here
    }
  }
  // After the owner: no other user may read the file in between.
  if ((own.mode & 0o777) !== (mode & 0o777)) fchmodSync(descriptor, mode & 0o777);
}

/**
 * A file that is written whole or not at all: under another name in the same folder, and renamed
 * when it is complete, which replaces the old one in one step (POSIX, rename()). A reader of
 * `*.prom` does not see the other name: it begins with a dot and ends in `.tmp`.
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
    const { realPath, old } = findFile(path);
    this.#realPath = realPath;
    this.#temporaryPath = join(
      dirname(realPath),
      `.portping-${process.pid}-${randomBytes(4).toString('hex')}.tmp`,
    ); // short: the name itself may be as long as names can be
    try {
      this.#descriptor = openSync(this.#temporaryPath, 'wx', old ? 0o600 : 0o666); // less the umask
      if (old) takeOver(this.#descriptor, old);
    } catch (error) {
      this.discard();
      return fail(path, error);
    }
    process.on('exit', this.#remove); // also when a second ^C ends everything at once
  }

  /** @throws UsageError when there is no room, for example; nothing is left behind then */
  write(text: string): void {
    const bytes = Buffer.from(text);
    try {
      for (let written = 0; this.#descriptor !== null && written < bytes.length;)
        written += writeSync(this.#descriptor, bytes, written);
    } catch (error) {
      this.discard();
      fail(this.#path, error);
    }
  }

  /**
   * Puts the file in its place.
   *
   * @throws UsageError when that cannot be done; it says where the result is
   */
  commit(): void {
    if (this.#descriptor === null) return;
    try {
      closeSync(this.#descriptor);
      this.#descriptor = null;
    } catch (error) {
      this.#unlink();
      fail(this.#path, error);
    }
    process.off('exit', this.#remove);
    try {
      replaceFile(this.#temporaryPath, this.#realPath);
    } catch (error) {
      this.#keepResult(error);
    }
  }

  /** The old file cannot be replaced: the result stays beside it. */
  #keepResult(error: unknown): never {
    let place = `${this.#realPath}.portping`;
    try {
      renameSync(this.#temporaryPath, place);
    } catch {
      place = this.#temporaryPath;
    }
    const advice = process.platform === 'win32' && isHeld(error) ? HOLDERS : '';
    throw new UsageError(
      `--output-file: ${this.#path} cannot be replaced (${describeSystemError(error)}); ` +
        `${advice}the result is in ${place}`,
    );
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
