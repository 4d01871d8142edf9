import { formatEndpoint, formatHostPort } from '../../target/target.js';
import { listAddresses } from '../observations/name-check.js';
import type {
  DnsAnswer,
  DnsServerObservation,
  Observations,
} from '../observations/observations.js';
import { certain, type Conclusion, possible, type Rule, type RuleSection } from './conclusion.js';
import {
  attemptEvidence,
  dnsOnlyAttempts,
  examinedAttempt,
  givenAttempt,
  isOpen,
  joinWords,
  listAttempted,
  overallAnswer,
  resolverAttempts,
  serverEvidence,
  untimed,
} from './evidence.js';

/** The addresses that the DNS servers have, each once. */
const dnsAddresses = ({ name }: Observations): string[] => [
  ...new Set(name.servers.flatMap(listAddresses)),
];

/** The DNS servers that gave a kind of answer, as the subject of a sentence. */
interface Subject {
  readonly servers: string;
  /** Chooses the form of the verb: `says` for one server, `say` for several. */
  readonly verb: (one: string, several: string) => string;
}

function subjectOf(servers: readonly DnsServerObservation[]): Subject {
  const several = servers.length > 1;
  return {
    servers: `DNS server${several ? 's' : ''} ${joinWords(servers.map(({ server }) => server))}`,
    verb: (one, other) => (several ? other : one),
  };
}

/** The name did not resolve, and this answer of DNS servers is the cause. */
const nameFailure =
  (
    kind: DnsAnswer['kind'],
    describe: (subject: Subject, name: string) => string,
    advice: string,
  ): Rule =>
  (seen) => {
    const { servers } = seen.name;
    const atFault = servers.filter((each) => overallAnswer(each) === kind);
    if (seen.outcome.state !== 'unresolved' || atFault.length === 0) return null;
    const given = givenAttempt(seen);
    const service =
      given && isOpen(given)
        ? `, not the service, which is open at ${formatEndpoint(given.endpoint)}`
        : '';
    return certain(
      `Name resolution is at fault${service}: ${describe(subjectOf(atFault), seen.target.host)}.`,
      [...servers.map(serverEvidence), ...(given ? [attemptEvidence(given)] : [])],
      advice,
    );
  };

/**
 * The hosts file has an address that DNS does not have. Certain only if that decides: the port is
 * open at an address in DNS, or at the address in the file.
 */
export function compareHostsFile(seen: Observations): Conclusion | null {
  const inDns = dnsAddresses(seen);
  const { path, addresses: inFile } = seen.name.hostsFile ?? { path: '', addresses: [] };
  if (inDns.length === 0 || inFile.every((address) => inDns.includes(address))) return null;
  const tried = dnsOnlyAttempts(seen);
  const live = tried.filter(isOpen);
  const dnsHas =
    live.length > 0 ? `${listAttempted(live)}, where the port is open` : joinWords(inDns);
  const conclude = live.length > 0 || seen.outcome.state === 'open' ? certain : possible;
  return conclude(
    `The hosts file of this machine overrides DNS for ${seen.target.host}: ` +
      `it has ${joinWords(inFile)}, but DNS has ${dnsHas}.`,
    [
      untimed(`${path}: ${inFile.join(', ')}`),
      ...seen.name.servers.map(serverEvidence),
      ...[...resolverAttempts(seen), ...tried].map(attemptEvidence),
    ],
    `Remove the entry from ${path} if it is wrong.`,
  );
}

const describeAddresses = (server: DnsServerObservation): string =>
  overallAnswer(server) === 'addresses'
    ? `${server.server} has ${listAddresses(server).join(', ')}`
    : `${server.server} has no address`;

/** Whether an answer of two excludes the other: addresses and none, or no address in common. */
function doServersDisagree(answers: readonly DnsServerObservation[]): boolean {
  const [first, ...others] = answers.map(listAddresses).filter((each) => each.length > 0);
  const isWithout = answers.some((each) => overallAnswer(each) !== 'addresses');
  return (
    first !== undefined &&
    (isWithout || others.some((each) => !each.some((address) => first.includes(address))))
  );
}

/**
 * The DNS servers' answers exclude each other. That may be on purpose (load balancing, views), so
 * it is certain only if it decides: the name does not resolve, the port is open only at an address
 * of another server, or some applications get no address.
 */
export function compareServers(seen: Observations): Conclusion | null {
  const answers = seen.name.servers.filter((each) =>
    ['addresses', 'no-such-name', 'no-record'].includes(overallAnswer(each)),
  );
  if (!doServersDisagree(answers)) return null;
  const live = isOpen(examinedAttempt(seen)) ? [] : dnsOnlyAttempts(seen).filter(isOpen);
  const isWithout = answers.some((each) => overallAnswer(each) !== 'addresses');
  const { state } = seen.outcome;
  const decides = state === 'unresolved' || live.length > 0 || (state === 'open' && isWithout);
  const conclude = decides ? certain : possible;
  return conclude(
    `The DNS servers of this machine disagree about ${seen.target.host}: ` +
      `${joinWords(answers.map(describeAddresses))}.` +
      (live.length > 0 ? ` The port is open at ${listAttempted(live)}.` : ''),
    [
      ...seen.name.servers.map(serverEvidence),
      ...seen.addresses.map(({ attempt }) => attemptEvidence(attempt)),
    ],
    'Ask the operators of these DNS servers. Until then, applications get one answer or the other.',
  );
}

/** Causes in name resolution. */
export const NAME_RULES = {
  /** The hosts file and DNS differ, and the port is not open. Not: both have the same address. */
  'hosts-file-override': (seen) => (seen.outcome.state === 'open' ? null : compareHostsFile(seen)),

  /** Servers exclude each other, and the port is not open. Not: a server failed to answer. */
  'dns-servers-disagree': (seen) => (seen.outcome.state === 'open' ? null : compareServers(seen)),

  /** The name exists only with a search domain, and did not resolve. Not: it does not exist. */
  'only-with-search-domain': ({ outcome, name, target }) => {
    const [found] = name.foundBySearch;
    if (outcome.state !== 'unresolved' || !found) return null;
    return certain(
      `The name ${target.host} does not exist. ` +
        `With a search domain of this machine, ${found.name} exists.`,
      [
        ...name.servers.map(serverEvidence),
        untimed(`${found.name}: ${found.addresses.join(', ')}`),
      ],
      `Use ${formatHostPort(found.name, target.port)}.`,
    );
  },

  /** DNS has an address, but the resolver found none. Not: DNS has none either. */
  'only-in-dns': (seen) =>
    seen.outcome.state === 'unresolved' && dnsAddresses(seen).length > 0
      ? certain(
          'Name resolution on this machine is at fault: ' +
            `DNS has an address for ${seen.target.host}, ` +
            "but the system's resolver, which applications use, finds none.",
          [
            ...seen.name.servers.map(serverEvidence),
            untimed(`the system's resolver: ${seen.outcome.error.code}`),
          ],
          "Check which sources the system's resolver asks, and in which order " +
            '(on Linux: the hosts line of /etc/nsswitch.conf).',
        )
      : null,

  /** A server answered NXDOMAIN. Not: the name exists without an address. */
  'name-not-found': nameFailure(
    'no-such-name',
    ({ servers, verb }, name) =>
      `${servers} ${verb('says', 'say')} that ${name}, or the name it is an alias for, ` +
      'does not exist (NXDOMAIN)',
    'Check the spelling. If the name is an alias (CNAME), check the name it points to. ' +
      "If both are right, ask the operator of the domain's DNS.",
  ),

  /** A server answered SERVFAIL. Not: REFUSED. */
  'dns-servfail': nameFailure(
    'servfail',
    ({ servers }, name) => `${servers} failed to resolve ${name} (SERVFAIL)`,
    'Check that server and the servers of the domain. ' +
      'It may not reach them, or their DNSSEC signatures may be wrong.',
  ),

  /** A server answered REFUSED. Not: SERVFAIL. */
  'dns-refused': nameFailure(
    'refused',
    ({ servers, verb }) =>
      `${servers} ${verb('refuses', 'refuse')} to answer this machine (REFUSED)`,
    'Use a DNS server that serves this network, or ask the operator of that one to admit it.',
  ),

  /** A server answered FORMERR, NOTIMP or malformed. Not: SERVFAIL. */
  'dns-broken': nameFailure(
    'broken',
    ({ servers }) => `${servers} sent an unusable answer`,
    'Check that server. Something on the way may also change DNS answers.',
  ),

  /** A server's port refused. Not: silence. */
  'dns-unreachable': nameFailure(
    'unreachable',
    ({ servers }) => `nothing listens at ${servers}`,
    'Start that server, or configure another one (on Linux: /etc/resolv.conf).',
  ),

  /** A server did not answer in time. Not: its port refused. */
  'dns-silent': nameFailure(
    'silent',
    ({ servers, verb }) => `${servers} ${verb('does', 'do')} not answer`,
    'Check that server, or configure another one. ' +
      'It is down, or its packets are dropped. Both look the same from here.',
  ),

  /** A server answered that the name exists without an address (NODATA). Not: NXDOMAIN. */
  'name-no-address': nameFailure(
    'no-record',
    ({ servers, verb }, name) =>
      `${servers} ${verb('says', 'say')} that ${name} exists ` +
      'but has no address of the requested kind',
    "Ask the operator of the domain's DNS for an A or AAAA record.",
  ),

  /** The resolver found nothing, and no DNS server is configured. Not: a server answered. */
  unresolved: ({ outcome, name, target }) =>
    outcome.state === 'unresolved' && name.servers.length === 0
      ? certain(
          `Name resolution is at fault: the system's resolver finds no address for ${target.host}.`,
          [
            {
              fact: `the system's resolver: ${outcome.error.code}`,
              elapsedMs: outcome.elapsedMs,
            },
          ],
          'Check the spelling, and the resolver of this machine.',
        )
      : null,
} as const satisfies RuleSection;
