import { createServer } from 'node:net';
import { probePort } from './port-probe.js';

const LOOPBACK = '127.0.0.1';

/** Milliseconds: loopback answers at once, unless its packets are dropped. */
const WARM_UP_TIMEOUT_MS = 250;

/**
 * A listener of our own that closes what it accepts. Null without loopback or a free descriptor:
 * the probe itself will report that if it matters.
 */
function listen(): Promise<{ readonly port: number; close(): Promise<void> } | null> {
  return new Promise((resolve) => {
    const server = createServer((accepted) => accepted.on('error', () => {}).destroy());
    server.on('error', () => resolve(null));
    server.listen(0, LOOPBACK, () => {
      const address = server.address();
      const port = address === null || typeof address === 'string' ? 0 : address.port;
      resolve({ port, close: () => new Promise((closed) => server.close(() => closed())) });
    });
  });
}

/** Runs one real probe against an open port, then one against the same port closed. */
async function probeOurselves(): Promise<void> {
  const listener = await listen();
  if (!listener) return;
  const endpoint = { address: LOOPBACK, family: 4, port: listener.port } as const;
  try {
    await probePort(endpoint, { timeoutMs: WARM_UP_TIMEOUT_MS });
  } finally {
    await listener.close();
  }
  await probePort(endpoint, { timeoutMs: WARM_UP_TIMEOUT_MS });
}

let warm: Promise<void> | undefined;

/**
 * Takes the start-up of Node out of the first latency. Without it the first connect of a process
 * reads 2 to 4 ms too long, because code is still being loaded and compiled.
 *
 * It probes a listener of its own on 127.0.0.1, once open and once closed. Nothing leaves the
 * machine. It runs once in each process; later calls return the same promise, which never rejects.
 */
export function warmUp(): Promise<void> {
  warm ??= probeOurselves().catch(() => {}); // the probe itself will report what is wrong
  return warm;
}
