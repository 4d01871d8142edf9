import type { ClosedOutcome, Outcome } from '../../core/facts/outcome.js';
import type { ClosedReason } from '../../core/states.js';
import { formatEndpoint } from '../../core/target/target.js';
import { formatDuration } from '../numbers.js';
import type { Explanation } from '../outcome-words.js';
import { explainError } from './error-words.js';

/** The end of what is said of a failure of this machine. */
export const NOTHING_SENT = 'Nothing was sent.';

/** Why a port is closed. */
export const CLOSED: Record<ClosedReason, (outcome: ClosedOutcome) => Explanation> = {
  'conn-refused': ({ endpoint, elapsedMs }) => ({
    what: `${formatEndpoint(endpoint)} refused the connection after ${formatDuration(elapsedMs)}.`,
    advice:
      'Nothing listens on that port, or a firewall rejects it. Both look the same from here. ' +
      'Check that the service is running and listens on this address.',
  }),
};

/** A lack of file descriptors. */
export const NO_FILES_LEFT: Explanation = {
  what: `no file descriptor was left for the probe. ${NOTHING_SENT}`,
  advice: 'Raise the limit (ulimit -n), or close programs that hold many descriptors.',
};

/**
 * The explanations that need no further file: of a refusal, the most frequent failure, and of a
 * lack of descriptors, which are needed to load a file. Null for any other outcome.
 */
export function explainAtHand(outcome: Outcome): Explanation | null {
  if (outcome.state === 'closed')
    return explainError(outcome.error, CLOSED[outcome.reason](outcome));
  return outcome.state === 'failed' && outcome.reason === 'no-files-left'
    ? explainError(outcome.error, NO_FILES_LEFT)
    : null;
}
