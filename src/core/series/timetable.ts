import { type Clock, monotonicClock } from '../clock.js';
import type { Schedule } from '../many/request-source.js';
import type { TargetRequest } from '../target/target-list.js';

/** When targets are probed again. */
export interface TimetableOptions {
  /** Probes of each target. */
  readonly count: number;
  /** From the start of one probe of a target to the start of its next, milliseconds. */
  readonly intervalMs: number;
  /** From the first probe of one target to the first of the next, milliseconds. */
  readonly staggerMs: number;
  /** How long the series lasts, milliseconds. */
  readonly durationMs: number;
}

/** Two probes of a target start at least this part of the interval apart. */
const LEAST_GAP = 2 / 3;

/**
 * A start that is late by this much is made up for, so that a busy machine does not make a series
 * drift. After more, the process was stopped: the beats that passed are left out.
 */
const MOST_MADE_UP_MS = 500;

interface Entry {
  readonly request: TargetRequest;
  /** The beat of the interval that the latest probe is for, or the next one. */
  beatMs: number;
  /** When the next probe may start. */
  dueMs: number;
  /** When the latest probe started. */
  startMs: number;
  /** Probes that were started. */
  sequence: number;
  isUnderWay: boolean;
}

/**
 * The beat of the interval for the next probe.
 *
 * @param beatMs the beat of the last probe
 * @param startMs when it started
 */
export function nextBeat(beatMs: number, startMs: number, intervalMs: number): number {
  if (intervalMs === 0) return startMs;
  const lateMs = startMs - beatMs;
  const leftOut = lateMs > MOST_MADE_UP_MS ? Math.floor(lateMs / intervalMs) : 0;
  return beatMs + (leftOut + 1) * intervalMs;
}

/** When a probe may start after the start of another one. */
export const earliestAfter = (startMs: number, intervalMs: number): number =>
  startMs + intervalMs * LEAST_GAP;

/** The requests of a series. Each returns at its own interval, however long the others take. */
export class Timetable implements Schedule {
  readonly #options: TimetableOptions;
  readonly #clock: Clock;
  readonly #endMs: number;
  readonly #entries = new Map<TargetRequest, Entry>();

  constructor(
    requests: readonly TargetRequest[],
    options: TimetableOptions,
    clock: Clock = monotonicClock,
  ) {
    const nowMs = clock();
    this.#options = options;
    this.#clock = clock;
    this.#endMs = nowMs + options.durationMs;
    for (const [index, each] of requests.entries()) {
      const request = this.#entries.has(each) ? { ...each } : each; // the same may be given twice
      const beatMs = nowMs + index * options.staggerMs;
      const entry = { request, beatMs, dueMs: beatMs, startMs: 0, sequence: 0, isUnderWay: false };
      this.#entries.set(request, entry);
    }
  }

  get remainingMs(): number {
    return this.#endMs - this.#clock();
  }

  get isDone(): boolean {
    if (this.remainingMs <= 0) return true;
    for (const entry of this.#entries.values()) if (this.#hasMore(entry)) return false;
    return true;
  }

  get waitMs(): number | null {
    const next = this.#nextDue();
    return next && Math.max(Math.min(next.dueMs, this.#endMs) - this.#clock(), 0);
  }

  next(): TargetRequest | undefined {
    const nowMs = this.#clock();
    const entry = this.#nextDue();
    if (!entry || entry.dueMs > nowMs || nowMs >= this.#endMs) return undefined;
    entry.isUnderWay = true;
    entry.startMs = nowMs;
    entry.sequence += 1;
    return entry.request;
  }

  putBack(request: TargetRequest): void {
    const entry = this.#entries.get(request);
    if (!entry) return;
    entry.isUnderWay = false;
    entry.sequence -= 1;
  }

  end(request: TargetRequest): void {
    const entry = this.#entries.get(request);
    if (!entry) return;
    const { intervalMs } = this.#options;
    const { startMs } = entry;
    entry.isUnderWay = false;
    entry.beatMs = nextBeat(entry.beatMs, startMs, intervalMs);
    // Of the beats that pass during a long probe, only the last is made up for: at once.
    const missed = intervalMs === 0 ? 0 : Math.floor((this.#clock() - startMs) / intervalMs);
    entry.beatMs += Math.max(missed - 1, 0) * intervalMs;
    entry.dueMs = Math.max(entry.beatMs, earliestAfter(startMs, intervalMs));
  }

  async close(): Promise<void> {}

  /** The number of the latest probe of a request, from 1. */
  sequenceOf(request: TargetRequest): number {
    return this.#entries.get(request)?.sequence ?? 0;
  }

  #hasMore({ sequence }: Entry): boolean {
    return sequence < this.#options.count;
  }

  #nextDue(): Entry | null {
    let next: Entry | null = null;
    for (const entry of this.#entries.values())
      if (!entry.isUnderWay && this.#hasMore(entry) && (!next || entry.dueMs < next.dueMs))
        next = entry;
    return next;
  }
}
