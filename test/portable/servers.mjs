import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import dnsPacket from 'dns-packet';

/** The port of a server that does not keep the suite from ending. */
async function listening(server, address) {
  await once(server.listen(0, address).unref(), 'listening');
  return server.address().port;
}

/** The port of a server that accepts connections and says nothing. */
export function listen(address = '127.0.0.1') {
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  return listening(server, address);
}

/** The port of an HTTP server that answers each request with 204. */
export function listenHttp() {
  return listening(
    createHttpServer((_, response) => response.writeHead(204).end()),
    '127.0.0.1',
  );
}

/** A port on which nobody listens: one that was free a moment ago. */
export async function freePort() {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address();
  await once(server.close(), 'close');
  return port;
}

/**
 * The address and port of a DNS server: `open.test` is 127.0.0.1, queries for `silent.test` get no
 * answer, and no other name exists.
 */
export async function listenDns() {
  const server = createSocket('udp4');
  server.on('message', (message, { port, address }) => {
    const { id, questions } = dnsPacket.decode(message);
    const [{ name, type }] = questions;
    if (name === 'silent.test') return;
    const exists = name === 'open.test';
    const answers = exists && type === 'A' ? [{ name, type, ttl: 60, data: '127.0.0.1' }] : [];
    const reply = { id, type: 'response', flags: exists ? 0 : 3, questions, answers };
    server.send(dnsPacket.encode(reply), port, address);
  });
  server.bind(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return `127.0.0.1:${server.address().port}`;
}
