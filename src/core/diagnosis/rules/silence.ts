import { mayAskDns } from '../../resolve/lookup-failure.js';
import { isUnreached, SHORT_LOOKUP_MS, SHORTEST_SILENCE_MS } from '../../facts/dns-failure.js';
import type { DnsServerObservation, Observations } from '../observations/observations.js';
import { certain, type Conclusion, probable } from './conclusion.js';
import { answersByType, type Evidence, joinWords, overallAnswer, typesWith } from './evidence.js';

/** Sources of names that answer at once, and DNS (nsswitch.conf(5)). */
const QUICK_SOURCES: ReadonlySet<string> = new Set(['files', 'myhostname', 'dns']);

/** Whether a server's answers decide, so that the system asks no further server. */
const isDecisive = (server: DnsServerObservation): boolean =>
  answersByType(server).every(
    ({ kind }) =>
      kind === 'addresses' ||
      kind === 'unspecified' ||
      kind === 'no-record' ||
      kind === 'no-such-name',
  );

/**
 * The servers whose answers can be why a name did not resolve. The first that decides is the cause,
 * with those that say the same. If it has an address, the system ended with one before it, or it
 * asked none of them.
 */
export function serversAtFault({ name }: Observations): DnsServerObservation[] {
  const { servers, sources } = name;
  const hasAddress = (each: DnsServerObservation) => typesWith(each, 'addresses').length > 0;
  const first = servers.findIndex((each) => hasAddress(each) || isDecisive(each));
  const decisive = servers[first];
  if (!mayAskDns(sources) && (!decisive || hasAddress(decisive))) return [];
  if (!decisive) return [...servers];
  if (hasAddress(decisive)) return servers.slice(0, first);
  return servers.filter((each) => overallAnswer(each) === overallAnswer(decisive));
}

/** Whether the lookup took so long that the system can have waited for a silent server. */
const canHaveWaited = ({ outcome }: Observations): boolean =>
  outcome.state === 'unresolved' &&
  (outcome.reason === 'resolver-timeout' || outcome.elapsedMs >= SHORTEST_SILENCE_MS);

/**
 * The silent servers that the system waits for: those before the first that decides. glibc asks the
 * servers in their order, and waits for A and AAAA (resolv.conf(5)). A lookup that failed at once
 * has ended with the first answer.
 */
function silentServers(seen: Observations): DnsServerObservation[] {
  const { name } = seen;
  const first = name.servers.findIndex(
    (each) => isDecisive(each) || (!canHaveWaited(seen) && typesWith(each, 'silent').length === 0),
  );
  return name.servers
    .slice(0, first < 0 ? undefined : first)
    .filter(
      (each) =>
        typesWith(each, 'silent').length > 0 &&
        !answersByType(each).some(({ kind }) => isUnreached(kind)),
    );
}

/** Whether the name is unresolved and the system waited for a server that did not answer. */
export function isWaitedFor(seen: Observations): boolean {
  const { outcome } = seen;
  if (outcome.state !== 'unresolved' || outcome.unspecified) return false;
  const knowsAddress = seen.name.servers.some((each) => typesWith(each, 'addresses').length > 0);
  // A system that says "not found" although DNS has an address has not waited for DNS.
  if (knowsAddress && outcome.reason.startsWith('name-')) return false;
  return silentServers(seen).length > 0;
}

/** Whether nothing but DNS can have delayed the lookup. */
const isOnlyDns = ({ name, timeoutMs }: Observations): boolean =>
  timeoutMs >= SHORT_LOOKUP_MS &&
  (name.resolution.via !== 'system' ||
    (name.sources?.every((source) => QUICK_SOURCES.has(source)) ?? false));

const inSeconds = (ms: number): number => Number((ms / 1000).toFixed(2));

/** Whether a server was silent for every type. */
const isDead = (server: DnsServerObservation): boolean =>
  answersByType(server).every(({ kind }) => kind === 'silent');

/** `DNS server 192.0.2.53 answered for A, but not for AAAA`. */
function describeSilence(servers: readonly DnsServerObservation[]): string {
  const dead = servers.filter(isDead);
  const partial = servers
    .filter((each) => !dead.includes(each))
    .map((each) => {
      const silent = typesWith(each, 'silent');
      const others = answersByType(each).filter(({ kind }) => kind !== 'silent');
      const answered = joinWords(others.map(({ type }) => type));
      return `DNS server ${each.server} answered for ${answered}, but not for ${joinWords(silent)}`;
    });
  const names = joinWords(dead.map(({ server }) => server));
  return joinWords([
    ...(dead.length > 0 ? [`DNS server${dead.length > 1 ? 's' : ''} ${names} did not answer`] : []),
    ...partial,
  ]);
}

function adviseOnSilence(servers: readonly DnsServerObservation[], seen: Observations): string {
  const hasAddress = (each: DnsServerObservation) => typesWith(each, 'addresses').length > 0;
  const down =
    'It is down or too slow, answers from another address, or its packets are dropped. ' +
    'All look the same from here.';
  if (seen.timeoutMs < SHORT_LOOKUP_MS) return `Try a longer timeout first. ${down}`;
  if (!servers.some(isDead))
    return (
      'Check that server, and the firewalls on the way: one of them drops these questions.' +
      (servers.some(hasAddress)
        ? ' Until then, ask only for the family that is answered (-4 or -6).'
        : '')
    );
  if (seen.name.servers.some(hasAddress))
    return (
      `Check that server, or remove it from the configuration. ${down} ` +
      "Until then, use a longer timeout: the system's resolver asks the next server " +
      'after a while (glibc: 5 s).'
    );
  return `Check that server, or configure another one. ${down}`;
}

/** The words that blame name resolution, and what was observed of it. */
interface Blame {
  readonly fault: string;
  readonly evidence: readonly Evidence[];
}

/** A server that the system waits for did not answer in time, for a type or at all. */
export function judgeSilence(seen: Observations, { fault, evidence }: Blame): Conclusion | null {
  if (!isWaitedFor(seen)) return null;
  const servers = silentServers(seen);
  const conclude = isOnlyDns(seen) && canHaveWaited(seen) ? certain : probable;
  return conclude(
    `${fault} ${describeSilence(servers)} within ${inSeconds(seen.timeoutMs)} s.`,
    evidence,
    adviseOnSilence(servers, seen),
  );
}

/** The servers with an address that took longer to answer than the system waited. */
const slowServers = ({ name, outcome }: Observations): string[] =>
  name.servers.flatMap((each) => {
    const found = answersByType(each).filter(({ kind }) => kind === 'addresses');
    const isSlow = found.some(
      ({ elapsedMs }) =>
        elapsedMs >= SHORTEST_SILENCE_MS &&
        outcome.state === 'unresolved' &&
        elapsedMs > outcome.elapsedMs,
    );
    return isSlow ? [each.server] : [];
  });

/** The resolver did not answer in time, but DNS has an address. */
export function judgeSlowness(seen: Observations, { fault, evidence }: Blame): Conclusion | null {
  const { outcome, name, target, timeoutMs } = seen;
  if (outcome.state !== 'unresolved' || outcome.reason !== 'resolver-timeout') return null;
  const isKnown = name.servers.some((each) => typesWith(each, 'addresses').length > 0);
  if (!isKnown || isWaitedFor(seen)) return null;
  const seconds = inSeconds(Math.min(outcome.elapsedMs, timeoutMs));
  const silence = `the system's resolver did not answer within ${seconds} s`;
  const facts = [
    ...evidence,
    { fact: "the system's resolver did not answer", elapsedMs: outcome.elapsedMs },
  ];
  const slow = slowServers(seen);
  if (slow.length > 0)
    return probable(
      `${fault} DNS server ${joinWords(slow)} probably answers too slowly for ${target.host}. ` +
        `The system's resolver gave up after ${seconds} s.`,
      facts,
      'Check that server and its way, or let the resolver wait longer ' +
        '(on Linux: options timeout in /etc/resolv.conf).',
    );
  if (timeoutMs < SHORT_LOOKUP_MS)
    return probable(
      `The name was not resolved: ${silence}, but DNS has an address for ${target.host}. ` +
        'The resolver is slow, or it only needs more time. Both look the same from here.',
      facts,
      'Try a longer timeout first.',
    );
  return certain(
    `${fault} ${silence}, but DNS has an address for ${target.host}.`,
    facts,
    'Check the other sources of names (on Linux: the hosts line of /etc/nsswitch.conf). ' +
      'DNS may also have been slow at first: try again.',
  );
}
