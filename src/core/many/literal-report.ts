import type { Attempt, ProbeReport } from '../facts/outcome.js';
import { resolvedLiteral } from '../resolve/literal.js';
import type { Target } from '../target/target.js';

/** The report of the one attempt on a target whose host is a literal address. */
export function literalReport(target: Target, attempt: Attempt, timeoutMs: number): ProbeReport {
  const { address, family } = attempt.endpoint;
  return {
    target,
    startedAt: attempt.startedAt,
    timeoutMs,
    resolution: resolvedLiteral(address, family),
    attempts: [attempt],
    outcome: attempt,
  };
}
