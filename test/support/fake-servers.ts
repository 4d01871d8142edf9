import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions, TLSSocket } from 'node:tls';
import { expect, onTestFinished } from 'vitest';
import type { ServiceFinding } from '../../src/core/facts/service-finding.js';
import type { ServiceRequest } from '../../src/core/service/registry.js';
import { probeTarget } from '../../src/core/probe/target-probe.js';

/** A server that talks. It and its connections are closed after the test. */
export interface FakeServer {
  readonly port: number;
  /** Everything that clients sent, as text. */
  readonly received: () => string;
  /** How clients ended their connections: `end` or the code of an error. */
  readonly ends: readonly string[];
}

async function serve(
  server: Server,
  event: 'connection' | 'secureConnection',
  talk: (socket: Socket) => void,
  address: string,
): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const ends: string[] = [];
  let received = '';
  server.on('connection', (socket: Socket) => void sockets.add(socket.on('error', () => {})));
  server.on(event, (socket: Socket) => {
    socket.on('data', (bytes) => {
      received += String(bytes);
    });
    socket
      .on('end', () => ends.push('end'))
      .on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? error.message));
    talk(socket);
  });
  server.listen(0, address);
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  });
  return { port: (server.address() as AddressInfo).port, received: () => received, ends };
}

/** Starts a TCP server on loopback that does this with each connection. */
export const startFakeServer = (
  talk: (socket: Socket) => void,
  address = '127.0.0.1',
): Promise<FakeServer> => serve(createServer(), 'connection', talk, address);

/** Starts a server with TLS from the first byte. */
export function startTlsServer(
  options: TlsOptions,
  talk: (socket: Socket) => void = () => {},
): Promise<FakeServer> {
  return serve(
    createTlsServer(options).on('tlsClientError', () => {}),
    'secureConnection',
    talk,
    '127.0.0.1',
  );
}

/** Replies of a server, each to lines that begin with its key: a text, or what to do. */
export type Replies = Readonly<Record<string, string | ((socket: Socket) => void)>>;

/** Greets and replies line by line. Lines without a reply are ignored. */
export function replyToLines(greeting: string, answers: Replies): (socket: Socket) => void {
  return (socket) => {
    let rest = '';
    if (greeting !== '') socket.write(greeting);
    socket.on('data', (bytes) => {
      const lines = (rest + String(bytes)).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [, answer] = Object.entries(answers).find(([word]) => line.startsWith(word)) ?? [];
        if (typeof answer === 'string') socket.write(answer);
        else answer?.(socket);
      }
    });
  };
}

/** Starts TLS on a connection, as servers do after STARTTLS. */
export function upgradeToTls(
  socket: Socket,
  options: TlsOptions,
  talk: (secure: TLSSocket) => void,
): void {
  socket.removeAllListeners('data');
  const secure = new TLSSocket(socket, { isServer: true, ...options });
  secure.on('error', () => {});
  talk(secure);
}

/** Probes a service on 127.0.0.1, within 2 s by default. */
export async function probeService(
  port: number,
  service: ServiceRequest,
  { timeoutMs = 2000, host = '127.0.0.1' } = {},
): Promise<ServiceFinding> {
  const { outcome } = await probeTarget(
    { host, port },
    { timeoutMs, service },
    { skipWarmUp: true },
  );
  expect(outcome.state).toBe('open');
  const finding = outcome.state === 'open' ? outcome.service : null;
  if (finding === null) throw new Error('there is no finding about the service');
  return finding;
}

/** Expects a finding of this state and returns it with that type. */
export function expectFinding<S extends ServiceFinding['state']>(
  finding: ServiceFinding,
  state: S,
): Extract<ServiceFinding, { state: S }> {
  expect(finding).toMatchObject({ state });
  return finding as Extract<ServiceFinding, { state: S }>;
}
