import { formatEndpoint } from '../../target/target.js';
import type {
  DnsAnswer,
  DnsServerObservation,
  Observations,
} from '../observations/observations.js';
import { certain, possible, probable, type RuleSection } from './conclusion.js';
import {
  attemptEvidence,
  examinedAttempt,
  givenAttempt,
  isMuchShorter,
  isOpen,
  joinWords,
  overallAnswer,
  serverEvidence,
  untimed,
  typesWith,
} from './evidence.js';
import { compareHostsFile, compareServers } from './name-sources.js';

/** Answers of a server that works. The name may still have no address. */
const USEFUL: ReadonlySet<DnsAnswer['kind']> = new Set<DnsAnswer['kind']>([
  'addresses',
  'unspecified',
  'no-such-name',
  'no-record',
  'cancelled',
]);

/** `192.0.2.53`, or `192.0.2.53 for AAAA`; undefined if the server works. */
function describeAiling(server: DnsServerObservation): string | undefined {
  if (!USEFUL.has(overallAnswer(server))) return server.server;
  const silent = typesWith(server, 'silent');
  return silent.length > 0 ? `${server.server} for ${joinWords(silent)}` : undefined;
}

/** How the other side dropped a connection that had opened; null if it did not. */
function findDrop(seen: Observations) {
  const dropped = [examinedAttempt(seen), givenAttempt(seen)].find(
    (each) => each?.state === 'open' && each.dropped !== null,
  );
  if (dropped?.state !== 'open' || !dropped.dropped) return null;
  const { by, afterMs, receivedBytes } = dropped.dropped;
  const how = by === 'reset' ? 'reset' : 'closed';
  const fact = `the other side ${how} the connection`;
  return { receivedBytes, how, evidence: [attemptEvidence(dropped), { fact, elapsedMs: afterMs }] };
}

/** Causes behind an open port, and problems beside one. */
export const SERVICE_RULES = {
  /**
   * The port is open at an address that no host may have. Not: that address is silent. Not: the
   * target answers from farther away or from nearer, so something else does.
   */
  'answered-by-somebody-else': (seen) => {
    const { nobody: unused } = seen;
    const open = [examinedAttempt(seen), givenAttempt(seen)].find(isOpen);
    if (unused?.state !== 'open' || open?.state !== 'open') return null;
    const both = [unused.latencyMs, open.latencyMs];
    if (isMuchShorter(Math.min(...both), Math.max(...both))) return null;
    return probable(
      'Something on the way or on this machine, such as a captive portal or a proxy, probably ' +
        'answers ' +
        `everything: the port is open even at ${unused.endpoint.address}, ` +
        'an address that no host may have.',
      [open, unused].map(attemptEvidence),
      'Sign in to the network with a browser, try from another network, or look for a redirect ' +
        'on this machine (on Linux: nft list ruleset, iptables -t nat -S OUTPUT). ' +
        'Nothing was learned about the host.',
    );
  },

  /** The other side dropped the open connection in silence. Not: it spoke first; it stayed. */
  'dropped-at-once': (seen) => {
    const drop = findDrop(seen);
    if (!drop || drop.receivedBytes > 0) return null;
    return probable(
      `The port is open, but the other side ${drop.how} the connection at once: ` +
        'a load balancer or proxy with no service behind it, a service that refuses this ' +
        'client, or a firewall. All look the same from here.',
      drop.evidence,
      'Check the service behind that port and its access lists, then the firewalls on the way.',
    );
  },

  /**
   * The kernel repeated the SYN. Not: it did not, and the answer itself took long. It is certain
   * that the first SYN had no answer if the round trip is much shorter than the handshake was.
   */
  'handshake-delayed': (seen) => {
    const slow = [examinedAttempt(seen), givenAttempt(seen)].find(
      (each) => each?.state === 'open' && each.kernel && each.kernel.repeatedSyns > 0,
    );
    if (slow?.state !== 'open' || !slow.kernel) return null;
    const { roundTripMs, repeatedSyns, cause } = slow.kernel;
    const times = repeatedSyns === 1 ? 'once' : `${repeatedSyns} times`;
    const evidence = [
      attemptEvidence(slow),
      untimed(`the kernel repeated the SYN ${times}`),
      ...(roundTripMs === null ? [] : [{ fact: 'round trip', elapsedMs: roundTripMs }]),
    ];
    const endpoint = formatEndpoint(slow.endpoint);
    const advice =
      'Look for packet loss on the way. Check also whether the host is too busy to accept ' +
      'connections (on Linux: nstat -az TcpExtListenOverflows).';
    return cause === 'lost-syn'
      ? certain(
          `The port is open, but the first SYN to ${endpoint} was lost on the way, the host ` +
            'ignored it, or its answer was lost. All look the same from here. ' +
            'The distance is not why the handshake took long.',
          evidence,
          advice,
        )
      : probable(
          `The port is open, but the SYN to ${endpoint} had to be repeated: it or its answer was ` +
            'lost, or the answer took longer than a second. All look the same from here.',
          evidence,
          advice,
        );
  },

  /** The hosts file and DNS differ, and the port is open. Not: both have the same address. */
  'hosts-file-differs': (seen) => (seen.outcome.state === 'open' ? compareHostsFile(seen) : null),

  /** Servers exclude each other, and the port is open. Not: they have an address in common. */
  'dns-servers-differ': (seen) => (seen.outcome.state === 'open' ? compareServers(seen) : null),

  /** The name resolves, but a server gave no usable answer. Not: every server has the name. */
  'dns-server-ailing': ({ name, outcome }) => {
    const ailing = name.servers.filter((each) => describeAiling(each) !== undefined);
    if (name.resolution.state !== 'resolved' || ailing.length === 0) return null;
    const isPortOpen = outcome.state === 'open';
    const conclude = isPortOpen ? certain : possible;
    const list = joinWords(ailing.flatMap((each) => describeAiling(each) ?? []));
    return conclude(
      `${isPortOpen ? 'The port is open, but not' : 'Not'} every question to DNS has a usable ` +
        `answer: there is none from ${list}. Names may resolve slowly.`,
      ailing.flatMap(serverEvidence),
      'Repair that server, or remove it from the configuration.',
    );
  },

  /** The port is open. Not: only the extra address is open; it is closed. */
  open: (seen) => {
    const open = [examinedAttempt(seen), givenAttempt(seen)].find(isOpen);
    return open && seen.outcome.state === 'open'
      ? certain(
          `${formatEndpoint(open.endpoint)} is open. Only the handshake was tried.`,
          [attemptEvidence(open)],
          'If the application still fails, check the service (--service) and its settings. ' +
            'Firewalls may stop what follows the handshake, and a small MTU large packets.',
        )
      : null;
  },

  /** The other side spoke, then ended the connection. Not: it ended it in silence. */
  'closed-after-data': (seen) => {
    const drop = findDrop(seen);
    if (!drop || drop.receivedBytes === 0) return null;
    return possible(
      `The service sent ${drop.receivedBytes} bytes, then ${drop.how} the connection. ` +
        'Some services do no more (daytime), and some refuse a client in this way.',
      drop.evidence,
      'Read what it says with --service banner.',
    );
  },
} as const satisfies RuleSection;
