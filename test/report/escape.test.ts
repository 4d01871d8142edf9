import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeControls, escapeJson, formatJsonLine } from '../../src/report/escape.js';
import { HARMFUL, HOSTILE } from '../support/reports.js';

/** Text likely to cause trouble: controls, marks, lone surrogates, backslashes, escapes. */
const troublesome = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\\',
        '\\\\',
        'x',
        'u',
        'x1b',
        'u202e',
        'u{e0041}',
        '\\x1b',
        '\\u202e',
        '\\X1B',
        '\\u{e0041}',
        '{',
        '}',
        '1',
        'b',
        'a',
      ),
      fc.constantFrom(
        '\x1b',
        '\r',
        '\n',
        '\0',
        '\x7f',
        '\x9b',
        '\u00ad',
        '\u061c',
        '\u200b',
        '\u200f',
        '\u2028',
        '\u202e',
        '\u2066',
        '\ufeff',
        '\ud83d',
        '\ude00',
        '😀',
        '\u{e0041}',
      ),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.string({ maxLength: 3 }),
    ),
    { maxLength: 8 },
  )
  .map((pieces) => pieces.join(''));

describe('escapeControls', () => {
  it.each([
    ['\x1b[31mred', '\\x1b[31mred'],
    ['a\r\nb\0', 'a\\x0d\\x0ab\\x00'],
    ['\x7f\x80\x9f', '\\x7f\\x80\\x9f'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\u202egpj.exe', '\\u202egpj.exe'],
    ['a\u200bb\u200d\ufeff\u2060', 'a\\u200bb\\u200d\\ufeff\\u2060'],
    ['\u00ad', '\\xad'],
    ['\u{e0041}\u{e0100}', '\\u{e0041}\\u{e0100}'],
    ['\ud800 \udfff', '\\ud800 \\udfff'],
  ])('makes %j visible', (text, escaped) => {
    expect(escapeControls(text)).toBe(escaped);
  });

  it.each([
    '',
    'mail.example.com:25',
    'münchen.de',
    'пример.рф',
    '例え.jp',
    '😀👍🏽',
    'C:\\Users',
    '\\',
    '\\\\server\\share',
    'a\\xg',
    '\\u12',
    '\u00a0',
    '\ufffd',
  ])('leaves %j as it is', (text) => {
    expect(escapeControls(text)).toBe(text);
  });

  it('does not change a printable ASCII character', () => {
    const ascii = Array.from({ length: 0x7f - 0x20 }, (_, index) =>
      String.fromCharCode(0x20 + index),
    ).join('');
    expect(escapeControls(ascii)).toBe(ascii);
    // the only exception: a backslash that would look like an escape
    fc.assert(
      fc.property(
        fc
          .string({ unit: 'grapheme-ascii' })
          .filter((text) => !/\\(x[\da-f]{2}|u[\da-f]{4}|u\{)/i.test(text)),
        (text) => {
          expect(escapeControls(text)).toBe(text);
        },
      ),
    );
  });

  it.each([
    ['\\x1b', '\\\\x1b'],
    ['\\u202E', '\\\\u202E'],
    ['\\u{e0041}', '\\\\u{e0041}'],
  ])('doubles the backslash of %j, which would read as an escape', (text, escaped) => {
    expect(escapeControls(text)).toBe(escaped);
  });

  it('escapes every control character, hiding mark and lone surrogate, for any text', () => {
    fc.assert(
      fc.property(fc.oneof(troublesome, fc.string({ unit: 'binary' })), (text) => {
        expect(escapeControls(text)).not.toMatch(HARMFUL);
      }),
      { numRuns: 5000 },
    );
    expect(HOSTILE).toMatch(HARMFUL);
    expect(escapeControls(HOSTILE)).not.toMatch(HARMFUL);
  });

  it('escapes every character of the harmful ranges', () => {
    const harmful = Array.from({ length: 0x110000 }, (_, code) =>
      String.fromCodePoint(code),
    ).filter((character) => HARMFUL.test(character));
    expect(harmful.length).toBeGreaterThan(2000);
    for (const character of harmful)
      expect(escapeControls(character)).toMatch(/^\\(x[\da-f]{2}|u[\da-f]{4})$/);
  });

  it('keeps different texts different', () => {
    expect(escapeControls('\\\x1b')).not.toBe(escapeControls('\\x1b'));
    fc.assert(
      fc.property(troublesome, troublesome, (one, other) => {
        if (one !== other) expect(escapeControls(one)).not.toBe(escapeControls(other));
        // decoding returns the original: this is equivalent and finds more errors
        const read = escapeControls(one).replace(
          /(\\+)(?:x([\da-f]{2})|u([\da-f]{4})|u\{([\da-f]+)\})/gi,
          (all: string, slashes: string, ...codes: (string | undefined)[]) => {
            const code = codes.slice(0, 3).find((each) => each !== undefined) ?? '';
            const kept = '\\'.repeat(Math.floor(slashes.length / 2));
            return slashes.length % 2 === 0
              ? kept + all.slice(slashes.length)
              : kept + String.fromCodePoint(Number.parseInt(code, 16));
          },
        );
        expect(read).toBe(one);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('escapeJson', () => {
  it('escapes each harmful character above U+001F, alone and between others', () => {
    const harmful = ['\x7f', '\x80', '\x9b', '\xad', '\u202e', '\ufeff', '\u{e0041}'];
    for (const character of harmful)
      for (const text of [character, `a${character}z`]) {
        const json = escapeJson(JSON.stringify(text));
        expect(json).toMatch(/^[ -~]+$/);
        expect(JSON.parse(json)).toBe(text);
      }
  });

  it('leaves printable ASCII and harmless letters as they are', () => {
    expect(formatJsonLine({ a: '~ "ä例' })).toBe('{"a":"~ \\"ä例"}\n');
  });
});
