import { pendingLookups } from '../../core/pending-lookups.js';

type Execve = (file: string, args: readonly string[], env: NodeJS.ProcessEnv) => never;

/**
 * `process.execve` (Node 22.15 and later, not on Windows): replaces this process without waiting
 * for its threads.
 * Where it is missing, lookups must be made in a process of their own.
 */
export const execve = (process as { execve?: Execve }).execve;

/**
 * Ends the process now, also while the system's resolver is busy: `process.exit` would wait for it,
 * 10 s and more if the DNS server is dead.
 * Returns, with the exit code set, when there is nothing to hurry.
 */
export async function leave(exitCode: number): Promise<void> {
  process.exitCode = exitCode;
  if (pendingLookups() === 0) return;
  await Promise.all(
    [process.stdout, process.stderr].map(
      (stream) => new Promise((resolve) => stream.write('', resolve)),
    ),
  );
  try {
    // Node itself exists wherever this runs; /bin/sh may not.
    execve?.(process.execPath, [process.execPath, '-e', `process.exitCode=${exitCode}`], {});
  } catch {
    // not permitted here: the slow way remains
  }
  process.exit(exitCode);
}
