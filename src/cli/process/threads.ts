import { NAMES_AT_ONCE, threadsForLookups } from '../../core/resolve/system-lookup.js';
import { readSystemFile } from '../../core/system-file.js';

/** Threads that this process and others of the user may need besides. */
const RESERVE = 128;

/** How many more threads the limits allow. The user's other processes are not counted. */
function threadsLeft(): number {
  const [, processes = ''] =
    /^Max processes +(\d+)/m.exec(readSystemFile('/proc/self/limits') ?? '') ?? [];
  const [, group = ''] = /^0::(.*)$/m.exec(readSystemFile('/proc/self/cgroup') ?? '') ?? [];
  const ofGroup = (name: string): number =>
    Number.parseInt(
      readSystemFile(`/sys/fs/cgroup${group}/${name}`) ??
        readSystemFile(`/sys/fs/cgroup/${name}`) ??
        '',
      10,
    );
  const limits = [Number.parseInt(processes, 10), ofGroup('pids.max') - ofGroup('pids.current')];
  return Math.min(...limits.filter((each) => !Number.isNaN(each)), Infinity);
}

/**
 * Asks libuv for enough threads to look many names up at once, unless UV_THREADPOOL_SIZE is set.
 * Threads take 15 ms, once. libuv makes all of them with the first use and aborts the process when
 * it cannot, so near a limit its default stays.
 *
 * @param names how many names there may be
 * @param allAtOnce look all of them up at once
 * @returns resets the variable, for a command that is started later
 */
export function askForThreads(names: number, allAtOnce: boolean): { restore(): void } {
  const threads = threadsForLookups(allAtOnce ? names : NAMES_AT_ONCE);
  if (
    names < 2 ||
    process.env['UV_THREADPOOL_SIZE'] !== undefined ||
    threadsLeft() < threads + RESERVE
  )
    return { restore: () => {} };
  process.env['UV_THREADPOOL_SIZE'] = String(threads);
  return {
    restore: () => {
      delete process.env['UV_THREADPOOL_SIZE'];
    },
  };
}
