import type { Observations } from '../observations/observations.js';
import type { Evidence } from './evidence.js';

/**
 * How sure a finding is.
 * - `certain`: it was observed, and the observation excludes every other known cause.
 * - `probable`: the observations hardly have another cause.
 * - `possible`: a hint that fits the observations; never the verdict.
 */
export type Certainty = 'certain' | 'probable' | 'possible';

/** What a rule concludes. Names and addresses come from the network: escape them for a terminal. */
export interface Conclusion {
  readonly certainty: Certainty;
  /** One or two sentences. */
  readonly statement: string;
  readonly evidence: readonly Evidence[];
  /** The next step, or whom to ask, in a few short sentences. */
  readonly advice: string;
}

/**
 * Concludes from the observations; null if the rule does not apply. Pure. Its comment says after
 * `Not:` what excludes it: causes that look similar. Each is a near miss in its tests.
 */
export type Rule = (seen: Observations) => Conclusion | null;

/** The rules of one section by the kind of their findings, in the order of the findings. */
export type RuleSection = Readonly<Record<string, Rule>>;

type Conclude = (statement: string, evidence: readonly Evidence[], advice: string) => Conclusion;

const concludeAs =
  (certainty: Certainty): Conclude =>
  (statement, evidence, advice) => ({ certainty, statement, evidence, advice });

export const certain = concludeAs('certain');
export const probable = concludeAs('probable');
export const possible = concludeAs('possible');
