import { describe, expect, it } from 'vitest';
import { parsePortNumber } from '../../../src/core/target/port.js';

describe('parsePortNumber', () => {
  it.each([
    ['1', 1, 1],
    ['65535', 1, 65_535],
    ['0', 0, 0],
    ['0', 1, null],
    ['65536', 0, null],
    ['', 0, null],
    ['-1', 0, null],
    ['http', 0, null],
    ['1e3', 0, null],
    ['000080', 1, null],
  ] as const)('reads %j with the minimum %i as %j', (text, minimum, port) => {
    expect(parsePortNumber(text, minimum)).toBe(port);
  });
});
