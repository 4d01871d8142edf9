import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DropArgument, Socket } from 'node:net';
import { formatHostPort } from '../core/target/target.js';
import { EXPOSITION_TYPE, renderMetrics } from '../report/formats/prometheus.js';
import { roundMilliseconds } from '../report/numbers.js';
import type { AllowList } from './access/allow-list.js';
import { Refusal, type RefusalReason } from './access/refusal.js';
import { type Answer, PLAIN_TEXT, toLine } from './answer.js';
import type { Log } from './log.js';
import { LANDING_HEADERS, landingPage } from './pages/landing-page.js';
import type { OwnMetrics } from './pages/own-metrics.js';
import { RecentResults, resultOf } from './pages/recent-results.js';
import { MOST_ADDRESSES, type Prober } from './probe-handler.js';
import { LIMITS } from './server-limits.js';

/** What answers are made from. */
export interface ResponderParts {
  readonly prober: Prober;
  readonly allow: AllowList;
  readonly metrics: OwnMetrics;
  readonly log: Log;
  readonly version: string;
}

const ALLOWED_METHODS = 'GET, HEAD';

/** The refusal of any method but GET and HEAD. */
export const methodRefusal = (method: string): Refusal =>
  new Refusal('bad-method', `${method} is not allowed; allowed: ${ALLOWED_METHODS}`);

/** Headers that a refusal has beside its text (RFC 9110, 15.5.6 and 10.2.3). */
const REFUSAL_HEADERS: Partial<Record<RefusalReason, Readonly<Record<string, string>>>> = {
  'bad-method': { Allow: ALLOWED_METHODS },
  busy: { 'Retry-After': '1' },
};

/** The client of a connection, as the log names it. */
export const clientOf = ({ remoteAddress, remotePort }: Socket | DropArgument): string =>
  formatHostPort(remoteAddress ?? '', remotePort ?? 0);

/** What HTTP/1.1 requires of headers (RFC 9112, 3.2; RFC 9110, 10.1.1). */
function checkHeaders({ httpVersion, headers, headersDistinct }: IncomingMessage): void {
  const { host, expect } = headers;
  if ((headersDistinct['host']?.length ?? 0) > 1)
    throw new Refusal('bad-request', 'the request has more than one Host header');
  if (httpVersion !== '1.1') return;
  if (host === undefined) throw new Refusal('bad-request', 'the request has no Host header');
  // Node has already sent `100 Continue` where that is expected.
  if (expect !== undefined && !/\b100-continue\b/i.test(expect))
    throw new Refusal('bad-expectation', `Expect: ${expect} cannot be met; allowed: 100-continue`);
}

/** Path and query of a URL, which may have an origin, as for a proxy (RFC 9112, 3.2.2). */
function splitUrl(url: string): { readonly path: string; readonly query: string } {
  const [, rest = url] = /^https?:\/\/[^/?]*(.*)$/is.exec(url) ?? [];
  const mark = rest.indexOf('?');
  const path = mark < 0 ? rest : rest.slice(0, mark);
  return { path: path || '/', query: mark < 0 ? '' : rest.slice(mark + 1) };
}

const leftOutNote = (count: number): string =>
  count === 0
    ? ''
    : `# ${count} more ${count === 1 ? 'address' : 'addresses'} of this name ` +
      `${count === 1 ? 'was' : 'were'} not probed: not allowed, or beyond ${MOST_ADDRESSES}.\n`;

/** Answers requests: the pages, and a refusal in one line of text for everything else. */
export class Responder {
  readonly #parts: ResponderParts;
  readonly #recent = new RecentResults();

  constructor(parts: ResponderParts) {
    this.#parts = parts;
  }

  /**
   * Answers a request. Never rejects.
   *
   * @param signal aborts when the client is gone
   */
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
      answer = this.#answerError(error, request);
    }
    if (signal.aborted) return;
    // The body of a request is not read: the connection is closed instead.
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

  /** Counts and logs a refusal. */
  recordRefusal({ reason, message }: Refusal, client: string): void {
    this.#parts.metrics.countRefusal(reason);
    this.#parts.log('refused', { reason, client, message });
  }

  async #route(request: IncomingMessage, signal: AbortSignal): Promise<Answer> {
    const { metrics, allow, version } = this.#parts;
    const { method = '', url = '' } = request;
    checkHeaders(request);
    if (method !== 'GET' && method !== 'HEAD') throw methodRefusal(method);
    if (url.length > LIMITS.urlCharacters)
      throw new Refusal(
        'too-long',
        `the URL has ${url.length} characters; allowed: ${LIMITS.urlCharacters}`,
      );
    const { path, query } = splitUrl(url);
    switch (path) {
      case '/probe':
        return this.#probe(new URLSearchParams(query), request, signal);
      case '/metrics': {
        const headers = { 'Content-Type': metrics.contentType };
        return { status: 200, headers, body: await metrics.render() };
      }
      case '/-/healthy':
        return { status: 200, headers: PLAIN_TEXT, body: 'portping-exporter is healthy.\n' };
      case '/': {
        const body = landingPage(version, allow, this.#recent.all);
        return { status: 200, headers: LANDING_HEADERS, body };
      }
      default:
        throw new Refusal(
          'not-found',
          `there is no page ${path}; ` +
            'allowed: /probe?target=host:port, /metrics, /-/healthy and /',
        );
    }
  }

  async #probe(
    parameters: URLSearchParams,
    { headers, socket }: IncomingMessage,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { prober, metrics, log } = this.#parts;
    const client = clientOf(socket);
    const scrapeTimeout = headers['x-prometheus-scrape-timeout-seconds']?.toString();
    const { probes, leftOut, elapsedMs } = await prober.probe(parameters, scrapeTimeout, signal);
    metrics.countProbes(
      probes.map(({ report }) => report.outcome.state),
      elapsedMs,
    );
    for (const probe of probes) {
      const result = resultOf(probe);
      if (!signal.aborted) this.#recent.add(result);
      const { target, address, state, reason } = result;
      log('probe', {
        client,
        target,
        address,
        state,
        reason,
        elapsedMs: roundMilliseconds(result.elapsedMs),
        ...(leftOut > 0 ? { leftOut } : {}),
      });
    }
    return {
      status: 200,
      headers: { 'Content-Type': EXPOSITION_TYPE, 'Cache-Control': 'no-store' },
      body: `${renderMetrics(probes)}${leftOutNote(leftOut)}`,
    };
  }

  #answerError(error: unknown, { socket }: IncomingMessage): Answer {
    if (!(error instanceof Refusal)) {
      this.#parts.log('error', { message: error instanceof Error ? error.message : String(error) });
      return { status: 500, headers: PLAIN_TEXT, body: 'internal error; see the log\n' };
    }
    this.recordRefusal(error, clientOf(socket));
    return {
      status: error.status,
      headers: { ...PLAIN_TEXT, ...REFUSAL_HEADERS[error.reason] },
      body: toLine(error.message),
    };
  }
}
