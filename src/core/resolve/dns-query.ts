import type { promises } from 'node:dns';
import { errorFacts } from '../errors/socket-errors.js';
import type { Address } from '../facts/outcome.js';
import type { UnresolvedReason } from '../states.js';
import { type Deadline, within } from './deadline.js';
import { emptyAnswer, type Failure, judgeResolverError, NO_ANSWER } from './resolver-error.js';
import { uniqueAddresses } from './system-lookup.js';

/** One question to DNS. */
export interface DnsQuery extends Deadline {
  readonly host: string;
  readonly families: readonly (4 | 6)[];
  /** `address` or `address:port` of the servers to ask; the configured ones when not given. */
  readonly servers?: readonly string[];
  /** After one family's answer, wait up to half of the time for the other's, not 50 ms. */
  readonly bothFamilies?: boolean;
}

/** How long to wait for the other family when one has come (RFC 8305, section 3). */
const RESOLUTION_DELAY_MS = 50;

/**
 * c-ares doubles the wait with each try, so three tries take 1 + 2 + 4 parts of the timeout. Below
 * 100 ms a part, far servers could not answer.
 */
const TRIES = 3;
const TIMEOUT_PARTS = 7;
const MIN_TRY_MS = 100;

/**
 * "No such name" holds for both families; "no address" only for its own, so a failure of the other
 * family comes before it.
 */
const REASON_ORDER: readonly UnresolvedReason[] = [
  'name-not-found',
  'resolver-failed',
  'resolver-timeout',
  'name-no-address',
];

const firstReason = (failures: readonly Failure[]): Failure =>
  REASON_ORDER.map((reason) => failures.find((each) => each.reason === reason)).find(
    (each) => each !== undefined,
  ) ?? NO_ANSWER;

/** The addresses of one family. For an alias without one, c-ares gives an empty list. */
async function askForFamily(
  resolver: promises.Resolver,
  host: string,
  family: 4 | 6,
): Promise<Address[] | Failure> {
  try {
    const addresses = await (family === 6 ? resolver.resolve6(host) : resolver.resolve4(host));
    if (addresses.length === 0) return emptyAnswer(family);
    return addresses.map((address) => ({ address, family }));
  } catch (cause) {
    return judgeResolverError(errorFacts(cause));
  }
}

/**
 * What DNS itself says about a name, without hosts file and search domains. A and AAAA are asked
 * side by side; IPv6 addresses come first.
 */
export async function askDns(query: DnsQuery): Promise<Address[] | Failure> {
  const { host, families, servers, timeoutMs, bothFamilies = false } = query;
  const { promises: dns } = await import('node:dns');
  const resolver = new dns.Resolver({
    timeout: Math.max(Math.ceil(timeoutMs / TIMEOUT_PARTS), MIN_TRY_MS),
    tries: TRIES,
  });
  if (servers) resolver.setServers(servers);
  const found: Address[] = [];
  const failures: Failure[] = [];
  let delay: NodeJS.Timeout | undefined;
  const answered = new Promise<void>((resolve) => {
    const questions = families.map(async (family) => {
      const answer = await askForFamily(resolver, host, family);
      if (!Array.isArray(answer)) return void failures.push(answer);
      found.push(...answer);
      delay ??= setTimeout(resolve, bothFamilies ? timeoutMs / 2 : RESOLUTION_DELAY_MS);
    });
    void Promise.all(questions).then(() => resolve());
  });
  await within(answered, query);
  clearTimeout(delay);
  const isUnanswered = families.length > failures.length; // read first: cancel() makes failures
  resolver.cancel(); // or its sockets and timers keep the process
  if (found.length > 0) return uniqueAddresses(found.sort((a, b) => b.family - a.family));
  return firstReason(isUnanswered ? [...failures, NO_ANSWER] : failures);
}
