import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_LINE_BYTES,
  MAX_RECEIVED_BYTES,
  ReceiveBuffer,
} from '../../../../src/core/service/conversation/receive-buffer.js';

function bufferWith(...chunks: string[]): ReceiveBuffer {
  const buffer = new ReceiveBuffer();
  for (const chunk of chunks) buffer.append(Buffer.from(chunk));
  return buffer;
}

it('counts bytes of an earlier conversation against the limit', () => {
  const buffer = new ReceiveBuffer(MAX_RECEIVED_BYTES - 3);
  expect(buffer.admit(Buffer.from('abc'))).toHaveLength(3);
  expect(buffer.isOverLimit).toBe(false);
  expect(buffer.admit(Buffer.from('d'))).toHaveLength(0);
  expect([buffer.isOverLimit, buffer.receivedBytes]).toEqual([true, MAX_RECEIVED_BYTES]);
});

describe('lines', () => {
  it('end with CR LF or with LF alone, and are taken out one by one', () => {
    const buffer = bufferWith('220 a\r\n250 b\n\r\nrest');
    expect([buffer.takeLine(), buffer.takeLine(), buffer.takeLine()]).toEqual([
      '220 a',
      '250 b',
      '',
    ]);
    expect(buffer.takeLine()).toBeNull();
    expect(String(buffer.unread)).toBe('rest');
  });

  it('are the same however the bytes are split', () => {
    const text = `one\r\n${'two'.repeat(2000)}\nthrée\r\n`;
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 8 }),
        (cuts) => {
          const buffer = new ReceiveBuffer();
          const lines: (string | null)[] = [];
          const ends = [...cuts.sort((a, b) => a - b), bytes.length];
          ends.forEach((end, index) => {
            buffer.append(bytes.subarray(ends[index - 1] ?? 0, end));
            for (let line = buffer.takeLine(); line !== null; line = buffer.takeLine())
              lines.push(line);
          });
          expect(lines).toEqual(['one', 'two'.repeat(2000), 'thrée']);
        },
      ),
    );
  });

  it('can follow bytes that were taken out', () => {
    const buffer = bufferWith('\n\n\n\nline\n');
    expect(String(buffer.takeBytes(4))).toBe('\n\n\n\n');
    expect(buffer.takeLine()).toBe('line');
  });
});

describe('bytes', () => {
  it('are taken out only when enough of them have come', () => {
    const buffer = bufferWith('abc');
    expect(buffer.takeBytes(4)).toBeNull();
    buffer.append(Buffer.from('de'));
    expect(String(buffer.takeBytes(4))).toBe('abcd');
    expect(buffer.unreadLength).toBe(1);
  });

  it('are forgotten when discarded', () => {
    const buffer = bufferWith('a\nb');
    buffer.discard();
    expect(buffer.unreadLength).toBe(0);
    expect(buffer.takeLine()).toBeNull();
  });
});

describe('the limit', () => {
  it('admits 65536 bytes from the wire and no more', () => {
    const buffer = new ReceiveBuffer();
    expect(buffer.admit(Buffer.alloc(MAX_RECEIVED_BYTES - 1))).toHaveLength(65_535);
    expect(buffer.admit(Buffer.alloc(1))).toHaveLength(1);
    expect([buffer.receivedBytes, buffer.isOverLimit]).toEqual([65_536, false]);
    expect(buffer.admit(Buffer.alloc(1))).toHaveLength(0);
    expect([buffer.receivedBytes, buffer.isOverLimit]).toEqual([65_536, true]);
  });

  it('admits the beginning of a chunk that goes beyond it', () => {
    const buffer = new ReceiveBuffer();
    expect(buffer.admit(Buffer.alloc(100_000))).toHaveLength(65_536);
    expect(buffer.isOverLimit).toBe(true);
  });
});

describe('the first line', () => {
  it('is null before anything has come, and empty when it is empty', () => {
    const buffer = new ReceiveBuffer();
    expect(buffer.firstLine).toBeNull();
    buffer.append(Buffer.from('\r\n220 x\r\n'));
    expect([buffer.firstLine, buffer.isFirstLineComplete]).toEqual(['', true]);
  });

  it('grows until its end has come, and stays although it is taken out', () => {
    const buffer = bufferWith('220 ma');
    expect([buffer.firstLine, buffer.isFirstLineComplete]).toEqual(['220 ma', false]);
    buffer.append(Buffer.from('il\r\n250 x\r\n'));
    buffer.takeLine();
    buffer.append(Buffer.from('more\r\n'));
    expect([buffer.firstLine, buffer.isFirstLineComplete]).toEqual(['220 mail', true]);
  });

  it.each([
    [MAX_LINE_BYTES, 'a'.repeat(512)],
    [MAX_LINE_BYTES + 1, `${'a'.repeat(512)}…`],
  ])('of %d bytes is cut after 512', (length, line) => {
    expect(bufferWith('a'.repeat(length)).firstLine).toBe(line);
    expect(bufferWith(...'a'.repeat(length)).firstLine).toBe(line);
  });
});

describe('the line of the current answer', () => {
  it('begins at the mark', () => {
    const buffer = bufferWith('220 x\r\n');
    buffer.takeLine();
    buffer.markAnswer();
    expect(buffer.answerLine).toBeNull();
    buffer.append(Buffer.from('250-a\r\n250'));
    buffer.takeLine();
    expect(buffer.answerLine).toBe('250-a');
  });
});
