import { isIP, Socket } from 'node:net';
import { onAbort } from '../abort.js';
import { type Clock, monotonicClock, setSocketTimeout } from '../clock.js';
import type { Attempt, OpenOutcome } from '../facts/outcome.js';
import type { AskKernel } from '../facts/kernel-facts.js';
import type {
  ConnectionContext,
  Drop,
  Reconnect,
  ServiceProbe,
  WatchedDrop,
} from '../facts/service-finding.js';
import {
  checkPort,
  checkRange,
  checkTimeout,
  DEFAULT_TIMEOUT_MS,
  MAX_DURATION_MS,
  quoteValue,
} from '../limits.js';
import type { Endpoint } from '../target/target.js';
import { UsageError } from '../usage-error.js';
import { connect, type ConnectOptions, type Handshake } from './handshake.js';

/** How one attempt is made. */
export interface AttemptOptions {
  /**
   * One deadline for the handshake and all that follows on the connection, in milliseconds; above
   * 0, at most 2147483647; default {@link DEFAULT_TIMEOUT_MS}.
   */
  readonly timeoutMs?: number;
  /**
   * Aborting ends the attempt at once. Its outcome is then `cancelled`, or `open` if the connection
   * was only watched.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Local address to connect from: a literal of the endpoint's family; default: the system's
   * choice.
   */
  readonly sourceAddress?: string | undefined;
  /**
   * How long to watch an open connection for a drop by the other side, in milliseconds; 0 to
   * 2147483647; default 0, which closes it at once.
   */
  readonly watchMs?: number;
  /**
   * How to close an open connection. `fin` (the default) is an orderly close. `reset` may show up
   * in a server's log, but leaves no TIME_WAIT: more than about 200 probes of one endpoint a second
   * would use up the source ports.
   */
  readonly closeWith?: 'fin' | 'reset';
}

/** What the rest of portping and the tests may replace or add. */
export interface AttemptInternals {
  /**
   * Called when the handshake completes, which is before the attempt ends if there is more to do.
   */
  readonly onOpen?: () => void;
  /** Probes the service on the open connection, instead of watching it. */
  readonly probeService?: ServiceProbe | undefined;
  /** Asks the kernel about the open connection. Default: it is not asked. */
  readonly askKernel?: AskKernel | undefined;
  readonly createSocket?: () => Socket;
  readonly clock?: Clock;
}

interface SettledOptions extends ConnectOptions {
  readonly watchMs: number;
  readonly closeWith: 'fin' | 'reset';
  readonly probeService: ServiceProbe | undefined;
  readonly createSocket: () => Socket;
  readonly askKernel: AskKernel | undefined;
}

function checkArguments(
  { address, family, port }: Endpoint,
  { timeoutMs, watchMs, sourceAddress }: SettledOptions,
): void {
  if (isIP(address) !== family)
    throw new UsageError(
      `endpoint.address: ${quoteValue(address)} is not a literal IPv${family} address; ` +
        'resolve names first',
    );
  checkPort(port, 'endpoint.port');
  if (sourceAddress !== undefined && isIP(sourceAddress) === 0)
    throw new UsageError(
      `sourceAddress: ${quoteValue(sourceAddress)} is not an address; ` +
        'allowed: an IPv4 or IPv6 address of this machine',
    );
  checkTimeout(timeoutMs);
  checkRange('watchMs', watchMs, 0, MAX_DURATION_MS);
}

/** Sends a FIN, or a reset if asked for; never a reset while connecting. */
function close(socket: Socket, { state }: Attempt, closeWith: 'fin' | 'reset'): void {
  if (state === 'open' && closeWith === 'reset') socket.resetAndDestroy();
  else socket.destroy();
}

/** Watches an open connection for being dropped by the other side. */
function watch(
  socket: Socket,
  watchMs: number,
  { connectedMs, clock, signal }: ConnectionContext,
): Promise<WatchedDrop | null> {
  return new Promise((resolve) => {
    const timer = setSocketTimeout(() => resolve(null), watchMs);
    let receivedBytes = 0;
    const drop = (by: Drop['by']): void =>
      resolve({ by, afterMs: clock() - connectedMs, receivedBytes });
    socket
      .on('data', (chunk: Buffer) => {
        receivedBytes += chunk.length;
      })
      .once('end', () => drop('end'))
      .once('error', () => drop('reset'))
      .once('close', () => clearTimeout(timer));
    onAbort(signal, () => resolve(null));
  });
}

/** Watches the open connection, or probes its service, until the deadline at most. */
async function inspectConnection(
  socket: Socket,
  open: OpenOutcome,
  { startMs, endMs }: Handshake,
  settled: SettledOptions,
): Promise<Attempt> {
  const { timeoutMs, signal, clock, watchMs, probeService, closeWith } = settled;
  const over = new AbortController();
  const end = (): void => over.abort();
  const remainingMs = Math.max(timeoutMs - (clock() - startMs), 0);
  const deadline = setSocketTimeout(end, remainingMs);
  const stopListening = onAbort(signal, end);
  const connection = { connectedMs: endMs, clock, drop: open.dropped, signal: over.signal };
  let closeOther = (): void => {};
  const reconnect: Reconnect = async () => {
    if (over.signal.aborted) return null;
    const other = settled.createSocket();
    closeOther = () => other.destroy();
    // The signal ends it at the deadline.
    const within = { ...settled, timeoutMs: MAX_DURATION_MS, signal: over.signal };
    const { outcome, endMs: connectedMs } = await connect(other, open.endpoint, within);
    if (outcome.state !== 'open') return null;
    closeOther = () => close(other, outcome, closeWith);
    return { socket: other, connectedMs, drop: outcome.dropped };
  };
  try {
    if (!probeService) return { ...open, dropped: await watch(socket, watchMs, connection) };
    const service = await probeService(socket, connection, reconnect);
    // Aborted during the service check: report `cancelled`, not `open`.
    if (signal?.aborted) {
      const { endpoint, startedAt } = open;
      return { state: 'cancelled', endpoint, startedAt, elapsedMs: clock() - startMs };
    }
    return { ...open, dropped: null, service }; // the finding itself says whether it was dropped
  } finally {
    clearTimeout(deadline);
    stopListening();
    closeOther();
  }
}

/** Does all that an open connection is kept open for. */
async function finishConnection(
  socket: Socket,
  open: OpenOutcome,
  handshake: Handshake,
  settled: SettledOptions,
): Promise<Attempt> {
  const { probeService, watchMs, askKernel, timeoutMs } = settled;
  const asking = askKernel?.(socket, open.latencyMs, timeoutMs - open.latencyMs);
  let attempt: Attempt = open;
  if (probeService || (watchMs > 0 && !open.dropped))
    attempt = await inspectConnection(socket, open, handshake, settled);
  // Other sockets may have connected in the same moment, and their clocks run.
  else await new Promise(setImmediate);
  const kernel = asking ? await asking : null;
  return kernel && attempt.state === 'open' ? { ...attempt, kernel } : attempt;
}

/**
 * One TCP connect attempt to one literal address. Nothing is sent on the connection.
 *
 * The latency runs from `connectionAttempt`, which Node emits immediately before the system call
 * (nodejs/node#51045), to `connect`. The first attempt of a process reads 2 to 4 ms too long unless
 * {@link warmUp} was awaited before.
 *
 * @param endpoint literal address, its family and a port
 * @returns what the network answered; never rejects because of it
 * @throws UsageError when the endpoint or an option is misused
 */
export async function probePort(
  endpoint: Endpoint,
  options: AttemptOptions = {},
  internals: AttemptInternals = {},
): Promise<Attempt> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, watchMs = 0, closeWith = 'fin' } = options;
  const { signal, sourceAddress } = options;
  const { clock = monotonicClock, createSocket = () => new Socket() } = internals;
  const { probeService, onOpen, askKernel } = internals;
  const settled: SettledOptions = {
    timeoutMs,
    watchMs,
    closeWith,
    clock,
    signal,
    sourceAddress,
    probeService,
    createSocket,
    askKernel,
  };
  checkArguments(endpoint, settled);
  // Node connects even if the signal given to a socket is aborted already, so no socket gets it.
  if (signal?.aborted) return { state: 'cancelled', endpoint, startedAt: Date.now(), elapsedMs: 0 };

  const socket = createSocket();
  const handshake = await connect(socket, endpoint, settled);
  const { outcome } = handshake;
  try {
    if (outcome.state !== 'open') return outcome;
    onOpen?.();
    return await finishConnection(socket, outcome, handshake, settled);
  } finally {
    close(socket, outcome, closeWith);
  }
}
