import { renameSync } from 'node:fs';

/** How often a file that is held is tried again, and the pause before each time. */
const RETRIES = 20;
const PAUSE_MS = 50;

/** What Windows says about a file that another program holds: often for a moment only. */
const HELD: ReadonlySet<string | undefined> = new Set(['EPERM', 'EACCES', 'EBUSY']);

/** Whether another program may hold the file. */
export const isHeld = (error: unknown): boolean => HELD.has((error as NodeJS.ErrnoException).code);

/**
 * Puts a file in the place of another one. Tries again for a second if another program holds one of
 * them: on Windows, antivirus programs and indexers open files that have just been written.
 *
 * @param rename replaced by tests
 */
export function replaceFile(from: string, to: string, rename = renameSync): void {
  for (let retries = RETRIES; ; retries -= 1)
    try {
      return rename(from, to);
    } catch (error) {
      if (retries === 0 || !isHeld(error)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
}
