import { type Clock, monotonicClock } from '../clock.js';

/** A probe without a descriptor waits at most this long if no other probe can free one. */
const PATIENCE_ALONE_MS = 1000;

/** Pauses after a shortage double from the first to the longest. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1000;

/** How far a shortage lowers the limit. */
const REDUCTION = 0.8;

/**
 * Lowers the number of probes at once while this machine is short of descriptors, source ports or
 * buffers, and raises it again with each success.
 */
export class Throttle {
  readonly #most: number;
  readonly #patienceMs: number;
  readonly #clock: Clock;
  #limit: number;
  #pauseUntilMs = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #shortSinceMs: number | null = null;

  /**
   * @param most probes at once without a shortage
   * @param patienceMs how long a shortage may last without a success, milliseconds
   * @param clock replaced by tests
   */
  constructor(most: number, patienceMs: number, clock: Clock = monotonicClock) {
    this.#limit = most;
    this.#most = most;
    this.#patienceMs = patienceMs;
    this.#clock = clock;
  }

  /** Probes that may run at once. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Milliseconds until the next probe may start. */
  get pauseMs(): number {
    return this.#pauseUntilMs === 0 ? 0 : Math.max(this.#pauseUntilMs - this.#clock(), 0);
  }

  /** A probe had all that it needed. */
  succeed(): void {
    this.#shortSinceMs = null;
    this.#pauseMs = FIRST_PAUSE_MS;
    if (this.#limit < this.#most) this.#limit = Math.min(this.#most, this.#limit + 1 / this.#limit);
  }

  /**
   * A probe met a shortage.
   *
   * @param running other probes under way
   * @param mayPass whether one of them, or time, may end the shortage
   * @returns whether to retry the probe
   */
  fail(running: number, mayPass: boolean): boolean {
    const nowMs = this.#clock();
    this.#shortSinceMs ??= nowMs;
    const patienceMs = mayPass ? this.#patienceMs : Math.min(this.#patienceMs, PATIENCE_ALONE_MS);
    if (nowMs - this.#shortSinceMs >= patienceMs) return false;
    if (nowMs >= this.#pauseUntilMs) {
      this.#limit = Math.max(Math.floor(Math.min(this.#limit, running) * REDUCTION), 1);
      this.#pauseUntilMs = nowMs + this.#pauseMs;
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    }
    return true;
  }
}
