import { UsageError } from './usage-error.js';

/** The deadline of a probe when none is given, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 5000;

/** From the start of one round of a series to the start of the next, in milliseconds. */
export const DEFAULT_INTERVAL_MS = 1000;

/** The defaults of waiting for a port, in milliseconds. */
export const WAIT_DEFAULTS = { durationMs: 60_000, intervalMs: 500 } as const;

/** The most days that a certificate may be required to be valid. */
export const MAX_TLS_DAYS = 3650;

/** The longest timer that Node keeps: `setTimeout` above 2^31−1 ms fires at once (its docs). */
export const MAX_DURATION_MS = 2 ** 31 - 1;

/** The highest TCP port (RFC 9293, section 3.1: 16 bits). */
const MAX_PORT = 65_535;

/** A value as a message shows it: text in quotes, so that '80' is not taken for 80. */
export function quoteValue(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

const rangeOf = (least: number, most: number): string =>
  most === Infinity ? `${least} or more` : `${least} to ${most}`;

/**
 * Checks a number that a caller gives.
 *
 * @throws UsageError unless it is a number from `least` to `most`
 */
export function checkRange(name: string, value: number, least: number, most = Infinity): void {
  const range = rangeOf(least, most);
  if (typeof value !== 'number')
    throw new UsageError(`${name}: ${quoteValue(value)} is not a number; allowed: ${range}`);
  if (!(value >= least && value <= most))
    throw new UsageError(`${name}: ${value} is out of range; allowed: ${range}`);
}

/**
 * Checks a whole number that a caller gives.
 *
 * @throws UsageError unless it is a whole number from `least` to `most`
 */
export function checkWholeNumber(
  name: string,
  value: number,
  least: number,
  most = Infinity,
): void {
  checkRange(name, value, least, most);
  if (value !== Infinity && !Number.isInteger(value))
    throw new UsageError(
      `${name}: ${value} is not a whole number; allowed: ${rangeOf(least, most)}`,
    );
}

/**
 * Checks a port.
 *
 * @param name of the parameter, for the message
 * @throws UsageError unless it is a whole number from 1 to 65535
 */
export function checkPort(port: number, name = 'port'): void {
  checkWholeNumber(name, port, 1, MAX_PORT);
}

/**
 * Checks a timeout.
 *
 * @throws UsageError unless it is above 0 and at most 2147483647 ms
 */
export function checkTimeout(timeoutMs: number): void {
  if (typeof timeoutMs !== 'number' || !(timeoutMs > 0 && timeoutMs <= MAX_DURATION_MS))
    throw new UsageError(
      `timeoutMs: ${quoteValue(timeoutMs)} is out of range; ` +
        `allowed: above 0, at most ${MAX_DURATION_MS}`,
    );
}
