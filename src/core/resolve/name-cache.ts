import type { Resolution } from '../facts/outcome.js';
import { LookupQueue, systemLookups } from './lookup-queue.js';
import { resolveHost } from './resolver.js';
import { NAMES_AT_ONCE, type SystemLookup } from './system-lookup.js';
import { familyOf } from '../target/target.js';

/** How many answers are kept, the latest ones. */
const MOST_KEPT = 10_000;

/**
 * Descriptors of a lookup (hosts file, resolv.conf, a socket for each DNS server) or of a connect
 * that is raced, and how many must be free at the most.
 */
const DESCRIPTORS_EACH = 4;
const MOST_SPARE_DESCRIPTORS = DESCRIPTORS_EACH * NAMES_AT_ONCE;

/** A name's place in the queue. */
interface Turn {
  /** Undefined when there was a place at once. */
  readonly waiting: Promise<void> | undefined;
  hasPlace: boolean;
}

/** What the names of a run need. */
export interface NameCacheParts {
  /** Default {@link resolveHost}. */
  readonly resolve?: typeof resolveHost | undefined;
  /** Default a queue before `systemLookup`, or without one the queue of this process. */
  readonly lookups?: LookupQueue | undefined;
  readonly systemLookup?: SystemLookup | undefined;
  /** Resolve a name anew for each probe; default once. */
  readonly asksAnew?: boolean;
  /** How many probes are under way. */
  readonly running: () => number;
  /** Aborting ends every wait for a place. */
  readonly signal: AbortSignal;
}

/**
 * The names of a run over many targets. Each is resolved when the lookup queue has a place for it:
 * the timeout of a probe starts when its lookup starts.
 */
export class NameCache {
  readonly #parts: NameCacheParts;
  readonly #lookups: LookupQueue;
  readonly #answers = new Map<string, Promise<Resolution>>();
  readonly #turns = new Map<string, Turn>();
  /** For each resolution under way the most probes there have been beside it, itself included. */
  readonly #crowds = new Set<{ most: number }>();

  constructor(parts: NameCacheParts) {
    const { lookups, systemLookup } = parts;
    this.#parts = parts;
    this.#lookups = lookups ?? (systemLookup ? new LookupQueue(systemLookup) : systemLookups);
  }

  /** Waits until a host may be resolved; undefined when it may be now. */
  turn(host: string): Promise<void> | undefined {
    if (familyOf(host) !== null || this.#answers.has(host)) return undefined;
    const known = this.#turns.get(host);
    if (known) return known.waiting;
    const { signal } = this.#parts;
    const reserved = this.#lookups.reserve(signal);
    const turn: Turn = {
      hasPlace: reserved === undefined,
      waiting: reserved?.then((hasPlace) => {
        turn.hasPlace = hasPlace;
        if (signal.aborted) this.#release(turn);
      }),
    };
    this.#turns.set(host, turn);
    return turn.waiting;
  }

  /** Gives back the places of names that will not be resolved. */
  close(): void {
    for (const turn of this.#turns.values()) this.#release(turn);
    this.#turns.clear();
  }

  /**
   * As `resolveHost`, for a host that has its turn. A resolution that failed here is not kept: the
   * next one asks again.
   */
  readonly resolve: typeof resolveHost = (host, options, internals) => {
    const known = this.#answers.get(host);
    if (known) return known;
    const { resolve = resolveHost, asksAnew = false } = this.#parts;
    const turn = this.#turns.get(host);
    this.#turns.delete(host);
    const systemLookup: SystemLookup = (...question) => {
      const answer = this.#lookups.lookUp(...question);
      this.#release(turn); // the lookup counts itself, until it ends
      return answer;
    };
    const crowd = { most: 1 };
    this.#crowds.add(crowd);
    this.#growCrowds();
    // A lookup without a descriptor reports "not found". By the time we check, other probes may
    // have closed theirs.
    const spareDescriptors = (): number => {
      this.#growCrowds();
      return Math.min(1 + DESCRIPTORS_EACH * (crowd.most - 1), MOST_SPARE_DESCRIPTORS);
    };
    const answer = resolve(host, options, { ...internals, systemLookup, spareDescriptors });
    if (!asksAnew) this.#answers.set(host, answer);
    const settle = (isAnswer: boolean): void => {
      this.#crowds.delete(crowd);
      this.#release(turn);
      if (!isAnswer && this.#answers.get(host) === answer) this.#answers.delete(host);
    };
    answer.then(
      ({ state }) => settle(state !== 'failed'),
      () => settle(false),
    );
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > MOST_KEPT && oldest !== undefined) this.#answers.delete(oldest);
    return answer;
  };

  #release(turn: Turn | undefined): void {
    if (!turn?.hasPlace) return;
    turn.hasPlace = false;
    this.#lookups.release();
  }

  #growCrowds(): void {
    for (const crowd of this.#crowds) crowd.most = Math.max(crowd.most, this.#parts.running());
  }
}
