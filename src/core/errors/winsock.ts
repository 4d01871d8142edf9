/** Lookups in the table of errno and Windows Sockets codes. */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import {
  WINSOCK_CODES,
  type WinsockCode,
  winsockByCode,
  winsockByNumber,
} from './winsock-codes.js';
import { ALIAS_NUMBERS, LIBUV_NUMBERS, WINSOCK_WORDS } from './winsock-table.js';

/** One Windows Sockets error: its codes, and what it means. */
export interface WinsockError extends WinsockCode {
  /** One plain sentence: what it means for a probe of a TCP port. */
  readonly meaning: string;
  /** One plain sentence: the most useful next step. */
  readonly advice: string;
}

/** All Windows Sockets errors, sorted by number. */
export const WINSOCK_ERRORS: readonly WinsockError[] = WINSOCK_CODES.map((row) => {
  const [meaning = '', advice = ''] = WINSOCK_WORDS[row.winsock] ?? [];
  return { ...row, meaning, advice };
});

/** FACILITY_WIN32: an HRESULT is this plus the Windows error (winerror.h, HRESULT_FROM_WIN32). */
const WIN32_HRESULT = 0x8007_0000;

const errorOf = (row: WinsockCode | undefined): WinsockError | undefined =>
  WINSOCK_ERRORS.find(({ winsock }) => winsock === row?.winsock);

/**
 * The row for a code as a person writes it, in upper or lower case. These are understood:
 * a Windows Sockets number ('10061') or name; an errno name or alias; an errno number of this
 * platform ('111' on Linux, or '-111' as in Node's `error.errno`); a number of libuv ('-3008', or
 * '-4078' from a log of Windows); hexadecimal and HRESULT ('0x274D', '0x8007274D', '-2147014835';
 * winerror.h). A Windows Sockets number wins over an errno.
 *
 * @param query the code
 * @param platform whose errno numbers count, as in `process.platform`; default: this one
 * @returns undefined when the code is unknown
 */
export function lookUpError(
  query: string,
  platform: string = process.platform,
): WinsockError | undefined {
  const spelling = query.trim().toUpperCase();
  if (/^0X[0-9A-F]{1,8}$/.test(spelling)) return rowOfWindowsNumber(Number(spelling));
  if (!/^-?\d{1,10}$/.test(spelling))
    return errorOf(winsockByCode(spelling)) ?? WINSOCK_ERRORS.find(({ name }) => name === spelling);
  return rowOfWindowsNumber(Number(spelling)) ?? rowOfErrno(Math.abs(Number(spelling)), platform);
}

/** What a number means as the errno of another system. */
export interface ForeignErrno {
  readonly system: 'Linux' | 'macOS';
  /** Name of the errno, e.g. 'ECONNREFUSED'. */
  readonly code: string;
  readonly error: WinsockError;
}

/** What a number that is no errno of this platform means on the others. */
export function lookUpElsewhere(query: string, platform: string): ForeignErrno[] {
  const spelling = query.trim();
  if (!/^-?\d{1,10}$/.test(spelling)) return [];
  const others = [
    ['linux', 'Linux'],
    ['darwin', 'macOS'],
  ] as const;
  return others.flatMap(([other, system]) => {
    if (other === platform) return [];
    const code = errnosOf(other).get(Math.abs(Number(spelling)));
    const error = code === undefined ? undefined : rowOfCode(code);
    return code === undefined || error === undefined ? [] : [{ system, code, error }];
  });
}

/** An HRESULT is written signed, unsigned or in hexadecimal: all three are the same 32 bits. */
function rowOfWindowsNumber(number: number): WinsockError | undefined {
  return errorOf(
    winsockByNumber(number) ??
      winsockByNumber(number - WIN32_HRESULT) ??
      winsockByNumber(number + 2 ** 32 - WIN32_HRESULT),
  );
}

function rowOfErrno(number: number, platform: string): WinsockError | undefined {
  const code = errnosOf(platform).get(number) ?? LIBUV_NUMBERS.get(number);
  return code === undefined ? undefined : rowOfCode(code);
}

/** The row of an errno. ENODATA has none: its number is that of streams, its row that of c-ares. */
function rowOfCode(code: string): WinsockError | undefined {
  return code === 'ENODATA' ? undefined : errorOf(winsockByCode(code));
}

/** The numbers that the sockets of a platform show, with their names. */
function errnosOf(platform: string): ReadonlyMap<number, string> {
  const codeByErrno = new Map<number, string>();
  const numbers = [
    ...WINSOCK_ERRORS.map(({ errno, linux, macos }) => [errno, linux, macos] as const),
    ...ALIAS_NUMBERS,
  ];
  for (const [code, linux, macos] of numbers) {
    const number = platform === 'linux' ? linux : platform === 'darwin' ? macos : null;
    if (code !== null && number !== null) codeByErrno.set(number, code);
  }
  // Windows: os.constants.errno are numbers of the C runtime, and libuv's are known anyway.
  if (platform !== process.platform || platform === 'win32') return codeByErrno;
  for (const [number, [code]] of getSystemErrorMap()) codeByErrno.set(Math.abs(number), code);
  for (const [code, number] of Object.entries(constants.errno)) codeByErrno.set(number, code);
  return codeByErrno;
}
