import { describe, expect, it } from 'vitest';
import { open, V4, V6 } from '../observations.js';
import { contextOf, createNetwork } from './fake-network.js';

describe('the context of a diagnosis', () => {
  it('gives a check the timeout, and all checks three times that', () => {
    let nowMs = 0;
    const { remainingMs, elapsedMs } = contextOf(
      createNetwork(),
      { timeoutMs: 1000 },
      { clock: () => nowMs },
    );
    const remainingAt = (ms: number): number => {
      nowMs = ms;
      return remainingMs();
    };
    expect([0, 2000, 2400, 3000, 9000].map(remainingAt)).toEqual([1000, 1000, 600, 1, 1]);
    expect(elapsedMs()).toBe(9000);
  });

  it('probes until the deadline, from the source address, with the signal', async () => {
    const network = createNetwork();
    const { signal } = new AbortController();
    const options = { timeoutMs: 1000, sourceAddress: '203.0.113.5', signal };
    const { probe } = contextOf(network, options, { clock: () => 0 });
    await probe(open().endpoint);
    await probe(open().endpoint, { timeoutMs: 30, watchMs: 500 });
    const common = { sourceAddress: '203.0.113.5', signal };
    expect(network.probes.map((each) => each.options)).toEqual([
      { ...common, timeoutMs: 1000, watchMs: 0 },
      { ...common, timeoutMs: 30, watchMs: 500 },
    ]);
  });

  it.each([
    ['both families by default', {}, undefined],
    ['the family of the option', { family: 6 }, 6],
    ['the family of the source address', { sourceAddress: V6 }, 6],
    ['the family of the option first', { family: 4, sourceAddress: V6 }, 4],
  ] as const)('resolves %s', async (_, options, family) => {
    const network = createNetwork();
    const context = contextOf(network, options);
    await context.resolve();
    expect(network.questions[0]?.options.family).toBe(family);
    expect(context.nameCheck.family).toBe(family);
  });

  it('reads the family of the extra address', () => {
    expect(contextOf(createNetwork(), { extraAddress: V6 }).givenAddress).toEqual({
      address: V6,
      family: 6,
    });
    expect(contextOf(createNetwork(), { extraAddress: V4 }).givenAddress?.family).toBe(4);
  });

  it('reports a check while it runs, also one that fails', async () => {
    const reported: string[][] = [];
    const { track } = contextOf(createNetwork(), {
      onProgress: (running) => reported.push([...running]),
    });
    await Promise.allSettled([
      track('name', Promise.resolve()),
      track('address', Promise.reject(new Error('failed'))),
    ]);
    expect(reported).toEqual([['name'], ['name', 'address'], ['address'], []]);
  });
});
