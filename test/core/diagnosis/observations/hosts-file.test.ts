import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseHostsFile,
  parseSearchDomains,
} from '../../../../src/core/diagnosis/observations/hosts-file.js';

const TEXT = `
127.0.0.1\tlocalhost
::1 localhost ip6-localhost   # loopback
198.51.100.10  db.example db  # 198.51.100.11 db.example
#198.51.100.12 db.example
198.51.100.13
not-an-address db.example
2001:db8::10 DB.Example\r
198.51.100.14 dotted.example.
198.51.100.10 db.example
`;

describe('a hosts file', () => {
  it('lists the addresses of a name, each once, in the order of the file', () => {
    expect(parseHostsFile(TEXT, 'db.example')).toEqual(['198.51.100.10', '2001:db8::10']);
    expect(parseHostsFile(TEXT, 'localhost')).toEqual(['127.0.0.1', '::1']);
  });

  it('finds aliases, in any case', () => {
    expect(parseHostsFile(TEXT, 'DB')).toEqual(['198.51.100.10']);
  });

  it('counts a final dot as glibc does', () => {
    expect(parseHostsFile(TEXT, 'db.example.')).toEqual([]);
    expect(parseHostsFile(TEXT, 'dotted.example')).toEqual([]);
    expect(parseHostsFile(TEXT, 'dotted.example.')).toEqual(['198.51.100.14']);
  });

  it('ignores comments, lines without a name and lines without an address', () => {
    expect(parseHostsFile(TEXT, '198.51.100.11')).toEqual([]);
    expect(parseHostsFile(TEXT, 'not-an-address')).toEqual([]);
    expect(parseHostsFile(TEXT, '')).toEqual([]);
  });

  it('lists exactly the lines with the name, in any file', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,9}$/);
    const line = fc.record({
      address: fc.oneof(fc.ipV4(), fc.ipV6()),
      names: fc.array(word, { minLength: 1, maxLength: 4 }),
      comment: fc.constantFrom('', ' # a b c', '#x'),
    });
    const space = fc.constantFrom(' ', '\t', '  \t');
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 8 }),
        space,
        fc.constantFrom('\n', '\r\n'),
        word,
        (lines, between, end, wanted) => {
          const text = lines
            .map(
              ({ address, names, comment }) =>
                `${between}${[address, ...names].join(between)}${comment}`,
            )
            .join(end);
          const expected = lines
            .filter(({ names }) => names.includes(wanted))
            .map(({ address }) => address);
          expect(parseHostsFile(text, wanted)).toEqual([...new Set(expected)]);
        },
      ),
    );
  });

  it('is parsed without failure, whatever it contains', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, name) => {
        expect(parseHostsFile(text, name)).toBeInstanceOf(Array);
      }),
    );
  });
});

describe('search domains', () => {
  it('are those of the last search or domain line', () => {
    expect(
      parseSearchDomains(
        'domain old.example\nnameserver 192.0.2.53\nsearch corp.example Example.com.\n',
      ),
    ).toEqual(['corp.example', 'example.com']);
    expect(parseSearchDomains('search corp.example\ndomain new.example')).toEqual(['new.example']);
    expect(parseSearchDomains('nameserver 192.0.2.53')).toEqual([]);
  });

  it('are at most six, and only valid domains', () => {
    expect(parseSearchDomains('search a b c d e f g')).toHaveLength(6);
    expect(parseSearchDomains('search . ok.example \x1b[31m')).toEqual(['ok.example']);
  });
});
