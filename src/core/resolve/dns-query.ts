import { onAbort } from '../abort.js';
import { monotonicClock, setSocketTimeout } from '../clock.js';
import type { Address, ErrorFacts, ServerAnswer } from '../facts/outcome.js';
import type { UnresolvedReason } from '../states.js';
import type { Deadline } from '../deadline.js';
import { type Exchange, exchange } from './dns-exchange.js';
import { type Failure, judgeResolverError, NO_ANSWER, NOT_A_NAME } from './resolver-error.js';
import { uniqueAddresses } from './system-lookup.js';

/** One name that DNS servers are asked for, all at the same time. */
export interface DnsQuery extends Deadline {
  readonly host: string;
  readonly families: readonly (4 | 6)[];
  /** `address` or `address:port` of each, in the order in which their answers count. */
  readonly servers: readonly string[];
  /** After one family's answer, wait up to half of the time for the other's, not 50 ms. */
  readonly bothFamilies?: boolean;
  /** Wait for every server, although one has answered. */
  readonly everyServer?: boolean;
}

/** What DNS servers said. */
export interface DnsFindings {
  /** The addresses of the first server that has some, IPv6 first, or the best failure. */
  readonly result: readonly Address[] | Failure;
  /** What each server said about each family, as far as it is known. */
  readonly answers: readonly ServerAnswer[];
  /** Milliseconds of the slowest answer, from its question on; the whole wait if one is missing. */
  readonly elapsedMs: number;
}

/** How long to wait for the other family when one has come (RFC 8305, section 3). */
const RESOLUTION_DELAY_MS = 50;

/** How long to wait for the other servers when one has answered. */
const STRAGGLER_MS = 50;

/** A server that had less time than this is not called silent. */
const SILENCE_MS = 400;

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

const isFailure = (answer: Address[] | Failure): answer is Failure => !Array.isArray(answer);

/** Names that Node's own resolver (c-ares) has for response codes (RFC 1035, section 4.1.1). */
const CODES = ['ENODATA', 'EFORMERR', 'ESERVFAIL', 'ENOTFOUND', 'ENOTIMP', 'EREFUSED'] as const;

/** What an exchange without addresses means. */
function failureOf({ reply, error, isOverTcp }: Exchange, family: 4 | 6): Failure {
  const syscall = `query${family === 6 ? 'Aaaa' : 'A'}${isOverTcp ? 'Tcp' : ''}`;
  const facts = (code: string): ErrorFacts => ({ code, errno: null, winsock: null, syscall });
  if (reply) {
    const code = reply.isReferral ? 'ENORECURSION' : CODES[reply.rcode];
    const failure = judgeResolverError(facts(code ?? 'EBADRESP'));
    return reply.aliases.length > 0 ? { ...failure, aliases: reply.aliases } : failure;
  }
  if (!isOverTcp) return error ? judgeResolverError(error) : NO_ANSWER;
  const failure = judgeResolverError(facts(error?.code ?? 'ETIMEOUT'));
  return { ...failure, reason: 'resolver-failed' }; // the server did answer over UDP
}

/** The addresses of one family, or why a server gave none. */
function judgeExchange(ended: Exchange, family: 4 | 6): Address[] | Failure {
  const { reply, isNoName } = ended;
  if (isNoName) return NOT_A_NAME;
  if (reply?.rcode === 0 && reply.addresses.length > 0)
    return reply.addresses.map((address) => ({ address, family }));
  return failureOf(ended, family);
}

/** The answers of one server to the families that were asked for. */
class ServerAnswers {
  readonly #byFamily = new Map<4 | 6, Address[] | Failure>();
  #elapsedMs = 0;

  constructor(
    readonly server: string,
    readonly families: readonly (4 | 6)[],
  ) {}

  add(family: 4 | 6, answer: Address[] | Failure, elapsedMs = NaN): void {
    this.#byFamily.set(family, answer);
    this.#elapsedMs = Math.max(this.#elapsedMs, elapsedMs);
  }

  /** Milliseconds of the slowest answer; NaN if one is missing. */
  get elapsedMs(): number {
    return this.isComplete ? this.#elapsedMs : NaN;
  }

  get isComplete(): boolean {
    return this.#byFamily.size === this.families.length;
  }

  get result(): Address[] | Failure {
    const answers = this.families.map((family) => this.#byFamily.get(family) ?? NO_ANSWER);
    const found = answers.filter((each) => Array.isArray(each)).flat();
    if (found.length > 0) return uniqueAddresses(found.sort((a, b) => b.family - a.family));
    return firstReason(answers.filter(isFailure));
  }

  /** Whether the result says something about the name, not about the server. */
  get isDecisive(): boolean {
    const { result } = this;
    return Array.isArray(result) || result.reason.startsWith('name-');
  }

  /** With `isLate` an answer that is missing is silence. */
  list(isLate: boolean): ServerAnswer[] {
    return this.families.flatMap((family) => {
      const answer = this.#byFamily.get(family) ?? (isLate ? NO_ANSWER : undefined);
      const error = answer === undefined || Array.isArray(answer) ? null : answer.error;
      return answer ? [{ server: this.server, family, error }] : [];
    });
  }
}

/** Asks every server for every family, until enough of them have answered. */
function startQuestions(
  query: DnsQuery,
  all: readonly ServerAnswers[],
  signal: AbortSignal,
): Promise<void> {
  const { host, timeoutMs, bothFamilies = false, everyServer = false } = query;
  return new Promise((resolve, reject) => {
    onAbort(signal, resolve);
    const endWithin = (ms: number): void => {
      if (everyServer) return;
      const timer = setSocketTimeout(resolve, ms);
      onAbort(signal, () => clearTimeout(timer));
    };
    const questions = all.flatMap((each) =>
      each.families.map(async (family) => {
        const { server } = each;
        const ended = await exchange({ server, host, family, timeoutMs, signal });
        if (signal.aborted) return;
        const answer = judgeExchange(ended, family);
        each.add(family, answer, ended.elapsedMs);
        if (each.isComplete && each.isDecisive) endWithin(STRAGGLER_MS);
        else if (Array.isArray(answer))
          endWithin(bothFamilies ? timeoutMs / 2 : RESOLUTION_DELAY_MS);
      }),
    );
    Promise.all(questions).then(() => resolve(), reject);
  });
}

/** The DNS servers that this machine has configured. */
export async function configuredServers(): Promise<string[]> {
  // A probe of an address needs none of it. `dns.setServers()` changes the default export only.
  const { default: dns } = await import('node:dns');
  return dns.getServers();
}

/**
 * What DNS itself says about a name, without hosts file and search domains. A and AAAA are asked
 * side by side.
 *
 * @throws TypeError if a server is not an address
 */
export async function askDns(query: DnsQuery): Promise<DnsFindings> {
  const { servers, families, timeoutMs, signal } = query;
  const startMs = monotonicClock();
  const all = servers.map((server) => new ServerAnswers(server, families));
  const over = new AbortController();
  const stopListening = onAbort(signal, () => over.abort());
  try {
    await startQuestions(query, all, over.signal);
  } finally {
    stopListening();
    over.abort(); // or its sockets and timers keep the process
  }
  const waitedMs = monotonicClock() - startMs;
  const results = all.map(({ result }) => result);
  const decisive = all.find(({ isDecisive }) => isDecisive)?.result;
  const isLate = waitedMs >= Math.min(SILENCE_MS, timeoutMs);
  const slowestMs = Math.max(...all.map(({ elapsedMs }) => elapsedMs));
  return {
    result: decisive ?? firstReason(results.filter(isFailure)),
    answers: all.flatMap((each) => each.list(isLate)),
    elapsedMs: Number.isFinite(slowestMs) ? slowestMs : waitedMs,
  };
}
