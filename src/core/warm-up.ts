import { createServer, Socket } from 'node:net';

const LOOPBACK = '127.0.0.1';

/** Loopback answers at once. Where its packets are dropped, the probe must not wait for it, milliseconds. */
const PATIENCE_MS = 250;

/** One connect to loopback, whatever comes of it, waited for until the socket is closed. */
function connectOnce(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = new Socket();
    const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
    socket.once('connect', () => socket.destroy());
    socket.on('error', () => {});
    socket.once('close', () => { clearTimeout(timer); resolve(); });
    socket.connect({ host: LOOPBACK, port, family: 4, autoSelectFamily: false });
  });
}

async function connectToOurselves(): Promise<void> {
  const refused = connectOnce(0); // nothing can listen on port 0; this exercises the way of an error
  await new Promise<void>((resolve) => {
    const server = createServer((accepted) => accepted.on('error', () => {}).destroy());
    server.on('error', () => resolve()); // no loopback, no descriptors: the probe will say so if it matters
    server.on('close', () => resolve());
    server.listen(0, LOOPBACK, () => {
      const address = server.address();
      const connected = address === null || typeof address === 'string' ? Promise.resolve() : connectOnce(address.port);
      void connected.then(() => server.close());
    });
  });
  await refused;
}

let warm: Promise<void> | undefined;

/**
 * Takes Node's own start-up out of the first latency: one throw-away connect to a listener of our own on 127.0.0.1, waited for until both
 * ends are closed, and one that is refused. Nothing leaves the machine. Without it the first connect of a process reads 2 to 4 ms too long,
 * because code is still being loaded and compiled.
 * Done once for each process; later calls return the same promise. Never rejects.
 */
export function warmUp(): Promise<void> {
  warm ??= connectToOurselves();
  return warm;
}
