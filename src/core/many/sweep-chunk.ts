import { getSystemErrorName } from 'node:util';
import { errorFacts, TIMED_OUT } from '../errors/socket-errors.js';
import type { Attempt, ErrorFacts } from '../facts/outcome.js';
import { familyOf } from '../target/target.js';
import type { TargetRequest } from '../target/target-list.js';
import { SWEEP_STATE, SWEEP_VERDICTS, type SweepBuffers } from './sweep-job.js';

/** A part of a sweep: its requests, and the buffers that its threads write into. */
export class SweepChunk {
  readonly requests: readonly TargetRequest[];
  readonly hosts: string[] = [];
  readonly buffers: SweepBuffers;
  readonly #states: Uint8Array;
  readonly #errnos: Int16Array;
  readonly #startedAt: Float64Array;
  readonly #elapsedMs: Float64Array;

  constructor(requests: readonly TargetRequest[]) {
    this.requests = requests;
    const shared = (bytes: number): SharedArrayBuffer =>
      new SharedArrayBuffer(bytes * requests.length);
    this.buffers = {
      ports: shared(2),
      hostOf: shared(4),
      states: shared(1),
      errnos: shared(2),
      startedAt: shared(8),
      elapsedMs: shared(8),
      cursor: new SharedArrayBuffer(4),
    };
    this.#states = new Uint8Array(this.buffers.states);
    this.#errnos = new Int16Array(this.buffers.errnos);
    this.#startedAt = new Float64Array(this.buffers.startedAt);
    this.#elapsedMs = new Float64Array(this.buffers.elapsedMs);
    const ports = new Uint16Array(this.buffers.ports);
    const hostOf = new Uint32Array(this.buffers.hostOf);
    for (const [index, { target }] of requests.entries()) {
      if (this.hosts.at(-1) !== target.host) this.hosts.push(target.host);
      hostOf[index] = this.hosts.length - 1;
      ports[index] = target.port;
    }
  }

  /** The attempt on an endpoint: undefined when not over, null when it needs a full probe. */
  attempt(index: number, { host, port }: TargetRequest['target']): Attempt | null | undefined {
    const state = Atomics.load(this.#states, index);
    if (state === 0) return undefined;
    const endpoint = { address: host, family: familyOf(host) ?? 4, port } as const;
    const startedAt = Math.round(this.#startedAt[index] ?? 0);
    const elapsedMs = this.#elapsedMs[index] ?? 0;
    if (state === SWEEP_STATE.open) return openAttempt({ endpoint, startedAt }, elapsedMs);
    const common = { endpoint, startedAt, elapsedMs };
    if (state === SWEEP_STATE.silent)
      return { state: 'filtered', reason: 'no-response', ...common, error: TIMED_OUT };
    const verdict = SWEEP_VERDICTS[state - SWEEP_STATE.failed];
    if (!verdict) return null;
    const errno = this.#errnos[index] ?? 0;
    return { ...verdict, ...common, error: connectError(errno) };
  }
}

const connectErrors = new Map<number, ErrorFacts>();

/** A failed connect, as Node reports it. Looking up the name takes longer than all the rest. */
function connectError(errno: number): ErrorFacts {
  const known = connectErrors.get(errno);
  if (known) return known;
  const error = errorFacts({ code: getSystemErrorName(errno), errno, syscall: 'connect' });
  connectErrors.set(errno, error);
  return error;
}

function openAttempt(common: Pick<Attempt, 'endpoint' | 'startedAt'>, latencyMs: number): Attempt {
  return { state: 'open', ...common, latencyMs, local: null, dropped: null, service: null };
}
