import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections of the exporter, and what is not yet answered on each. An answer that waits behind another one on its connection hears nothing when
 * that connection ends (Node tells only the one in front), so the end of the socket counts: with one listener a socket, however many requests it sends.
 */
export class Connections {
  readonly #unanswered = new Map<Socket, Map<ServerResponse, AbortController>>();
  /** Those that have had an answer. */
  readonly #kept = new WeakSet<Socket>();
  #ending = false;

  get size(): number {
    return this.#unanswered.size;
  }

  add(socket: Socket): void {
    this.#unanswered.set(socket, new Map());
    socket.once('close', () => this.drop(socket));
  }

  /** Gives up all that is unanswered on a connection, and what may still come. False when that has been done before. */
  drop(socket: Socket): boolean {
    for (const gone of this.#unanswered.get(socket)?.values() ?? []) gone.abort();
    return this.#unanswered.delete(socket);
  }

  /** How many requests wait for their answers on a connection; null when it was given up. */
  unanswered(socket: Socket): number | null {
    return this.#unanswered.get(socket)?.size ?? null;
  }

  /** Notes a request. The signal tells that nobody waits for its answer any more. */
  expect(socket: Socket, response: ServerResponse): AbortSignal {
    const gone = new AbortController();
    const unanswered = this.#unanswered.get(socket);
    unanswered?.set(response, gone);
    response.once('close', () => {
      unanswered?.delete(response);
      this.#kept.add(socket);
      gone.abort();
      if (this.#ending && unanswered?.size === 0) socket.destroySoon();
    });
    return gone.signal;
  }

  /** From now on a connection ends when its last answer is on its way. */
  endWhenAnswered(): void {
    this.#ending = true;
  }

  /** Ends the connections that have had an answer and are only kept for the next request. (Node's closeIdleConnections() takes new ones for such, since 26.) */
  closeKept(): void {
    for (const [socket, unanswered] of this.#unanswered) {
      if (unanswered.size > 0 || !this.#kept.has(socket)) continue;
      this.drop(socket); // its end is told only a moment later
      socket.destroy();
    }
  }

  /** Ends the connections on which no answer is waited for. */
  closeSilent(): void {
    for (const [socket, unanswered] of this.#unanswered)
      if (unanswered.size === 0) socket.destroy();
  }
}
