import { monotonicClock } from '../clock.js';
import type { Address, Resolution, ServerAnswer, Unresolved } from '../facts/outcome.js';
import { checkTimeout, DEFAULT_TIMEOUT_MS } from '../limits.js';
import { asciiHost } from '../target/target.js';
import { within } from '../deadline.js';
import { askDns, configuredServers } from './dns-query.js';
import { descriptorShortage } from './free-descriptors.js';
import { resolveLiteral } from './literal.js';
import { askConfiguredServers, explainFailure } from './lookup-failure.js';
import { systemLookups } from './lookup-queue.js';
import { type Failure, NO_ANSWER, NO_HOST, NOT_A_NAME } from './resolver-error.js';
import type { LookupAnswer, SystemLookup } from './system-lookup.js';

/** How a name is resolved. */
export interface ResolveOptions {
  /** Only this family; default both. */
  readonly family?: 4 | 6 | undefined;
  /**
   * Deadline in milliseconds, above 0, at most 2147483647; default
   * {@link DEFAULT_TIMEOUT_MS}. It holds even when the system's resolver does not return.
   */
  readonly timeoutMs?: number;
  /** Aborting ends the resolution at once with the state `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * DNS server (`address` or `address:port`) to ask instead of the system: no hosts file, no search
   * domains.
   */
  readonly dnsServer?: string | undefined;
}

/** How the program and its tests replace parts of the resolver. */
export interface ResolveInternals {
  /** The system's resolver; default `getaddrinfo` on a thread of this process. */
  readonly systemLookup?: SystemLookup;
  /** With `dnsServer`: after one family's answer, wait up to half of the time for the other's. */
  readonly bothFamilies?: boolean;
  /** File descriptors that must be free for a failure to be believed; default 1. */
  readonly spareDescriptors?: () => number;
}

/** Addresses that no host has (RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.2). */
const UNSPECIFIED: ReadonlySet<string> = new Set(['0.0.0.0', '::', '::ffff:0.0.0.0']);

/** Late questions to DNS end before the deadline, or an unanswered TCP would look like silence. */
const LATE_QUESTION_SHARE = 0.9;

/** One resolution under way. */
class Resolving {
  readonly #startMs = monotonicClock();
  readonly #asked: { readonly host: string; readonly via: string };
  readonly #families: readonly (4 | 6)[];
  readonly #timeoutMs: number;
  readonly #options: ResolveOptions;
  readonly #internals: ResolveInternals;

  constructor(host: string, options: ResolveOptions, internals: ResolveInternals) {
    const { family, dnsServer, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    this.#asked = { host, via: dnsServer ?? 'system' };
    this.#families = family === undefined ? [6, 4] : [family];
    this.#timeoutMs = timeoutMs;
    this.#options = options;
    this.#internals = internals;
  }

  get #elapsedMs(): number {
    return monotonicClock() - this.#startMs;
  }

  /** The question to DNS, with what is left of the time. */
  get #query() {
    return {
      host: this.#asked.host,
      families: this.#families,
      timeoutMs: this.#timeoutMs - this.#elapsedMs,
      signal: this.#options.signal,
    };
  }

  async askServer(server: string): Promise<Resolution> {
    const { bothFamilies = false } = this.#internals;
    const asking = askDns({ ...this.#query, servers: [server], bothFamilies });
    const { result, answers, elapsedMs } = await asking;
    if (!('reason' in result)) return this.#resolved(result, elapsedMs);
    return this.#failedHere(elapsedMs) ?? this.unresolved({ ...result, answers }, elapsedMs);
  }

  async askSystem(): Promise<Resolution> {
    const { family } = this.#options;
    const { systemLookup = systemLookups.lookUp } = this.#internals;
    const answer = await this.#waitForSystem(systemLookup(this.#asked.host, family ?? 0));
    if (Array.isArray(answer))
      return this.unresolved({ ...NO_ANSWER, answers: answer }, this.#elapsedMs);
    const { elapsedMs } = answer;
    if ('addresses' in answer) return this.#resolved(answer.addresses, elapsedMs);
    const failed = this.#failedHere(elapsedMs);
    if (failed) return failed;
    return this.unresolved(await explainFailure(answer, this.#query), elapsedMs);
  }

  /**
   * The system's answer or, at the deadline, what the DNS servers say. They are asked when half of
   * the time is over: by then something is wrong, and later there is no time to find out what.
   */
  async #waitForSystem(lookup: Promise<LookupAnswer>): Promise<LookupAnswer | ServerAnswer[]> {
    const { signal } = this.#options;
    const early = await within(lookup, { timeoutMs: this.#timeoutMs / 2, signal });
    if (early || signal?.aborted) return early ?? [];
    const over = new AbortController();
    const timeoutMs = LATE_QUESTION_SHARE * this.#query.timeoutMs;
    const query = { ...this.#query, timeoutMs, signal: over.signal, everyServer: true };
    const asking = askConfiguredServers(query);
    const late = await within(lookup, { timeoutMs: this.#query.timeoutMs, signal });
    over.abort();
    return late ?? [...(await asking).answers];
  }

  async unresolved(
    failure: Failure & Pick<Unresolved, 'answers' | 'unspecified'>,
    elapsedMs: number,
  ): Promise<Resolution> {
    const { signal, dnsServer, family = 0 } = this.#options;
    if (signal?.aborted) return { state: 'cancelled', ...this.#asked, elapsedMs };
    const servers = dnsServer === undefined ? await configuredServers() : [dnsServer];
    return { state: 'unresolved', ...this.#asked, elapsedMs, ...failure, family, servers };
  }

  /** Addresses of no host are left out: connecting to them would reach this machine. */
  #resolved(given: readonly Address[], elapsedMs: number): Resolution | Promise<Resolution> {
    const addresses = given.filter(({ address }) => !UNSPECIFIED.has(address));
    if (addresses.length > 0) return { state: 'resolved', ...this.#asked, elapsedMs, addresses };
    const unspecified = given.map(({ address }) => address).sort();
    return this.unresolved({ ...NO_HOST, unspecified }, elapsedMs);
  }

  #failedHere(elapsedMs: number): Resolution | null {
    const error = descriptorShortage(this.#internals.spareDescriptors?.() ?? 1);
    return error && { state: 'failed', reason: 'no-files-left', ...this.#asked, elapsedMs, error };
  }
}

/**
 * Resolves a host to its addresses and measures how long that takes. A literal address resolves to
 * itself. The deadline holds although a lookup of the system cannot be stopped; see
 * {@link pendingLookups}.
 *
 * @param host name or literal address, without brackets
 * @throws UsageError when the timeout is out of range, TypeError when the DNS server is not an
 * address
 */
export async function resolveHost(
  host: string,
  options: ResolveOptions = {},
  internals: ResolveInternals = {},
): Promise<Resolution> {
  const { family, dnsServer, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  checkTimeout(timeoutMs);
  const literal = resolveLiteral(host, family);
  if (literal) return literal;
  const ascii = asciiHost(host);
  const resolving = new Resolving(ascii || host, options, internals);
  if (ascii === '') return resolving.unresolved(NOT_A_NAME, 0);
  return dnsServer === undefined ? resolving.askSystem() : resolving.askServer(dnsServer);
}
