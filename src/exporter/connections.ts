import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections of the exporter and the unanswered requests on each.
 *
 * Requests are aborted when their socket closes. Node emits `close` only on the response at the
 * head of a connection, so pipelined ones would never notice.
 */
export class Connections {
  readonly #unanswered = new Map<Socket, Map<ServerResponse, AbortController>>();
  /** Connections on which at least one answer was sent. */
  readonly #kept = new WeakSet<Socket>();
  #isEnding = false;

  /** How many connections are open and not dropped. */
  get size(): number {
    return this.#unanswered.size;
  }

  /** Starts to track a connection. */
  add(socket: Socket): void {
    this.#unanswered.set(socket, new Map());
    socket.once('close', () => this.drop(socket));
  }

  /**
   * Aborts all requests on a connection and ignores further ones.
   *
   * @returns false when it was dropped before
   */
  drop(socket: Socket): boolean {
    for (const gone of this.#unanswered.get(socket)?.values() ?? []) gone.abort();
    return this.#unanswered.delete(socket);
  }

  /** The number of unanswered requests on a connection; null when it was dropped. */
  unanswered(socket: Socket): number | null {
    return this.#unanswered.get(socket)?.size ?? null;
  }

  /** Tracks a request. The signal aborts when the client is gone or the answer is sent. */
  expect(socket: Socket, response: ServerResponse): AbortSignal {
    const gone = new AbortController();
    const unanswered = this.#unanswered.get(socket);
    unanswered?.set(response, gone);
    response.once('close', () => {
      unanswered?.delete(response);
      this.#kept.add(socket);
      gone.abort();
      if (this.#isEnding && unanswered?.size === 0) socket.destroySoon();
    });
    return gone.signal;
  }

  /** From now on, closes each connection after its last answer. */
  endWhenAnswered(): void {
    this.#isEnding = true;
  }

  /**
   * Closes the connections that wait for their next request. Unlike Node's
   * `closeIdleConnections()` (since 26) it spares new ones, whose first request may be under way.
   */
  closeKept(): void {
    for (const [socket, unanswered] of this.#unanswered) {
      if (unanswered.size > 0 || !this.#kept.has(socket)) continue;
      this.drop(socket); // `close` is emitted only later
      socket.destroy();
    }
  }

  /** Closes the connections without an unanswered request. */
  closeSilent(): void {
    for (const [socket, unanswered] of this.#unanswered)
      if (unanswered.size === 0) socket.destroy();
  }
}
