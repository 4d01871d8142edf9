import { describe, expect, it } from 'vitest';
import { parseBasic, PasswordCheck } from '../../../src/exporter/web/password-check.js';

const STAYS = new AbortController().signal;
const USERS = new Map([
  ['ann', 'hash of a'],
  ['bob', 'hash of b'],
]);
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

/** A check with a comparison that is counted, and ends only when it is let. */
function countingCheck() {
  const compared: string[] = [];
  let hold: Promise<void> = Promise.resolve();
  const check = new PasswordCheck(async (password, hash) => {
    compared.push(`${password} with ${hash}`);
    await hold;
    return hash === `hash of ${password}`;
  });
  const reasonOf = (header: string | undefined, users = USERS, signal = STAYS) =>
    check.check(users, header, signal).then(
      () => 'allowed',
      ({ reason }: { reason: string }) => reason,
    );
  return { compared, reasonOf, holdOn: (until: Promise<void>): void => void (hold = until) };
}

describe('a password', () => {
  it('lets its user in, and no one else', async () => {
    const { reasonOf } = countingCheck();
    expect(await reasonOf(basic('ann:a'))).toBe('allowed');
    expect(await reasonOf(basic('bob:b'))).toBe('allowed');
    for (const header of [
      undefined,
      '',
      'Bearer abc',
      'Basic',
      'Basic !',
      basic('ann'),
      basic('ann:b'),
      basic('ann:'),
      basic(':a'),
      basic('eve:a'),
      basic('Ann:a'),
      basic('constructor:a'),
    ])
      expect([header, await reasonOf(header)]).toEqual([header, 'unauthorized']);
  });

  it('is not needed without users', async () => {
    const { compared, reasonOf } = countingCheck();
    expect(await reasonOf(undefined, new Map())).toBe('allowed');
    expect(await reasonOf('nonsense', new Map())).toBe('allowed');
    expect(compared).toEqual([]);
  });

  it('is compared once while it is right, and again when the hash is another', async () => {
    const { compared, reasonOf } = countingCheck();
    for (let time = 0; time < 3; time += 1) expect(await reasonOf(basic('ann:a'))).toBe('allowed');
    expect(compared).toEqual(['a with hash of a']);
    expect(await reasonOf(basic('ann:x'))).toBe('unauthorized');
    expect(await reasonOf(basic('ann:x'))).toBe('unauthorized');
    expect(await reasonOf(basic('ann:a'))).toBe('allowed');
    expect(compared).toHaveLength(3);
    const changed = new Map([['ann', 'hash of c']]);
    expect(await reasonOf(basic('ann:a'), changed)).toBe('unauthorized');
    expect(await reasonOf(basic('ann:c'), changed)).toBe('allowed');
  });

  it('of an unknown user is compared too, so that the time tells nothing', async () => {
    const { compared, reasonOf } = countingCheck();
    expect(await reasonOf(basic('eve:a'))).toBe('unauthorized');
    expect(compared).toEqual(['a with hash of a']);
  });

  it('is compared alone; too many are refused, and none of who is gone is compared', async () => {
    const { compared, reasonOf, holdOn } = countingCheck();
    let letGo = (): void => {};
    holdOn(new Promise((resolve) => (letGo = resolve)));
    const gone = new AbortController();
    const first = reasonOf(basic('ann:1'));
    const leaves = reasonOf(basic('ann:2'), USERS, gone.signal);
    const waiting = Array.from({ length: 30 }, (_, index) => reasonOf(basic(`ann:x${index}`)));
    expect(await reasonOf(basic('ann:y'))).toBe('busy');
    expect(compared).toEqual(['1 with hash of a']);
    gone.abort();
    letGo();
    expect(new Set(await Promise.all([first, ...waiting]))).toEqual(new Set(['unauthorized']));
    await leaves;
    expect(compared).toHaveLength(31);
    expect(await reasonOf(basic('ann:a'))).toBe('allowed');
  });
});

it('the header has a name and a password, which may have colons', () => {
  expect(parseBasic(basic('ann:a:b'))).toEqual(['ann', 'a:b']);
  expect(parseBasic(basic('jürgen:pässword'))).toEqual(['jürgen', 'pässword']);
  expect(parseBasic('basic YTpi')).toEqual(['a', 'b']);
  expect(parseBasic('Basic YTpi, Basic YTpi')).toBe(null);
});
