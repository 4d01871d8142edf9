import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { formatHostPort } from '../core/target/target.js';
import { escapeControls } from '../report/escape.js';
import { roundMilliseconds } from '../report/numbers.js';
import { EXPOSITION_TYPE, renderMetrics } from '../report/formats/prometheus.js';
import type { AllowList } from './access/allow-list.js';
import { Connections } from './connections.js';
import { LANDING_HEADERS, landingPage } from './pages/landing-page.js';
import type { Log } from './log.js';
import type { OwnMetrics } from './pages/own-metrics.js';
import type { Prober } from './probe-handler.js';
import { RecentResults, resultOf } from './pages/recent-results.js';
import { Refusal, REFUSALS, type RefusalReason } from './access/refusal.js';

/** Bounds of what a client may take, whatever it does. Milliseconds and bytes. */
const LIMITS = {
  /** Of the request line and the headers together. */
  headerBytes: 8192,
  /** Of the path and the parameters. A host name has at most 253 characters. */
  urlCharacters: 2048,
  /** For the headers to arrive, and for the whole request. */
  headersMs: 5000,
  requestMs: 10_000,
  /** How long a connection is kept for the next scrape; most intervals are up to a minute. */
  keepAliveMs: 65_000,
  /** A connection on which nothing moves at all, the client not even taking its answer. */
  idleMs: 180_000,
  /** Connections beyond those that probes are made for. */
  spareConnections: 256,
  /** Connections beyond all of those, each for the moment that it takes to refuse it. */
  refusedConnections: 256,
  /** Requests on one connection that wait for their answers. Scrapers send one after the other. */
  pipelined: 16,
  /** How long a client that was cut off may take to read why. */
  lingerMs: 1000,
} as const;

/** How long connections without a request may stay when the exporter ends, milliseconds. */
const FAREWELL_MS = 1000;

/** How long after the longest probe its answer may take, when the exporter ends, milliseconds. */
const LAST_ANSWER_MS = 2000;

/** What the server is made of. */
export interface ServerParts {
  readonly prober: Prober;
  readonly allow: AllowList;
  readonly metrics: OwnMetrics;
  readonly log: Log;
  readonly version: string;
  readonly concurrency: number;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const PLAIN = { 'Content-Type': 'text/plain; charset=utf-8' } as const;

const clientOf = (socket: Socket): string =>
  formatHostPort(socket.remoteAddress ?? '', socket.remotePort ?? 0);

const lineOf = (text: string): string => `${escapeControls(text)}\n`;

/** A URL with scheme and host, as for a proxy: a server must take it, too (RFC 9112, 3.2.2). */
const ABSOLUTE_FORM = /^https?:\/\/[^/?]*(.*)$/is;

/** What HTTP/1.1 asks of headers (RFC 9112, 3.2; RFC 9110, 10.1.1); Node has sent `100 Continue` where that is expected. */
function checkHeaders({
  httpVersion,
  headers: { host, expect },
  headersDistinct,
}: IncomingMessage): void {
  if ((headersDistinct['host']?.length ?? 0) > 1)
    throw new Refusal('bad-request', 'the request has more than one Host header');
  if (httpVersion !== '1.1') return;
  if (host === undefined) throw new Refusal('bad-request', 'the request has no Host header');
  if (expect !== undefined && !/\b100-continue\b/i.test(expect))
    throw new Refusal('bad-expectation', `Expect: ${expect} cannot be met; allowed: 100-continue`);
}

/** Answers requests: the pages, and a refusal in one plain line for everything else. */
class Responder {
  readonly #parts: ServerParts;
  readonly #recent = new RecentResults();

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /** @param signal tells that nobody waits for the answer any more */
  async answer(
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> {
    const { log } = this.#parts;
    let answer: Answer;
    try {
      answer = await this.#route(request, signal);
    } catch (error) {
      answer = this.#refuse(error, request);
    }
    if (signal.aborted) return;
    // A body that nobody asked for is not read: the connection ends instead.
    const hasBody =
      request.headers['transfer-encoding'] !== undefined ||
      (request.headers['content-length'] ?? '0') !== '0';
    response.on('error', (error) => log('error', { message: error.message }));
    response.writeHead(answer.status, {
      'X-Content-Type-Options': 'nosniff',
      ...answer.headers,
      'Content-Length': Buffer.byteLength(answer.body),
      ...(hasBody ? { Connection: 'close' } : {}),
    });
    response.end(answer.body);
  }

  /** Counts and logs a request that is not answered with what it asked for. */
  note(reason: RefusalReason, client: string, message: string): void {
    this.#parts.metrics.countRefusal(reason);
    this.#parts.log('refused', { reason, client, message });
  }

  async #route(request: IncomingMessage, signal: AbortSignal): Promise<Answer> {
    const { metrics, allow, version } = this.#parts;
    const { method = '', url = '', headers, socket } = request;
    checkHeaders(request);
    if (method !== 'GET' && method !== 'HEAD')
      throw new Refusal('bad-method', `${method} is not allowed; allowed: GET, HEAD`);
    if (url.length > LIMITS.urlCharacters)
      throw new Refusal(
        'too-long',
        `the URL has ${url.length} characters; allowed: ${LIMITS.urlCharacters}`,
      );
    const [path = '', query = ''] = url
      .replace(ABSOLUTE_FORM, (_origin, rest: string) => (rest.startsWith('/') ? rest : `/${rest}`))
      .split(/\?(.*)/s);
    switch (path) {
      case '/probe':
        return this.#probe(
          new URLSearchParams(query),
          headers['x-prometheus-scrape-timeout-seconds'],
          clientOf(socket),
          signal,
        );
      case '/metrics':
        return {
          status: 200,
          headers: { 'Content-Type': metrics.contentType },
          body: await metrics.render(),
        };
      case '/-/healthy':
        return { status: 200, headers: PLAIN, body: 'portping-exporter is healthy.\n' };
      case '/':
        return {
          status: 200,
          headers: LANDING_HEADERS,
          body: landingPage(version, allow, this.#recent.all),
        };
      default:
        throw new Refusal(
          'not-found',
          `there is no ${path}; there are /probe?target=host:port, /metrics, /-/healthy and /`,
        );
    }
  }

  async #probe(
    parameters: URLSearchParams,
    scrapeTimeout: string | string[] | undefined,
    client: string,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { prober, metrics, log } = this.#parts;
    const { probes, leftOut, elapsedMs } = await prober.probe(
      parameters,
      scrapeTimeout?.toString(),
      signal,
    );
    metrics.countProbes(
      probes.map(({ report }) => report.outcome.state),
      elapsedMs,
    );
    for (const probe of probes) {
      const result = resultOf(probe);
      if (!signal.aborted) this.#recent.add(result);
      const { target, address, state, reason, elapsedMs: tookMs } = result;
      log('probe', {
        client,
        target,
        address,
        state,
        reason,
        elapsedMs: roundMilliseconds(tookMs),
        ...(leftOut > 0 ? { leftOut } : {}),
      });
    }
    const note =
      leftOut > 0
        ? `# ${leftOut} more ${leftOut === 1 ? 'address of the name was' : 'addresses of the name were'} left alone: not allowed here, or too many.\n`
        : '';
    return {
      status: 200,
      headers: { 'Content-Type': EXPOSITION_TYPE, 'Cache-Control': 'no-store' },
      body: `${renderMetrics(probes)}${note}`,
    };
  }

  #refuse(error: unknown, { socket }: IncomingMessage): Answer {
    if (!(error instanceof Refusal)) {
      this.#parts.log('error', { message: error instanceof Error ? error.message : String(error) });
      return { status: 500, headers: PLAIN, body: 'internal error; the log has more\n' };
    }
    const { reason, message, status } = error;
    this.note(reason, clientOf(socket), message);
    const more: Record<string, string> =
      reason === 'bad-method'
        ? { Allow: 'GET, HEAD' }
        : reason === 'busy'
          ? { 'Retry-After': '1' }
          : {};
    return { status, headers: { ...PLAIN, ...more }, body: lineOf(message) };
  }
}

/** Ends a connection that has no request to answer, and says why. */
function endConnection(
  socket: Socket,
  reason: RefusalReason,
  message: string,
  responder: Responder,
): void {
  responder.note(reason, clientOf(socket), message);
  const status = REFUSALS[reason];
  const body = lineOf(message);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: ${PLAIN['Content-Type']}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const linger = setTimeout(() => socket.destroy(), LIMITS.lingerMs).unref();
  socket.once('close', () => clearTimeout(linger)); // it would keep all of the connection from being forgotten
}

/** Refuses what is not even a request: headers without end, a client that takes too long, bytes that are not HTTP. */
function refuseConnection(
  error: NodeJS.ErrnoException,
  socket: Socket,
  responder: Responder,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return endConnection(
        socket,
        'headers-too-long',
        `the URL and the headers are too long; allowed: ${LIMITS.headerBytes} bytes`,
        responder,
      );
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return endConnection(socket, 'slow', 'the request took too long to arrive', responder);
    default:
      return endConnection(socket, 'bad-request', 'this is not an HTTP request', responder);
  }
}

/** The exporter's HTTP server, not yet listening. */
export interface ExporterServer {
  readonly server: Server;
  /** Takes no more connections, answers what is in flight, and ends: at the latest when the longest probe must have been answered. */
  stop(): Promise<void>;
}

/** Makes the HTTP server. */
export function createExporterServer(parts: ServerParts): ExporterServer {
  const responder = new Responder(parts);
  const connections = new Connections();
  const end = (socket: Socket, reason: RefusalReason, message: string): void => {
    connections.drop(socket);
    endConnection(socket, reason, message, responder);
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    const unanswered = connections.unanswered(socket);
    if (unanswered === null) return; // it was refused, and ends
    if (unanswered < LIMITS.pipelined)
      return void responder.answer(request, response, connections.expect(socket, response));
    socket.pause(); // nothing more of it is read
    end(socket, 'pipelined', `more than ${LIMITS.pipelined} requests at once on one connection`);
  };
  const server = createServer(
    {
      maxHeaderSize: LIMITS.headerBytes,
      headersTimeout: LIMITS.headersMs,
      requestTimeout: LIMITS.requestMs,
      keepAliveTimeout: LIMITS.keepAliveMs,
      connectionsCheckingInterval: 1000,
      requireHostHeader: false, // Node would refuse without a word
    },
    answer,
  );
  server.on('checkExpectation', answer);
  const mostConnections = parts.concurrency + LIMITS.spareConnections;
  const tooMany = `more than ${mostConnections} connections`;
  server.on('connection', (socket) => {
    connections.add(socket);
    if (connections.size > mostConnections) connections.closeKept();
    if (connections.size > mostConnections)
      end(
        socket.on('error', () => {}),
        'too-many-connections',
        tooMany,
      );
  });
  server.maxConnections = mostConnections + LIMITS.refusedConnections;
  server.on('drop', (data) =>
    responder.note(
      'too-many-connections',
      formatHostPort(data?.remoteAddress ?? '', data?.remotePort ?? 0),
      tooMany,
    ),
  );
  server.setTimeout(LIMITS.idleMs);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!connections.drop(socket as Socket)) return; // more of the same: it is taken off the wire, so that the client can read the answer
    refuseConnection(error, socket as Socket, responder);
  });
  server.on('connect', (_request, socket) =>
    end(
      socket.on('error', () => {}) as Socket,
      'bad-method',
      'CONNECT is not allowed; allowed: GET, HEAD',
    ),
  );
  return {
    server,
    stop: () =>
      new Promise((resolve) => {
        connections.endWhenAnswered();
        NetServer.prototype.close.call(server, () => resolve()); // that of HTTP calls closeIdleConnections() (see closeKept)
        connections.closeKept();
        // Who has connected and said nothing yet gets a moment to do so; then only those in flight are waited for, and not for ever.
        setTimeout(() => {
          connections.closeSilent();
          setTimeout(
            () => server.closeAllConnections(),
            parts.prober.longestLeftMs + LAST_ANSWER_MS,
          );
        }, FAREWELL_MS);
      }),
  };
}
