import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { PLAIN_TEXT, toLine } from './pages/answer.js';
import { Refusal } from './access/refusal.js';
import { LIMITS } from './server-limits.js';

/** Answers a connection with a refusal, without a request, and closes it. */
export function closeWithRefusal(socket: Socket, { status, message }: Refusal): void {
  const body = toLine(message);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    `Content-Type: ${PLAIN_TEXT['Content-Type']}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const linger = setTimeout(() => socket.destroy(), LIMITS.lingerMs).unref();
  // The timer would keep the socket in memory.
  socket.once('close', () => clearTimeout(linger));
}

/** The refusal for an error of Node's HTTP parser; null when the client cannot read one. */
export function refusalOfClientError(
  { code }: NodeJS.ErrnoException,
  socket: Socket,
): Refusal | null {
  if (code === 'ECONNRESET' || !socket.writable) return null;
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Refusal(
      'headers-too-long',
      `the URL and the headers are too long; allowed: ${LIMITS.headerBytes} bytes`,
    );
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Refusal(
      'slow',
      `the request took too long to arrive; allowed: ${LIMITS.requestMs / 1000} s, ` +
        `${LIMITS.headersMs / 1000} s for its headers`,
    );
  return new Refusal('bad-request', 'this is not an HTTP request');
}
