import type { ErrorFacts } from '../facts/outcome.js';
import type { UnresolvedReason } from '../states.js';

/** Why a name was not resolved, with the error that said so. */
export interface Failure {
  readonly reason: UnresolvedReason;
  readonly error: ErrorFacts;
  /** The names that the name is an alias for (CNAME), in order, as far as DNS said so. */
  readonly aliases?: readonly string[];
}

/** The Windows Sockets numbers of a resolver (winsock2.h). */
const WSAHOST_NOT_FOUND = 11001;
const WSATRY_AGAIN = 11002;
const WSANO_RECOVERY = 11003;
const WSANO_DATA = 11004;

/** libuv's numbers of two answers that Node also names ENOTFOUND: no such address (uv/errno.h). */
const UV_EAI_NODATA = -3007;
const UV_EAI_ADDRFAMILY = -3000;

/** An error that no system call gave. */
const ownError = (code: string): ErrorFacts => ({
  code,
  errno: null,
  winsock: null,
  syscall: null,
});

const failure = (reason: UnresolvedReason, error: ErrorFacts, winsock: number): Failure => ({
  reason,
  error: { ...error, winsock },
});

/** The name exists, but has no address of the family asked for. */
export function noAddress(error: ErrorFacts): Failure {
  return failure('name-no-address', error, WSANO_DATA);
}

/** The only addresses of the name are 0.0.0.0 or ::. */
export const NO_HOST: Failure = noAddress(ownError('ENODATA'));

/** What cannot be a name does not exist. */
export const NOT_A_NAME: Failure = failure(
  'name-not-found',
  ownError('ENOTFOUND'),
  WSAHOST_NOT_FOUND,
);

/** No answer before the deadline. */
export const NO_ANSWER: Failure = failure('resolver-timeout', ownError('ETIMEOUT'), WSATRY_AGAIN);

/** Codes of `getaddrinfo`, of c-ares and of a socket to a DNS server, with their meaning. */
const MEANINGS = new Map<string, readonly [UnresolvedReason, winsock: number]>([
  ['ENOTFOUND', ['name-not-found', WSAHOST_NOT_FOUND]],
  ['ENODATA', ['name-no-address', WSANO_DATA]],
  ['ENOENT', ['name-no-address', WSANO_DATA]], // Windows' 11004, as libuv passes it on (libuv#2959)
  ['EAI_AGAIN', ['resolver-failed', WSATRY_AGAIN]],
  ['ESERVFAIL', ['resolver-failed', WSATRY_AGAIN]],
  ['ECONNREFUSED', ['resolver-failed', WSATRY_AGAIN]],
  ['ECONNRESET', ['resolver-failed', WSATRY_AGAIN]], // Windows' word for a refused UDP port
  ['EPERM', ['resolver-failed', WSATRY_AGAIN]],
  ['EACCES', ['resolver-failed', WSATRY_AGAIN]],
  ['ENETUNREACH', ['resolver-failed', WSATRY_AGAIN]],
  ['EHOSTUNREACH', ['resolver-failed', WSATRY_AGAIN]],
  ['ETIMEOUT', ['resolver-timeout', WSATRY_AGAIN]],
  ['ECANCELLED', ['resolver-timeout', WSATRY_AGAIN]],
  ['EAI_FAIL', ['resolver-failed', WSANO_RECOVERY]],
  ['EREFUSED', ['resolver-failed', WSANO_RECOVERY]],
  ['EFORMERR', ['resolver-failed', WSANO_RECOVERY]],
  ['ENOTIMP', ['resolver-failed', WSANO_RECOVERY]],
  ['ENORECURSION', ['resolver-failed', WSANO_RECOVERY]],
  ['EBADRESP', ['resolver-failed', WSANO_RECOVERY]],
]);

/** What an error of `getaddrinfo` or of c-ares says about a name. */
export function judgeResolverError(error: ErrorFacts): Failure {
  const { code, errno } = error;
  if (code === 'ENOTFOUND' && (errno === UV_EAI_NODATA || errno === UV_EAI_ADDRFAMILY))
    return noAddress(error);
  const [reason, winsock] = MEANINGS.get(code) ?? ['resolver-failed', error.winsock];
  return { reason, error: { ...error, winsock } };
}
