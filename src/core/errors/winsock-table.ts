/**
 * What the codes of `winsock-codes.ts` mean, and other numbers for them. Data only; `winsock.ts`
 * looks them up. A probe needs none of it.
 */

const OUR_FAULT = 'This is a fault of the program, not of the network: please report it.';
const NOT_THE_NETWORK = 'Look at files and quotas rather than at the network.';
const REPAIR_WINSOCK = 'Repair Windows Sockets with `netsh winsock reset` and restart Windows.';

/**
 * For each Windows Sockets number one plain sentence: what it means for a probe of a TCP port; and
 * another: the most useful next step.
 */
export const WINSOCK_WORDS: Readonly<Record<number, readonly [meaning: string, advice: string]>> = {
  10004: [
    'The system call was interrupted before it had finished.',
    'Probe again: nothing was learned about the port.',
  ],
  10009: ['The program used a socket that was closed already.', OUR_FAULT],
  10013: [
    'A firewall or policy, on this machine or on the way, does not permit the connection.',
    'Check the firewall and the security policy of this machine first, then those on the way.',
  ],
  10014: ['The system was handed a bad pointer or a buffer that is too small.', OUR_FAULT],
  10022: [
    'The system rejected an argument: a wrong source address or zone, or a blackhole route.',
    'Check the source address, the zone of a link-local address, and the routes of this machine.',
  ],
  10024: [
    'No more sockets can be opened here: the limit on open files is reached.',
    'Probe fewer ports at once, or raise the limit (`ulimit -n`).',
  ],
  10035: [
    'The operation cannot be done at this moment, but may be later.',
    'Probe again; if it persists, this machine lacks resources: probe fewer ports at once.',
  ],
  10036: [
    'The handshake has begun but not finished; this alone is not an error.',
    'Probe again; a verdict should never end here: please report it.',
  ],
  10037: ['The socket is connecting already.', OUR_FAULT],
  10038: ['What the program used as a socket is not one.', OUR_FAULT],
  10039: ['There was no address to connect to.', OUR_FAULT],
  10040: [
    'A packet was larger than the socket or the path permits.',
    'Check the MTU on the way, above all with a VPN or a tunnel.',
  ],
  10041: ['The protocol does not fit the type of the socket.', OUR_FAULT],
  10042: [
    'A host, router or firewall answered that TCP is not supported, or a socket option is unknown.',
    'Check that the address is the right one, and the firewalls on the way.',
  ],
  10043: [
    'This machine has no TCP for addresses of that kind.',
    'Probe an address of the other family (IPv4 or IPv6), or repair the network stack here.',
  ],
  10044: [
    'This machine has no stream sockets for addresses of that kind.',
    'Probe an address of the other family (IPv4 or IPv6), or repair the network stack here.',
  ],
  10045: [
    'The socket cannot do what was asked, or a router could not follow a source route.',
    'Check the routes to the host; if they are normal, report it as a fault of the program.',
  ],
  10046: [
    'This machine does not have that protocol family, often IPv6.',
    'Turn it on here, or probe an address of the other family.',
  ],
  10047: [
    'This machine cannot use addresses of that family, often IPv6.',
    'Turn the family on here, or probe an address of the other one.',
  ],
  10048: [
    'The local address and port are in use, perhaps by a connection that has just closed.',
    'Let the system choose the local port, or wait some minutes for old connections to expire.',
  ],
  10049: [
    'No local address or port fits: the source is not ours, all ports are in use, or IPv6 is off.',
    'Check the source address and the target; if both are right, probe more slowly.',
  ],
  10050: [
    'The network of this machine is down.',
    'Check the interface, the cable, the Wi-Fi or the VPN of this machine.',
  ],
  10051: [
    'This machine or a router has no route to that network, or a firewall or router rejects it.',
    'Check the default gateway, the VPN and the routes; if the address is IPv6, probe IPv4.',
  ],
  10052: [
    'The connection was dropped because keep-alive got no answer from the other end.',
    'Probe again to see whether the host is still there.',
  ],
  10053: [
    'This machine aborted the connection, often because of security software.',
    'Check the firewall, antivirus and VPN of this machine, then probe again.',
  ],
  10054: [
    'The other side, or a firewall on the way, ended the connection with a reset.',
    'Read the log and the access rules of the service: it answers and hangs up.',
  ],
  10055: [
    'This machine has run out of memory, buffers or ports for the network.',
    'Probe fewer ports at once or close other programs: nothing was learned about the port.',
  ],
  10056: ['The socket is connected already.', OUR_FAULT],
  10057: [
    'The socket is not connected, or no longer.',
    'Probe again; if it persists, read the log of the service to see why it hangs up.',
  ],
  10058: [
    'Something was sent after the connection had been closed.',
    'The port did open: read the log of the service to see why the connection closed.',
  ],
  10059: [
    'The system has too many references to one of its objects; a TCP probe does not meet this.',
    'Close other programs and probe again.',
  ],
  10060: [
    'No answer came in time: a firewall drops the packets, or no host is there.',
    'Probe a port that should be open there: if it is silent too, suspect the host or the route.',
  ],
  10061: [
    'The host answered that nothing listens on that port, or a firewall answered so for it.',
    'Check that the service is running and listens on this address and port.',
  ],
  10062: ['Symbolic links form a loop; a TCP probe does not meet this.', NOT_THE_NETWORK],
  10063: [
    'A name is longer than the system permits.',
    'Check the host name: at most 253 characters, and 63 between two dots.',
  ],
  10064: [
    'The host is down: no one answers at that address.',
    'Check the address, and that the host is switched on and connected.',
  ],
  10065: [
    'A router or firewall says that the host cannot be reached, or no host has that address.',
    'If the answer came at once suspect a firewall or router; if after 3 s, also an absent host.',
  ],
  10066: ['A directory is not empty; a TCP probe does not meet this.', NOT_THE_NETWORK],
  10067: [
    'The system serves no more programs or processes at once.',
    'Close other programs and probe again.',
  ],
  10068: ['The system has too many users; a TCP probe does not meet this.', NOT_THE_NETWORK],
  10069: ['The disk quota is used up; a TCP probe does not meet this.', NOT_THE_NETWORK],
  10070: ['A file on a server is gone; a TCP probe does not meet this.', NOT_THE_NETWORK],
  10071: ['A file is on another machine; a TCP probe does not meet this.', NOT_THE_NETWORK],
  10091: [
    'The network of Windows is not ready for use.',
    'Wait until Windows has started its network, then probe again.',
  ],
  10092: [
    'Windows does not have the version of Windows Sockets that was asked for.',
    'Update Windows, and remove network software that replaces Windows Sockets.',
  ],
  10093: ['The network library was used before it was started.', OUR_FAULT],
  10101: [
    'The other side is closing the connection in good order.',
    'The port did open: read the log of the service to see why it closes.',
  ],
  10102: [
    'A lookup in Windows has no more results; this alone is not an error.',
    'Probe again; a verdict should never end here: please report it.',
  ],
  10103: [
    'The operation was cancelled before it had finished.',
    'Probe again, unless you stopped it yourself: nothing was learned about the port.',
  ],
  10104: ['The function table of a Windows network provider is invalid.', REPAIR_WINSOCK],
  10105: ['A Windows network provider has the wrong version.', REPAIR_WINSOCK],
  10106: ['A Windows network provider could not be loaded or started.', REPAIR_WINSOCK],
  10107: ['A call of Windows that should never fail has failed.', REPAIR_WINSOCK],
  10108: [
    'Windows does not know that service in the name space that was asked.',
    'Give the host as a name or an address and the port as a number.',
  ],
  10109: ['No service of that name is known for TCP.', 'Give the port as a number.'],
  10110: [
    'A lookup in Windows has no more results; this alone is not an error.',
    'Probe again; a verdict should never end here: please report it.',
  ],
  10111: [
    'A lookup in Windows was cancelled before it had finished.',
    'Probe again, unless you stopped it yourself: nothing was learned about the port.',
  ],
  10112: [
    'The name service of Windows refused the query.',
    'Ask another DNS server, or probe the IP address: if that works, suspect name resolution.',
  ],
  11001: [
    'No host of that name is known.',
    'Check the spelling, or probe the IP address: if that works, suspect name resolution.',
  ],
  11002: [
    'The name could not be looked up now: the DNS server failed or did not answer.',
    'Try again, or probe the IP address: if that works, suspect name resolution.',
  ],
  11003: [
    'The DNS server refused the query, or its answer was of no use.',
    'Ask another DNS server, or probe the IP address: if that works, suspect name resolution.',
  ],
  11004: [
    'The name exists, but has no address of the kind that was asked for.',
    'Probe with the other family (IPv4 or IPv6), and check the A and AAAA records of the name.',
  ],
};

/**
 * errno numbers of aliases that differ from the number of their row, on Linux and on macOS.
 * Sources as for the rows.
 */
export const ALIAS_NUMBERS: readonly (readonly [
  code: string,
  linux: number | null,
  macos: number | null,
])[] = [
  ['EPERM', 1, 1],
  ['ENOMEM', 12, 12],
  ['ENFILE', 23, 23],
  ['EPIPE', 32, 32],
  ['ENOTSUP', null, 45],
  ['ENONET', 64, null],
];

/**
 * Numbers that libuv made up (include/uv/errno.h), without their sign: `EAI_*` everywhere, the
 * others where the system has no errno, mostly on Windows. No platform uses them for anything else,
 * so they are known on all.
 */
// prettier-ignore
export const LIBUV_NUMBERS: ReadonlyMap<number, string> = new Map([
  [3000, 'EAI_ADDRFAMILY'], [3001, 'EAI_AGAIN'], [3002, 'EAI_BADFLAGS'], [3003, 'EAI_CANCELED'],
  [3004, 'EAI_FAIL'], [3005, 'EAI_FAMILY'], [3006, 'EAI_MEMORY'], [3007, 'EAI_NODATA'],
  [3008, 'EAI_NONAME'], [3009, 'EAI_OVERFLOW'], [3010, 'EAI_SERVICE'], [3011, 'EAI_SOCKTYPE'],
  [3013, 'EAI_BADHINTS'], [3014, 'EAI_PROTOCOL'], [4025, 'ESOCKTNOSUPPORT'], [4031, 'EHOSTDOWN'],
  [4035, 'ENOPROTOOPT'], [4039, 'ETIMEDOUT'], [4042, 'ESHUTDOWN'], [4044, 'EPROTOTYPE'],
  [4045, 'EPROTONOSUPPORT'], [4047, 'EPIPE'], [4048, 'EPERM'], [4049, 'ENOTSUP'],
  [4050, 'ENOTSOCK'], [4051, 'ENOTEMPTY'], [4053, 'ENOTCONN'], [4056, 'ENONET'], [4057, 'ENOMEM'],
  [4060, 'ENOBUFS'], [4061, 'ENFILE'], [4062, 'ENETUNREACH'], [4063, 'ENETDOWN'],
  [4064, 'ENAMETOOLONG'], [4065, 'EMSGSIZE'], [4066, 'EMFILE'], [4067, 'ELOOP'], [4069, 'EISCONN'],
  [4071, 'EINVAL'], [4072, 'EINTR'], [4073, 'EHOSTUNREACH'], [4074, 'EFAULT'],
  [4076, 'EDESTADDRREQ'], [4077, 'ECONNRESET'], [4078, 'ECONNREFUSED'], [4079, 'ECONNABORTED'],
  [4081, 'ECANCELED'], [4083, 'EBADF'], [4084, 'EALREADY'], [4088, 'EAGAIN'],
  [4089, 'EAFNOSUPPORT'], [4090, 'EADDRNOTAVAIL'], [4091, 'EADDRINUSE'], [4092, 'EACCES'],
]);
