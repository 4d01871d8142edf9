import type { promises } from 'node:dns';
import { setMaxListeners } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { monotonicClock } from '../clock.js';
import type {
  Address,
  ErrorFacts,
  Resolution,
  Resolved,
  ServerAnswer,
  Unresolved,
} from '../facts/outcome.js';
import { checkTimeout, DEFAULT_TIMEOUT_MS } from '../limits.js';
import { errorFacts } from '../errors/socket-errors.js';
import type { UnresolvedReason } from '../states.js';
import {
  type LookupAnswer,
  lookUpInProcess,
  type SystemLookup,
  uniqueAddresses,
} from './system-lookup.js';
import { asciiHost, familyOf } from '../target/target.js';

/** How a name is resolved. */
export interface ResolveOptions {
  /** Only this family; both when it is not given. */
  readonly family?: 4 | 6 | undefined;
  /** Deadline in milliseconds; default 5000. It holds whatever the system's resolver does. */
  readonly timeoutMs?: number;
  /** Aborting ends the resolution at once with the state `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /** Ask this DNS server (`address` or `address:port`) instead of the system: no hosts file, no search domains. */
  readonly dnsServer?: string | undefined;
  /** Wait for the addresses of both families, for half of the time if need be, and not only as long as a race would (50 ms); with `dnsServer`. */
  readonly bothFamilies?: boolean;
  /** The system's resolver; by default `getaddrinfo` on a thread of this process. */
  readonly systemLookup?: SystemLookup;
  /**
   * How many descriptors must be free for a failure to be believed: as many as all that goes on beside it may have held when it failed. Default 1.
   */
  readonly spareDescriptors?: () => number;
}

type Failure = { readonly reason: UnresolvedReason; readonly error: ErrorFacts };

/** libuv's numbers of two answers that Node gives the same name, ENOTFOUND: the name exists without such an address (uv/errno.h). */
const UV_EAI_NODATA = -3007;
const UV_EAI_ADDRFAMILY = -3000;

const withWinsock = (error: ErrorFacts, winsock: number): ErrorFacts => ({ ...error, winsock });

/** What a code of the system's resolver or of c-ares (`dns.Resolver`) says by itself, or null for those that are not about the name. */
function judgeResolverError(error: ErrorFacts): Failure | null {
  switch (error.code) {
    case 'ENOTFOUND':
      return error.errno === UV_EAI_NODATA || error.errno === UV_EAI_ADDRFAMILY
        ? { reason: 'name-no-address', error: withWinsock(error, 11004) }
        : { reason: 'name-not-found', error: withWinsock(error, 11001) };
    case 'ENODATA':
    case 'ENOENT': // Windows' 11004, as libuv passes it on (libuv#2959)
      return { reason: 'name-no-address', error: withWinsock(error, 11004) };
    case 'EAI_AGAIN':
    case 'ESERVFAIL':
    case 'ECONNREFUSED': // nobody listens at the DNS server's address
      return { reason: 'resolver-failed', error: withWinsock(error, 11002) };
    case 'ETIMEOUT':
    case 'ECANCELLED':
      return { reason: 'resolver-timeout', error: withWinsock(error, 11002) };
    case 'EAI_FAIL':
    case 'EREFUSED':
    case 'EFORMERR':
    case 'ENOTIMP':
    case 'EBADRESP':
      return { reason: 'resolver-failed', error: withWinsock(error, 11003) };
    case 'EMFILE':
    case 'ENFILE':
      return null;
    default:
      return { reason: 'resolver-failed', error };
  }
}

const NO_ANSWER: Failure = {
  reason: 'resolver-timeout',
  error: { code: 'ETIMEOUT', errno: null, winsock: 11002, syscall: null },
};

/** EMFILE when this process has not so many file descriptors left, else null: without one, getaddrinfo says "not found", which is not about the name. */
function descriptorShortage(count: number): ErrorFacts | null {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync(devNull, 'r'));
    return null;
  } catch (error) {
    const facts = errorFacts(error);
    return facts.code === 'EMFILE' || facts.code === 'ENFILE' ? facts : null;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

/** A promise's value, or the fallback when the time is over or the signal is aborted; what comes later is dropped. */
function within<T, F>(
  promise: Promise<T>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  fallback: () => F,
): Promise<T | F> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      settle();
      resolve(fallback());
    };
    const timer = setTimeout(() => setImmediate(giveUp), Math.max(timeoutMs, 0));
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    };
    if (signal) setMaxListeners(0, signal); // one signal may end many lookups
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted) giveUp();
    promise.then(
      (value) => {
        settle();
        resolve(value);
      },
      (error: unknown) => {
        settle();
        reject(error as Error);
      },
    );
  });
}

/** The addresses of one family. For an alias without such a record c-ares gives an empty list instead of ENODATA. */
async function askForFamily(
  resolver: promises.Resolver,
  host: string,
  family: 4 | 6,
): Promise<Address[] | Failure> {
  try {
    const addresses = await (family === 6 ? resolver.resolve6(host) : resolver.resolve4(host));
    if (addresses.length > 0) return addresses.map((address) => ({ address, family }));
    const syscall = family === 6 ? 'queryAaaa' : 'queryA';
    return {
      reason: 'name-no-address',
      error: { code: 'ENODATA', errno: null, winsock: 11004, syscall },
    };
  } catch (cause) {
    const error = errorFacts(cause);
    return judgeResolverError(error) ?? { reason: 'resolver-failed', error };
  }
}

/** How long the other family's answer is waited for when one has come (RFC 8305, section 3). */
const RESOLUTION_DELAY_MS = 50;

/** DNS' own answer, from the servers given or else the configured ones: A and AAAA side by side, without hosts file and search domains. */
async function askDns(
  host: string,
  families: readonly (4 | 6)[],
  servers: readonly string[] | null,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  bothFamilies = false,
): Promise<Address[] | Failure> {
  const { promises: dns } = await import('node:dns');
  // c-ares doubles the wait with each of its tries: 1 + 2 + 4 parts. Ours ends it all the same.
  const resolver = new dns.Resolver({ timeout: Math.max(Math.ceil(timeoutMs / 7), 100), tries: 3 });
  if (servers) resolver.setServers(servers);
  const found: Address[] = [];
  const failures: Failure[] = [];
  let enough = (): void => {};
  let delay: NodeJS.Timeout | undefined;
  const questions = families.map(async (family) => {
    const answer = await askForFamily(resolver, host, family);
    if (!Array.isArray(answer)) return void failures.push(answer);
    found.push(...answer);
    delay ??= setTimeout(() => enough(), bothFamilies ? timeoutMs / 2 : RESOLUTION_DELAY_MS);
  });
  const all = Promise.race([
    Promise.all(questions),
    new Promise<void>((resolve) => {
      enough = resolve;
    }),
  ]);
  await within(all, timeoutMs, signal, () => undefined);
  clearTimeout(delay);
  const unanswered = families.length > failures.length; // read before cancel() makes failures of them
  resolver.cancel();
  if (found.length > 0) return uniqueAddresses(found.sort((a, b) => b.family - a.family));
  if (unanswered) failures.push(NO_ANSWER);
  // "No such name" holds for both kinds of address, "no such record" only for its own: a failure of the other one leaves it open.
  const order: UnresolvedReason[] = [
    'name-not-found',
    'resolver-failed',
    'resolver-timeout',
    'name-no-address',
  ];
  return failures.sort((a, b) => order.indexOf(a.reason) - order.indexOf(b.reason))[0] ?? NO_ANSWER;
}

/** How long DNS is asked, at the most, to refine an answer that stands without it, in milliseconds. */
const REFINING_MS = 1000;

/** How long the answers of single servers are waited for when there is one of all, in milliseconds. */
const STRAGGLER_MS = 50;

/** More servers than these are not asked one by one; glibc uses three (resolv.conf(5), MAXNS). */
const MAX_NAMED_SERVERS = 3;

/** What each of the configured servers says by itself to a question that all of them are asked, as far as it is there soon after that ends. */
async function listenToServers(
  host: string,
  families: readonly (4 | 6)[],
  timeoutMs: number,
  together: Promise<Address[] | Failure>,
): Promise<ServerAnswer[]> {
  const servers = (await import('node:dns')).getServers().slice(0, MAX_NAMED_SERVERS);
  const answers: ServerAnswer[] = [];
  const add = (server: string, says: Address[] | Failure): void =>
    void answers.push({ server, code: Array.isArray(says) ? null : says.error.code });
  const over = new AbortController();
  const each = (servers.length > 1 ? servers : []).map(async (server) => {
    const says = await askDns(host, families, [server], timeoutMs, over.signal);
    if (!over.signal.aborted) add(server, says);
  });
  const says = await together;
  await within(Promise.allSettled(each), Math.min(timeoutMs, STRAGGLER_MS), undefined, () => null);
  over.abort();
  if (servers.length === 1 && servers[0] !== undefined) add(servers[0], says);
  return answers.sort((one, other) => servers.indexOf(one.server) - servers.indexOf(other.server));
}

/**
 * Why the system's resolver found nothing: its own code, refined by what DNS says to the same question. `getaddrinfo` has one code, EAI_AGAIN,
 * for SERVFAIL, REFUSED and silence, on some systems one for "no such name" and "no address", and takes a FORMERR, or a SERVFAIL for one
 * family beside an empty answer for the other, for "not found".
 */
async function explainFailure(
  error: ErrorFacts,
  host: string,
  families: readonly (4 | 6)[],
  remainingMs: number,
  signal: AbortSignal | undefined,
): Promise<Failure & { readonly answers: readonly ServerAnswer[] }> {
  const own = judgeResolverError(error) ?? { reason: 'resolver-failed', error };
  const nameFailed = own.reason === 'name-not-found' || own.reason === 'name-no-address';
  const timeoutMs = nameFailed ? Math.min(remainingMs, REFINING_MS) : remainingMs;
  const together = askDns(host, families, null, timeoutMs, signal);
  const [dnsSays, answers] = await Promise.all([
    together,
    listenToServers(host, families, timeoutMs, together),
  ]);
  return { ...refine(own, nameFailed, dnsSays), answers };
}

/** The system's failure, or that of DNS where it says more. */
function refine(own: Failure, nameFailed: boolean, dnsSays: Address[] | Failure): Failure {
  if (Array.isArray(dnsSays)) return own; // DNS knows it, the system does not: what applications see stands
  if (!nameFailed) return dnsSays.reason.startsWith('resolver-') ? dnsSays : own;
  if (dnsSays.reason === 'name-no-address')
    return { reason: 'name-no-address', error: withWinsock(own.error, 11004) };
  const answered =
    dnsSays.error.code === 'EFORMERR' ||
    (own.reason === 'name-no-address' &&
      ['ESERVFAIL', 'EREFUSED', 'ENOTIMP'].includes(dnsSays.error.code));
  return answered ? dnsSays : own;
}

/** A literal address, which resolves to itself unless it is of another family than asked for; null for a name. */
export function resolveLiteral(host: string, only?: 4 | 6): Resolved | Unresolved | null {
  const family = familyOf(host);
  if (family === null) return null;
  if (only === undefined || family === only)
    return {
      state: 'resolved',
      host,
      via: 'literal',
      elapsedMs: 0,
      addresses: [{ address: host, family }],
    };
  const error = { code: 'EAI_ADDRFAMILY', errno: null, winsock: 11004, syscall: null };
  return {
    state: 'unresolved',
    reason: 'name-no-address',
    host,
    via: 'literal',
    elapsedMs: 0,
    error,
    servers: [],
    family: only,
  };
}

/**
 * The addresses of a host, with the time that took. A literal address resolves to itself. The deadline holds also when the system's
 * resolver cannot be stopped; see {@link pendingLookups}.
 *
 * @param host name or literal address, without brackets
 * @throws RangeError when the timeout cannot be kept, TypeError when the DNS server is not an address
 */
export async function resolveHost(host: string, options: ResolveOptions = {}): Promise<Resolution> {
  const {
    family,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    signal,
    dnsServer,
    bothFamilies = false,
    systemLookup = lookUpInProcess,
    spareDescriptors = () => 1,
  } = options;
  checkTimeout(timeoutMs);
  const literal = resolveLiteral(host, family);
  if (literal) return literal;

  const asked = { host: asciiHost(host) || host, via: dnsServer ?? 'system' };
  const families = family === undefined ? ([6, 4] as const) : ([family] as const);
  const startMs = monotonicClock();
  const elapsed = () => monotonicClock() - startMs;
  const unresolved = async (failure: Failure, elapsedMs: number): Promise<Resolution> => {
    if (signal?.aborted) return { state: 'cancelled', ...asked, elapsedMs };
    const servers = dnsServer === undefined ? (await import('node:dns')).getServers() : [dnsServer];
    return { state: 'unresolved', ...asked, elapsedMs, ...failure, family: family ?? 0, servers };
  };
  const failedHere = (elapsedMs: number): Resolution | null => {
    const error = descriptorShortage(spareDescriptors());
    return error && { state: 'failed', reason: 'no-files-left', ...asked, elapsedMs, error };
  };

  if (asciiHost(host) === '')
    return unresolved(
      {
        reason: 'name-not-found',
        error: { code: 'ENOTFOUND', errno: null, winsock: 11001, syscall: null },
      },
      0,
    );
  if (dnsServer !== undefined) {
    const answer = await askDns(asked.host, families, [dnsServer], timeoutMs, signal, bothFamilies);
    return Array.isArray(answer)
      ? { state: 'resolved', ...asked, elapsedMs: elapsed(), addresses: answer }
      : (failedHere(elapsed()) ?? unresolved(answer, elapsed()));
  }
  const answer: LookupAnswer | null = await within(
    systemLookup(asked.host, family ?? 0),
    timeoutMs,
    signal,
    () => null,
  );
  if (answer === null) return unresolved(NO_ANSWER, elapsed());
  if ('addresses' in answer)
    return {
      state: 'resolved',
      ...asked,
      elapsedMs: answer.elapsedMs,
      addresses: answer.addresses,
    };
  const failed = failedHere(answer.elapsedMs);
  if (failed) return failed;
  return unresolved(
    await explainFailure(answer.error, asked.host, families, timeoutMs - elapsed(), signal),
    answer.elapsedMs,
  );
}
