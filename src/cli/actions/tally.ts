import { monotonicClock } from '../../core/clock.js';
import type { ProbeEvent } from '../../core/facts/events.js';
import type { SeriesOptions } from '../../core/series/probe-series.js';
import type { State } from '../../core/states.js';
import type { Totals } from '../../report/reporter.js';

/** Counts verdicts as they come. */
export class Tally {
  readonly #counts: Partial<Record<State, number>> = {};
  readonly #startMs = monotonicClock();
  #unexpected = 0;
  #hasExpectations: boolean;
  /** 0 if all were as expected, else the highest code of the others; null without verdicts. */
  exitCode: number | null = null;
  probes = 0;

  constructor({ expect, maxLatencyMs, service }: SeriesOptions) {
    this.#hasExpectations =
      expect !== 'open' || maxLatencyMs !== undefined || service !== undefined;
  }

  add({ request, report, verdict }: ProbeEvent): void {
    const { state } = report.outcome;
    this.probes += 1;
    this.#counts[state] = (this.#counts[state] ?? 0) + 1;
    if (!verdict.asExpected) this.#unexpected += 1;
    if (request.expect) this.#hasExpectations = true;
    this.exitCode = Math.max(this.exitCode ?? 0, verdict.exitCode);
  }

  totals(isComplete: boolean, exitCode = this.exitCode ?? 0): Totals {
    const elapsedMs = monotonicClock() - this.#startMs;
    return {
      type: 'totals',
      probes: this.probes,
      counts: this.#counts,
      unexpected: this.#unexpected,
      hasExpectations: this.#hasExpectations,
      elapsedMs,
      exitCode,
      isComplete,
    };
  }

  /** How far a long run is, for the spinner. */
  progress(size: number | null): string {
    const { probes, elapsedMs, counts } = this.totals(false);
    const perSecond = probes / (elapsedMs / 1000);
    const left =
      size === null || perSecond === 0
        ? ''
        : `, ${Math.max(Math.ceil((size - probes) / perSecond), 0)} s left`;
    const done = `${probes}${size === null ? '' : ` of ${size}`} done`;
    return `${done}, ${counts.open ?? 0} open, ${Math.round(perSecond)} a second${left}`;
  }
}
