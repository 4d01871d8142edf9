import { setMaxListeners } from 'node:events';
import { isIP, Socket } from 'node:net';
import { type Clock, monotonicClock } from './clock.js';
import { MAX_DURATION_MS } from './duration.js';
import type { Attempt, OpenOutcome } from './outcome.js';
import type { Converse, Drop } from './service/finding.js';
import { errorFacts, isResetAfterHandshake, judgeSocketError, TIMED_OUT } from './socket-errors.js';
import type { Endpoint } from './target.js';

/** The deadline of a probe when none is given, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 5000;

/** How one attempt is made. */
export interface AttemptOptions {
  /** Deadline in milliseconds, 1 to 2147483647; default 5000. */
  readonly timeoutMs?: number;
  /** Aborting ends the attempt at once with the outcome `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /** Local address to connect from. */
  readonly sourceAddress?: string | undefined;
  /** Is called when the handshake completes, which with `watchMs` is before the attempt ends. */
  readonly onOpen?: () => void;
  /** How long an open connection is watched for being dropped by the other side, in milliseconds; 0 (the default) closes it at once. */
  readonly watchMs?: number;
  /** Talks on the open connection instead of watching it; the attempt ends when it has come to a finding. */
  readonly converse?: Converse | undefined;
  /**
   * How an open connection is ended: `fin` (the default), as clients do that are done, or `reset`, which servers may log but which leaves no
   * TIME_WAIT behind: one endpoint probed more than about 200 times a second would use up the source ports.
   */
  readonly closeWith?: 'fin' | 'reset';
  /** Makes the socket, for tests. */
  readonly createSocket?: () => Socket;
  /** For tests. */
  readonly clock?: Clock;
}

/**
 * Refuses what is no port.
 *
 * @throws RangeError unless it is a whole number from 1 to 65535
 */
export function checkPort(port: number, name = 'port'): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new RangeError(`${name}: ${port} is out of range; allowed: 1 to 65535`);
}

/**
 * Refuses a timeout that cannot be kept.
 *
 * @throws RangeError unless it is above 0 and at most 2147483647
 */
export function checkTimeout(timeoutMs: number): void {
  if (!(timeoutMs > 0 && timeoutMs <= MAX_DURATION_MS)) throw new RangeError(`timeoutMs: ${timeoutMs} is out of range; allowed: above 0, at most ${MAX_DURATION_MS}`);
}

function checkArguments({ address, family, port }: Endpoint, timeoutMs: number, watchMs: number, sourceAddress: string | undefined): void {
  if (isIP(address) !== family) throw new TypeError(`endpoint.address: "${address}" is not a literal IPv${family} address; resolve names first`);
  checkPort(port, 'endpoint.port');
  if (sourceAddress !== undefined && isIP(sourceAddress) === 0) throw new TypeError(`sourceAddress: "${sourceAddress}" is not a literal address`);
  checkTimeout(timeoutMs);
  if (!(watchMs >= 0 && watchMs <= MAX_DURATION_MS)) throw new RangeError(`watchMs: ${watchMs} is out of range; allowed: 0 to ${MAX_DURATION_MS}`);
}

/**
 * One TCP connect attempt to one literal address. Whatever the network answers is a value; nothing is sent on the connection, unless `converse` does.
 *
 * The latency runs from `connectionAttempt`, which Node emits immediately before the system call (nodejs/node#51045), to `connect`.
 * The first attempt of a process reads too long unless {@link warmUp} was awaited before.
 *
 * @param endpoint literal address, its family and a port
 * @throws TypeError when an address is not a literal or not of that family, RangeError when the port or the timeout is out of range
 */
export async function probePort(endpoint: Endpoint, options: AttemptOptions = {}): Promise<Attempt> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal, sourceAddress, onOpen, watchMs = 0, converse, closeWith = 'fin', createSocket = () => new Socket(), clock = monotonicClock } = options;
  checkArguments(endpoint, timeoutMs, watchMs, sourceAddress);
  const startedAt = Date.now();
  // An aborted signal does not stop a later connect of Node's own, so it is looked at here and never given to the socket.
  if (signal?.aborted) return { state: 'cancelled', endpoint, startedAt, elapsedMs: 0 };

  return new Promise((resolve, reject) => {
    const socket = createSocket();
    const conversation = converse ? new AbortController() : null;
    let startMs = clock();
    let open: OpenOutcome | undefined;
    let watchTimer: NodeJS.Timeout | undefined;

    const finish = (outcome: Attempt): void => {
      clearTimeout(deadline);
      clearTimeout(watchTimer);
      signal?.removeEventListener('abort', cancel);
      if (outcome.state === 'open' && closeWith === 'reset') socket.resetAndDestroy();
      else socket.destroy(); // a FIN on an open connection; never a reset while connecting
      resolve(outcome);
    };
    const opened = (latencyMs: number, dropped: Drop | null): OpenOutcome => {
      const { localAddress, localPort } = socket;
      const local = localAddress !== undefined && localPort !== undefined ? { address: localAddress, port: localPort } : null;
      return { state: 'open', endpoint, startedAt, latencyMs, local, dropped, service: null };
    };
    const hold = (seen: OpenOutcome, connectedMs: number, drop: Drop | null): void => {
      if (!converse || !conversation) return;
      const fail = (cause: unknown): void => { reject(cause); finish(seen); };
      converse(socket, { connectedMs, clock, drop, signal: conversation.signal }).then((service) => finish({ ...seen, service }), fail);
    };
    const elapsed = () => ({ endpoint, startedAt, elapsedMs: clock() - startMs });
    const cancel = () => {
      // Of an open port whose service was to be heard too, half is no verdict.
      finish(open && !conversation ? open : { state: 'cancelled', ...elapsed() });
      conversation?.abort();
    };
    const giveUp = () => {
      if (open && conversation) return conversation.abort(); // it says how far it came
      finish(open ?? { state: 'filtered', reason: 'no-response', ...elapsed(), error: TIMED_OUT });
    };
    // After a busy stretch the timer runs before the sockets that are ready: one more poll phase, then the timeout is believed.
    const deadline = setTimeout(() => setImmediate(() => { if (!socket.destroyed) giveUp(); }), timeoutMs);
    if (signal) setMaxListeners(0, signal); // one signal may end many probes
    signal?.addEventListener('abort', cancel, { once: true });

    socket.once('connectionAttempt', () => {
      deadline.refresh(); // whatever ran between the call and now is not the other side's time
      startMs = clock();
    });
    socket.once('connect', () => {
      const connectedMs = clock();
      const { localAddress, localPort, remoteAddress, remotePort } = socket;
      if (localPort === remotePort && localAddress === remoteAddress && localPort !== undefined) {
        // TCP's simultaneous open with ourselves (RFC 9293, 3.5): nobody listens there.
        const error = errorFacts({ code: 'ECONNREFUSED', syscall: 'connect' });
        return finish({ state: 'closed', reason: 'conn-refused', endpoint, startedAt, elapsedMs: connectedMs - startMs, error });
      }
      const seen = opened(connectedMs - startMs, null);
      open = seen;
      onOpen?.();
      if (converse && conversation) return hold(seen, connectedMs, null);
      if (watchMs <= 0) return void setImmediate(finish, seen); // not at once: others may have connected in the same moment, and their clocks run
      const drop = (by: 'end' | 'reset') => finish({ ...seen, dropped: { by, afterMs: clock() - connectedMs } });
      socket.once('end', () => drop('end'));
      socket.once('error', () => drop('reset'));
      socket.resume();
      watchTimer = setTimeout(() => finish(seen), watchMs);
    });
    socket.on('error', (error) => {
      if (open) return; // the watch above has it
      const when = elapsed(); // before anything else costs time
      const facts = errorFacts(error);
      if (isResetAfterHandshake(facts)) {
        // A conversation says that in its own words.
        const drop = { by: 'reset', afterMs: 0 } as const;
        open = opened(when.elapsedMs, conversation ? null : drop);
        if (!conversation) return finish(open);
        onOpen?.();
        return hold(open, clock(), drop);
      }
      const { state, reason } = judgeSocketError(error, endpoint.family);
      // Spelt out: V8 gives each object that begins with a spread a shape of its own (seen on Node 20), 700 bytes for every probe that waits to be told.
      finish({ state, reason, endpoint, startedAt, elapsedMs: when.elapsedMs, error: facts } as Attempt);
    });
    socket.connect({
      host: endpoint.address,
      port: endpoint.port,
      family: endpoint.family,
      autoSelectFamily: false,
      ...(sourceAddress === undefined ? {} : { localAddress: sourceAddress }),
    });
  });
}
