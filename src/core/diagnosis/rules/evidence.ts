import type { Attempt } from '../../facts/outcome.js';
import type { FailedReason, FilteredReason } from '../../states.js';
import { formatEndpoint } from '../../target/target.js';
import type {
  DnsAnswer,
  DnsServerObservation,
  ListenerObservation,
  Observations,
} from '../observations/observations.js';

/** An observation in words, with its time if that was measured. */
export type Evidence = {
  readonly fact: string;
  /** Milliseconds, or null. */
  readonly elapsedMs: number | null;
};

/** Evidence without a time. */
export const untimed = (fact: string): Evidence => ({ fact, elapsedMs: null });

/** Joins words to a list: `a`, `a and b`, `a, b and c`. */
export const joinWords = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

const FAILURES: Readonly<Record<FailedReason, string>> = {
  'no-route': 'no route',
  'no-ports-left': 'no free source port',
  'no-files-left': 'no free file descriptor',
  'not-permitted': 'not permitted',
  'bad-source': 'the source address cannot be used',
  'no-resources': 'no memory or buffers',
  'unknown-error': 'unknown error',
};

const FILTERED: Readonly<Record<FilteredReason, string>> = {
  'no-response': 'did not answer',
  'host-unreach': 'was reported unreachable',
  'net-unreach': 'was reported to be on an unreachable network',
  'proto-unreach': 'was reported not to support TCP',
  'admin-prohibited': 'was reported as prohibited',
  'icmp-error': 'caused an unusual ICMP error',
};

/** The result of an attempt, to follow its address in a sentence: `opened`, `did not answer`. */
export function describeResult(attempt: Attempt): string {
  switch (attempt.state) {
    case 'open':
      return 'opened';
    case 'closed':
      return 'refused';
    case 'cancelled':
      return 'was cancelled';
    case 'failed':
      return `could not be tried (${FAILURES[attempt.reason]})`;
    case 'filtered':
      return FILTERED[attempt.reason];
    default:
      return attempt satisfies never;
  }
}

/** The addresses and results of attempts: `192.0.2.1 refused and 192.0.2.2 did not answer`. */
export const listResults = (attempts: readonly Attempt[]): string =>
  joinWords(attempts.map((each) => `${each.endpoint.address} ${describeResult(each)}`));

/** The addresses of attempts: `192.0.2.1 and 192.0.2.2`. */
export const listAttempted = (attempts: readonly Attempt[]): string =>
  joinWords(attempts.map(({ endpoint }) => endpoint.address));

/** An attempt as evidence. */
export const attemptEvidence = (attempt: Attempt): Evidence => ({
  fact: `${formatEndpoint(attempt.endpoint)} ${describeResult(attempt)}`,
  elapsedMs: attempt.state === 'open' ? attempt.latencyMs : attempt.elapsedMs,
});

/** Answers in the order of what they say about the name; the first counts for both families. */
const INFORMATIVE: readonly DnsAnswer['kind'][] = [
  'addresses',
  'unspecified',
  'no-such-name',
  'servfail',
  'refused',
  'no-recursion',
  'broken',
  'no-tcp',
  'not-permitted',
  'no-route',
  'rejected',
  'unreachable',
  'silent',
  'no-record',
  'cancelled',
];

/** What a server's answers to both families come to. */
export function overallAnswer({ a, aaaa }: DnsServerObservation): DnsAnswer['kind'] {
  const kinds = [a?.kind, aaaa?.kind];
  return INFORMATIVE.find((kind) => kinds.includes(kind)) ?? 'cancelled';
}

/** The types of records that a server was asked for, with its answers. */
export const answersByType = ({ a, aaaa }: DnsServerObservation) =>
  (
    [
      ['A', a],
      ['AAAA', aaaa],
    ] as const
  ).flatMap(([type, answer]) => (answer ? [{ type, ...answer }] : []));

/** The types of records to which a server gave this kind of answer. */
export const typesWith = (server: DnsServerObservation, kind: DnsAnswer['kind']): string[] =>
  answersByType(server).flatMap((answer) => (answer.kind === kind ? [answer.type] : []));

const ANSWERS: Readonly<Record<Exclude<DnsAnswer['kind'], 'addresses' | 'unspecified'>, string>> = {
  'no-record': 'the name exists but has no such record',
  'no-such-name': 'no such name (NXDOMAIN)',
  servfail: 'the server failed (SERVFAIL)',
  refused: 'the server refused to answer (REFUSED)',
  'no-recursion': 'no address, and no recursion',
  broken: 'an unusable answer',
  'no-tcp': 'truncated over UDP, and no answer over TCP',
  'not-permitted': 'not permitted by this machine',
  'no-route': 'no route',
  rejected: 'rejected by an ICMP message',
  unreachable: 'its port is unreachable',
  silent: 'no answer',
  cancelled: 'cancelled',
};

/** An answer of a DNS server in words. */
export const describeAnswer = ({ kind, addresses }: Omit<DnsAnswer, 'elapsedMs'>): string =>
  kind === 'addresses' || kind === 'unspecified' ? addresses.join(', ') : ANSWERS[kind];

/** Whether two answers of a server are one fact: alike, or addresses of one family only. */
function isOneFact(kinds: readonly DnsAnswer['kind'][]): boolean {
  const others = kinds.filter((kind) => kind !== 'addresses' && kind !== 'unspecified');
  return new Set(kinds).size === 1 || others.every((kind) => kind === 'no-record');
}

/** An answer from nearer takes less than half the time, and is at least this much faster. */
const TIMING_NOISE_MS = 2;

/** Whether an answer came so much faster than another that it came from nearer. */
export const isMuchShorter = (shorterMs: number, longerMs: number): boolean =>
  shorterMs < longerMs / 2 && longerMs - shorterMs > TIMING_NOISE_MS;

/** What a DNS server answered, as evidence: both types together unless they differ. */
export function serverEvidence(observation: DnsServerObservation): Evidence[] {
  const subject = `DNS server ${observation.server}`;
  const answers = answersByType(observation);
  if (!isOneFact(answers.map(({ kind }) => kind)))
    return answers.map(({ type, elapsedMs, ...answer }) => ({
      fact: `${subject}, ${type}: ${describeAnswer(answer)}`,
      elapsedMs,
    }));
  const kind = overallAnswer(observation);
  const addresses = answers.flatMap((each) => each.addresses);
  const elapsedMs = Math.max(0, ...answers.map((each) => each.elapsedMs));
  return [{ fact: `${subject}: ${describeAnswer({ kind, addresses })}`, elapsedMs }];
}

/** What every DNS server answered, as evidence. */
export const dnsEvidence = ({ name }: Observations): Evidence[] =>
  name.servers.flatMap(serverEvidence);

/** Whether an attempt opened. */
export const isOpen = (attempt: Attempt | undefined): boolean => attempt?.state === 'open';

/** The attempts on the addresses that applications get. */
export const resolverAttempts = ({ addresses }: Observations): Attempt[] =>
  addresses.flatMap(({ source, attempt }) => (source === 'resolver' ? [attempt] : []));

/** The attempts on addresses that only DNS servers have. */
export const dnsOnlyAttempts = ({ addresses }: Observations): Attempt[] =>
  addresses.flatMap(({ source, attempt }) => (source === 'dns' ? [attempt] : []));

/** The attempt on the extra address. */
export const givenAttempt = ({ addresses }: Observations): Attempt | undefined =>
  addresses.find(({ source }) => source === 'given')?.attempt;

/** The attempt that was examined: the deciding one or, without one, that on the extra address. */
export const examinedAttempt = (seen: Observations): Attempt | undefined =>
  'endpoint' in seen.outcome ? seen.outcome : givenAttempt(seen);

/** The other ports that opened, or that the host or a firewall on the way refused. */
export const answeringPorts = ({ companions: otherPorts }: Observations): Attempt[] =>
  (otherPorts ?? []).filter(({ state }) => state === 'open' || state === 'closed');

/**
 * The sockets of this machine that accept connections to an own address. One on `::` may be for
 * IPv6 alone: it accepts IPv4 only if 127.0.0.1 opens.
 */
export function coveringListeners(
  { endpoint }: Attempt,
  { listeners, loopback }: Observations,
): ListenerObservation[] {
  const address = endpoint.address.replace(/%.*$/, '');
  const isDual = loopback.some((each) => each.endpoint.family === 4 && isOpen(each));
  const wildcards = endpoint.family === 6 ? ['::'] : ['0.0.0.0', ...(isDual ? ['::'] : [])];
  return (listeners ?? []).filter((each) => [address, ...wildcards].includes(each.address));
}

/** Whether the target is a name for loopback (RFC 6761, section 6.3). */
export const isLocalhost = ({ target }: Observations): boolean =>
  /(^|\.)localhost\.?$/i.test(target.host);

/** How fast a port refused, beside the handshake of an open one of the same host. */
export function timingEvidence(
  { endpoint }: Attempt,
  { refusedMs, openPort, openMs }: NonNullable<Observations['refusalTiming']>,
): Evidence[] {
  return [
    { fact: `port ${endpoint.port} refused`, elapsedMs: refusedMs },
    { fact: `port ${openPort} of the same host opened`, elapsedMs: openMs },
  ];
}
