import {
  type ErrorFacts,
  type FailedOutcome,
  type FilteredOutcome,
  isNeighbourTimeout,
  type Outcome,
  type ProbeReport,
  type ResolvingFailed,
  type Unresolved,
} from '../core/facts/outcome.js';
import { formatEndpoint } from '../core/target/target.js';
import { winsockByNumber } from '../core/errors/winsock.js';
import { escapeControls } from './escape.js';
import { formatDuration } from './numbers.js';
import { adviseOnService, describeService } from './service.js';

/** Why a port is not open, or its service not there, for people: what was seen, and the most useful next step. Each is one line. */
export interface Explanation {
  readonly what: string;
  readonly advice: string;
}

/** An error's names: `10061 WSAECONNREFUSED (ECONNREFUSED)`, or that it is unknown, with its raw name and number. */
function formatError(error: ErrorFacts): string {
  const row = error.winsock === null ? undefined : winsockByNumber(error.winsock);
  if (row) return `${row.winsock} ${row.name} (${escapeControls(error.code)})`;
  return `Unknown error ${escapeControls(error.code)}${error.errno === null ? '' : ` (${error.errno})`}`;
}

const list = (words: readonly string[]): string => words.join(words.length === 2 ? ' and ' : ', ');

function explainFiltered(
  outcome: FilteredOutcome,
  { target, attempts, resolution, timeoutMs }: ProbeReport,
): Explanation {
  const { address } = outcome.endpoint;
  const after = formatDuration(outcome.elapsedMs);
  switch (outcome.reason) {
    case 'no-response': {
      const silent = attempts
        .filter((each) => each.state === 'filtered' && each.reason === 'no-response')
        .map((each) => each.endpoint.address);
      const slowName =
        resolution.elapsedMs > timeoutMs / 2
          ? ` Resolving the name took ${formatDuration(resolution.elapsedMs)} of the ${formatDuration(timeoutMs)}.`
          : '';
      return {
        what: `no answer from ${list(silent)} within ${after}.${slowName}`,
        advice: `A firewall is dropping the packets, or no host is there: the two look alike from here. \`portping --diagnose ${escapeControls(target.host)} ${target.port}\` tells more.`,
      };
    }
    case 'host-unreach':
      return isNeighbourTimeout(outcome)
        ? {
            what: `${address} was reported unreachable after ${after}, about as long as an unanswered request for a neighbour takes.`,
            advice:
              'Probably no host with this address is up in its network. Check the address, and that the host is on.',
          }
        : {
            what: `${address} was reported unreachable after ${after}.`,
            advice:
              "A firewall rejects this (firewalld's default answer; it may be this machine's own), or a router does not find the host: they look alike from here.",
          };
    case 'net-unreach':
      return {
        what: `a router answered after ${after} that it has no route to ${address}.`,
        advice:
          'The network there is down or not announced: check the address, a VPN that should be up, and the routing on the way.',
      };
    case 'proto-unreach':
      return {
        what: `${address} answered after ${after} that it does not speak TCP.`,
        advice: 'Probably a firewall that rejects in an unusual way; ask whoever runs it.',
      };
    case 'admin-prohibited':
      return {
        what: `a firewall answered after ${after} that traffic to ${formatEndpoint(outcome.endpoint)} is prohibited.`,
        advice:
          'The refusal is policy and not a fault of the host: ask whoever runs the firewall there, or the one on this machine.',
      };
    default:
      return outcome.reason satisfies never;
  }
}

const SHARED_PORTS =
  ' With --source each connection needs a port of its own; without it, connections to different targets can share one.';

function explainFailed({
  reason,
  error,
  ...outcome
}: FailedOutcome | ResolvingFailed): Explanation {
  const to = 'endpoint' in outcome ? outcome.endpoint.address : outcome.host;
  switch (reason) {
    case 'no-route':
      return {
        what: `this machine has no usable route to ${escapeControls(to)}; nothing was sent.`,
        advice:
          'Check the network connection of this machine, its default route, and a VPN that should be up.',
      };
    case 'no-ports-left':
      return {
        what: 'this machine has no free source port for the connection; nothing was sent.',
        advice:
          'Too many connections are open or were closed within the last minute (TIME_WAIT): ' +
          `wait, or widen the range of ephemeral ports.${error.code === 'EADDRINUSE' ? SHARED_PORTS : ''}`,
      };
    case 'no-files-left':
      return {
        what: 'no file descriptor was left for the probe; nothing was sent.',
        advice: 'Raise the limit (ulimit -n), or close what holds them.',
      };
    case 'not-permitted':
      return {
        what: `this machine does not permit connections to ${escapeControls(to)}; nothing was sent.`,
        advice:
          'A local firewall, a policy route or a sandbox forbids it: look there, not at the other side.',
      };
    case 'bad-source':
      return {
        what: 'the source address cannot be used on this machine for this target; nothing was sent.',
        advice: 'Give an address that this machine has, of the family of the target.',
      };
    case 'no-resources':
      return {
        what: 'the system had no memory or buffers for the connection; nothing was sent.',
        advice: 'Look at the load of this machine, and try again.',
      };
    case 'unknown-error':
      return {
        what: `${error.syscall ? `${escapeControls(error.syscall)} failed with an error` : 'an error came'} that ${error.winsock === null ? "is not in portping's table" : 'a probe does not usually meet'}.`,
        advice: 'Nothing was learned about the port. Please report it with this line.',
      };
    default:
      return reason satisfies never;
  }
}

/** What c-ares' codes mean, in a few words. */
const ANSWERS: Partial<Record<string, string>> = {
  ENOTFOUND: 'no such name',
  ENODATA: 'no address',
  ESERVFAIL: 'SERVFAIL',
  EREFUSED: 'REFUSED',
  EFORMERR: 'FORMERR',
  ENOTIMP: 'NOTIMP',
  ECONNREFUSED: 'nobody listens there',
  ETIMEOUT: 'no answer',
};

/** The configured DNS servers and, where they were asked, what each said: `DNS 192.0.2.53: no such name`. */
function describeServers({ servers, answers = [] }: Unresolved): string {
  if (answers.length === 0) return `DNS: ${list(servers.map(escapeControls))}`;
  const said = servers.map((server) => {
    const answer = answers.find((each) => each.server === server);
    if (!answer) return escapeControls(server);
    return `${escapeControls(server)}: ${answer.code === null ? 'has addresses' : (ANSWERS[answer.code] ?? escapeControls(answer.code))}`;
  });
  return `DNS ${said.join('; ')}`;
}

/** In less than that many answers that are on their way do not come: from far away, or from a server that asks others first. Milliseconds. */
const LITTLE_TIME_MS = 1000;

function explainUnresolved(outcome: Unresolved): Explanation {
  const { reason, host, family, via, servers, elapsedMs, error } = outcome;
  const name = escapeControls(host);
  const after = formatDuration(elapsedMs);
  const who = via === 'system' ? "the system's resolver" : `the DNS server ${escapeControls(via)}`;
  const asked =
    via === 'system' && servers.length > 0 ? `${who} (${describeServers(outcome)})` : who;
  const tryAddress =
    'Try the IP address: if that works, name resolution is at fault and not the service.';
  switch (reason) {
    case 'name-not-found':
      return {
        what: `there is no name ${name}, says ${asked} after ${after}.`,
        advice: `Check the spelling and, if the name is an alias (CNAME), the name it stands for. ${tryAddress}`,
      };
    case 'name-no-address':
      if (via === 'literal')
        return {
          what: `${name} is not an IPv${family} address.`,
          advice: `Leave out -${family}, or --source, or give an IPv${family} address.`,
        };
      return {
        what: `the name ${name} exists but has no ${family === 0 ? '' : `IPv${family} `}address, says ${asked} after ${after}.`,
        advice:
          family === 0
            ? 'Its A and AAAA records are missing; ask whoever runs its DNS.'
            : `Try without -${family}, or ask whoever runs its DNS.`,
      };
    case 'resolver-failed': {
      const said: Partial<Record<string, string>> = {
        ESERVFAIL: 'the DNS server failed (SERVFAIL)',
        EREFUSED: 'the DNS server refuses to answer (REFUSED)',
        ECONNREFUSED: 'no DNS server can be reached',
        EFORMERR: 'the DNS server did not understand (FORMERR)',
        ENOTIMP: 'the DNS server cannot do this (NOTIMP)',
      };
      return {
        what: `${said[error.code] ?? 'resolving failed'}, says ${asked} about ${name} after ${after}.`,
        advice: `Look at that resolver. ${tryAddress}`,
      };
    }
    case 'resolver-timeout': {
      const cause =
        elapsedMs < LITTLE_TIME_MS
          ? 'That is little time for a name: give it more (--timeout).'
          : 'The DNS server is down or its packets are dropped.';
      return {
        what: `no answer about ${name} from ${asked} within ${after}.`,
        advice: `${cause} ${tryAddress}`,
      };
    }
    default:
      return reason satisfies never;
  }
}

function explainOutcome(outcome: Outcome, report: ProbeReport): Explanation | null {
  switch (outcome.state) {
    case 'open': {
      const advice = outcome.service && adviseOnService(outcome.service);
      return outcome.service && advice !== null
        ? { what: `Service: ${describeService(outcome.service)}`, advice }
        : null;
    }
    case 'cancelled':
      return null;
    case 'closed':
      return {
        what: `${formatEndpoint(outcome.endpoint)} refused after ${formatDuration(outcome.elapsedMs)}.`,
        advice:
          'The host is up, but nothing listens on that port there, or a firewall rejects it: the two look alike from here.',
      };
    case 'filtered':
      return explainFiltered(outcome, report);
    case 'failed':
      return explainFailed(outcome);
    case 'unresolved':
      return explainUnresolved(outcome);
    default:
      return outcome satisfies never;
  }
}

/** Why the target is not open, or its service not there; null when all is well (or when nobody waited for the verdict). */
export function explain(report: ProbeReport): Explanation | null {
  const explanation = explainOutcome(report.outcome, report);
  if (explanation === null || !('error' in report.outcome)) return explanation;
  return { ...explanation, what: `${formatError(report.outcome.error)}: ${explanation.what}` };
}
