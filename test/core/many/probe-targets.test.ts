import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ProbeEvent } from '../../../src/core/facts/events.js';
import type { Resolution } from '../../../src/core/facts/outcome.js';
import type { ManyInternals, ManyOptions } from '../../../src/core/many/many-options.js';
import { probeTargets, type Requests } from '../../../src/core/many/probe-targets.js';
import { LookupQueue } from '../../../src/core/resolve/lookup-queue.js';
import type { TargetRequest } from '../../../src/core/target/target-list.js';
import { freePort, listen, silentPort } from '../../support/listeners.js';
import { block } from '../../support/real-time.js';
import { errorOf } from '../../support/reports.js';

const requestsTo = (...ports: number[]): TargetRequest[] =>
  ports.map((port) => ({ target: { host: '127.0.0.1', port } }));

async function allOf(
  requests: Requests,
  options: ManyOptions = {},
  internals: ManyInternals = {},
): Promise<ProbeEvent[]> {
  const events: ProbeEvent[] = [];
  for await (const event of probeTargets(requests, options, { skipWarmUp: true, ...internals }))
    events.push(event);
  return events;
}

const seen = ({ report: { target, outcome } }: ProbeEvent): string =>
  `${target.port} ${outcome.state}`;

/** Resolves every name to 127.0.0.1, unless the answers given come first. */
function resolverOf(answers: readonly Partial<Resolution>[] = []): {
  readonly asked: string[];
  readonly resolve: NonNullable<ManyInternals['resolve']>;
} {
  const asked: string[] = [];
  return {
    asked,
    async resolve(host) {
      const answer = answers[asked.length];
      asked.push(host);
      return {
        host,
        via: 'system',
        elapsedMs: 1,
        state: 'resolved',
        addresses: [{ address: '127.0.0.1', family: 4 }],
        ...answer,
      } as Resolution;
    },
  };
}

describe('probeTargets', () => {
  it('reports targets in their order, also when the first ends last', async () => {
    const [silent, open, closed] = [await silentPort(), await listen(), await freePort()];
    const events = await allOf(requestsTo(silent, open.port, closed), { timeoutMs: 300 });
    expect(events.map(seen)).toEqual([
      `${silent} filtered`,
      `${open.port} open`,
      `${closed} closed`,
    ]);
  });

  it('reports all that a single probe reports', async () => {
    const { port } = await listen();
    const [event] = await allOf(
      [{ target: { host: '127.0.0.1', port }, expect: 'closed', origin: 'list:1' }],
      { timeoutMs: 2000 },
    );
    expect(event).toMatchObject({
      type: 'probe',
      sequence: 1,
      request: { expect: 'closed', origin: 'list:1' },
      verdict: { asExpected: false, exitCode: 5 },
      report: {
        timeoutMs: 2000,
        resolution: {
          state: 'resolved',
          host: '127.0.0.1',
          via: 'literal',
          elapsedMs: 0,
          addresses: [{ address: '127.0.0.1', family: 4 }],
        },
      },
    });
    expect(event?.report.attempts).toEqual([event?.report.outcome]);
  });

  it('reports targets as they end, not only when all have', async () => {
    const { port } = await listen();
    let release = (): void => {};
    async function* requests() {
      yield* requestsTo(port);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      yield* requestsTo(port);
    }
    const events = probeTargets(requests(), {}, { skipWarmUp: true });
    expect((await events.next()).value).toMatchObject({ report: { outcome: { state: 'open' } } });
    release();
    expect((await events.next()).done).toBe(false);
    expect((await events.next()).done).toBe(true);
  });

  it('measures latencies without the time that the caller takes for other reports', async () => {
    const ports = [await freePort()]; // its report comes first, while the others connect
    for (let count = 0; count < 8; count += 1) ports.push((await listen()).port);
    const latencies: number[] = [];
    for await (const { report } of probeTargets(requestsTo(...ports))) {
      if (report.outcome.state === 'open') latencies.push(report.outcome.latencyMs);
      block(200); // a slow reader
    }
    expect(latencies).toHaveLength(8);
    expect(Math.max(...latencies)).toBeLessThan(150);
  });

  it('takes requests only when there is room for them, so that they may be endless', async () => {
    const { port } = await listen();
    let given = 0;
    let ended = false;
    function* endless() {
      try {
        for (;;) {
          given += 1;
          yield* requestsTo(port);
        }
      } finally {
        ended = true;
      }
    }
    let reported = 0;
    for await (const event of probeTargets(endless(), { concurrency: 10 }, { skipWarmUp: true })) {
      expect(event.report.outcome.state).toBe('open');
      reported += 1;
      if (reported === 100) break;
    }
    expect([reported, ended]).toEqual([100, true]);
    expect(given).toBeLessThan(1000);
  });

  it('never runs more probes at once than allowed', async () => {
    const silent = await silentPort();
    const { asked, resolve } = resolverOf();
    let most = 0;
    let reported = 0;
    const requests = Array.from({ length: 9 }, (_, index) => ({
      target: { host: `h${index}`, port: silent },
    }));
    for await (const event of probeTargets(
      requests,
      { concurrency: 3, timeoutMs: 100 },
      { skipWarmUp: true, resolve },
    )) {
      expect(event.report.outcome.state).toBe('filtered');
      most = Math.max(most, asked.length - reported);
      reported += 1;
    }
    expect(reported).toBe(9);
    expect(most).toBeLessThanOrEqual(6); // three under way, three that ended and wait
  });

  it('resolves each name once', async () => {
    const { port } = await listen();
    const { asked, resolve } = resolverOf();
    const requests = ['a', 'b', 'a', 'a', 'b'].map((host) => ({ target: { host, port } }));
    expect(await allOf(requests, {}, { resolve })).toHaveLength(5);
    expect(asked).toEqual(['a', 'b']);
  });

  it('retries a probe for which this machine had no descriptor', async () => {
    const { port } = await listen();
    const short = { state: 'failed', reason: 'no-files-left', error: errorOf('EMFILE') } as const;
    const { asked, resolve } = resolverOf([short, short]);
    const requests = ['a', 'b', 'c'].map((host) => ({ target: { host, port } }));
    const events = await allOf(requests, { concurrency: 2 }, { resolve }).catch(
      (error: unknown) => error,
    );
    expect(
      (events as ProbeEvent[]).map(
        ({ report: { target, outcome } }) => `${target.host} ${outcome.state}`,
      ),
    ).toEqual(['a open', 'b open', 'c open']);
    expect(asked.length).toBeGreaterThan(3);
  });

  it('retries the last of several probes that were short for a second', async () => {
    const { port } = await listen();
    const short = { state: 'failed', reason: 'no-files-left', error: errorOf('EMFILE') } as const;
    const { asked, resolve: answer } = resolverOf([short, short]);
    const resolve: typeof answer = async (...question) => {
      const [host] = question;
      // `b` ends as the last one under way, when nothing has succeeded for more than a second.
      const isLast = host === 'b' && !asked.includes('b');
      const answered = await answer(...question);
      if (isLast) await sleep(1050);
      return answered;
    };
    const requests = ['a', 'b'].map((host) => ({ target: { host, port } }));
    const events = await allOf(requests, { concurrency: 2 }, { resolve });
    expect(events.map(({ report: { outcome } }) => outcome.state)).toEqual(['open', 'open']);
    expect(asked).toEqual(['a', 'b', 'a', 'b']);
  });

  it('reports a shortage at once when there is no patience', async () => {
    const short = { state: 'failed', reason: 'no-files-left', error: errorOf('EMFILE') } as const;
    const { resolve } = resolverOf(Array.from({ length: 100 }, () => short));
    const events = await allOf(
      [{ target: { host: 'a', port: 1 } }],
      { shortagePatienceMs: 0 },
      { resolve },
    );
    expect(events.map(({ report: { outcome } }) => outcome)).toMatchObject([
      { state: 'failed', reason: 'no-files-left' },
    ]);
  });

  it('throws the error of the iterable after the verdicts on requests before it', async () => {
    const [silent, open] = [await silentPort(), await listen()];
    async function* requests() {
      yield* requestsTo(silent, open.port);
      throw new Error('the file is gone');
    }
    const reported: string[] = [];
    await expect(async () => {
      for await (const event of probeTargets(requests(), { timeoutMs: 300 }, { skipWarmUp: true }))
        reported.push(seen(event));
    }).rejects.toThrow('the file is gone');
    expect(reported).toEqual([`${silent} filtered`, `${open.port} open`]);
    await expect(
      allOf({
        [Symbol.iterator]: () => {
          throw new Error('at once');
        },
      }),
    ).rejects.toThrow('at once');
  });

  it('accepts an iterable with foreign promises', async () => {
    const { port } = await listen();
    const items = requestsTo(port, port);
    const iterator = {
      next: () => ({
        then: (resolve: (result: IteratorResult<TargetRequest>) => void) => {
          const value = items.shift();
          resolve(value ? { done: false, value } : { done: true, value: undefined });
        },
      }),
    };
    const events = await allOf({
      [Symbol.asyncIterator]: () => iterator,
    } as unknown as AsyncIterable<TargetRequest>);
    expect(events.map(seen)).toEqual([`${port} open`, `${port} open`]);
  });

  it('closes the iterable when the caller leaves while a request is awaited', async () => {
    const { port } = await listen();
    let give = (): void => {};
    let closed = false;
    async function* requests() {
      try {
        yield* requestsTo(port);
        await new Promise<void>((resolve) => {
          give = resolve;
        });
        yield* requestsTo(port);
      } finally {
        closed = true;
      }
    }
    for await (const _ of probeTargets(requests(), {}, { skipWarmUp: true })) break;
    expect(closed).toBe(false);
    give();
    await expect.poll(() => closed).toBe(true);
  });

  it('starts at most 16,000 targets after the oldest one without a verdict', async () => {
    const silent = await silentPort();
    let given = 0;
    let most = 0;
    function* requests() {
      yield* requestsTo(silent);
      for (; given < 40_000; given += 1) yield { target: { host: '127.0.0.1', port: 1 } };
    }
    for await (const {
      report: { outcome },
    } of probeTargets(requests(), { timeoutMs: 8000 }, { skipWarmUp: true }))
      if (outcome.state === 'filtered') most = given;
    expect(given).toBe(40_000);
    expect(most).toBeLessThanOrEqual(16_001);
  });

  it('causes no warning when one signal ends many lookups and probes', async () => {
    const warnings: string[] = [];
    const note = (warning: Error): void => {
      warnings.push(warning.name);
    };
    process.on('warning', note);
    const names = Array.from({ length: 30 }, (_, index) => ({
      target: { host: `h${index}.invalid`, port: 1 },
    }));
    const lookups = new LookupQueue(() => new Promise(() => {}), { atOnce: Infinity });
    const events = await allOf(
      names,
      { timeoutMs: 200, signal: new AbortController().signal },
      { lookups },
    );
    const silent = await silentPort();
    const every = await allOf(requestsTo(...Array<number>(30).fill(silent)), {
      timeoutMs: 200,
      everyAddress: true,
      service: { name: 'smtp' },
    });
    await new Promise(setImmediate);
    process.off('warning', note);
    expect([events.length, every.length, warnings]).toEqual([30, 30, []]);
  });

  it('ends at once when it is aborted, after the verdicts so far', async () => {
    const [open, silent] = [await listen(), await silentPort()];
    const controller = new AbortController();
    const states: string[] = [];
    for await (const event of probeTargets(
      requestsTo(open.port, silent, silent),
      { timeoutMs: 60_000, signal: controller.signal },
      { skipWarmUp: true },
    )) {
      states.push(event.report.outcome.state);
      controller.abort();
    }
    expect(states).toEqual(['open']);
  });

  it('throws a UsageError for what is no request', async () => {
    const message = 'requests: undefined is not a request; allowed: { target: { host, port } }';
    const holed = new Array<TargetRequest>(1).concat(requestsTo(1));
    await expect(allOf(holed)).rejects.toThrow(message);
    const strange = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(undefined) }),
    } as unknown as AsyncIterable<TargetRequest>;
    await expect(allOf(strange)).rejects.toThrow(message);
  });

  it.each([
    [{ concurrency: 0 }, 'concurrency: 0 is out of range; allowed: 1 or more'],
    [{ ratePerSecond: 0 }, 'ratePerSecond: 0 is out of range; allowed: above 0'],
    [{ timeoutMs: 0 }, 'timeoutMs: 0 is out of range; allowed: above 0, at most 2147483647'],
  ])('refuses %j', async (options, message) => {
    await expect(allOf(requestsTo(1), options)).rejects.toThrow(message);
  });
});
