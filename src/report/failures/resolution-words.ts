import {
  type DnsFailureKind,
  dnsFailureKind,
  isUnreached,
  SHORT_LOOKUP_MS,
} from '../../core/facts/dns-failure.js';
import {
  type ErrorFacts,
  isAliasLoop,
  type Resolution,
  type ServerAnswer,
  type Unresolved,
} from '../../core/facts/outcome.js';
import type { UnresolvedReason } from '../../core/states.js';
import { escapeControls } from '../escape.js';
import { formatDuration, formatWait } from '../numbers.js';
import type { Explanation } from '../outcome-words.js';

interface DnsWords {
  /** In a list of servers. */
  readonly short: string;
  /** As the cause of a failure. */
  readonly failure?: string;
  /** What to do about it; default: check the server. */
  readonly advice?: string;
}

const UNPERMITTED = "Check this machine's firewall (outgoing port 53) and sandbox.";
const NO_ROUTE = "Check this machine's routes and VPN, or use another DNS server.";

const NOT_SERVED =
  'It may not serve this machine, or only its own zones. Ask a DNS server that resolves for it.';

/** What DNS servers answer, and what becomes of questions to them. */
const DNS_WORDS: Record<Exclude<DnsFailureKind, 'broken'>, DnsWords> = {
  'no-such-name': { short: 'no such name' },
  'no-record': { short: 'no address' },
  servfail: { short: 'SERVFAIL', failure: 'the DNS server failed (SERVFAIL)' },
  refused: {
    short: 'REFUSED',
    failure: 'the DNS server refuses to answer (REFUSED)',
    advice: NOT_SERVED,
  },
  'no-recursion': {
    short: 'no recursion',
    failure:
      'the DNS server does not look the name up at other servers (no recursion), ' +
      'so its answer says nothing about the name',
    advice: NOT_SERVED,
  },
  'no-tcp': {
    short: 'truncated, and no TCP',
    failure: 'the answer does not fit into UDP, and the DNS server does not answer over TCP',
    advice: 'Open TCP port 53 of the DNS server.',
  },
  'not-permitted': {
    short: 'not permitted here',
    failure: 'this machine does not permit the question, and nothing was sent',
    advice: UNPERMITTED,
  },
  'no-route': {
    short: 'no route',
    failure: 'this machine has no usable route to the DNS server, and nothing was sent',
    advice: NO_ROUTE,
  },
  rejected: {
    short: 'rejected by ICMP',
    failure: 'an ICMP message rejected the question, probably from a firewall',
  },
  unreachable: {
    short: 'port unreachable',
    failure:
      "the DNS server's port is unreachable: nothing listens there, or a firewall rejects it",
  },
  silent: { short: 'no answer' },
};

const BROKEN: Partial<Record<string, DnsWords>> = {
  EFORMERR: { short: 'FORMERR', failure: 'the DNS server did not understand (FORMERR)' },
  ENOTIMP: { short: 'NOTIMP', failure: 'the DNS server does not support this (NOTIMP)' },
  EBADRESP: { short: 'unusable answer', failure: 'the answer of the DNS server is unusable' },
};

/** The words for an error of a question to DNS, or of the system's resolver. */
function dnsWords(error: ErrorFacts): DnsWords {
  const kind = dnsFailureKind(error);
  return kind === 'broken'
    ? (BROKEN[error.code] ?? { short: escapeControls(error.code) })
    : DNS_WORDS[kind];
}

const typeOf = ({ family }: ServerAnswer): string => (family === 6 ? 'AAAA' : 'A');

/** What one server answered: once for both types if that is one fact. */
function describeAnswers(answers: readonly ServerAnswer[]): string {
  const sorted = [...answers].sort((one, other) => one.family - other.family);
  const words = sorted.map(({ error }) => (error ? dnsWords(error).short : 'has addresses'));
  const [first = ''] = words;
  if (words.every((each) => each === first)) return first;
  const { short: none } = DNS_WORDS['no-record'];
  if (words.every((each) => each === 'has addresses' || each === none)) return 'has addresses';
  return sorted.map((each, index) => `${typeOf(each)} ${words[index]}`).join(', ');
}

/** The configured DNS servers and, where they were asked, what each of them answered. */
function describeServers({ servers, answers = [] }: Unresolved): string {
  if (answers.length === 0)
    return `DNS: ${servers.map(escapeControls).join(servers.length === 2 ? ' and ' : ', ')}`;
  const lines = servers.map((server) => {
    const own = answers.filter((each) => each.server === server);
    return `${escapeControls(server)}${own.length > 0 ? `: ${describeAnswers(own)}` : ''}`;
  });
  return `DNS ${lines.join('; ')}`;
}

/** Who was asked: `the system's resolver (DNS: 192.0.2.53)`, `the DNS server 192.0.2.53`. */
function describeResolver(outcome: Unresolved): string {
  const { via, servers, answers = [] } = outcome;
  if (via === 'system')
    return `the system's resolver${servers.length > 0 ? ` (${describeServers(outcome)})` : ''}`;
  const kinds = new Set(answers.map(({ error }) => error && dnsFailureKind(error)));
  const each = kinds.size > 1 ? ` (${describeAnswers(answers)})` : '';
  return `the DNS server ${escapeControls(via)}${each}`;
}

const TRY_ADDRESS = 'Try the IP address: if it works, suspect name resolution, not the service.';

interface Words {
  readonly name: string;
  readonly resolver: string;
  readonly after: string;
  /** `IPv6 ` where only one family was asked for. */
  readonly family: string;
}

/** `a.test is an alias (CNAME) for b.test`, or what leads back to itself; '' for no alias. */
function describeAlias({ host, aliases = [] }: Unresolved): string {
  const names = aliases.map(escapeControls);
  if (names.length === 0) return '';
  return isAliasLoop(host, aliases)
    ? `${escapeControls(host)} is an alias (CNAME) that leads back to itself (${names.join(', ')})`
    : `${escapeControls(host)} is an alias (CNAME) for ${names.at(-1)}`;
}

/** The only addresses are 0.0.0.0 or ::, which reach this machine and no other. */
const explainUnspecified = (
  unspecified: readonly string[],
  { name, resolver, after }: Words,
): Explanation => ({
  what:
    `${resolver} answered after ${after} that ${name} has only ` +
    `${unspecified.map(escapeControls).join(' and ')}, which no host has as its address.`,
  advice:
    'A DNS filter or an entry in the hosts file usually blocks a name like this. Check both, ' +
    'or ask another DNS server with --dns.',
});

function explainNoAddress(outcome: Unresolved, words: Words): Explanation {
  const { family, via, unspecified, host, aliases = [] } = outcome;
  const { name, resolver, after, family: kind } = words;
  if (via === 'literal')
    return {
      what: `${name} is not an IPv${family} address.`,
      advice: `Remove -${family} or --source, or use an IPv${family} address.`,
    };
  if (unspecified) return explainUnspecified(unspecified, words);
  const alias = describeAlias(outcome);
  const isLoop = isAliasLoop(host, aliases);
  const fact = alias
    ? `${alias}${isLoop ? '' : `, which has no ${kind}address`}`
    : `${name} exists but has no ${kind}address`;
  const wanted = isLoop ? 'to correct the alias' : 'for an A or AAAA record';
  return {
    what: `${resolver} answered after ${after} that ${fact}.`,
    advice:
      family === 0 || isLoop
        ? `Ask the administrator of its DNS zone ${wanted}.`
        : `Try without -${family}, or ask the administrator of its DNS zone for an address.`,
  };
}

function explainNotFound(outcome: Unresolved, { name, resolver, after }: Words): Explanation {
  const alias = describeAlias(outcome);
  return {
    what:
      `${resolver} answered after ${after} that ` +
      `${alias ? `${alias}, which does not exist` : `there is no name ${name}`}.`,
    advice: `Check the spelling and, if the name is an alias (CNAME), its target. ${TRY_ADDRESS}`,
  };
}

/** What to do about a system that is silent although every DNS server did something else. */
function adviseOnAnswers(answers: readonly ServerAnswer[], via: string): string {
  const words = answers.map(({ error }) => error && dnsWords(error));
  const { failure, advice = 'Check that server.' } = words.find((each) => each?.failure) ?? {};
  if (failure) return `${failure.charAt(0).toUpperCase()}${failure.slice(1)}. ${advice}`;
  return via === 'system'
    ? 'The DNS servers answer now. They were slow at first, or another source of names is slow.'
    : 'Try again.';
}

const UNANSWERED = 'is down or too slow, answers from another address, or its packets are dropped';

/** What to do about a silent resolver, by what each DNS server answered. */
function adviseOnSilence({ elapsedMs, answers = [], via, servers }: Unresolved): string {
  if (elapsedMs < SHORT_LOOKUP_MS)
    return 'A lookup can take longer than that: use a longer --timeout.';
  const kinds = (server: string) =>
    answers.flatMap((each) =>
      each.server === server && each.error ? dnsFailureKind(each.error) : [],
    );
  const silent = answers.filter(
    ({ server, error }) =>
      error && dnsFailureKind(error) === 'silent' && !kinds(server).some(isUnreached),
  );
  const isSilent = (server: string): boolean =>
    silent.some((each) => each.server === server) &&
    answers.every((each) => each.server !== server || silent.includes(each));
  const dead = servers.filter(isSilent).map(escapeControls);
  if (silent.length === answers.length) return `The DNS server ${UNANSWERED}.`;
  if (silent.length === 0) return adviseOnAnswers(answers, via);
  if (dead.length > 0)
    return (
      `${dead.join(' and ')} ${UNANSWERED}. ` +
      'Repair or remove it, or use a ' +
      "longer --timeout: the system's resolver asks the next server after a while (glibc: 5 s)."
    );
  const types = [...new Set(silent.map(typeOf))];
  const other = types.includes('AAAA') ? 4 : 6;
  const hasOther = answers.some(({ family, error }) => family === other && error === null);
  return (
    `The DNS server, or a firewall, drops questions for ${types.join(' and ')} records.` +
    (hasOther ? ` Use -${other} until that is repaired.` : '')
  );
}

const UNRESOLVED: Record<UnresolvedReason, (outcome: Unresolved, words: Words) => Explanation> = {
  'name-not-found': explainNotFound,
  'name-no-address': explainNoAddress,
  'resolver-failed': ({ error }, { name, resolver, after }) => {
    const { failure, advice = 'Check the DNS server.' } = dnsWords(error);
    const cause = failure ? `: ${failure}` : '';
    return {
      what: `resolving ${name} with ${resolver} failed after ${after}${cause}.`,
      advice: `${advice} ${TRY_ADDRESS}`,
    };
  },
  'resolver-timeout': (outcome, { name, resolver, after }) => ({
    what: `${resolver} did not answer for ${name} within ${after}.`,
    advice: `${adviseOnSilence(outcome)} ${TRY_ADDRESS}`,
  }),
};

/** Why a name has no address, or who failed to say, and what to do. */
export function explainUnresolved(outcome: Unresolved, timeoutMs: number): Explanation {
  const { reason, host, family, elapsedMs } = outcome;
  return UNRESOLVED[reason](outcome, {
    name: escapeControls(host),
    resolver: describeResolver(outcome),
    after:
      reason === 'resolver-timeout' ? formatWait(elapsedMs, timeoutMs) : formatDuration(elapsedMs),
    family: family === 0 ? '' : `IPv${family} `,
  });
}

/** A resolution in one line: `mail.example.com: 192.0.2.10 (system resolver, 1.50 ms)`. */
export function describeResolution(resolution: Resolution): string {
  const { host, via, elapsedMs, state } = resolution;
  const resolver = via === 'system' ? 'system resolver' : `DNS server ${escapeControls(via)}`;
  const found =
    state === 'resolved'
      ? resolution.addresses.map(({ address }) => escapeControls(address)).join(', ')
      : state;
  return `${escapeControls(host)}: ${found} (${resolver}, ${formatDuration(elapsedMs)})`;
}
