import type { Attempt } from '../../facts/outcome.js';
import type { FailedReason } from '../../states.js';
import { formatEndpoint } from '../../target/target.js';
import { listAddresses } from './name-check.js';
import type { DnsAnswer, DnsServerObservation, Observations } from './observations.js';

/** Something that was observed, in words, with the time it took where that was measured. */
export interface Evidence {
  readonly fact: string;
  /** Milliseconds; null where there is no time to tell. */
  readonly elapsedMs: number | null;
}

/** Evidence without a time. */
export const fact = (text: string): Evidence => ({ fact: text, elapsedMs: null });

/** Words as a list: `a`, `a and b`, `a, b and c`. */
export const list = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

const NOT_TRIED: Readonly<Record<FailedReason, string>> = {
  'no-route': 'this machine has no route there',
  'no-ports-left': 'no source port was left',
  'no-files-left': 'no file descriptor was left',
  'not-permitted': 'this machine forbids it',
  'bad-source': 'the source address cannot be used',
  'no-resources': 'the system had no memory for it',
  'unknown-error': 'an unknown error',
};

/** What an attempt met, as the rest of a sentence behind its address: `opened`, `refused`, `did not answer`. */
export function did(attempt: Attempt): string {
  switch (attempt.state) {
    case 'open':
      return 'opened';
    case 'closed':
      return 'refused';
    case 'cancelled':
      return 'was not waited for';
    case 'failed':
      return `could not be tried (${NOT_TRIED[attempt.reason]})`;
    case 'filtered':
      return {
        'no-response': 'did not answer',
        'host-unreach': 'was reported unreachable',
        'net-unreach': 'was reported to be in an unreachable network',
        'proto-unreach': 'answered that it does not speak TCP',
        'admin-prohibited': 'was reported prohibited',
      }[attempt.reason];
    default:
      return attempt satisfies never;
  }
}

/** An attempt as evidence. */
export const ofAttempt = (attempt: Attempt): Evidence => ({
  fact: `${formatEndpoint(attempt.endpoint)} ${did(attempt)}`,
  elapsedMs: attempt.state === 'open' ? attempt.latencyMs : attempt.elapsedMs,
});

/** What a server said, both families taken together: addresses before "no such name" before a failure before "no record". */
export function wordOf({ a, aaaa }: DnsServerObservation): DnsAnswer['kind'] {
  const kinds = [a, aaaa].flatMap((answer) => (answer ? [answer.kind] : []));
  const order: DnsAnswer['kind'][] = [
    'addresses',
    'no-such-name',
    'servfail',
    'refused',
    'broken',
    'unreachable',
    'silent',
    'no-record',
    'cancelled',
  ];
  return order.find((kind) => kinds.includes(kind)) ?? 'cancelled';
}

const ANSWERS: Readonly<Record<DnsAnswer['kind'], string>> = {
  addresses: 'addresses',
  'no-record': 'the name exists, without an address',
  'no-such-name': 'no such name (NXDOMAIN)',
  servfail: 'it failed (SERVFAIL)',
  refused: 'it refuses to answer (REFUSED)',
  broken: 'an answer that cannot be used',
  unreachable: 'nobody listens there',
  silent: 'no answer',
  cancelled: 'not waited for',
};

/** An answer of a DNS server in words. */
export const describeAnswer = ({ kind, addresses }: DnsAnswer): string =>
  kind === 'addresses' ? addresses.join(', ') : ANSWERS[kind];

/** What a DNS server said as evidence. */
export function ofServer(observation: DnsServerObservation): Evidence {
  const word = wordOf(observation);
  const elapsedMs = Math.max(observation.a?.elapsedMs ?? 0, observation.aaaa?.elapsedMs ?? 0);
  return {
    fact: `DNS server ${observation.server}: ${word === 'addresses' ? listAddresses(observation).join(', ') : ANSWERS[word]}`,
    elapsedMs,
  };
}

/** The attempts on what applications get. */
export const resolverAttempts = ({ addresses }: Observations): Attempt[] =>
  addresses.flatMap(({ source, attempt }) => (source === 'resolver' ? [attempt] : []));

/** The attempt on the extra address, if there is one. */
export const givenAttempt = ({ addresses }: Observations): Attempt | undefined =>
  addresses.find(({ source }) => source === 'given')?.attempt;

/** The attempt that was looked into more closely: the deciding one or, for a name without an address, the one on the extra address. */
export const subjectOf = (seen: Observations): Attempt | undefined =>
  'endpoint' in seen.outcome ? seen.outcome : givenAttempt(seen);

/** The other ports of the host that gave an answer, be it a refusal. */
export const answeringCompanions = ({ companions }: Observations): Attempt[] =>
  (companions ?? []).filter(({ state }) => state === 'open' || state === 'closed');
