import { type Attempt, isNeighbourTimeout } from '../../facts/outcome.js';

/** Too soon for an unanswered ARP request, in milliseconds; a limited reply comes at 1 s, too. */
const QUICK_ANSWER_MS = 2000;

/** Whether an ICMP error answered. */
export const isReported = (attempt: Attempt): boolean =>
  attempt.state === 'filtered' && attempt.reason !== 'no-response';

/** Whether an answer came so soon that someone is there. */
export const answeredQuickly = (attempt: Attempt): boolean =>
  isReported(attempt) && 'elapsedMs' in attempt && attempt.elapsedMs < QUICK_ANSWER_MS;

/** Whether it took as long to be reported unreachable as an unanswered ARP request takes. */
export const isAbsenceReply = (attempt: Attempt): boolean =>
  attempt.state === 'filtered' && attempt.reason === 'host-unreach' && isNeighbourTimeout(attempt);

/** By then an absent host is reported, in milliseconds; see {@link isNeighbourTimeout}. */
const LATEST_ABSENCE_MS = 4000;

/** Whether it fits no absent host: answered at another time, or not at all in a long time. */
export const contradictsAbsence = (attempt: Attempt): boolean =>
  attempt.state === 'filtered' &&
  (attempt.reason === 'no-response'
    ? attempt.elapsedMs >= LATEST_ABSENCE_MS
    : !isAbsenceReply(attempt));

export const neighbourTimeoutName = (family: 4 | 6): string =>
  family === 6 ? 'neighbour discovery' : 'ARP';
