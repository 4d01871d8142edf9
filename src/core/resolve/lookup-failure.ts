import { SHORTEST_SILENCE_MS } from '../facts/dns-failure.js';
import type { ErrorFacts, ServerAnswer } from '../facts/outcome.js';
import { readSystemFile } from '../system-file.js';
import { askDns, configuredServers, type DnsFindings, type DnsQuery } from './dns-query.js';
import { type Failure, judgeResolverError, noAddress } from './resolver-error.js';

/** How long DNS may take to refine a "not found" of the system, which stands without it. */
const REFINING_MS = 1000;

/** How many servers are asked; glibc uses three (resolv.conf(5), MAXNS). */
const MAX_SERVERS = 3;

/** What DNS says when it answers that it cannot serve the name. */
const DNS_REFUSALS: ReadonlySet<string> = new Set(['ESERVFAIL', 'EREFUSED', 'ENOTIMP']);

/**
 * Answers with which glibc can end, as if there were no such name. It then asks no further server:
 * after FORMERR always, after a referral if that has additional records.
 */
const MISLEADING: ReadonlySet<string> = new Set(['EFORMERR', 'ENORECURSION']);

/** Why a lookup failed, with what each DNS server said to the same question. */
export type ExplainedFailure = Failure & { readonly answers: readonly ServerAnswer[] };

/** What the configured DNS servers say. */
export async function askConfiguredServers(query: Omit<DnsQuery, 'servers'>): Promise<DnsFindings> {
  const servers = (await configuredServers()).slice(0, MAX_SERVERS);
  return askDns({ ...query, servers, bothFamilies: true });
}

/** The sources of names in a nsswitch.conf, in order, without the actions in brackets. */
export function parseHostSources(text: string): string[] | null {
  const line = text.split(/\r?\n/).find((each) => /^\s*hosts\s*:/.test(each));
  if (line === undefined) return null;
  const [sources = ''] = line.replace(/^[^:]*:/, '').split('#');
  return sources
    .replace(/\[[^\]]*\]/g, ' ')
    .split(/\s+/)
    .filter(Boolean);
}

/** glibc in a line of `/proc/self/maps`: before version 2.34, since then, and after an upgrade. */
const GLIBC = /\/libc(?:-2\.\d+\.so|\.so\.6)(?: \(deleted\))?$/m;

/**
 * Whether the C library reads nsswitch.conf. On Linux only glibc does. musl always asks the hosts
 * file, then DNS.
 *
 * @param maps the files that this process has mapped (proc(5), `/proc/self/maps`), if known
 */
export const readsNsswitch = (
  maps: string | null,
  platform: NodeJS.Platform = process.platform,
): boolean => platform !== 'linux' || GLIBC.test(maps ?? '');

/** The sources that the system's resolver asks, in order; null where that is not known. */
export function readHostSources(
  path = '/etc/nsswitch.conf',
  maps = '/proc/self/maps',
): string[] | null {
  const text = readSystemFile(path);
  return text !== null && readsNsswitch(readSystemFile(maps)) ? parseHostSources(text) : null;
}

/** Sources that ask no other machine (nsswitch.conf(5), nss-myhostname(8), nss-mymachines(8)). */
const LOCAL_SOURCES: ReadonlySet<string> = new Set(['files', 'db', 'myhostname', 'mymachines']);

/** Whether the system's resolver can have asked DNS. */
export const mayAskDns = (sources: readonly string[] | null): boolean =>
  !sources?.length || sources.some((each) => !LOCAL_SOURCES.has(each));

/** A failure of the system's resolver, with its time in milliseconds. */
interface SystemFailure {
  readonly own: Failure;
  readonly elapsedMs: number;
}

const isNotFound = ({ reason }: Failure): boolean => reason.startsWith('name-');

/** The answer that misleads a system which asks the servers in their order, if there is one. */
function misleadingAnswer(answers: readonly ServerAnswer[]): Failure | undefined {
  const found = answers.findIndex(({ error }) => error === null);
  const before = answers.slice(0, found < 0 ? undefined : found);
  const misleading = before.find(({ error }) => error && MISLEADING.has(error.code));
  return misleading?.error ? judgeResolverError(misleading.error) : undefined;
}

/** The system's failure, or that of DNS where it says more. */
function refine({ own, elapsedMs }: SystemFailure, { result: dns, answers }: DnsFindings): Failure {
  // Applications see what the system sees, not what DNS knows.
  if (!('reason' in dns)) return (isNotFound(own) && misleadingAnswer(answers)) || own;
  const aliases = dns.aliases ? { aliases: dns.aliases } : {};
  if (!isNotFound(own)) {
    const isSilence = dns.reason === 'resolver-timeout';
    const explains = isSilence
      ? elapsedMs >= SHORTEST_SILENCE_MS
      : dns.reason === 'resolver-failed';
    return explains ? dns : own;
  }
  if (dns.reason === 'name-no-address') return { ...noAddress(own.error), ...aliases };
  if (dns.reason === 'name-not-found') return { ...own, ...aliases };
  const isRefused =
    MISLEADING.has(dns.error.code) ||
    (own.reason === 'name-no-address' && DNS_REFUSALS.has(dns.error.code));
  return isRefused ? dns : own;
}

/**
 * Why the system's resolver found nothing: its own error, refined by what DNS says to the same
 * question. `getaddrinfo` has one code, EAI_AGAIN, for SERVFAIL, REFUSED and silence. Some systems
 * have one for "no such name" and "no address". And it reports a FORMERR, or a SERVFAIL for one
 * family beside an empty answer for the other, as "not found".
 *
 * @param failure of the system; DNS is given about as long as it took
 * @param query what was asked; its timeout is what is left of it
 */
export async function explainFailure(
  { error, elapsedMs }: { readonly error: ErrorFacts; readonly elapsedMs: number },
  query: Omit<DnsQuery, 'servers'>,
): Promise<ExplainedFailure> {
  const own = judgeResolverError(error);
  const longestMs = isNotFound(own) ? REFINING_MS : Math.max(elapsedMs, REFINING_MS);
  const timeoutMs = Math.min(query.timeoutMs, longestMs);
  const findings = await askConfiguredServers({ ...query, timeoutMs });
  // Where the system asks no DNS server, none of them is why.
  const refined = mayAskDns(readHostSources()) ? refine({ own, elapsedMs }, findings) : own;
  return { ...refined, answers: findings.answers };
}
