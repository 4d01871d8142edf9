import type { Address, ErrorFacts, ServerAnswer } from '../facts/outcome.js';
import { within } from './deadline.js';
import { askDns, type DnsQuery } from './dns-query.js';
import { type Failure, judgeResolverError, noAddress } from './resolver-error.js';

/** How long DNS may take to refine a "not found" of the system, which stands without it. */
const REFINING_MS = 1000;

/** How long to wait for single servers when there is an answer to the common question. */
const STRAGGLER_MS = 50;

/** How many servers are asked one by one; glibc uses three (resolv.conf(5), MAXNS). */
const MAX_NAMED_SERVERS = 3;

/** What DNS says when it answers that it cannot serve the name. */
const DNS_REFUSALS: ReadonlySet<string> = new Set(['ESERVFAIL', 'EREFUSED', 'ENOTIMP']);

/** What each configured server says to a question that all of them are asked together. */
async function askEachServer(
  query: DnsQuery,
  together: Promise<Address[] | Failure>,
): Promise<ServerAnswer[]> {
  const servers = (await import('node:dns')).getServers().slice(0, MAX_NAMED_SERVERS);
  const answers: ServerAnswer[] = [];
  const add = (server: string, answer: Address[] | Failure): void => {
    answers.push({ server, code: Array.isArray(answer) ? null : answer.error.code });
  };
  const over = new AbortController();
  const each = (servers.length > 1 ? servers : []).map(async (server) => {
    const answer = await askDns({ ...query, servers: [server], signal: over.signal });
    if (!over.signal.aborted) add(server, answer);
  });
  const answer = await together;
  await within(Promise.all(each), { timeoutMs: Math.min(query.timeoutMs, STRAGGLER_MS) });
  over.abort();
  const [only, another] = servers;
  if (only !== undefined && another === undefined) add(only, answer);
  return answers.sort((one, other) => servers.indexOf(one.server) - servers.indexOf(other.server));
}

/** The system's failure, or that of DNS where it says more. */
function refine(own: Failure, isNotFound: boolean, dns: Address[] | Failure): Failure {
  if (Array.isArray(dns)) return own; // applications see what the system sees, not what DNS knows
  if (!isNotFound) return dns.reason.startsWith('resolver-') ? dns : own;
  if (dns.reason === 'name-no-address') return noAddress(own.error);
  const isRefused =
    dns.error.code === 'EFORMERR' ||
    (own.reason === 'name-no-address' && DNS_REFUSALS.has(dns.error.code));
  return isRefused ? dns : own;
}

/**
 * Why the system's resolver found nothing: its own error, refined by what DNS says to the same
 * question. `getaddrinfo` has one code, EAI_AGAIN, for SERVFAIL, REFUSED and silence. Some systems
 * have one for "no such name" and "no address". And it reports a FORMERR, or a SERVFAIL for one
 * family beside an empty answer for the other, as "not found".
 *
 * @param query what was asked; its timeout is what is left of it
 */
export async function explainFailure(
  error: ErrorFacts,
  query: DnsQuery,
): Promise<Failure & { readonly answers: readonly ServerAnswer[] }> {
  const own = judgeResolverError(error);
  const isNotFound = own.reason === 'name-not-found' || own.reason === 'name-no-address';
  const timeoutMs = isNotFound ? Math.min(query.timeoutMs, REFINING_MS) : query.timeoutMs;
  const bounded = { ...query, timeoutMs };
  const together = askDns(bounded);
  const [dns, answers] = await Promise.all([together, askEachServer(bounded, together)]);
  return { ...refine(own, isNotFound, dns), answers };
}
