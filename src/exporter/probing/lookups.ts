import type { LookupQueue } from '../../core/resolve/lookup-queue.js';
import { Refusal } from '../access/refusal.js';

/** How many lookups may wait for the resolver. A dead one keeps each of them 10 s and more. */
export const MOST_PENDING = 256;

/**
 * Keeps lookups from piling up while the resolver does not answer: probes end at their deadlines,
 * lookups do not. A name that is already looked up needs no more room.
 *
 * @throws Refusal (`busy`) when there is no room for one more name
 */
export function checkRoom(lookups: LookupQueue, host: string): void {
  if (!lookups.isFullFor(host)) return;
  const waiting = `${lookups.pending} lookups are waiting for the resolver, which does not answer`;
  throw new Refusal('busy', `${waiting}; try again later`);
}
