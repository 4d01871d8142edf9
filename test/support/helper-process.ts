import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * A helper script in a namespace. It writes one line of JSON when it is ready, and one for each
 * line on its stdin. It ends when its stdin ends, so it cannot outlive the tests.
 */
export class HelperProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<void>;
  #stderr = '';

  private constructor(child: ChildProcess) {
    if (!child.stdout || !child.stderr || !child.stdin)
      throw new TypeError('a helper process needs three pipes');
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()));
    child.stderr.on('data', (chunk) => (this.#stderr += chunk));
    child.stdin.on('error', () => {}); // if the script has ended, `#next` says why
    child.on('error', (error) => (this.#stderr += error.message));
  }

  /** Waits for the script's first line and parses it. Throws the script's stderr if none comes. */
  static async start<Ready>(child: ChildProcess): Promise<{ helper: HelperProcess; ready: Ready }> {
    const helper = new HelperProcess(child);
    return { helper, ready: (await helper.#next()) as Ready };
  }

  /** Sends a request and returns its answer. */
  async ask<Answer>(request: unknown): Promise<Answer> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return (await this.#next()) as Answer;
  }

  /** Kills the script and waits for its end. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async #next(): Promise<unknown> {
    const line = await this.#lines.next();
    if (!line.done) return JSON.parse(line.value);
    await this.#ended;
    throw new Error(
      `${this.#child.spawnargs.join(' ')} ended: ${this.#stderr.trim() || 'no message'}`,
    );
  }
}
