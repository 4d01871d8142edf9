import {
  type Expectation,
  EXPECTATIONS,
  EXIT_SERVICE_FAILED,
  EXIT_UNEXPECTEDLY_OPEN,
  exitCodeOf,
} from '../states.js';
import { quoteValue } from '../limits.js';
import { UsageError } from '../usage-error.js';
import { type Outcome, reasonOf } from './outcome.js';

/** What counts as expected. */
export interface ExpectationOptions {
  /** The state that is expected; default `open`. */
  readonly expect?: Expectation | undefined;
  /** An open port with a higher latency is not as expected; milliseconds; default no limit. */
  readonly maxLatencyMs?: number | undefined;
}

/** An outcome compared with its expectation. */
export interface Verdict {
  /** Whether it is as expected. */
  readonly asExpected: boolean;
  /** 0 when it is as expected, else the code of what was seen instead; see {@link EXIT_CODES}. */
  readonly exitCode: number;
  /** Open, but slower than `maxLatencyMs`. */
  readonly tooSlow: boolean;
}

/**
 * Compares an outcome with what is expected. An unresolved name and a probe that failed on this
 * machine never satisfy any expectation: nothing was learned about the port.
 *
 * @throws UsageError when `expect` is not an expectation
 */
export function judge(
  outcome: Outcome,
  { expect = 'open', maxLatencyMs = Infinity }: ExpectationOptions = {},
): Verdict {
  if (!EXPECTATIONS.includes(expect))
    throw new UsageError(
      `expect: ${quoteValue(expect)} is not an expectation; allowed: ${EXPECTATIONS.join(', ')}`,
    );
  const { state } = outcome;
  const tooSlow = outcome.state === 'open' && outcome.latencyMs > maxLatencyMs;
  const fits =
    expect === 'not-open' ? state === 'closed' || state === 'filtered' : state === expect;
  // The service counts only where the port is expected to be open.
  const isUnanswered = expect === 'open' && state === 'open' && reasonOf(outcome) !== null;
  if (fits && !tooSlow && !isUnanswered) return { asExpected: true, exitCode: 0, tooSlow };
  const openCode = isUnanswered ? EXIT_SERVICE_FAILED : EXIT_UNEXPECTEDLY_OPEN;
  return { asExpected: false, exitCode: state === 'open' ? openCode : exitCodeOf(state), tooSlow };
}
