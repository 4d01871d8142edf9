import { onAbort } from '../abort.js';
import { monotonicClock } from '../clock.js';
import type { Attempt } from '../facts/outcome.js';
import type { Endpoint } from '../target/target.js';

/** Milliseconds before the next address is tried while earlier ones are pending (RFC 8305, 5). */
export const ATTEMPT_DELAY_MS = 250;

/** How the endpoints of one name are tried. */
export interface RaceOptions {
  /** One deadline for all of them, in milliseconds. */
  readonly timeoutMs: number;
  /** True: end the other attempts when one opens (a race). False: each has its own outcome. */
  readonly untilFirstOpen: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Makes one attempt; must call `onOpen` as soon as the handshake is complete. */
  readonly attempt: (
    endpoint: Endpoint,
    timeoutMs: number,
    signal: AbortSignal,
    onOpen: () => void,
  ) => Promise<Attempt>;
}

/**
 * Tries endpoints as a real client does (RFC 8305): the first at once, the next after 250 ms or as
 * soon as one has failed. Each attempt may last until the one deadline. With many addresses the
 * pauses are shorter, so that all are tried in half of the time.
 *
 * @returns a promise for each endpoint, in the order given; null for one that was never tried
 * because another had opened
 */
export function startAttempts(
  endpoints: readonly Endpoint[],
  options: RaceOptions,
): Promise<Attempt | null>[] {
  const { timeoutMs, untilFirstOpen, signal, attempt } = options;
  const delayMs = Math.min(ATTEMPT_DELAY_MS, timeoutMs / 2 / endpoints.length);
  const startMs = monotonicClock();
  const controllers = endpoints.map(() => new AbortController());
  const stop = (): void => {
    for (const controller of controllers) controller.abort();
  };
  const queue: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  let afterPoll: NodeJS.Immediate | undefined;
  let winner: number | undefined;

  const startNext = (): void => {
    clearTimeout(timer);
    clearImmediate(afterPoll);
    queue.shift()?.();
    if (queue.length === 0) return;
    // As `setSocketTimeout`, but what comes in between ends this pause.
    timer = setTimeout(() => {
      afterPoll = setImmediate(startNext);
    }, delayMs);
  };
  const win = (index: number): void => {
    if (!untilFirstOpen || winner !== undefined) return;
    winner = index;
    for (const [other, controller] of controllers.entries())
      if (other !== index) controller.abort();
    while (queue.length > 0) startNext(); // those that were never tried settle with null
  };
  const attempts = endpoints.map(
    (endpoint, index) =>
      new Promise<Attempt | null>((resolve, reject) => {
        const settle = (outcome: Attempt | null): void => {
          resolve(outcome);
          if (outcome?.state === 'open') win(index);
          startNext();
        };
        queue.push(() => {
          if (winner !== undefined) return settle(null);
          const remainingMs = Math.max(timeoutMs - (monotonicClock() - startMs), 1);
          return void attempt(
            endpoint,
            remainingMs,
            (controllers[index] ?? new AbortController()).signal,
            () => win(index),
          ).then(settle, reject);
        });
      }),
  );
  const stopListening = onAbort(signal, stop);
  // Misuse rejects all of them. The caller sees the first that it awaits.
  void Promise.allSettled(attempts).then(stopListening);
  startNext();
  return attempts;
}

/** Addresses with the families in turns, beginning with the family of the first (RFC 8305, 4). */
export function interleaveFamilies<T extends { readonly family: 4 | 6 }>(
  addresses: readonly T[],
): readonly T[] {
  if (addresses.length < 2) return addresses;
  const first = addresses.filter((each) => each.family === addresses[0]?.family);
  const second = addresses.filter((each) => each.family !== addresses[0]?.family);
  const turns = Array.from({ length: Math.max(first.length, second.length) }, (_, index) => [
    first[index],
    second[index],
  ]);
  return turns.flat().filter((each) => each !== undefined);
}
