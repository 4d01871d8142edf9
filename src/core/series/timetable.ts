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

interface Entry {
  readonly request: TargetRequest;
  /** When the next probe should start, or the one under way should have started. */
  dueMs: number;
  startMs: number;
  /** Probes that were started. */
  sequence: number;
  isUnderWay: boolean;
}

/**
 * The beat of an interval for the next probe: the first one that is at least half an interval after
 * the last start. A late start is not made up for, and the beats do not drift.
 *
 * @param dueMs when the last probe should have started
 * @param startMs when it did
 */
export function nextBeat(dueMs: number, startMs: number, intervalMs: number): number {
  if (intervalMs === 0) return startMs;
  const beats = Math.ceil((startMs + intervalMs / 2 - dueMs) / intervalMs);
  return dueMs + Math.max(beats, 1) * intervalMs;
}

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
      const dueMs = nowMs + index * options.staggerMs;
      this.#entries.set(request, { request, dueMs, startMs: 0, sequence: 0, isUnderWay: false });
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
    entry.isUnderWay = false;
    entry.dueMs = nextBeat(entry.dueMs, entry.startMs, this.#options.intervalMs);
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
