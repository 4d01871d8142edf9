import { type Attempt, isNeighbourTimeout, reasonOf } from '../../facts/outcome.js';
import type { FilteredReason, Reason } from '../../states.js';
import { formatEndpoint } from '../../target/target.js';
import type { Observations } from '../observations/observations.js';
import { certain, probable, type RuleSection } from './conclusion.js';
import {
  answeringPorts,
  attemptEvidence,
  describeResult,
  type Evidence,
  examinedAttempt,
  joinWords,
} from './evidence.js';

/** Whether it is an ICMP "unreachable" message, which firewalls also send to reject one port. */
const IS_UNREACHABLE: Readonly<Record<FilteredReason, boolean>> = {
  'no-response': false,
  'host-unreach': true,
  'net-unreach': true,
  'proto-unreach': true,
  'admin-prohibited': false,
};

const ALIKE = 'Both look the same from here.';

/** A filtered port of a host none of whose other ports answered. */
interface SilentHost {
  readonly examined: Attempt;
  /** The examined port and the others. */
  readonly all: readonly Attempt[];
}

function silentHost(seen: Observations): SilentHost | null {
  const examined = examinedAttempt(seen);
  if (examined?.state !== 'filtered' || answeringPorts(seen).length > 0) return null;
  return { examined, all: [examined, ...(seen.companions ?? [])] };
}

/** The silent host, if its port was filtered for this reason. */
function silentHostBy(reason: Reason, seen: Observations): SilentHost | null {
  const host = silentHost(seen);
  return host && reasonOf(host.examined) === reason ? host : null;
}

/** A refusal must be faster than half the handshake, and by this much, to come from nearer. */
const TIMING_NOISE_MS = 2;

const isMuchShorter = (shorterMs: number, longerMs: number): boolean =>
  shorterMs < longerMs / 2 && longerMs - shorterMs > TIMING_NOISE_MS;

function timingEvidence(
  { endpoint }: Attempt,
  { refusedMs, openPort, openMs }: NonNullable<Observations['refusalTiming']>,
): Evidence[] {
  return [
    { fact: `port ${endpoint.port} refused`, elapsedMs: refusedMs },
    { fact: `port ${openPort} of the same host opened`, elapsedMs: openMs },
  ];
}

/** Causes at the host and the port. */
export const PORT_RULES = {
  /** ICMP "administratively prohibited". Not: another ICMP message. */
  prohibited: (seen) => {
    const examined = examinedAttempt(seen);
    if (!examined || reasonOf(examined) !== 'admin-prohibited') return null;
    return certain(
      `A firewall answered that connections to ${formatEndpoint(examined.endpoint)} ` +
        'are prohibited.',
      [examined, ...answeringPorts(seen)].map(attemptEvidence),
      "Ask the operator of the firewall there or on the way; it may be this machine's own.",
    );
  },

  /** ICMP "unreachable" for this port only. Not: other ports do not answer either. */
  'port-rejected': (seen) => {
    const examined = examinedAttempt(seen);
    const answering = answeringPorts(seen);
    if (examined?.state !== 'filtered' || !IS_UNREACHABLE[examined.reason]) return null;
    if (answering.length === 0) return null;
    const { address, port } = examined.endpoint;
    return probable(
      `The host is up, and a firewall probably rejects port ${port}: ` +
        `other ports of ${address} answer.`,
      [examined, ...answering].map(attemptEvidence),
      "Ask the operator of the host's firewall. " +
        'firewalld rejects every port like this that is not opened.',
    );
  },

  /** Silence on this port only. Not: other ports are silent, too. */
  'port-filtered': (seen) => {
    const examined = examinedAttempt(seen);
    const answering = answeringPorts(seen);
    if (!examined || reasonOf(examined) !== 'no-response' || answering.length === 0) return null;
    const { address, port } = examined.endpoint;
    const results = answering.map((each) => `${each.endpoint.port} ${describeResult(each)}`);
    return probable(
      `The host is up, but port ${port} is probably filtered: ` +
        `${address} answers on other ports (${joinWords(results)}).`,
      [examined, ...answering].map(attemptEvidence),
      "Ask the operator of the host's firewall, or of one on the way, to open the port. " +
        'A service too busy to accept connections looks the same.',
    );
  },

  /** "Host unreachable" after the usual time of a failed ARP request. Not: at once. */
  'host-absent': (seen) => {
    const host = silentHost(seen);
    const unreachable = (host?.all ?? []).filter(
      (each) =>
        each.state === 'filtered' && each.reason === 'host-unreach' && isNeighbourTimeout(each),
    );
    if (!host || unreachable.length === 0) return null;
    const { address, family } = host.examined.endpoint;
    return probable(
      `Probably no host is at ${address}: the "host unreachable" reply came after about 3 s, ` +
        `the usual ${family === 6 ? 'neighbour discovery' : 'ARP'} timeout.`,
      unreachable.map(attemptEvidence),
      'Check the address, and that the host is on and connected.',
    );
  },

  /** "Host unreachable" for every port. Not: another port answers. */
  'host-unreachable': (seen) => {
    const host = silentHostBy('host-unreach', seen);
    return host
      ? probable(
          `${host.examined.endpoint.address} was reported unreachable: ` +
            `a firewall rejects the connection, or a router cannot find the host. ${ALIKE}`,
          host.all.map(attemptEvidence),
          'Check the address, and ask the operator of the network there.',
        )
      : null;
  },

  /** "Network unreachable" for every port. Not: another port answers. */
  'network-unreachable': (seen) => {
    const host = silentHostBy('net-unreach', seen);
    return host
      ? probable(
          `The network of ${host.examined.endpoint.address} was reported unreachable: ` +
            `a router on the way has no route, or a firewall rejects the connection. ${ALIKE}`,
          host.all.map(attemptEvidence),
          'Check the address, any VPN that should be up, and the routing on the way.',
        )
      : null;
  },

  /** "Protocol unreachable" for every port. Not: another port answers. */
  'no-tcp': (seen) => {
    const host = silentHostBy('proto-unreach', seen);
    return host
      ? probable(
          `${host.examined.endpoint.address} was reported not to support TCP: ` +
            'probably a firewall rejects in this unusual way.',
          host.all.map(attemptEvidence),
          'Check the address, and ask the operator of the firewall there.',
        )
      : null;
  },

  /** Silence on every port that was tried. Not: another port answers. */
  'nothing-answers': (seen) => {
    const host = silentHostBy('no-response', seen);
    if (!host) return null;
    const { address, port } = host.examined.endpoint;
    const others = (seen.companions ?? []).map(({ endpoint }) => String(endpoint.port));
    const silence =
      others.length > 0
        ? `${address} answers neither on port ${port} nor on ${joinWords(others)}`
        : `${address} does not answer on port ${port}, and no other port was tried`;
    return probable(
      `${silence}: the host is down, or a firewall drops everything. ${ALIKE}`,
      host.all.map(attemptEvidence),
      'Check from inside its own network whether the host is up. ' +
        'If it is, ask the operators of the firewalls on the way.',
    );
  },

  /** A refusal much faster than the handshake of an open port. Not: the times are similar. */
  'refused-on-the-way': (seen) => {
    const { refusalTiming: timing } = seen;
    const examined = examinedAttempt(seen);
    if (examined?.state !== 'closed' || !timing) return null;
    if (!isMuchShorter(timing.refusedMs, timing.openMs)) return null;
    return probable(
      `A firewall on the way probably refuses port ${examined.endpoint.port}: the refusal came ` +
        `much faster than the handshake with port ${timing.openPort} of the same host.`,
      timingEvidence(examined, timing),
      'Ask the operators of the firewalls between here and the host.',
    );
  },

  /** A refusal. Not: silence. */
  refused: (seen) => {
    const examined = examinedAttempt(seen);
    if (examined?.state !== 'closed') return null;
    return certain(
      `${formatEndpoint(examined.endpoint)} refused the connection: ` +
        `nothing listens on that port, or a firewall rejects it. ${ALIKE}`,
      seen.refusalTiming
        ? timingEvidence(examined, seen.refusalTiming)
        : [attemptEvidence(examined)],
      'Check on the host whether the service is running, and on which address and port it listens.',
    );
  },
} as const satisfies RuleSection;
