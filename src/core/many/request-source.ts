import type { TargetRequest } from '../target/target-list.js';
import { UsageError } from '../usage-error.js';

/** Requests one by one from an iterable, which may be asynchronous and endless. */
export class RequestSource {
  readonly #iterator: Iterator<TargetRequest> | AsyncIterator<TargetRequest>;
  readonly #isAsync: boolean;
  readonly #onArrival: () => void;
  #arrived: TargetRequest | undefined;
  #isAsking = false;
  /** No request follows. */
  isDone = false;
  /** The error that ended the iteration; requests before it are still probed. */
  error: { readonly cause: unknown } | undefined;

  /** @param onArrival called when {@link next} is worth another call */
  constructor(
    requests: Iterable<TargetRequest> | AsyncIterable<TargetRequest>,
    onArrival: () => void,
  ) {
    this.#isAsync = Symbol.asyncIterator in requests;
    this.#iterator =
      Symbol.asyncIterator in requests
        ? requests[Symbol.asyncIterator]()
        : requests[Symbol.iterator]();
    this.#onArrival = onArrival;
  }

  /** The next request, or undefined when none has arrived or none follows (`isDone`). */
  next(): TargetRequest | undefined {
    if (this.#arrived === undefined && !this.#isAsking && !this.isDone) this.#ask();
    const request = this.#arrived;
    this.#arrived = undefined;
    return request;
  }

  /** Puts the latest request back. */
  putBack(request: TargetRequest): void {
    this.#arrived = request;
  }

  /** Ends the iteration. */
  async close(): Promise<void> {
    if (this.isDone) return;
    const closed = this.#iterator.return?.();
    // A generator that waits for its own next item ends only after that: do not wait for it.
    if (this.#isAsking) void Promise.resolve(closed).catch(() => {});
    else await closed;
  }

  #ask(): void {
    let answer: IteratorResult<TargetRequest> | PromiseLike<IteratorResult<TargetRequest>>;
    try {
      answer = this.#iterator.next();
    } catch (cause) {
      return this.#fail(cause);
    }
    if (!this.#isAsync) return this.#accept(answer as IteratorResult<TargetRequest>);
    this.#isAsking = true;
    const arrive = (take: () => void): void => {
      take();
      this.#isAsking = false;
      this.#onArrival();
    };
    Promise.resolve(answer).then(
      (result) => arrive(() => this.#accept(result)),
      (cause: unknown) => arrive(() => this.#fail(cause)),
    );
  }

  #fail(cause: unknown): void {
    this.isDone = true;
    this.error = { cause };
  }

  #accept(result: IteratorResult<TargetRequest> | undefined): void {
    if (result?.done) {
      this.isDone = true;
      return;
    }
    const request: unknown = result?.value;
    if (typeof request === 'object' && request !== null) this.#arrived = request as TargetRequest;
    else
      this.#fail(
        new UsageError(
          `requests: ${String(request)} is not a request; allowed: { target: { host, port } }`,
        ),
      );
  }
}
