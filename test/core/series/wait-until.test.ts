import { describe, expect, it } from 'vitest';
import type { ProbeEvent } from '../../../src/core/facts/events.js';
import type { ResolvingFailed } from '../../../src/core/facts/outcome.js';
import type { SeriesInternals } from '../../../src/core/series/probe-series.js';
import { waitUntil, type WaitOptions } from '../../../src/core/series/wait-until.js';
import type { SystemLookup } from '../../../src/core/resolve/system-lookup.js';
import type { Target } from '../../../src/core/target/target.js';
import { UsageError } from '../../../src/core/usage-error.js';
import { answering } from '../../support/events.js';
import { freePort, listen, listenDns, silentPort } from '../../support/listeners.js';

/** Addresses of this host where no other test takes a free port, so a closed port stays ours. */
const APART = '127.44.0.1';
const SILENT = '127.44.0.2';

/** An address without a route: connect() itself fails, on every machine. */
const UNROUTABLE = '255.255.255.255';

const target = (port: number, host = '127.0.0.1'): Target => ({ host, port });

const statesOf = (events: readonly ProbeEvent[]): string[] =>
  events.map(({ report }) => report.outcome.state);

/** The value of a promise and the time it took, in milliseconds. */
async function timed<T>(promise: Promise<T>): Promise<[value: T, elapsedMs: number]> {
  const startMs = performance.now();
  const value = await promise;
  return [value, performance.now() - startMs];
}

/** Milliseconds from the start of the first probe to the start of each. */
const startsOf = (probes: readonly ProbeEvent[]): number[] =>
  probes.map(({ report }) => report.startedAt - (probes[0]?.report.startedAt ?? NaN));

describe('waitUntil', () => {
  /** Waits to the end. Returns how it ended, the events of onProbe and the time it took. */
  async function wait(to: Target, options: WaitOptions, internals: SeriesInternals = {}) {
    const reported: ProbeEvent[] = [];
    const { onProbe } = options;
    const waitOptions: WaitOptions = {
      ...options,
      onProbe: (event) => {
        reported.push(event);
        onProbe?.(event);
      },
    };
    const [result, elapsedMs] = await timed(waitUntil(to, waitOptions, internals));
    return { ...result, reported, elapsedMs };
  }

  it('ends with the first probe if the port is already open', async () => {
    const { port } = await listen();
    const { end, event, reported, elapsedMs } = await wait(target(port), { intervalMs: 60_000 });
    expect([end, event?.sequence, event?.report.outcome.state, event?.verdict.exitCode]).toEqual([
      'expected',
      1,
      'open',
      0,
    ]);
    expect(reported).toEqual([]);
    expect(elapsedMs).toBeLessThan(10_000);
  });

  it('ends within one interval after the port opens', async () => {
    const listener = await listen(APART);
    const { port } = listener;
    await listener.close();
    let openedMs = NaN;
    const { end, event, reported } = await wait(target(port, APART), {
      intervalMs: 400,
      onProbe: ({ sequence }) => {
        if (sequence === 2)
          setTimeout(
            () =>
              void listen(APART, { port }).then(() => {
                openedMs = performance.now();
              }),
            50,
          );
      },
    });
    const lateMs = performance.now() - openedMs;
    expect([end, event?.sequence, event?.report.outcome.state]).toEqual([
      'expected',
      reported.length + 1,
      'open',
    ]);
    expect(reported.length).toBeGreaterThanOrEqual(2);
    expect(new Set(statesOf(reported))).toEqual(new Set(['closed']));
    expect(lateMs).toBeLessThan(2000);
  });

  it('gives up exactly at the deadline if the port refuses', async () => {
    const { end, event, reported, elapsedMs } = await wait(target(await freePort()), {
      durationMs: 700,
      intervalMs: 150,
    });
    expect([end, event?.report.outcome.state, event?.verdict.exitCode]).toEqual([
      'timeout',
      'closed',
      1,
    ]);
    expect(reported.length).toBeGreaterThanOrEqual(2);
    expect(reported.length).toBeLessThanOrEqual(5);
    expect(elapsedMs).toBeGreaterThanOrEqual(0.9 * 700);
    expect(elapsedMs).toBeLessThan(3000);
  });

  it('gives up exactly at the deadline if the port does not answer', async () => {
    const { end, event, elapsedMs } = await wait(target(await silentPort()), {
      durationMs: 500,
      timeoutMs: 60_000,
    });
    expect([end, event?.sequence, event?.report.outcome.state, event?.verdict.exitCode]).toEqual([
      'timeout',
      1,
      'filtered',
      2,
    ]);
    expect(elapsedMs).toBeGreaterThanOrEqual(0.9 * 500);
    expect(elapsedMs).toBeLessThan(5000);
  });

  it('gives up exactly at the deadline if the interval is longer', async () => {
    const { end, elapsedMs } = await wait(target(await freePort()), {
      durationMs: 300,
      intervalMs: 60_000,
    });
    expect(end).toBe('timeout');
    expect(elapsedMs).toBeGreaterThanOrEqual(0.9 * 300);
    expect(elapsedMs).toBeLessThan(10_000);
  });

  it('probes every half second by default', async () => {
    const { reported } = await wait(target(await freePort()), { durationMs: 1400 });
    const [, second = NaN, third = NaN] = startsOf(reported);
    expect(reported).toHaveLength(3);
    expect(second).toBeGreaterThan(400);
    expect(third).toBeGreaterThan(900);
  });

  it('gives up at once if the name does not exist', async () => {
    const { address, questions } = await listenDns(() => 'NXDOMAIN');
    const { end, event, reported, elapsedMs } = await wait(target(9, 'nothing.test'), {
      durationMs: 60_000,
      dnsServer: address,
    });
    expect([end, event?.sequence, event?.verdict.exitCode]).toEqual(['incurable', 1, 3]);
    expect(event?.report.outcome).toMatchObject({ state: 'unresolved', reason: 'name-not-found' });
    expect(reported).toEqual([]);
    expect(questions).toHaveLength(2); // A and AAAA, once
    expect(elapsedMs).toBeLessThan(10_000);
  });

  it('gives up at once if the name has no address', async () => {
    const { address } = await listenDns(() => []);
    const { end, event, reported } = await wait(target(9, 'nothing.test'), {
      durationMs: 60_000,
      dnsServer: address,
    });
    expect([end, event?.report.outcome, reported.length]).toEqual([
      'incurable',
      expect.objectContaining({ reason: 'name-no-address' }),
      0,
    ]);
  });

  it('waits for a name with waitForName', async () => {
    let asked = 0;
    const { address } = await listenDns((_, name) => {
      asked += 1;
      if (asked === 1) return 'NXDOMAIN';
      return asked === 2 ? [] : [{ type: 'A', name, ttl: 1, data: '127.0.0.1' }];
    });
    const { port } = await listen();
    const { end, event, reported } = await wait(target(port, 'soon.test'), {
      durationMs: 60_000,
      intervalMs: 20,
      waitForName: true,
      dnsServer: address,
      family: 4,
    });
    expect([end, event?.sequence]).toEqual(['expected', 3]);
    expect(
      reported.map(({ report: { outcome } }) => 'reason' in outcome && outcome.reason),
    ).toEqual(['name-not-found', 'name-no-address']);
  });

  it('waits for a failing resolver by default', async () => {
    let asked = 0;
    const { address } = await listenDns((_, name) =>
      (asked += 1) === 1 ? 'REFUSED' : [{ type: 'A', name, ttl: 1, data: '127.0.0.1' }],
    );
    const { port } = await listen();
    const { end, event, reported } = await wait(target(port, 'mail.test'), {
      durationMs: 60_000,
      intervalMs: 20,
      dnsServer: address,
      family: 4,
    });
    expect([end, event?.sequence]).toEqual(['expected', 2]);
    expect(
      reported.map(({ report: { outcome } }) => 'reason' in outcome && outcome.reason),
    ).toEqual(['resolver-failed']);
  });

  it.each<[string, string, WaitOptions]>([
    ['there is no route', UNROUTABLE, {}],
    ['there is no route, even with waitForName', UNROUTABLE, { waitForName: true }],
    ['the source address is not of this machine', '127.0.0.1', { sourceAddress: '192.0.2.1' }],
  ])('gives up at once if %s', async (_, host, options) => {
    const { end, event, reported, elapsedMs } = await wait(target(9, host), {
      durationMs: 60_000,
      ...options,
    });
    expect([end, event?.sequence, event?.report.outcome.state, event?.verdict.exitCode]).toEqual([
      'incurable',
      1,
      'failed',
      4,
    ]);
    expect(reported).toEqual([]);
    expect(elapsedMs).toBeLessThan(10_000);
  });

  it.each([
    ['not-permitted', 'incurable'],
    ['no-route', 'incurable'],
    ['bad-source', 'incurable'],
    ['unknown-error', 'incurable'],
    ['no-ports-left', 'timeout'],
    ['no-files-left', 'timeout'],
    ['no-resources', 'timeout'],
  ] as const)('after a probe that failed as %s ends with: %s', async (reason, how) => {
    const failure: ResolvingFailed = {
      state: 'failed',
      reason,
      host: 'mail.test',
      via: 'system',
      elapsedMs: 1,
      error: { code: 'EWHATEVER', errno: null, winsock: null, syscall: null },
    };
    const { end, event } = await wait(
      target(9, 'mail.test'),
      { durationMs: how === 'incurable' ? 60_000 : 200, intervalMs: 20 },
      { resolve: async () => failure },
    );
    expect([end, event?.report.outcome]).toEqual([how, failure]);
  });

  it('makes no probe if it was aborted before the start', async () => {
    const { port, connections } = await listen();
    expect(await waitUntil(target(port), { signal: AbortSignal.abort() })).toEqual({
      end: 'aborted',
      event: null,
    });
    expect(connections).toEqual([]);
  });

  it('returns the last event if it is aborted during the pause', async () => {
    const abortion = new AbortController();
    const { end, event, reported, elapsedMs } = await wait(target(await freePort()), {
      intervalMs: 60_000,
      signal: abortion.signal,
      onProbe: () => void setTimeout(() => abortion.abort(), 50),
    });
    expect([end, event?.report.outcome.state]).toEqual(['aborted', 'closed']);
    expect(reported).toEqual([event]);
    expect(elapsedMs).toBeLessThan(10_000);
  });

  it('returns no event if it is aborted during the first probe', async () => {
    const port = await silentPort();
    const abortion = new AbortController();
    setTimeout(() => abortion.abort(), 200);
    const { end, event, reported, elapsedMs } = await wait(target(port), {
      timeoutMs: 60_000,
      signal: abortion.signal,
    });
    expect({ end, event, reported }).toEqual({ end: 'aborted', event: null, reported: [] });
    expect(elapsedMs).toBeLessThan(10_000);
  });

  it('keeps an earlier refusal if the deadline cuts off the last probe', async () => {
    const port = await silentPort(SILENT);
    const systemLookup = answering([APART], [SILENT]); // refused, then silent
    const { end, event, reported, elapsedMs } = await wait(
      target(port, 'mail.test'),
      { durationMs: 600, intervalMs: 50, timeoutMs: 60_000 },
      { systemLookup },
    );
    expect([end, event?.sequence, event?.report.outcome.state, event?.verdict.exitCode]).toEqual([
      'timeout',
      1,
      'closed',
      1,
    ]);
    expect(reported).toHaveLength(1);
    expect(elapsedMs).toBeGreaterThanOrEqual(0.9 * 600);
  });

  it('keeps an earlier refusal if the deadline cuts off the resolver', async () => {
    const first = answering([APART]);
    let asked = 0;
    const systemLookup: SystemLookup = (...question) =>
      (asked += 1) === 1 ? first(...question) : new Promise(() => {});
    const { end, event } = await wait(
      target(await freePort(), 'mail.test'),
      { durationMs: 400, intervalMs: 50, timeoutMs: 60_000 },
      { systemLookup },
    );
    expect([end, event?.sequence, event?.report.outcome.state]).toEqual(['timeout', 1, 'closed']);
    expect(asked).toBeGreaterThanOrEqual(2);
  });

  it('replaces an earlier refusal if a later probe times out in full', async () => {
    const port = await silentPort(SILENT);
    const { end, event, reported } = await wait(
      target(port, 'mail.test'),
      { durationMs: 900, intervalMs: 50, timeoutMs: 200 },
      { systemLookup: answering([APART], [SILENT]) },
    );
    expect([end, event?.report.outcome.state, event?.verdict.exitCode]).toEqual([
      'timeout',
      'filtered',
      2,
    ]);
    expect(statesOf(reported).slice(0, 2)).toEqual(['closed', 'filtered']);
  });

  it('does not accept a probe that the deadline cut off as filtered', async () => {
    const port = await silentPort(SILENT);
    const { end, event } = await wait(
      target(port, 'mail.test'),
      { expect: 'filtered', durationMs: 400, intervalMs: 50, timeoutMs: 60_000 },
      { systemLookup: answering([APART], [SILENT]) },
    );
    expect([end, event?.report.outcome.state, event?.verdict.exitCode]).toEqual([
      'timeout',
      'closed',
      1,
    ]);
  });

  it('waits until the port is closed with the expectation closed', async () => {
    const listener = await listen(APART);
    const { port } = listener;
    const { end, event, reported } = await wait(target(port, APART), {
      expect: 'closed',
      intervalMs: 20,
      onProbe: ({ sequence }) => {
        if (sequence === 2) void listener.close();
      },
    });
    expect([end, event?.report.outcome.state, event?.verdict]).toEqual([
      'expected',
      'closed',
      { asExpected: true, exitCode: 0, tooSlow: false },
    ]);
    expect(reported.length).toBeGreaterThanOrEqual(2);
    expect(new Set(statesOf(reported))).toEqual(new Set(['open']));
    expect(reported[0]?.verdict.exitCode).toBe(5);
  });

  it("prefers the target's own expectation to the one of the options", async () => {
    const port = await freePort();
    const { end } = await waitUntil(
      { target: target(port), expect: 'closed' },
      { expect: 'open', durationMs: 2000 },
    );
    expect(end).toBe('expected');
  });

  it('keeps waiting while an open port is too slow', async () => {
    const { port } = await listen();
    const { end, event, reported } = await wait(target(port), {
      maxLatencyMs: 0,
      durationMs: 200,
      intervalMs: 50,
    });
    expect([end, event?.report.outcome.state, event?.verdict]).toEqual([
      'timeout',
      'open',
      { asExpected: false, exitCode: 5, tooSlow: true },
    ]);
    expect(reported.length).toBeGreaterThan(0);
  });

  it('rejects with a UsageError for an invalid port or source address', async () => {
    await expect(waitUntil(target(0))).rejects.toThrow(UsageError);
    await expect(waitUntil(target(9), { sourceAddress: 'localhost' })).rejects.toThrow(UsageError);
  });

  it('rejects with the error that onProbe throws', async () => {
    await expect(
      waitUntil(target(await freePort()), {
        onProbe: () => {
          throw new Error('enough');
        },
      }),
    ).rejects.toThrow('enough');
  });

  it('does not call onProbe for a probe that the deadline cut off', async () => {
    const { end, reported } = await wait(target(await silentPort()), {
      durationMs: 300,
      timeoutMs: 60_000,
    });
    expect(end).toBe('timeout');
    expect(reported).toEqual([]);
  });

  it('uses the defaults for options that are undefined', async () => {
    const { reported } = await wait(target(await freePort()), {
      durationMs: 900,
      ...({ intervalMs: undefined } as unknown as WaitOptions),
    });
    expect(reported).toHaveLength(2);
  });

  it('gives up at the deadline while no file descriptor is free', async () => {
    const shortage: ResolvingFailed = {
      state: 'failed',
      reason: 'no-files-left',
      host: 'mail.test',
      via: 'system',
      elapsedMs: 1,
      error: { code: 'EMFILE', errno: -24, winsock: 10024, syscall: 'open' },
    };
    const { end } = await wait(
      target(9, 'mail.test'),
      { durationMs: 300, signal: AbortSignal.timeout(2500) },
      { resolve: async () => shortage },
    );
    expect(end).toBe('timeout');
  });
});
