import type { ErrorFacts } from './outcome.js';

/** Below this a lookup may simply need more time: far servers, servers that ask others first. */
export const SHORT_LOOKUP_MS = 1000;

/** No system gives up a silent server sooner, in milliseconds; glibc waits 1 s at least. */
export const SHORTEST_SILENCE_MS = 900;

/**
 * Why a DNS server gave no address.
 * - `broken`: an answer that cannot be used (FORMERR, NOTIMP, malformed).
 * - `no-recursion`: no address, and no statement that there is none. The server has not looked the
 *   name up at others.
 * - `no-tcp`: its answer over UDP is truncated, and it cannot be asked over TCP.
 * - `not-permitted`: this machine did not let the question out.
 * - `no-route`: this machine has no route to the server.
 * - `rejected`: an ICMP error came back, but not "port unreachable".
 * - `unreachable`: its port is unreachable: nothing listens there, or a firewall rejects.
 * - `silent`: no answer before the deadline.
 */
export type DnsFailureKind =
  | 'no-record'
  | 'no-such-name'
  | 'servfail'
  | 'refused'
  | 'no-recursion'
  | 'broken'
  | 'no-tcp'
  | 'not-permitted'
  | 'no-route'
  | 'rejected'
  | 'unreachable'
  | 'silent';

/** What a reply says, by the code that c-ares has for it. ENORECURSION is our own. */
const REPLIES = new Map<string, DnsFailureKind>([
  ['ENOTFOUND', 'no-such-name'],
  ['ENODATA', 'no-record'],
  ['ESERVFAIL', 'servfail'],
  ['EREFUSED', 'refused'],
  ['ENORECURSION', 'no-recursion'],
  ['EFORMERR', 'broken'],
  ['ENOTIMP', 'broken'],
  ['EBADRESP', 'broken'],
]);

const UNANSWERED = new Map<string, DnsFailureKind>([
  ['ECONNREFUSED', 'unreachable'],
  ['ECONNRESET', 'unreachable'], // Windows
  ['ETIMEOUT', 'silent'],
  ['ECANCELLED', 'silent'],
]);

const UNREACHED: ReadonlySet<string> = new Set<DnsFailureKind>([
  'not-permitted',
  'no-route',
  'rejected',
  'unreachable',
]);

/**
 * Whether the question did not reach the server. Silence for the other type is then no drop: Linux
 * limits the ICMP errors that it sends.
 */
export const isUnreached = (kind: string): boolean => UNREACHED.has(kind);

/** System calls that fail before the question has left. `recvmsg` reports what came back. */
const SENDING: ReadonlySet<string | null> = new Set(['bind', 'connect', 'send']);
const NO_PERMISSION: ReadonlySet<string> = new Set(['EPERM', 'EACCES']);

/** What the error of a question to a DNS server means; see `askDns`. */
export function dnsFailureKind({ code, syscall }: ErrorFacts): DnsFailureKind {
  const reply = REPLIES.get(code);
  if (reply) return reply;
  if (syscall?.endsWith('Tcp')) return 'no-tcp';
  const unanswered = UNANSWERED.get(code);
  if (unanswered) return unanswered;
  if (SENDING.has(syscall)) return NO_PERMISSION.has(code) ? 'not-permitted' : 'no-route';
  return syscall === 'recvmsg' ? 'rejected' : 'broken';
}
