import {
  type Expectation,
  EXPECTATIONS,
  EXIT_SERVICE_FAILED,
  EXIT_UNEXPECTEDLY_OPEN,
  exitCodeOf,
} from '../states.js';
import { type Outcome, reasonOf } from './outcome.js';

/** What counts as expected. */
export interface ExpectationOptions {
  /** Default `open`. */
  readonly expect?: Expectation | undefined;
  /** An open port that took longer is not as expected; milliseconds. */
  readonly maxLatencyMs?: number | undefined;
}

/** An outcome held against what was expected. */
export interface Verdict {
  readonly asExpected: boolean;
  /** 0 when it was as expected, else the code of what was seen instead; see EXIT_CODES. */
  readonly exitCode: number;
  /** Open, but slower than allowed. */
  readonly tooSlow: boolean;
}

/**
 * Holds an outcome against an expectation. A name that does not resolve and a probe that failed here never satisfy any: nothing was learned about the port.
 *
 * @throws TypeError when the expectation is none
 */
export function judge(
  outcome: Outcome,
  { expect = 'open', maxLatencyMs = Infinity }: ExpectationOptions = {},
): Verdict {
  if (!EXPECTATIONS.includes(expect))
    throw new TypeError(
      `expect: ${String(expect)} is no expectation; allowed: ${EXPECTATIONS.join(', ')}`,
    );
  const { state } = outcome;
  const tooSlow = outcome.state === 'open' && outcome.latencyMs > maxLatencyMs;
  const fits =
    expect === 'not-open' ? state === 'closed' || state === 'filtered' : state === expect;
  // Whoever expects a port not to be open has nothing to ask of the service behind it.
  const isUnanswered = expect === 'open' && state === 'open' && reasonOf(outcome) !== null;
  if (fits && !tooSlow && !isUnanswered) return { asExpected: true, exitCode: 0, tooSlow };
  const openCode = isUnanswered ? EXIT_SERVICE_FAILED : EXIT_UNEXPECTEDLY_OPEN;
  return { asExpected: false, exitCode: state === 'open' ? openCode : exitCodeOf(state), tooSlow };
}
