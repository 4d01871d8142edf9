/** Milliseconds on a clock that only goes forward; the zero point means nothing. */
export type Clock = () => number;

/**
 * The clock of this process. `process.hrtime` is there from the start; `performance` would cost a
 * millisecond of loading before the first probe.
 */
export const monotonicClock: Clock = () => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
};

/**
 * A timeout for something that a socket may end. After a busy stretch timers run before the sockets
 * that are ready, so these are polled once more before the call. Clearing the timer in that moment
 * is too late: a second ending must be harmless.
 */
export function setSocketTimeout(callback: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(() => setImmediate(callback), ms);
}
