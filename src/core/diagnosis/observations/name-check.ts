import { getServers } from 'node:dns';
import { monotonicClock } from '../../clock.js';
import type { Resolution } from '../../facts/outcome.js';
import { type ResolveOptions, resolveHost } from '../../resolve/resolver.js';
import { asciiHost } from '../../target/target.js';
import { addressesOf } from './evidence.js';
import { readSystemFile, systemFilePath } from '../../system-file.js';
import { parseHostsFile, parseSearchDomains } from './hosts-file.js';
import type { DnsAnswer, DnsServerObservation, NameObservation } from './observations.js';

/** More servers than these are not asked; glibc asks three (resolv.conf(5), MAXNS). */
const MAX_SERVERS = 6;

/** How a name is looked into. */
export interface NameCheckOptions extends Pick<ResolveOptions, 'family' | 'signal' | 'dnsServer'> {
  /** Deadline of each of the two rounds of questions, in milliseconds. */
  readonly timeoutMs: number;
  /** Default: the system's. */
  readonly hostsFile?: string | undefined;
  /** Default: /etc/resolv.conf. */
  readonly resolvConf?: string | undefined;
  /** Default: the servers that are configured. */
  readonly servers?: readonly string[] | undefined;
}

function answerOf(resolution: Resolution): DnsAnswer {
  const { elapsedMs } = resolution;
  const said = (kind: DnsAnswer['kind']): DnsAnswer => ({ kind, addresses: [], elapsedMs });
  switch (resolution.state) {
    case 'resolved':
      return {
        kind: 'addresses',
        addresses: resolution.addresses.map(({ address }) => address),
        elapsedMs,
      };
    case 'cancelled':
    case 'failed':
      return said('cancelled');
    case 'unresolved':
      break;
    default:
      return resolution satisfies never;
  }
  switch (resolution.error.code) {
    case 'ENOTFOUND':
      return said('no-such-name');
    case 'ENODATA':
      return said('no-record');
    case 'ESERVFAIL':
      return said('servfail');
    case 'EREFUSED':
      return said('refused');
    case 'ECONNREFUSED':
      return said('unreachable');
    case 'ETIMEOUT':
    case 'ECANCELLED':
      return said('silent');
    default:
      return said('broken');
  }
}

async function askServer(
  server: string,
  host: string,
  { family, timeoutMs, signal }: NameCheckOptions,
): Promise<DnsServerObservation> {
  const ask = async (asked: 4 | 6): Promise<DnsAnswer | null> =>
    family !== undefined && family !== asked
      ? null
      : answerOf(await resolveHost(host, { family: asked, timeoutMs, signal, dnsServer: server }));
  const [a, aaaa] = await Promise.all([ask(4), ask(6)]);
  return { server, a, aaaa };
}

/** Asks each configured DNS server by itself, all at once. */
export function askServers(
  host: string,
  options: NameCheckOptions,
): Promise<DnsServerObservation[]> {
  const configured =
    options.servers ?? (options.dnsServer === undefined ? getServers() : [options.dnsServer]);
  const servers = [...new Set(configured)].slice(0, MAX_SERVERS);
  return Promise.all(servers.map((server) => askServer(server, host, options)));
}

/** The name with each search domain behind it, where a server knows that. Asks only when none knows the name by itself. */
async function askWithSearchDomains(
  host: string,
  known: readonly DnsServerObservation[],
  options: NameCheckOptions,
): Promise<NameObservation['foundBySearch']> {
  const { dnsServer, resolvConf = '/etc/resolv.conf' } = options;
  const [first] = known.filter(({ a, aaaa }) =>
    [a?.kind, aaaa?.kind].some((kind) => kind === 'no-such-name' || kind === 'no-record'),
  );
  if (
    dnsServer !== undefined ||
    first === undefined ||
    host.endsWith('.') ||
    known.some((each) => addressesOf(each).length > 0)
  )
    return [];
  const domains = parseSearchDomains(readSystemFile(resolvConf) ?? '');
  const found = await Promise.all(
    domains.map(async (domain) => {
      const name = `${asciiHost(host)}.${domain}`;
      return { name, addresses: addressesOf(await askServer(first.server, name, options)) };
    }),
  );
  return found.filter(({ addresses }) => addresses.length > 0);
}

/**
 * Everything about the name but the system's own answer, which the caller has. Told apart from it because it takes longer.
 *
 * @param host as the user wrote it; not a literal address
 */
export async function checkName(
  host: string,
  asked: Promise<DnsServerObservation[]>,
  options: NameCheckOptions,
): Promise<Omit<NameObservation, 'resolution'>> {
  const { dnsServer, hostsFile = systemFilePath('hosts') } = options;
  const startMs = monotonicClock();
  const text = dnsServer === undefined ? readSystemFile(hostsFile) : null;
  const servers = await asked;
  const timeoutMs = Math.max(2 * options.timeoutMs - (monotonicClock() - startMs), 1);
  const foundBySearch = await askWithSearchDomains(host, servers, {
    ...options,
    timeoutMs: Math.min(timeoutMs, options.timeoutMs),
  });
  return {
    servers,
    hostsFile:
      text === null ? null : { path: hostsFile, addresses: parseHostsFile(text, asciiHost(host)) },
    foundBySearch,
  };
}
