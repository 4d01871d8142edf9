import { mayAskDns } from '../../resolve/lookup-failure.js';
import { listAddresses } from '../observations/name-check.js';
import type {
  DnsAnswer,
  DnsServerObservation,
  Observations,
} from '../observations/observations.js';
import { certain, type Conclusion, possible, probable } from './conclusion.js';
import {
  attemptEvidence,
  dnsEvidence,
  dnsOnlyAttempts,
  examinedAttempt,
  isOpen,
  joinWords,
  listAttempted,
  overallAnswer,
  resolverAttempts,
  untimed,
} from './evidence.js';
import { isWaitedFor, serversAtFault } from './silence.js';

/** Whether a server said which addresses of a family the name has, if any. */
const knowsFamily = ({ a, aaaa }: DnsServerObservation, family: 4 | 6): boolean => {
  const kind = (family === 4 ? a : aaaa)?.kind;
  return kind === 'addresses' || kind === 'no-record' || kind === 'no-such-name';
};

/** The addresses that applications get from the hosts file, although DNS says otherwise. */
function overridingAddresses({ name }: Observations): string[] {
  const { resolution, hostsFile, sources, servers } = name;
  if (resolution.state !== 'resolved' || resolution.via !== 'system' || !hostsFile) return [];
  if (sources && !sources.slice(0, sources.indexOf('dns') + 1 || undefined).includes('files'))
    return []; // DNS comes first, or the file is not asked at all
  const inDns = new Set(servers.flatMap(listAddresses));
  return ([4, 6] as const).flatMap((family) => {
    const own = resolution.addresses.filter((each) => each.family === family);
    const isFromFile = own.every(({ address }) => hostsFile.addresses.includes(address));
    const isInDns = own.every(({ address }) => inDns.has(address));
    const isKnown = servers.some((each) => knowsFamily(each, family));
    return isFromFile && !isInDns && isKnown ? own.map(({ address }) => address) : [];
  });
}

/**
 * Applications get an address of the hosts file that DNS does not have. Certain only if that
 * decides: the port is open at an address in DNS, or at the address in the file.
 */
export function compareHostsFile(seen: Observations): Conclusion | null {
  const inDns = [...new Set(seen.name.servers.flatMap(listAddresses))];
  const inFile = overridingAddresses(seen);
  if (inDns.length === 0 || inFile.length === 0) return null;
  const { path = '' } = seen.name.hostsFile ?? {};
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
      ...dnsEvidence(seen),
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
 * it is certain only if it decides: the name is not found, the port is open only at an address of
 * another server, or some applications get no address.
 */
export function compareServers(seen: Observations): Conclusion | null {
  const answers = seen.name.servers.filter((each) =>
    ['addresses', 'no-such-name', 'no-record'].includes(overallAnswer(each)),
  );
  if (!doServersDisagree(answers)) return null;
  const live = isOpen(examinedAttempt(seen)) ? [] : dnsOnlyAttempts(seen).filter(isOpen);
  const isWithout = answers.some((each) => overallAnswer(each) !== 'addresses');
  const { outcome } = seen;
  const isNotFound = outcome.state === 'unresolved' && outcome.reason.startsWith('name-');
  const isFirstWithout = answers.slice(0, 1).some((each) => overallAnswer(each) !== 'addresses');
  const decides =
    (isNotFound && isFirstWithout) || live.length > 0 || (outcome.state === 'open' && isWithout);
  const conclude = decides ? certain : possible;
  return conclude(
    `The DNS servers of this machine disagree about ${seen.target.host}: ` +
      `${joinWords(answers.map(describeAddresses))}.` +
      (live.length > 0 ? ` The port is open at ${listAttempted(live)}.` : ''),
    [...dnsEvidence(seen), ...seen.addresses.map(({ attempt }) => attemptEvidence(attempt))],
    'Ask the operators of these DNS servers. Until then, applications get one answer or the other.',
  );
}

/** Answers with which some systems end, though another server has an address (musl: the first). */
const ENDS: ReadonlySet<DnsAnswer['kind']> = new Set<DnsAnswer['kind']>([
  'no-such-name',
  'no-record',
  'no-recursion',
  'broken',
]);

/**
 * DNS has an address, but the resolver found none. It is certain only if no answer of DNS can be
 * why.
 */
export function judgeOnlyInDns(seen: Observations): Conclusion | null {
  const { outcome, name, target } = seen;
  if (outcome.state !== 'unresolved' || outcome.unspecified) return null;
  if (outcome.reason === 'resolver-timeout' || isWaitedFor(seen)) return null;
  if (!name.servers.some((each) => listAddresses(each).length > 0)) return null;
  if (serversAtFault(seen).some((each) => ENDS.has(overallAnswer(each)))) return null;
  const others = name.servers.filter((each) => ENDS.has(overallAnswer(each)));
  const otherNames = joinWords(others.map(({ server }) => server));
  const [conclude, other] =
    others.length > 0
      ? [
          probable,
          ' It asks other sources than DNS, or it uses the answer of DNS server ' +
            `${otherNames}. Both look the same from here.`,
        ]
      : [certain, ''];
  return conclude(
    'Name resolution on this machine is at fault: ' +
      `DNS has an address for ${target.host}, ` +
      `but the system's resolver, which applications use, finds none.${other}`,
    [...dnsEvidence(seen), untimed(`the system's resolver: ${outcome.error.code}`)],
    "Check which sources the system's resolver asks, and in which order " +
      '(on Linux: the hosts line of /etc/nsswitch.conf).',
  );
}

/** The system asks only sources of this machine, and they have no address. */
export function judgeLocalSources(seen: Observations): Conclusion | null {
  const { outcome, name, target } = seen;
  if (outcome.state !== 'unresolved' || mayAskDns(name.sources)) return null;
  const hasAddress = name.servers.some((each) => listAddresses(each).length > 0);
  if (hasAddress || serversAtFault(seen).length > 0) return null;
  return certain(
    `The system's resolver has no address for ${target.host}. It asks only sources of this ` +
      `machine (${joinWords(name.sources ?? [])}), and no DNS server.`,
    [untimed(`the system's resolver: ${outcome.error.code}`)],
    'Add the name to the hosts file, or let the system ask DNS, too (the hosts line of ' +
      '/etc/nsswitch.conf).',
  );
}
