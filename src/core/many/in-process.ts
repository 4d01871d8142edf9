import { onAbort } from '../abort.js';
import { type ProbeEvent, probeEvent } from '../facts/events.js';
import type { ProbeReport } from '../facts/outcome.js';
import { DEFAULT_TIMEOUT_MS, MAX_DURATION_MS } from '../limits.js';
import { type ProbeOptions, probeEveryAddress, probeTarget } from '../probe/target-probe.js';
import { within } from '../deadline.js';
import type { NameCache } from '../resolve/name-cache.js';
import { pendingLookups } from '../pending-lookups.js';
import { type FailedReason, SHORTAGES } from '../states.js';
import type { TargetRequest } from '../target/target-list.js';
import {
  DEFAULT_CONCURRENCY,
  type ManyInternals,
  type ManyOptions,
  SHORTAGE_PATIENCE_MS,
} from './many-options.js';
import { OrderedResults, UnorderedResults } from './ordered-results.js';
import { type RequestQueue, RequestSource } from './request-source.js';
import { STARTS_PER_TURN, StartPacer } from './start-pacer.js';
import { Throttle } from './throttle.js';

/**
 * Reports given in one turn: giving them takes time from the connections under way. More than
 * starts, so that reports that waited catch up.
 */
const REPORTS_PER_TURN = 2 * STARTS_PER_TURN;

function shortagesOf({ outcome, attempts }: ProbeReport): FailedReason[] {
  if (outcome.state === 'open') return [];
  return [outcome, ...attempts].flatMap((each) =>
    each.state === 'failed' && SHORTAGES.has(each.reason) ? [each.reason] : [],
  );
}

/** One run in this process: what is under way, and what comes of it. */
class Run {
  readonly results: OrderedResults | UnorderedResults;
  readonly source: RequestQueue;
  /** An error of a probe that is no outcome: the options are misused. */
  failure: { readonly cause: unknown } | undefined;

  readonly #options: ManyOptions;
  readonly #internals: ManyInternals;
  readonly #probeOptions: ProbeOptions;
  readonly #patienceMs: number;
  /** Undefined when every target is an address. */
  readonly #names: NameCache | undefined;
  readonly #throttle: Throttle;
  readonly #pacer: StartPacer;
  readonly #over = new AbortController();
  readonly #retries: { readonly request: TargetRequest; readonly index: number }[] = [];
  readonly #waitsForLookups: boolean;
  #running = 0;
  #wake = (): void => {};

  constructor(
    requests: Iterable<TargetRequest> | AsyncIterable<TargetRequest>,
    options: ManyOptions,
    internals: ManyInternals,
    names: typeof NameCache | undefined,
  ) {
    const { concurrency = DEFAULT_CONCURRENCY, ratePerSecond = Infinity } = options;
    const { signal } = this.#over;
    const { schedule } = internals;
    this.#options = options;
    this.#probeOptions = { ...options, signal };
    this.#patienceMs = options.shortagePatienceMs ?? SHORTAGE_PATIENCE_MS;
    this.#waitsForLookups =
      (this.#patienceMs > 0 || schedule !== undefined) && options.dnsServer === undefined;
    this.results = schedule
      ? new UnorderedResults()
      : new OrderedResults(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.source = schedule ?? new RequestSource(requests, () => this.#wake());
    this.#throttle = new Throttle(concurrency, this.#patienceMs);
    this.#pacer = new StartPacer(ratePerSecond);
    const { resolve, lookups, systemLookup } = internals;
    this.#names =
      names &&
      new names({
        resolve,
        lookups,
        systemLookup,
        asksAnew: schedule !== undefined,
        running: () => (this.#patienceMs === 0 ? 1 : this.#running),
        signal,
      });
    this.#internals = this.#names ? { ...internals, resolve: this.#names.resolve } : internals;
  }

  /** Nothing is under way, and nothing more will be. */
  get isOver(): boolean {
    if (this.#running > 0) return false;
    return this.#over.signal.aborted || (this.source.isDone && this.#retries.length === 0);
  }

  /** Ends the probes under way, as cancelled. */
  abort(): void {
    this.#over.abort();
    this.#names?.close();
    this.#wake();
  }

  /**
   * Starts what may start in this turn.
   *
   * @returns milliseconds until more may start, or null to wait for an event
   */
  start(): number | null {
    if (this.#over.signal.aborted) return null;
    while (this.#running < this.#throttle.limit && !this.results.isFull) {
      if (this.#pacer.isTurnFull) return 0;
      if (this.#throttle.pauseMs > 0) return this.#throttle.pauseMs;
      const retry = this.#retries[0];
      const request = retry?.request ?? this.source.next();
      if (!request) return this.source.waitMs;
      const { waitMs } = this.#pacer;
      if (waitMs > 0) {
        if (!retry) this.source.putBack(request);
        return waitMs;
      }
      if (retry) this.#retries.shift();
      this.#pacer.start();
      this.#running += 1;
      this.#probe(request, retry?.index ?? this.results.start(request)).catch((cause: unknown) => {
        this.#running -= 1;
        this.failure = { cause };
        this.#wake();
      });
    }
    return null;
  }

  /** Waits for an event, for so many milliseconds at most; null for no limit. */
  wait(waitMs: number | null): Promise<void> {
    return new Promise((resume) => {
      // One more turn: connections that completed meanwhile are noticed before reports take time.
      const resumeSoon = (): void => {
        this.#wake = () => {};
        clearTimeout(timer);
        setImmediate(resume);
      };
      let timer: NodeJS.Timeout | undefined;
      this.#wake = resumeSoon;
      if (waitMs === 0) resumeSoon();
      else if (waitMs !== null) timer = setTimeout(resumeSoon, Math.min(waitMs, MAX_DURATION_MS));
    });
  }

  async #probe(request: TargetRequest, index: number): Promise<void> {
    const turn = this.#waitsForLookups ? this.#names?.turn(request.target.host) : undefined;
    if (turn) await within(turn, { timeoutMs: this.#remainingMs });
    if (this.#over.signal.aborted) return this.#end(index);
    const held: ProbeReport[] = []; // the whole target may have to be retried
    const keep = (report: ProbeReport): void => {
      if (this.#patienceMs === 0) this.#add(index, report);
      else held.push(report);
    };
    const { target } = request;
    const probeOptions = this.#optionsFor(request);
    const startedAlone = this.#running === 1;
    if (this.#options.everyAddress)
      for await (const report of probeEveryAddress(target, probeOptions, this.#internals))
        keep(report);
    else keep(await probeTarget(target, probeOptions, this.#internals));
    const shortages = held.flatMap(shortagesOf);
    if (shortages.length === 0) this.#throttle.succeed();
    else if (this.#isWorthRetry(shortages, startedAlone)) {
      this.#running -= 1;
      this.#retries.push({ request, index });
      return this.#wake();
    }
    for (const report of held) this.#add(index, report);
    this.#end(index);
  }

  /** Milliseconds until a schedule ends; the longest timer for everything else. */
  get #remainingMs(): number {
    const remainingMs = this.#internals.schedule?.remainingMs ?? Infinity;
    return Math.min(Math.max(remainingMs, 0), MAX_DURATION_MS);
  }

  /** A port that should not be open has no service to ask. */
  #optionsFor({ expect = this.#options.expect ?? 'open' }: TargetRequest): ProbeOptions {
    const options = this.#internals.schedule ? this.#cutShort() : this.#probeOptions;
    return expect === 'open' ? options : { ...options, service: undefined };
  }

  /** The options, with a timeout that the end of the schedule may shorten. */
  #cutShort(): ProbeOptions {
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    return {
      ...this.#probeOptions,
      timeoutMs: Math.min(timeoutMs, Math.max(this.#remainingMs, 1)),
    };
  }

  /** Others that were under way when a probe began may have ended with what they held. */
  #isWorthRetry(shortages: readonly FailedReason[], startedAlone: boolean): boolean {
    if (this.#over.signal.aborted || this.#remainingMs <= 0) return false;
    const mayPass =
      !startedAlone ||
      this.#running > 1 ||
      pendingLookups() > 0 ||
      shortages.some((reason) => reason !== 'no-files-left');
    return this.#throttle.fail(this.#running - 1, mayPass);
  }

  #add(index: number, report: ProbeReport): void {
    this.results.add(index, report);
    this.#wake();
  }

  #end(index: number): void {
    this.#running -= 1;
    this.results.complete(index);
    this.#wake();
  }
}

/** What resolves the names of a run; undefined when every host is an address. */
async function nameCacheFor(literal: boolean): Promise<typeof NameCache | undefined> {
  return literal ? undefined : (await import('../resolve/name-cache.js')).NameCache;
}

/**
 * Probes many targets side by side in this process; see `probeTargets`. Each distinct name is
 * resolved once.
 *
 * @param literal whether every host is an address: then what resolves names is not loaded
 */
export async function* probeInProcess(
  requests: Iterable<TargetRequest> | AsyncIterable<TargetRequest>,
  options: ManyOptions,
  internals: ManyInternals,
  literal: boolean,
): AsyncGenerator<ProbeEvent, void, undefined> {
  const { signal } = options;
  // Before the first probe: later there may be no descriptor left to load it with.
  const run = new Run(requests, options, internals, await nameCacheFor(literal));
  const { results, source } = run;
  const stopWaiting = onAbort(signal, () => run.abort());
  try {
    for (;;) {
      for (let count = 0; count < REPORTS_PER_TURN; count += 1) {
        const result = results.take();
        if (!result) break;
        for (const report of result.reports) {
          if (report.outcome.state !== 'cancelled')
            yield probeEvent(result.request, report, options);
        }
        if (result.isLast) internals.schedule?.end(result.request);
      }
      if (run.failure) throw run.failure.cause;
      const waitMs = run.start();
      if (run.isOver && !results.hasNext) {
        if (source.error && !signal?.aborted) throw source.error.cause;
        return;
      }
      await run.wait(results.hasNext ? 0 : waitMs);
    }
  } finally {
    stopWaiting();
    run.abort(); // probes under way when the caller has seen enough
    await source.close();
  }
}
