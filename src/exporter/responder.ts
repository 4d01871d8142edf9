import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DropArgument, Socket } from 'node:net';
import { formatHostPort } from '../core/target/target.js';
import type { BrowserGuard } from './access/browser-guard.js';
import { Refusal } from './access/refusal.js';
import { type Answer, PLAIN_TEXT, toLine } from './pages/answer.js';
import { makePages } from './pages/page-table.js';
import type { Page, PageParts } from './pages/page.js';
import { RecentResults } from './pages/recent-results.js';
import { LIMITS } from './server-limits.js';
import type { PasswordCheck } from './web/password-check.js';
import type { WebSettings } from './web/web-settings.js';

/** What answers are made from. */
export interface ResponderParts extends Omit<PageParts, 'recent'> {
  readonly guard: BrowserGuard;
  readonly web: WebSettings;
  readonly passwords: PasswordCheck;
}

const READING_METHODS: readonly string[] = ['GET', 'HEAD'];

/** The refusal of a method that a page does not have. */
export const methodRefusal = (method: string, allowed = READING_METHODS): Refusal =>
  new Refusal('bad-method', `${method} is not allowed; allowed: ${allowed.join(', ')}`, {
    Allow: allowed.join(', '),
  });

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

/** The parts of a URL, which may have an authority, as for a proxy (RFC 9112, 3.2.2). */
function splitUrl(url: string): {
  readonly authority: string | undefined;
  readonly path: string;
  readonly query: string;
} {
  const [, authority, rest = url] = /^https?:\/\/([^/?]*)(.*)$/is.exec(url) ?? [];
  const mark = rest.indexOf('?');
  const path = mark < 0 ? rest : rest.slice(0, mark);
  return { authority, path: path || '/', query: mark < 0 ? '' : rest.slice(mark + 1) };
}

/** Answers requests: the pages, and a refusal in one line of text for everything else. */
export class Responder {
  readonly #parts: ResponderParts;
  readonly #pages: ReadonlyMap<string, Page>;

  constructor(parts: ResponderParts) {
    this.#parts = parts;
    this.#pages = makePages({ ...parts, recent: new RecentResults() });
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
    const { method = '', url = '', headers, socket } = request;
    checkHeaders(request);
    if (url.length > LIMITS.urlCharacters)
      throw new Refusal(
        'too-long',
        `the URL has ${url.length} characters; allowed: ${LIMITS.urlCharacters}`,
      );
    const { authority = headers.host, path, query } = splitUrl(url);
    const page = this.#pages.get(path);
    const { methods = READING_METHODS } = page ?? {};
    if (!methods.includes(method)) throw methodRefusal(method, methods);
    const { guard, web, passwords } = this.#parts;
    guard.checkHost({ authority, headers });
    guard.checkSite({ authority, headers }, page?.hasEffects ?? false);
    await passwords.check(web.config.users, headers.authorization, signal);
    if (page === undefined)
      throw new Refusal(
        'not-found',
        `there is no page ${path}; allowed: ${[...this.#pages.keys()].join(', ')}`,
      );
    return page.answer({
      parameters: new URLSearchParams(query),
      headers,
      client: clientOf(socket),
      signal,
    });
  }

  #answerError(error: unknown, { socket }: IncomingMessage): Answer {
    if (!(error instanceof Refusal)) {
      this.#parts.log('error', { message: error instanceof Error ? error.message : String(error) });
      return { status: 500, headers: PLAIN_TEXT, body: 'internal error; see the log\n' };
    }
    this.recordRefusal(error, clientOf(socket));
    return {
      status: error.status,
      headers: { ...PLAIN_TEXT, ...error.headers },
      body: toLine(error.message),
    };
  }
}
