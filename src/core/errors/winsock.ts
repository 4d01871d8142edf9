/** Lookups in the table of errno and Windows Sockets codes. */
import { constants, platform } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { LIBUV_NUMBERS, WINSOCK_ROWS } from './winsock-table.js';

/** One Windows Sockets error (KB Q150537) and its counterparts on other platforms (errno(3)). */
export interface WinsockError {
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
  /** One plain sentence: what it means for a probe of a TCP port. */
  readonly meaning: string;
  /** One plain sentence: the most useful next step. */
  readonly advice: string;
}

/** All Windows Sockets errors, sorted by number. */
export const WINSOCK_ERRORS: readonly WinsockError[] = WINSOCK_ROWS.map(
  ([winsock, name, errno, linux, macos, aliases, meaning, advice]) => ({
    winsock,
    name,
    errno,
    linux,
    macos,
    aliases: aliases === '' ? [] : aliases.split(' '),
    meaning,
    advice,
  }),
);

/** FACILITY_WIN32: an HRESULT is this plus the Windows error (winerror.h, HRESULT_FROM_WIN32). */
const WIN32_HRESULT = 0x8007_0000;

const ROW_BY_NUMBER = new Map(WINSOCK_ERRORS.map((row) => [row.winsock, row]));
const ROW_BY_NAME = new Map(WINSOCK_ERRORS.map((row) => [row.name, row]));
const ROW_BY_CODE = new Map(
  WINSOCK_ERRORS.flatMap((row) => {
    const codes = row.errno === null ? row.aliases : [row.errno, ...row.aliases];
    return codes.map((code) => [code, row] as const);
  }),
);

/** The row of a Windows Sockets number such as 10061; undefined when there is none. */
export function winsockByNumber(winsock: number): WinsockError | undefined {
  return ROW_BY_NUMBER.get(winsock);
}

/**
 * The row of Node's `error.code`: an errno name (errno(3)) or an alias of libuv, Node or c-ares.
 * Case-sensitive; undefined when there is none. `ENODATA` is that of c-ares ("no address of that
 * kind"), not the errno of streams.
 */
export function winsockByCode(code: string): WinsockError | undefined {
  return ROW_BY_CODE.get(code);
}

/**
 * The row for a code as a person writes it, in upper or lower case. These are understood:
 * a Windows Sockets number ('10061') or name; an errno name or alias; an errno number of this
 * platform ('111' on Linux, or '-111' as in Node's `error.errno`); a number of libuv ('-3008', or
 * '-4078' from a log of Windows); hexadecimal and HRESULT ('0x274D', '0x8007274D', '-2147014835';
 * winerror.h). A Windows Sockets number wins over an errno.
 *
 * @param query the code
 * @param codeByErrno positive errno numbers with their names; default: those of this platform
 * @returns undefined when the code is unknown
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

/** An HRESULT is written signed, unsigned or in hexadecimal: all three are the same 32 bits. */
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
  // The number is the errno of streams, which has no row; the code of c-ares has no number.
  return code === undefined || code === 'ENODATA' ? undefined : winsockByCode(code);
}

/** errno numbers with their names. The table adds those that Node lacks (EPFNOSUPPORT …). */
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
