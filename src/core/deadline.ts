import { onAbort } from './abort.js';
import { setSocketTimeout } from './clock.js';

/** How long something may take. */
export interface Deadline {
  /** Milliseconds; 0 or less is over at once. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A promise's value, or undefined at the deadline or when the signal is aborted. What comes later
 * is dropped.
 */
export function within<T>(
  promise: Promise<T>,
  { timeoutMs, signal }: Deadline,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    let stopWaiting = (): void => {};
    const settle = (): void => {
      clearTimeout(timer);
      stopWaiting();
    };
    const giveUp = (): void => {
      settle();
      resolve(undefined);
    };
    const timer = setSocketTimeout(giveUp, Math.max(timeoutMs, 0));
    stopWaiting = onAbort(signal, giveUp);
    promise.finally(settle).then(resolve, reject);
  });
}
