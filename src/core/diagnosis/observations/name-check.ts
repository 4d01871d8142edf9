import { monotonicClock } from '../../clock.js';
import { dnsFailureKind } from '../../facts/dns-failure.js';
import type { Resolution } from '../../facts/outcome.js';
import { configuredServers } from '../../resolve/dns-query.js';
import { readHostSources } from '../../resolve/lookup-failure.js';
import { type ResolveOptions, resolveHost } from '../../resolve/resolver.js';
import { readSystemFile, systemFilePath } from '../../system-file.js';
import { asciiHost, familyOf } from '../../target/target.js';
import { parseHostsFile, parseSearchDomains } from './hosts-file.js';
import type { DnsAnswer, DnsServerObservation, NameObservation } from './observations.js';

/** At most this many servers are asked; glibc asks three (resolv.conf(5), MAXNS). */
const MAX_SERVERS = 6;

/** How a name is checked. */
export interface NameCheckOptions extends Pick<ResolveOptions, 'family' | 'signal' | 'dnsServer'> {
  /** The deadline of each of the two rounds of questions, in milliseconds. */
  readonly timeoutMs: number;
  /** Default: {@link resolveHost}. */
  readonly resolve?: typeof resolveHost;
  /** Default: the hosts file of the system. */
  readonly hostsFile?: string | undefined;
  /** Default: /etc/resolv.conf. */
  readonly resolvConf?: string | undefined;
  /** Default: /etc/nsswitch.conf. */
  readonly nsswitch?: string | undefined;
  /** Called with the answers of each configured server. */
  readonly onServer?: (server: DnsServerObservation) => void;
  /** Default: the DNS servers that are configured. */
  readonly servers?: readonly string[] | undefined;
}

function answerOf(resolution: Resolution): DnsAnswer {
  const { elapsedMs } = resolution;
  switch (resolution.state) {
    case 'resolved': {
      const addresses = resolution.addresses.map(({ address }) => address);
      return { kind: 'addresses', addresses, elapsedMs };
    }
    case 'cancelled':
    case 'failed':
      return { kind: 'cancelled', addresses: [], elapsedMs };
    case 'unresolved': {
      const { unspecified: addresses, aliases, error } = resolution;
      if (addresses) return { kind: 'unspecified', addresses, elapsedMs };
      const answer = { kind: dnsFailureKind(error), addresses: [], elapsedMs };
      return aliases ? { ...answer, aliases } : answer;
    }
    default:
      return resolution satisfies never;
  }
}

/** The addresses of both families in a server's answers. */
export const listAddresses = ({ a, aaaa }: DnsServerObservation): string[] =>
  [a, aaaa].flatMap((answer) => (answer?.kind === 'addresses' ? answer.addresses : []));

async function askServer(
  server: string,
  host: string,
  { family, timeoutMs, signal, resolve = resolveHost }: NameCheckOptions,
): Promise<DnsServerObservation> {
  const ask = async (asked: 4 | 6): Promise<DnsAnswer | null> =>
    family !== undefined && family !== asked
      ? null
      : answerOf(await resolve(host, { family: asked, timeoutMs, signal, dnsServer: server }));
  const [a, aaaa] = await Promise.all([ask(4), ask(6)]);
  return { server, a, aaaa };
}

/** Asks each configured DNS server directly, all at the same time. */
export async function askServers(
  host: string,
  options: NameCheckOptions,
): Promise<DnsServerObservation[]> {
  const { servers: given, dnsServer } = options;
  const configured = given ?? (dnsServer === undefined ? await configuredServers() : [dnsServer]);
  const servers = [...new Set(configured)].slice(0, MAX_SERVERS);
  const ask = async (server: string): Promise<DnsServerObservation> => {
    const observed = await askServer(server, host, options);
    options.onServer?.(observed);
    return observed;
  };
  return Promise.all(servers.map(ask));
}

const hasNoAddress = (answer: DnsAnswer | null): boolean =>
  answer?.kind === 'no-such-name' || answer?.kind === 'no-record';

/** The server to ask with search domains; undefined if they do not apply to the name. */
function serverForSearch(
  host: string,
  known: readonly DnsServerObservation[],
  { dnsServer }: NameCheckOptions,
): DnsServerObservation | undefined {
  const isKnown = known.some((each) => listAddresses(each).length > 0);
  if (dnsServer !== undefined || host.endsWith('.') || isKnown) return undefined;
  return known.find(({ a, aaaa }) => hasNoAddress(a) || hasNoAddress(aaaa));
}

/** The names that exist with a search domain appended. */
async function askWithSearchDomains(
  host: string,
  known: readonly DnsServerObservation[],
  options: NameCheckOptions,
): Promise<NameObservation['foundBySearch']> {
  const asked = serverForSearch(host, known, options);
  if (!asked) return [];
  const domains = parseSearchDomains(
    readSystemFile(options.resolvConf ?? '/etc/resolv.conf') ?? '',
  );
  const found = await Promise.all(
    domains.map(async (domain) => {
      const name = `${asciiHost(host)}.${domain}`;
      return { name, addresses: listAddresses(await askServer(asked.server, name, options)) };
    }),
  );
  return found.filter(({ addresses }) => addresses.length > 0);
}

/**
 * Checks the hosts file and the search domains for a name.
 *
 * @param host as the user wrote it; for a literal address nothing is checked
 * @param asking the answers of the DNS servers, see {@link askServers}
 */
export async function checkName(
  host: string,
  asking: Promise<DnsServerObservation[]>,
  options: NameCheckOptions,
): Promise<Omit<NameObservation, 'resolution'>> {
  if (familyOf(host) !== null)
    return { servers: [], hostsFile: null, sources: null, foundBySearch: [] };
  const { dnsServer, timeoutMs, hostsFile: path = systemFilePath('hosts') } = options;
  const startMs = monotonicClock();
  const text = dnsServer === undefined ? readSystemFile(path) : null;
  const servers = await asking;
  const leftMs = Math.max(2 * timeoutMs - (monotonicClock() - startMs), 1);
  const foundBySearch = await askWithSearchDomains(host, servers, {
    ...options,
    timeoutMs: Math.min(leftMs, timeoutMs),
  });
  const hostsFile =
    text === null ? null : { path, addresses: parseHostsFile(text, asciiHost(host)) };
  const sources = dnsServer === undefined ? readHostSources(options.nsswitch) : null;
  return { servers, hostsFile, sources, foundBySearch };
}
