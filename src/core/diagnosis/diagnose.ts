import type { Target } from '../target/target.js';
import type { Observations } from './observations/observations.js';
import { observe } from './observations/observe.js';
import type { DiagnoseOptions, DiagnosisInternals } from './observations/options.js';
import { type Finding, findings, verdictOf } from './rules/table.js';

/** Why a target can or cannot be reached. */
export interface Diagnosis {
  /** What was observed. */
  readonly observations: Observations;
  /** What it means: first the causes, from this machine outwards, then hints. */
  readonly findings: readonly Finding[];
  /** The finding that decides. */
  readonly verdict: Finding;
}

/**
 * Finds out why a target cannot be reached. Checks the name, the addresses, both families, this
 * machine, the host and the port. Takes at most three times `timeoutMs`.
 *
 * @param internals parts that the program or a test replaces; not for users of the library
 * @throws UsageError if an option is misused, TypeError if `dnsServer` is not an address; never
 *   because of the network
 */
export async function diagnose(
  target: Target,
  options: DiagnoseOptions = {},
  internals: DiagnosisInternals = {},
): Promise<Diagnosis> {
  const observations = await observe(target, options, internals);
  const found = findings(observations);
  return { observations, findings: found, verdict: verdictOf(found) };
}
