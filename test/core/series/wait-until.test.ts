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

/** Addresses of this host where nothing else looks for a free port, so that a port closed for a moment stays ours. */
const APART = '127.44.0.1';
const SILENT = '127.44.0.2';

/** Where nothing can be sent: connect() itself fails, on every machine. */
const UNROUTABLE = '255.255.255.255';

const target = (port: number, host = '127.0.0.1'): Target => ({ host, port });

const statesOf = (events: readonly ProbeEvent[]): string[] =>
  events.map(({ report }) => report.outcome.state);

/** What a promise took, in milliseconds, with its value. */
async function timed<T>(promise: Promise<T>): Promise<[value: T, elapsedMs: number]> {
  const startMs = performance.now();
  const value = await promise;
  return [value, performance.now() - startMs];
}

/** Milliseconds from the start of the first probe to the start of each. */
const startsOf = (probes: readonly ProbeEvent[]): number[] =>
  probes.map(({ report }) => report.startedAt - (probes[0]?.report.startedAt ?? NaN));

describe('waitUntil', () => {
  /** A wait to its end: how it ended, what it told of, and the time it took. */
  async function wait(to: Target, options: WaitOptions, internals: SeriesInternals = {}) {
    const told: ProbeEvent[] = [];
    const { onProbe } = options;
    const waitOptions: WaitOptions = {
      ...options,
      onProbe: (event) => {
        told.push(event);
        onProbe?.(event);
      },
    };
    const [result, elapsedMs] = await timed(waitUntil(to, waitOptions, internals));
    return { ...result, told, elapsedMs };
  }

  it('ends with the first probe when the port is open already', async () => {
    const { port } = await listen();
    const { end, event, told, elapsedMs } = await wait(target(port), { intervalMs: 60_000 });
    expect([end, event?.sequence, event?.report.outcome.state, event?.verdict.exitCode]).toEqual([
      'expected',
      1,
      'open',
      0,
    ]);
    expect(told).toEqual([]);
    expect(elapsedMs).toBeLessThan(10_000);
  });

  it('ends within one interval of the port being opened', async () => {
    const { port, close } = await listen(APART);
    await close();
    let openedMs = NaN;
    const { end, event, told } = await wait(target(port, APART), {
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
      told.length + 1,
      'open',
    ]);
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(new Set(statesOf(told))).toEqual(new Set(['closed']));
    expect(lateMs).toBeLessThan(2000);
  });

  it('gives up when the time is over, and not later, at a port that refuses', async () => {
    const { end, event, told, elapsedMs } = await wait(target(await freePort()), {
      durationMs: 700,
      intervalMs: 150,
    });
    expect([end, event?.report.outcome.state, event?.verdict.exitCode]).toEqual([
      'timeout',
      'closed',
      1,
    ]);
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(told.length).toBeLessThanOrEqual(5);
    expect(elapsedMs).toBeGreaterThanOrEqual(699);
    expect(elapsedMs).toBeLessThan(3000);
  });

  it('gives up when the time is over, and not later, at a port that does not answer', async () => {
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
    expect(elapsedMs).toBeGreaterThanOrEqual(499);
    expect(elapsedMs).toBeLessThan(5000);
  });

  it('gives up when the time is over, and not later, in an interval that is longer', async () => {
    const { end, elapsedMs } = await wait(target(await freePort()), {
      durationMs: 300,
      intervalMs: 60_000,
    });
    expect(end).toBe('timeout');
    expect(elapsedMs).toBeGreaterThanOrEqual(299);
    expect(elapsedMs).toBeLessThan(10_000);
  });

  it('tries every half second unless told otherwise', async () => {
    const { told } = await wait(target(await freePort()), { durationMs: 1400 });
    const [, second = NaN, third = NaN] = startsOf(told);
    expect(told).toHaveLength(3);
    expect(second).toBeGreaterThan(400);
    expect(third).toBeGreaterThan(900);
  });

  it('gives up at once when there is no such name', async () => {
    const { address, questions } = await listenDns(() => 'NXDOMAIN');
    const { end, event, told, elapsedMs } = await wait(target(9, 'nothing.test'), {
      durationMs: 60_000,
      dnsServer: address,
    });
    expect([end, event?.sequence, event?.verdict.exitCode]).toEqual(['incurable', 1, 3]);
    expect(event?.report.outcome).toMatchObject({ state: 'unresolved', reason: 'name-not-found' });
    expect(told).toEqual([]);
    expect(questions).toHaveLength(2); // A and AAAA, once
    expect(elapsedMs).toBeLessThan(10_000);
  });

  it('gives up at once when the name has no address', async () => {
    const { address } = await listenDns(() => []);
    const { end, event, told } = await wait(target(9, 'nothing.test'), {
      durationMs: 60_000,
      dnsServer: address,
    });
    expect([end, event?.report.outcome, told.length]).toEqual([
      'incurable',
      expect.objectContaining({ reason: 'name-no-address' }),
      0,
    ]);
  });

  it('waits for a name when it is told to', async () => {
    let asked = 0;
    const { address } = await listenDns((_, name) => {
      asked += 1;
      if (asked === 1) return 'NXDOMAIN';
      return asked === 2 ? [] : [{ type: 'A', name, ttl: 1, data: '127.0.0.1' }];
    });
    const { port } = await listen();
    const { end, event, told } = await wait(target(port, 'soon.test'), {
      durationMs: 60_000,
      intervalMs: 20,
      waitForName: true,
      dnsServer: address,
      family: 4,
    });
    expect([end, event?.sequence]).toEqual(['expected', 3]);
    expect(told.map(({ report: { outcome } }) => 'reason' in outcome && outcome.reason)).toEqual([
      'name-not-found',
      'name-no-address',
    ]);
  });

  it('waits for a resolver that fails, without being told', async () => {
    let asked = 0;
    const { address } = await listenDns((_, name) =>
      (asked += 1) === 1 ? 'REFUSED' : [{ type: 'A', name, ttl: 1, data: '127.0.0.1' }],
    );
    const { port } = await listen();
    const { end, event, told } = await wait(target(port, 'mail.test'), {
      durationMs: 60_000,
      intervalMs: 20,
      dnsServer: address,
      family: 4,
    });
    expect([end, event?.sequence]).toEqual(['expected', 2]);
    expect(told.map(({ report: { outcome } }) => 'reason' in outcome && outcome.reason)).toEqual([
      'resolver-failed',
    ]);
  });

  it.each<[string, string, WaitOptions]>([
    ['there is no way', UNROUTABLE, {}],
    ['there is no way, also when it would wait for a name', UNROUTABLE, { waitForName: true }],
    ['the source address is not of this machine', '127.0.0.1', { sourceAddress: '192.0.2.1' }],
  ])('gives up at once when %s', async (_, host, options) => {
    const { end, event, told, elapsedMs } = await wait(target(9, host), {
      durationMs: 60_000,
      ...options,
    });
    expect([end, event?.sequence, event?.report.outcome.state, event?.verdict.exitCode]).toEqual([
      'incurable',
      1,
      'failed',
      4,
    ]);
    expect(told).toEqual([]);
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
  ] as const)('ends at a probe that failed as %s with: %s', async (reason, how) => {
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

  it('is aborted before it begins', async () => {
    const { port, connections } = await listen();
    expect(await waitUntil(target(port), { signal: AbortSignal.abort() })).toEqual({
      end: 'aborted',
      event: null,
    });
    expect(connections).toEqual([]);
  });

  it('is aborted while it waits, and says what it saw last', async () => {
    const abortion = new AbortController();
    const { end, event, told, elapsedMs } = await wait(target(await freePort()), {
      intervalMs: 60_000,
      signal: abortion.signal,
      onProbe: () => void setTimeout(() => abortion.abort(), 50),
    });
    expect([end, event?.report.outcome.state]).toEqual(['aborted', 'closed']);
    expect(told).toEqual([event]);
    expect(elapsedMs).toBeLessThan(10_000);
  });

  it('is aborted while it probes', async () => {
    const port = await silentPort();
    const abortion = new AbortController();
    setTimeout(() => abortion.abort(), 200);
    const { end, event, told, elapsedMs } = await wait(target(port), {
      timeoutMs: 60_000,
      signal: abortion.signal,
    });
    expect({ end, event, told }).toEqual({ end: 'aborted', event: null, told: [] });
    expect(elapsedMs).toBeLessThan(10_000);
  });

  it('does not let a last probe that the end cut short overrule an earlier refusal', async () => {
    const port = await silentPort(SILENT);
    const systemLookup = answering([APART], [SILENT]); // refused, then silent
    const { end, event, told, elapsedMs } = await wait(
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
    expect(told).toHaveLength(1);
    expect(elapsedMs).toBeGreaterThanOrEqual(599);
  });

  it('does not let a resolver that the end cut short overrule an earlier refusal', async () => {
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

  it('lets silence that lasted its whole time overrule an earlier refusal', async () => {
    const port = await silentPort(SILENT);
    const { end, event, told } = await wait(
      target(port, 'mail.test'),
      { durationMs: 900, intervalMs: 50, timeoutMs: 200 },
      { systemLookup: answering([APART], [SILENT]) },
    );
    expect([end, event?.report.outcome.state, event?.verdict.exitCode]).toEqual([
      'timeout',
      'filtered',
      2,
    ]);
    expect(statesOf(told).slice(0, 2)).toEqual(['closed', 'filtered']);
  });

  it('does not take a probe that the end cut short for the silence that it waits for', async () => {
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

  it('waits until a port is closed when that is expected', async () => {
    const { port, close } = await listen(APART);
    const { end, event, told } = await wait(target(port, APART), {
      expect: 'closed',
      intervalMs: 20,
      onProbe: ({ sequence }) => {
        if (sequence === 2) void close();
      },
    });
    expect([end, event?.report.outcome.state, event?.verdict]).toEqual([
      'expected',
      'closed',
      { asExpected: true, exitCode: 0, tooSlow: false },
    ]);
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(new Set(statesOf(told))).toEqual(new Set(['open']));
    expect(told[0]?.verdict.exitCode).toBe(5);
  });

  it('takes what is expected of this target before what is expected of all', async () => {
    const port = await freePort();
    const { end } = await waitUntil(
      { target: target(port), expect: 'closed' },
      { expect: 'open', durationMs: 2000 },
    );
    expect(end).toBe('expected');
  });

  it('waits on while an open port is too slow', async () => {
    const { port } = await listen();
    const { end, event, told } = await wait(target(port), {
      maxLatencyMs: 0,
      durationMs: 200,
      intervalMs: 50,
    });
    expect([end, event?.report.outcome.state, event?.verdict]).toEqual([
      'timeout',
      'open',
      { asExpected: false, exitCode: 5, tooSlow: true },
    ]);
    expect(told.length).toBeGreaterThan(0);
  });

  it('rejects misuse', async () => {
    await expect(waitUntil(target(0))).rejects.toThrow(UsageError);
    await expect(waitUntil(target(9), { sourceAddress: 'localhost' })).rejects.toThrow(UsageError);
  });

  it('passes on what the one throws who is told', async () => {
    await expect(
      waitUntil(target(await freePort()), {
        onProbe: () => {
          throw new Error('enough');
        },
      }),
    ).rejects.toThrow('enough');
  });

  it('tells of no probe that used the time up', async () => {
    const { end, told } = await wait(target(await silentPort()), {
      durationMs: 300,
      timeoutMs: 60_000,
    });
    expect(end).toBe('timeout');
    expect(told).toEqual([]);
  });

  it('has its defaults also for options that are undefined', async () => {
    const { told } = await wait(target(await freePort()), {
      durationMs: 900,
      ...({ intervalMs: undefined } as unknown as WaitOptions),
    });
    expect(told).toHaveLength(2);
  });

  it('gives up when the time is over also while this machine is short of descriptors', async () => {
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
