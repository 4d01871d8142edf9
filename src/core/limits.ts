/** The deadline of a probe when none is given, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 5000;

/** The longest timer that Node keeps: `setTimeout` above 2^31−1 ms fires at once (Node's docs). */
export const MAX_DURATION_MS = 2 ** 31 - 1;

/**
 * Refuses what is no port.
 *
 * @throws RangeError unless it is a whole number from 1 to 65535
 */
export function checkPort(port: number, name = 'port'): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new RangeError(`${name}: ${port} is out of range; allowed: 1 to 65535`);
}

/**
 * Refuses a timeout that cannot be kept.
 *
 * @throws RangeError unless it is above 0 and at most 2147483647
 */
export function checkTimeout(timeoutMs: number): void {
  if (!(timeoutMs > 0 && timeoutMs <= MAX_DURATION_MS))
    throw new RangeError(
      `timeoutMs: ${timeoutMs} is out of range; allowed: above 0, at most ${MAX_DURATION_MS}`,
    );
}
