import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { ErrorFacts } from '../facts/outcome.js';
import type { FailedReason, FilteredReason } from '../states.js';
import { winsockByCode } from './winsock-codes.js';

/** What a socket error says about the port: a part of an outcome. */
export type SocketJudgement =
  | { readonly state: 'closed'; readonly reason: 'conn-refused' }
  | { readonly state: 'filtered'; readonly reason: FilteredReason }
  | { readonly state: 'failed'; readonly reason: FailedReason };

/** The error of a probe that we ended at its deadline. */
export const TIMED_OUT: ErrorFacts = {
  code: 'ETIMEDOUT',
  errno: null,
  winsock: 10060,
  syscall: null,
};

/** Errors often repeat, and thousands may be held at once: equal ones share one object. */
let latest: ErrorFacts = TIMED_OUT;

/**
 * The facts of an error as Node raised it. An AggregateError gives those of its first cause,
 * because its own message is empty.
 */
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
 * Our own end as Node appends it, `- Local (0.0.0.0:0)`, when the system call itself failed and
 * nothing left this machine (ExceptionWithHostPort in Node's lib/net.js). Null for an error that an
 * answer from the network caused. Valid as long as no local port is asked for.
 */
function localEnd(error: unknown): string | null {
  // Most errors are answers: the expression is compiled only for the others.
  if (!(error instanceof Error) || !error.message.includes(' - Local (')) return null;
  return / - Local \((.*):[^:]*\)$/.exec(error.message)?.[1] ?? null;
}

/** Whether the socket had a source address when the call failed. */
const isChosen = (end: string | null): boolean => end !== null && end !== '0.0.0.0' && end !== '::';

/** What a judgement needs to know of this machine. */
export interface Here {
  readonly platform: NodeJS.Platform;
  readonly hasIpv6Address: () => boolean;
  /** Whether no router is on the way to an address. */
  readonly isOnLink: (address: string, family: 4 | 6) => boolean;
}

const ownAddresses = () =>
  Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);

/** This machine. */
export const HERE: Here = {
  platform: process.platform,
  hasIpv6Address: () => ownAddresses().some((each) => each.family === 'IPv6'),
  isOnLink: (address, family) => {
    const networks = new BlockList();
    for (const { address: own, cidr, family: kind } of ownAddresses())
      if (cidr !== null)
        networks.addSubnet(own, Number(cidr.split('/')[1]), kind === 'IPv6' ? 'ipv6' : 'ipv4');
    return networks.check(address.replace(/%.*$/, ''), `ipv${family}`);
  },
};

/** What is known besides the error: our end, the family of the target, and this machine. */
interface Circumstances {
  readonly end: string | null;
  readonly family: 4 | 6;
  readonly here: Here;
}

/** Codes on Windows: numbers that libuv gives them nowhere else. */
const WINDOWS_EADDRNOTAVAIL = -4090;
const WINDOWS_EADDRINUSE = -4091;
const WINDOWS_UNKNOWN = -4094;

/** Windows refused the remote address (WSAEADDRNOTAVAIL of connect). Elsewhere: our end. */
export const isInvalidRemote = ({ errno, syscall }: ErrorFacts): boolean =>
  errno === WINDOWS_EADDRNOTAVAIL && syscall === 'connect';

/** Windows had no source port. libuv binds every socket there, so connections never share one. */
export const isPortBoundByLibuv = ({ errno }: ErrorFacts): boolean => errno === WINDOWS_EADDRINUSE;

/** Windows gave an error that libuv has no name for (uv_translate_sys_error, src/win/error.c). */
export const isUnknownToLibuv = ({ errno }: ErrorFacts): boolean => errno === WINDOWS_UNKNOWN;

/** The code of a connection that macOS itself stopped: only then is it `not-permitted`. */
export const LOCAL_NETWORK_CODE = 'EHOSTUNREACH';

/**
 * Whether the handshake had completed and the connection was reset before we looked. A RST in
 * answer to our SYN gives ECONNREFUSED; a later one gives ECONNRESET, or EPIPE after a FIN
 * (tcp_reset() in Linux, tcp_input() in BSD).
 */
export function isResetAfterHandshake({ code, syscall }: ErrorFacts): boolean {
  return syscall === 'connect' && (code === 'ECONNRESET' || code === 'EPIPE');
}

const failed = (reason: FailedReason): SocketJudgement => ({ state: 'failed', reason });

/** Codes of `bind`, with a source address; any other code means that the address is not usable. */
const BIND_FAILURES = new Map<string, FailedReason>([
  ['EADDRINUSE', 'no-ports-left'],
  ['EACCES', 'not-permitted'],
  ['EPERM', 'not-permitted'],
]);

/** Codes that mean something else when the call failed here than when an answer caused them. */
const CALL_FAILURES = new Map<string, SocketJudgement>([
  ['EHOSTUNREACH', failed('no-route')],
  ['EHOSTDOWN', failed('no-route')],
  ['ENETUNREACH', failed('no-route')],
  ['EACCES', failed('not-permitted')],
]);

/**
 * What an answer from the network caused: a RST, or any ICMP error. Linux turns each type and code
 * into one of these errors (icmp_err_convert in net/ipv4/icmp.c, icmpv6_err_convert, tcp_v4_err).
 */
const ANSWERS = new Map<string, SocketJudgement>([
  ['ECONNREFUSED', { state: 'closed', reason: 'conn-refused' }],
  ['ETIMEDOUT', { state: 'filtered', reason: 'no-response' }], // the kernel gave up before we did
  ['EHOSTUNREACH', { state: 'filtered', reason: 'host-unreach' }],
  ['EHOSTDOWN', { state: 'filtered', reason: 'host-unreach' }],
  ['ENETUNREACH', { state: 'filtered', reason: 'net-unreach' }],
  ['ENOPROTOOPT', { state: 'filtered', reason: 'proto-unreach' }],
  ['EACCES', { state: 'filtered', reason: 'admin-prohibited' }],
  ['ENOTSUP', { state: 'filtered', reason: 'icmp-error' }], // source route failed
  ['ENONET', { state: 'filtered', reason: 'icmp-error' }], // source host isolated
  ['EPROTO', { state: 'filtered', reason: 'icmp-error' }], // parameter problem, unknown ICMPv6 code
]);

/** Codes that come from this machine alone. */
const FAILURES = new Map<string, FailedReason>([
  ['EPERM', 'not-permitted'],
  // libuv keeps a failed bind and reports it from connect: if no port is free; on Windows always.
  ['EADDRINUSE', 'no-ports-left'],
  ['EADDRNOTAVAIL', 'no-ports-left'],
  ['EMFILE', 'no-files-left'],
  ['ENFILE', 'no-files-left'],
  ['EINVAL', 'no-route'], // a blackhole route
  ['ENETDOWN', 'no-route'],
  ['EAFNOSUPPORT', 'no-route'],
  ['ENOBUFS', 'no-resources'],
  ['ENOMEM', 'no-resources'],
  ['EAGAIN', 'no-resources'],
]);

/**
 * Whether macOS stopped the connection to a host of its own network: "local network privacy"
 * (Apple TN3179). It has chosen a source address, so there is a route. An absent neighbour is
 * EHOSTDOWN, and an absent router also EHOSTUNREACH, but for addresses behind it (XNU, RTF_REJECT).
 */
function isLocalNetworkPrivacy(error: unknown, { end, family, here }: Circumstances): boolean {
  if (here.platform !== 'darwin' || !isChosen(end)) return false;
  const { address } = error as { address?: unknown };
  return typeof address === 'string' && here.isOnLink(address, family);
}

/** Codes whose cause only this machine shows. */
function judgeByMachine(error: unknown, circumstances: Circumstances): SocketJudgement | undefined {
  const { end, family, here } = circumstances;
  const facts = errorFacts(error);
  switch (facts.code) {
    case 'EADDRNOTAVAIL':
      return isInvalidRemote(facts) || (family === 6 && !here.hasIpv6Address())
        ? failed('no-route')
        : undefined;
    case LOCAL_NETWORK_CODE:
      return isLocalNetworkPrivacy(error, circumstances) ? failed('not-permitted') : undefined;
    case 'EINVAL': // a source address that cannot reach the target, as 127.0.0.1 another host
      return isChosen(end) ? failed('bad-source') : undefined;
    default:
      return undefined;
  }
}

/**
 * What an error of `net.Socket` says about the port. The system call and Node's message tell an
 * answer from the network from a fault of this machine.
 *
 * @param error of the socket's `error` event
 * @param family of the address that was probed
 * @param here this machine: without an IPv6 address EADDRNOTAVAIL means that
 */
export function judgeSocketError(
  error: unknown,
  family: 4 | 6,
  here: Here = HERE,
): SocketJudgement {
  const { code, syscall } = errorFacts(error);
  if (syscall === 'bind') return failed(BIND_FAILURES.get(code) ?? 'bad-source');
  const end = localEnd(error);
  const special = judgeByMachine(error, { end, family, here });
  if (special) return special;
  const known = (end === null ? ANSWERS : CALL_FAILURES).get(code);
  return known ?? failed(FAILURES.get(code) ?? 'unknown-error');
}
