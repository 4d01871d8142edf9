let pending = 0;

/**
 * How many lookups of this process still wait for the system's resolver. `getaddrinfo` cannot be
 * cancelled, and a process that ends while one is pending waits for it, 10 s and more when the DNS
 * server is dead (libuv joins its threads).
 */
export function pendingLookups(): number {
  return pending;
}

/** Counts a lookup that starts (1) or ends (-1). */
export function countLookups(change: 1 | -1): void {
  pending += change;
}
