import { reasonOf } from '../../facts/outcome.js';
import type { FailedReason } from '../../states.js';
import { formatEndpoint } from '../../target/target.js';
import type { Attempt } from '../../facts/outcome.js';
import type { LocalFilterObservation, Observations } from '../observations/observations.js';
import { certain, type Conclusion, probable, type Rule, type RuleSection } from './conclusion.js';
import { attemptEvidence, type Evidence, examinedAttempt, untimed } from './evidence.js';

/** A failed system call: certain, because the call itself gives the reason. */
const localFault =
  (reason: FailedReason, statement: (seen: Observations) => string, advice: string): Rule =>
  (seen) => {
    const { outcome } = seen;
    if (outcome.state !== 'failed' || outcome.reason !== reason) return null;
    const evidence =
      'endpoint' in outcome
        ? attemptEvidence(outcome)
        : untimed('the lookup failed on this machine');
    return certain(statement(seen), [evidence], advice);
  };

function localFirewallEvidence(
  examined: Attempt,
  { target, control, failedRepeats }: LocalFilterObservation,
): Evidence[] {
  const silent = reasonOf(examined) === 'no-response';
  const facts: readonly (readonly [seen: boolean, fact: string])[] = [
    [target.answeredWithoutSending, 'an answer came although no packet had left this machine'],
    [silent && target.mostPacketsSent === 0, 'no packet for that port left this machine'],
    [control !== null, `packets for port ${control?.port} of the same host did leave`],
    [target.unreachableToSelf > 0, 'this machine sent the ICMP "unreachable" that it received'],
    [silent && failedRepeats > 0, 'the system failed to retransmit the SYN'],
  ];
  const seen = facts.flatMap(([isSeen, fact]) => (isSeen ? [untimed(fact)] : []));
  return [attemptEvidence(examined), ...seen];
}

/** What a firewall on this machine does, and how sure that is; null if there is no evidence. */
function judgeLocalFirewall(
  examined: Attempt,
  { target, control, failedRepeats }: LocalFilterObservation,
): 'rejects' | 'probably rejects' | 'probably drops' | null {
  if ((target.answeredWithoutSending && control !== null) || target.unreachableToSelf > 0) {
    // If one try sent no packet at all, the ICMP message can only be about this connection.
    const isSure = target.answeredWithoutSending || target.leastPacketsSent === 0;
    return isSure ? 'rejects' : 'probably rejects';
  }
  // Without a control port, silence is no evidence: an unanswered ARP request looks the same.
  const hasEvidence = failedRepeats > 0 || (target.mostPacketsSent === 0 && control !== null);
  const silent = reasonOf(examined) === 'no-response';
  return silent && target.leastPacketsSent === 0 && hasEvidence ? 'probably drops' : null;
}

/** Causes on this machine. */
export const MACHINE_RULES = {
  /** The system had no file descriptor (EMFILE). Not: one address of several failed so. */
  'no-descriptors': localFault(
    'no-files-left',
    () => 'This machine is at fault: no file descriptor was free for the probe.',
    'Raise the limit (ulimit -n), or close open files.',
  ),

  /** The system had no source port. Not: it had no route. */
  'no-source-ports': localFault(
    'no-ports-left',
    () => 'This machine is at fault: it has no free source port for the connection.',
    'Wait a minute, or widen the range of ephemeral ports. ' +
      'Too many connections are open or were closed within the last minute (TIME_WAIT).',
  ),

  /** The system refused the source address. Not: it had no source port. */
  'bad-source': localFault(
    'bad-source',
    () => 'This machine cannot use the source address for this target.',
    "Use an address of this machine, of the target's family.",
  ),

  /** The system forbade the connect call (EPERM, EACCES). Not: the network prohibited it. */
  'not-permitted': localFault(
    'not-permitted',
    () => 'This machine does not permit the connection. Nothing was sent.',
    'Check the firewall, policy routes and sandboxes of this machine, not the other side.',
  ),

  /** The system had no memory or buffers. Not: an unknown error. */
  'no-resources': localFault(
    'no-resources',
    () => 'This machine is at fault: it had no memory or buffers for the connection.',
    'Check the load of this machine, then try again.',
  ),

  /** Only loopback is up, and there is no source address. Not: the target is loopback. */
  'no-network': ({ machine, outcome }) =>
    machine.addresses.length === 0 && machine.sourceAddress === null && outcome.state !== 'open'
      ? certain(
          'This machine is at fault: no network address is up.',
          [untimed('no interface but loopback has an address')],
          'Check the cable, the wireless network and the network settings of this machine.',
        )
      : null,

  /** The system had no route. Not: a router on the way had none. */
  'no-route': localFault(
    'no-route',
    ({ outcome, target }) => {
      const to = 'endpoint' in outcome ? outcome.endpoint.address : target.host;
      return `This machine is at fault: it has no usable route to ${to}.`;
    },
    'Check the default route, and any VPN that should be up (on Linux: ip route).',
  ),

  /**
   * An answer came although no packet left, this machine received its own ICMP "unreachable", or no
   * packet left for the silent port. Not: the counters may not work, or other traffic hides them.
   */
  'local-firewall': (seen): Conclusion | null => {
    const { localFilter } = seen;
    const examined = examinedAttempt(seen);
    const does = localFilter && examined ? judgeLocalFirewall(examined, localFilter) : null;
    if (!localFilter || !examined || does === null) return null;
    const conclude = does === 'rejects' ? certain : probable;
    return conclude(
      `A firewall on this machine ${does} connections to ${formatEndpoint(examined.endpoint)}. ` +
        'Nothing was learned about the other side.',
      localFirewallEvidence(examined, localFilter),
      'Check the rules for outgoing traffic on this machine ' +
        '(on Linux: nft list ruleset, iptables -S OUTPUT), not the other side.',
    );
  },
} as const satisfies RuleSection;
