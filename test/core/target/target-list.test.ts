import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_BLOCK,
  parsePorts,
  parseTarget,
  parseTargetLine,
  parseTargets,
} from '../../../src/core/target/target-list.js';
import { formatHostPort } from '../../../src/core/target/target.js';
import { UsageError } from '../../../src/core/usage-error.js';
import { anyText } from '../../support/texts.js';

const listOf = (...words: string[]): string[] =>
  [...parseTargets(words).targets()].map(({ host, port }) => formatHostPort(host, port));

function refusalOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'not refused';
}

describe('parsePorts', () => {
  it('accepts a port, a list, a range, names and a mix of them', () => {
    expect(parsePorts('25')).toEqual([{ first: 25, last: 25 }]);
    expect(parsePorts('25,80-82,smtp')).toEqual([
      { first: 25, last: 25 },
      { first: 80, last: 82 },
      { first: 25, last: 25 },
    ]);
  });

  it.each([
    ['', /nothing given/],
    ['1,,2', /nothing given/],
    ['0', /0 is out of range/],
    ['1-65536', /65536 is out of range/],
    ['9-3', /the range 9-3 runs backwards; allowed: 3-9/],
    ['-5', /"-5" is neither/],
  ])('refuses "%s"', (text, message) => expect(refusalOf(() => parsePorts(text))).toMatch(message));
});

describe('parseTargets', () => {
  it('lists every port of the first host, then those of the next host', () => {
    expect(listOf('db', '80,443')).toEqual(['db:80', 'db:443']);
    expect(listOf('db', '80', '443')).toEqual(['db:80', 'db:443']);
    expect(listOf('db:80', '[::1]:1-2', 'https://example.com')).toEqual([
      'db:80',
      '[::1]:1',
      '[::1]:2',
      'example.com:443',
    ]);
    expect(listOf('10.0.0.0/31', '1-2')).toEqual([
      '10.0.0.0:1',
      '10.0.0.0:2',
      '10.0.0.1:1',
      '10.0.0.1:2',
    ]);
    expect(listOf('[2001:db8::fffe]/127:22')).toEqual([
      '[2001:db8::fffe]:22',
      '[2001:db8::ffff]:22',
    ]);
  });

  it('lists the whole block for any address in it', () => {
    fc.assert(
      fc.property(
        fc.ipV4(),
        fc.integer({ min: 20, max: 32 }),
        fc.integer({ min: 1, max: 4 }),
        (address, bits, ports) => {
          const { size, targets } = parseTargets([`${address}/${bits}`, `7-${6 + ports}`]);
          const all = [...targets()];
          expect([all.length, size]).toEqual([2 ** (32 - bits) * ports, 2 ** (32 - bits) * ports]);
          const hosts = [...new Set(all.map(({ host }) => host))];
          expect(hosts).toContain(address);
          const numbers = hosts.map((host) =>
            host.split('.').reduce((sum, part) => sum * 256 + Number(part), 0),
          );
          expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
          expect((numbers[0] ?? 0) % 2 ** (32 - bits)).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('shortens the first of equally long runs of zeros in IPv6 (RFC 5952, 4.2.3)', () => {
    expect(listOf('[0:0:1:1:0:0:1:0]/128:1')).toEqual(['[::1:1:0:0:1:0]:1']);
    expect(listOf('[1:0:0:1:0:0:1:0]/128:1')).toEqual(['[1::1:0:0:1:0]:1']);
  });

  it('knows the ports and whether every host is an address without listing the targets', () => {
    const facts = (...words: string[]) => {
      const { literal, ports } = parseTargets(words);
      return [literal, [...ports()].slice(0, 4)];
    };
    expect(facts('10.0.0.0/16', '1-65535')).toEqual([true, [1, 2, 3, 4]]);
    expect(facts('::1', '25,80')).toEqual([true, [25, 80]]);
    expect(facts('10.0.0.1:22', 'db:5432')).toEqual([false, [22, 5432]]);
    expect(facts('https://192.0.2.1', 'http://[::1]:81/')).toEqual([true, [443, 81]]);
    expect(facts('https://db')).toEqual([false, [443]]);
  });

  it('refuses a block of link-local addresses', () => {
    expect(refusalOf(() => listOf('fe80::/126', '22'))).toMatch(
      /^host: fe80::\/126 is a block of link-local addresses/,
    );
  });

  it('writes the addresses of an IPv6 block as in RFC 5952', () => {
    // A block of link-local addresses is refused, see above.
    const ipv6 = fc.ipV6().filter((address) => !/^fe[89ab]/i.test(address));
    fc.assert(
      fc.property(ipv6, fc.integer({ min: 122, max: 128 }), (address, bits) => {
        const hosts = [...parseTargets([`[${address}]/${bits}:1`]).targets()].map(
          ({ host }) => host,
        );
        expect(hosts).toHaveLength(2 ** (128 - bits));
        expect(hosts.filter((host) => isIP(host) !== 6)).toEqual([]);
        // The URL standard writes IPv6 addresses in this form, too.
        expect(hosts).toEqual(
          hosts.map((host) => new URL(`http://[${host}]/`).hostname.slice(1, -1)),
        );
        expect(hosts).toContain(new URL(`http://[${address}]/`).hostname.slice(1, -1));
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    [[], /^host: nothing given/],
    [
      ['10.0.0.0/8', '1'],
      new RegExp(
        `^host: 10\\.0\\.0\\.0/8 is 16777216 addresses; allowed: at most ${MAX_BLOCK} \\(/16\\)`,
      ),
    ],
    [['10.0.0.0/33', '1'], /has a length of 33; allowed: 16 to 32$/],
    [['[::]/129', '1'], /has a length of 129; allowed: 112 to 128$/],
    [['name/24', '1'], /is not a block of addresses/],
    [['db'], /^port: none given for db; write: db 443, or db:443/],
    [
      ['::1:80'],
      /^port: none given for ::1:80; write: \[::1\]:80 if 80 is the port, or \[::1:80\]:443$/,
    ],
    [['::1'], /^port: none given for ::1; write: ::1 443, or \[::1\]:443$/],
    [['::1:db'], /; write: ::1:db 443, or \[::1:db\]:443$/],
    [['db:1', 'cache'], /^arguments: "cache" has no port; allowed: host:port or a URL for each$/],
    [
      ['db:1', 'https://db', '80,81'],
      /^arguments: https:\/\/db already has its port; leave out 80,81, or write host:80,81$/,
    ],
  ])('refuses %j', (words, message) =>
    expect(refusalOf(() => parseTargets(words))).toMatch(message),
  );

  it('parseTarget accepts exactly one target', () => {
    expect(parseTarget(['db', '25'])).toEqual({ host: 'db', port: 25 });
    expect(refusalOf(() => parseTarget(['db', '25,26']))).toBe(
      'arguments: "db 25,26" is 2 targets; allowed: one',
    );
  });
});

describe('parseTargetLine', () => {
  const read = (line: string) => {
    const block = parseTargetLine(line, 'list.txt:3');
    return (
      block && [
        block.expect,
        ...[...block.targets()].map(({ host, port }) => formatHostPort(host, port)),
      ]
    );
  };

  it.each([
    ['db 5432', [undefined, 'db:5432']],
    ['db 5432,6379 closed', ['closed', 'db:5432', 'db:6379']],
    ['db:5432\tfiltered # the replica', ['filtered', 'db:5432']],
    ['https://example.com/#top open\r', ['open', 'example.com:443']],
    ['[::1]:22 not-open', ['not-open', '[::1]:22']],
    ['', null],
    ['   ', null],
    ['# nothing', null],
  ])('reads %j', (line, expected) => expect(read(line)).toEqual(expected));

  it.each([
    ['db', /^list\.txt:3: port: none given for db/],
    [
      'db 1 shut',
      /^list\.txt:3: state: "shut" is not a state; allowed: open, closed, filtered, not-open$/,
    ],
    ['db:1 2 open', /^list\.txt:3: arguments: "2" is too much; allowed: a host and its ports, /],
    ['db 1 open shut', /^list\.txt:3: arguments: "open shut" is too much; .* not-open$/],
    [
      'd\0b\0 \x001\0',
      /^list\.txt:3: the line has a NUL in it, as text in UTF-16 has; allowed: UTF-8$/,
    ],
    ['db 99999', /^list\.txt:3: port: 99999 is out of range/],
  ])('refuses %j and names the file and line', (line, message) =>
    expect(refusalOf(() => read(line))).toMatch(message),
  );

  it('reads any line, or refuses it and names the file and line', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.stringMatching(/^[\w.:/[\]# ,-]{0,30}$/)), (line) => {
        const refusal = refusalOf(() => parseTargetLine(line, 'list.txt:3'));
        expect(refusal === 'not refused' || refusal.startsWith('list.txt:3: ')).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
