import { readSystemFile } from '../../core/system-file.js';

/**
 * Threads for names, of which half look them up, two questions each (A and AAAA): dnsmasq, which many machines ask, refuses more than 150 at once. They
 * cost 15 ms, once.
 */
const THREADS = 128;

/** The most that libuv makes. */
const MOST_THREADS = 1024;

/** What else this process and those beside it may need. */
const RESERVE = 128;

/** How many threads more there may be, as far as the system tells; the rest of the user's processes is not counted. */
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
 * Asks libuv for enough threads to look many names up at once, where nobody has said how many it is to have. libuv makes all of them with the first use,
 * and ends the process when it cannot: where there may not be so many, it is left alone.
 *
 * @param names how many names there may be
 * @param isCheck all of them are looked up at once
 * @returns takes the wish back, for a command that is started later
 */
export function askForThreads(names: number, isCheck: boolean): { restore(): void } {
  const threads = isCheck ? Math.min(2 * names, MOST_THREADS) : THREADS;
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
