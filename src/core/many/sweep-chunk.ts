import { getSystemErrorName } from 'node:util';
import { errorFacts, type SocketJudgement, TIMED_OUT } from '../errors/socket-errors.js';
import type { Attempt, ErrorFacts } from '../facts/outcome.js';
import { type Endpoint, familyOf } from '../target/target.js';
import type { TargetRequest } from '../target/target-list.js';
import { SWEEP_STATE, SWEEP_VERDICTS, type SweepBuffers } from './sweep-job.js';

/** The endpoints of a part of a sweep, in the buffers that its threads write into. */
export class SweepChunk {
  readonly hosts: string[] = [];
  readonly buffers: SweepBuffers;
  /** How many endpoints there are. */
  readonly size: number;
  readonly #states: Uint8Array;
  readonly #errnos: Int16Array;
  readonly #startedAt: Float64Array;
  readonly #elapsedMs: Float64Array;

  /**
   * @param requests the endpoints; none of the requests is kept, because ten thousands of small
   * objects that live take the garbage collector longer than all the rest of this thread's work
   * @param most how many endpoints may be taken
   */
  constructor(requests: Iterator<TargetRequest, void>, most: number) {
    const shared = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes);
    const ports = shared(2 * most);
    const hostOf = shared(4 * most);
    const [portList, hostList] = [new Uint16Array(ports), new Uint32Array(hostOf)];
    let size = 0;
    while (size < most) {
      const { value } = requests.next();
      if (!value) break;
      const { host, port } = value.target;
      if (this.hosts.at(-1) !== host) this.hosts.push(host);
      hostList[size] = this.hosts.length - 1;
      portList[size] = port;
      size += 1;
    }
    this.size = size;
    this.buffers = {
      ports: ports.slice(0, 2 * size), // its length tells the threads how many there are
      hostOf,
      states: shared(size),
      errnos: shared(2 * size),
      startedAt: shared(8 * size),
      elapsedMs: shared(8 * size),
      cursor: shared(4),
    };
    this.#states = new Uint8Array(this.buffers.states);
    this.#errnos = new Int16Array(this.buffers.errnos);
    this.#startedAt = new Float64Array(this.buffers.startedAt);
    this.#elapsedMs = new Float64Array(this.buffers.elapsedMs);
  }

  /** The attempt on an endpoint: undefined when not over, null when it needs a full probe. */
  attempt(index: number, { host, port }: TargetRequest['target']): Attempt | null | undefined {
    const state = Atomics.load(this.#states, index);
    if (state === 0) return undefined;
    const endpoint = { address: host, family: familyOf(host) ?? 4, port } as const;
    const startedAt = Math.round(this.#startedAt[index] ?? 0);
    const elapsedMs = this.#elapsedMs[index] ?? 0;
    if (state === SWEEP_STATE.open) return openAttempt(endpoint, startedAt, elapsedMs);
    const isSilent = state === SWEEP_STATE.silent;
    const verdict = isSilent ? NO_RESPONSE : SWEEP_VERDICTS[state - SWEEP_STATE.failed];
    if (!verdict) return null;
    const error = isSilent ? TIMED_OUT : connectError(this.#errnos[index] ?? 0);
    // Spelt out: `...verdict` takes a microsecond, and four times the memory.
    const attempt = {
      state: verdict.state,
      reason: verdict.reason,
      endpoint,
      startedAt,
      elapsedMs,
      error,
    };
    return attempt as Attempt;
  }
}

const NO_RESPONSE: SocketJudgement = { state: 'filtered', reason: 'no-response' };

const connectErrors = new Map<number, ErrorFacts>();

/** A failed connect, as Node reports it. Looking up the name takes longer than all the rest. */
function connectError(errno: number): ErrorFacts {
  const known = connectErrors.get(errno);
  if (known) return known;
  const error = errorFacts({ code: getSystemErrorName(errno), errno, syscall: 'connect' });
  connectErrors.set(errno, error);
  return error;
}

function openAttempt(endpoint: Endpoint, startedAt: number, latencyMs: number): Attempt {
  return {
    state: 'open',
    endpoint,
    startedAt,
    latencyMs,
    local: null,
    dropped: null,
    service: null,
  };
}
