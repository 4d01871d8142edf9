import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/core/usage-error.js';
import { WINSOCK_ERRORS } from '../../../src/core/errors/winsock.js';
import * as errorTable from '../../../src/report/explain/error-table.js';
import { HARMFUL } from '../../support/reports.js';

const explainError = (query: string | null, platform = process.platform): string =>
  errorTable.explainError(query, platform);

describe('the explanation of one error', () => {
  it('contains its number, its names on each platform, its meaning and the next step', () => {
    expect(explainError('10061')).toBe(
      '10061 WSAECONNREFUSED  ECONNREFUSED (Linux 111, macOS 61)\n' +
        'The host answered that nothing listens on that port, or a firewall answered so for it.\n' +
        'Check that the service is running and listens on this address and port.\n',
    );
  });

  it('is the same for every name and number of the error', () => {
    for (const query of [
      'WSAECONNREFUSED',
      'ECONNREFUSED',
      'econnrefused',
      '0x274D',
      '-4078',
      ' 10061 ',
    ])
      expect(explainError(query), query).toBe(explainError('10061'));
  });

  it('lists the other codes with the same meaning', () => {
    expect(explainError('EMFILE').split('\n')[0]).toBe(
      '10024 WSAEMFILE  EMFILE (Linux 24, macOS 24); also ENFILE',
    );
  });

  it('lists the codes of resolvers, which have no errno', () => {
    expect(explainError('EAI_AGAIN').split('\n')[0]).toBe(
      '11002 WSATRY_AGAIN  EAI_AGAIN, ESERVFAIL, ETIMEOUT',
    );
  });

  it('omits platforms without the error', () => {
    expect(explainError('10067').split('\n')[0]).toBe('10067 WSAEPROCLIM  EPROCLIM (macOS 67)');
    expect(explainError('10091').split('\n')[0]).toBe('10091 WSASYSNOTREADY');
  });

  it('has three lines for each error of the table', () => {
    for (const row of WINSOCK_ERRORS) {
      const [title, ...lines] = explainError(String(row.winsock)).split('\n');
      expect(title).toMatch(new RegExp(`^${row.winsock} ${row.name}($|  [A-Z])`));
      expect(lines).toEqual([row.meaning, row.advice, '']);
    }
  });
});

describe('the explanation of a number that is an errno of other systems only', () => {
  const firstLine = (query: string, platform: NodeJS.Platform): string | undefined =>
    explainError(query, platform).split('\n')[0];

  it('names the other system, and explains the error', () => {
    expect(explainError('61', 'linux')).toBe(
      '61 is no errno of Linux sockets; on macOS it is ECONNREFUSED, WinSock 10061.\n' +
        explainError('ECONNREFUSED'),
    );
  });

  it.each([
    ['65', 'linux', 'Linux', 'on macOS it is EHOSTUNREACH, WinSock 10065'],
    ['-60', 'linux', 'Linux', 'on macOS it is ETIMEDOUT, WinSock 10060'],
    ['45', 'linux', 'Linux', 'on macOS it is ENOTSUP, WinSock 10045'],
    ['111', 'darwin', 'macOS', 'on Linux it is ECONNREFUSED, WinSock 10061'],
    ['113', 'darwin', 'macOS', 'on Linux it is EHOSTUNREACH, WinSock 10065'],
    ['110', 'win32', 'Windows', 'on Linux it is ETIMEDOUT, WinSock 10060'],
    ['113', 'win32', 'Windows', 'on Linux it is EHOSTUNREACH, WinSock 10065'],
    ['61', 'win32', 'Windows', 'on macOS it is ECONNREFUSED, WinSock 10061'],
    ['13', 'win32', 'Windows', 'on Linux and macOS it is EACCES, WinSock 10013'],
    ['110', 'aix', 'aix', 'on Linux it is ETIMEDOUT, WinSock 10060'],
  ] as const)('answers %s on %s', (query, platform, here, elsewhere) => {
    const number = query.replace('-', '');
    expect(firstLine(query, platform)).toBe(
      `${number} is no errno of ${here} sockets; ${elsewhere}.`,
    );
  });

  it('explains both errors if the number means one on Linux and another on macOS', () => {
    expect(explainError('64', 'win32')).toBe(
      '64 is no errno of Windows sockets; on Linux it is ENONET, WinSock 10065; ' +
        'on macOS it is EHOSTDOWN, WinSock 10064.\n' +
        explainError('ENONET') +
        explainError('EHOSTDOWN'),
    );
  });

  it('is not given for an errno of this system', () => {
    expect(explainError('64', 'linux')).toBe(explainError('ENONET'));
    expect(explainError('64', 'darwin')).toBe(explainError('EHOSTDOWN'));
    expect(explainError('-4078', 'win32')).toBe(explainError('ECONNREFUSED'));
    expect(explainError('10060', 'win32')).toBe(explainError('ETIMEDOUT'));
  });

  it.each(['linux', 'darwin', 'win32'] as const)(
    'is not given on %s for 2 (ENOENT), nor for a number that is no errno anywhere',
    (platform) => {
      for (const query of ['2', '0', '5000', '-999999', '61.0', '+61'])
        expect(() => explainError(query, platform), query).toThrow(UsageError);
    },
  );
});

describe('the explanation of UNKNOWN', () => {
  it.each(['UNKNOWN', 'unknown', '-4094', ' 4094 '])(
    'for %j names what it most often is',
    (query) => {
      expect(explainError(query)).toBe(
        'UNKNOWN (libuv -4094)\n' +
          'Windows gave an error that Node has no name for, often 10050 WSAENETDOWN or ' +
          "10064 WSAEHOSTDOWN.\nCheck this machine's network connection, then the address.\n",
      );
    },
  );

  it('is not given for -4095, which is the end of a file', () => {
    expect(() => explainError('-4095')).toThrow(UsageError);
  });
});

describe('the explanation of every error', () => {
  const lines = explainError(null).split('\n');

  it('has one sorted line for each row of the table, and ends with a newline', () => {
    expect(lines.at(-1)).toBe('');
    expect(lines.slice(0, -1).map((line) => Number(line.slice(0, 5)))).toEqual(
      WINSOCK_ERRORS.map((row) => row.winsock),
    );
  });

  it('has number, name, errno and meaning in columns', () => {
    for (const [index, row] of WINSOCK_ERRORS.entries()) {
      const line = lines[index] ?? '';
      expect(line.slice(7, 35).trimEnd()).toBe(row.name);
      expect(line.slice(35, 52).trimEnd()).toBe(row.errno ?? '');
      expect(line.slice(52)).toBe(row.meaning);
      expect(line).not.toMatch(HARMFUL);
    }
  });
});

describe('the explanation of an unknown error', () => {
  it.each(['99999', '10005', 'EWHATEVER', '', 'constructor', '10061 10060', 'ENOENT'])(
    'refuses %j and lists what is allowed',
    (query) => {
      expect(() => explainError(query)).toThrow(UsageError);
      expect(() => explainError(query)).toThrow(
        `--explain: "${query}" is not in the table; allowed: a code such as 10061, ` +
          'WSAECONNREFUSED, ECONNREFUSED, EAI_AGAIN, or no code for the whole table',
      );
    },
  );
});
