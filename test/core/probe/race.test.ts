import { getEventListeners } from 'node:events';
import { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { monotonicClock } from '../../../src/core/clock.js';
import type { Attempt } from '../../../src/core/facts/outcome.js';
import { probePort } from '../../../src/core/probe/port-probe.js';
import {
  ATTEMPT_DELAY_MS,
  interleaveFamilies,
  startAttempts,
} from '../../../src/core/probe/race.js';
import type { Endpoint } from '../../../src/core/target/target.js';
import { listen } from '../../support/listeners.js';
import { block } from '../../support/real-time.js';

/** One attempt as the race began it. */
interface Begun {
  readonly endpoint: Endpoint;
  /** Start time, in milliseconds since the race began. */
  readonly atMs: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Ends the attempt with this state. */
  readonly end: (state: 'open' | 'closed' | 'filtered' | 'failed') => Promise<void>;
}

const endpoints = (count: number): Endpoint[] =>
  Array.from({ length: count }, (_, index) => ({
    address: `192.0.2.${index + 1}`,
    family: 4,
    port: 80,
  }));

/** A race of attempts that end when the test calls end(), or as cancelled with the race. */
function race(
  count: number,
  { timeoutMs = 5000, untilFirstOpen = true, signal = undefined as AbortSignal | undefined } = {},
) {
  const startMs = monotonicClock();
  const begun: Begun[] = [];
  const settled: (Attempt | null | undefined)[] = Array.from({ length: count });
  const attempt = (
    endpoint: Endpoint,
    attemptTimeoutMs: number,
    attemptSignal: AbortSignal,
  ): Promise<Attempt> =>
    new Promise((resolve) => {
      const outcome = (state: string) =>
        ({ state, endpoint, startedAt: 0, elapsedMs: 0, latencyMs: 0 }) as unknown as Attempt;
      const cancel = () => resolve(outcome('cancelled'));
      if (attemptSignal.aborted) cancel();
      attemptSignal.addEventListener('abort', cancel);
      begun.push({
        endpoint,
        atMs: monotonicClock() - startMs,
        timeoutMs: attemptTimeoutMs,
        signal: attemptSignal,
        end: async (state) => {
          resolve(outcome(state));
          await vi.advanceTimersByTimeAsync(0);
        },
      });
    });
  const promises = startAttempts(endpoints(count), { timeoutMs, untilFirstOpen, signal, attempt });
  for (const [index, promise] of promises.entries())
    void promise.then((outcome) => {
      settled[index] = outcome;
    });
  return {
    begun,
    promises,
    states: () => settled.map((each) => (each === undefined ? 'pending' : (each?.state ?? null))),
    times: () => begun.map(({ atMs }) => atMs),
  };
}

/** The nth attempt that was begun. */
function nth(begun: readonly Begun[], index: number): Begun {
  const found = begun[index];
  if (!found) throw new Error(`only ${begun.length} attempts have begun`);
  return found;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a race', () => {
  it('tries the first endpoint at once and each further one 250 ms later, in order', async () => {
    const { begun, times } = race(4);
    expect(times()).toEqual([0]);
    await vi.advanceTimersByTimeAsync(249);
    expect(times()).toEqual([0]);
    await vi.advanceTimersByTimeAsync(1);
    expect(times()).toEqual([0, 250]);
    await vi.advanceTimersByTimeAsync(4000);
    expect(times()).toEqual([0, 250, 500, 750]);
    expect(begun.map(({ endpoint }) => endpoint)).toEqual(endpoints(4));
    expect(ATTEMPT_DELAY_MS).toBe(250);
  });

  it.each(['closed', 'filtered', 'failed'] as const)(
    'tries the next endpoint at once after one is %s, and the following one 250 ms later',
    async (state) => {
      const { begun, times } = race(3);
      await vi.advanceTimersByTimeAsync(10);
      await nth(begun, 0).end(state);
      expect(times()).toEqual([0, 10]);
      await vi.advanceTimersByTimeAsync(249);
      expect(times()).toEqual([0, 10]);
      await vi.advanceTimersByTimeAsync(1);
      expect(times()).toEqual([0, 10, 260]);
    },
  );

  it('starts one attempt, not two, when one fails at the end of a pause', async () => {
    const { begun, times } = race(3);
    vi.advanceTimersByTime(250);
    await nth(begun, 0).end('closed');
    await vi.advanceTimersByTimeAsync(249);
    expect(times()).toEqual([0, 250]);
  });

  it('cancels no attempt before the deadline, because a slow one may still open', async () => {
    const { begun, states } = race(3);
    await vi.advanceTimersByTimeAsync(4000);
    expect(states()).toEqual(['pending', 'pending', 'pending']);
    expect(begun.map(({ signal }) => signal.aborted)).toEqual([false, false, false]);
    await nth(begun, 0).end('open');
    expect(states()).toEqual(['open', 'cancelled', 'cancelled']);
  });

  it('cancels pending attempts when one opens; untried endpoints get null', async () => {
    const { begun, states, times } = race(5);
    await vi.advanceTimersByTimeAsync(300);
    await nth(begun, 1).end('open');
    expect(states()).toEqual(['cancelled', 'open', null, null, null]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(times()).toEqual([0, 250]);
  });

  it('does not abort the attempt that opened, because its connection may be in use', async () => {
    const { begun } = race(3);
    await vi.advanceTimersByTimeAsync(300);
    await nth(begun, 1).end('open');
    expect(begun.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  });

  it('gives an attempt that starts at the deadline 1 ms, because 0 is not a timeout', async () => {
    const { begun } = race(3, { timeoutMs: 1 });
    await vi.advanceTimersByTimeAsync(10);
    expect(begun.map(({ timeoutMs }) => timeoutMs)).toEqual([1, 1, 1]);
  });

  it('leaves no timer after its end', async () => {
    const { begun } = race(5);
    await nth(begun, 0).end('open');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('continues after failed attempts until the last endpoint', async () => {
    const { begun, states } = race(3);
    await nth(begun, 0).end('closed');
    await nth(begun, 1).end('filtered');
    await nth(begun, 2).end('failed');
    expect(states()).toEqual(['closed', 'filtered', 'failed']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives each attempt the time left until the common deadline', async () => {
    const { begun } = race(3, { timeoutMs: 2000 });
    await vi.advanceTimersByTimeAsync(100);
    await nth(begun, 0).end('closed');
    await vi.advanceTimersByTimeAsync(250);
    expect(begun.map(({ timeoutMs }) => timeoutMs)).toEqual([2000, 1900, 1650]);
  });

  it('shortens the pauses for many endpoints: all are tried in half of the timeout', async () => {
    const { begun, times } = race(100, { timeoutMs: 5000 });
    await vi.advanceTimersByTimeAsync(2500);
    expect(times()).toEqual(Array.from({ length: 100 }, (_, index) => index * 25));
    for (const { timeoutMs } of begun) expect(timeoutMs).toBeGreaterThanOrEqual(2500);
  });

  it('shortens the pauses for a short timeout', async () => {
    const { times } = race(2, { timeoutMs: 400 });
    await vi.advanceTimersByTimeAsync(400);
    expect(times()).toEqual([0, 100]);
  });

  it('causes no listener warning of Node with many endpoints', async () => {
    const warnings: string[] = [];
    const hear = ({ name }: Error) => warnings.push(name);
    process.on('warning', hear);
    race(20);
    await vi.advanceTimersByTimeAsync(5000);
    // Node emits warnings in a later turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', hear);
    expect(warnings).toEqual([]);
  });

  it('makes one attempt for one endpoint, and none for an empty list', async () => {
    const one = race(1);
    await nth(one.begun, 0).end('closed');
    expect(one.states()).toEqual(['closed']);
    expect(race(0).promises).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('attempts on every endpoint', () => {
  it('each get their own verdict, even after one opens', async () => {
    const { begun, states } = race(3, { untilFirstOpen: false });
    await nth(begun, 0).end('open');
    expect(states()).toEqual(['open', 'pending', 'pending']);
    await nth(begun, 1).end('closed');
    await nth(begun, 2).end('open');
    expect(states()).toEqual(['open', 'closed', 'open']);
    expect(begun.map(({ signal }) => signal.aborted)).toEqual([false, false, false]);
  });
});

describe('aborting a race', () => {
  it.each([true, false])(
    'cancels pending attempts and untried endpoints (untilFirstOpen: %s)',
    async (untilFirstOpen) => {
      const abortion = new AbortController();
      const { begun, states, times } = race(4, { signal: abortion.signal, untilFirstOpen });
      await vi.advanceTimersByTimeAsync(250);
      await nth(begun, 0).end('closed');
      abortion.abort();
      await vi.advanceTimersByTimeAsync(0);
      expect(states()).toEqual(['closed', 'cancelled', 'cancelled', 'cancelled']);
      expect(times().every((atMs) => atMs <= 250)).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it('cancels every attempt if the abort comes before the start', async () => {
    const { states, begun } = race(3, { signal: AbortSignal.abort() });
    await vi.advanceTimersByTimeAsync(0);
    expect(states()).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(begun.map(({ signal }) => signal.aborted)).toEqual([true, true, true]);
  });

  it('keeps earlier verdicts', async () => {
    const abortion = new AbortController();
    const { begun, states } = race(2, { signal: abortion.signal });
    await nth(begun, 0).end('closed');
    await nth(begun, 1).end('open');
    abortion.abort();
    expect(states()).toEqual(['closed', 'open']);
  });

  it('leaves no listener on the signal after the last attempt', async () => {
    const abortion = new AbortController();
    const { begun } = race(2, { signal: abortion.signal });
    expect(getEventListeners(abortion.signal, 'abort')).toHaveLength(1);
    await nth(begun, 0).end('open');
    expect(getEventListeners(abortion.signal, 'abort')).toHaveLength(0);
  });
});

describe('a race whose attempts reject', () => {
  it('leaves no listener on the signal, as does a race without endpoints', async () => {
    const { signal } = new AbortController();
    const attempt = async () => {
      throw new TypeError('misuse');
    };
    await Promise.allSettled(
      startAttempts([{ address: '127.0.0.1', family: 4, port: 1 }], {
        timeoutMs: 1000,
        untilFirstOpen: true,
        signal,
        attempt,
      }),
    );
    await Promise.all(
      startAttempts([], { timeoutMs: 1000, untilFirstOpen: true, signal, attempt }),
    );
    await new Promise(setImmediate);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('leaves no unhandled rejection if the caller awaits only the first attempt', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const attempt = () => Promise.reject(new RangeError('port'));
    const [first] = startAttempts(endpoints(3), { timeoutMs: 5000, untilFirstOpen: true, attempt });
    await expect(first).rejects.toThrow(RangeError);
    await vi.advanceTimersByTimeAsync(5000);
    // Node reports unhandled rejections after the promises of a turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe('interleaveFamilies', () => {
  const pattern = (text: string) =>
    [...text].map((digit, index) => ({
      family: digit === '6' ? (6 as const) : (4 as const),
      index,
    }));
  const families = (of: readonly { family: 4 | 6 }[]) => of.map(({ family }) => family).join('');

  it.each([
    ['', ''],
    ['4', '4'],
    ['6', '6'],
    ['6644', '6464'],
    ['4466', '4646'],
    ['66664', '64666'],
    ['6444', '6444'],
    ['464', '464'],
    ['4446', '4644'],
  ])('orders the families %j as %j', (before, after) => {
    expect(families(interleaveFamilies(pattern(before)))).toBe(after);
  });

  it('keeps every address, the order within each family and the first address', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('4', '6'), { maxLength: 20 }), (digits) => {
        const before = pattern(digits.join(''));
        const after = interleaveFamilies(before);
        expect(after[0]).toBe(before[0]);
        for (const family of [4, 6])
          expect(after.filter((each) => each.family === family)).toEqual(
            before.filter((each) => each.family === family),
          );
        expect(after).toHaveLength(before.length);
      }),
    );
  });
});

describe('a race in a process that is busy', () => {
  it('does not try a second endpoint when the first has answered', async () => {
    vi.useRealTimers();
    const [{ port }, second] = [await listen(), await listen()];
    const stall = () => block(2 * ATTEMPT_DELAY_MS);
    await nextTurn(); // timers come next
    const attempts = startAttempts(
      [port, second.port].map((each) => ({ address: '127.0.0.1', family: 4, port: each })),
      {
        timeoutMs: 60_000,
        untilFirstOpen: true,
        attempt: (endpoint, timeoutMs, signal, onOpen) =>
          probePort(
            endpoint,
            { timeoutMs, signal },
            { onOpen, createSocket: () => new Socket().once('connectionAttempt', stall) },
          ),
      },
    );
    const states = (await Promise.all(attempts)).map((attempt) => attempt?.state ?? null);
    expect(states).toEqual(['open', null]);
    expect(second.connections).toEqual([]);
  });
});
