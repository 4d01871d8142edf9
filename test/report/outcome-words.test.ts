import { describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../src/core/states.js';
import {
  addressOf,
  describeAttempt,
  describeReason,
  errorNumber,
  nameTarget,
} from '../../src/report/outcome-words.js';
import {
  cancelledOutcome,
  closedOutcome,
  errorOf,
  openOutcome,
  unresolvedOutcome,
} from '../support/reports.js';

describe('the name of a target', () => {
  it.each([
    [null, 'mail.example.com:25'],
    ['192.0.2.10', 'mail.example.com:25 (192.0.2.10)'],
    ['mail.example.com', 'mail.example.com:25'],
  ])('adds the address unless the user wrote it: %s', (address, name) => {
    expect(nameTarget({ host: 'mail.example.com', port: 25 }, address)).toBe(name);
  });

  it('escapes control characters', () => {
    expect(nameTarget({ host: 'a\x1b', port: 25 }, '\x07')).toBe('a\\x1b:25 (\\x07)');
  });
});

describe('the address of an outcome', () => {
  it('is missing when the name was not resolved', () => {
    expect(addressOf(openOutcome())).toBe('192.0.2.10');
    expect(addressOf(unresolvedOutcome())).toBeNull();
  });
});

describe('the words for a reason', () => {
  const reasons = EXIT_CODES.flatMap((row) => row.reasons);

  it('number one to four, and differ for each reason', () => {
    const words = reasons.map(describeReason);
    for (const each of words) expect(each).toMatch(/^\w+( \w+){0,3}$/);
    expect(new Set(words).size).toBe(reasons.length);
  });
});

describe('the number of an error', () => {
  it.each([
    ['ECONNREFUSED', -111, '10061'],
    ['EWHATEVER', -4000, '4000'],
    ['EWHATEVER', null, 'EWHATEVER'],
  ])(
    'is that of Windows Sockets, else of this platform, else the name: %s %s',
    (code, errno, is) => {
      expect(errorNumber(errorOf(code, { errno }))).toBe(is);
    },
  );
});

describe('an attempt in words', () => {
  it.each([
    [openOutcome(), 'open in 12.3 ms'],
    [closedOutcome(), 'closed, conn-refused <10061> after 0.31 ms'],
    [cancelledOutcome(), 'cancelled after 100 ms without an answer'],
  ])('gives the state, the reason and the time: %#', (attempt, words) => {
    expect(describeAttempt(attempt)).toBe(words);
  });
});
