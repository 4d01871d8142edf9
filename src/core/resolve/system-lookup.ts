import { monotonicClock } from '../clock.js';
import type { Address, ErrorFacts } from '../facts/outcome.js';
import { errorFacts } from '../errors/socket-errors.js';

/** What the system's resolver said, with its own time in milliseconds. */
export type LookupAnswer =
  | { readonly elapsedMs: number; readonly addresses: readonly Address[] }
  | { readonly elapsedMs: number; readonly error: ErrorFacts };

/** Asks the system's resolver (hosts file, nsswitch, DNS …) for the addresses of one family, or of both (0). Never rejects. */
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

let pending = 0;

/**
 * How many lookups of this process are still waiting for the system's resolver. `getaddrinfo` cannot be cancelled, and a process that ends
 * while one is pending waits for it (libuv joins its threads), 10 s and more when the DNS server is dead.
 */
export function pendingLookups(): number {
  return pending;
}

/**
 * How many lookups the system works on at a time: libuv gives half of its threads to them (slow_work_thread_threshold() in its threadpool.c), and
 * reads their number from the environment when the first one is needed.
 */
export function lookupsAtOnce(): number {
  const threads = Number.parseInt(process.env['UV_THREADPOOL_SIZE'] ?? '4', 10) || 1;
  return Math.floor((Math.min(Math.max(threads, 1), 1024) + 1) / 2);
}

/**
 * Lets questions that are the same as a pending one wait for its answer. A resolver that is dead keeps a thread for each question, 10 s and more,
 * and repeated probes would pile them up.
 */
export function shareLookups(lookUp: SystemLookup): SystemLookup {
  const asked = new Map<string, Promise<LookupAnswer>>();
  return async (host, family) => {
    const key = `${family} ${host}`;
    const startMs = monotonicClock();
    const earlier = asked.get(key);
    if (earlier) return { ...(await earlier), elapsedMs: monotonicClock() - startMs };
    const answer = lookUp(host, family).finally(() => asked.delete(key));
    asked.set(key, answer);
    return answer;
  };
}

/** `getaddrinfo` on a thread of this process. */
export const lookUpInProcess: SystemLookup = shareLookups(async (host, family) => {
  const { lookup } = await import('node:dns'); // a probe of an address needs none of it
  return new Promise((resolve) => {
    const startMs = monotonicClock();
    pending += 1;
    const settle = (
      answer: { readonly error: ErrorFacts } | { readonly addresses: readonly Address[] },
    ): void => {
      pending -= 1;
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
});
