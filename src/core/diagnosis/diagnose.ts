import type { Target } from '../target/target.js';
import type { Observations } from './observations/observations.js';
import { type DiagnoseOptions, observe } from './observations/observe.js';
import { type Finding, findings, verdictOf } from './rules/rules.js';

/** Why a target can or cannot be reached. */
export interface Diagnosis {
  /** What was seen. */
  readonly observations: Observations;
  /** What it means: at first the causes, from this machine outwards, then hints. */
  readonly findings: readonly Finding[];
  /** The finding that decides. */
  readonly verdict: Finding;
}

/**
 * Finds out why a target cannot be reached: the name, the addresses, the families, this machine, the host, the port. Takes at the most
 * three times `timeoutMs`.
 *
 * @throws TypeError or RangeError when the options are misused; never because of what the network answers
 */
export async function diagnose(target: Target, options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const observations = await observe(target, options);
  const found = findings(observations);
  return { observations, findings: found, verdict: verdictOf(found) };
}
