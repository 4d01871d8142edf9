import { monotonicClock } from '../clock.js';
import { errorFacts } from '../errors/socket-errors.js';
import type { Address, ErrorFacts } from '../facts/outcome.js';
import { countLookups } from '../pending-lookups.js';

/** What the system's resolver said, with its own time in milliseconds. */
export type LookupAnswer =
  | { readonly elapsedMs: number; readonly addresses: readonly Address[] }
  | { readonly elapsedMs: number; readonly error: ErrorFacts };

/**
 * Asks the system's resolver (hosts file, nsswitch, DNS …) for the addresses of one family, or of
 * both (0). Never rejects.
 */
export type SystemLookup = (host: string, family: 0 | 4 | 6) => Promise<LookupAnswer>;

/** Addresses as a resolver gave them, in its order, each once. */
export function uniqueAddresses(found: readonly { address: string; family: number }[]): Address[] {
  const unique = new Map(
    found.map(({ address, family }) => [
      address,
      { address, family: family === 6 ? 6 : 4 } as const,
    ]),
  );
  return [...unique.values()];
}

/**
 * Names that a run looks up at once. Each is two questions (A and AAAA), and dnsmasq, which many
 * machines ask, refuses more than 150 at once.
 */
export const NAMES_AT_ONCE = 64;

/** The most threads that libuv makes (MAX_THREADPOOL_SIZE in its threadpool.c), and its default. */
const MOST_THREADS = 1024;
const DEFAULT_THREADS = '4';

/**
 * Threads that libuv needs for so many lookups at once: it gives lookups half of its threads
 * (slow_work_thread_threshold() in its threadpool.c).
 */
export function threadsForLookups(lookups: number): number {
  return Math.min(2 * lookups, MOST_THREADS);
}

/** How many lookups this process works on at once, by UV_THREADPOOL_SIZE as libuv reads it. */
export function lookupThreads(): number {
  const size = process.env['UV_THREADPOOL_SIZE'] ?? DEFAULT_THREADS;
  const threads = Number.parseInt(size, 10) || 1;
  return Math.floor((Math.min(Math.max(threads, 1), MOST_THREADS) + 1) / 2);
}

async function compilePatterns(): Promise<void> {
  const { lookup } = await import('node:dns'); // a run over addresses needs none of it
  for (const address of ['::1', '::1']) await new Promise((done) => lookup(address, done));
}

let warm: Promise<void> | undefined;

/**
 * Keeps Node's own work out of the time of the first lookup. Node tests whether the name is an
 * address. It compiles the patterns for that at their first use, which takes 3 to 6 ms, and once
 * more at the second, 1 ms. An address is answered without asking the resolver.
 *
 * It runs once in each process; later calls return the same promise, which never rejects.
 */
export function warmUpLookups(): Promise<void> {
  warm ??= compilePatterns();
  return warm;
}

/** `getaddrinfo` on a thread of this process. */
export const lookUpInProcess: SystemLookup = async (host, family) => {
  await warmUpLookups();
  const { lookup } = await import('node:dns');
  return new Promise((resolve) => {
    const startMs = monotonicClock();
    countLookups(1);
    const settle = (
      answer: { readonly error: ErrorFacts } | { readonly addresses: readonly Address[] },
    ): void => {
      countLookups(-1);
      resolve({ elapsedMs: monotonicClock() - startMs, ...answer });
    };
    try {
      lookup(host, { family, all: true }, (error, found) =>
        settle(error ? { error: errorFacts(error) } : { addresses: uniqueAddresses(found) }),
      );
    } catch (error) {
      settle({ error: errorFacts(error) }); // an argument that this version of Node refuses
    }
  });
};
