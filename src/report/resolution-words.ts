import type { Resolution, Unresolved } from '../core/facts/outcome.js';
import type { UnresolvedReason } from '../core/states.js';
import { escapeControls } from './escape.js';
import { formatDuration } from './numbers.js';
import type { Explanation } from './outcome-words.js';

interface DnsAnswer {
  /** In a list of servers. */
  readonly short: string;
  /** As the cause of a failure. */
  readonly failure?: string;
}

/** What the codes of c-ares mean. A firewall or a missing route here reads ECONNREFUSED, too. */
const DNS_ANSWERS: Partial<Record<string, DnsAnswer>> = {
  ENOTFOUND: { short: 'no such name' },
  ENODATA: { short: 'no address' },
  ESERVFAIL: { short: 'SERVFAIL', failure: 'the DNS server failed (SERVFAIL)' },
  EREFUSED: { short: 'REFUSED', failure: 'the DNS server refuses to answer (REFUSED)' },
  EFORMERR: { short: 'FORMERR', failure: 'the DNS server did not understand (FORMERR)' },
  ENOTIMP: { short: 'NOTIMP', failure: 'the DNS server does not support this (NOTIMP)' },
  ECONNREFUSED: { short: 'cannot be reached', failure: 'no DNS server can be reached' },
  ETIMEOUT: { short: 'no answer' },
};

/** The configured DNS servers and, where they were asked, what each of them answered. */
function describeServers({ servers, answers = [] }: Unresolved): string {
  if (answers.length === 0)
    return `DNS: ${servers.map(escapeControls).join(servers.length === 2 ? ' and ' : ', ')}`;
  const lines = servers.map((server) => {
    const answer = answers.find((each) => each.server === server);
    if (!answer) return escapeControls(server);
    const { code } = answer;
    const short = code === null ? 'has addresses' : DNS_ANSWERS[code]?.short;
    return `${escapeControls(server)}: ${short ?? escapeControls(code ?? '')}`;
  });
  return `DNS ${lines.join('; ')}`;
}

/** Who was asked: `the system's resolver (DNS: 192.0.2.53)`, `the DNS server 192.0.2.53`. */
function describeResolver(outcome: Unresolved): string {
  const { via, servers } = outcome;
  if (via !== 'system') return `the DNS server ${escapeControls(via)}`;
  return `the system's resolver${servers.length > 0 ? ` (${describeServers(outcome)})` : ''}`;
}

const TRY_ADDRESS = 'Try the IP address: if it works, suspect name resolution, not the service.';

/** Below this a lookup may simply need more time: far servers, servers that ask others first. */
const SHORT_LOOKUP_MS = 1000;

interface Words {
  readonly name: string;
  readonly resolver: string;
  readonly after: string;
  /** `IPv6 ` where only one family was asked for. */
  readonly family: string;
}

function explainNoAddress(
  { family, via }: Unresolved,
  { name, resolver, after, family: kind }: Words,
): Explanation {
  if (via === 'literal')
    return {
      what: `${name} is not an IPv${family} address.`,
      advice: `Remove -${family} or --source, or use an IPv${family} address.`,
    };
  return {
    what: `${resolver} answered after ${after} that ${name} exists but has no ${kind}address.`,
    advice:
      family === 0
        ? 'Ask the administrator of its DNS zone for an A or AAAA record.'
        : `Try without -${family}, or ask the administrator of its DNS zone for an address.`,
  };
}

const UNRESOLVED: Record<UnresolvedReason, (outcome: Unresolved, words: Words) => Explanation> = {
  'name-not-found': (_, { name, resolver, after }) => ({
    what: `${resolver} answered after ${after} that there is no name ${name}.`,
    advice: `Check the spelling and, if the name is an alias (CNAME), its target. ${TRY_ADDRESS}`,
  }),
  'name-no-address': explainNoAddress,
  'resolver-failed': ({ error }, { name, resolver, after }) => {
    const failure = DNS_ANSWERS[error.code]?.failure;
    return {
      what: `${resolver} failed to resolve ${name} after ${after}${failure ? `: ${failure}` : ''}.`,
      advice: `Check the DNS server. ${TRY_ADDRESS}`,
    };
  },
  'resolver-timeout': ({ elapsedMs }, { name, resolver, after }) => ({
    what: `${resolver} did not answer for ${name} within ${after}.`,
    advice:
      elapsedMs < SHORT_LOOKUP_MS
        ? `A lookup can take longer than that: use a longer --timeout. ${TRY_ADDRESS}`
        : `The DNS server is down, or its packets are dropped. ${TRY_ADDRESS}`,
  }),
};

/** Why a name has no address, or who failed to say, and what to do. */
export function explainUnresolved(outcome: Unresolved): Explanation {
  const { reason, host, family, elapsedMs } = outcome;
  return UNRESOLVED[reason](outcome, {
    name: escapeControls(host),
    resolver: describeResolver(outcome),
    after: formatDuration(elapsedMs),
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
