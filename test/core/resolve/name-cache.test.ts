import { describe, expect, it } from 'vitest';
import type { Resolution } from '../../../src/core/facts/outcome.js';
import { LookupQueue, type LookupQueueOptions } from '../../../src/core/resolve/lookup-queue.js';
import { NameCache } from '../../../src/core/resolve/name-cache.js';
import { resolveHost } from '../../../src/core/resolve/resolver.js';
import { NAMES_AT_ONCE, type SystemLookup } from '../../../src/core/resolve/system-lookup.js';
import { heldResolver } from './held-resolver.js';

function cacheOf(
  lookUp: SystemLookup,
  options: LookupQueueOptions,
  signal = new AbortController().signal,
): NameCache {
  const lookups = new LookupQueue(lookUp, options);
  return new NameCache({ resolve: resolveHost, lookups, running: () => 1, signal });
}

async function resolveIn(names: NameCache, host: string, timeoutMs = 60_000): Promise<Resolution> {
  const turn = names.turn(host);
  if (turn) await turn;
  return names.resolve(host, { timeoutMs });
}

describe('the names of a run', () => {
  it('are looked up no more at a time than was said, in the order they came', async () => {
    const { asked, answer, lookUp } = heldResolver();
    const names = cacheOf(lookUp, { atOnce: 2 });
    const all = Promise.all(['a', 'b', 'c', 'd'].map((host) => resolveIn(names, host)));
    await new Promise(setImmediate);
    expect(asked).toEqual(['a', 'b']);
    answer('b');
    await expect.poll(() => asked).toEqual(['a', 'b', 'c']);
    for (const host of ['a', 'c']) answer(host);
    await expect.poll(() => asked).toEqual(['a', 'b', 'c', 'd']);
    answer('d');
    expect((await all).map(({ state }) => state)).toEqual([
      'resolved',
      'resolved',
      'resolved',
      'resolved',
    ]);
  });

  it('keep their place until the lookup ends, also after the timeout', async () => {
    const { asked, answer, lookUp } = heldResolver();
    const names = cacheOf(lookUp, { atOnce: 1 });
    expect(await resolveIn(names, 'slow', 30)).toMatchObject({
      state: 'unresolved',
      reason: 'resolver-timeout',
    });
    const next = resolveIn(names, 'next');
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(asked).toEqual(['slow']);
    answer('slow');
    await expect.poll(() => asked).toEqual(['slow', 'next']);
    answer('next');
    expect(await next).toMatchObject({ state: 'resolved' });
  });

  it('are asked for once each, by however many', async () => {
    const { asked, answer, lookUp } = heldResolver();
    const names = cacheOf(lookUp, { atOnce: 1 });
    const all = Promise.all(['a', 'b', 'a', 'b', 'a'].map((host) => resolveIn(names, host)));
    await new Promise(setImmediate);
    answer('a');
    await expect.poll(() => asked).toEqual(['a', 'b']);
    answer('b');
    expect((await all).map((each) => each.host)).toEqual(['a', 'b', 'a', 'b', 'a']);
    expect(await resolveIn(names, 'a')).toMatchObject({ state: 'resolved' });
    expect(asked).toEqual(['a', 'b']);
  });

  it('are asked for anew by each probe of a series', async () => {
    const asked: string[] = [];
    const lookups = new LookupQueue(async (host) => {
      asked.push(host);
      return { elapsedMs: 1, addresses: [{ address: '127.0.0.1', family: 4 }] };
    }, {});
    const { signal } = new AbortController();
    const names = new NameCache({
      resolve: resolveHost,
      lookups,
      asksAnew: true,
      running: () => 1,
      signal,
    });
    for (let round = 0; round < 3; round += 1) await resolveIn(names, 'a');
    expect(asked).toEqual(['a', 'a', 'a']);
  });

  it('need no turn when they are addresses, and no lookup when they cannot be names', async () => {
    const { asked, lookUp } = heldResolver();
    const names = cacheOf(lookUp, { atOnce: 1 });
    expect([names.turn('127.0.0.1'), names.turn('::1')]).toEqual([undefined, undefined]);
    expect(await resolveIn(names, 'a b')).toMatchObject({ state: 'unresolved' });
    expect(await resolveIn(names, 'a/b')).toMatchObject({ state: 'unresolved' });
    expect(asked).toEqual([]);
  });

  it('wait no longer for a resolver that has not ended a lookup for so long', async () => {
    const { asked, answer, lookUp } = heldResolver();
    const names = cacheOf(lookUp, { atOnce: 1, patienceMs: 50 });
    const all = Promise.all(['a', 'b', 'c'].map((host) => resolveIn(names, host, 300)));
    expect((await all).map((each) => 'reason' in each && each.reason)).toEqual(
      Array(3).fill('resolver-timeout'),
    );
    // Those that went ahead do not make room for more than before.
    for (const host of asked) answer(host);
    await new Promise(setImmediate);
    const [d, e] = [resolveIn(names, 'd'), resolveIn(names, 'e')];
    await new Promise(setImmediate);
    expect(asked).toEqual(['a', 'b', 'c', 'd']);
    for (const host of ['d', 'e']) {
      await expect.poll(() => asked).toContain(host);
      answer(host);
    }
    expect([(await d).state, (await e).state]).toEqual(['resolved', 'resolved']);
  });

  it('wait no longer when the run is aborted, and give their places back', async () => {
    const { asked, lookUp } = heldResolver();
    const lookups = new LookupQueue(lookUp, { atOnce: 1 });
    const parts = { resolve: resolveHost, lookups, running: () => 1 };
    const run = new AbortController();
    const names = new NameCache({ ...parts, signal: run.signal });
    expect(names.turn('a')).toBeUndefined(); // has the place, and is never resolved
    const waiting = names.turn('b');
    const others = new NameCache({ ...parts, signal: new AbortController().signal });
    const next = resolveIn(others, 'c');
    run.abort();
    names.close();
    await expect(waiting).resolves.toBeUndefined();
    await expect.poll(() => asked).toEqual(['c']);
    void next;
  });

  it('fail only when as many descriptors are free as other probes may have held', async () => {
    let running = 3;
    const seen: (() => number)[] = [];
    const answers: (() => void)[] = [];
    const resolve: typeof resolveHost = (host, _, { spareDescriptors = () => 0 } = {}) =>
      new Promise((give) => {
        seen.push(spareDescriptors);
        answers.push(() =>
          give({
            state: 'resolved',
            host,
            via: 'system',
            elapsedMs: 1,
            addresses: [{ address: '127.0.0.1', family: 4 }],
          }),
        );
      });
    const names = new NameCache({
      resolve,
      lookups: new LookupQueue(heldResolver().lookUp),
      running: () => running,
      signal: new AbortController().signal,
    });
    const first = names.resolve('first');
    expect(seen[0]?.()).toBe(9);
    running = 21;
    const second = names.resolve('second');
    running = 2; // they ended and closed theirs
    expect(seen.map((spare) => spare())).toEqual([81, 81]);
    for (const answer of answers) answer();
    await Promise.all([first, second]);
    void names.resolve('third');
    expect(seen[2]?.()).toBe(5);
    running = 1;
    void names.resolve('alone');
    expect(seen[3]?.()).toBe(1);
    running = 1000;
    expect(seen[3]?.()).toBe(4 * NAMES_AT_ONCE);
  });
});
