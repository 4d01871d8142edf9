import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Outage, SeriesEvent } from '../facts/events.js';
import type { OpenOutcome } from '../facts/outcome.js';
import type { ServiceFinding } from '../facts/service-finding.js';
import type { ServiceReason, State } from '../states.js';

/**
 * Figures of a set of times, all in milliseconds. Those that need two values are null when there is
 * one.
 */
export type Figures = {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  /** Of the sample (n − 1 in the divisor). */
  readonly standardDeviation: number | null;
};

/**
 * Figures of the latency. Percentiles are by nearest rank, exact to a microsecond up to 16 ms and
 * to 0.01 % above.
 */
export type LatencyFigures = Figures & {
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  /**
   * Mean absolute difference of neighbours: probes that followed each other directly and were both
   * open.
   */
  readonly jitter: number | null;
};

/** How many times fell between two bounds. */
export type Bin = {
  /** Milliseconds; the lower bound belongs to the bin, the upper one does not. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
};

/** The sum of all outages. */
export type OutageTotals = {
  readonly count: number;
  readonly longestMs: number;
  readonly totalMs: number;
};

/** What came of the service behind open ports. */
export type ServiceTotals = {
  readonly answered: number;
  /** How often it did not answer as it should, by reason; those that did not occur are left out. */
  readonly failures: Readonly<Partial<Record<ServiceReason, number>>>;
  /** Times from the handshake to the answer; null when there was none. */
  readonly answers: Figures | null;
};

/** What many probes learned. */
export interface Summary {
  /**
   * Start of the first and of the latest probe, milliseconds since the epoch; null when there was
   * none.
   */
  readonly firstAt: number | null;
  readonly latestAt: number | null;
  readonly sent: number;
  readonly counts: Readonly<Record<Exclude<State, 'cancelled'>, number>>;
  /** The state that the latest probe found; null when there was none. */
  readonly latest: Exclude<State, 'cancelled'> | null;
  /** Probes that were not open, in percent of those sent; null when none was sent. */
  readonly lossPercent: number | null;
  /** Open probes only; null when there was none. */
  readonly latency: LatencyFigures | null;
  /** Null when the service was never asked. */
  readonly service: ServiceTotals | null;
  /** Open probes that were slower than allowed. */
  readonly tooSlow: number;
  /** Probes that a lost SYN delayed: as the kernel knows it, else whole seconds above others. */
  readonly lostSyns: number;
  /** Those of them that the kernel knows. */
  readonly lostSynsSeen: number;
  /** All outages, also the one that is going on. */
  readonly outages: OutageTotals;
  /** The outage that is going on, or null. */
  readonly outage: Outage | null;
  /** Names resolved; null when there was none to resolve. */
  readonly resolving: Figures | null;
  /** The latest latencies in milliseconds, oldest first; null where a probe was not open. */
  readonly recent: readonly (number | null)[];
  /**
   * The distribution of the latency from the first bin that is not empty to the last, each 9 %
   * wider than the one before.
   */
  readonly bins: readonly Bin[];
}

const PERCENTILES = [50, 90, 95, 99] as const;
const RECENT = 240;
const BINS_PER_DOUBLING = 8;
const HIGHEST_MICROSECONDS = 3_600_000_000;

function withOutage({ count, longestMs, totalMs }: OutageTotals, outage: Outage): OutageTotals {
  const { durationMs } = outage;
  return {
    count: count + 1,
    longestMs: Math.max(longestMs, durationMs),
    totalMs: totalMs + durationMs,
  };
}

/**
 * Mean and variance of values as they come (Welford, Technometrics 4, 1962), with the least and the
 * greatest.
 */
class RunningFigures {
  #count = 0;
  #mean = 0;
  #squares = 0;
  #min = Infinity;
  #max = -Infinity;

  add(value: number): void {
    this.#count += 1;
    const difference = value - this.#mean;
    this.#mean += difference / this.#count;
    this.#squares += difference * (value - this.#mean);
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  snapshot(): Figures | null {
    if (this.#count === 0) return null;
    // Rounding may put the mean a hair outside of what was measured.
    const mean = Math.min(Math.max(this.#mean, this.#min), this.#max);
    const standardDeviation =
      this.#count < 2 ? null : Math.sqrt(Math.max(this.#squares, 0) / (this.#count - 1));
    return { count: this.#count, min: this.#min, mean, max: this.#max, standardDeviation };
  }
}

/**
 * What probes learned so far, in memory that does not grow with their number. Probes that were
 * cancelled do not count.
 */
export class Statistics {
  readonly #counts = { open: 0, closed: 0, filtered: 0, unresolved: 0, failed: 0 };
  readonly #latency = new RunningFigures();
  readonly #resolving = new RunningFigures();
  readonly #jitter = new RunningFigures();
  readonly #answers = new RunningFigures();
  readonly #serviceFailures: Partial<Record<ServiceReason, number>> = {};
  readonly #histogram: RecordableHistogram = createHistogram({
    lowest: 1,
    highest: HIGHEST_MICROSECONDS,
    figures: 4,
  });
  readonly #bins: (number | undefined)[] = [];
  readonly #recent: (number | null)[] = [];

  #outages: OutageTotals = { count: 0, longestMs: 0, totalMs: 0 };
  #outage: Outage | null = null;
  #firstAt: number | null = null;
  #latestAt: number | null = null;
  #latest: Summary['latest'] = null;
  #isServiceAsked = false;
  #tooSlow = 0;
  #lostSyns = 0;
  #lostSynsSeen = 0;

  /** Takes an event of a series in. */
  add(event: SeriesEvent): void {
    if (event.type === 'outage') {
      this.#outages = withOutage(this.#outages, event.outage);
      this.#outage = null;
      return;
    }
    const { outcome, resolution, startedAt } = event.report;
    if (outcome.state === 'cancelled') return;
    if (event.outage) this.#outage = event.outage;
    this.#firstAt ??= startedAt;
    this.#latestAt = startedAt;
    this.#latest = outcome.state;
    if (event.verdict.tooSlow) this.#tooSlow += 1;
    this.#counts[outcome.state] += 1;
    if (resolution.state === 'resolved' && resolution.via !== 'literal')
      this.#resolving.add(resolution.elapsedMs);
    const latencyMs = outcome.state === 'open' ? outcome.latencyMs : null;
    if (outcome.state === 'open') this.#addOpen(outcome, event.lostSynSeconds !== null);
    this.#recent.push(latencyMs);
    if (this.#recent.length > RECENT) this.#recent.shift();
  }

  #addOpen({ latencyMs, kernel, service }: OpenOutcome, isSynLost: boolean): void {
    this.#addLatency(latencyMs);
    if (isSynLost) this.#lostSyns += 1;
    if (kernel?.cause === 'lost-syn') this.#lostSynsSeen += 1;
    if (service) this.#addService(service);
  }

  #addLatency(latencyMs: number): void {
    this.#latency.add(latencyMs);
    const before = this.#recent.at(-1);
    if (typeof before === 'number') this.#jitter.add(Math.abs(latencyMs - before));
    const microseconds = Math.min(Math.max(Math.round(latencyMs * 1000), 1), HIGHEST_MICROSECONDS);
    this.#histogram.record(microseconds);
    const bin = Math.floor(Math.log2(microseconds) * BINS_PER_DOUBLING);
    this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
  }

  #addService(finding: ServiceFinding): void {
    this.#isServiceAsked = true;
    if (finding.state === 'answered') this.#answers.add(finding.answerMs);
    else this.#serviceFailures[finding.state] = (this.#serviceFailures[finding.state] ?? 0) + 1;
  }

  #serviceTotals(): ServiceTotals | null {
    if (!this.#isServiceAsked) return null;
    const answers = this.#answers.snapshot();
    return { answered: answers?.count ?? 0, failures: { ...this.#serviceFailures }, answers };
  }

  /** The figures so far. */
  summary(): Summary {
    const counts = { ...this.#counts };
    const sent = Object.values(counts).reduce((sum, count) => sum + count, 0);
    return {
      firstAt: this.#firstAt,
      latestAt: this.#latestAt,
      sent,
      counts,
      latest: this.#latest,
      lossPercent: sent === 0 ? null : ((sent - counts.open) / sent) * 100,
      latency: this.#latencyFigures(),
      service: this.#serviceTotals(),
      tooSlow: this.#tooSlow,
      lostSyns: this.#lostSyns,
      lostSynsSeen: this.#lostSynsSeen,
      outages: this.#outage ? withOutage(this.#outages, this.#outage) : this.#outages,
      outage: this.#outage,
      resolving: this.#resolving.snapshot(),
      recent: [...this.#recent],
      bins: this.#binsInUse(),
    };
  }

  #latencyFigures(): LatencyFigures | null {
    const figures = this.#latency.snapshot();
    if (figures === null) return null;
    const { count, min, max } = figures;
    const [p50 = min, p90 = min, p95 = min, p99 = min] = PERCENTILES.map((percent) => {
      const rank = Math.ceil((percent * count) / 100);
      // The histogram rounds to a rank in a way of its own; a quarter short of the rank is that
      // rank either way.
      const value = this.#histogram.percentile(((rank - 0.25) / count) * 100) / 1000;
      return Math.min(Math.max(value, min), max);
    });
    return { ...figures, p50, p90, p95, p99, jitter: this.#jitter.snapshot()?.mean ?? null };
  }

  #binsInUse(): Bin[] {
    const first = this.#bins.findIndex((count) => count !== undefined);
    if (first < 0) return [];
    const bound = (bin: number): number => 2 ** (bin / BINS_PER_DOUBLING) / 1000;
    return Array.from({ length: this.#bins.length - first }, (_, index) => ({
      from: bound(first + index),
      to: bound(first + index + 1),
      count: this.#bins[first + index] ?? 0,
    }));
  }
}
