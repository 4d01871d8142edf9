import { type Clock, monotonicClock } from '../clock.js';

/** How often this process should run. */
const TICK_MS = 100;

/** A tick that is later than this is a stall. */
const LATE_MS = 200;

/** Stalls that are kept, the latest ones. */
const MAX_STALLS = 100;

/**
 * Notices when this process did not run: it was stopped, or the machine was too busy. The kernel
 * completes a handshake without it, so that handshake reads too long.
 */
export class StallWatch {
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  readonly #stalls: { readonly fromMs: number; readonly toMs: number }[] = [];
  #lastMs: number;

  constructor(clock: Clock = monotonicClock) {
    this.#clock = clock;
    this.#lastMs = clock();
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** How long the process did not run since then, milliseconds; null when it ran. */
  since(startMs: number): number | null {
    this.#tick(); // an event of a socket comes before the timer that is late
    let stalledMs = 0;
    for (const { fromMs, toMs } of this.#stalls)
      stalledMs += Math.max(toMs - Math.max(fromMs, startMs), 0);
    return stalledMs === 0 ? null : stalledMs;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const nowMs = this.#clock();
    if (nowMs - this.#lastMs > TICK_MS + LATE_MS)
      this.#stalls.push({ fromMs: this.#lastMs, toMs: nowMs });
    if (this.#stalls.length > MAX_STALLS) this.#stalls.shift();
    this.#lastMs = nowMs;
  }
}
