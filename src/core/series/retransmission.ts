import type { Outcome } from '../facts/outcome.js';

const NEIGHBOURS = 9;

/** The latency must have risen by this much, or the host has become slower. Milliseconds. */
const LEAST_RISE_MS = 700;

/**
 * Finds latencies that are whole seconds above their neighbours. The SYN was then probably lost and
 * sent again: Linux repeats it after 1, 3 and 7 s, since 6.5 after 1, 2, 3, 4, 5, 7 and 11 s
 * (tcp_syn_linear_timeouts), a little later each time. A host that became a second slower for good
 * looks the same once, but not again. What the kernel knows decides.
 */
export class RetransmissionDetector {
  readonly #neighbours: number[] = [];
  #latest = Infinity;

  /**
   * Takes an outcome in.
   *
   * @returns by how many whole seconds a lost SYN delayed it: as the kernel knows it, else by how
   * many it is above the median of its neighbours; null if it is not, or there is none to compare
   */
  add(outcome: Outcome): number | null {
    if (outcome.state !== 'open') return null;
    const { latencyMs, kernel } = outcome;
    const rise = latencyMs - this.#latest;
    this.#latest = latencyMs;
    if (kernel?.cause === 'lost-syn')
      return Math.round((latencyMs - (kernel.roundTripMs ?? 0)) / 1000);
    const seconds =
      kernel?.cause === 'no-loss' || rise < LEAST_RISE_MS ? null : this.#secondsAbove(latencyMs);
    if (seconds !== null) return seconds; // it says nothing about the distance
    this.#neighbours.push(latencyMs);
    if (this.#neighbours.length > NEIGHBOURS) this.#neighbours.shift();
    return null;
  }

  #secondsAbove(latencyMs: number): number | null {
    const sorted = [...this.#neighbours].sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)];
    const seconds = median === undefined ? 0 : Math.round((latencyMs - median) / 1000);
    const late = median === undefined ? 0 : latencyMs - median - seconds * 1000;
    return seconds >= 1 && Math.abs(late) <= Math.min(50 + 30 * seconds, 300) ? seconds : null;
  }
}
