import type { ErrorFacts } from '../../facts/outcome.js';
import { isInvalidRemote, LOCAL_NETWORK_CODE } from '../../errors/socket-errors.js';
import type { FailedReason } from '../../states.js';
import type { Observations } from '../observations/observations.js';
import { certain, probable, type Rule, type RuleSection } from './conclusion.js';
import { attemptEvidence, untimed } from './evidence.js';
import { judgeLocalFirewall } from './local-firewall.js';

/** A failed system call: certain, because the call itself gives the reason. */
const localFault =
  (
    reason: FailedReason,
    statement: (seen: Observations) => string,
    advice: string,
    fits: (error: ErrorFacts) => boolean = () => true,
  ): Rule =>
  (seen) => {
    const { outcome } = seen;
    if (outcome.state !== 'failed' || outcome.reason !== reason || !fits(outcome.error))
      return null;
    const evidence =
      'endpoint' in outcome
        ? attemptEvidence(outcome)
        : untimed('the lookup failed on this machine');
    return certain(statement(seen), [evidence], advice);
  };

/** macOS gives this code with `not-permitted`, and no other system does. */
const isLocalNetworkPrivacy = ({ code }: ErrorFacts): boolean => code === LOCAL_NETWORK_CODE;

/** The address or, if there is none, the name that could not be reached. */
const destinationOf = ({ outcome, target }: Observations): string =>
  'endpoint' in outcome ? outcome.endpoint.address : target.host;

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

  /** macOS stopped it in the local network. Not: another ban of this machine; no route. */
  'local-network-privacy': (seen) => {
    const { outcome } = seen;
    if (outcome.state !== 'failed' || outcome.reason !== 'not-permitted') return null;
    if (!isLocalNetworkPrivacy(outcome.error) || !('endpoint' in outcome)) return null;
    return probable(
      'macOS does not let the app that started portping use the local network. Nothing was sent.',
      [attemptEvidence(outcome)],
      'Allow the app in System Settings > Privacy & Security > Local Network. ' +
        'A VPN or security software can also do this.',
    );
  },

  /**
   * The system forbade the connect call (EPERM, EACCES). Not: macOS stopped it in the local
   * network; the network prohibited it.
   */
  'not-permitted': localFault(
    'not-permitted',
    () => 'This machine does not permit the connection. Nothing was sent.',
    'Check the firewall, policy routes and sandboxes of this machine, not the other side.',
    (error) => !isLocalNetworkPrivacy(error),
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

  /** Windows refused the address (WSAEADDRNOTAVAIL). Not: it had no route. */
  'invalid-remote': localFault(
    'no-route',
    (seen) => `Windows cannot connect to ${destinationOf(seen)}. Nothing was sent.`,
    'Check the address: it may be multicast or broadcast. If it is IPv6, check that this ' +
      'machine has IPv6.',
    isInvalidRemote,
  ),

  /** The system had no route. Not: Windows refused the address; a router on the way had none. */
  'no-route': localFault(
    'no-route',
    (seen) => `This machine is at fault: it has no usable route to ${destinationOf(seen)}.`,
    'Check the default route, and any VPN that should be up (on Linux: ip route).',
    (error) => !isInvalidRemote(error),
  ),

  /** A firewall here. Not: other traffic may hide that packets left, or nothing listens here. */
  'local-firewall': judgeLocalFirewall,
} as const satisfies RuleSection;
