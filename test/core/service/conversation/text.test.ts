import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  SERVICE_NAMES,
  serviceNameOfPort,
  SERVICES,
} from '../../../../src/core/service/registry.js';
import {
  cutText,
  decodeText,
  quote,
  recognizeProtocol,
} from '../../../../src/core/service/conversation/text.js';

describe('text from the network', () => {
  it('is UTF-8 where it is that, and else one character a byte', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodeText(Buffer.from(text))).toBe(Buffer.from(text).toString('utf8'));
      }),
    );
    expect(decodeText(Buffer.from([0x61, 0xff]))).toBe('aÿ');
  });

  it('is cut between characters, never in one', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 4, max: 40 }),
        (text, most) => {
          const bytes = Buffer.from(text);
          const cut = cutText(bytes, most);
          if (bytes.length <= most) {
            expect(cut).toBe(bytes.toString('utf8'));
            return;
          }
          expect(cut.endsWith('…')).toBe(true);
          expect(bytes.toString('utf8').startsWith(cut.slice(0, -1))).toBe(true);
          expect(Buffer.byteLength(cut)).toBeGreaterThan(most - 4);
        },
      ),
    );
  });

  it('is quoted, and shortened where it is long', () => {
    expect(quote('a"b')).toBe('"a"b"');
    expect(quote('a'.repeat(121))).toBe(`"${'a'.repeat(120)}…"`);
  });

  it.each<[string | number[], string | null]>([
    ['SSH-2.0-x', 'SSH'],
    ['HTTP/1.1 200', 'HTTP'],
    ['* OK x', 'IMAP'],
    ['+OK', 'POP3'],
    ['220 x ESMTP', 'SMTP'],
    ['220 (vsFTPd)', 'FTP'],
    ['200 news', 'NNTP'],
    ['RFB 003.008', 'VNC'],
    [[0x15, 3, 1, 0, 2], 'TLS'],
    [[3, 0, 0, 11, 6, 0xd0], 'an ISO transport'],
    [[0x4a, 0, 0, 0, 0x0a, 0x35], 'MySQL'],
    [[0xff, 0xfb, 1], 'Telnet'],
    ['hello', null],
    ['', null],
  ])('that begins with %j looks like %s', (bytes, name) => {
    expect(
      recognizeProtocol(typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes)),
    ).toBe(name);
  });
});

describe('the registry', () => {
  it('has each port once', () => {
    const ports = SERVICE_NAMES.flatMap((name) => [...SERVICES[name].ports]);
    expect(new Set(ports).size).toBe(ports.length);
  });

  it.each([
    [25, 'smtp'],
    [465, 'smtps'],
    [993, 'imaps'],
    [443, 'https'],
    [102, 'x400'],
    [12_345, undefined],
  ])('says of port %d: %s', (port, name) => {
    expect(serviceNameOfPort(port)).toBe(name);
  });

  it('has TLS inside where the name says +tls, but for HTTP, which has none of that kind', () => {
    for (const name of SERVICE_NAMES) {
      const expected =
        name === 'http+tls'
          ? 'first'
          : name.endsWith('+tls')
            ? 'inside'
            : name === 'tls' || name.endsWith('s')
              ? 'first'
              : null;
      expect(SERVICES[name].tls, name).toBe(expected);
    }
  });
});
