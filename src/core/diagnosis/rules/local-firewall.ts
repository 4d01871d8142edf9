import { type Attempt, reasonOf } from '../../facts/outcome.js';
import { formatEndpoint } from '../../target/target.js';
import type { LocalFilterObservation, Observations } from '../observations/observations.js';
import { certain, type Conclusion, probable, type Rule } from './conclusion.js';
import {
  attemptEvidence,
  coveringListeners,
  type Evidence,
  examinedAttempt,
  joinWords,
  untimed,
} from './evidence.js';

/** Tries that must be stopped. Other traffic only hides stopped tries. */
const LEAST_STOPPED = 2;

/** A packet on loopback. With more, the SYN itself may have reached this machine. */
const ANSWER_ALONE = 1;

/** Whether packets for the endpoint do not leave this machine. */
export const isStoppedHere = ({ stopped }: LocalFilterObservation): boolean =>
  stopped >= LEAST_STOPPED;

/** Idle windows with other traffic beside which packets in every try are still from the tries. */
const MOST_IDLE_WITH_TRAFFIC = 1;

/** Whether packets for the endpoint pass the firewall of this machine. */
export const isSentFromHere = ({ stopped, idleWithTraffic }: LocalFilterObservation): boolean =>
  stopped === 0 && idleWithTraffic <= MOST_IDLE_WITH_TRAFFIC;

/**
 * What this machine does with connections to an endpoint, and how sure that is. Only this machine
 * answers a SYN that never left. Silence may have another cause, such as an IPsec policy.
 */
function describeOutgoing(
  examined: Attempt,
  { loopbackPackets }: LocalFilterObservation,
): [conclude: typeof certain, statement: string] {
  const to = `connections to ${formatEndpoint(examined.endpoint)}`;
  if (reasonOf(examined) === 'no-response')
    return [probable, `A firewall on this machine probably drops ${to}.`];
  if (!loopbackPackets) return [probable, `A firewall on this machine probably rejects ${to}.`];
  if (loopbackPackets === ANSWER_ALONE)
    return [certain, `A firewall on this machine rejects ${to}.`];
  return [
    certain,
    `This machine itself refuses ${to}: its firewall rejects them, or a redirect or a local ` +
      'route leads them to a port here that refuses.',
  ];
}

function outgoingEvidence(
  examined: Attempt,
  { tries, stopped, answeredHere, loopbackPackets }: LocalFilterObservation,
): Evidence[] {
  const facts = [
    `in ${stopped} of ${tries} tries no packet left this machine`,
    ...(answeredHere > 0
      ? [`${answeredHere} of these tries were answered, over ${loopbackPackets} loopback packets`]
      : []),
  ];
  return [attemptEvidence(examined), ...facts.map(untimed)];
}

/** A firewall here that stops what goes to another machine. */
const judgeOutgoing: Rule = (seen) => {
  const { localFilter } = seen;
  const examined = examinedAttempt(seen);
  if (!localFilter || !examined || !isStoppedHere(localFilter)) return null;
  const [conclude, statement] = describeOutgoing(examined, localFilter);
  return conclude(
    `${statement} Nothing was learned about the other side.`,
    outgoingEvidence(examined, localFilter),
    'Check the rules for outgoing traffic on this machine ' +
      '(on Linux: nft list ruleset, iptables -S OUTPUT), not the other side.',
  );
};

/** What happens to connections to an address of this machine; null if nothing is wrong with it. */
function describeIncoming(examined: Attempt, seen: Observations): string | null {
  const { listeners } = seen;
  const to = `connections to ${formatEndpoint(examined.endpoint)}`;
  const covering = coveringListeners(examined, seen);
  if (examined.state === 'closed')
    return covering.length > 0
      ? `A firewall on this machine probably rejects ${to}, or a redirect leads them elsewhere: ` +
          `a service listens on ${joinWords(covering.map(({ address }) => address))}.`
      : null;
  if (reasonOf(examined) !== 'no-response')
    return `A firewall on this machine probably rejects ${to}.`;
  const canBeBusy = listeners === null || covering.some(({ waiting }) => waiting > 0);
  return canBeBusy
    ? `A firewall on this machine drops ${to}, or the service is too busy to accept them. ` +
        'Both look the same from here.'
    : `A firewall on this machine probably drops ${to}.`;
}

/**
 * A firewall here that stops what comes to this machine. Without one, an own address refuses if
 * nothing listens there, and is silent only if the queue of a listener is full.
 */
const judgeIncoming: Rule = (seen) => {
  const examined = examinedAttempt(seen);
  const isOwn = seen.loopback.length > 0;
  if (!isOwn || (examined?.state !== 'closed' && examined?.state !== 'filtered')) return null;
  const statement = describeIncoming(examined, seen);
  if (statement === null) return null;
  const waiting = (seen.listeners ?? []).map((each) =>
    untimed(`a socket listens on ${each.address} (connections that wait: ${each.waiting})`),
  );
  return probable(
    statement,
    [...[examined, ...seen.loopback].map(attemptEvidence), ...waiting],
    'Check the rules for incoming traffic on this machine ' +
      '(on Linux: nft list ruleset, iptables -S INPUT).',
  );
};

/**
 * A firewall on this machine, for what goes to another machine or comes to this one. Not: other
 * traffic may hide what left, or nothing listens on this machine.
 */
export const judgeLocalFirewall: Rule = (seen): Conclusion | null =>
  judgeOutgoing(seen) ?? judgeIncoming(seen);
