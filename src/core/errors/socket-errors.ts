import { networkInterfaces } from 'node:os';
import type { ErrorFacts } from '../facts/outcome.js';
import type { FailedReason, FilteredReason } from '../states.js';
import { winsockByCode } from './winsock.js';

/** What an error of connecting says about the port: a part of an outcome. */
export type SocketVerdict =
  | { readonly state: 'closed'; readonly reason: 'conn-refused' }
  | { readonly state: 'filtered'; readonly reason: FilteredReason }
  | { readonly state: 'failed'; readonly reason: FailedReason };

/** The error of a probe that we ended ourselves because its time was over. */
export const TIMED_OUT: ErrorFacts = {
  code: 'ETIMEDOUT',
  errno: null,
  winsock: 10060,
  syscall: null,
};

/** Errors come in series of one kind, and thousands of them may wait to be told: they share their facts. */
let latest: ErrorFacts = TIMED_OUT;

/** The facts of an error as Node raised it; an AggregateError gives those of its first cause, because its own message is empty. */
export function errorFacts(error: unknown): ErrorFacts {
  if (error instanceof AggregateError && error.errors.length > 0)
    return errorFacts(error.errors[0]);
  const { code, errno, syscall } = (
    typeof error === 'object' && error !== null ? error : {}
  ) as NodeJS.ErrnoException;
  const name = typeof code === 'string' ? code : 'UNKNOWN';
  const number = typeof errno === 'number' ? errno : null;
  const call = typeof syscall === 'string' ? syscall : null;
  if (latest.code === name && latest.errno === number && latest.syscall === call) return latest;
  latest = {
    code: name,
    errno: number,
    winsock: winsockByCode(name)?.winsock ?? null,
    syscall: call,
  };
  return latest;
}

/**
 * Our own end as Node writes it behind an error of the system call itself, `- Local (0.0.0.0:0)` (ExceptionWithHostPort in lib/net.js): nothing
 * left this machine. Null for errors that an answer from the network caused, which arrive later. Holds as long as no local port is asked for.
 */
function localEnd(error: unknown): string | null {
  return (
    (error instanceof Error ? / - Local \((.*):[^:]*\)$/.exec(error.message)?.[1] : undefined) ??
    null
  );
}

function hasIpv6Address(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some((each) => each.family === 'IPv6'),
  );
}

/**
 * Whether an error of connecting means that the handshake had completed and the connection was reset before we looked: a RST in answer to our
 * SYN gives ECONNREFUSED, one that comes later ECONNRESET, or EPIPE behind a FIN (tcp_reset() in Linux, tcp_input() in BSD).
 */
export function isResetAfterHandshake({ code, syscall }: ErrorFacts): boolean {
  return syscall === 'connect' && (code === 'ECONNRESET' || code === 'EPIPE');
}

/**
 * What an error of `net.Socket` says about the port. Remote answers are told from local faults by the system call and by Node's message.
 *
 * @param error as it came with the socket's `error` event
 * @param family of the address that was probed
 * @param ipv6Here whether this machine has any IPv6 address: without one, EADDRNOTAVAIL means that, and not "no ports left"
 */
export function judgeSocketError(
  error: unknown,
  family: 4 | 6,
  ipv6Here: () => boolean = hasIpv6Address,
): SocketVerdict {
  const { code, syscall } = errorFacts(error);
  const end = localEnd(error);
  const local = end !== null;
  if (syscall === 'bind') {
    if (code === 'EADDRINUSE') return { state: 'failed', reason: 'no-ports-left' };
    if (code === 'EACCES' || code === 'EPERM') return { state: 'failed', reason: 'not-permitted' };
    return { state: 'failed', reason: 'bad-source' };
  }
  switch (code) {
    case 'ECONNREFUSED':
      return { state: 'closed', reason: 'conn-refused' };
    case 'ETIMEDOUT': // the kernel gave up before we did
      return { state: 'filtered', reason: 'no-response' };
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
      return local
        ? { state: 'failed', reason: 'no-route' }
        : { state: 'filtered', reason: 'host-unreach' };
    case 'ENETUNREACH':
      return local
        ? { state: 'failed', reason: 'no-route' }
        : { state: 'filtered', reason: 'net-unreach' };
    case 'ENOPROTOOPT':
      return { state: 'filtered', reason: 'proto-unreach' };
    case 'EACCES':
      return local
        ? { state: 'failed', reason: 'not-permitted' }
        : { state: 'filtered', reason: 'admin-prohibited' };
    case 'EPERM':
      return { state: 'failed', reason: 'not-permitted' };
    case 'EADDRINUSE': // no port was free to bind: libuv keeps that error until connect, on Windows always
      return { state: 'failed', reason: 'no-ports-left' };
    case 'EADDRNOTAVAIL':
      return {
        state: 'failed',
        reason: family === 6 && !ipv6Here() ? 'no-route' : 'no-ports-left',
      };
    case 'EMFILE':
    case 'ENFILE':
      return { state: 'failed', reason: 'no-files-left' };
    case 'EINVAL': // a blackhole route; or, when we had a source address, one that cannot reach there (127.0.0.1 to another host)
      return {
        state: 'failed',
        reason: local && end !== '0.0.0.0' && end !== '::' ? 'bad-source' : 'no-route',
      };
    case 'ENETDOWN':
    case 'EAFNOSUPPORT':
      return { state: 'failed', reason: 'no-route' };
    case 'ENOBUFS':
    case 'ENOMEM':
    case 'EAGAIN':
      return { state: 'failed', reason: 'no-resources' };
    default:
      return { state: 'failed', reason: 'unknown-error' };
  }
}
