interface Waiting {
  readonly listeners: Set<() => void>;
  stop(): void;
}

const waitingFor = new WeakMap<AbortSignal, Waiting>();

function listenTo(signal: AbortSignal): Waiting {
  const listeners = new Set<() => void>();
  const abort = (): void => {
    waitingFor.delete(signal);
    for (const listener of listeners) listener();
  };
  signal.addEventListener('abort', abort);
  const stop = (): void => {
    waitingFor.delete(signal);
    signal.removeEventListener('abort', abort);
  };
  const waiting = { listeners, stop };
  waitingFor.set(signal, waiting);
  return waiting;
}

/**
 * Calls `listener` once, when the signal is aborted. If it already is, the call is made before
 * this function returns.
 *
 * All callers share one listener on the signal: Node warns of more than ten, and that limit
 * belongs to the owner of the signal. The listener is removed when no caller waits any more.
 *
 * @param listener must not throw
 * @returns stops waiting; harmless after the call and when repeated
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal?.aborted) listener();
  if (!signal || signal.aborted) return () => {};
  const waiting = waitingFor.get(signal) ?? listenTo(signal);
  const call = (): void => listener(); // its own, as the same function may wait twice
  waiting.listeners.add(call);
  return () => {
    if (waiting.listeners.delete(call) && waiting.listeners.size === 0) waiting.stop();
  };
}
