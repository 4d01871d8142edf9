import { setMaxListeners } from 'node:events';
import { monotonicClock } from '../clock.js';
import { MAX_DURATION_MS } from '../limits.js';
import type { ProbeEvent } from '../facts/events.js';
import { type ExpectationOptions, judge } from '../facts/expectation.js';
import { Names } from '../resolve/lookup-queue.js';
import type { Attempt, ProbeReport } from '../facts/outcome.js';
import { DEFAULT_TIMEOUT_MS } from '../limits.js';
import {
  type ProbeInternals,
  type ProbeOptions,
  probeEveryAddress,
  probeTarget,
} from '../probe/target-probe.js';
import { resolveHost } from '../resolve/resolver.js';
import { type FailedReason, SHORTAGES } from '../states.js';
import { lookUpInProcess, lookupsAtOnce, pendingLookups } from '../resolve/system-lookup.js';
import type { Target } from '../target/target.js';
import type { TargetRequest } from '../target/target-list.js';

/** How many probes run at once when nothing is said. More gain little: what limits is the processor (see test/bench). */
export const DEFAULT_CONCURRENCY = 500;

/**
 * The same for targets that are all addresses, where no lookup waits for its turn: it is those that do not answer that need to be many at once.
 * 2,000 dropped ports take 5 s instead of 20.
 */
export const CONCURRENCY_OF_ADDRESSES = 2000;

/** How many targets are probed. */
export interface ManyOptions extends ProbeOptions, ProbeInternals, ExpectationOptions {
  /** Probes under way at once, 1 or more; default 500. It is lowered by itself while descriptors, source ports or buffers are short. */
  readonly concurrency?: number;
  /** Probes started in a second, above 0; default without limit. */
  readonly ratePerSecond?: number | undefined;
  /** Probe every address of a name, each with its own verdict. */
  readonly everyAddress?: boolean;
  /** How long a shortage of this machine is waited for without a single success before it is told, milliseconds; default 75000, 0 for not at all. */
  readonly shortagePatienceMs?: number;
  /** Names looked up by the system at once; default as many as it works on. A name that waits for its turn has its whole time yet. */
  readonly lookupsAtOnce?: number;
}

/**
 * Connects begun in one turn of the event loop. Connections that complete are looked at between turns, so this bounds by how much
 * the latency reads too long: a thousand connects in one turn read 48 ms too much, ten a turn under 2 ms.
 */
const STARTS_PER_TURN = 12;

/** Verdicts told in one turn, for the same reason; more than are begun, so that those that waited catch up. */
const TOLD_PER_TURN = 24;

/** How far probing may run ahead of the oldest target that has no verdict yet: it bounds the memory for verdicts that wait for their turn. */
const LOOK_AHEAD = 16_000;

/** Shortages of this machine pass when fewer probes run, those of source ports within a minute: TIME_WAIT lasts 60 s on Linux. */
export const SHORTAGE_PATIENCE_MS = 75_000;

/** A probe that is alone and has no descriptor waits no longer than this for one: nothing of ours will give one back. */
const PATIENCE_ALONE_MS = 1000;

/**
 * What is kept of a report until it is its turn: with an address as the target, the one attempt says it all. Verdicts wait by the ten thousand
 * behind a target that does not answer, so this decides how much memory a run takes.
 */
type Kept = ProbeReport | Attempt;

/** A target that was begun, until its verdicts are told. */
interface Slot {
  readonly request: TargetRequest;
  kept: readonly Kept[];
  complete: boolean;
}

function keep(report: ProbeReport): readonly Kept[] {
  const { resolution, attempts, outcome } = report;
  return resolution.via === 'literal' && attempts.length === 1 && attempts[0] === outcome
    ? attempts
    : [report];
}

function restore(kept: Kept, target: Target, timeoutMs: number): ProbeReport {
  if ('outcome' in kept) return kept;
  const { address, family } = kept.endpoint;
  const resolution = {
    state: 'resolved',
    host: target.host,
    via: 'literal',
    elapsedMs: 0,
    addresses: [{ address, family }],
  } as const;
  return {
    target,
    startedAt: kept.startedAt,
    timeoutMs,
    resolution,
    attempts: [kept],
    outcome: kept,
  };
}

/** Lowers the number of probes at once while the machine is short of something, and lets it rise again with each success. */
class Throttle {
  limit: number;
  #pauseUntilMs = 0;
  #pauseMs = 10;
  #shortSinceMs: number | null = null;

  readonly #most: number;
  readonly #patienceMs: number;

  constructor(most: number, patienceMs: number) {
    this.limit = most;
    this.#most = most;
    this.#patienceMs = patienceMs;
  }

  get pauseMs(): number {
    return Math.max(this.#pauseUntilMs - monotonicClock(), 0);
  }

  succeed(): void {
    this.#shortSinceMs = null;
    this.#pauseMs = 10;
    if (this.limit < this.#most) this.limit = Math.min(this.#most, this.limit + 1 / this.limit);
  }

  /**
   * @param mayPass whether something that is under way may end the shortage, or time
   * @returns whether to try again
   */
  fail(running: number, mayPass: boolean): boolean {
    const nowMs = monotonicClock();
    this.#shortSinceMs ??= nowMs;
    if (
      nowMs - this.#shortSinceMs >=
      (mayPass ? this.#patienceMs : Math.min(this.#patienceMs, PATIENCE_ALONE_MS))
    )
      return false;
    if (nowMs >= this.#pauseUntilMs) {
      this.limit = Math.max(Math.floor(Math.min(this.limit, running) * 0.8), 1);
      this.#pauseUntilMs = nowMs + this.#pauseMs;
      this.#pauseMs = Math.min(this.#pauseMs * 2, 1000);
    }
    return true;
  }
}

/** Items one by one, from what may be asynchronous, asked for only when there is room for them. */
class Source {
  readonly #iterator: Iterator<TargetRequest> | AsyncIterator<TargetRequest>;
  readonly #isAsync: boolean;
  readonly #onArrival: () => void;
  #arrived: TargetRequest | undefined;
  #asking = false;
  /** Nothing follows. */
  done = false;
  /** Why nothing follows, when that is an error: what was begun before it is told first. */
  error: { readonly cause: unknown } | undefined;

  constructor(
    requests: Iterable<TargetRequest> | AsyncIterable<TargetRequest>,
    onArrival: () => void,
  ) {
    this.#isAsync = Symbol.asyncIterator in requests;
    this.#iterator =
      Symbol.asyncIterator in requests
        ? requests[Symbol.asyncIterator]()
        : requests[Symbol.iterator]();
    this.#onArrival = onArrival;
  }

  /** The next item, or undefined when there is none yet, or none any more (`done`). */
  next(): TargetRequest | undefined {
    if (this.#arrived === undefined && !this.#asking && !this.done) this.#ask();
    const item = this.#arrived;
    this.#arrived = undefined;
    return item;
  }

  /** Puts the item back that was got last. */
  putBack(item: TargetRequest): void {
    this.#arrived = item;
  }

  async close(): Promise<void> {
    if (this.done) return;
    const closed = this.#iterator.return?.();
    // A generator that is still waiting for its next item ends only then: that is not waited for.
    if (this.#asking) void Promise.resolve(closed).catch(() => {});
    else await closed;
  }

  #ask(): void {
    let answer: IteratorResult<TargetRequest> | PromiseLike<IteratorResult<TargetRequest>>;
    try {
      answer = this.#iterator.next();
    } catch (cause) {
      return this.#fail(cause);
    }
    if (!this.#isAsync) return this.#take(answer as IteratorResult<TargetRequest>);
    this.#asking = true;
    Promise.resolve(answer).then(
      (result) => {
        this.#take(result);
        this.#asking = false;
        this.#onArrival();
      },
      (cause: unknown) => {
        this.#fail(cause);
        this.#asking = false;
        this.#onArrival();
      },
    );
  }

  #fail(cause: unknown): void {
    this.done = true;
    this.error = { cause };
  }

  #take(result: IteratorResult<TargetRequest> | undefined): void {
    if (result?.done) this.done = true;
    else if (typeof result?.value === 'object' && result.value !== null)
      this.#arrived = result.value;
    else
      this.#fail(
        new TypeError(
          `requests: ${String(result?.value)} is not a request; allowed: { target: { host, port } }`,
        ),
      );
  }
}

/**
 * Probes many targets side by side and yields their verdicts in the order of the targets, each as soon as those before it are there.
 * Targets are asked for as there is room, so they may be endless. Each distinct name is resolved once. A shortage of descriptors,
 * source ports or buffers on this machine slows the run down and is tried again; it is not a verdict on a port.
 *
 * @throws TypeError or RangeError when the options are misused, and whatever the iteration of the targets throws
 */
export async function* probeTargets(
  requests: Iterable<TargetRequest> | AsyncIterable<TargetRequest>,
  options: ManyOptions = {},
): AsyncGenerator<ProbeEvent, void, undefined> {
  const {
    concurrency = DEFAULT_CONCURRENCY,
    ratePerSecond = Infinity,
    everyAddress = false,
    shortagePatienceMs = SHORTAGE_PATIENCE_MS,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    signal,
    dnsServer,
    resolve = resolveHost,
    systemLookup = lookUpInProcess,
  } = options;
  if (!(concurrency >= 1))
    throw new RangeError(`concurrency: ${concurrency} is out of range; allowed: 1 or more`);
  if (!((options.lookupsAtOnce ?? 1) >= 1))
    throw new RangeError(
      `lookupsAtOnce: ${options.lookupsAtOnce} is out of range; allowed: 1 or more`,
    );
  if (!(ratePerSecond > 0))
    throw new RangeError(`ratePerSecond: ${ratePerSecond} is out of range; allowed: above 0`);
  const over = new AbortController();
  const names = new Names(
    resolve,
    systemLookup,
    dnsServer === undefined ? (options.lookupsAtOnce ?? lookupsAtOnce()) : Infinity,
    () => (shortagePatienceMs === 0 ? 1 : running),
  );
  const probeOptions: ProbeOptions & ProbeInternals = {
    ...options,
    resolve: names.resolve,
    signal: over.signal,
  };

  let wake = (): void => {};
  const throttle = new Throttle(concurrency, shortagePatienceMs);
  const source = new Source(requests, () => wake());
  const again: { readonly request: TargetRequest; readonly index: number }[] = [];
  const slots = new Map<number, Slot>();
  let failure: { readonly cause: unknown } | undefined;
  let running = 0;
  let taken = 0; // how many targets were begun
  let told = 0; // how many have their verdicts told
  let nextStartMs = monotonicClock();
  let startsInTurn = 0;

  const shortagesOf = ({ outcome, attempts }: ProbeReport): FailedReason[] =>
    outcome.state === 'open'
      ? []
      : [outcome, ...attempts].flatMap((each) =>
          each.state === 'failed' && SHORTAGES.has(each.reason) ? [each.reason] : [],
        );
  const eventOf = (request: TargetRequest, report: ProbeReport): ProbeEvent => {
    const expectation =
      request.expect === undefined ? options : { ...options, expect: request.expect };
    return {
      type: 'probe',
      sequence: 1,
      request,
      report,
      verdict: judge(report.outcome, expectation),
      lostSynSeconds: null,
      formerAddresses: null,
    };
  };

  const tell = (slot: Slot, report: ProbeReport): void => {
    slot.kept = slot.kept.length === 0 ? keep(report) : slot.kept.concat(keep(report)); // not push(), which makes room for 17
    wake();
  };
  const end = (slot: Slot): void => {
    running -= 1;
    slot.complete = true;
    wake();
  };
  const probe = async (request: TargetRequest, index: number): Promise<void> => {
    const slot = slots.get(index) ?? { request, kept: [], complete: false };
    slots.set(index, slot);
    const turn = names.turn(request.target.host);
    if (turn) await turn;
    if (over.signal.aborted) return end(slot);
    // Of a port that is not to be open nothing more is to be heard.
    const asked =
      (request.expect ?? options.expect ?? 'open') === 'open'
        ? probeOptions
        : { ...probeOptions, service: undefined };
    const reports = everyAddress
      ? probeEveryAddress(request.target, asked)
      : [await probeTarget(request.target, asked)];
    const held: ProbeReport[] = [];
    for await (const report of reports) {
      if (shortagePatienceMs === 0) tell(slot, report);
      else held.push(report); // it may have to be tried again as a whole
    }
    const shortages = held.flatMap(shortagesOf);
    const short = shortages.length > 0;
    const mayPass =
      running > 1 || pendingLookups() > 0 || shortages.some((reason) => reason !== 'no-files-left');
    if (short && !signal?.aborted && throttle.fail(running - 1, mayPass)) {
      running -= 1;
      again.push({ request, index });
      return wake();
    }
    for (const report of held) tell(slot, report);
    if (!short) throttle.succeed();
    end(slot);
  };

  /** Begins what may begin in this turn; returns how long to wait for the next, or null for as long as it takes. */
  const begin = (): number | null => {
    while (running < Math.floor(throttle.limit) && taken - told < LOOK_AHEAD) {
      if (startsInTurn === STARTS_PER_TURN) return 0;
      if (throttle.pauseMs > 0) return throttle.pauseMs;
      const waitMs = nextStartMs - monotonicClock();
      const retry = again.shift();
      const request = retry?.request ?? source.next();
      if (!request) return null;
      if (waitMs > 0) {
        if (retry) again.unshift(retry);
        else source.putBack(request);
        return waitMs;
      }
      // A start that was late does not let later ones catch up in a burst longer than a tenth of a second.
      nextStartMs = Math.max(nextStartMs, monotonicClock() - 100) + 1000 / ratePerSecond;
      running += 1;
      startsInTurn += 1;
      if (startsInTurn === 1)
        setImmediate(() => {
          startsInTurn = 0;
        });
      probe(request, retry?.index ?? taken++).catch((cause: unknown) => {
        running -= 1;
        failure = { cause };
        wake();
      });
    }
    return null;
  };

  const stop = (): void => {
    over.abort();
    names.close();
    wake();
  };
  if (signal) setMaxListeners(0, signal); // one signal may end many runs
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  try {
    for (;;) {
      let toldInTurn = 0;
      for (
        let slot = slots.get(told);
        slot && toldInTurn < TOLD_PER_TURN;
        slot = slots.get(told), toldInTurn += 1
      ) {
        const { request, kept } = slot;
        slot.kept = [];
        for (const each of kept) {
          const report = restore(each, request.target, timeoutMs);
          if (report.outcome.state !== 'cancelled') yield eventOf(request, report);
        }
        if (slot.kept.length > 0) continue;
        if (!slot.complete) break;
        slots.delete(told);
        told += 1;
      }
      if (failure) throw failure.cause;
      const waitMs = signal?.aborted ? null : begin();
      const ended =
        (signal?.aborted ?? false)
          ? running === 0
          : source.done && running === 0 && again.length === 0;
      const next = slots.get(told);
      const canTell = next !== undefined && (next.complete || next.kept.length > 0);
      if (ended && !canTell && source.error && !signal?.aborted) throw source.error.cause;
      if (ended && !canTell) return;
      await new Promise<void>((resume) => {
        // Not at once: connections that completed in the same moment are to get their time before verdicts are told, which takes its own.
        const resumeSoon = (): void => {
          wake = () => {};
          clearTimeout(timer);
          setImmediate(resume);
        };
        let timer: NodeJS.Timeout | undefined;
        wake = resumeSoon;
        if (waitMs === 0 || canTell) resumeSoon();
        else if (waitMs !== null) timer = setTimeout(resumeSoon, Math.min(waitMs, MAX_DURATION_MS));
      });
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    over.abort(); // those that are still running when the caller has seen enough
    names.close();
    await source.close();
  }
}
