import type { Outcome } from '../facts/outcome.js';

const NEIGHBOURS = 9;

/**
 * Finds latencies that are whole seconds above their neighbours. The SYN was then probably lost and
 * sent again: Linux repeats it after 1, 3 and 7 s, since 6.5 after 1, 2, 3, 4, 5, 7 and 11 s
 * (tcp_syn_linear_timeouts), a little later each time.
 */
export class RetransmissionDetector {
  readonly #neighbours: number[] = [];

  /**
   * Takes an outcome in.
   *
   * @returns by how many whole seconds it is above the median of its neighbours, or null when it is
   * not, or there is none to compare with
   */
  add(outcome: Outcome): number | null {
    if (outcome.state !== 'open') return null;
    const { latencyMs } = outcome;
    const sorted = [...this.#neighbours].sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)];
    const seconds = median === undefined ? 0 : Math.round((latencyMs - median) / 1000);
    const late = median === undefined ? 0 : latencyMs - median - seconds * 1000;
    // not a neighbour for others: it says nothing about the distance
    if (seconds >= 1 && Math.abs(late) <= Math.min(50 + 30 * seconds, 300)) return seconds;
    this.#neighbours.push(latencyMs);
    if (this.#neighbours.length > NEIGHBOURS) this.#neighbours.shift();
    return null;
  }
}
