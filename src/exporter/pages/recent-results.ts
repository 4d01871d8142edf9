import { reasonOf } from '../../core/facts/outcome.js';
import { formatHostPort } from '../../core/target/target.js';
import { explain } from '../../report/explanation.js';
import type { JudgedProbe } from '../../report/formats/prometheus.js';

/** One verdict, as the landing page shows it. */
export interface Result {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly target: string;
  /** Empty when the name was not resolved. */
  readonly address: string;
  readonly state: string;
  /** Empty when all is well. */
  readonly reason: string;
  /** The latency of an open port, else how long the answer or giving up took; milliseconds. */
  readonly elapsedMs: number;
  /** Why, and what to do; empty when all is well. Safe for a terminal, not for HTML. */
  readonly explanation: string;
}

/** A judged probe in short. */
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

/** The latest results: no more than so many, the oldest goes first. */
export class RecentResults {
  readonly #results: Result[] = [];
  readonly #most: number;

  constructor(most = 100) {
    this.#most = most;
  }

  add(result: Result): void {
    this.#results.unshift(result);
    this.#results.length = Math.min(this.#results.length, this.#most);
  }

  /** Newest first. */
  get all(): readonly Result[] {
    return this.#results;
  }
}
