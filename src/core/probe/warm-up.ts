import { Socket } from 'node:net';
import { monotonicClock } from '../clock.js';
import { connect, type ConnectOptions } from './handshake.js';

const LOOPBACK = '127.0.0.1';

/** Loopback answers at once, unless its packets are dropped. */
const OPTIONS: ConnectOptions = {
  timeoutMs: 250,
  clock: monotonicClock,
  signal: undefined,
  sourceAddress: undefined,
};

/** Ports for short-lived use (RFC 6335, section 6). */
const FIRST_DYNAMIC_PORT = 49_152;
const DYNAMIC_PORTS = 65_536 - FIRST_DYNAMIC_PORT;

/**
 * Connects a socket to itself (RFC 9293, 3.5): an open connection without a listener, which would
 * take 4 ms to load. A port that a listener has cannot be bound, so no service is touched.
 */
async function connectToOurselves(): Promise<void> {
  const port = FIRST_DYNAMIC_PORT + Math.floor(Math.random() * DYNAMIC_PORTS);
  const socket = new Socket();
  await connect(
    socket,
    { address: LOOPBACK, family: 4, port },
    { ...OPTIONS, sourceAddress: LOOPBACK, sourcePort: port },
  );
  socket.resetAndDestroy(); // leaves no TIME_WAIT
}

/** No service can have port 0: it refuses. */
async function connectToPortZero(): Promise<void> {
  const socket = new Socket();
  await connect(socket, { address: LOOPBACK, family: 4, port: 0 }, OPTIONS);
  socket.destroy();
}

let warm: Promise<void> | undefined;

/**
 * Takes the start-up of Node out of the first latency. Without it the first connect of a process
 * reads 2 to 4 ms too long, because code is still being loaded and compiled.
 *
 * It makes one connection to itself on 127.0.0.1 and one that is refused. Nothing leaves the
 * machine. It runs once in each process; later calls return the same promise, which never rejects.
 */
export function warmUp(): Promise<void> {
  // The probe itself will report what is wrong.
  warm ??= connectToOurselves()
    .then(connectToPortZero)
    .catch(() => {});
  return warm;
}
