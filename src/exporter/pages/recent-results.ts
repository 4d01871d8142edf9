import { reasonOf } from '../../core/facts/outcome.js';
import { formatHostPort } from '../../core/target/target.js';
import { explain } from '../../report/failures/explanation.js';
import type { JudgedProbe } from '../../report/formats/prometheus.js';

/** One verdict, as the landing page shows it. */
export interface Result {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly target: string;
  /** Empty when the name has no address. */
  readonly address: string;
  readonly state: string;
  /** Empty when the port is open as expected. */
  readonly reason: string;
  /** The latency of an open port, otherwise the time until the verdict, milliseconds. */
  readonly elapsedMs: number;
  /** The cause and what to do; may be empty. Safe for a terminal, not for HTML. */
  readonly explanation: string;
}

/** Summarises a probe for the landing page. */
export function resultOf({ report }: JudgedProbe): Result {
  const { target, startedAt, outcome } = report;
  const explanation = explain(report);
  return {
    time: startedAt,
    target: formatHostPort(target.host, target.port),
    address: 'endpoint' in outcome ? outcome.endpoint.address : '',
    state: outcome.state,
    reason: reasonOf(outcome) ?? '',
    elapsedMs: outcome.state === 'open' ? outcome.latencyMs : outcome.elapsedMs,
    explanation: explanation ? `${explanation.what} ${explanation.advice}` : '',
  };
}

/** How many results are kept of each kind, unless said otherwise. */
const MOST_RESULTS = 100;

/** Whether a target was as it should be. */
export const isGood = ({ state, reason }: Result): boolean => state === 'open' && reason === '';

/**
 * The latest results. Failures are kept apart: many targets that are open would soon push them out.
 * The oldest of each kind is dropped first.
 */
export class RecentResults {
  readonly #failures: Result[] = [];
  readonly #successes: Result[] = [];
  readonly #most: number;

  /** @param most how many results of each kind to keep */
  constructor(most = MOST_RESULTS) {
    this.#most = most;
  }

  /** Adds the newest result. */
  add(result: Result): void {
    const results = isGood(result) ? this.#successes : this.#failures;
    results.unshift(result);
    results.length = Math.min(results.length, this.#most);
  }

  /** What is wrong first, and of each kind the newest first. */
  get all(): readonly Result[] {
    return [...this.#failures, ...this.#successes];
  }
}
