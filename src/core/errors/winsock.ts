/**
 * The one table of errno and Windows Sockets codes, and look-ups in it. Pure data: no I/O, nothing is measured here.
 *
 * Sources: the WinSock numbers and names are those of Microsoft's KB Q150537; the errno numbers those of errno(3) for Linux
 * (asm-generic) and of bsd/sys/errno.h (XNU) for macOS; the codes of libuv and c-ares are in the row that means the same, and
 * `EAI_*` where ws2tcpip.h puts it, except that EAI_NODATA, there the same as EAI_NONAME, keeps its meaning, WSANO_DATA.
 */
import { constants, platform } from 'node:os';
import { getSystemErrorMap } from 'node:util';

/** What is known about one Windows Sockets error (KB Q150537) and about its likeness on the other platforms (errno(3)). */
export interface WinsockError {
  /** Windows Sockets number, e.g. 10061. */
  readonly winsock: number;
  /** Windows Sockets name, e.g. 'WSAECONNREFUSED'. */
  readonly name: string;
  /** errno name, e.g. 'ECONNREFUSED'; null where there is none. */
  readonly errno: string | null;
  /** errno number on Linux (asm-generic), null where there is none. */
  readonly linux: number | null;
  /** errno number on macOS, null where there is none. */
  readonly macos: number | null;
  /** Other codes met in Node for the same thing (`EAI_*`, `ENOTFOUND`, c-ares), the most usual first. */
  readonly aliases: readonly string[];
  /** One plain sentence: what it means to somebody who probes a TCP port. */
  readonly meaning: string;
  /** One plain sentence: the most useful next step. */
  readonly advice: string;
}

type Prose = readonly [meaning: string, advice: string];

const OUR_FAULT = 'This is a fault of the program, not of the network: please report it.';
const NOT_THE_NETWORK = 'Look at files and quotas rather than at the network.';
const REPAIR_WINSOCK = 'Repair Windows Sockets with `netsh winsock reset` and restart Windows.';

/** A row for a code that has an errno: Windows puts WSA before its name. */
function posix(
  winsock: number,
  errno: string,
  linux: number | null,
  macos: number,
  [meaning, advice]: Prose,
  aliases: readonly string[] = [],
): WinsockError {
  return { winsock, name: `WSA${errno}`, errno, linux, macos, aliases, meaning, advice };
}

/** A row for a code that only Windows has as an error number. */
function windows(
  winsock: number,
  name: string,
  [meaning, advice]: Prose,
  aliases: readonly string[] = [],
): WinsockError {
  return { winsock, name, errno: null, linux: null, macos: null, aliases, meaning, advice };
}

/**
 * Every Windows Sockets code from 10004 to 10112 and from 11001 to 11004, sorted by number (KB Q150537; errno(3); libuv's
 * include/uv/errno.h; c-ares' ares.h). Every code stands in one row only. ENOENT stands in none: getaddrinfo gives it on
 * Windows for 11004, and in any other place it is about a file.
 */
export const WINSOCK_ERRORS: readonly WinsockError[] = [
  posix(10004, 'EINTR', 4, 4, [
    'The system call was interrupted before it had finished.',
    'Probe again: nothing was learned about the port.',
  ]),
  posix(10009, 'EBADF', 9, 9, ['The program used a socket that was closed already.', OUR_FAULT]),
  // Linux and macOS give EPERM when a local packet filter refuses; an IPv6 "administratively prohibited" arrives as EACCES.
  posix(
    10013,
    'EACCES',
    13,
    13,
    [
      'A firewall or policy, on this machine or on the way, does not permit the connection.',
      'Check the firewall and the security policy of this machine first, then those on the way.',
    ],
    ['EPERM'],
  ),
  posix(
    10014,
    'EFAULT',
    14,
    14,
    ['The system was handed a bad pointer or a buffer that is too small.', OUR_FAULT],
    ['EAI_OVERFLOW'],
  ),
  posix(
    10022,
    'EINVAL',
    22,
    22,
    [
      'The system rejected an argument: a wrong source address or zone, or a blackhole route.',
      'Check the source address, the zone of a link-local address, and the routes of this machine.',
    ],
    ['EAI_BADFLAGS', 'EAI_BADHINTS', 'EBADFLAGS', 'EBADHINTS'],
  ),
  posix(
    10024,
    'EMFILE',
    24,
    24,
    [
      'No more sockets can be opened here: the limit on open files is reached.',
      'Probe fewer ports at once, or raise the limit (`ulimit -n`).',
    ],
    ['ENFILE'],
  ),
  posix(
    10035,
    'EWOULDBLOCK',
    11,
    35,
    [
      'The operation cannot be done at this moment, but may be later.',
      'Probe again; if it stays, this machine is short of resources: probe fewer ports at once.',
    ],
    ['EAGAIN'],
  ),
  posix(10036, 'EINPROGRESS', 115, 36, [
    'The handshake has begun and is not finished, which by itself is no error.',
    'Probe again; a verdict should never end here: please report it.',
  ]),
  posix(10037, 'EALREADY', 114, 37, ['The socket is connecting already.', OUR_FAULT]),
  posix(10038, 'ENOTSOCK', 88, 38, ['What the program used as a socket is not one.', OUR_FAULT]),
  posix(10039, 'EDESTADDRREQ', 89, 39, ['There was no address to connect to.', OUR_FAULT]),
  posix(10040, 'EMSGSIZE', 90, 40, [
    'A packet was larger than the socket or the path permits.',
    'Check the MTU on the way, above all with a VPN or a tunnel.',
  ]),
  posix(10041, 'EPROTOTYPE', 91, 41, [
    'The protocol does not fit the type of the socket.',
    OUR_FAULT,
  ]),
  // Linux: ICMP "protocol unreachable" (net/ipv4/icmp.c, icmp_err_convert).
  posix(10042, 'ENOPROTOOPT', 92, 42, [
    'The host answered that it does not speak TCP, or a socket option is unknown.',
    'Check that the address is the right one; a firewall can answer like this too.',
  ]),
  posix(
    10043,
    'EPROTONOSUPPORT',
    93,
    43,
    [
      'This machine has no TCP for addresses of that kind.',
      'Probe an address of the other family (IPv4 or IPv6), or repair the network stack here.',
    ],
    ['EAI_PROTOCOL'],
  ),
  posix(
    10044,
    'ESOCKTNOSUPPORT',
    94,
    44,
    [
      'This machine has no stream sockets for addresses of that kind.',
      'Probe an address of the other family (IPv4 or IPv6), or repair the network stack here.',
    ],
    ['EAI_SOCKTYPE'],
  ),
  // Linux: ICMP "source route failed". macOS has a number for each of the two names, Linux one for both.
  posix(
    10045,
    'EOPNOTSUPP',
    95,
    102,
    [
      'The socket cannot do what was asked, or a router could not follow a source route.',
      'Check the routes to the host; if they are ordinary, this is a fault of the program: please report it.',
    ],
    ['ENOTSUP'],
  ),
  posix(10046, 'EPFNOSUPPORT', 96, 46, [
    'This machine does not have that protocol family, often IPv6.',
    'Turn it on here, or probe an address of the other family.',
  ]),
  posix(
    10047,
    'EAFNOSUPPORT',
    97,
    47,
    [
      'This machine cannot use addresses of that family, often IPv6.',
      'Turn the family on here, or probe an address of the other one.',
    ],
    ['EAI_FAMILY', 'EBADFAMILY'],
  ),
  posix(10048, 'EADDRINUSE', 98, 48, [
    'The local address and port are in use, perhaps by a connection that has just closed.',
    'Let the system choose the local port, or wait some minutes for old connections to expire.',
  ]),
  posix(10049, 'EADDRNOTAVAIL', 99, 49, [
    'No local address or port fits: the source is not ours, all ports are in use, or IPv6 is off.',
    'Check the source address and the target; if both are right, probe more slowly.',
  ]),
  posix(10050, 'ENETDOWN', 100, 50, [
    'The network of this machine is down.',
    'Check the interface, the cable, the Wi-Fi or the VPN of this machine.',
  ]),
  posix(10051, 'ENETUNREACH', 101, 51, [
    'There is no route to that network, either from this machine or from a router on the way.',
    'Check the default gateway, the VPN and the routes; if the address is IPv6, probe IPv4.',
  ]),
  posix(10052, 'ENETRESET', 102, 52, [
    'The connection was dropped because keep-alive found the other end gone.',
    'Probe again to see whether the host is still there.',
  ]),
  posix(10053, 'ECONNABORTED', 103, 53, [
    'This machine gave the connection up, often because of security software.',
    'Check the firewall, antivirus and VPN of this machine, then probe again.',
  ]),
  posix(10054, 'ECONNRESET', 104, 54, [
    'The other side, or a firewall on the way, broke the connection off with a reset.',
    'Read the log and the access rules of the service: somebody answers there and hangs up.',
  ]),
  posix(
    10055,
    'ENOBUFS',
    105,
    55,
    [
      'This machine has run out of memory, buffers or ports for the network.',
      'Probe fewer ports at once or close other programs: nothing was learned about the port.',
    ],
    ['ENOMEM', 'EAI_MEMORY'],
  ),
  posix(10056, 'EISCONN', 106, 56, ['The socket is connected already.', OUR_FAULT]),
  posix(10057, 'ENOTCONN', 107, 57, [
    'The socket is not connected, or no longer.',
    'Probe again; if it stays, read the log of the service to see why it hangs up.',
  ]),
  // libuv gives EPIPE for WSAESHUTDOWN (src/win/error.c).
  posix(
    10058,
    'ESHUTDOWN',
    108,
    58,
    [
      'Something was sent after the connection had been closed.',
      'The port did open: read the log of the service to see why the connection closed.',
    ],
    ['EPIPE'],
  ),
  posix(10059, 'ETOOMANYREFS', 109, 59, [
    'The system has too many references to one of its objects; a TCP probe does not meet this.',
    'Close other programs and probe again.',
  ]),
  posix(
    10060,
    'ETIMEDOUT',
    110,
    60,
    [
      'No answer came in time: a firewall drops the packets, or no host is there.',
      'Probe a port that should be open there: if that is silent too, suspect the host or the route.',
    ],
    ['ERR_SOCKET_CONNECTION_TIMEOUT'],
  ),
  posix(10061, 'ECONNREFUSED', 111, 61, [
    'The host answered that nothing listens on that port, or a firewall answered so for it.',
    'Check that the service is running and listens on this address and port.',
  ]),
  posix(10062, 'ELOOP', 40, 62, [
    'Symbolic links lead round in a circle; a TCP probe does not meet this.',
    NOT_THE_NETWORK,
  ]),
  posix(10063, 'ENAMETOOLONG', 36, 63, [
    'A name is longer than the system permits.',
    'Check the host name: at most 253 characters, and 63 between two dots.',
  ]),
  // BSD: nobody answers ARP. Linux: ICMP "host unknown".
  posix(10064, 'EHOSTDOWN', 112, 64, [
    'The host is down: nobody answers at that address.',
    'Check the address, and that the host is switched on and connected.',
  ]),
  // Linux has a code of its own, ENONET, for ICMP "host isolated"; BSD counts that among EHOSTUNREACH.
  posix(
    10065,
    'EHOSTUNREACH',
    113,
    65,
    [
      'There is no way to the host: a router or firewall says so, or nobody has that address.',
      'If the answer came at once suspect a firewall or router; if after seconds, an absent host.',
    ],
    ['ENONET'],
  ),
  posix(10066, 'ENOTEMPTY', 39, 66, [
    'A directory is not empty; a TCP probe does not meet this.',
    NOT_THE_NETWORK,
  ]),
  posix(10067, 'EPROCLIM', null, 67, [
    'The system serves no more programs or processes at once.',
    'Close other programs and probe again.',
  ]),
  posix(10068, 'EUSERS', 87, 68, [
    'The system has too many users; a TCP probe does not meet this.',
    NOT_THE_NETWORK,
  ]),
  posix(10069, 'EDQUOT', 122, 69, [
    'The disk quota is used up; a TCP probe does not meet this.',
    NOT_THE_NETWORK,
  ]),
  posix(10070, 'ESTALE', 116, 70, [
    'A file on a server is gone; a TCP probe does not meet this.',
    NOT_THE_NETWORK,
  ]),
  posix(10071, 'EREMOTE', 66, 71, [
    'A file is on another machine; a TCP probe does not meet this.',
    NOT_THE_NETWORK,
  ]),
  windows(10091, 'WSASYSNOTREADY', [
    'The network of Windows is not ready for use.',
    'Wait until Windows has started its network, then probe again.',
  ]),
  windows(10092, 'WSAVERNOTSUPPORTED', [
    'Windows does not have the version of Windows Sockets that was asked for.',
    'Update Windows, and remove network software that replaces Windows Sockets.',
  ]),
  windows(
    10093,
    'WSANOTINITIALISED',
    ['The network library was used before it was started.', OUR_FAULT],
    ['ENOTINITIALIZED'],
  ),
  windows(10101, 'WSAEDISCON', [
    'The other side is closing the connection in good order.',
    'The port did open: read the log of the service to see why it closes.',
  ]),
  windows(10102, 'WSAENOMORE', [
    'A look-up in Windows has no more results, which by itself is no error.',
    'Probe again; a verdict should never end here: please report it.',
  ]),
  // Both 10103 and 10111 say "cancelled" of a name look-up; 10103 is the one that bears the errno's name.
  {
    ...windows(
      10103,
      'WSAECANCELLED',
      [
        'The operation was cancelled before it had finished.',
        'Probe again, unless you stopped it yourself: nothing was learned about the port.',
      ],
      ['ECANCELLED', 'EAI_CANCELED', 'EDESTRUCTION'],
    ),
    errno: 'ECANCELED',
    linux: 125,
    macos: 89,
  },
  windows(10104, 'WSAEINVALIDPROCTABLE', [
    'The function table of a Windows network provider is invalid.',
    REPAIR_WINSOCK,
  ]),
  windows(10105, 'WSAEINVALIDPROVIDER', [
    'A Windows network provider has the wrong version.',
    REPAIR_WINSOCK,
  ]),
  windows(10106, 'WSAEPROVIDERFAILEDINIT', [
    'A Windows network provider could not be loaded or started.',
    REPAIR_WINSOCK,
  ]),
  windows(10107, 'WSASYSCALLFAILURE', [
    'A call of Windows that should never fail has failed.',
    REPAIR_WINSOCK,
  ]),
  windows(10108, 'WSASERVICE_NOT_FOUND', [
    'Windows does not know that service in the name space that was asked.',
    'Give the host as a name or an address and the port as a number.',
  ]),
  windows(
    10109,
    'WSATYPE_NOT_FOUND',
    ['No service of that name is known for TCP.', 'Give the port as a number.'],
    ['EAI_SERVICE'],
  ),
  windows(10110, 'WSA_E_NO_MORE', [
    'A look-up in Windows has no more results, which by itself is no error.',
    'Probe again; a verdict should never end here: please report it.',
  ]),
  windows(10111, 'WSA_E_CANCELLED', [
    'A look-up in Windows was cancelled before it had finished.',
    'Probe again, unless you stopped it yourself: nothing was learned about the port.',
  ]),
  windows(10112, 'WSAEREFUSED', [
    'The name service of Windows refused the query.',
    'Ask another DNS server, or probe the IP address: if that works, suspect name resolution.',
  ]),
  windows(
    11001,
    'WSAHOST_NOT_FOUND',
    [
      'No host of that name is known.',
      'Check the spelling, or probe the IP address: if that works, suspect name resolution.',
    ],
    ['ENOTFOUND', 'EAI_NONAME', 'ENONAME', 'EBADNAME'],
  ),
  windows(
    11002,
    'WSATRY_AGAIN',
    [
      'The name could not be looked up now: the DNS server failed or did not answer.',
      'Try again, or probe the IP address: if that works, suspect name resolution.',
    ],
    ['EAI_AGAIN', 'ESERVFAIL', 'ETIMEOUT'],
  ),
  windows(
    11003,
    'WSANO_RECOVERY',
    [
      'The DNS server refused the query, or its answer was of no use.',
      'Ask another DNS server, or probe the IP address: if that works, suspect name resolution.',
    ],
    ['EAI_FAIL', 'EREFUSED', 'EFORMERR', 'ENOTIMP', 'EBADRESP', 'EBADQUERY', 'EBADSTR'],
  ),
  windows(
    11004,
    'WSANO_DATA',
    [
      'The name exists, but has no address of the kind that was asked for.',
      'Probe with the other family (IPv4 or IPv6), and check the A and AAAA records of the name.',
    ],
    ['ENODATA', 'EAI_NODATA', 'EAI_ADDRFAMILY'],
  ),
];

/**
 * Numbers that libuv made up (include/uv/errno.h), without their sign: those of `EAI_*` everywhere, the others where the
 * system has no errno, which above all is Windows. No platform uses them for anything else, so they are known on all.
 */
const LIBUV_NUMBERS: ReadonlyMap<number, string> = new Map([
  [3000, 'EAI_ADDRFAMILY'],
  [3001, 'EAI_AGAIN'],
  [3002, 'EAI_BADFLAGS'],
  [3003, 'EAI_CANCELED'],
  [3004, 'EAI_FAIL'],
  [3005, 'EAI_FAMILY'],
  [3006, 'EAI_MEMORY'],
  [3007, 'EAI_NODATA'],
  [3008, 'EAI_NONAME'],
  [3009, 'EAI_OVERFLOW'],
  [3010, 'EAI_SERVICE'],
  [3011, 'EAI_SOCKTYPE'],
  [3013, 'EAI_BADHINTS'],
  [3014, 'EAI_PROTOCOL'],
  [4025, 'ESOCKTNOSUPPORT'],
  [4031, 'EHOSTDOWN'],
  [4035, 'ENOPROTOOPT'],
  [4039, 'ETIMEDOUT'],
  [4042, 'ESHUTDOWN'],
  [4044, 'EPROTOTYPE'],
  [4045, 'EPROTONOSUPPORT'],
  [4047, 'EPIPE'],
  [4048, 'EPERM'],
  [4049, 'ENOTSUP'],
  [4050, 'ENOTSOCK'],
  [4051, 'ENOTEMPTY'],
  [4053, 'ENOTCONN'],
  [4056, 'ENONET'],
  [4057, 'ENOMEM'],
  [4060, 'ENOBUFS'],
  [4061, 'ENFILE'],
  [4062, 'ENETUNREACH'],
  [4063, 'ENETDOWN'],
  [4064, 'ENAMETOOLONG'],
  [4065, 'EMSGSIZE'],
  [4066, 'EMFILE'],
  [4067, 'ELOOP'],
  [4069, 'EISCONN'],
  [4071, 'EINVAL'],
  [4072, 'EINTR'],
  [4073, 'EHOSTUNREACH'],
  [4074, 'EFAULT'],
  [4076, 'EDESTADDRREQ'],
  [4077, 'ECONNRESET'],
  [4078, 'ECONNREFUSED'],
  [4079, 'ECONNABORTED'],
  [4081, 'ECANCELED'],
  [4083, 'EBADF'],
  [4084, 'EALREADY'],
  [4088, 'EAGAIN'],
  [4089, 'EAFNOSUPPORT'],
  [4090, 'EADDRNOTAVAIL'],
  [4091, 'EADDRINUSE'],
  [4092, 'EACCES'],
]);

/** FACILITY_WIN32: an HRESULT is 0x80070000 plus the Windows error (winerror.h, HRESULT_FROM_WIN32). */
const WIN32_HRESULT = 0x8007_0000;

const ROW_BY_NUMBER = new Map(WINSOCK_ERRORS.map((row) => [row.winsock, row]));
const ROW_BY_NAME = new Map(WINSOCK_ERRORS.map((row) => [row.name, row]));
const ROW_BY_CODE = new Map(
  WINSOCK_ERRORS.flatMap((row) => {
    const codes = row.errno === null ? row.aliases : [row.errno, ...row.aliases];
    return codes.map((code) => [code, row] as const);
  }),
);

/** The row of a Windows Sockets number such as 10061 (KB Q150537); undefined when there is none. */
export function winsockByNumber(winsock: number): WinsockError | undefined {
  return ROW_BY_NUMBER.get(winsock);
}

/**
 * The row of Node's `error.code`: an errno name (errno(3)), or an alias of libuv, Node or c-ares. Case-sensitive; undefined
 * when there is none. `ENODATA` is c-ares' ("no address of that kind"), not the errno of streams.
 */
export function winsockByCode(code: string): WinsockError | undefined {
  return ROW_BY_CODE.get(code);
}

/**
 * The row that somebody means who asks to have an error explained; undefined when it is unknown. Known are, in any case: a
 * Windows Sockets number ('10061') or name, an errno name or alias, a number of this platform's errno ('111' on Linux, or
 * '-111' as in Node's `error.errno`), a number of libuv's ('-3008', or '-4078' from a log of Windows), and hexadecimal and
 * HRESULT ('0x274D', '0x8007274D', '-2147014835'; winerror.h). A WinSock number wins over an errno.
 *
 * @param codeByErrno the platform's errno numbers (positive) with their names; default: those of the platform this runs on
 */
export function lookUpError(
  query: string,
  codeByErrno: ReadonlyMap<number, string> = errnosOfThisPlatform(),
): WinsockError | undefined {
  const spelling = query.trim().toUpperCase();
  if (/^0X[0-9A-F]{1,8}$/.test(spelling)) return rowOfWindowsNumber(Number(spelling));
  if (!/^-?\d{1,10}$/.test(spelling)) return ROW_BY_CODE.get(spelling) ?? ROW_BY_NAME.get(spelling);
  return (
    rowOfWindowsNumber(Number(spelling)) ?? rowOfErrno(Math.abs(Number(spelling)), codeByErrno)
  );
}

/** An HRESULT is written without a sign, with one in decimal, or in hexadecimal: all three are the same 32 bits. */
function rowOfWindowsNumber(number: number): WinsockError | undefined {
  return (
    winsockByNumber(number) ??
    winsockByNumber(number - WIN32_HRESULT) ??
    winsockByNumber(number + 2 ** 32 - WIN32_HRESULT)
  );
}

function rowOfErrno(
  number: number,
  codeByErrno: ReadonlyMap<number, string>,
): WinsockError | undefined {
  const code = codeByErrno.get(number) ?? LIBUV_NUMBERS.get(number);
  // As a number ENODATA is the errno of streams, which no row is about: c-ares' code of that name has no number.
  return code === undefined || code === 'ENODATA' ? undefined : winsockByCode(code);
}

/** errno numbers with their names. The table comes first for those that Node leaves out (EPFNOSUPPORT, ETOOMANYREFS …). */
function errnosOfThisPlatform(): ReadonlyMap<number, string> {
  const codeByErrno = new Map<number, string>();
  for (const { errno, linux, macos } of WINSOCK_ERRORS) {
    const number = platform() === 'linux' ? linux : platform() === 'darwin' ? macos : null;
    if (errno !== null && number !== null) codeByErrno.set(number, errno);
  }
  for (const [number, [code]] of getSystemErrorMap()) codeByErrno.set(Math.abs(number), code);
  for (const [code, number] of Object.entries(constants.errno)) codeByErrno.set(number, code);
  return codeByErrno;
}
