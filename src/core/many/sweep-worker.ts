import { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { errorFacts, isResetAfterHandshake, judgeSocketError } from '../errors/socket-errors.js';
import { SHORTAGES } from '../states.js';
import { SWEEP_STATE, SWEEP_VERDICTS, type SweepJob } from './sweep-job.js';

/**
 * One thread of a sweep: takes endpoints from the shared list, makes one connect attempt for each
 * and notes its outcome in the shared arrays. A probe has no promise and no timer of its own: at
 * 20,000 probes a second they would cost as much as the probe.
 */

const job = workerData as SweepJob;
const { hosts, timeoutMs, concurrency, startsPerTurn } = job;
const ports = new Uint16Array(job.ports);
const hostOf = new Uint32Array(job.hostOf);
const states = new Uint8Array(job.states);
const errnos = new Int16Array(job.errnos);
const startedAt = new Float64Array(job.startedAt);
const elapsedMs = new Float64Array(job.elapsedMs);
const cursor = new Int32Array(job.cursor);

Error.stackTraceLimit = 0; // a stack trace for each refusal takes a tenth of the time

const now = (): number => performance.now();

let limit = concurrency;
let running = 0;
let startsInTurn = 0;
let pauseUntilMs = 0;
let scheduled = false;
let expiryTimer: NodeJS.Timeout | undefined;
const again: number[] = [];
/** Attempts under way, oldest first: all have the same timeout, so the oldest ends first. */
const flight = new Set<Attempt>();

/** A socket that handles its own events: listeners would cost more than the connect. */
class Attempt extends Socket {
  over = false;
  startMs = now();
  readonly index: number;
  readonly family: 4 | 6;

  constructor(index: number, family: 4 | 6) {
    super();
    this.index = index;
    this.family = family;
  }

  override emit(event: string | symbol): boolean {
    if (this.over) return false;
    if (event === 'connectionAttempt') this.startMs = now();
    else if (event === 'connect')
      this.finish(
        this.localPort === this.remotePort && this.localAddress === this.remoteAddress
          ? SWEEP_STATE.unclear
          : SWEEP_STATE.open,
      );
    return true;
  }

  /** Takes the error here: Node would format its stack trace and send an event first. */
  override destroy(error?: NodeJS.ErrnoException): this {
    if (error && !this.over) this.fail(error);
    return super.destroy();
  }

  fail(error: NodeJS.ErrnoException): void {
    if (isResetAfterHandshake(errorFacts(error))) return this.finish(SWEEP_STATE.unclear);
    const { reason } = judgeSocketError(error, this.family);
    if (SHORTAGES.has(reason) && running > 1) {
      // Too many at once for this machine: run fewer, and retry this one.
      again.push(this.index);
      limit = Math.max(Math.min(limit, Math.floor(running * 0.8)), 1);
      pauseUntilMs = now() + 20;
      return this.finish(null);
    }
    const verdict = SWEEP_VERDICTS.findIndex((each) => each.reason === reason);
    errnos[this.index] = error.errno ?? 0;
    return this.finish(
      verdict < 0 || error.errno === undefined ? SWEEP_STATE.unclear : SWEEP_STATE.failed + verdict,
    );
  }

  finish(state: number | null): void {
    this.over = true;
    if (state !== null) {
      elapsedMs[this.index] = now() - this.startMs;
      startedAt[this.index] = performance.timeOrigin + this.startMs;
      Atomics.store(states, this.index, state);
    }
    running -= 1;
    flight.delete(this);
    this.destroy();
    schedule();
  }
}

/** Ends attempts at their deadline. Runs after the poll phase, which handles what is ready. */
function expire(): void {
  for (const attempt of flight) {
    if (now() - attempt.startMs < timeoutMs) break;
    attempt.finish(SWEEP_STATE.silent);
  }
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(turn);
}

function begin(index: number): void {
  const host = hosts[hostOf[index] ?? 0] ?? '';
  running += 1;
  startsInTurn += 1;
  const family = host.includes(':') ? 6 : 4;
  const attempt = new Attempt(index, family);
  flight.add(attempt);
  attempt.connect({ host, port: ports[index] ?? 0, family, autoSelectFamily: false });
}

function turn(): void {
  scheduled = false;
  startsInTurn = 0;
  expire();
  const waitMs = pauseUntilMs - now();
  if (waitMs > 0) {
    setTimeout(schedule, waitMs);
    return;
  }
  while (running < limit && startsInTurn < startsPerTurn) {
    const index = again.pop() ?? Atomics.add(cursor, 0, 1);
    if (index >= ports.length) break;
    begin(index);
  }
  if (startsInTurn === startsPerTurn) return schedule();
  clearTimeout(expiryTimer);
  const [first] = flight;
  if (first) expiryTimer = setTimeout(schedule, Math.max(timeoutMs - (now() - first.startMs), 1));
  else if (running === 0) parentPort?.close();
}

schedule();
