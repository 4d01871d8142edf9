import {
  type ForeignErrno,
  lookUpElsewhere,
  lookUpError,
  type WinsockError,
  WINSOCK_ERRORS,
} from '../../core/errors/winsock.js';
import { UsageError } from '../../core/usage-error.js';

/** `ECONNREFUSED (Linux 111, macOS 61); also EAI_AGAIN`. */
function listNames({ errno, linux, macos, aliases }: WinsockError): string {
  const numbers = [linux === null ? '' : `Linux ${linux}`, macos === null ? '' : `macOS ${macos}`]
    .filter((each) => each !== '')
    .join(', ');
  const own = errno === null ? '' : `${errno}${numbers === '' ? '' : ` (${numbers})`}`;
  return [own, aliases.join(', ')].filter((each) => each !== '').join('; also ');
}

/** The codes, the meaning and the next step of an error, a line each. */
function describeError(row: WinsockError): string {
  const known = listNames(row);
  const title = `${row.winsock} ${row.name}${known === '' ? '' : `  ${known}`}`;
  return `${title}\n${row.meaning}\n${row.advice}\n`;
}

/** `on macOS it is ECONNREFUSED, WinSock 10061`. */
const describeForeign = (systems: string, { code, error }: ForeignErrno): string =>
  `on ${systems} it is ${code}, WinSock ${error.winsock}`;

/** Explains a number that is no errno of this platform, but one of another. */
function explainForeign(
  query: string,
  platform: NodeJS.Platform,
  found: readonly [ForeignErrno, ...ForeignErrno[]],
): string {
  const here = { linux: 'Linux', darwin: 'macOS', win32: 'Windows' }[platform as string];
  const [first, second] = found;
  const isOne = second?.code === first.code;
  const meanings = isOne
    ? [describeForeign('Linux and macOS', first)]
    : found.map((each) => describeForeign(each.system, each));
  const number = Math.abs(Number(query));
  return (
    `${number} is no errno of ${here ?? platform} sockets; ${meanings.join('; ')}.\n` +
    [...new Set(found.map(({ error }) => error))].map(describeError).join('')
  );
}

/** libuv's only name for all errors of Windows that it does not know (src/win/error.c). */
const UNKNOWN_OF_WINDOWS =
  'UNKNOWN (libuv -4094)\n' +
  'Windows gave an error that Node has no name for, ' +
  'often 10050 WSAENETDOWN or 10064 WSAEHOSTDOWN.\n' +
  "Check this machine's network connection, then the address.\n";

/** The errno numbers of EPROTO, which Windows Sockets has no number for (sys/errno.h). */
const PROTOCOL_ERROR: Partial<Record<NodeJS.Platform, number>> = { linux: 71, darwin: 100 };

const isProtocolError = (query: string, platform: NodeJS.Platform): boolean =>
  /^EPROTO$/i.test(query) ||
  (/^-?\d+$/.test(query) && Math.abs(Number(query)) === PROTOCOL_ERROR[platform]);

/** Linux reports ICMP messages that no other error fits as EPROTO (icmp_err_convert). */
const PROTOCOL_ERROR_TEXT =
  'EPROTO (Linux 71, macOS 100)\n' +
  'A router, a firewall or the host rejected the packet with an unusual ICMP error. ' +
  'Windows Sockets has no number for it.\n' +
  'Ask the operators of the network on the way.\n';

/**
 * What `--explain` prints.
 *
 * @param query a code or a name of an error; null for the whole table
 * @param platform whose errno numbers count
 *
 * @throws UsageError when the error is unknown
 */
export function explainError(query: string | null, platform: NodeJS.Platform): string {
  if (query === null) {
    const rows = WINSOCK_ERRORS.map(
      ({ winsock, name, errno, meaning }) =>
        `${winsock}  ${name.padEnd(28)}${(errno ?? '').padEnd(17)}${meaning}\n`,
    );
    return rows.join('');
  }
  if (/^(UNKNOWN|-?4094)$/i.test(query.trim())) return UNKNOWN_OF_WINDOWS;
  if (isProtocolError(query.trim(), platform)) return PROTOCOL_ERROR_TEXT;
  const row = lookUpError(query, platform);
  if (row) return describeError(row);
  const [first, ...others] = lookUpElsewhere(query, platform);
  if (first) return explainForeign(query, platform, [first, ...others]);
  throw new UsageError(
    `--explain: "${query}" is not in the table; allowed: a code such as 10061, ` +
      'WSAECONNREFUSED, ECONNREFUSED, EAI_AGAIN, or no code for the whole table',
  );
}
