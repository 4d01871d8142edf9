/** One Windows Sockets code (KB Q150537) and its counterparts on other platforms (errno(3)). */
export interface WinsockCode {
  /** Windows Sockets number, e.g. 10061. */
  readonly winsock: number;
  /** Windows Sockets name, e.g. 'WSAECONNREFUSED'. */
  readonly name: string;
  /** errno name, e.g. 'ECONNREFUSED'; null where there is none. */
  readonly errno: string | null;
  /** errno number on Linux (asm-generic); null where there is none. */
  readonly linux: number | null;
  /** errno number on macOS; null where there is none. */
  readonly macos: number | null;
  /** Other codes that Node uses for it (`EAI_*`, `ENOTFOUND`, c-ares), the most usual first. */
  readonly aliases: readonly string[];
}

type Row = readonly [
  winsock: number,
  name: string,
  errno: string | null,
  linux: number | null,
  macos: number | null,
  aliases: string,
];

/**
 * Every Windows Sockets code from 10004 to 10112 and 11001 to 11004, sorted by number. Each code
 * stands in one row only. ENOENT stands in none: on Windows getaddrinfo returns it for 11004, and
 * everywhere else it is about a file. What each code means is in `winsock-table.ts`.
 *
 * Sources: KB Q150537 for the Windows Sockets numbers and names; errno(3) for Linux (asm-generic);
 * bsd/sys/errno.h (XNU) for macOS. Codes of libuv and c-ares stand in the row that means the same,
 * and `EAI_*` where ws2tcpip.h puts them. Only EAI_NODATA, which is EAI_NONAME there, keeps its own
 * meaning: WSANO_DATA.
 */
// prettier-ignore
const ROWS: readonly Row[] = [
  [10004, 'WSAEINTR', 'EINTR', 4, 4, ''],
  [10009, 'WSAEBADF', 'EBADF', 9, 9, ''],
  // A local packet filter gives EPERM on Linux and macOS; ICMPv6 "prohibited" gives EACCES.
  [10013, 'WSAEACCES', 'EACCES', 13, 13, 'EPERM'],
  [10014, 'WSAEFAULT', 'EFAULT', 14, 14, 'EAI_OVERFLOW'],
  [10022, 'WSAEINVAL', 'EINVAL', 22, 22, 'EAI_BADFLAGS EAI_BADHINTS EBADFLAGS EBADHINTS'],
  [10024, 'WSAEMFILE', 'EMFILE', 24, 24, 'ENFILE'],
  [10035, 'WSAEWOULDBLOCK', 'EWOULDBLOCK', 11, 35, 'EAGAIN'],
  [10036, 'WSAEINPROGRESS', 'EINPROGRESS', 115, 36, ''],
  [10037, 'WSAEALREADY', 'EALREADY', 114, 37, ''],
  [10038, 'WSAENOTSOCK', 'ENOTSOCK', 88, 38, ''],
  [10039, 'WSAEDESTADDRREQ', 'EDESTADDRREQ', 89, 39, ''],
  [10040, 'WSAEMSGSIZE', 'EMSGSIZE', 90, 40, ''],
  [10041, 'WSAEPROTOTYPE', 'EPROTOTYPE', 91, 41, ''],
  // Linux: ICMP "protocol unreachable" (net/ipv4/icmp.c, icmp_err_convert).
  [10042, 'WSAENOPROTOOPT', 'ENOPROTOOPT', 92, 42, ''],
  [10043, 'WSAEPROTONOSUPPORT', 'EPROTONOSUPPORT', 93, 43, 'EAI_PROTOCOL'],
  [10044, 'WSAESOCKTNOSUPPORT', 'ESOCKTNOSUPPORT', 94, 44, 'EAI_SOCKTYPE'],
  // Linux: ICMP "source route failed". macOS has two numbers for the two names, Linux one.
  [10045, 'WSAEOPNOTSUPP', 'EOPNOTSUPP', 95, 102, 'ENOTSUP'],
  [10046, 'WSAEPFNOSUPPORT', 'EPFNOSUPPORT', 96, 46, ''],
  [10047, 'WSAEAFNOSUPPORT', 'EAFNOSUPPORT', 97, 47, 'EAI_FAMILY EBADFAMILY'],
  [10048, 'WSAEADDRINUSE', 'EADDRINUSE', 98, 48, ''],
  [10049, 'WSAEADDRNOTAVAIL', 'EADDRNOTAVAIL', 99, 49, ''],
  [10050, 'WSAENETDOWN', 'ENETDOWN', 100, 50, ''],
  // Linux: also ICMP "network prohibited" (3/9), and the reply of a firewall that rejects.
  [10051, 'WSAENETUNREACH', 'ENETUNREACH', 101, 51, ''],
  [10052, 'WSAENETRESET', 'ENETRESET', 102, 52, ''],
  [10053, 'WSAECONNABORTED', 'ECONNABORTED', 103, 53, ''],
  [10054, 'WSAECONNRESET', 'ECONNRESET', 104, 54, ''],
  [10055, 'WSAENOBUFS', 'ENOBUFS', 105, 55, 'ENOMEM EAI_MEMORY'],
  [10056, 'WSAEISCONN', 'EISCONN', 106, 56, ''],
  [10057, 'WSAENOTCONN', 'ENOTCONN', 107, 57, ''],
  // libuv gives EPIPE for WSAESHUTDOWN (src/win/error.c).
  [10058, 'WSAESHUTDOWN', 'ESHUTDOWN', 108, 58, 'EPIPE'],
  [10059, 'WSAETOOMANYREFS', 'ETOOMANYREFS', 109, 59, ''],
  [10060, 'WSAETIMEDOUT', 'ETIMEDOUT', 110, 60, 'ERR_SOCKET_CONNECTION_TIMEOUT'],
  [10061, 'WSAECONNREFUSED', 'ECONNREFUSED', 111, 61, ''],
  [10062, 'WSAELOOP', 'ELOOP', 40, 62, ''],
  [10063, 'WSAENAMETOOLONG', 'ENAMETOOLONG', 36, 63, ''],
  // BSD: no answer to ARP. Linux: ICMP "host unknown".
  [10064, 'WSAEHOSTDOWN', 'EHOSTDOWN', 112, 64, ''],
  // ENONET is Linux for ICMP "host isolated"; BSD reports that as EHOSTUNREACH. Linux reports ICMP
  // "time exceeded" as EHOSTUNREACH.
  [10065, 'WSAEHOSTUNREACH', 'EHOSTUNREACH', 113, 65, 'ENONET'],
  [10066, 'WSAENOTEMPTY', 'ENOTEMPTY', 39, 66, ''],
  [10067, 'WSAEPROCLIM', 'EPROCLIM', null, 67, ''],
  [10068, 'WSAEUSERS', 'EUSERS', 87, 68, ''],
  [10069, 'WSAEDQUOT', 'EDQUOT', 122, 69, ''],
  [10070, 'WSAESTALE', 'ESTALE', 116, 70, ''],
  [10071, 'WSAEREMOTE', 'EREMOTE', 66, 71, ''],
  [10091, 'WSASYSNOTREADY', null, null, null, ''],
  [10092, 'WSAVERNOTSUPPORTED', null, null, null, ''],
  [10093, 'WSANOTINITIALISED', null, null, null, 'ENOTINITIALIZED'],
  [10101, 'WSAEDISCON', null, null, null, ''],
  [10102, 'WSAENOMORE', null, null, null, ''],
  // Both 10103 and 10111 mean a cancelled lookup; only 10103 has the name of an errno.
  [10103, 'WSAECANCELLED', 'ECANCELED', 125, 89, 'ECANCELLED EAI_CANCELED EDESTRUCTION'],
  [10104, 'WSAEINVALIDPROCTABLE', null, null, null, ''],
  [10105, 'WSAEINVALIDPROVIDER', null, null, null, ''],
  [10106, 'WSAEPROVIDERFAILEDINIT', null, null, null, ''],
  [10107, 'WSASYSCALLFAILURE', null, null, null, ''],
  [10108, 'WSASERVICE_NOT_FOUND', null, null, null, ''],
  [10109, 'WSATYPE_NOT_FOUND', null, null, null, 'EAI_SERVICE'],
  [10110, 'WSA_E_NO_MORE', null, null, null, ''],
  [10111, 'WSA_E_CANCELLED', null, null, null, ''],
  [10112, 'WSAEREFUSED', null, null, null, ''],
  [11001, 'WSAHOST_NOT_FOUND', null, null, null, 'ENOTFOUND EAI_NONAME ENONAME EBADNAME'],
  [11002, 'WSATRY_AGAIN', null, null, null, 'EAI_AGAIN ESERVFAIL ETIMEOUT'],
  [11003, 'WSANO_RECOVERY', null, null, null,
    'EAI_FAIL EREFUSED EFORMERR ENOTIMP EBADRESP ENORECURSION EBADQUERY EBADSTR'],
  [11004, 'WSANO_DATA', null, null, null, 'ENODATA EAI_NODATA EAI_ADDRFAMILY'],
];

/** All codes, sorted by number. */
export const WINSOCK_CODES: readonly WinsockCode[] = ROWS.map(
  ([winsock, name, errno, linux, macos, aliases]) => ({
    winsock,
    name,
    errno,
    linux,
    macos,
    aliases: aliases === '' ? [] : aliases.split(' '),
  }),
);

/** The row of a Windows Sockets number such as 10061; undefined when there is none. */
export function winsockByNumber(winsock: number): WinsockCode | undefined {
  return WINSOCK_CODES.find((row) => row.winsock === winsock);
}

/**
 * The row of Node's `error.code`: an errno name (errno(3)) or an alias of libuv, Node or c-ares.
 * Case-sensitive; undefined when there is none. `ENODATA` is that of c-ares ("no address of that
 * kind"), not the errno of streams.
 */
export function winsockByCode(code: string): WinsockCode | undefined {
  return WINSOCK_CODES.find(({ errno, aliases }) => code === errno || aliases.includes(code));
}
