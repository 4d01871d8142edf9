import type { Observations } from '../observations/observations.js';
import { ADDRESS_RULES } from './address.js';
import { certain, type Conclusion, type Rule } from './conclusion.js';
import { attemptEvidence } from './evidence.js';
import { HINT_RULES } from './hints.js';
import { MACHINE_RULES } from './machine.js';
import { NAME_RULES } from './name.js';
import { PORT_RULES } from './port.js';
import { SERVICE_RULES } from './service.js';

type Rules = typeof MACHINE_RULES &
  typeof NAME_RULES &
  typeof ADDRESS_RULES &
  typeof PORT_RULES &
  typeof SERVICE_RULES &
  typeof HINT_RULES;

/** The names of the rules, and `unexplained` if none of them gives a verdict. */
export type FindingKind = keyof Rules | 'unexplained';

/** A conclusion with the name of its rule. */
export interface Finding extends Conclusion {
  readonly kind: FindingKind;
}

/** All rules, from this machine outwards, then hints. The first that applies is the verdict. */
export const RULES = [
  MACHINE_RULES,
  NAME_RULES,
  ADDRESS_RULES,
  PORT_RULES,
  SERVICE_RULES,
  HINT_RULES,
].flatMap((section) => Object.entries(section) as [keyof Rules, Rule][]);

/** Findings that another makes untrue: a firewall here hides the host behind it. */
const SUPERSEDED: Partial<Record<FindingKind, readonly FindingKind[]>> = {
  'local-firewall': [
    'addresses-fail-differently',
    'prohibited',
    'port-rejected',
    'port-filtered',
    'host-absent',
    'host-unreachable',
    'network-unreachable',
    'no-tcp',
    'icmp-error',
    'others-rejected',
    'nothing-answers',
    'refused-on-the-way',
    'refused',
    'outbound-smtp',
    'loopback-server',
    'repeated-syn',
  ],
  'host-absent': ['others-rejected'],
  'refused-on-the-way': ['refused', 'loopback-server'],
  'bound-to-loopback': ['refused', 'nothing-answers'],
  'answered-by-somebody-else': ['dropped-at-once'],
};

const explainNothing = ({ addresses }: Observations): Finding => ({
  kind: 'unexplained',
  ...certain(
    'No observation explains the result.',
    addresses.map(({ attempt }) => attemptEvidence(attempt)),
    'Report this as a bug, with the whole diagnosis.',
  ),
});

const isVerdict = ({ certainty }: Finding): boolean => certainty !== 'possible';

/** What the observations mean, in the order of the table. At least one finding is a verdict. */
export function findings(seen: Observations): Finding[] {
  const all = RULES.flatMap(([kind, rule]): Finding[] => {
    const conclusion = rule(seen);
    return conclusion ? [{ kind, ...conclusion }] : [];
  });
  const superseded = new Set(all.flatMap(({ kind }) => SUPERSEDED[kind] ?? []));
  const verdict = all.find(isVerdict);
  // `open` says that nothing is wrong, so it stands only as the verdict.
  const found = all.filter(
    (each) => !superseded.has(each.kind) && (each.kind !== 'open' || each === verdict),
  );
  return verdict ? found : [explainNothing(seen), ...found];
}

/** The finding that decides: the first that is not a hint. */
export function verdictOf(found: readonly Finding[]): Finding {
  const verdict = found.find(isVerdict) ?? found[0];
  if (!verdict) throw new TypeError('a diagnosis has at least one finding');
  return verdict;
}
