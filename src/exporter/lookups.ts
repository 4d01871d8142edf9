import type { SystemLookup } from '../core/resolve/system-lookup.js';
import { Refusal } from './access/refusal.js';

/** How many different names may wait for the system's resolver. One that is dead keeps each of them 10 s and more, whoever still waits for the answer. */
export const MOST_PENDING = 256;

/** Lookups, of which only so many may be pending. Those of the same name share one (see `shareLookups`). */
export interface BoundedLookups {
  readonly lookUp: SystemLookup;
  /** @throws Refusal (`busy`) when there is no room for one more name */
  check(host: string): void;
}

/** Keeps lookups from piling up behind a resolver that does not answer: their probes end at their deadlines, the lookups themselves do not. */
export function boundLookups(lookUp: SystemLookup, most = MOST_PENDING): BoundedLookups {
  const pending = new Map<string, number>();
  return {
    async lookUp(host, family) {
      pending.set(host, (pending.get(host) ?? 0) + 1);
      try {
        return await lookUp(host, family);
      } finally {
        const left = (pending.get(host) ?? 1) - 1;
        if (left === 0) pending.delete(host);
        else pending.set(host, left);
      }
    },
    check(host) {
      if (pending.size >= most && !pending.has(host))
        throw new Refusal(
          'busy',
          `${pending.size} names are waiting for the resolver, which does not answer; try again later`,
        );
    },
  };
}
