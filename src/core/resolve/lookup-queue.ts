import type { Resolution } from '../facts/outcome.js';
import type { resolveHost } from './resolver.js';
import type { SystemLookup } from './system-lookup.js';
import { familyOf } from '../target/target.js';

/** How many answers are kept, the latest ones. */
const MOST_KEPT = 10_000;

/** When no lookup has ended for so long, the resolver is taken for dead, and no name waits for it any more; milliseconds. */
const PATIENCE_MS = 60_000;

/**
 * The descriptors of a lookup (hosts file, resolv.conf, a socket for each DNS server) or of a connect that is raced, and how many must be free at the
 * most: those of 64 lookups.
 */
const DESCRIPTORS_EACH = 4;
const MOST_SPARE_DESCRIPTORS = 256;

/**
 * The names of a run over many targets: each distinct one is resolved once, and only so many at a time as the system's resolver works on. Further ones
 * would wait in its queue while their deadlines run, and a name that was never asked for would be told as one whose DNS server is silent.
 */
export class Names {
  readonly #resolve: typeof resolveHost;
  readonly #lookUp: SystemLookup;
  readonly #answers = new Map<string, Promise<Resolution>>();
  readonly #turns = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  /** For each lookup under way how many probes there have been beside it, itself included. */
  readonly #crowds = new Set<{ most: number }>();
  readonly #running: () => number;
  readonly #patienceMs: number;
  #timer: NodeJS.Timeout | undefined;
  #free: number;

  /**
   * @param atOnce how many names are looked up at a time
   * @param running how many probes are under way
   * @param patienceMs how long names wait while no lookup ends, milliseconds
   */
  constructor(
    resolve: typeof resolveHost,
    lookUp: SystemLookup,
    atOnce: number,
    running: () => number = () => 1,
    patienceMs = PATIENCE_MS,
  ) {
    this.#resolve = resolve;
    this.#lookUp = lookUp;
    this.#free = atOnce;
    this.#running = running;
    this.#patienceMs = patienceMs;
  }

  /** Waits for the turn of a host that is to be resolved next; undefined when it need not wait. */
  turn(host: string): Promise<void> | undefined {
    if (familyOf(host) !== null || this.#answers.has(host)) return undefined;
    const known = this.#turns.get(host);
    if (known) return known;
    this.#free -= 1;
    if (this.#free >= 0) return undefined;
    this.#timer ??= setTimeout(() => this.close(), this.#patienceMs);
    const turn = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#turns.set(host, turn);
    return turn;
  }

  /** Lets all go on that wait. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** As `resolveHost`, for a host that has its turn. That this machine was short of something is no answer: the next one asks again. */
  readonly resolve: typeof resolveHost = (host, options) => {
    const known = this.#answers.get(host);
    if (known) return known;
    let isAsked = false;
    // A lookup goes on when whoever asked has given up: its place is free only then.
    const systemLookup: SystemLookup = (...question) => {
      isAsked = true;
      return this.#lookUp(...question).finally(() => this.#leave());
    };
    // That a lookup failed for want of a descriptor is seen only later, when the others may have given theirs back: so many may that have been.
    const crowd = { most: 1 };
    this.#crowds.add(crowd);
    this.#growCrowds();
    const spareDescriptors = (): number => {
      this.#growCrowds();
      return Math.min(1 + DESCRIPTORS_EACH * (crowd.most - 1), MOST_SPARE_DESCRIPTORS);
    };
    const answer = this.#resolve(host, { ...options, systemLookup, spareDescriptors });
    this.#turns.delete(host);
    this.#answers.set(host, answer);
    const settle = (isAnswer: boolean): void => {
      this.#crowds.delete(crowd);
      if (!isAsked) this.#leave();
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

  #growCrowds(): void {
    for (const crowd of this.#crowds) crowd.most = Math.max(crowd.most, this.#running());
  }

  #leave(): void {
    this.#free += 1;
    this.#timer?.refresh();
    this.#waiting.shift()?.();
    if (this.#waiting.length === 0) this.close();
  }
}
