import type { Socket } from 'node:net';

/**
 * Starts one request of a connection in a turn of the event loop. So a connection that sends many
 * at once delays the others little.
 */
export class Turns {
  /** The requests to be started, of each connection that has sent one in this turn. */
  readonly #waiting = new Map<Socket, (() => void)[]>();

  /** Starts a request: at once if it is the first of its connection in this turn. */
  start(socket: Socket, request: () => void): void {
    const waiting = this.#waiting.get(socket);
    if (waiting) return void waiting.push(request);
    if (this.#waiting.size === 0) setImmediate(() => this.#turn());
    this.#waiting.set(socket, []);
    request();
  }

  #turn(): void {
    for (const [socket, waiting] of this.#waiting) {
      const request = waiting.shift();
      if (request) request();
      else this.#waiting.delete(socket);
    }
    if (this.#waiting.size > 0) setImmediate(() => this.#turn());
  }
}
