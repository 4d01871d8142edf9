import type { SocketJudgement } from '../errors/socket-errors.js';
import { FILTERED_REASONS } from '../states.js';

/**
 * What a thread notes for each endpoint; 0 is "not yet". `unclear` needs a full probe. `failed` and
 * above are the rows of `SWEEP_VERDICTS`.
 */
export const SWEEP_STATE = { open: 1, silent: 2, unclear: 3, failed: 4 } as const;

/** What an error of connecting means. The thread notes the row and the error's number. */
export const SWEEP_VERDICTS: readonly SocketJudgement[] = [
  { state: 'closed', reason: 'conn-refused' },
  ...FILTERED_REASONS.map((reason) => ({ state: 'filtered', reason }) as const),
  { state: 'failed', reason: 'no-route' },
  { state: 'failed', reason: 'not-permitted' },
];

/** The work that the threads of a sweep share. Every buffer has one element an endpoint. */
export interface SweepBuffers {
  /** 16 bits each. */
  readonly ports: SharedArrayBuffer;
  /** Index of the endpoint's host in `hosts`, 32 bits each. */
  readonly hostOf: SharedArrayBuffer;
  /** A value of `SWEEP_STATE` or above, 8 bits each. */
  readonly states: SharedArrayBuffer;
  /** Numbers of errors as Node gives them (negative), 16 bits each. */
  readonly errnos: SharedArrayBuffer;
  /** Milliseconds since the epoch, doubles. */
  readonly startedAt: SharedArrayBuffer;
  /** Milliseconds, doubles. */
  readonly elapsedMs: SharedArrayBuffer;
  /** One number of 32 bits: the next endpoint that no thread has taken. */
  readonly cursor: SharedArrayBuffer;
}

/** What a thread of a sweep gets. */
export interface SweepJob extends SweepBuffers {
  readonly hosts: readonly string[];
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly startsPerTurn: number;
}
