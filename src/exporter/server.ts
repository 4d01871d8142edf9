import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import { type DropArgument, Server as NetServer, type Socket } from 'node:net';
import { Refusal } from './access/refusal.js';
import { closeWithRefusal, refusalOfClientError } from './connection-refusals.js';
import { Connections } from './connections.js';
import { clientOf, methodRefusal, Responder, type ResponderParts } from './responder.js';
import { LIMITS } from './server-limits.js';
import { Turns } from './turns.js';
import { checkClientCertificate } from './web/client-certificate.js';
import type { WebConfig } from './web/web-config.js';
import type { WebSettings } from './web/web-settings.js';

/** What the server is made of. */
export interface ServerParts extends ResponderParts {
  /** Probes at once; decides how many connections are accepted. */
  readonly concurrency: number;
}

const OPTIONS: ServerOptions = {
  maxHeaderSize: LIMITS.headerBytes,
  headersTimeout: LIMITS.headersMs,
  requestTimeout: LIMITS.requestMs,
  keepAliveTimeout: LIMITS.keepAliveMs,
  connectionsCheckingInterval: 1000,
  requireHostHeader: false, // Node would refuse without a text
};

/** A server for HTTP or, if the web configuration says so, for HTTPS. */
function makeServer(web: WebSettings, answer: RequestListener): Server | TlsServer {
  const { tls } = web.config;
  if (tls === null) return createServer(OPTIONS, answer);
  const server = createTlsServer(
    // What a client shows is checked later, so that it can read why it is refused.
    { ...OPTIONS, ...tls.context, handshakeTimeout: LIMITS.headersMs, rejectUnauthorized: false },
    answer,
  );
  const apply = ({ tls: now }: WebConfig): void => {
    if (now === null) return;
    server.setSecureContext(now.context);
    // Node reads it for each connection; setSecureContext() does not set it.
    Object.assign(server, { requestCert: now.client.requested });
  };
  apply(web.config);
  web.onChange(apply);
  return server;
}

/** The exporter's HTTP server. It does not listen yet when it is made. */
export class ExporterServer {
  readonly server: Server | TlsServer;
  readonly #web: WebSettings;
  readonly #prober: ServerParts['prober'];
  readonly #responder: Responder;
  readonly #connections = new Connections();
  readonly #turns = new Turns();
  readonly #maxConnections: number;

  constructor(parts: ServerParts) {
    this.#prober = parts.prober;
    this.#web = parts.web;
    this.#responder = new Responder(parts);
    this.#maxConnections = parts.concurrency + LIMITS.spareConnections;
    const answer = (request: IncomingMessage, response: ServerResponse): void =>
      this.#answer(request, response);
    this.server = makeServer(parts.web, answer);
    this.server.on('checkExpectation', answer);
    this.server.setTimeout(LIMITS.idleMs);
    this.server.maxConnections = this.#maxConnections + LIMITS.refusedConnections;
    this.#limitConnections();
    this.#refuseNonRequests();
  }

  /**
   * Accepts no more connections, answers what is in flight, and resolves when all are closed: at
   * the latest `LIMITS.farewellMs` and `LIMITS.lastAnswerMs` after the longest probe.
   */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#connections.endWhenAnswered();
      // The method of HTTP servers would call closeIdleConnections() (see closeKept).
      NetServer.prototype.close.call(this.server, () => resolve());
      this.#connections.closeKept();
      setTimeout(() => {
        this.#connections.closeSilent();
        const longestMs = this.#prober.longestLeftMs + LIMITS.lastAnswerMs;
        setTimeout(() => this.server.closeAllConnections(), longestMs);
      }, LIMITS.farewellMs);
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const unanswered = this.#connections.unanswered(socket);
    if (unanswered === null) return; // dropped: its refusal is being sent
    if (unanswered < LIMITS.pipelined) {
      const signal = this.#connections.expect(socket, response);
      this.#turns.start(socket, () => {
        if (!signal.aborted) void this.#responder.answer(request, response, signal);
      });
      return;
    }
    socket.pause();
    this.#refuse(
      socket,
      new Refusal(
        'pipelined',
        `too many unanswered requests on one connection; allowed: ${LIMITS.pipelined}`,
      ),
    );
  }

  /** Refuses a connection and closes it. */
  #refuse(socket: Socket, refusal: Refusal): void {
    this.#connections.drop(socket);
    this.#responder.recordRefusal(refusal, clientOf(socket));
    closeWithRefusal(socket, refusal);
  }

  #limitConnections(): void {
    const refusal = new Refusal(
      'too-many-connections',
      `too many connections; allowed: ${this.#maxConnections}`,
    );
    const accept = (socket: Socket): void => {
      this.#connections.add(socket);
      if (this.#connections.size <= this.#maxConnections) return;
      this.#connections.closeKept();
      if (this.#connections.size <= this.#maxConnections) return;
      socket.on('error', () => {});
      this.#refuse(socket, refusal);
    };
    if (this.server instanceof TlsServer) this.#acceptTls(this.server, accept);
    else this.server.on('connection', accept);
    // Node closes these itself.
    this.server.on('drop', (data: DropArgument | undefined) =>
      this.#responder.recordRefusal(refusal, clientOf(data ?? {})),
    );
  }

  /** Accepts a connection after its handshake, if the client's certificate is as it must be. */
  #acceptTls(server: TlsServer, accept: (socket: Socket) => void): void {
    server.on('secureConnection', (socket) => {
      accept(socket);
      const { tls } = this.#web.config;
      if (tls === null || this.#connections.unanswered(socket) === null) return;
      try {
        checkClientCertificate(socket, tls);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        socket.on('error', () => {});
        this.#refuse(socket, error);
      }
    });
    server.on('tlsClientError', ({ code, message }: NodeJS.ErrnoException, socket) => {
      if (code === 'ECONNRESET') return; // a port scan, or the check of a load balancer
      const refusal = new Refusal('bad-handshake', `the TLS handshake failed: ${code ?? message}`);
      this.#responder.recordRefusal(refusal, clientOf(socket));
    });
  }

  /** Refuses what Node's HTTP parser does not take for a request. */
  #refuseNonRequests(): void {
    // These sockets are TCP sockets: the server has no other ones.
    this.server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
      const socket = duplex as Socket;
      // Errors of later bytes: keep reading, so that the client can read the refusal.
      if (!this.#connections.drop(socket)) return;
      const refusal = refusalOfClientError(error, socket);
      if (refusal === null) socket.destroy();
      else this.#refuse(socket, refusal);
    });
    this.server.on('connect', (_request, duplex) => {
      duplex.on('error', () => {});
      this.#refuse(duplex as Socket, methodRefusal('CONNECT'));
    });
  }
}
