import type { Attempt, ProbeReport } from '../facts/outcome.js';
import type { TargetRequest } from '../target/target-list.js';
import { literalReport } from './literal-report.js';

/**
 * How far probing may run ahead of the oldest target without a verdict. It bounds the memory for
 * verdicts that wait while that target is silent.
 */
const LOOK_AHEAD = 16_000;

/**
 * What is kept of a report until it is reported. For a literal address the one attempt says it
 * all, and 16,000 of them may wait: this decides how much memory a run takes.
 */
type Kept = ProbeReport | Attempt;

interface Slot {
  readonly request: TargetRequest;
  kept: readonly Kept[];
  isComplete: boolean;
}

/** What can be reported of one target. */
export interface Result {
  readonly request: TargetRequest;
  readonly reports: readonly ProbeReport[];
  /** No report of it follows, as far as that is known. */
  readonly isLast?: boolean;
}

const NOTHING: readonly Kept[] = [];

function keep(report: ProbeReport): readonly Kept[] {
  const { resolution, attempts, outcome } = report;
  return resolution.via === 'literal' && attempts.length === 1 && attempts[0] === outcome
    ? attempts
    : [report];
}

/** Holds the reports of targets until those of earlier targets are complete. */
export class OrderedResults {
  readonly #timeoutMs: number;
  readonly #slots = new Map<number, Slot>();
  #started = 0;
  #reported = 0;

  /** @param timeoutMs the deadline of each probe, milliseconds */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Whether as many targets were started as may wait for the oldest one. */
  get isFull(): boolean {
    return this.#started - this.#reported >= LOOK_AHEAD;
  }

  /** Whether {@link take} has something to do. */
  get hasNext(): boolean {
    const next = this.#slots.get(this.#reported);
    return next !== undefined && (next.isComplete || next.kept.length > 0);
  }

  /** Makes room for a target; returns its place in the order. */
  start(request: TargetRequest): number {
    const index = this.#started;
    this.#started += 1;
    this.#slots.set(index, { request, kept: NOTHING, isComplete: false });
    return index;
  }

  /** Adds a report of the target at that place. */
  add(index: number, report: ProbeReport): void {
    const slot = this.#slots.get(index);
    if (!slot) return;
    // Not push(), which makes room for 17.
    slot.kept = slot.kept.length === 0 ? keep(report) : slot.kept.concat(keep(report));
  }

  /** No report of the target at that place follows. */
  complete(index: number): void {
    const slot = this.#slots.get(index);
    if (slot) slot.isComplete = true;
  }

  /** The reports of the oldest target that have not been taken; undefined when there are none. */
  take(): Result | undefined {
    for (;;) {
      const slot = this.#slots.get(this.#reported);
      if (!slot) return undefined;
      const { request, kept } = slot;
      if (kept.length > 0) {
        slot.kept = NOTHING;
        return { request, reports: kept.map((each) => this.#restore(each, request)) };
      }
      if (!slot.isComplete) return undefined;
      this.#slots.delete(this.#reported);
      this.#reported += 1;
    }
  }

  #restore(kept: Kept, { target }: TargetRequest): ProbeReport {
    return 'outcome' in kept ? kept : literalReport(target, kept, this.#timeoutMs);
  }
}

/** Holds reports until they are taken, in the order they came. */
export class UnorderedResults {
  readonly #requests = new Map<number, TargetRequest>();
  readonly #results: Result[] = [];
  #started = 0;

  /** A schedule starts no target again before its reports were taken. */
  readonly isFull = false;

  /** Whether {@link take} has something to do. */
  get hasNext(): boolean {
    return this.#results.length > 0;
  }

  /** A target starts; returns its number. */
  start(request: TargetRequest): number {
    this.#started += 1;
    this.#requests.set(this.#started, request);
    return this.#started;
  }

  /** Adds a report of the target with that number. */
  add(index: number, report: ProbeReport): void {
    this.#push(index, [report], false);
  }

  /** No report of the target with that number follows. */
  complete(index: number): void {
    this.#push(index, [], true);
    this.#requests.delete(index);
  }

  /** The oldest reports that have not been taken; undefined when there are none. */
  take(): Result | undefined {
    return this.#results.shift();
  }

  #push(index: number, reports: readonly ProbeReport[], isLast: boolean): void {
    const request = this.#requests.get(index);
    if (request) this.#results.push({ request, reports, isLast });
  }
}
