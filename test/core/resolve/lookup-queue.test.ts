import { afterEach, describe, expect, it } from 'vitest';
import { LookupQueue } from '../../../src/core/resolve/lookup-queue.js';
import {
  type LookupAnswer,
  lookupThreads,
  NAMES_AT_ONCE,
  threadsForLookups,
} from '../../../src/core/resolve/system-lookup.js';
import { heldResolver } from './held-resolver.js';

/** A system's resolver that keeps every question until the test answers it. */
function scriptedResolver() {
  const answers: ((answer: LookupAnswer) => void)[] = [];
  const lookUp = (): Promise<LookupAnswer> => new Promise((resolve) => answers.push(resolve));
  return { answers, lookUp };
}

const ANSWER = { elapsedMs: 1, addresses: [{ address: '127.0.0.1', family: 4 }] };

describe('LookupQueue.lookUp', () => {
  it('asks anew while an earlier question has no answer, and gives each its own time', async () => {
    const { answers, lookUp } = scriptedResolver();
    let nowMs = 0;
    const queue = new LookupQueue(lookUp, { atOnce: 8, clock: () => nowMs });
    void queue.lookUp('a', 0); // its query was lost
    nowMs = 450;
    const second = queue.lookUp('a', 0);
    expect(answers).toHaveLength(2);
    answers[1]?.({ ...ANSWER, elapsedMs: 3 } as LookupAnswer);
    expect(await second).toEqual({ ...ANSWER, elapsedMs: 3 });
    expect(queue.pending).toBe(1);
  });

  it('makes no more lookups than allowed, and then shares the latest', async () => {
    const { answers, lookUp } = scriptedResolver();
    let nowMs = 0;
    const queue = new LookupQueue(lookUp, { atOnce: 2, clock: () => nowMs });
    const all: Promise<LookupAnswer>[] = [];
    for (; nowMs <= 4000; nowMs += 1000) all.push(queue.lookUp('a', 0));
    expect(answers).toHaveLength(2);
    answers[1]?.(ANSWER as LookupAnswer);
    expect((await Promise.all(all.slice(1))).map(({ elapsedMs }) => elapsedMs)).toEqual([
      1, 3000, 2000, 1000,
    ]);
    nowMs = 6000;
    void queue.lookUp('a', 0);
    expect(answers).toHaveLength(3);
  });

  it('asks once for a question that is under way and gives its answer to all', async () => {
    const { asked, answer, lookUp } = heldResolver();
    const queue = new LookupQueue(lookUp);
    const all = Promise.all([queue.lookUp('a', 0), queue.lookUp('a', 0), queue.lookUp('a', 0)]);
    answer('a');
    const [first, ...others] = await all;
    expect(asked).toEqual(['a']);
    expect(first).toEqual(ANSWER);
    for (const other of others)
      expect(other).toEqual({ ...ANSWER, elapsedMs: expect.any(Number) as number });
  });

  it('asks separately for each host and each family', async () => {
    const asked: string[] = [];
    const queue = new LookupQueue(async (host, family) => {
      asked.push(`${host} ${family}`);
      return ANSWER as never;
    });
    await Promise.all([queue.lookUp('a', 4), queue.lookUp('a', 6), queue.lookUp('b', 4)]);
    expect(asked).toEqual(['a 4', 'a 6', 'b 4']);
  });

  it('asks again after the answer: it keeps none', async () => {
    const { asked, answer, lookUp } = heldResolver();
    const queue = new LookupQueue(lookUp);
    for (let round = 0; round < 2; round += 1) {
      const lookup = queue.lookUp('a', 0);
      answer('a');
      await lookup;
    }
    expect(asked).toEqual(['a', 'a']);
    expect(queue.pending).toBe(0);
  });
});

describe('LookupQueue.reserve', () => {
  it('gives as many places as allowed, and the next one when a lookup ends', async () => {
    const { answer, lookUp } = heldResolver();
    const queue = new LookupQueue(lookUp, { atOnce: 2 });
    expect([queue.reserve(), queue.reserve()]).toEqual([undefined, undefined]);
    const lookup = queue.lookUp('a', 0);
    queue.release();
    let hasPlace: boolean | undefined;
    const third = queue.reserve()?.then((has) => {
      hasPlace = has;
    });
    await new Promise(setImmediate);
    expect(hasPlace).toBeUndefined();
    answer('a');
    await lookup;
    await third;
    expect(hasPlace).toBe(true);
  });

  it('gives a place that was not needed to the next one', async () => {
    const queue = new LookupQueue(heldResolver().lookUp, { atOnce: 1 });
    void queue.reserve();
    const second = queue.reserve();
    queue.release();
    expect(await second).toBe(true);
  });

  it('gives no place when the signal is aborted, before or while it waits', async () => {
    const queue = new LookupQueue(heldResolver().lookUp, { atOnce: 1 });
    void queue.reserve();
    const controller = new AbortController();
    const waiting = queue.reserve(controller.signal);
    const next = queue.reserve();
    controller.abort();
    expect(await waiting).toBe(false);
    expect(await queue.reserve(controller.signal)).toBe(false);
    queue.release();
    expect(await next).toBe(true);
  });

  it('lets all go on without a place when no lookup has ended for so long', async () => {
    const queue = new LookupQueue(heldResolver().lookUp, { atOnce: 1, patienceMs: 30 });
    void queue.lookUp('dead', 0);
    expect(await Promise.all([queue.reserve(), queue.reserve()])).toEqual([false, false]);
  });

  it('refuses a bound below 1', () => {
    for (const atOnce of [0, NaN])
      expect(() => new LookupQueue(heldResolver().lookUp, { atOnce })).toThrow(
        `atOnce: ${atOnce} is out of range; allowed: 1 or more`,
      );
  });
});

describe('LookupQueue.isFullFor', () => {
  it('is true for one more name than allowed, but not for a name under way', async () => {
    const { answer, lookUp } = heldResolver();
    const queue = new LookupQueue(lookUp, { atOnce: 2 });
    const first = queue.lookUp('a', 4);
    expect(queue.isFullFor('c')).toBe(false);
    void queue.lookUp('b', 0);
    expect([queue.isFullFor('a'), queue.isFullFor('b'), queue.isFullFor('c')]).toEqual([
      false,
      false,
      true,
    ]);
    expect(queue.pending).toBe(2);
    answer('a');
    await first;
    expect(queue.isFullFor('c')).toBe(false);
  });
});

describe('lookupThreads', () => {
  const before = process.env['UV_THREADPOOL_SIZE'];
  afterEach(() => {
    if (before === undefined) delete process.env['UV_THREADPOOL_SIZE'];
    else process.env['UV_THREADPOOL_SIZE'] = before;
  });

  it.each([
    [undefined, 2],
    ['1', 1],
    ['0', 1],
    ['nonsense', 1],
    ['128', 64],
    ['5000', 512],
  ])('takes UV_THREADPOOL_SIZE=%s for %i lookups at once', (size, lookups) => {
    if (size === undefined) delete process.env['UV_THREADPOOL_SIZE'];
    else process.env['UV_THREADPOOL_SIZE'] = size;
    expect(lookupThreads()).toBe(lookups);
  });

  it('is what threadsForLookups asks for', () => {
    for (const lookups of [1, NAMES_AT_ONCE, 256]) {
      process.env['UV_THREADPOOL_SIZE'] = String(threadsForLookups(lookups));
      expect(lookupThreads()).toBe(lookups);
    }
  });
});
