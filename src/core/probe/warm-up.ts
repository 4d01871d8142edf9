import { createServer } from 'node:net';
import { probePort } from './port-probe.js';

const LOOPBACK = '127.0.0.1';

/** Loopback answers at once. Where its packets are dropped, the probe must not wait for it, milliseconds. */
const PATIENCE_MS = 250;

/** A listener of our own that closes what it accepts; null where there is no loopback, or no descriptor for it: the probe will say so if it matters. */
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

/** The very way that a probe goes is gone once to an open port, and once to the same port closed. */
async function probeOurselves(): Promise<void> {
  const listener = await listen();
  if (!listener) return;
  const endpoint = { address: LOOPBACK, family: 4, port: listener.port } as const;
  try {
    await probePort(endpoint, { timeoutMs: PATIENCE_MS });
  } finally {
    await listener.close();
  }
  await probePort(endpoint, { timeoutMs: PATIENCE_MS });
}

let warm: Promise<void> | undefined;

/**
 * Takes Node's own start-up out of the first latency: one throw-away probe of a listener of our own on 127.0.0.1, waited for until both
 * ends are closed, and one that is refused. Nothing leaves the machine. Without it the first connect of a process reads 2 to 4 ms too long,
 * because code is still being loaded and compiled.
 * Done once for each process; later calls return the same promise. Never rejects.
 */
export function warmUp(): Promise<void> {
  warm ??= probeOurselves().catch(() => {}); // the probe itself will meet what is wrong
  return warm;
}
