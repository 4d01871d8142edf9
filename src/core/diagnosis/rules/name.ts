import { isAliasLoop } from '../../facts/outcome.js';
import { formatEndpoint, formatHostPort } from '../../target/target.js';
import type {
  DnsAnswer,
  DnsServerObservation,
  Observations,
} from '../observations/observations.js';
import { certain, type Conclusion, type Rule, type RuleSection } from './conclusion.js';
import {
  answersByType,
  attemptEvidence,
  dnsEvidence,
  type Evidence,
  givenAttempt,
  isOpen,
  joinWords,
  overallAnswer,
  serverEvidence,
  typesWith,
  untimed,
} from './evidence.js';
import {
  compareHostsFile,
  compareServers,
  judgeLocalSources,
  judgeOnlyInDns,
} from './name-sources.js';
import { judgeSilence, judgeSlowness, serversAtFault } from './silence.js';

/** The DNS servers that gave a kind of answer, as the subject of a sentence. */
interface Subject {
  readonly servers: string;
  /** Chooses the form of the verb: `says` for one server, `say` for several. */
  readonly verb: (one: string, several: string) => string;
  /** ` for AAAA` if they gave that answer for one type only. */
  readonly forType: string;
  /** What the name is an alias for, where they say so. */
  readonly aliases: readonly string[];
}

function subjectOf(servers: readonly DnsServerObservation[], kind: DnsAnswer['kind']): Subject {
  const several = servers.length > 1;
  const answers = servers.flatMap(answersByType);
  const types = new Set(servers.flatMap((each) => typesWith(each, kind)));
  const isPartial = answers.some(({ type }) => !types.has(type));
  return {
    servers: `DNS server${several ? 's' : ''} ${joinWords(servers.map(({ server }) => server))}`,
    verb: (one, other) => (several ? other : one),
    forType: isPartial ? ` for ${joinWords([...types])}` : '',
    aliases: answers.find((each) => each.kind === kind && each.aliases)?.aliases ?? [],
  };
}

/** Blames name resolution, and clears the service if that is open at the extra address. */
function blame(seen: Observations): { readonly fault: string; readonly evidence: Evidence[] } {
  const given = givenAttempt(seen);
  const service =
    given && isOpen(given)
      ? `, not the service, which is open at ${formatEndpoint(given.endpoint)}`
      : '';
  return {
    fault: `Name resolution is at fault${service}:`,
    evidence: [...dnsEvidence(seen), ...(given ? [attemptEvidence(given)] : [])],
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
    const atFault = serversAtFault(seen).filter((each) => overallAnswer(each) === kind);
    if (seen.outcome.state !== 'unresolved' || atFault.length === 0) return null;
    const { fault, evidence } = blame(seen);
    const what = describe(subjectOf(atFault, kind), seen.target.host);
    return certain(`${fault} ${what}.`, evidence, advice);
  };

/** What the name is, where an alias leads to the failure: `a is an alias for b, which …`. */
function describeAlias(name: string, aliases: readonly string[], which: string): string {
  if (isAliasLoop(name, aliases))
    return `${name} is an alias (CNAME) that leads back to itself (${aliases.join(', ')})`;
  return `${name} is an alias (CNAME) for ${aliases.at(-1)}, which ${which}`;
}

const NOT_SERVED =
  'It may not serve this machine, or only its own zones. Use a DNS server that resolves for this ' +
  'network, or ask the operator of that one.';

/** DNS or the hosts file has only 0.0.0.0 or :: for the name. */
function judgeUnspecified(seen: Observations): Conclusion | null {
  const { outcome, name, target } = seen;
  if (outcome.state !== 'unresolved' || !outcome.unspecified) return null;
  const { fault, evidence } = blame(seen);
  const { path, addresses: inFile } = name.hostsFile ?? { path: '', addresses: [] };
  const isFromFile = outcome.unspecified.every((address) => inFile.includes(address));
  const filters = name.servers.filter((each) => overallAnswer(each) === 'unspecified');
  const isFromDns = !isFromFile && filters.length > 0;
  const local = isFromFile ? `the hosts file ${path}` : "the system's resolver";
  const source = isFromDns ? subjectOf(filters, 'unspecified').servers : local;
  const list = joinWords(outcome.unspecified);
  return certain(
    `${fault} ${target.host} has only ${list} from ${source}, and no host has that address. ` +
      'A filter usually blocks a name like this.',
    [...(isFromDns ? [] : [untimed(`${local}: ${list}`)]), ...evidence],
    isFromFile
      ? `Remove the entry from ${path} if the name should not be blocked.`
      : 'Look for a filter (an ad blocker, a DNS firewall, parental control) and allow the name ' +
          'there, or ask another DNS server.',
  );
}

/** Causes in name resolution. */
export const NAME_RULES = {
  /** The name has only 0.0.0.0 or ::. Not: it has another address, too. */
  'name-blocked': judgeUnspecified,

  /** The hosts file decides against DNS, and the port is not open. Not: DNS was used. */
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
        ...name.servers.flatMap(serverEvidence),
        untimed(`${found.name}: ${found.addresses.join(', ')}`),
      ],
      `Use ${formatHostPort(found.name, target.port)}.`,
    );
  },

  /**
   * DNS has an address, but the resolver found none. Not: it waited for an answer of DNS; a server
   * before that one gave an answer with which the resolver ends.
   */
  'only-in-dns': judgeOnlyInDns,

  /** The system asks no DNS server, and none says that the name has no address. Not: it may ask. */
  'no-dns-source': judgeLocalSources,

  /** A server answered NXDOMAIN. Not: the name exists without an address. */
  'name-not-found': nameFailure(
    'no-such-name',
    ({ servers, verb, aliases }, name) =>
      `${servers} ${verb('says', 'say')} that ` +
      (aliases.length > 0
        ? `${describeAlias(name, aliases, 'does not exist')} (NXDOMAIN)`
        : `${name}, or the name it is an alias for, does not exist (NXDOMAIN)`),
    'Check the spelling. If the name is an alias (CNAME), check the name it points to. ' +
      "If both are right, ask the operator of the domain's DNS.",
  ),

  /** A server answered SERVFAIL. Not: REFUSED. */
  'dns-servfail': nameFailure(
    'servfail',
    ({ servers, forType }, name) => `${servers} failed to resolve ${name}${forType} (SERVFAIL)`,
    'Check that server and the servers of the domain. ' +
      'It may not reach them, or their DNSSEC signatures may be wrong.',
  ),

  /** A server answered REFUSED. Not: SERVFAIL. */
  'dns-refused': nameFailure(
    'refused',
    ({ servers, verb, forType }, name) =>
      `${servers} ${verb('refuses', 'refuse')} to answer for ${name}${forType} (REFUSED)`,
    NOT_SERVED,
  ),

  /**
   * A server answered without recursion: with no address, and with no statement that there is none.
   * Not: NODATA of a server that resolves, or of one that has the zone.
   */
  'dns-no-recursion': nameFailure(
    'no-recursion',
    ({ servers, verb, forType }, name) =>
      `${servers} ${verb('does', 'do')} not look ${name} up at other servers${forType} ` +
      '(no recursion), so the answer says nothing about the name',
    NOT_SERVED,
  ),

  /** A server answered FORMERR, NOTIMP or malformed. Not: SERVFAIL. */
  'dns-broken': nameFailure(
    'broken',
    ({ servers, forType }) => `${servers} sent an unusable answer${forType}`,
    'Check that server. Something on the way may also change DNS answers.',
  ),

  /** An answer over UDP was truncated, and TCP failed. Not: UDP failed. */
  'dns-without-tcp': nameFailure(
    'no-tcp',
    ({ servers, verb }) =>
      `the answer of ${servers} does not fit into UDP, ` +
      `and ${verb('it does', 'they do')} not answer over TCP`,
    'Open TCP port 53 of that server, and in the firewalls on the way.',
  ),

  /** This machine did not let the question out (EPERM from `send`). Not: an ICMP error came. */
  'dns-not-permitted': nameFailure(
    'not-permitted',
    ({ servers }) => `this machine does not permit questions to ${servers}. Nothing was sent`,
    'Check the firewall (outgoing port 53), policy routes and sandboxes of this machine.',
  ),

  /** This machine has no route to a server. Not: the network reported an error. */
  'dns-no-route': nameFailure(
    'no-route',
    ({ servers }) => `this machine has no usable route to ${servers}. Nothing was sent`,
    'Check the default route, and any VPN that should be up, or configure another DNS server.',
  ),

  /** An ICMP error other than "port unreachable" came back. Not: this machine refused to send. */
  'dns-rejected': nameFailure(
    'rejected',
    ({ servers }) =>
      `an ICMP message rejected the question to ${servers}: probably a firewall forbids it`,
    'Ask the operator of that server or of the firewall, or configure another DNS server.',
  ),

  /** A server's port is unreachable (ICMP). Not: silence. */
  'dns-unreachable': nameFailure(
    'unreachable',
    ({ servers }) =>
      `the port of ${servers} is unreachable. ` +
      'Nothing listens there, or a firewall rejects the question',
    'Start that server, check the firewalls, or configure another server ' +
      '(on Linux: /etc/resolv.conf).',
  ),

  /** A server did not answer in time, for a type or at all. Not: the system did not wait for it. */
  'dns-silent': (seen) => judgeSilence(seen, blame(seen)),

  /**
   * The resolver did not answer in time, but DNS did. Not: a DNS server was silent. With a short
   * timeout a healthy resolver may need more time.
   */
  'resolver-slow': (seen) => judgeSlowness(seen, blame(seen)),

  /** A server answered that the name exists without an address (NODATA). Not: NXDOMAIN. */
  'name-no-address': nameFailure(
    'no-record',
    ({ servers, verb, aliases }, name) =>
      `${servers} ${verb('says', 'say')} that ` +
      (aliases.length > 0
        ? describeAlias(name, aliases, 'has no address of the requested kind')
        : `${name} exists but has no address of the requested kind`),
    "Ask the operator of the domain's DNS to add an A or AAAA record, or to correct the alias.",
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
