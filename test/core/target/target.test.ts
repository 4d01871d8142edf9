import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asciiHost,
  familyOf,
  formatEndpoint,
  formatHostPort,
  parseHost,
} from '../../../src/core/target/target.js';
import { parseTarget, parseTargets } from '../../../src/core/target/target-list.js';
import { UsageError } from '../../../src/core/usage-error.js';

/** The message of the refusal; fails when there is none, or when it is not a UsageError. */
function refusalOf(parse: () => unknown): string {
  let value: unknown;
  try {
    value = parse();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  throw new Error(`not refused: ${JSON.stringify(value)}`);
}

const anInterface = Object.keys(networkInterfaces())[0] ?? 'lo';

describe('parseHost', () => {
  it.each([
    'localhost',
    'a',
    'mail.example.com',
    'MAIL.Example.COM',
    'mail.example.com.',
    'a-b.c--d',
    'xn--mnchen-3ya.de',
    'xn--a.b',
    'xn--zzzzzzzz.example.com',
    '_smtp._tcp.example.com',
    'snake_case',
    '3com.com',
    '1a',
    '127.0.0.1.nip.io',
    '0xg',
    'a.0xyz',
    '192.0.2.10',
    '0.0.0.0',
    '255.255.255.255',
  ])('returns %s unchanged', (host) => {
    expect(parseHost(host)).toBe(host);
  });

  it.each([
    '::1',
    '::',
    '2001:db8::1',
    '2001:DB8:0:0:0:0:0:1',
    '::ffff:192.0.2.10',
    '64:ff9b::192.0.2.33',
    'ff02::1',
  ])('accepts the IPv6 address %s, bare or in brackets', (address) => {
    expect(parseHost(address)).toBe(address);
    expect(parseHost(`[${address}]`)).toBe(address);
  });

  it.each(['münchen.de', 'пример.рф', '例え.jp', 'faß.de', 'bücher.example.', '例え。jp'])(
    'returns the internationalised name %s unchanged',
    (host) => {
      expect(parseHost(host)).toBe(host);
    },
  );

  it.each([
    ['127.1', '127.0.0.1'],
    ['127.0.1', '127.0.0.1'],
    ['1.2.3', '1.2.0.3'],
    ['010.0.0.1', '8.0.0.1'],
    ['0177.0.0.1', '127.0.0.1'],
    ['127.000.000.001', '127.0.0.1'],
    ['0x7f000001', '127.0.0.1'],
    ['0x7f.1', '127.0.0.1'],
    ['0x7F.0.0.0x1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['017700000001', '127.0.0.1'],
    ['1', '0.0.0.1'],
    ['0', '0.0.0.0'],
    ['0x', '0.0.0.0'],
    ['127.0.0.1.', '127.0.0.1'],
    ['１２７.0.0.1', '127.0.0.1'],
    ['127。0。0。1', '127.0.0.1'],
    ['①', '0.0.0.1'],
  ])('refuses %s and says that some programs read it as %s', (host, meaning) => {
    expect(refusalOf(() => parseHost(host))).toBe(
      `host: "${host}" is not an IPv4 address in four decimal parts; ` +
        `some programs read it as ${meaning}: write that if you mean it`,
    );
  });

  it.each([
    '256.1.1.1',
    '1.2.3.4.5',
    '1.2.3.256',
    '4294967296',
    '0x100000000',
    '08',
    'mail.example.25',
    'example.0x1f',
    'a.0x',
    '1.2.3.08',
    'example.123.',
  ])('refuses %s, which ends with a number but is not an address', (host) => {
    expect(refusalOf(() => parseHost(host))).toBe(
      `host: "${host}" is not an IPv4 address; allowed: four numbers from 0 to 255`,
    );
  });

  it.each([
    ':',
    ':::',
    '1::2::3',
    '2001:db8',
    '2001:db8::g',
    '::1 ',
    '::1\n',
    'host:80',
    'https://example.com',
    '1:2:3:4:5:6:7:8:9',
    '::256.1.1.1',
    '::1%',
    'fe80::1%\x1b[31m',
    '[::1',
    '::1]',
  ])('refuses %j, which is not an IPv6 address', (host) => {
    expect(refusalOf(() => parseHost(host))).toBe(
      `host: "${host}" is not an IPv6 address; ` +
        'allowed: a host name, an IPv4 address in four parts, or an IPv6 address',
    );
  });

  it.each(['[localhost]', '[127.0.0.1]', '[[::1]]', '[a\nb]', '[2001:db8]'])(
    'refuses %j, because brackets are for IPv6 only',
    (host) => {
      expect(refusalOf(() => parseHost(host))).toBe(
        `host: "${host}" is not an IPv6 address; brackets are for IPv6 only`,
      );
    },
  );

  it.each(['', '[]'])('refuses %j, which is empty', (host) => {
    expect(refusalOf(() => parseHost(host))).toMatch(
      /^host: nothing given; allowed: a host name, /,
    );
  });

  it.each(['.', '..', '.a', 'a..b', 'a...', 'münchen..de', '\u00ad.com'])(
    'refuses %j for its empty part',
    (host) => {
      expect(refusalOf(() => parseHost(host))).toMatch(/^host: ".*" has an empty part; allowed: /);
    },
  );

  it.each([
    '-a',
    'a-',
    'a.-b.c',
    'a b',
    ' a',
    'a ',
    'a\tb',
    'a\n',
    'a\0b',
    'a/b',
    'a\\b',
    'a?b',
    'a#b',
    'a@b',
    'a%41',
    '*',
    '*.example.com',
    'a,b',
    "a'b",
    '$(id)',
    '127.0.0.1%lo',
    '127.0.0.1/8',
    'mün chen.de',
    'mün/chen.de',
    'a／b',
    'a＠b',
    '℀.com',
    '\u00ad',
    '\x1b[31mred\x1b[0m',
    '\u202eevil.com',
    '\ud800',
    'xn--',
    '[',
    ']',
    '[]x',
  ])('refuses %j, which is not a host name', (host) => {
    expect(refusalOf(() => parseHost(host))).toBe(
      `host: "${host}" is not a host name; allowed: letters, digits, hyphens and dots`,
    );
  });

  it('accepts a label of 63 characters and refuses one of 64', () => {
    expect(parseHost(`${'a'.repeat(63)}.com`)).toHaveLength(67);
    expect(refusalOf(() => parseHost(`${'a'.repeat(64)}.com`))).toBe(
      'host: a part of the name has 64 characters; allowed: at most 63 between dots',
    );
  });

  it('accepts 253 characters, not counting a final dot, and refuses 254', () => {
    const name = (length: number) => 'abcdefg.'.repeat(40).slice(0, length - 1) + 'z';
    expect(parseHost(name(253))).toHaveLength(253);
    expect(parseHost(`${name(253)}.`)).toHaveLength(254);
    expect(refusalOf(() => parseHost(name(254)))).toBe(
      'host: the name has 254 characters; allowed: at most 253',
    );
    expect(refusalOf(() => parseHost(name(300)))).toBe(
      'host: the name has 300 characters; allowed: at most 253',
    );
  });

  it('measures an internationalised name by its ASCII form, which DNS uses', () => {
    expect(refusalOf(() => parseHost(`${'ü'.repeat(60)}.de`))).toMatch(
      /^host: a part of the name has \d+ characters; allowed: at most 63 between dots$/,
    );
    expect(refusalOf(() => parseHost(`${'ü.'.repeat(40)}de`))).toBe(
      'host: the name has 322 characters; allowed: at most 253',
    );
  });

  it('accepts a link-local address with an interface of this machine', () => {
    expect(parseHost(`fe80::1%${anInterface}`)).toBe(`fe80::1%${anInterface}`);
    expect(parseHost(`[fe80::1%${anInterface}]`)).toBe(`fe80::1%${anInterface}`);
  });

  it.each(['fe80::1', 'FE80::1', 'fe9f::1', 'feaf::', 'febf:1:2:3:4:5:6:7', '[fe80::1]'])(
    'refuses the link-local address %s without an interface, and shows how to name one',
    (host) => {
      const bare = host.replace(/^\[|\]$/g, '');
      expect(refusalOf(() => parseHost(host))).toBe(
        `host: ${bare} is a link-local address and says nothing without its interface; ` +
          `write ${bare}%eth0, for example`,
      );
    },
  );

  it('refuses an unknown interface and lists those of this machine', () => {
    expect(refusalOf(() => parseHost('fe80::1%nope0'))).toBe(
      'host: fe80::1%nope0 names the interface "nope0", which this machine does not have; ' +
        `allowed: ${Object.keys(networkInterfaces()).join(', ')}`,
    );
  });

  it('accepts an address that looks link-local only because a leading zero is omitted', () => {
    expect(parseHost('fe8::1')).toBe('fe8::1');
  });
});

describe('parseTarget', () => {
  it.each<[string[], string, number]>([
    [['mail.example.com', '25'], 'mail.example.com', 25],
    [['mail.example.com', 'smtp'], 'mail.example.com', 25],
    [['192.0.2.10', '443'], '192.0.2.10', 443],
    [['::1', '80'], '::1', 80],
    [['[::1]', '80'], '::1', 80],
    [['db:5432'], 'db', 5432],
    [['db:postgres'], 'db', 5432],
    [['192.0.2.10:25'], '192.0.2.10', 25],
    [['[::1]:6379'], '::1', 6379],
    [['münchen.de:443'], 'münchen.de', 443],
    [['example.com.:80'], 'example.com.', 80],
    [[`[fe80::1%${anInterface}]:22`], `fe80::1%${anInterface}`, 22],
  ])('reads %j as %s and %i', (words, host, port) => {
    expect(parseTarget(words)).toEqual({ host, port });
  });

  it.each([
    ['https://example.com', 'example.com', 443],
    ['http://example.com', 'example.com', 80],
    ['HTTPS://Example.COM/', 'Example.COM', 443],
    ['https://example.com:8443/path?query#fragment', 'example.com', 8443],
    ['https://example.com?query:1', 'example.com', 443],
    ['https://example.com#a:1', 'example.com', 443],
    ['https://example.com:/', 'example.com', 443],
    ['https://user:pass@example.com/', 'example.com', 443],
    ['https://user@host.invalid@example.com:1/', 'example.com', 1],
    ['https://example.com/@evil.invalid:81/', 'example.com', 443],
    ['http://[2001:db8::1]', '2001:db8::1', 80],
    ['http://[::1]:8080/x', '::1', 8080],
    ['postgres://user:p%40ss@db:5433/name', 'db', 5433],
    ['redis://cache', 'cache', 6379],
    ['wss://münchen.de/chat', 'münchen.de', 443],
    ['anything://db:99', 'db', 99],
    ['git+ssh://db:22', 'db', 22],
  ])('reads the URL %s as %s and %i', (url, host, port) => {
    expect(parseTarget([url])).toEqual({ host, port });
  });

  it.each<[string[], RegExp]>([
    [[], /^host: nothing given; write: <host> <port>, for example mail\.example\.com 25$/],
    [['a', '1', '2'], /^arguments: "a 1 2" is 2 targets; allowed: one$/],
    [['a', '1-3'], /^arguments: "a 1-3" is 3 targets; allowed: one$/],
    [['192.0.2.0/30', '80'], /^arguments: "192\.0\.2\.0\/30 80" is 4 targets; allowed: one$/],
    [['', '80'], /^host: nothing given; /],
    [['example.com', ''], /^port: nothing given; /],
    [['example.com', '0'], /^port: 0 is out of range; /],
    [
      ['example.com'],
      /^port: none given for example\.com; write: example\.com 443, or example\.com:443$/,
    ],
    [['192.0.2.1'], /^port: none given for 192\.0\.2\.1; /],
    [['[::1]'], /^port: none given for \[::1\]; /],
    [
      ['2001:db8::1'],
      /^port: none given for 2001:db8::1; write: 2001:db8::1 443, or \[2001:db8::1\]:443$/,
    ],
    [['example.com:'], /^port: nothing given; /],
    [[':80'], /^host: nothing given; /],
    [['example.com:80:90'], /^host: "example\.com:80:90" is not an IPv6 address; /],
    [['[::1]80'], /^host: "\[::1\]80" is not an IPv6 address; /],
    [['[localhost]:80'], /brackets are for IPv6 only$/],
    [
      ['127.1:80'],
      new RegExp(
        String.raw`^host: "127\.1" is not an IPv4 address in four decimal parts; some ` +
          String.raw`programs read it as 127\.0\.0\.1: `,
      ),
    ],
    [['http://127.1/'], /some programs read it as 127\.0\.0\.1: /],
    [['http://0x7f000001:80'], /some programs read it as 127\.0\.0\.1: /],
    [['http://'], /^host: nothing given; /],
    [['http:///path'], /^host: nothing given; /],
    [['http://example.com:0'], /^port: 0 is out of range; /],
    [['http://example.com:65536/'], /^port: 65536 is out of range; /],
    [['http://example.com:80:90/'], /^port: "80:90" is neither a port nor a known service; /],
    [['http://a b/'], /^host: "a b" is not a host name; /],
    [['http://[::1/'], /^host: "\[" is not a host name; /],
    [
      ['foo://example.com'],
      /^port: the scheme "foo" has no known port; write it: foo:\/\/example\.com:1234$/,
    ],
    [['foo://[::1]'], /write it: foo:\/\/\[::1\]:1234$/],
    [['constructor://example.com'], /^port: the scheme "constructor" has no known port/],
  ])('refuses %j and says why', (words, message) => {
    expect(refusalOf(() => parseTarget(words))).toMatch(message);
  });

  it.each(['[::1]', '2001:db8::/126'])('gives advice that works if %s has no port', (word) => {
    const advice = /, or (\S+)$/.exec(refusalOf(() => parseTargets([word])))?.[1] ?? '';
    expect([...parseTargets([advice]).targets()][0]?.port).toBe(443);
  });

  it.each(['http://[::1]x:81', 'http://[::1]81/'])(
    'refuses %s, which has text between the bracket and the colon',
    (url) => {
      refusalOf(() => parseTarget([url]));
    },
  );
});

describe('formatHostPort and parseTarget', () => {
  const label = fc
    .stringMatching(/^[A-Za-z0-9_]([A-Za-z0-9_-]{0,20}[A-Za-z0-9_])?$/)
    .filter((each) => !/^xn--/i.test(each));
  const name = fc
    .tuple(fc.array(label, { minLength: 1, maxLength: 5 }), fc.boolean())
    .filter(([labels]) => !/^(\d+|0x[\da-f]*)$/i.test(labels.at(-1) ?? ''))
    .map(([labels, dot]) => labels.join('.') + (dot ? '.' : ''));
  const ipv6 = fc.ipV6().filter((address) => !/^fe[89ab]/i.test(address));
  const host = fc.oneof(name, fc.ipV4(), ipv6);
  const port = fc.integer({ min: 1, max: 65535 });

  it('return every host and port unchanged from one word, two words or a URL', () => {
    fc.assert(
      fc.property(host, port, (aHost, aPort) => {
        const target = { host: aHost, port: aPort };
        expect(parseTarget([formatHostPort(aHost, aPort)])).toEqual(target);
        expect(parseTarget([aHost, String(aPort)])).toEqual(target);
        expect(parseTarget([`tcp://${formatHostPort(aHost, aPort)}/`])).toEqual(target);
      }),
      { numRuns: 1000 },
    );
  });

  it('write only IPv6 addresses in brackets', () => {
    expect(formatHostPort('2001:db8::1', 25)).toBe('[2001:db8::1]:25');
    expect(formatHostPort('fe80::1%eth0', 25)).toBe('[fe80::1%eth0]:25');
    expect(formatHostPort('192.0.2.10', 25)).toBe('192.0.2.10:25');
    expect(formatHostPort('mail.example.com', 25)).toBe('mail.example.com:25');
    expect(formatEndpoint({ address: '2001:db8::1', family: 6, port: 25 })).toBe(
      '[2001:db8::1]:25',
    );
  });

  it(
    'return a valid target or throw a UsageError of one line for any words',
    { timeout: 60_000 },
    () => {
      const piece = fc.oneof(
        fc.constantFrom(
          'http://',
          'https:',
          '//',
          ':',
          '::',
          '[',
          ']',
          '.',
          '%',
          '@',
          '/',
          '?',
          '#',
          '-',
          '_',
          '0x',
          '127',
          '.1',
          'lo',
          'fe80',
          'xn--',
          'ü',
          '。',
          '１',
          '\u200b',
          '\u202e',
          '\ud800',
          '\x1b[31m',
        ),
        fc.string({ maxLength: 4 }),
        fc.string({ unit: 'binary', maxLength: 4 }),
        fc.integer({ min: -1, max: 70_000 }).map(String),
        fc.constantFrom('smtp', 'constructor', '__proto__', 'a'.repeat(64), '\n', '\r', '\0', ' '),
        host,
      );
      const word = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
      fc.assert(
        fc.property(fc.array(word, { maxLength: 3 }), (words) => {
          let target: { host: string; port: number };
          try {
            target = parseTarget(words);
          } catch (error) {
            expect(error).toBeInstanceOf(UsageError);
            // Any character beyond plain ASCII comes from the words; the output escapes it.
            const strange = (error as Error).message.replace(/[\x20-\x7e]/g, '');
            for (const character of strange) expect(words.join('')).toContain(character);
            return;
          }
          expect(Number.isInteger(target.port) && target.port >= 1 && target.port <= 65535).toBe(
            true,
          );
          expect(words.join(' ')).toContain(target.host);
          if (isIP(target.host) !== 0) return;
          const ascii = asciiHost(target.host).replace(/\.$/, '');
          expect(ascii.length).toBeLessThanOrEqual(253);
          expect(ascii).toMatch(
            /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i,
          );
          expect(ascii).not.toMatch(/(^|\.)(\d+|0x[\da-f]*)$/i);
        }),
        { numRuns: 2000 },
      );
    },
  );
});

describe('asciiHost', () => {
  it.each([
    ['münchen.de', 'xn--mnchen-3ya.de'],
    ['MÜNCHEN.de', 'xn--mnchen-3ya.de'],
    ['faß.de', 'xn--fa-hia.de'],
    ['例え。jp', 'xn--r8jz45g.jp'],
    ['exam\u00adple.com', 'exam\u00adple.com'.replace('\u00ad', '')],
  ])('returns for %j the ASCII form %s', (host, ascii) => {
    expect(asciiHost(host)).toBe(ascii);
  });

  it.each(['Mail.Example.com', '_dmarc.example.com', 'localhost.', 'xn--mnchen-3ya.de', ''])(
    'returns the ASCII name %j unchanged',
    (host) => {
      expect(asciiHost(host)).toBe(host);
    },
  );

  it.each(['a b', 'a/b', 'mün chen', 'mün/chen', 'a\0', 'a:b', 'ü%41', 'ü@b', '\x1b'])(
    'returns nothing for %j, which is not a valid name',
    (host) => {
      expect(asciiHost(host)).toBe('');
    },
  );
});

describe('familyOf', () => {
  it.each([
    ['192.0.2.10', 4],
    ['::1', 6],
    ['::ffff:192.0.2.10', 6],
    ['fe80::1%eth0', 6],
    ['localhost', null],
    ['127.1', null],
    ['[::1]', null],
    ['', null],
  ])('returns for %j the family %s', (host, family) => {
    expect(familyOf(host)).toBe(family);
  });

  it('agrees with Node on any text', () => {
    const texts = fc.oneof(fc.string(), fc.ipV4(), fc.ipV4Extended(), fc.ipV6(), fc.domain());
    fc.assert(
      fc.property(texts, (text) => {
        expect(familyOf(text) ?? 0).toBe(isIP(text));
      }),
    );
  });
});
