import { type Attempt, isNeighbourTimeout } from '../../facts/outcome.js';
import { formatEndpoint, formatHostPort } from '../../target/target.js';
import {
  answeringCompanions,
  did,
  type Evidence,
  fact,
  givenAttempt,
  list,
  ofAttempt,
  ofServer,
  resolverAttempts,
  subjectOf,
  wordOf,
} from '../observations/evidence.js';
import { listAddresses } from '../observations/name-check.js';
import type { DnsAnswer, Observations } from '../observations/observations.js';

/**
 * How sure a finding is. `certain`: it was observed; `probable`: what was observed has hardly another cause; `possible`: a hint, which fits
 * but is not the verdict.
 */
export type Certainty = 'certain' | 'probable' | 'possible';

/** What a rule concludes. Names and addresses in it come from the network: escape them before a terminal sees them. */
export interface Finding {
  readonly kind: FindingKind;
  readonly certainty: Certainty;
  /** One sentence. */
  readonly statement: string;
  readonly evidence: readonly Evidence[];
  /** What to do next, or whom to ask: one sentence or two. */
  readonly advice: string;
}

type Conclusion = Omit<Finding, 'kind'>;
type Rule = readonly [kind: string, (seen: Observations) => Conclusion | null];

const conclude = (
  certainty: Certainty,
  statement: string,
  evidence: readonly Evidence[],
  advice: string,
): Conclusion => ({ certainty, statement, evidence, advice });

const isOpen = (attempt: Attempt | undefined): boolean => attempt?.state === 'open';
const name = ({ target }: Observations): string => target.host;
/** A name for loopback (RFC 6761, section 6.3). */
const isLocalhost = (seen: Observations): boolean => /(^|\.)localhost\.?$/i.test(name(seen));
const endpointOf = (attempt: Attempt): string => formatEndpoint(attempt.endpoint);
const addresses = (attempts: readonly Attempt[]): string =>
  list(attempts.map(({ endpoint }) => endpoint.address));
const reasonOf = (attempt: Attempt | undefined): string | null =>
  attempt && 'reason' in attempt ? attempt.reason : null;
const outcomeReason = ({ outcome }: Observations): string | null =>
  'reason' in outcome ? outcome.reason : null;

/** A failure of this machine: certain, because the system call itself said so. */
const localFault =
  (reason: string, statement: (seen: Observations) => string, advice: string) =>
  (seen: Observations): Conclusion | null =>
    seen.outcome.state === 'failed' && outcomeReason(seen) === reason
      ? conclude(
          'certain',
          statement(seen),
          'endpoint' in seen.outcome
            ? [ofAttempt(seen.outcome)]
            : [fact('the system had nothing left for the lookup')],
          advice,
        )
      : null;

/** Nothing was learned from the name: what the servers said is the cause. The port may still be open at the extra address. */
function nameFailure(
  kinds: readonly DnsAnswer['kind'][],
  says: (servers: string, seen: Observations) => string,
  advice: string,
): Rule[1] {
  return (seen) => {
    if (seen.outcome.state !== 'unresolved') return null;
    const guilty = seen.name.servers.filter((each) => kinds.includes(wordOf(each)));
    if (guilty.length === 0) return null;
    const given = givenAttempt(seen);
    const servers = `DNS server${guilty.length > 1 ? 's' : ''} ${list(guilty.map(({ server }) => server))}`;
    const beside =
      given && isOpen(given)
        ? `Name resolution is at fault and not the service, which is open at ${endpointOf(given)}: `
        : 'Name resolution is at fault: ';
    return conclude(
      'certain',
      `${beside}${says(servers, seen)}`,
      [...seen.name.servers.map(ofServer), ...(given ? [ofAttempt(given)] : [])],
      advice,
    );
  };
}

const verb = (servers: string, one: string, many: string): string =>
  servers.startsWith('DNS servers') ? many : one;

/** What DNS says, all servers together, without repetition. */
const dnsAddresses = (seen: Observations): string[] => [
  ...new Set(seen.name.servers.flatMap(listAddresses)),
];

/** The addresses of the hosts file, when they are not those of DNS. */
function overriddenBy(seen: Observations): readonly string[] {
  const inDns = dnsAddresses(seen);
  const inFile = seen.name.hostsFile?.addresses ?? [];
  return inDns.length > 0 && inFile.some((address) => !inDns.includes(address)) ? inFile : [];
}

function hostsFileOverride(seen: Observations): Conclusion | null {
  const inFile = overriddenBy(seen);
  if (inFile.length === 0) return null;
  const inDns = seen.addresses
    .filter(({ source }) => source === 'dns')
    .map(({ attempt }) => attempt);
  const path = seen.name.hostsFile?.path ?? '';
  const live = inDns.filter(isOpen);
  const then = live.length > 0 ? `, where the port is open` : '';
  // What DNS says may be no better: a verdict only where that is open, or where the port is open at the address of the file.
  return conclude(
    live.length > 0 || seen.outcome.state === 'open' ? 'certain' : 'possible',
    `The hosts file of this machine overrides DNS: it gives ${name(seen)} the address ${list(inFile)}, and DNS says ${list(live.length > 0 ? live.map(({ endpoint }) => endpoint.address) : dnsAddresses(seen))}${then}.`,
    [
      fact(`${path}: ${inFile.join(', ')}`),
      ...seen.name.servers.map(ofServer),
      ...resolverAttempts(seen).map(ofAttempt),
      ...inDns.map(ofAttempt),
    ],
    `If the entry in ${path} is not wanted, remove it.`,
  );
}

/** Servers whose answers exclude each other: addresses against none, or addresses that have nothing in common. */
function disagreement(seen: Observations): Conclusion | null {
  const told = seen.name.servers.filter((each) =>
    ['addresses', 'no-such-name', 'no-record'].includes(wordOf(each)),
  );
  const withAddress = told.filter((each) => wordOf(each) === 'addresses');
  const without = told.filter((each) => wordOf(each) !== 'addresses');
  const [first, second] = withAddress;
  const isDisjoint =
    first !== undefined &&
    second !== undefined &&
    withAddress.some(
      (each) => !listAddresses(each).some((address) => listAddresses(first).includes(address)),
    );
  if (withAddress.length === 0 || (without.length === 0 && !isDisjoint)) return null;
  const dnsOnly = seen.addresses
    .filter(({ source, attempt }) => source === 'dns' && isOpen(attempt))
    .map(({ attempt }) => attempt);
  const works =
    !isOpen(subjectOf(seen)) && dnsOnly.length > 0
      ? ` The port is open at ${addresses(dnsOnly)}.`
      : '';
  const evidence = [
    ...seen.name.servers.map(ofServer),
    ...seen.addresses.map(({ attempt }) => ofAttempt(attempt)),
  ];
  // Servers may give different answers on purpose (load balancing, views): a verdict only where that decides.
  const decides =
    seen.outcome.state === 'unresolved' ||
    works !== '' ||
    (seen.outcome.state === 'open' && without.length > 0);
  const says = told.map(
    (each) =>
      `${each.server} says ${wordOf(each) === 'addresses' ? listAddresses(each).join(', ') : 'that there is none'}`,
  );
  return conclude(
    decides ? 'certain' : 'possible',
    `The DNS servers of this machine disagree about the address of ${name(seen)}: ${list(says)}.${works}`,
    evidence,
    'Ask whoever runs these DNS servers; until then applications get the one or the other.',
  );
}

/** Attempts by family, when a target has both. */
function byFamily(
  seen: Observations,
): { working: Attempt[]; other: Attempt[]; family: 4 | 6 } | null {
  const attempts = resolverAttempts(seen);
  const open = new Set(attempts.filter(isOpen).map(({ endpoint }) => endpoint.family));
  const family = open.has(4) ? 6 : 4; // the one that does not work
  const other = attempts.filter(({ endpoint }) => endpoint.family === family);
  return open.size === 1 && other.length > 0
    ? { working: attempts.filter(isOpen), other, family }
    : null;
}

/** The subject and its companions, when none of them gave an answer. Null when one did, or when the target is open. */
function nothingAnswered(seen: Observations): { subject: Attempt; all: Attempt[] } | null {
  const subject = subjectOf(seen);
  if (subject?.state !== 'filtered' || answeringCompanions(seen).length > 0) return null;
  return { subject, all: [subject, ...(seen.companions ?? [])] };
}

/** Whether a refusal comes from much nearer than an open port of the same host answers: shorter than half, by more than noise. */
const isMuchShorter = (shorterMs: number, longerMs: number): boolean =>
  shorterMs < longerMs / 2 && longerMs - shorterMs > 2;

const companionPorts = (attempts: readonly Attempt[]): string =>
  list(attempts.map((each) => `${each.endpoint.port} ${did(each)}`));

const AT_LOCAL_RULES =
  'Look at the rules for outgoing traffic on this machine (on Linux: nft list ruleset, iptables -S OUTPUT), not at the other side.';

/** The table: from this machine outwards, and at the end what is worth knowing beside the verdict. The first that is more than possible is the verdict. */
const RULES = [
  // 1. This machine.
  [
    'no-descriptors',
    localFault(
      'no-files-left',
      () => 'This machine is at fault: no file descriptor was left for the probe.',
      'Raise the limit (ulimit -n), or close what holds them.',
    ),
  ],
  [
    'no-source-ports',
    localFault(
      'no-ports-left',
      () => 'This machine is at fault: it has no free source port for the connection.',
      'Too many connections are open or were closed within the last minute (TIME_WAIT): wait, or widen the range of ephemeral ports.',
    ),
  ],
  [
    'bad-source',
    localFault(
      'bad-source',
      () => 'The source address cannot be used on this machine for this target.',
      'Give an address that this machine has, of the family of the target.',
    ),
  ],
  [
    'not-permitted',
    localFault(
      'not-permitted',
      () => 'This machine forbids the connection: nothing was sent.',
      'A local firewall, a policy route or a sandbox does it: look there, not at the other side.',
    ),
  ],
  [
    'no-resources',
    localFault(
      'no-resources',
      () => 'This machine is at fault: the system had no memory or buffers for the connection.',
      'Look at its load, and try again.',
    ),
  ],
  [
    'no-network',
    (seen) =>
      seen.machine.addresses.length === 0 &&
      seen.outcome.state !== 'open' &&
      seen.machine.sourceAddress === null
        ? conclude(
            'certain',
            'This machine is at fault: it has no network address that is up.',
            [fact('no interface but loopback has an address')],
            'Check the cable, the wireless network and the settings of this machine.',
          )
        : null,
  ],
  [
    'no-route',
    localFault(
      'no-route',
      (seen) =>
        `This machine is at fault: it has no usable route to ${'endpoint' in seen.outcome ? seen.outcome.endpoint.address : name(seen)}.`,
      'Check its default route, and a VPN that should be up (on Linux: ip route).',
    ),
  ],
  [
    'local-firewall',
    (seen) => {
      const { localFilter } = seen;
      const subject = subjectOf(seen);
      if (!localFilter || !subject) return null;
      const { target, control, failedRepeats } = localFilter;
      const answered = reasonOf(subject) !== 'no-response';
      const evidence = [
        ofAttempt(subject),
        ...(target.answeredWithoutSending
          ? [fact('an answer came although no packet had left this machine')]
          : []),
        ...(!answered && target.mostPacketsSent === 0
          ? [fact('no packet left this machine for it')]
          : []),
        ...(control ? [fact(`for port ${control.port} of the same host packets did leave`)] : []),
        ...(target.unreachableToSelf > 0
          ? [fact('this machine itself sent the ICMP "unreachable" that it received')]
          : []),
        ...(failedRepeats > 0 && !answered
          ? [fact('the system could not send the repeated SYN')]
          : []),
      ];
      const rejects =
        (target.answeredWithoutSending && control !== null) || target.unreachableToSelf > 0;
      if (rejects) {
        const isSure = target.answeredWithoutSending || target.leastPacketsSent === 0; // in a try with no packet sent, the ICMP was for us
        return conclude(
          isSure ? 'certain' : 'probable',
          `A firewall on this machine ${isSure ? 'rejects' : 'probably rejects'} connections to ${endpointOf(subject)}: nothing was learned about the other side.`,
          evidence,
          AT_LOCAL_RULES,
        );
      }
      const drops =
        !answered &&
        target.leastPacketsSent === 0 &&
        (failedRepeats > 0 || (target.mostPacketsSent === 0 && control !== null));
      return drops
        ? conclude(
            'probable',
            `A firewall on this machine probably drops connections to ${endpointOf(subject)}: nothing was learned about the other side.`,
            evidence,
            AT_LOCAL_RULES,
          )
        : null;
    },
  ],

  // 2. The name.
  [
    'hosts-file-override',
    (seen) => (seen.outcome.state === 'open' ? null : hostsFileOverride(seen)),
  ],
  ['dns-servers-disagree', (seen) => (seen.outcome.state === 'open' ? null : disagreement(seen))],
  [
    'only-with-search-domain',
    (seen) => {
      const [found] = seen.name.foundBySearch;
      return seen.outcome.state === 'unresolved' && found
        ? conclude(
            'certain',
            `There is no name ${name(seen)}, but there is ${found.name}, with a search domain of this machine.`,
            [
              ...seen.name.servers.map(ofServer),
              fact(`${found.name}: ${found.addresses.join(', ')}`),
            ],
            `Write ${formatHostPort(found.name, seen.target.port)}.`,
          )
        : null;
    },
  ],
  [
    'only-in-dns',
    (seen) =>
      seen.outcome.state === 'unresolved' && dnsAddresses(seen).length > 0
        ? conclude(
            'certain',
            `Name resolution of this machine is at fault: DNS knows ${name(seen)}, but the system's resolver, which applications ask, finds no address.`,
            [
              ...seen.name.servers.map(ofServer),
              fact(`the system's resolver: ${seen.outcome.error.code}`),
            ],
            'Look at what the system asks besides DNS, and in which order (on Linux: the hosts line of /etc/nsswitch.conf).',
          )
        : null,
  ],
  [
    'name-not-found',
    nameFailure(
      ['no-such-name'],
      (servers, seen) =>
        `there is no name ${name(seen)}, or it is an alias for a name that does not exist, ${verb(servers, 'says', 'say')} ${servers} (NXDOMAIN).`,
      'Check the spelling and, if the name is an alias (CNAME), the name it stands for; if both are right, ask whoever runs the DNS of that domain.',
    ),
  ],
  [
    'dns-servfail',
    nameFailure(
      ['servfail'],
      (servers, seen) => `${servers} failed to find ${name(seen)} (SERVFAIL).`,
      'Look at that server, and at the servers of the domain, which it may not reach or whose DNSSEC signatures may be wrong.',
    ),
  ],
  [
    'dns-refused',
    nameFailure(
      ['refused'],
      (servers) =>
        `${servers} ${verb(servers, 'refuses', 'refuse')} to answer this machine (REFUSED).`,
      'Use a DNS server that serves this network, or ask whoever runs that one to admit it.',
    ),
  ],
  [
    'dns-broken',
    nameFailure(
      ['broken'],
      (servers) => `${servers} gave an answer that cannot be used.`,
      'Look at that server; or something on the way changes DNS.',
    ),
  ],
  [
    'dns-unreachable',
    nameFailure(
      ['unreachable'],
      (servers) => `nobody listens at ${servers}.`,
      'Start that server, or configure another one (on Linux: /etc/resolv.conf).',
    ),
  ],
  [
    'dns-silent',
    nameFailure(
      ['silent'],
      (servers) => `${servers} ${verb(servers, 'does', 'do')} not answer.`,
      'The server is down or its packets are dropped, which look alike from here: look at it, or configure another one.',
    ),
  ],
  [
    'name-no-address',
    nameFailure(
      ['no-record'],
      (servers, seen) =>
        `the name ${name(seen)} exists but has no address of the kind asked for, ${verb(servers, 'says', 'say')} ${servers}.`,
      'Ask whoever runs its DNS for an A or AAAA record.',
    ),
  ],
  [
    'unresolved',
    (seen) =>
      seen.outcome.state === 'unresolved' && seen.name.servers.length === 0
        ? conclude(
            'certain',
            `Name resolution is at fault: the system's resolver finds no address for ${name(seen)}.`,
            [
              {
                fact: `the system's resolver: ${seen.outcome.error.code}`,
                elapsedMs: seen.outcome.elapsedMs,
              },
            ],
            'Check the spelling, and the resolver of this machine.',
          )
        : null,
  ],

  // 3. Addresses and families.
  [
    'stale-record',
    (seen) => {
      const given = givenAttempt(seen);
      const own = resolverAttempts(seen);
      if (
        !given ||
        !isOpen(given) ||
        own.length === 0 ||
        own.some(isOpen) ||
        seen.name.resolution.via === 'literal'
      )
        return null;
      return conclude(
        'probable',
        `The address of ${name(seen)} is probably stale or wrong: the name says ${addresses(own)}, which ${list([...new Set(own.map(did))])}; ${given.endpoint.address} opened.`,
        [...own.map(ofAttempt), ofAttempt(given), ...seen.name.servers.map(ofServer)],
        'Ask whoever runs the DNS of that name to correct its record.',
      );
    },
  ],
  [
    'localhost-family',
    (seen) => {
      const families = byFamily(seen);
      if (!families || !isLocalhost(seen)) return null;
      const isFirst =
        seen.name.resolution.state === 'resolved' &&
        seen.name.resolution.addresses[0]?.family === families.family;
      return conclude(
        'certain',
        `The service listens on ${addresses(families.working)} only, and ${name(seen)} also means ${addresses(families.other)}${isFirst ? ', and that first' : ''}.`,
        [...families.other, ...families.working].map(ofAttempt),
        'Programs that try only the first address fail: let the service listen on both, or write the address.',
      );
    },
  ],
  [
    'bound-to-loopback',
    (seen) => {
      const working = seen.loopback.filter(isOpen);
      const subject = subjectOf(seen);
      return working.length > 0 && subject && !isOpen(subject)
        ? conclude(
            'certain',
            `The service listens on ${addresses(working)} and not on ${subject.endpoint.address}, which ${did(subject)}.`,
            [subject, ...seen.loopback].map(ofAttempt),
            'Let it listen on that address too (often called "bind" or "listen" in its settings).',
          )
        : null;
    },
  ],
  [
    'family-broken',
    (seen) => {
      const families = byFamily(seen);
      if (!families || !families.other.every(({ state }) => state === 'filtered')) return null;
      const [bad, good] = families.family === 6 ? ['IPv6', 'IPv4'] : ['IPv4', 'IPv6'];
      return conclude(
        'probable',
        `${bad} to ${name(seen)} is broken, and the service is fine: it is open over ${good}.`,
        [...families.other, ...families.working].map(ofAttempt),
        `The network on the way, or the host's own ${bad}, is at fault; which of them cannot be seen from here. Until it is repaired, use -${families.family === 6 ? 4 : 6}, or have the ${bad} record removed.`,
      );
    },
  ],
  [
    'one-family-only',
    (seen) => {
      const families = byFamily(seen);
      if (!families || !families.other.every(({ state }) => state === 'closed')) return null;
      return conclude(
        'probable',
        `The service probably listens on IPv${families.family === 6 ? 4 : 6} only: over IPv${families.family} ${addresses(families.other)} refused.`,
        [...families.other, ...families.working].map(ofAttempt),
        'Let it listen on both, or have the record of the other family removed.',
      );
    },
  ],
  [
    'some-addresses-fail',
    (seen) => {
      const own = resolverAttempts(seen);
      const failing = own.filter(
        (each) =>
          (each.state === 'closed' || each.state === 'filtered') &&
          own.some((other) => isOpen(other) && other.endpoint.family === each.endpoint.family),
      );
      return failing.length > 0
        ? conclude(
            'certain',
            `The port is open, but not at every address of ${name(seen)}: ${list(failing.map((each) => `${each.endpoint.address} ${did(each)}`))}.`,
            own.map(ofAttempt),
            'Look at these hosts, or have their records removed.',
          )
        : null;
    },
  ],

  // 4. The host and the port.
  [
    'prohibited',
    (seen) => {
      const subject = subjectOf(seen);
      return subject && reasonOf(subject) === 'admin-prohibited'
        ? conclude(
            'certain',
            `A firewall prohibits connections to ${endpointOf(subject)}, and says so.`,
            [subject, ...answeringCompanions(seen)].map(ofAttempt),
            'Ask whoever runs the firewall there or on the way, which may be that of this machine.',
          )
        : null;
    },
  ],
  [
    'port-rejected',
    (seen) => {
      const subject = subjectOf(seen);
      const answering = answeringCompanions(seen);
      return subject &&
        /^(host|net|proto)-unreach$/.test(reasonOf(subject) ?? '') &&
        answering.length > 0
        ? conclude(
            'probable',
            `The host is up, and a firewall probably rejects port ${subject.endpoint.port}: other ports of ${subject.endpoint.address} answer.`,
            [subject, ...answering].map(ofAttempt),
            "Ask whoever runs the host's firewall; firewalld rejects like this unless a port is opened.",
          )
        : null;
    },
  ],
  [
    'port-filtered',
    (seen) => {
      const subject = subjectOf(seen);
      const answering = answeringCompanions(seen);
      return subject && reasonOf(subject) === 'no-response' && answering.length > 0
        ? conclude(
            'probable',
            `The host is up, and port ${subject.endpoint.port} is filtered: ${subject.endpoint.address} answers on other ports (${companionPorts(answering)}).`,
            [subject, ...answering].map(ofAttempt),
            "Ask whoever runs the host's firewall, or one on the way, to open the port. (A service too busy to accept connections looks the same.)",
          )
        : null;
    },
  ],
  [
    'host-absent',
    (seen) => {
      const silence = nothingAnswered(seen);
      const unreachable =
        silence?.all.filter(
          (each) =>
            each.state === 'filtered' && each.reason === 'host-unreach' && isNeighbourTimeout(each),
        ) ?? [];
      return silence && unreachable.length > 0
        ? conclude(
            'probable',
            `Probably nobody is at ${silence.subject.endpoint.address}: it was reported unreachable after about as long as an unanswered request for a neighbour takes.`,
            unreachable.map(ofAttempt),
            'Check the address, and that the host is on and connected.',
          )
        : null;
    },
  ],
  [
    'host-unreachable',
    (seen) => {
      const silence = nothingAnswered(seen);
      return silence && reasonOf(silence.subject) === 'host-unreach'
        ? conclude(
            'probable',
            `${silence.subject.endpoint.address} was reported unreachable: a firewall rejects this, or a router does not find the host; they look alike from here.`,
            silence.all.map(ofAttempt),
            'Check the address, and ask whoever runs the network there.',
          )
        : null;
    },
  ],
  [
    'network-unreachable',
    (seen) => {
      const silence = nothingAnswered(seen);
      return silence && reasonOf(silence.subject) === 'net-unreach'
        ? conclude(
            'probable',
            `A router on the way has no route to ${silence.subject.endpoint.address}, or a firewall says so.`,
            silence.all.map(ofAttempt),
            'Check the address, a VPN that should be up, and the routing on the way.',
          )
        : null;
    },
  ],
  [
    'no-tcp',
    (seen) => {
      const silence = nothingAnswered(seen);
      return silence && reasonOf(silence.subject) === 'proto-unreach'
        ? conclude(
            'probable',
            `${silence.subject.endpoint.address} says that it does not speak TCP: probably a firewall that rejects in an unusual way.`,
            silence.all.map(ofAttempt),
            'Check the address, and ask whoever runs the firewall there.',
          )
        : null;
    },
  ],
  [
    'nothing-answers',
    (seen) => {
      const silence = nothingAnswered(seen);
      if (!silence || reasonOf(silence.subject) !== 'no-response') return null;
      const { address, port } = silence.subject.endpoint;
      const others = seen.companions?.map(({ endpoint }) => endpoint.port) ?? [];
      const what =
        others.length > 0
          ? `${address} answers neither on port ${port} nor on ${list(others.map(String))}`
          : `${address} does not answer on port ${port}, and no other port was tried`;
      return conclude(
        'probable',
        `${what}: the host is down, or a firewall drops everything; the two look alike from here.`,
        silence.all.map(ofAttempt),
        'See whether the host is up from inside its own network; if it is, ask whoever runs the firewalls on the way.',
      );
    },
  ],
  [
    'refused-on-the-way',
    (seen) => {
      const { refusalTiming } = seen;
      const subject = subjectOf(seen);
      return subject?.state === 'closed' &&
        refusalTiming &&
        isMuchShorter(refusalTiming.refusedMs, refusalTiming.openMs)
        ? conclude(
            'probable',
            `A firewall on the way probably refuses port ${subject.endpoint.port}: the refusal comes from nearer than the host, whose port ${refusalTiming.openPort} is open.`,
            [
              { fact: `port ${subject.endpoint.port} refused`, elapsedMs: refusalTiming.refusedMs },
              { fact: `port ${refusalTiming.openPort} opened`, elapsedMs: refusalTiming.openMs },
            ],
            'Ask whoever runs the firewalls between here and the host.',
          )
        : null;
    },
  ],
  [
    'refused',
    (seen) => {
      const subject = subjectOf(seen);
      if (subject?.state !== 'closed') return null;
      const { refusalTiming } = seen;
      const timing = refusalTiming
        ? [
            { fact: `port ${subject.endpoint.port} refused`, elapsedMs: refusalTiming.refusedMs },
            {
              fact: `port ${refusalTiming.openPort} opened, from about as far`,
              elapsedMs: refusalTiming.openMs,
            },
          ]
        : [ofAttempt(subject)];
      return conclude(
        'certain',
        `${endpointOf(subject)} refuses: nothing listens on that port, or a firewall rejects it; the two look alike from here.`,
        timing,
        'See on the host whether the service is running, and on which address and port it listens.',
      );
    },
  ],

  // 5. The service, and what is remarkable although the port is open.
  [
    'answered-by-somebody-else',
    (seen) =>
      isOpen(seen.nobody ?? undefined) && seen.nobody
        ? conclude(
            'probable',
            'Something on the way, such as a captive portal or a proxy, probably answers everything: the port is open even where nobody can be.',
            [ofAttempt(seen.nobody)],
            'Sign in to the network with a browser, or try from another network: nothing was learned about the host.',
          )
        : null,
  ],
  [
    'dropped-at-once',
    (seen) => {
      const dropped = [subjectOf(seen), givenAttempt(seen)].find(
        (each) => each?.state === 'open' && each.dropped !== null,
      );
      if (dropped?.state !== 'open' || !dropped.dropped) return null;
      const how = dropped.dropped.by === 'reset' ? 'reset' : 'closed';
      return conclude(
        'probable',
        `The port is open, but the connection is ${how} at once: probably a load balancer or proxy with no service behind it.`,
        [
          ofAttempt(dropped),
          { fact: `the other side ${how} the connection`, elapsedMs: dropped.dropped.afterMs },
        ],
        'Look at what stands behind that port. (A service that admits only some clients may do the same.)',
      );
    },
  ],
  [
    'hosts-file-differs',
    (seen) => (seen.outcome.state === 'open' ? hostsFileOverride(seen) : null),
  ],
  ['dns-servers-differ', (seen) => (seen.outcome.state === 'open' ? disagreement(seen) : null)],
  [
    'dns-server-ailing',
    (seen) => {
      const ailing = seen.name.servers.filter((each) =>
        ['silent', 'unreachable', 'servfail', 'refused', 'broken'].includes(wordOf(each)),
      );
      return seen.name.resolution.state === 'resolved' && ailing.length > 0
        ? conclude(
            seen.outcome.state === 'open' ? 'certain' : 'possible',
            `${seen.outcome.state === 'open' ? 'The port is open, but not' : 'Not'} every DNS server of this machine works: ${list(ailing.map(({ server }) => server))} did not help, and names may resolve slowly.`,
            ailing.map(ofServer),
            'Repair that server, or take it out of the configuration.',
          )
        : null;
    },
  ],
  [
    'open',
    (seen) => {
      const open = [subjectOf(seen), givenAttempt(seen)].find(isOpen);
      return open && seen.outcome.state === 'open'
        ? conclude(
            'certain',
            `${endpointOf(open)} is open: nothing is wrong between here and there.`,
            [ofAttempt(open)],
            'If an application fails all the same, look at the service and at the settings of the application.',
          )
        : null;
    },
  ],

  // 6. Known habits.
  [
    'family-without-route',
    (seen) => {
      const without = ([4, 6] as const).filter((family) => {
        const own = resolverAttempts(seen).filter(({ endpoint }) => endpoint.family === family);
        return (
          seen.outcome.state !== 'failed' &&
          own.length > 0 &&
          own.every((each) => reasonOf(each) === 'no-route')
        );
      });
      return without.length > 0
        ? conclude(
            'certain',
            `This machine has no route for IPv${without.join(' and IPv')}, of which the name has addresses.`,
            resolverAttempts(seen)
              .filter((each) => reasonOf(each) === 'no-route')
              .map(ofAttempt),
            'That is no fault where there is none of it; programs should try the other family.',
          )
        : null;
    },
  ],
  [
    'known-by-search-domain',
    (seen) => {
      const [found] = seen.name.foundBySearch;
      return seen.name.resolution.state === 'resolved' && found
        ? conclude(
            'possible',
            `${name(seen)} is known only as ${found.name}, with a search domain of this machine: others may not find it.`,
            [
              ...seen.name.servers.map(ofServer),
              fact(`${found.name}: ${found.addresses.join(', ')}`),
            ],
            'Write the whole name where it must work everywhere.',
          )
        : null;
    },
  ],
  [
    'not-from-dns',
    (seen) => {
      const { resolution, servers, hostsFile, foundBySearch } = seen.name;
      const unknown =
        servers.length > 0 &&
        servers.every((each) => wordOf(each) === 'no-such-name' || wordOf(each) === 'no-record');
      return resolution.state === 'resolved' &&
        resolution.via === 'system' &&
        unknown &&
        foundBySearch.length === 0 &&
        !isLocalhost(seen)
        ? conclude(
            'possible',
            `DNS does not know ${name(seen)}: its address comes from ${hostsFile && hostsFile.addresses.length > 0 ? `${hostsFile.path} of this machine` : 'another source of this machine (mDNS, a directory, the system itself)'}.`,
            servers.map(ofServer),
            'Other machines may not find it.',
          )
        : null;
    },
  ],
  [
    'outbound-smtp',
    (seen) => {
      const subject = subjectOf(seen);
      return subject && seen.target.port === 25 && subject.state === 'filtered'
        ? conclude(
            'possible',
            'Many providers and clouds block outgoing port 25.',
            [ofAttempt(subject)],
            'Ask yours, or send through its relay, or by port 587.',
          )
        : null;
    },
  ],
  [
    'loopback-server',
    (seen) =>
      seen.outcome.state === 'closed' && seen.companions !== null
        ? conclude(
            'possible',
            'A server that listens on 127.0.0.1 only refuses others like this.',
            [ofAttempt(seen.outcome)],
            'See on the host on which address it listens (on Linux: ss -ltn).',
          )
        : null,
  ],
  [
    'repeated-syn',
    (seen) =>
      seen.machine.platform === 'win32' &&
      seen.outcome.state === 'closed' &&
      seen.outcome.elapsedMs > 400
        ? conclude(
            'possible',
            'Windows repeats a SYN that was refused: the time is that, and not the distance (KB 175523).',
            [ofAttempt(seen.outcome)],
            'Nothing is to be done about it.',
          )
        : null,
  ],
  [
    'proxy',
    ({ machine: { proxy } }) =>
      proxy
        ? conclude(
            'possible',
            `Applications that heed ${proxy.variable} would not connect directly but through ${proxy.proxy}.`,
            [fact(`${proxy.variable} is set`)],
            'Probe the proxy, too.',
          )
        : null,
  ],
] as const satisfies readonly Rule[];

/** The names of the rules, which are those of their findings. */
export type FindingKind = (typeof RULES)[number][0] | 'unexplained';

/** What cannot be said, or need not be, beside another finding: a firewall here hides the host, a nearer refusal is not that of the host. */
const SUPERSEDED: Partial<Record<FindingKind, readonly FindingKind[]>> = {
  'local-firewall': [
    'prohibited',
    'port-rejected',
    'port-filtered',
    'host-absent',
    'host-unreachable',
    'network-unreachable',
    'no-tcp',
    'nothing-answers',
    'refused-on-the-way',
    'refused',
    'outbound-smtp',
    'loopback-server',
    'repeated-syn',
  ],
  'refused-on-the-way': ['refused', 'loopback-server'],
  'bound-to-loopback': ['refused', 'nothing-answers'],
  'answered-by-somebody-else': ['dropped-at-once'],
};

/** What the observations mean, in the order of the table. At least one finding is more than possible. */
export function findings(seen: Observations): Finding[] {
  const all = RULES.flatMap(([kind, rule]): Finding[] => {
    const conclusion = rule(seen);
    return conclusion ? [{ kind, ...conclusion }] : [];
  });
  const superseded = new Set(all.flatMap(({ kind }) => SUPERSEDED[kind] ?? []));
  const verdict = all.find(({ certainty }) => certainty !== 'possible');
  // "Nothing is wrong" is true only where nothing else was found.
  const found = all.filter(
    (each) => !superseded.has(each.kind) && (each.kind !== 'open' || each === verdict),
  );
  if (verdict) return found;
  const attempts = seen.addresses.map(({ attempt }) => ofAttempt(attempt));
  return [
    {
      kind: 'unexplained',
      ...conclude(
        'certain',
        'Nothing that was seen explains it.',
        attempts,
        'Please report it, with the output of --report.',
      ),
    },
    ...found,
  ];
}

/** The finding that decides: the first that is more than possible. */
export function verdictOf(found: readonly Finding[]): Finding {
  const verdict = found.find(({ certainty }) => certainty !== 'possible') ?? found[0];
  if (!verdict) throw new TypeError('a diagnosis has at least one finding');
  return verdict;
}
