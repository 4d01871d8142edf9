import { onAbort } from '../abort.js';
import { type Clock, monotonicClock } from '../clock.js';
import { checkRange } from '../limits.js';
import {
  type LookupAnswer,
  lookUpInProcess,
  lookupThreads,
  type SystemLookup,
} from './system-lookup.js';

/** If no lookup has ended for so long, the resolver is dead and no lookup waits for a place. */
const PATIENCE_MS = 60_000;

/** Equal questions this close together are one: several ports of a host, milliseconds. */
const SAME_QUESTION_MS = 10;

/** A lookup that the system has not answered. */
interface Lookup {
  readonly startMs: number;
  readonly answer: Promise<LookupAnswer>;
}

/** How lookups are bounded. */
export interface LookupQueueOptions {
  /** Lookups under way at once, 1 or more; default as many as this process has threads for. */
  readonly atOnce?: number;
  /** How long to wait for a place while no lookup ends, milliseconds; default 60000. */
  readonly patienceMs?: number;
  /** Replaced by tests. */
  readonly clock?: Clock;
}

/**
 * The lookups of the system's resolver. Their number is bounded: `getaddrinfo` cannot be cancelled,
 * and a dead resolver keeps a thread for each question, 10 s and more. A later question for the
 * same name is asked anew, because the answer to a lost one says nothing about now.
 */
export class LookupQueue {
  readonly #ask: SystemLookup;
  readonly #patienceMs: number;
  readonly #clock: Clock;
  #most: number | undefined;
  /** By question, the latest last. */
  readonly #underWay = new Map<string, readonly Lookup[]>();
  #pending = 0;
  /** Places that were given and whose lookup has not started. */
  #reserved = 0;
  readonly #waiting = new Set<(hasPlace: boolean) => void>();
  #timer: NodeJS.Timeout | undefined;

  /** @throws UsageError when `atOnce` is below 1 */
  constructor(ask: SystemLookup, options: LookupQueueOptions = {}) {
    const { atOnce, patienceMs = PATIENCE_MS, clock = monotonicClock } = options;
    if (atOnce !== undefined) checkRange('atOnce', atOnce, 1);
    this.#ask = ask;
    this.#most = atOnce;
    this.#patienceMs = patienceMs;
    this.#clock = clock;
  }

  /** How many lookups the system has not answered. */
  get pending(): number {
    return this.#pending;
  }

  /** Whether a lookup of this host would be one more than allowed. */
  isFullFor(host: string): boolean {
    if (this.#hasPlace()) return false;
    return !([0, 4, 6] as const).some((family) => this.#underWay.has(keyOf(host, family)));
  }

  /**
   * Looks up at once, without waiting for a place. When no more lookups are allowed, the latest
   * equal question under way is shared.
   */
  readonly lookUp: SystemLookup = async (host, family) => {
    const key = keyOf(host, family);
    const startMs = this.#clock();
    const latest = this.#underWay.get(key)?.at(-1);
    const isFull = this.#pending >= this.#bound;
    if (latest && (isFull || startMs - latest.startMs < SAME_QUESTION_MS))
      return { ...(await latest.answer), elapsedMs: this.#clock() - startMs };
    const answer = this.#ask(host, family).finally(() => {
      const others = (this.#underWay.get(key) ?? []).filter((each) => each !== lookup);
      if (others.length > 0) this.#underWay.set(key, others);
      else this.#underWay.delete(key);
      this.#pending -= 1;
      this.#timer?.refresh();
      this.#admit();
    });
    const lookup: Lookup = { startMs, answer };
    this.#underWay.set(key, [...(this.#underWay.get(key) ?? []), lookup]);
    this.#pending += 1;
    return answer;
  };

  /**
   * Reserves a place. More lookups than threads would wait unasked while their timeouts run, and
   * report the DNS server as silent.
   *
   * @returns undefined when there is a place at once. Else whether there is one: false when the
   * signal is aborted or the resolver is dead. A place must be given back by {@link release}
   */
  reserve(signal?: AbortSignal): Promise<boolean> | undefined {
    if (this.#waiting.size === 0 && this.#hasPlace()) {
      this.#reserved += 1;
      return undefined;
    }
    this.#timer ??= setTimeout(() => this.#giveUp(), this.#patienceMs);
    return new Promise((resolve) => {
      let stopWaiting = (): void => {};
      const go = (hasPlace: boolean): void => {
        stopWaiting();
        this.#waiting.delete(go);
        this.#stopTimer();
        resolve(hasPlace);
      };
      this.#waiting.add(go);
      stopWaiting = onAbort(signal, () => go(false));
    });
  }

  /** Gives a reserved place back: its lookup has started and counts itself, or is not needed. */
  release(): void {
    this.#reserved -= 1;
    this.#admit();
  }

  get #bound(): number {
    return (this.#most ??= lookupThreads());
  }

  #hasPlace(): boolean {
    return this.#pending + this.#reserved < this.#bound;
  }

  #admit(): void {
    while (this.#hasPlace()) {
      const [next] = this.#waiting;
      if (!next) return;
      this.#reserved += 1;
      next(true);
    }
  }

  #giveUp(): void {
    for (const go of this.#waiting) go(false);
  }

  #stopTimer(): void {
    if (this.#waiting.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function keyOf(host: string, family: 0 | 4 | 6): string {
  return `${family} ${host}`;
}

/** The lookups of this process, on its own threads. */
export const systemLookups = new LookupQueue(lookUpInProcess);
