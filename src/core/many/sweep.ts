import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { type ProbeEvent, probeEvent } from '../facts/events.js';
import { reasonOf } from '../facts/outcome.js';
import { DEFAULT_TIMEOUT_MS } from '../limits.js';
import { SHORTAGES } from '../states.js';
import type { TargetRequest } from '../target/target-list.js';
import { probeInProcess } from './in-process.js';
import { literalReport } from './literal-report.js';
import { CONCURRENCY_OF_ADDRESSES, type ManyInternals, type ManyOptions } from './many-options.js';
import { STARTS_PER_TURN } from './start-pacer.js';
import { SweepChunk } from './sweep-chunk.js';
import type { SweepJob } from './sweep-job.js';

/** How many endpoints are swept in one go: it bounds the memory of a sweep. */
const CHUNK = 65_536;

/** More threads gained nothing, measured on two cores. */
const MOST_THREADS = 2;

/** How often the threads' notes are looked at, milliseconds. */
const POLL_MS = 10;

/**
 * The heap of a thread, MB: a small space for new objects, and a limit for old ones. Since Node 24
 * the closures of dead streams become old; V8 collects them earlier where there is a limit, which
 * saves 20 MiB. 9,500 silent attempts at once took 15 MB of it.
 */
const HEAP = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 };

/** Without descriptors for a thread, or for its file, the sweep runs without that thread. */
const THREAD_SHORTAGES: ReadonlySet<string> = new Set([
  'ERR_WORKER_INIT_FAILED',
  'EMFILE',
  'ENFILE',
]);

/** How a sweep is made. */
export interface SweepParts {
  readonly workerPath: string;
  readonly options: ManyOptions;
  readonly internals: ManyInternals;
}

/** The threads of one chunk. */
class SweepThreads {
  readonly #workers: readonly Worker[];
  #online = 0;
  #ended = 0;
  failure: { readonly cause: unknown } | undefined;

  constructor(workers: readonly Worker[], onThreads: (() => void) | undefined) {
    this.#workers = workers;
    for (const worker of workers)
      worker
        .on('online', () => {
          this.#online += 1;
          if (this.#online === workers.length) onThreads?.();
        })
        .on('error', (cause: NodeJS.ErrnoException) => {
          if (!THREAD_SHORTAGES.has(cause.code ?? '')) this.failure = { cause };
        })
        .on('exit', () => {
          this.#ended += 1;
        });
  }

  static async start(
    chunk: SweepChunk,
    { workerPath, options, internals }: SweepParts,
  ): Promise<SweepThreads> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, concurrency = CONCURRENCY_OF_ADDRESSES } = options;
    const { Worker } = await import('node:worker_threads'); // loaded only for a sweep
    const count = Math.floor(Math.min(availableParallelism(), MOST_THREADS, concurrency));
    const workers = Array.from({ length: count }, (_, index) => {
      const workerData: SweepJob = {
        ...chunk.buffers,
        hosts: chunk.hosts,
        timeoutMs,
        concurrency: Math.floor((concurrency + index) / count),
        startsPerTurn: STARTS_PER_TURN,
      };
      return new Worker(workerPath, { workerData, env: {}, resourceLimits: HEAP });
    });
    return new SweepThreads(workers, internals.onThreads);
  }

  get areOver(): boolean {
    return this.#ended === this.#workers.length;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** Probes in this process what a thread could not decide. */
class CloserLook {
  readonly #parts: SweepParts;
  /** A shortage that did not pass is not waited for again with each endpoint. */
  #isShort = false;

  constructor(parts: SweepParts) {
    this.#parts = parts;
  }

  async *probe(request: TargetRequest): AsyncGenerator<ProbeEvent, void, undefined> {
    const { options, internals } = this.#parts;
    const patience = this.#isShort ? { shortagePatienceMs: 0 } : {};
    for await (const event of probeInProcess(
      [request],
      { ...options, ...patience },
      internals,
      true,
    )) {
      const reason = reasonOf(event.report.outcome);
      if (reason !== null && SHORTAGES.has(reason)) this.#isShort = true;
      yield event;
    }
  }
}

/** The next requests, `count` at the most. */
function* take(
  requests: Iterator<TargetRequest, void>,
  count: number,
): Generator<TargetRequest, void, undefined> {
  for (let taken = 0; taken < count; taken += 1) {
    const { value } = requests.next();
    if (!value) return;
    yield value;
  }
}

/** @param requests the same requests as those of the chunk, again */
async function* sweepChunk(
  chunk: SweepChunk,
  requests: Iterator<TargetRequest, void>,
  parts: SweepParts,
): AsyncGenerator<ProbeEvent, void, undefined> {
  const { options, internals } = parts;
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
  const threads = await SweepThreads.start(chunk, parts);
  const closerLook = new CloserLook(parts);
  let index = -1;
  try {
    for (const request of take(requests, chunk.size)) {
      const { target } = request;
      index += 1;
      let attempt = chunk.attempt(index, target);
      while (attempt === undefined) {
        if (signal?.aborted) return;
        if (threads.failure) throw threads.failure.cause;
        const areOver = threads.areOver; // read first: they may note this one and end
        attempt = chunk.attempt(index, target);
        if (attempt !== undefined) break;
        if (areOver) {
          const rest = [request, ...take(requests, chunk.size - index - 1)];
          return yield* probeInProcess(rest, options, internals, true);
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      if (signal?.aborted) return;
      if (attempt === null) yield* closerLook.probe(request);
      else yield probeEvent(request, literalReport(target, attempt, timeoutMs), options);
    }
  } finally {
    await threads.stop();
  }
}

/**
 * Probes very many literal addresses and ports with two threads, in the order given, with the
 * verdicts of {@link probeInProcess}. One thread of Node makes about 20,000 connects a second; the
 * kernel can do more. An open port's own end of the connection (`local`) is not reported.
 *
 * @param requests the same ones each time that they are iterated over
 */
export async function* sweepTargets(
  requests: Iterable<TargetRequest, void>,
  parts: SweepParts,
): AsyncGenerator<ProbeEvent, void, undefined> {
  const ahead = requests[Symbol.iterator]();
  const again = requests[Symbol.iterator]();
  for (;;) {
    const chunk = new SweepChunk(ahead, CHUNK);
    if (chunk.size > 0) yield* sweepChunk(chunk, again, parts);
    if (chunk.size < CHUNK || parts.options.signal?.aborted) return;
  }
}
