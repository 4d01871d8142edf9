import type { Attempt } from '../../facts/outcome.js';
import type { ClosedReason, FilteredReason } from '../../states.js';
import type { Observations } from '../observations/observations.js';
import { certain, probable, type RuleSection } from './conclusion.js';
import {
  attemptEvidence,
  coveringListeners,
  dnsEvidence,
  examinedAttempt,
  givenAttempt,
  isLocalhost,
  isOpen,
  joinWords,
  listAttempted,
  listResults,
  resolverAttempts,
} from './evidence.js';

/** A name of which one family opens and the other does not. */
interface SplitFamilies {
  readonly open: readonly Attempt[];
  /** Every attempt on the other family. */
  readonly other: readonly Attempt[];
  readonly otherFamily: 4 | 6;
}

function splitFamilies(seen: Observations): SplitFamilies | null {
  const attempts = resolverAttempts(seen);
  const open = attempts.filter(isOpen);
  const openFamilies = new Set(open.map(({ endpoint }) => endpoint.family));
  const otherFamily = openFamilies.has(4) ? 6 : 4;
  const other = attempts.filter(({ endpoint }) => endpoint.family === otherFamily);
  return openFamilies.size === 1 && other.length > 0 ? { open, other, otherFamily } : null;
}

const familiesEvidence = ({ open, other }: SplitFamilies) =>
  [...other, ...open].map(attemptEvidence);

/** The words for the family that opens and for the other. */
const nameFamilies = ({ otherFamily }: SplitFamilies): readonly [good: string, bad: string] =>
  otherFamily === 6 ? ['IPv4', 'IPv6'] : ['IPv6', 'IPv4'];

/** What usually makes an address fail in this way. */
const CAUSES: Readonly<Record<ClosedReason | FilteredReason, string>> = {
  'conn-refused': 'nothing listens there, or a firewall rejects it',
  'no-response': 'the host is down, or a firewall drops the packets',
  'host-unreach': 'the host is not there, a firewall rejects it, or routers form a loop',
  'net-unreach': 'a router has no route or prohibits it, or a firewall rejects it',
  'proto-unreach': 'a firewall or router rejects it, or the host has no TCP',
  'admin-prohibited': 'a firewall or router prohibits it',
  'icmp-error': 'a router, a firewall or the host rejects it',
};

const FIREWALL_ALIKE = ' A firewall of this machine that rejects looks the same.';

/** Causes in the addresses and families. */
export const ADDRESS_RULES = {
  /** Only the extra address opens. Not: it does not open either; an address of the name opens. */
  'stale-record': (seen) => {
    const given = givenAttempt(seen);
    const own = resolverAttempts(seen);
    if (!given || !isOpen(given) || own.length === 0 || own.some(isOpen)) return null;
    if (seen.name.resolution.via === 'literal') return null;
    return probable(
      `The address of ${seen.target.host} is probably stale or wrong, ` +
        'or the way there or its host is at fault: ' +
        `${listResults(own)}, but ${given.endpoint.address} opened. Both look the same from here.`,
      [...[...own, given].map(attemptEvidence), ...dnsEvidence(seen)],
      'Check which address is right. Ask the operator of DNS to correct the record, or the ' +
        'operator of the host.',
    );
  },

  /**
   * localhost opens over one family, and the other refuses. Not: a service listens there; both
   * open; the other is silent; the name is another. It is certain only if the system's table of
   * sockets shows that none listens there; a listener on `::` may be for IPv4, too.
   */
  'localhost-family': (seen) => {
    const families = splitFamilies(seen);
    if (!families?.other.every(({ state }) => state === 'closed') || !isLocalhost(seen))
      return null;
    if (families.other.some((each) => coveringListeners(each, seen).length > 0)) return null;
    const { listeners, name, target } = seen;
    const isSure =
      listeners !== null &&
      (families.otherFamily === 6 || listeners.every(({ address }) => address !== '::'));
    const [conclude, listens, look] = isSure
      ? [certain, 'listens', '']
      : [probable, 'probably listens', FIREWALL_ALIKE];
    const isFirst =
      name.resolution.state === 'resolved' &&
      name.resolution.addresses[0]?.family === families.otherFamily;
    return conclude(
      `The service ${listens} only on ${listAttempted(families.open)}, but ${target.host} ` +
        `also means ${listAttempted(families.other)}${isFirst ? ', which comes first' : ''}.`,
      familiesEvidence(families),
      'Let the service listen on both, or use the address. ' +
        `Programs that try only the first address fail.${look}`,
    );
  },

  /**
   * An own address refuses, but loopback opens. Not: it is silent; a service listens there;
   * loopback refuses, too. The system's table of sockets shows what listens. Without it, a firewall
   * here may refuse as well.
   */
  'bound-to-loopback': (seen) => {
    const open = seen.loopback.filter(isOpen);
    const examined = examinedAttempt(seen);
    if (open.length === 0 || examined?.state !== 'closed') return null;
    if (coveringListeners(examined, seen).length > 0) return null;
    const { address } = examined.endpoint;
    const [conclude, isNot, look] = seen.listeners
      ? [certain, 'not', '']
      : [probable, 'probably not', FIREWALL_ALIKE];
    return conclude(
      `The service listens on ${listAttempted(open)}, but ${isNot} on ${address}, which refused.`,
      [examined, ...seen.loopback].map(attemptEvidence),
      `Let it listen on that address, too (the setting is often called "bind" or "listen").${look}`,
    );
  },

  /** One family opens, and the other is filtered. Not: the other refuses; it has no route. */
  'family-broken': (seen) => {
    const families = splitFamilies(seen);
    if (!families?.other.every(({ state }) => state === 'filtered')) return null;
    const [good, bad] = nameFamilies(families);
    return probable(
      `${bad} to ${seen.target.host} is broken, or a firewall stops this port over ${bad}: ` +
        `the port is open over ${good}. Both look the same from here.`,
      familiesEvidence(families),
      `Use ${good} until ${bad} is repaired, or have the ${bad} record removed. ` +
        `Check the network on the way, the host's own ${bad}, and the firewalls.`,
    );
  },

  /** One family opens, and the other refuses. Not: the other has no route; it is silent. */
  'one-family-only': (seen) => {
    const families = splitFamilies(seen);
    if (!families?.other.every(({ state }) => state === 'closed')) return null;
    const [good, bad] = nameFamilies(families);
    return probable(
      `The service listens on ${good} only, or a firewall rejects the port over ${bad}: ` +
        `${listAttempted(families.other)} refused. Both look the same from here.`,
      familiesEvidence(families),
      'Check on the host on which addresses it listens. ' +
        `Let it listen on both, or have the ${bad} record removed.`,
    );
  },

  /** Of one family, some addresses open, others fail. Not: another family does; none opens. */
  'some-addresses-fail': (seen) => {
    const own = resolverAttempts(seen);
    const openFamilies = new Set(own.filter(isOpen).map(({ endpoint }) => endpoint.family));
    const failing = own.filter(
      ({ state, endpoint }) =>
        (state === 'closed' || state === 'filtered') && openFamilies.has(endpoint.family),
    );
    if (failing.length === 0) return null;
    return certain(
      `The port is open, but not at every address of ${seen.target.host}: ${listResults(failing)}.`,
      own.map(attemptEvidence),
      'Check these hosts, or have their records removed.',
    );
  },

  /** No address opens, and they fail in different ways. Not: all fail alike; one opens. */
  'addresses-fail-differently': (seen) => {
    const own = resolverAttempts(seen);
    if (own.some(isOpen)) return null;
    const failing = own.flatMap((each) =>
      each.state === 'closed' || each.state === 'filtered' ? [each] : [],
    );
    if (new Set(failing.map(({ reason }) => reason)).size < 2) return null;
    const results = failing.map((each) => `${listResults([each])} (${CAUSES[each.reason]})`);
    return certain(
      `No address of ${seen.target.host} opens, and they fail in different ways: ` +
        `${joinWords(results)}.`,
      failing.map(attemptEvidence),
      'Check each of these hosts. A client reports only one of the failures.',
    );
  },
} as const satisfies RuleSection;
