/**
 * Milliseconds on the monotonic clock of this machine. All processes share it, so the times of
 * helpers and tests can be compared.
 */
export function machineClock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
