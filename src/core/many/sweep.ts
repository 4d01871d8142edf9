import { availableParallelism } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type { ProbeEvent } from '../facts/events.js';
import { judge } from '../facts/expectation.js';
import { type Attempt, reasonOf } from '../facts/outcome.js';
import { DEFAULT_TIMEOUT_MS } from '../limits.js';
import { DEFAULT_CONCURRENCY, type ManyOptions, probeTargets } from './probe-targets.js';
import { errorFacts, type SocketJudgement, TIMED_OUT } from '../errors/socket-errors.js';
import { SHORTAGES } from '../states.js';
import { type Endpoint, familyOf, type Target } from '../target/target.js';

/**
 * What a sweep notes for each endpoint; 0 is "not yet". `unclear` is whatever needs a closer look than a sweep takes; `failed` and above are the
 * verdicts of `SWEEP_VERDICTS`, in their order.
 */
export const SWEEP_STATE = { open: 1, silent: 2, unclear: 3, failed: 4 } as const;

/** What an error of connecting can mean that a sweep notes, together with the error's number. */
export const SWEEP_VERDICTS: readonly SocketJudgement[] = [
  { state: 'closed', reason: 'conn-refused' },
  { state: 'filtered', reason: 'no-response' },
  { state: 'filtered', reason: 'host-unreach' },
  { state: 'filtered', reason: 'net-unreach' },
  { state: 'filtered', reason: 'proto-unreach' },
  { state: 'filtered', reason: 'admin-prohibited' },
  { state: 'failed', reason: 'no-route' },
  { state: 'failed', reason: 'not-permitted' },
];

/** What a thread of a sweep is given. The buffers are shared: the list of endpoints, and what came of each. */
export interface SweepJob {
  readonly hosts: readonly string[];
  readonly ports: SharedArrayBuffer;
  readonly hostOf: SharedArrayBuffer;
  readonly states: SharedArrayBuffer;
  /** The numbers of the errors that were met, as Node gives them (negative). */
  readonly errnos: SharedArrayBuffer;
  readonly startedAt: SharedArrayBuffer;
  readonly elapsedMs: SharedArrayBuffer;
  /** The next endpoint that nobody has taken. */
  readonly cursor: SharedArrayBuffer;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly startsPerTurn: number;
}

/** From this many literal addresses and ports on, threads pay for their start-up (about 50 ms). */
export const SWEEP_FROM = 4096;

/** How many endpoints are swept in one go: the memory for a sweep does not grow beyond that. */
const CHUNK = 65_536;
const STARTS_PER_TURN = 12;
const LOOK_MS = 10;

/** The options that a sweep understands. */
export type SweepOptions = Pick<
  ManyOptions,
  'timeoutMs' | 'concurrency' | 'expect' | 'maxLatencyMs' | 'signal'
>;

/** Without descriptors for a thread, or for the file that it runs (the other thread may have them all already), it goes without that one. */
const THREAD_SHORTAGES: ReadonlySet<string> = new Set([
  'ERR_WORKER_INIT_FAILED',
  'EMFILE',
  'ENFILE',
]);

class Chunk {
  readonly hosts: string[] = [];
  readonly length: number;
  readonly job: Omit<SweepJob, 'concurrency'>;
  readonly #ports: Uint16Array;
  readonly #hostOf: Uint32Array;
  readonly #states: Uint8Array;
  readonly #errnos: Int16Array;
  readonly #startedAt: Float64Array;
  readonly #elapsedMs: Float64Array;
  readonly #timeoutMs: number;

  constructor(targets: readonly Target[], timeoutMs: number) {
    this.length = targets.length;
    this.#timeoutMs = timeoutMs;
    const shared = (bytes: number): SharedArrayBuffer =>
      new SharedArrayBuffer(bytes * targets.length);
    const job = {
      ports: shared(2),
      hostOf: shared(4),
      states: shared(1),
      errnos: shared(2),
      startedAt: shared(8),
      elapsedMs: shared(8),
      cursor: new SharedArrayBuffer(4),
    };
    this.job = { ...job, hosts: this.hosts, timeoutMs, startsPerTurn: STARTS_PER_TURN };
    this.#ports = new Uint16Array(job.ports);
    this.#hostOf = new Uint32Array(job.hostOf);
    this.#states = new Uint8Array(job.states);
    this.#errnos = new Int16Array(job.errnos);
    this.#startedAt = new Float64Array(job.startedAt);
    this.#elapsedMs = new Float64Array(job.elapsedMs);
    for (const [index, { host, port }] of targets.entries()) {
      if (this.hosts.at(-1) !== host) this.hosts.push(host);
      this.#hostOf[index] = this.hosts.length - 1;
      this.#ports[index] = port;
    }
  }

  /** What came of an endpoint: undefined when nothing has yet, null when it needs a closer look. */
  attempt(index: number): Attempt | null | undefined {
    const state = Atomics.load(this.#states, index);
    if (state === 0) return undefined;
    const { host, port } = this.target(index);
    const endpoint: Endpoint = { address: host, family: familyOf(host) ?? 4, port };
    const common = { endpoint, startedAt: Math.round(this.#startedAt[index] ?? 0) };
    const elapsedMs = this.#elapsedMs[index] ?? this.#timeoutMs;
    if (state === SWEEP_STATE.open)
      return {
        state: 'open',
        ...common,
        latencyMs: elapsedMs,
        local: null,
        dropped: null,
        service: null,
      };
    if (state === SWEEP_STATE.silent)
      return { state: 'filtered', reason: 'no-response', ...common, elapsedMs, error: TIMED_OUT };
    const verdict = SWEEP_VERDICTS[state - SWEEP_STATE.failed];
    if (!verdict) return null;
    const errno = this.#errnos[index] ?? 0;
    return {
      ...verdict,
      ...common,
      elapsedMs,
      error: errorFacts({ code: getSystemErrorName(errno), errno, syscall: 'connect' }),
    };
  }

  target(index: number): Target {
    return { host: this.hosts[this.#hostOf[index] ?? 0] ?? '', port: this.#ports[index] ?? 0 };
  }
}

async function* sweepChunk(
  targets: readonly Target[],
  workerPath: string,
  options: SweepOptions,
): AsyncGenerator<ProbeEvent, void, undefined> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, concurrency = DEFAULT_CONCURRENCY, signal } = options;
  const { Worker } = await import('node:worker_threads');
  const threads = Math.min(availableParallelism(), 2, concurrency); // a third one gained nothing, measured on two cores
  const chunk = new Chunk(targets, timeoutMs);
  let failure: { readonly cause: unknown } | undefined;
  let ended = 0;
  let shortagePatienceMs: number | undefined;
  const workers = Array.from({ length: threads }, (_, index) => {
    const workerData: SweepJob = {
      ...chunk.job,
      concurrency: Math.floor((concurrency + index) / threads),
    };
    return new Worker(workerPath, {
      workerData,
      env: {},
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
  });
  for (const worker of workers) {
    worker
      .on('error', (cause: NodeJS.ErrnoException) => {
        if (!THREAD_SHORTAGES.has(cause.code ?? '')) failure = { cause };
      })
      .on('exit', () => {
        ended += 1;
      });
  }
  try {
    for (let index = 0; index < chunk.length && !signal?.aborted;) {
      const attempt = chunk.attempt(index);
      if (attempt === undefined) {
        if (failure) throw failure.cause;
        if (ended === threads && chunk.attempt(index) === undefined)
          return yield* probeTargets(
            targets.slice(index).map((target) => ({ target })),
            options,
          );
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        continue;
      }
      const target = chunk.target(index);
      index += 1;
      if (attempt === null) {
        for await (const event of probeTargets([{ target }], {
          ...options,
          ...(shortagePatienceMs === undefined ? {} : { shortagePatienceMs }),
        })) {
          const reason = reasonOf(event.report.outcome);
          if (reason !== null && SHORTAGES.has(reason)) shortagePatienceMs = 0; // it has been waited for; not again for each
          yield event;
        }
        continue;
      }
      const { address, family } = attempt.endpoint;
      const resolution = {
        state: 'resolved',
        host: target.host,
        via: 'literal',
        elapsedMs: 0,
        addresses: [{ address, family }],
      } as const;
      const report = {
        target,
        startedAt: attempt.startedAt,
        timeoutMs,
        resolution,
        attempts: [attempt],
        outcome: attempt,
      };
      yield {
        type: 'probe',
        sequence: 1,
        request: { target },
        report,
        verdict: judge(attempt, options),
        lostSynSeconds: null,
        formerAddresses: null,
      };
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/**
 * Probes very many literal addresses and ports with two threads, in the order given. The same verdicts as {@link probeTargets}, only quicker: one
 * thread of Node makes some 20,000 connects a second, which is less than the kernel can do.
 *
 * @param workerPath the built `sweep-worker`
 */
export async function* sweepTargets(
  targets: Iterable<Target>,
  workerPath: string,
  options: SweepOptions,
): AsyncGenerator<ProbeEvent, void, undefined> {
  let chunk: Target[] = [];
  for (const target of targets) {
    if (chunk.push(target) < CHUNK) continue;
    yield* sweepChunk(chunk, workerPath, options);
    chunk = [];
    if (options.signal?.aborted) return;
  }
  if (chunk.length > 0) yield* sweepChunk(chunk, workerPath, options);
}
