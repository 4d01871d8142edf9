import { createServer, Socket } from 'node:net';

let warm: Promise<void> | undefined;

async function connectToOurselves(): Promise<void> {
  await new Promise<void>((resolve) => {
    const server = createServer((accepted) => accepted.on('error', () => {}).destroy());
    server.on('error', () => resolve()); // no loopback, no descriptors: the probe will say so if it matters
    server.on('close', () => resolve());
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return server.close();
      const socket = new Socket();
      const end = () => { socket.destroy(); server.close(); };
      socket.once('connect', end);
      socket.once('error', end);
      socket.connect({ host: '127.0.0.1', port: address.port, family: 4, autoSelectFamily: false });
      return undefined;
    });
  });
}

/**
 * Takes Node's own start-up out of the first latency: one throw-away connect to a listener of our own on 127.0.0.1, waited for until both
 * ends are closed. Without it the first connect of a process reads 2 to 4 ms too long, because code is still being loaded and compiled.
 * Done once for each process; later calls return the same promise. Never rejects.
 */
export function warmUp(): Promise<void> {
  warm ??= connectToOurselves();
  return warm;
}
