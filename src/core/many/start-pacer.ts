import { monotonicClock } from '../clock.js';

/**
 * Connects started in one turn of the event loop. A completed connection is noticed only between
 * turns, so this bounds how much its latency reads too long: 1,000 connects a turn add 48 ms, ten
 * add less than 2 ms.
 */
export const STARTS_PER_TURN = 12;

/** A late start lets later ones catch up in a burst of at most this long. */
const BURST_MS = 100;

/** Decides when the next probe may start: by the turn of the event loop, and by a rate. */
export class StartPacer {
  readonly #intervalMs: number;
  #nextMs = monotonicClock();
  #startsInTurn = 0;

  /** @param ratePerSecond starts a second, above 0; Infinity for no limit */
  constructor(ratePerSecond: number) {
    this.#intervalMs = 1000 / ratePerSecond;
  }

  /** As many probes as allowed have started in this turn. */
  get isTurnFull(): boolean {
    return this.#startsInTurn === STARTS_PER_TURN;
  }

  /** Milliseconds until the rate allows the next start; 0 for now. */
  get waitMs(): number {
    return this.#intervalMs === 0 ? 0 : Math.max(this.#nextMs - monotonicClock(), 0);
  }

  /** Notes a start. */
  start(): void {
    if (this.#intervalMs > 0)
      this.#nextMs = Math.max(this.#nextMs, monotonicClock() - BURST_MS) + this.#intervalMs;
    this.#startsInTurn += 1;
    if (this.#startsInTurn === 1)
      setImmediate(() => {
        this.#startsInTurn = 0;
      });
  }
}
