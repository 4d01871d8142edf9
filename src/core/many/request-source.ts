import type { TargetRequest } from '../target/target-list.js';
import { UsageError } from '../usage-error.js';

/** Where a run takes its requests from. */
export interface RequestQueue {
  /** The next request, or undefined when none may start now or none follows (`isDone`). */
  next(): TargetRequest | undefined;
  /** Puts the latest request back. */
  putBack(request: TargetRequest): void;
  /** Milliseconds until {@link next} is worth another call; null to wait for an event. */
  readonly waitMs: number | null;
  /** No request follows. */
  readonly isDone: boolean;
  /** The error that ended the requests; those before it are still probed. */
  readonly error?: { readonly cause: unknown } | undefined;
  /** Ends the requests. */
  close(): Promise<void>;
}

/**
 * Requests that return at times of their own. A run over them reports each probe as soon as it has
 * ended, and asks for every name anew.
 */
export interface Schedule extends RequestQueue {
  /** How long a probe that starts now may take, milliseconds; Infinity for no limit. */
  readonly remainingMs: number;
  /** The probe of a request has ended, and its events were taken. */
  end(request: TargetRequest): void;
}

/** @throws UsageError when a value is not a request */
export function checkRequest(value: unknown): asserts value is TargetRequest {
  if (typeof value === 'object' && value !== null) return;
  throw new UsageError(
    `requests: ${String(value)} is not a request; allowed: { target: { host, port } }`,
  );
}

/** Requests one by one from an iterable, which may be asynchronous and endless. */
export class RequestSource implements RequestQueue {
  readonly #iterator: Iterator<TargetRequest> | AsyncIterator<TargetRequest>;
  readonly #isAsync: boolean;
  readonly #onArrival: () => void;
  #arrived: TargetRequest | undefined;
  #isAsking = false;
  readonly waitMs = null;
  isDone = false;
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

  next(): TargetRequest | undefined {
    if (this.#arrived === undefined && !this.#isAsking && !this.isDone) this.#ask();
    const request = this.#arrived;
    this.#arrived = undefined;
    return request;
  }

  putBack(request: TargetRequest): void {
    this.#arrived = request;
  }

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
    try {
      checkRequest(request);
      this.#arrived = request;
    } catch (cause) {
      this.#fail(cause);
    }
  }
}
