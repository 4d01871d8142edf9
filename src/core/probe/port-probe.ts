import { checkPort, checkTimeout, DEFAULT_TIMEOUT_MS } from '../limits.js';
import { setMaxListeners } from 'node:events';
import { isIP, Socket } from 'node:net';
import { type Clock, monotonicClock } from '../clock.js';
import { MAX_DURATION_MS } from '../limits.js';
import type { Attempt, OpenOutcome } from '../facts/outcome.js';
import type { Circumstances, Converse, Drop } from '../facts/service-finding.js';
import {
  errorFacts,
  isResetAfterHandshake,
  judgeSocketError,
  TIMED_OUT,
} from '../errors/socket-errors.js';
import type { Endpoint } from '../target/target.js';

/** How one attempt is made. */
export interface AttemptOptions {
  /** Deadline in milliseconds, 1 to 2147483647; default 5000. */
  readonly timeoutMs?: number;
  /** Aborting ends the attempt at once: with the outcome `cancelled`, or, when it is open and only watched, with that. */
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

function checkArguments(
  { address, family, port }: Endpoint,
  timeoutMs: number,
  watchMs: number,
  sourceAddress: string | undefined,
): void {
  if (isIP(address) !== family)
    throw new TypeError(
      `endpoint.address: "${address}" is not a literal IPv${family} address; resolve names first`,
    );
  checkPort(port, 'endpoint.port');
  if (sourceAddress !== undefined && isIP(sourceAddress) === 0)
    throw new TypeError(`sourceAddress: "${sourceAddress}" is not a literal address`);
  checkTimeout(timeoutMs);
  if (!(watchMs >= 0 && watchMs <= MAX_DURATION_MS))
    throw new RangeError(`watchMs: ${watchMs} is out of range; allowed: 0 to ${MAX_DURATION_MS}`);
}

/** How a handshake ended. */
interface Handshake {
  readonly outcome: Attempt;
  /** When the connect call was made, and when its outcome was known, on the clock. */
  readonly startMs: number;
  readonly endMs: number;
}

type Connecting = Pick<AttemptOptions, 'signal' | 'sourceAddress'> & {
  readonly timeoutMs: number;
  readonly clock: Clock;
};

/** Makes the connect call and waits for what comes of it, the deadline or the signal. An open connection stays open. */
function shakeHands(
  socket: Socket,
  endpoint: Endpoint,
  { timeoutMs, signal, sourceAddress, clock }: Connecting,
): Promise<Handshake> {
  const startedAt = Date.now();
  return new Promise((resolve) => {
    let startMs = clock();
    const end = (outcomeAt: (elapsedMs: number) => Attempt): void => {
      const endMs = clock(); // before anything else costs time
      clearTimeout(deadline);
      signal?.removeEventListener('abort', cancel);
      resolve({ outcome: outcomeAt(endMs - startMs), startMs, endMs });
    };
    const open = (latencyMs: number, dropped: Drop | null): OpenOutcome => {
      const { localAddress, localPort } = socket;
      const local =
        localAddress !== undefined && localPort !== undefined
          ? { address: localAddress, port: localPort }
          : null;
      return { state: 'open', endpoint, startedAt, latencyMs, local, dropped, service: null };
    };
    const cancel = (): void =>
      end((elapsedMs) => ({ state: 'cancelled', endpoint, startedAt, elapsedMs }));
    const giveUp = (): void =>
      end((elapsedMs) => ({
        state: 'filtered',
        reason: 'no-response',
        endpoint,
        startedAt,
        elapsedMs,
        error: TIMED_OUT,
      }));
    // After a busy stretch the timer runs before the sockets that are ready: one more poll phase, then the timeout is believed.
    const deadline = setTimeout(() => setImmediate(giveUp), timeoutMs);
    if (signal) setMaxListeners(0, signal); // one signal may end many probes
    signal?.addEventListener('abort', cancel, { once: true });

    socket.once('connectionAttempt', () => {
      deadline.refresh(); // whatever ran between the call and now is not the other side's time
      startMs = clock();
    });
    socket.once('connect', () =>
      end((elapsedMs) => {
        const { localAddress, localPort, remoteAddress, remotePort } = socket;
        const isSelf =
          localPort === remotePort && localAddress === remoteAddress && localPort !== undefined;
        if (!isSelf) return open(elapsedMs, null);
        // TCP's simultaneous open with ourselves (RFC 9293, 3.5): nobody listens there.
        return {
          state: 'closed',
          reason: 'conn-refused',
          endpoint,
          startedAt,
          elapsedMs,
          error: errorFacts({ code: 'ECONNREFUSED', syscall: 'connect' }),
        };
      }),
    );
    socket.on('error', (cause) =>
      end((elapsedMs) => {
        const error = errorFacts(cause);
        if (isResetAfterHandshake(error)) return open(elapsedMs, { by: 'reset', afterMs: 0 });
        const { state, reason } = judgeSocketError(cause, endpoint.family);
        // Spelt out: V8 gives each object that begins with a spread a shape of its own (seen on Node 20), 700 bytes for every probe that waits to be told.
        return { state, reason, endpoint, startedAt, elapsedMs, error } as Attempt;
      }),
    );
    socket.connect({
      host: endpoint.address,
      port: endpoint.port,
      family: endpoint.family,
      autoSelectFamily: false,
      ...(sourceAddress === undefined ? {} : { localAddress: sourceAddress }),
    });
  });
}

/** Watches an open connection for being dropped by the other side. */
function watch(
  socket: Socket,
  watchMs: number,
  { connectedMs, clock, signal }: Circumstances,
): Promise<Drop | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, watchMs, null);
    const drop = (by: Drop['by']): void => resolve({ by, afterMs: clock() - connectedMs });
    socket
      .once('end', () => drop('end'))
      .once('error', () => drop('reset'))
      .once('close', () => clearTimeout(timer))
      .resume();
    signal.addEventListener('abort', () => resolve(null), { once: true });
    if (signal.aborted) resolve(null);
  });
}

/** Goes on with an open connection until the deadline or the signal, at the most. */
async function goOn(
  socket: Socket,
  open: OpenOutcome,
  { startMs, endMs }: Handshake,
  options: AttemptOptions & Connecting,
): Promise<Attempt> {
  const { timeoutMs, signal, clock, watchMs = 0, converse } = options;
  const over = new AbortController();
  const end = (): void => over.abort();
  const deadline = setTimeout(
    () => setImmediate(end),
    Math.max(timeoutMs - (clock() - startMs), 0),
  );
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();
  const circumstances = { connectedMs: endMs, clock, drop: open.dropped, signal: over.signal };
  try {
    if (!converse) return { ...open, dropped: await watch(socket, watchMs, circumstances) };
    const service = await converse(socket, circumstances);
    // Of an open port whose service was to be heard too, half is no verdict.
    if (signal?.aborted)
      return {
        state: 'cancelled',
        endpoint: open.endpoint,
        startedAt: open.startedAt,
        elapsedMs: clock() - startMs,
      };
    return { ...open, dropped: null, service }; // a conversation says in its own words that it was dropped
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener('abort', end);
  }
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
export async function probePort(
  endpoint: Endpoint,
  options: AttemptOptions = {},
): Promise<Attempt> {
  const {
    timeoutMs = DEFAULT_TIMEOUT_MS,
    signal,
    sourceAddress,
    onOpen,
    watchMs = 0,
    converse,
    closeWith = 'fin',
    createSocket = () => new Socket(),
    clock = monotonicClock,
  } = options;
  checkArguments(endpoint, timeoutMs, watchMs, sourceAddress);
  // An aborted signal does not stop a later connect of Node's own, so it is looked at here and never given to the socket.
  if (signal?.aborted) return { state: 'cancelled', endpoint, startedAt: Date.now(), elapsedMs: 0 };

  const socket = createSocket();
  const handshake = await shakeHands(socket, endpoint, { timeoutMs, signal, sourceAddress, clock });
  const { outcome } = handshake;
  try {
    if (outcome.state !== 'open') return outcome;
    onOpen?.();
    if (converse || (watchMs > 0 && !outcome.dropped))
      return await goOn(socket, outcome, handshake, { ...options, timeoutMs, clock });
    await new Promise(setImmediate); // others may have connected in the same moment, and their clocks run
    return outcome;
  } finally {
    if (outcome.state === 'open' && closeWith === 'reset') socket.resetAndDestroy();
    else socket.destroy(); // a FIN on an open connection; never a reset while connecting
  }
}
