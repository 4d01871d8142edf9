import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/core/usage-error.js';
import { WINSOCK_ERRORS } from '../../src/core/errors/winsock.js';
import { explainError } from '../../src/report/error-table.js';
import { HARMFUL } from '../support/reports.js';

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
