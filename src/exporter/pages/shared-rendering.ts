import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../core/clock.js';

/** After a rendering, this many times its duration passes until the next one starts. */
const PAUSE_FACTOR = 9;

/** Answers that are given before other connections get their turn. */
const ANSWERS_A_TURN = 20;

interface Waiter {
  readonly signal: AbortSignal;
  readonly resolve: (bytes: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A text that is expensive to render and the same for everyone. All who wait for it share one
 * rendering, which starts after they asked; if all are gone, there is none. So a flood of requests
 * takes a tenth of the time of the process at most.
 */
export class SharedRendering {
  readonly #render: () => string | Promise<string>;
  #waiting: Waiter[] = [];
  #isRunning = false;

  /** @param render renders the text as it is now */
  constructor(render: () => string | Promise<string>) {
    this.#render = render;
  }

  /**
   * The text, rendered after this call. Never settles when the client is gone earlier.
   *
   * @param signal aborts when the client is gone
   */
  get(signal: AbortSignal): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ signal, resolve, reject });
      if (this.#isRunning) return;
      this.#isRunning = true;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    for (;;) {
      await nextTurn(); // until all requests that have arrived are read
      const waiting = this.#waiting.filter(({ signal }) => !signal.aborted);
      this.#waiting = [];
      if (waiting.length === 0) break;
      const startMs = monotonicClock();
      const rendered = await this.#renderOnce();
      const pauseMs = PAUSE_FACTOR * (monotonicClock() - startMs);
      for (const [index, { signal, resolve, reject }] of waiting.entries()) {
        if (index % ANSWERS_A_TURN === ANSWERS_A_TURN - 1) await nextTurn();
        if (signal.aborted) continue;
        if (rendered instanceof Buffer) resolve(rendered);
        else reject(rendered);
      }
      await sleep(pauseMs);
    }
    this.#isRunning = false;
  }

  async #renderOnce(): Promise<Buffer | Error> {
    try {
      return Buffer.from(await this.#render());
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
