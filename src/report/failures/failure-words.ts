import {
  type ErrorFacts,
  type FailedOutcome,
  type FilteredOutcome,
  isNeighbourTimeout,
  type ProbeReport,
  type ResolvingFailed,
} from '../../core/facts/outcome.js';
import {
  isInvalidRemote,
  isPortBoundByLibuv,
  isUnknownToLibuv,
  LOCAL_NETWORK_CODE,
} from '../../core/errors/socket-errors.js';
import type { FailedReason, FilteredReason } from '../../core/states.js';
import { formatEndpoint } from '../../core/target/target.js';
import { explainError, ICMP_ERRORS } from './error-words.js';
import { escapeControls } from '../escape.js';
import { formatDuration, formatWait } from '../numbers.js';
import type { Explanation } from '../outcome-words.js';
import { explainUnresolved } from './resolution-words.js';
import { CLOSED, NO_FILES_LEFT, NOTHING_SENT } from './words-at-hand.js';

/** Below this an answer may simply need more time: a repeated SYN takes 1 s. Milliseconds. */
const SHORT_TIMEOUT_MS = 1000;

function explainNoResponse(outcome: FilteredOutcome, report: ProbeReport): Explanation {
  const { target, attempts, resolution, timeoutMs } = report;
  const silent = attempts
    .filter((each) => each.state === 'filtered' && each.reason === 'no-response')
    .map((each) => each.endpoint.address);
  const addresses = silent.join(silent.length === 2 ? ' and ' : ', ');
  const after = formatWait(outcome.elapsedMs, timeoutMs);
  const [resolving, timeout] = [resolution.elapsedMs, timeoutMs].map(formatDuration);
  const slowName =
    resolution.elapsedMs > timeoutMs / 2
      ? ` Resolving the name took ${resolving} of the ${timeout} timeout.`
      : '';
  const command = `portping --diagnose ${escapeControls(target.host)} ${target.port}`;
  const late =
    outcome.elapsedMs < SHORT_TIMEOUT_MS ? ` its answer takes longer than ${after},` : '';
  return {
    what: `no answer from ${addresses} within ${after}.${slowName}`,
    advice:
      `A firewall drops the packets, the host is absent or overloaded,${late} or a router on the ` +
      'way is down or misrouted. All look the same from here. ' +
      `Run \`${command}\` to find out more.`,
  };
}

function explainHostUnreachable(outcome: FilteredOutcome): Explanation {
  const { address, family } = outcome.endpoint;
  const after = formatDuration(outcome.elapsedMs);
  const what = `connecting to ${address} failed with "host unreachable" after ${after}`;
  if (isNeighbourTimeout(outcome))
    return {
      what: `${what}, the usual ${family === 4 ? 'ARP' : 'neighbour discovery'} timeout.`,
      advice:
        'No host with this address is up in its network, a router on the way is down, or a ' +
        'router or firewall that limits its replies rejects the connection. ' +
        'All look the same from here. Check the address, that the host and the gateway are on, ' +
        'and the firewalls.',
    };
  return {
    what: `${what}.`,
    advice:
      'A firewall rejects the connection, a router does not find the host, or the packets ' +
      'circle between routers until they expire (a routing loop). All look the same from here. ' +
      'Check the address, the routing and the firewalls, also the one on this machine ' +
      '(firewalld rejects in this way by default).',
  };
}

function explainIcmpError({ endpoint, elapsedMs, error }: FilteredOutcome): Explanation {
  const message = ICMP_ERRORS[error.code] ?? 'an unknown message';
  const after = formatDuration(elapsedMs);
  return {
    what: `connecting to ${endpoint.address} failed after ${after} with an ICMP error: ${message}.`,
    advice:
      'The packet left this machine. A router, a firewall or the host rejected it in this ' +
      'unusual way. Ask the operators of the network on the way.',
  };
}

const FILTERED: Record<
  FilteredReason,
  (outcome: FilteredOutcome, report: ProbeReport) => Explanation
> = {
  'no-response': explainNoResponse,
  'host-unreach': explainHostUnreachable,
  'net-unreach': ({ endpoint, elapsedMs }) => ({
    what:
      `connecting to ${endpoint.address} failed with "network unreachable" ` +
      `after ${formatDuration(elapsedMs)}.`,
    advice:
      'A router has no route to that network or prohibits the connection, or a firewall rejects ' +
      'it. All look the same from here. Check the address, the routing, the VPN if you need one, ' +
      'and the firewalls, also the one on this machine.',
  }),
  'proto-unreach': ({ endpoint, elapsedMs }) => ({
    what:
      `connecting to ${endpoint.address} failed with "protocol unreachable" ` +
      `after ${formatDuration(elapsedMs)}.`,
    advice:
      'Probably a firewall or router rejects the connection in an unusual way, or the host has ' +
      'no TCP. Check the address, and ask the administrator of the network there.',
  }),
  'admin-prohibited': ({ endpoint, elapsedMs }) => ({
    what:
      `a firewall or router reported after ${formatDuration(elapsedMs)} that connections to ` +
      `${formatEndpoint(endpoint)} are prohibited.`,
    advice:
      'This is policy, not a fault of the host. ' +
      'Ask the administrator of the firewall or router, which may be this machine.',
  }),
  'icmp-error': explainIcmpError,
};

type Failed = FailedOutcome | ResolvingFailed;

/** Apple TN3179, "macOS considerations". */
const LOCAL_NETWORK_ADVICE =
  'Allow the app that started portping in System Settings > Privacy & Security > Local Network. ' +
  'Terminal, ssh and root need no permission. A VPN or security software can also do this.';

/** What could not be reached: an address, or a name while it was being resolved. */
const destinationOf = (outcome: Failed): string =>
  escapeControls('endpoint' in outcome ? outcome.endpoint.address : outcome.host);

function explainNoRoute(outcome: Failed): Explanation {
  const destination = destinationOf(outcome);
  if (isInvalidRemote(outcome.error))
    return {
      what: `Windows cannot connect to ${destination}. ${NOTHING_SENT}`,
      advice: destination.includes(':')
        ? 'It is not the address of a single host, or this machine has no IPv6. Check both.'
        : 'It is not the address of a single host, but multicast or broadcast, for example.',
    };
  return {
    what: `this machine has no usable route to ${destination}. ${NOTHING_SENT}`,
    advice: "Check this machine's network connection, its default route and its VPN.",
  };
}

function explainNotPermitted(outcome: Failed): Explanation {
  const destination = destinationOf(outcome);
  if (outcome.error.code === LOCAL_NETWORK_CODE)
    return {
      what: `macOS stopped the connection to ${destination} in the local network. ${NOTHING_SENT}`,
      advice: LOCAL_NETWORK_ADVICE,
    };
  return {
    what: `this machine does not permit connections to ${destination}. ${NOTHING_SENT}`,
    advice:
      "Check this machine's firewall, policy routes and sandbox. The other side is not involved.",
  };
}

/** Why connections cannot share the source ports that are left. */
function explainOwnPorts(error: ErrorFacts): string {
  if (isPortBoundByLibuv(error))
    return (
      ' (netsh int ipv4 set dynamicport tcp). ' +
      'On Windows each connection of portping needs a port of its own.'
    );
  if (error.code !== 'EADDRINUSE') return '.';
  return (
    '. With --source each connection needs a port of its own; ' +
    'without it, connections to different targets can share one.'
  );
}

const explainNoPorts = ({ error }: Failed): Explanation => ({
  what: `this machine has no free source port for the connection. ${NOTHING_SENT}`,
  advice:
    'Too many connections are open, or were closed within the last minute (TIME_WAIT). ' +
    `Wait, or widen the range of ephemeral ports${explainOwnPorts(error)}`,
});

/** An error that says little. */
function explainUnknownError({ error }: Failed): Explanation {
  if (isUnknownToLibuv(error))
    return {
      what: 'Windows gave no reason that Node can pass on.',
      advice:
        "Most often this machine's network is down (WSAENETDOWN), or no host answers at the " +
        'address (WSAEHOSTDOWN). Check the network connection, then the address.',
    };
  if (error.code === 'ECONNABORTED')
    return {
      what: 'this machine aborted the connection before it was open.',
      advice:
        'Often local security software does this: a firewall, an antivirus program or a VPN. ' +
        'A change of the network can do it, too. Try again, then check this software.',
    };
  return {
    what:
      `${error.syscall ? escapeControls(error.syscall) : 'the probe'} failed with an error that ` +
      `${error.winsock === null ? "is not in portping's table" : 'is unusual for a probe'}.`,
    advice: 'Nothing was learned about the port. Please report this line as a bug.',
  };
}

const FAILED: Record<FailedReason, (outcome: Failed) => Explanation> = {
  'no-route': explainNoRoute,
  'no-ports-left': explainNoPorts,
  'no-files-left': () => NO_FILES_LEFT,
  'not-permitted': explainNotPermitted,
  'bad-source': () => ({
    what: `this machine cannot use the source address for this target. ${NOTHING_SENT}`,
    advice: 'Use an address that this machine has, of the same family as the target.',
  }),
  'no-resources': () => ({
    what: `the system had no memory or buffers for the connection. ${NOTHING_SENT}`,
    advice: "Check this machine's load, then try again.",
  }),
  'unknown-error': explainUnknownError,
};

/** Why the target is not open. Null when it is, and when the probe was cancelled. */
export function explainFailure(report: ProbeReport): Explanation | null {
  const { outcome } = report;
  switch (outcome.state) {
    case 'open':
    case 'cancelled':
      return null;
    case 'closed':
      return explainError(outcome.error, CLOSED[outcome.reason](outcome));
    case 'filtered':
      return explainError(outcome.error, FILTERED[outcome.reason](outcome, report));
    case 'failed':
      return explainError(outcome.error, FAILED[outcome.reason](outcome));
    case 'unresolved':
      return explainError(outcome.error, explainUnresolved(outcome, report.timeoutMs));
    default:
      return outcome satisfies never;
  }
}
