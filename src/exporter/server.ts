import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type DropArgument, Server as NetServer, type Socket } from 'node:net';
import { Refusal } from './access/refusal.js';
import { closeWithRefusal, refusalOfClientError } from './connection-refusals.js';
import { Connections } from './connections.js';
import { clientOf, methodRefusal, Responder, type ResponderParts } from './responder.js';
import { LIMITS } from './server-limits.js';
import { Turns } from './turns.js';

/** What the server is made of. */
export interface ServerParts extends ResponderParts {
  /** Probes at once; decides how many connections are accepted. */
  readonly concurrency: number;
}

/** The exporter's HTTP server. It does not listen yet when it is made. */
export class ExporterServer {
  readonly server: Server;
  readonly #prober: ServerParts['prober'];
  readonly #responder: Responder;
  readonly #connections = new Connections();
  readonly #turns = new Turns();
  readonly #maxConnections: number;

  constructor(parts: ServerParts) {
    this.#prober = parts.prober;
    this.#responder = new Responder(parts);
    this.#maxConnections = parts.concurrency + LIMITS.spareConnections;
    const answer = (request: IncomingMessage, response: ServerResponse): void =>
      this.#answer(request, response);
    this.server = createServer(
      {
        maxHeaderSize: LIMITS.headerBytes,
        headersTimeout: LIMITS.headersMs,
        requestTimeout: LIMITS.requestMs,
        keepAliveTimeout: LIMITS.keepAliveMs,
        connectionsCheckingInterval: 1000,
        requireHostHeader: false, // Node would refuse without a text
      },
      answer,
    );
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
    this.server.on('connection', (socket) => {
      this.#connections.add(socket);
      if (this.#connections.size <= this.#maxConnections) return;
      this.#connections.closeKept();
      if (this.#connections.size <= this.#maxConnections) return;
      socket.on('error', () => {});
      this.#refuse(socket, refusal);
    });
    // Node closes these itself.
    this.server.on('drop', (data: DropArgument | undefined) =>
      this.#responder.recordRefusal(refusal, clientOf(data ?? {})),
    );
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
