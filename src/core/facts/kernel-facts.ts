import type { Socket } from 'node:net';

/**
 * Why a handshake took long, as the kernel knows it.
 * - `lost-syn`: the answer was to a repeated SYN. The first SYN was lost or ignored, or its answer
 *   was lost.
 * - `no-loss`: no SYN was repeated; the answer took that long.
 * - `unclear`: the SYN was repeated, but the answer may be a late one to the first.
 */
type DelayCause = 'lost-syn' | 'no-loss' | 'unclear';

/** What the kernel knows of a connection that took long to open (Linux, `ss`). */
export type KernelFacts = {
  /**
   * Milliseconds; null if it was not measured, because the SYN was repeated and the other side has
   * no TCP timestamps (RFC 7323).
   */
  readonly roundTripMs: number | null;
  readonly repeatedSyns: number;
  /** Maximum segment size in bytes. */
  readonly mss: number;
  readonly cause: DelayCause;
};

/**
 * Asks the kernel about an open connection; null if its handshake was not slow or the kernel cannot
 * be asked. Never rejects.
 *
 * @param latencyMs of its handshake
 * @param remainingMs how long it may take at most
 */
export type AskKernel = (
  socket: Socket,
  latencyMs: number,
  remainingMs: number,
) => Promise<KernelFacts | null>;

/** The kernel is asked from this latency on, in milliseconds: it repeats a SYN after 1 s. */
export const SLOW_HANDSHAKE_MS = 900;

/**
 * Why a handshake took long. With TCP timestamps the round trip is that of the SYN that was
 * answered. A Linux host repeats an answer that was lost with the timestamp of the first SYN: then
 * the round trip is as long as the whole handshake. With SYN cookies it takes that of the repeated
 * one.
 */
export function delayCause(
  latencyMs: number,
  { roundTripMs, repeatedSyns }: Pick<KernelFacts, 'roundTripMs' | 'repeatedSyns'>,
): DelayCause {
  if (repeatedSyns === 0) return 'no-loss';
  return roundTripMs !== null && latencyMs - roundTripMs >= SLOW_HANDSHAKE_MS
    ? 'lost-syn'
    : 'unclear';
}
