import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookUpError, WINSOCK_ERRORS } from '../../../src/core/errors/winsock.js';
import {
  WINSOCK_CODES,
  winsockByCode,
  winsockByNumber,
} from '../../../src/core/errors/winsock-codes.js';
import { ALIAS_NUMBERS, LIBUV_NUMBERS } from '../../../src/core/errors/winsock-table.js';
import { DARWIN, GLIBC, LIBUV, MINGW } from './errno-numbers.js';
import { itWith } from '../../support/tools.js';

const onLinux =
  process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');
const onMacos = process.platform === 'darwin';

/** What Node knows of the sockets of this platform, by name: positive errno numbers. */
const NUMBER_HERE = new Map<string, number>([
  ...[...getSystemErrorMap()].map(([number, [code]]) => [code, Math.abs(number)] as const),
  ...(process.platform === 'win32' ? [] : Object.entries(constants.errno)),
]);

const PLATFORMS = ['linux', 'darwin', 'win32'] as const;

function columnOf(platform: 'linux' | 'macos'): [number, string][] {
  return WINSOCK_ERRORS.flatMap((row) => {
    const number = row[platform];
    return row.errno === null || number === null ? [] : [[number, row.errno] as [number, string]];
  });
}

function numbersFrom(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** The WinSock number that a query leads to; undefined when it is unknown. */
function numberFor(query: string, platform?: NodeJS.Platform): number | undefined {
  return lookUpError(query, platform)?.winsock;
}

describe('the table of Windows Sockets errors', () => {
  it('has every code of KB Q150537, sorted by number', () => {
    expect(WINSOCK_ERRORS.map((row) => row.winsock)).toEqual([
      10004,
      10009,
      10013,
      10014,
      10022,
      10024,
      ...numbersFrom(10035, 10071),
      10091,
      10092,
      10093,
      ...numbersFrom(10101, 10112),
      ...numbersFrom(11001, 11004),
    ]);
  });

  it('has each name, errno and alias in one row only', () => {
    const spellings = WINSOCK_ERRORS.flatMap((row) => [
      row.name,
      ...(row.errno === null ? [] : [row.errno]),
      ...row.aliases,
    ]);
    expect(spellings.filter((spelling, index) => spellings.indexOf(spelling) !== index)).toEqual(
      [],
    );
  });

  it('has every name, errno and alias in capitals, as Node and Windows write them', () => {
    for (const row of WINSOCK_ERRORS) {
      expect(row.name).toMatch(/^WSA[A-Z_]+$/);
      for (const code of [row.errno ?? 'ENONE', ...row.aliases]) expect(code).toMatch(/^E[A-Z_]+$/);
    }
  });

  it('has each errno number of a platform in one row only', () => {
    for (const platform of ['linux', 'macos'] as const) {
      const numbers = columnOf(platform).map(([number]) => number);
      expect(new Set(numbers).size, platform).toBe(numbers.length);
    }
  });

  it('has for macOS the Windows numbers minus 10000, except those that macOS changed', () => {
    const moved = WINSOCK_ERRORS.filter(
      (row) => row.macos !== null && row.macos !== row.winsock - 10000,
    );
    expect(moved.map((row) => [row.errno, row.macos])).toEqual([
      ['EOPNOTSUPP', 102],
      ['ECANCELED', 89],
    ]);
  });

  it('has a Linux number for every errno except EPROCLIM, which only BSD has', () => {
    const without = WINSOCK_ERRORS.filter((row) => row.errno !== null && row.linux === null);
    expect(without.map((row) => row.errno)).toEqual(['EPROCLIM']);
  });

  it('has the numbers of asm-generic/errno.h for Linux codes that Node does not know', () => {
    const unknownToNode = {
      ETOOMANYREFS: 109,
      EPFNOSUPPORT: 96,
      EUSERS: 87,
      EREMOTE: 66,
      ESHUTDOWN: 108,
      EHOSTDOWN: 112,
    };
    for (const [code, number] of Object.entries(unknownToNode))
      expect(winsockByCode(code)?.linux, code).toBe(number);
  });

  it.runIf(onLinux || onMacos)('has the errno numbers of this platform', () => {
    const rows = WINSOCK_ERRORS.filter((row) => row.errno !== null && NUMBER_HERE.has(row.errno));
    expect(rows.length).toBeGreaterThan(35);
    for (const row of rows)
      expect(onLinux ? row.linux : row.macos, row.name).toBe(NUMBER_HERE.get(row.errno ?? ''));
  });

  it('explains each code in one short sentence and gives advice in another', () => {
    for (const row of WINSOCK_ERRORS) {
      for (const sentence of [row.meaning, row.advice]) {
        expect(sentence, row.name).toMatch(/^[A-Z][^\n]+[^.]\.$/);
        expect(sentence.length, `${row.name}: ${sentence}`).toBeLessThanOrEqual(110);
        expect(sentence, row.name).not.toMatch(/\. [A-Z]/);
      }
    }
  });

  it('does not contain ENOENT, which concerns a host only if getaddrinfo reports it', () => {
    expect(winsockByCode('ENOENT')).toBeUndefined();
    expect(lookUpError('2', 'linux')).toBeUndefined();
  });
});

describe('each row of the table', () => {
  it.each(WINSOCK_ERRORS.map((row) => [row.name, row] as const))(
    'has the numbers of the headers of each system: %s',
    (name, { winsock, errno, linux, macos }) => {
      expect(MINGW.get(name)).toBe(winsock);
      expect(GLIBC.get(errno ?? '') ?? null).toBe(linux);
      expect(DARWIN.get(errno ?? '') ?? null).toBe(macos);
    },
  );

  it('has those of its aliases, where they differ', () => {
    const expected = WINSOCK_ERRORS.flatMap(({ aliases, linux, macos }) =>
      aliases.flatMap((code) => {
        const [onLinux, onMacos] = [GLIBC.get(code) ?? null, DARWIN.get(code) ?? null];
        const differing = [onLinux === linux ? null : onLinux, onMacos === macos ? null : onMacos];
        return differing.every((number) => number === null) ? [] : [[code, ...differing]];
      }),
    );
    expect([...ALIAS_NUMBERS].sort()).toEqual(expected.sort());
  });

  it("has all of libuv's numbers whose code has a row", () => {
    const known = [...LIBUV].filter(([code]) => code !== 'ENODATA' && winsockByCode(code));
    expect(known.length).toBeGreaterThan(50);
    expect(new Map(LIBUV_NUMBERS)).toEqual(new Map(known.map(([code, n]) => [-n, code])));
  });
});

describe('winsockByNumber', () => {
  it('finds every row by its number', () => {
    for (const row of WINSOCK_ERRORS) expect(row).toMatchObject(winsockByNumber(row.winsock)!);
  });

  it('returns undefined for any other number', () => {
    for (const number of [
      0,
      -10061,
      111,
      10000,
      10005,
      10072,
      10113,
      11005,
      10061.5,
      Number.NaN,
      Infinity,
    ]) {
      expect(winsockByNumber(number), String(number)).toBeUndefined();
    }
  });
});

describe('winsockByCode', () => {
  it.each([
    ['ECONNREFUSED', 10061],
    ['ETIMEDOUT', 10060],
    ['EHOSTUNREACH', 10065],
    ['ENETUNREACH', 10051],
    ['ECONNRESET', 10054],
    ['EACCES', 10013],
    ['EPERM', 10013],
    ['EMFILE', 10024],
    ['ENFILE', 10024],
    ['EAGAIN', 10035],
    ['EWOULDBLOCK', 10035],
    ['EADDRNOTAVAIL', 10049],
    ['EADDRINUSE', 10048],
    ['EINVAL', 10022],
    ['ENOPROTOOPT', 10042],
    ['ENOBUFS', 10055],
    ['ENOMEM', 10055],
    ['EPIPE', 10058],
    ['ENOTSUP', 10045],
    ['EOPNOTSUPP', 10045],
    ['EPFNOSUPPORT', 10046],
    ['EAFNOSUPPORT', 10047],
    ['EPROTONOSUPPORT', 10043],
    ['EHOSTDOWN', 10064],
    ['ENETDOWN', 10050],
    ['ECANCELED', 10103],
  ])('finds the system error %s as %i', (code, winsock) => {
    expect(winsockByCode(code)?.winsock).toBe(winsock);
  });

  it.each([
    ['ENOTFOUND', 11001],
    ['EAI_NONAME', 11001],
    ['EAI_AGAIN', 11002],
    ['ESERVFAIL', 11002],
    ['ETIMEOUT', 11002],
    ['EAI_FAIL', 11003],
    ['EREFUSED', 11003],
    ['EFORMERR', 11003],
    ['ENOTIMP', 11003],
    ['EBADRESP', 11003],
    ['ENORECURSION', 11003],
    ['EBADQUERY', 11003],
    ['ENODATA', 11004],
    ['EAI_NODATA', 11004],
    ['EAI_ADDRFAMILY', 11004],
    ['EAI_MEMORY', 10055],
    ['EAI_FAMILY', 10047],
    ['EAI_SERVICE', 10109],
    ['EAI_SOCKTYPE', 10044],
    ['EAI_BADFLAGS', 10022],
    ['ECANCELLED', 10103],
  ])('finds the resolver error %s as %i', (code, winsock) => {
    expect(winsockByCode(code)?.winsock).toBe(winsock);
  });

  it('finds a row for every EAI code that Node can report', () => {
    const codes = [...getSystemErrorMap().values()]
      .map(([code]) => code)
      .filter((code) => code.startsWith('EAI_'));
    expect(codes.length).toBeGreaterThan(10);
    for (const code of codes) expect(winsockByCode(code), code).toBeDefined();
  });

  it('is case-sensitive and accepts neither WSA names nor numbers', () => {
    for (const code of [
      'econnrefused',
      'WSAECONNREFUSED',
      '10061',
      '',
      'EWHATEVER',
      'constructor',
      '__proto__',
      'toString',
    ]) {
      expect(winsockByCode(code), code).toBeUndefined();
    }
  });
});

describe('lookUpError', () => {
  it.each([
    '10061',
    ' 10061 ',
    'WSAECONNREFUSED',
    'wsaeconnrefused',
    'ECONNREFUSED',
    'econnrefused',
    'EConnRefused',
    '0x274D',
    '0X274d',
    '0x8007274D',
    '0x8007274d',
    '2147952461',
    '-2147014835',
    '-4078',
  ])('finds "refused" under %j on every platform', (query) => {
    for (const platform of [undefined, ...PLATFORMS])
      expect(numberFor(query, platform)).toBe(10061);
  });

  it.each([
    ['111', 10061, undefined],
    ['-111', 10061, undefined],
    ['110', 10060, undefined],
    ['113', 10065, undefined],
    ['101', 10051, undefined],
    ['11', 10035, undefined],
    ['1', 10013, 10013],
    ['13', 10013, 10013],
    ['23', 10024, 10024],
    ['-24', 10024, 10024],
    ['109', 10059, undefined],
    ['96', 10046, undefined],
    ['65', undefined, 10065],
    ['64', 10065, 10064],
    ['60', undefined, 10060],
    ['-60', undefined, 10060],
    ['35', undefined, 10035],
    ['45', undefined, 10045],
    ['102', 10052, 10045],
    ['89', 10039, 10103],
    ['67', undefined, 10067],
    ['36', 10063, 10036],
  ])('reads the errno %s as %s on Linux and as %s on macOS', (query, onLinuxIs, onMacosIs) => {
    expect(numberFor(query, 'linux')).toBe(onLinuxIs);
    expect(numberFor(query, 'darwin')).toBe(onMacosIs);
  });

  it('reads 61 as "refused" on macOS, and no errno of ENODATA as a resolver error', () => {
    expect(numberFor('61', 'darwin')).toBe(10061);
    expect(numberFor('61', 'linux')).toBeUndefined();
    expect(numberFor('96', 'darwin')).toBeUndefined();
    expect(numberFor('ENODATA', 'linux')).toBe(11004);
  });

  it.runIf(onLinux)('reads errno numbers as Linux numbers by default on Linux', () => {
    expect(
      ['111', '-111', '110', '113', '1', '23', '109', '96', '112', '61', '2'].map((query) =>
        numberFor(query),
      ),
    ).toEqual([
      10061,
      10061,
      10060,
      10065,
      10013,
      10024,
      10059,
      10046,
      10064,
      undefined,
      undefined,
    ]);
  });

  itWith('macos', 'reads errno numbers as macOS numbers by default on macOS', () => {
    expect(
      ['61', '-61', '60', '65', '1', '23', '59', '46', '64', '2'].map((query) => numberFor(query)),
    ).toEqual([10061, 10061, 10060, 10065, 10013, 10024, 10059, 10046, 10064, undefined]);
  });

  it('finds a row by the number of every code on this platform that has one', () => {
    for (const [code, number] of NUMBER_HERE) {
      if (code === 'ENODATA') continue;
      const row = winsockByCode(code);
      if (row === undefined) continue;
      expect(lookUpError(String(number)), code).toMatchObject(row);
      expect(lookUpError(String(-number)), code).toMatchObject(row);
    }
  });

  it.each(['110', '113', '61', '65', '13', '1', '138', '-110'])(
    'reads %s as no errno of Windows, whose C runtime has such numbers but no socket shows them',
    (query) => {
      expect(numberFor(query, 'win32')).toBeUndefined();
    },
  );

  it.each([
    ['-3000', 11004],
    ['-3001', 11002],
    ['-3002', 10022],
    ['-3003', 10103],
    ['-3004', 11003],
    ['-3005', 10047],
    ['-3006', 10055],
    ['-3007', 11004],
    ['-3008', 11001],
    ['-3009', 10014],
    ['-3010', 10109],
    ['-3011', 10044],
    ['-3013', 10022],
    ['-3014', 10043],
    ['3008', 11001],
    ['-4039', 10060],
    ['-4048', 10013],
    ['-4060', 10055],
    ['-4062', 10051],
    ['-4066', 10024],
    ['-4073', 10065],
    ['-4077', 10054],
    ['-4079', 10053],
    ['-4088', 10035],
    ['-4090', 10049],
    ['-4091', 10048],
    ['-4092', 10013],
  ])("reads libuv's number %s as %i on every platform", (query, winsock) => {
    for (const platform of [undefined, ...PLATFORMS])
      expect(numberFor(query, platform)).toBe(winsock);
  });

  itWith('windows', "reads libuv's errno numbers on Windows", () => {
    for (const [number, [code]] of getSystemErrorMap()) {
      if (code !== 'ENODATA')
        expect(lookUpError(String(number), 'win32')?.winsock, code).toBe(
          winsockByCode(code)?.winsock,
        );
    }
  });

  it.each([
    '99999',
    '10005',
    '-10061',
    'EWHATEVER',
    'WSAEWHATEVER',
    '',
    ' ',
    '-',
    '0',
    '-0',
    '0x',
    '0x0',
    '0xZZ',
    '-0x274D',
    '0x6F',
    '0x18007274D',
    '10061.0',
    '1e4',
    '10 061',
    '+10061',
    '-4058',
    '-4095',
    '99999999999999999999',
    'WSA',
    'null',
    'undefined',
    'NaN',
    'Infinity',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'CONSTRUCTOR',
    'ENOENT',
  ])('returns undefined for %j', (query) => {
    for (const platform of [undefined, ...PLATFORMS])
      expect(lookUpError(query, platform)).toBeUndefined();
  });

  it('never throws and returns only rows of the table for any text', () => {
    const anything = fc.oneof(
      fc.string({
        unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      }),
      fc.string(),
      fc.integer().map(String),
      fc.integer({ min: 0, max: 0xffffffff }).map((number) => `0x${number.toString(16)}`),
      fc.constantFrom(...Object.getOwnPropertyNames(Object.prototype)),
    );
    fc.assert(
      fc.property(anything, (query) => {
        const row = lookUpError(query);
        expect(row === undefined || WINSOCK_ERRORS.includes(row)).toBe(true);
        const byCode = winsockByCode(query);
        expect(byCode === undefined || WINSOCK_CODES.includes(byCode)).toBe(true);
      }),
    );
  });

  it('finds every row by each of its names in upper or lower case', () => {
    const spelled = WINSOCK_ERRORS.flatMap((row) => {
      const hex = row.winsock.toString(16);
      const hresult = 0x80070000 + row.winsock;
      const numbers = [row.winsock, hresult, hresult - 2 ** 32].map(String);
      const names = [
        row.name,
        ...(row.errno === null ? [] : [row.errno]),
        ...row.aliases,
        `0x${hex}`,
        `0x8007${hex}`,
      ];
      const universal = [...numbers, ...names].map((spelling) => ({
        row,
        spelling,
        platform: undefined,
      }));
      const here = (
        [
          [row.linux, 'linux'],
          [row.macos, 'darwin'],
        ] as const
      ).flatMap(([number, platform]) =>
        number === null
          ? []
          : [number, -number].map((signed) => ({ row, spelling: String(signed), platform })),
      );
      return [...universal, ...here];
    });
    const inAnyCase = fc.constantFrom(...spelled).chain((entry) =>
      fc.infiniteStream(fc.boolean()).map((coins) => ({
        ...entry,
        query: [...entry.spelling]
          .map((letter) => (coins.next().value ? letter.toLowerCase() : letter.toUpperCase()))
          .join(''),
      })),
    );
    fc.assert(
      fc.property(inAnyCase, ({ row, query, platform }) => {
        expect(lookUpError(query, platform)).toBe(row);
      }),
      { numRuns: 1000 },
    );
    for (const { row, spelling, platform } of spelled)
      expect(lookUpError(spelling, platform), spelling).toBe(row);
  });
});
