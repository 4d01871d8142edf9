/**
 * Options of tests that measure real time, which a busy machine can delay. With CI set such a test
 * is tried once more, and the report says "(retry x1)". No other test is ever retried: a test that
 * fails now and then has found something.
 */
export const REAL_TIME = { retry: process.env['CI'] ? 1 : 0 } as const;

/** Keeps the event loop busy, as a burst of other work does. */
export function block(durationMs: number): void {
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs);
}
