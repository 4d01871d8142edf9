import { type Attempt, reasonOf } from '../../facts/outcome.js';
import type { FilteredReason, Reason } from '../../states.js';
import { formatEndpoint } from '../../target/target.js';
import { TIMINGS } from '../observations/failure-check.js';
import type { Observations } from '../observations/observations.js';
import { certain, probable, type RuleSection } from './conclusion.js';
import {
  answeringPorts,
  attemptEvidence,
  describeResult,
  examinedAttempt,
  isMuchShorter,
  isOpen,
  joinWords,
  timingEvidence,
  untimed,
} from './evidence.js';
import {
  answeredQuickly,
  contradictsAbsence,
  isAbsenceReply,
  isReported,
  neighbourTimeoutName,
} from './host-absence.js';

/** Whether it is an ICMP message about reaching the host, which firewalls also send to reject. */
const IS_UNREACHABLE: Readonly<Record<FilteredReason, boolean>> = {
  'no-response': false,
  'host-unreach': true,
  'net-unreach': true,
  'proto-unreach': true,
  'admin-prohibited': false,
  'icmp-error': true,
};

const ALIKE = 'Both look the same from here.';
const ALL_ALIKE = 'All look the same from here.';

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

/** The other ports about which an ICMP error came back. */
const rejectedPorts = ({ companions }: Observations): Attempt[] =>
  (companions ?? []).filter(isReported);

/** Causes at the host and the port. */
export const PORT_RULES = {
  /** ICMP "prohibited". Not: another ICMP message; this machine forbade the call. */
  prohibited: (seen) => {
    const examined = examinedAttempt(seen);
    if (!examined || reasonOf(examined) !== 'admin-prohibited') return null;
    return certain(
      'A firewall or router answered that connections to ' +
        `${formatEndpoint(examined.endpoint)} are prohibited.`,
      [examined, ...answeringPorts(seen)].map(attemptEvidence),
      'Ask the operator of the firewalls and routers there or on the way. ' +
        'It may also be a firewall of this machine.',
    );
  },

  /**
   * ICMP "unreachable" for this port only. Not: other ports do not answer either; the port is
   * silent. Only a port that opened shows that the host is up: a firewall on the way can refuse for
   * a host that is down.
   */
  'port-rejected': (seen) => {
    const examined = examinedAttempt(seen);
    const answering = answeringPorts(seen);
    if (examined?.state !== 'filtered' || !IS_UNREACHABLE[examined.reason]) return null;
    if (answering.length === 0) return null;
    const { address, port } = examined.endpoint;
    return probable(
      answering.some(isOpen)
        ? `The host is up, and a firewall probably rejects port ${port}: ` +
            `other ports of ${address} answer.`
        : `A firewall probably rejects port ${port}: other ports of ${address} refused instead. ` +
            'Either the host refused them, or a firewall on the way, and the host may be down.',
      [examined, ...answering].map(attemptEvidence),
      "Ask the operator of the host's firewall. " +
        'firewalld rejects every port like this that is not opened.',
    );
  },

  /**
   * Silence on this port only. Not: other ports are silent, too; the port is rejected. Whether the
   * host is up is known as in `port-rejected`.
   */
  'port-filtered': (seen) => {
    const examined = examinedAttempt(seen);
    const answering = answeringPorts(seen);
    if (!examined || reasonOf(examined) !== 'no-response' || answering.length === 0) return null;
    const { address, port } = examined.endpoint;
    const results = answering.map((each) => `${each.endpoint.port} ${describeResult(each)}`);
    return probable(
      answering.some(isOpen)
        ? `The host is up, but port ${port} is probably filtered: ` +
            `${address} answers on other ports (${joinWords(results)}).`
        : `Port ${port} of ${address} is probably filtered: other ports refused ` +
            `(${joinWords(results)}). Either the host refused them, ` +
            'or a firewall on the way, and the host may be down.',
      [examined, ...answering].map(attemptEvidence),
      "Ask the operator of the host's firewall, or of one on the way, to open the port. " +
        'A service too busy to accept connections looks the same, and so does a firewall of ' +
        'this machine that drops the answers.',
    );
  },

  /**
   * "Host unreachable" for several ports, all after the usual time of a failed ARP request. Not: an
   * answer at another time; one port alone. A host or router that rejects and limits its ICMP
   * (icmp_ratelimit, by default 1 a second) may answer the third SYN then; of several ports, it
   * answers some sooner or never.
   */
  'host-absent': (seen) => {
    const host = silentHost(seen);
    const unreachable = (host?.all ?? []).filter(isAbsenceReply);
    if (!host || unreachable.length < 2 || host.all.some(contradictsAbsence)) return null;
    const { address, family } = host.examined.endpoint;
    return probable(
      `Probably no host is at ${address}, or a router on the way is down: the "host unreachable" ` +
        `reply came after about 3 s, the usual ${neighbourTimeoutName(family)} timeout.`,
      unreachable.map(attemptEvidence),
      'Check the address, and that the host and the gateway are on and connected.',
    );
  },

  /** "Host unreachable" for every port. Not: another port answers. */
  'host-unreachable': (seen) => {
    const host = silentHostBy('host-unreach', seen);
    if (!host) return null;
    const { address, family } = host.examined.endpoint;
    return probable(
      isAbsenceReply(host.examined) && !host.all.some(answeredQuickly)
        ? `${address} was reported unreachable after about 3 s: no host has that address (it is ` +
            `the usual ${neighbourTimeoutName(family)} timeout), a router on the way is down, or ` +
            `a router or firewall that limits its replies rejects the connection. ${ALL_ALIKE}`
        : `${address} was reported unreachable: a firewall rejects the connection, a router ` +
            'cannot find the host, or the packets circle between routers until they expire ' +
            `(a routing loop). ${ALL_ALIKE}`,
      host.all.map(attemptEvidence),
      'Check the address and the route (traceroute shows a loop), ' +
        'and ask the operator of the network there.',
    );
  },

  /** "Network unreachable" for every port. Not: another port answers. */
  'network-unreachable': (seen) => {
    const host = silentHostBy('net-unreach', seen);
    return host
      ? probable(
          `The network of ${host.examined.endpoint.address} was reported unreachable: a router ` +
            'on the way has no route or prohibits the connection, or a firewall rejects it. ' +
            ALL_ALIKE,
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
          `${host.examined.endpoint.address} was reported not to support TCP: probably a ` +
            'firewall or router rejects in this unusual way, or the host has no TCP.',
          host.all.map(attemptEvidence),
          'Check the address, and ask the operator of the network there.',
        )
      : null;
  },

  /** An ICMP error that is not "unreachable". Not: another port answers. */
  'icmp-error': (seen) => {
    const host = silentHostBy('icmp-error', seen);
    return host
      ? probable(
          `An unusual ICMP error answered the connection to ${host.examined.endpoint.address}: ` +
            `a router, a firewall or the host itself rejects it. ${ALL_ALIKE}`,
          host.all.map(attemptEvidence),
          'Check the address, and ask the operators of the network on the way.',
        )
      : null;
  },

  /** Silence on this port, and ICMP for others. Not: the others are silent, too; they answer. */
  'others-rejected': (seen) => {
    const host = silentHostBy('no-response', seen);
    const rejected = rejectedPorts(seen);
    if (!host || rejected.length === 0) return null;
    const { address, port } = host.examined.endpoint;
    const results = rejected.map((each) => `${each.endpoint.port} ${describeResult(each)}`);
    const canBeAbsent =
      !contradictsAbsence(host.examined) &&
      rejected.every((each) => reasonOf(each) === 'host-unreach');
    const [absence, alike] = canBeAbsent
      ? [', or no host has that address, or a router on the way is down', ALL_ALIKE]
      : ['', ALIKE];
    return probable(
      `Port ${port} of ${address} does not answer, but other ports were rejected ` +
        `(${joinWords(results)}): a router or firewall drops this port, or rejects every port ` +
        `and limits its replies${absence}. ${alike}`,
      [host.examined, ...rejected].map(attemptEvidence),
      "Ask the operators of the host's firewall and of the network on the way.",
    );
  },

  /** Silence on every port that was tried. Not: another port answers; an ICMP error came. */
  'nothing-answers': (seen) => {
    const host = silentHostBy('no-response', seen);
    if (!host || rejectedPorts(seen).length > 0) return null;
    const { address, port } = host.examined.endpoint;
    const others = (seen.companions ?? []).map(({ endpoint }) => String(endpoint.port));
    const silence =
      others.length > 0
        ? `${address} answers neither on port ${port} nor on ${joinWords(others)}`
        : `${address} does not answer on port ${port}, and no other port was tried`;
    return probable(
      `${silence}: the host is down or answers too late, a firewall drops everything, or the ` +
        `packets or the answers are lost in routing. ${ALL_ALIKE}`,
      host.all.map(attemptEvidence),
      'Check from inside its own network whether the host is up, how fast it answers, and ' +
        'whether it has a route back. If it is well, check the firewalls and routers on the way, ' +
        'and the rules of this machine for incoming packets.',
    );
  },

  /**
   * Every refusal is much faster than every handshake of an open port. Not: one refusal is slow. A
   * busy machine delays some. A host farther away looks the same.
   */
  'refused-on-the-way': (seen) => {
    const { refusalTiming: timing } = seen;
    const examined = examinedAttempt(seen);
    if (examined?.state !== 'closed' || !timing) return null;
    if (timing.pairs < TIMINGS || !isMuchShorter(timing.slowestRefusedMs, timing.openMs))
      return null;
    const { port } = examined.endpoint;
    return probable(
      `A firewall on the way probably refuses port ${port}, or port ${timing.openPort} is ` +
        'forwarded to a host farther away: each refusal came much faster than each handshake ' +
        `with port ${timing.openPort}.`,
      timingEvidence(examined, timing),
      'Ask the operators of the firewalls between here and the host.',
    );
  },

  /**
   * A refusal. Not: silence; another ICMP error. Of an own address the system's table of sockets
   * may show that nothing listens there.
   */
  refused: (seen) => {
    const examined = examinedAttempt(seen);
    if (examined?.state !== 'closed') return null;
    const what = `${formatEndpoint(examined.endpoint)} refused the connection`;
    if (seen.listeners?.length === 0)
      return certain(
        `${what}, and nothing listens on that port of this machine.`,
        [attemptEvidence(examined), untimed('no socket of this machine listens there')],
        'Start the service, or find out on which port it listens. ' +
          'If this machine forwards the port, to a container for example, look there.',
      );
    return certain(
      `${what}: nothing listens on that port, or a firewall rejects it. ${ALIKE}`,
      seen.refusalTiming
        ? timingEvidence(examined, seen.refusalTiming)
        : [attemptEvidence(examined)],
      'Check on the host whether the service is running, and on which address and port it listens.',
    );
  },
} as const satisfies RuleSection;
