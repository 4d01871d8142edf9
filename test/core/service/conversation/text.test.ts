import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutText, decodeText, quote } from '../../../../src/core/service/conversation/text.js';

describe('text from the network', () => {
  it('is decoded as UTF-8 if valid, else as ISO 8859-1', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodeText(Buffer.from(text))).toBe(Buffer.from(text).toString('utf8'));
      }),
    );
    expect(decodeText(Buffer.from([0x61, 0xff]))).toBe('aÿ');
  });

  it('is never cut inside a character', () => {
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

  it('is quoted, and cut after 120 characters', () => {
    expect(quote('a"b')).toBe('"a"b"');
    expect(quote('a'.repeat(121))).toBe(`"${'a'.repeat(120)}…"`);
  });
});
