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
