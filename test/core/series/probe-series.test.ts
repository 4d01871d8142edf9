import { getEventListeners, once } from 'node:events';
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ProbeEvent } from '../../../src/core/facts/events.js';
import {
  probeSeries,
  type SeriesInternals,
  type SeriesOptions,
} from '../../../src/core/series/probe-series.js';
import { waitUntil } from '../../../src/core/series/wait-until.js';
import { LookupQueue } from '../../../src/core/resolve/lookup-queue.js';
import type { SystemLookup } from '../../../src/core/resolve/system-lookup.js';
import type { Target } from '../../../src/core/target/target.js';
import { UsageError } from '../../../src/core/usage-error.js';
import { answering, collectEvents, outagesOf, probesOf, slowly } from '../../support/events.js';
import { freePort, listen, listenDns, runAlone, silentPort } from '../../support/listeners.js';
import { REAL_TIME } from '../../support/real-time.js';

/** Addresses of this host where no other test takes a free port, so a closed port stays ours. */
const APART = '127.44.0.1';
const SILENT = '127.44.0.2';

const target = (port: number, host = '127.0.0.1'): Target => ({ host, port });

const statesOf = (events: readonly ProbeEvent[]): string[] =>
  events.map(({ report }) => report.outcome.state);

/** The value of a promise and the time it took, in milliseconds. */
async function timed<T>(promise: Promise<T>): Promise<[value: T, elapsedMs: number]> {
  const startMs = performance.now();
  const value = await promise;
  return [value, performance.now() - startMs];
}

/** Runs a series to its end. Returns its probes, its outages and the time it took. */
async function run(
  targets: Parameters<typeof probeSeries>[0],
  options: SeriesOptions,
  internals: SeriesInternals = {},
) {
  const [events, elapsedMs] = await timed(collectEvents(probeSeries(targets, options, internals)));
  return { events, probes: probesOf(events), outages: outagesOf(events), elapsedMs };
}

/** Milliseconds from the start of the first probe to the start of each. */
const startsOf = (probes: readonly ProbeEvent[]): number[] =>
  probes.map(({ report }) => report.startedAt - (probes[0]?.report.startedAt ?? NaN));

describe('probeSeries', () => {
  it('makes `count` probes and numbers them from 1', async () => {
    const { port, connections } = await listen();
    const { events, probes } = await run(target(port), { count: 3, intervalMs: 10 });
    expect(events).toEqual(probes);
    expect(probes.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    for (const probe of probes) {
      expect(probe).toMatchObject({
        report: { target: target(port), outcome: { state: 'open' } },
        verdict: { asExpected: true, exitCode: 0, tooSlow: false },
        lostSynSeconds: null,
        formerAddresses: null,
      });
    }
    await expect.poll(() => connections.length).toBe(3);
  });

  it(
    'keeps the interval from start to start without drift, for slow probes too',
    REAL_TIME,
    async () => {
      const port = await freePort();
      const { probes } = await run(
        target(port, 'mail.test'),
        { count: 6, intervalMs: 200 },
        { systemLookup: slowly(answering(['127.0.0.1']), 150) },
      );
      const starts = startsOf(probes);
      expect(starts).toHaveLength(6);
      expect(starts.at(-1)).toBeGreaterThan(900);
      expect(starts.at(-1)).toBeLessThan(1500); // a pause after each probe would make it 1750
    },
  );

  it('starts the next probe only when a probe longer than the interval has ended', async () => {
    let running = 0;
    let most = 0;
    const lookUp = slowly(answering(['127.0.0.1']), 700);
    const systemLookup: SystemLookup = async (...question) => {
      most = Math.max(most, (running += 1));
      return lookUp(...question).finally(() => {
        running -= 1;
      });
    };
    const { probes } = await run(
      target(await freePort(), 'mail.test'),
      { count: 2, intervalMs: 600 },
      { systemLookup },
    );
    expect(most).toBe(1);
    const [, second] = startsOf(probes);
    expect(second).toBeGreaterThanOrEqual(690);
    expect(second).toBeLessThan(1100); // the beat of the interval would make it 1200
  });

  it('does not catch up after a long probe', async () => {
    const systemLookup = slowly(answering(['127.0.0.1']), 700, 0);
    const { probes } = await run(
      target(await freePort(), 'mail.test'),
      { count: 3, intervalMs: 250 },
      { systemLookup },
    );
    const [, second = NaN, third = NaN] = startsOf(probes);
    expect(second).toBeGreaterThanOrEqual(690);
    expect(third - second).toBeGreaterThan(150);
  });

  it('does not pause with an interval of 0', async () => {
    const { port } = await listen();
    const { probes, elapsedMs } = await run(target(port), { count: 50, intervalMs: 0 });
    expect(probes).toHaveLength(50);
    expect(elapsedMs).toBeLessThan(10_000); // with the usual interval 49 s
  });

  it('does not pause after the last probe', async () => {
    const { port } = await listen();
    const { elapsedMs } = await run(target(port), { count: 1, intervalMs: 60_000 });
    expect(elapsedMs).toBeLessThan(10_000);
  });

  it('closes with a FIN, or with a reset if the source ports could run out', async () => {
    const listener = await listen();
    const firstThree = async (options: SeriesOptions): Promise<void> => {
      for await (const event of probeSeries(target(listener.port), options))
        if (event.type === 'probe' && event.sequence === 3) break;
    };
    await firstThree({ count: 5000, intervalMs: 0 });
    await firstThree({ intervalMs: 10 });
    await firstThree({ intervalMs: 0, closeWith: 'fin' });
    await expect.poll(() => listener.seen).toEqual(Array.from({ length: 9 }, () => 'end'));
    await firstThree({ intervalMs: 0 });
    await expect
      .poll(() => listener.seen.slice(9))
      .toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET']);
  });

  it('ends after the duration, between probes', async () => {
    const { port } = await listen();
    const { probes, elapsedMs } = await run(target(port), { intervalMs: 100, durationMs: 450 });
    expect(probes.length).toBeGreaterThanOrEqual(2);
    expect(probes.length).toBeLessThanOrEqual(5);
    expect(elapsedMs).toBeGreaterThanOrEqual(0.9 * 450);
    expect(elapsedMs).toBeLessThan(3000);
  });

  it('ends after the duration, with a probe under way', async () => {
    const port = await silentPort();
    const { elapsedMs } = await run(target(port), { durationMs: 300, timeoutMs: 60_000 });
    expect(elapsedMs).toBeGreaterThanOrEqual(0.9 * 300);
    expect(elapsedMs).toBeLessThan(5000);
  });

  it('makes no probe with a duration or a count of 0', async () => {
    const { port } = await listen();
    expect((await run(target(port), { durationMs: 0 })).events).toEqual([]);
    expect((await run(target(port), { count: 0 })).events).toEqual([]);
  });

  it('reports the probe for which stopWhen is true, and then ends', async () => {
    const { port } = await listen();
    const asked: number[] = [];
    const { probes } = await run(target(port), {
      intervalMs: 0,
      stopWhen: ({ sequence }) => asked.push(sequence) === 4,
    });
    expect(asked).toEqual([1, 2, 3, 4]);
    expect(probes.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  });

  it('judges each probe by the expected state', async () => {
    const { port } = await listen();
    const closed = target(await freePort());
    const verdicts = async (to: Target, options: SeriesOptions) =>
      (await run(to, { count: 1, ...options })).probes.map(({ verdict }) => verdict);
    expect(await verdicts(target(port), { expect: 'closed' })).toEqual([
      { asExpected: false, exitCode: 5, tooSlow: false },
    ]);
    expect(await verdicts(target(port), { maxLatencyMs: 0 })).toEqual([
      { asExpected: false, exitCode: 5, tooSlow: true },
    ]);
    expect(await verdicts(closed, { expect: 'closed' })).toEqual([
      { asExpected: true, exitCode: 0, tooSlow: false },
    ]);
    expect(await verdicts(closed, { expect: 'filtered' })).toEqual([
      { asExpected: false, exitCode: 1, tooSlow: false },
    ]);
  });

  it.each<[string, SeriesOptions]>([
    ['the port', { count: 1 }],
    ['the timeout', { timeoutMs: 0 }],
    ['the source address', { sourceAddress: 'localhost' }],
    ['the concurrency', { concurrency: 0 }],
  ])('rejects misuse of %s', async (what, options) => {
    const port = what === 'the port' ? 70_000 : 9;
    await expect(collectEvents(probeSeries(target(port), options))).rejects.toThrow(
      /port|timeoutMs|sourceAddress|concurrency/,
    );
  });
});

describe('an aborted series', () => {
  it('makes no probe if it was aborted before the start', async () => {
    const { port, connections } = await listen();
    let asked = 0;
    const systemLookup: SystemLookup = async (...question) => {
      asked += 1;
      return answering(['127.0.0.1'])(...question);
    };
    expect(
      (await run(target(port, 'mail.test'), { signal: AbortSignal.abort() }, { systemLookup }))
        .events,
    ).toEqual([]);
    expect(asked).toBe(0);
    expect(connections).toEqual([]);
  });

  it('ends at once between two probes', async () => {
    const { port } = await listen();
    const abortion = new AbortController();
    const series = probeSeries(target(port), { intervalMs: 60_000, signal: abortion.signal });
    expect((await series.next()).value).toMatchObject({ sequence: 1 });
    const next = series.next(); // now it sleeps
    setTimeout(() => abortion.abort(), 100);
    expect(await timed(next)).toEqual([
      { done: true, value: undefined },
      expect.toSatisfy((elapsedMs: number) => elapsedMs < 10_000) as number,
    ]);
  });

  it('makes no further probe if its consumer aborts it', async () => {
    const { port } = await listen();
    const abortion = new AbortController();
    const sequences: number[] = [];
    for await (const event of probeSeries(target(port), {
      intervalMs: 0,
      signal: abortion.signal,
    })) {
      if (event.type === 'probe') sequences.push(event.sequence);
      if (sequences.length === 2) abortion.abort();
    }
    expect(sequences).toEqual([1, 2]);
  });

  it.each(['resolving', 'connecting'])(
    'ends at once while %s and does not report that probe',
    async (stage) => {
      const port = await silentPort(SILENT);
      await listen(APART, { port });
      const abortion = new AbortController();
      const first = answering([APART]);
      const second: SystemLookup = (...question) => {
        setTimeout(() => abortion.abort(), 100);
        return stage === 'resolving' ? new Promise(() => {}) : answering([SILENT])(...question);
      };
      let asked = 0;
      const systemLookup: SystemLookup = (...question) =>
        ((asked += 1) === 1 ? first : second)(...question);
      const { events, probes, elapsedMs } = await run(
        target(port, 'mail.test'),
        { intervalMs: 0, timeoutMs: 60_000, signal: abortion.signal },
        { systemLookup },
      );
      expect(statesOf(probes)).toEqual(['open']);
      expect(events).toEqual(probes);
      expect(asked).toBe(2);
      expect(elapsedMs).toBeLessThan(10_000);
    },
  );

  it('reports the ongoing outage', async () => {
    const port = await silentPort(SILENT);
    const abortion = new AbortController();
    const systemLookup = answering([APART], [APART], [SILENT]);
    const series = probeSeries(
      target(port, 'mail.test'),
      { intervalMs: 0, timeoutMs: 60_000, signal: abortion.signal },
      { systemLookup },
    );
    const events: unknown[] = [];
    for await (const event of series) {
      events.push(event);
      // This aborts the third probe, which gets no answer.
      if (events.length === 2) setTimeout(() => abortion.abort(), 100);
    }
    expect(events).toMatchObject([
      { type: 'probe', report: { outcome: { state: 'closed' } } },
      { type: 'probe', report: { outcome: { state: 'closed' } } },
      {
        type: 'outage',
        target: target(port, 'mail.test'),
        address: null,
        outage: { over: false, probes: 2, causes: [{ reason: 'conn-refused', count: 2 }] },
      },
    ]);
  });

  it('removes its listeners from the signal however it ends', async () => {
    const { port } = await listen();
    const { signal } = new AbortController();
    await run(
      target(port, 'mail.test'),
      { count: 3, intervalMs: 20, signal },
      { systemLookup: answering(['127.0.0.1', '127.0.0.2']) },
    );
    for await (const _ of probeSeries(target(port), { intervalMs: 20, signal })) break;
    await waitUntil(target(await freePort()), { durationMs: 100, intervalMs: 20, signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('a process that leaves a series', () => {
  /** Runs a script in a process of its own, with `port` open, and returns how it ends. */
  const alone = (script: string) =>
    runAlone(`
    import { createServer } from 'node:net';
    import { probeSeries } from './core/series/probe-series.js';
    import { waitUntil } from './core/series/wait-until.js';
    const server = createServer((socket) => socket.resume()).listen(0, '${APART}', async () => {
      const port = server.address().port;
      ${script}
      server.close();
      console.log('left');
    });
  `);

  it('ends after a `break` during the pause', async () => {
    const result = await alone(`
      const target = { host: '${APART}', port };
      for await (const event of probeSeries(target, { intervalMs: 600_000 })) break;`);
    expect(result).toEqual({ stdout: 'left\n', stderr: '', exitCode: 0 });
  });

  it('ends after a `break` while other targets have not answered', async () => {
    const silent = await silentPort(SILENT);
    const result = await alone(`
      const hosts = [{ host: '${APART}', port }, { host: '${SILENT}', port: ${silent} }];
      const targets = hosts.map((target) => ({ target }));
      const options = { timeoutMs: 600_000, intervalMs: 600_000 };
      for await (const event of probeSeries(targets, options)) break;`);
    expect(result).toEqual({ stdout: 'left\n', stderr: '', exitCode: 0 });
  });

  it('ends after an abort, after the last probe and after waitUntil', async () => {
    const result = await alone(`
      const target = { host: '${APART}', port };
      const abortion = new AbortController();
      const { signal } = abortion;
      for await (const event of probeSeries(target, { intervalMs: 600_000, signal }))
        setTimeout(() => abortion.abort(), 50);
      for await (const event of probeSeries(target, { intervalMs: 600_000, count: 1 }));
      await waitUntil(target, { durationMs: 600_000 });`);
    expect(result).toEqual({ stdout: 'left\n', stderr: '', exitCode: 0 });
  });
});

describe('a name server that does not answer', () => {
  /** Lookups that hang until the test answers them, at most so many at once. */
  function hangingLookups(atOnce: number) {
    const answers: (() => void)[] = [];
    const lookUp: SystemLookup = (...question) =>
      new Promise((resolve) => {
        answers.push(() => void answering(['127.0.0.1'])(...question).then(resolve));
      });
    return { answers, lookups: new LookupQueue(lookUp, { atOnce }) };
  }

  it('is asked anew by each probe of a series', async () => {
    const { port } = await listen();
    const { answers, lookups } = hangingLookups(8);
    const options = { count: 3, intervalMs: 40, timeoutMs: 30 };
    const { probes } = await run(target(port, 'mail.test'), options, { lookups });
    expect(statesOf(probes)).toEqual(['unresolved', 'unresolved', 'unresolved']);
    expect(answers).toHaveLength(3);
  });

  it('gets no verdict from a series without a lookup of its own', async () => {
    const { port } = await listen();
    const { answers, lookups } = hangingLookups(1);
    const events: ProbeEvent[] = [];
    const abortion = new AbortController();
    const options = { intervalMs: 20, timeoutMs: 30, signal: abortion.signal };
    setTimeout(() => answers[0]?.(), 300);
    for await (const event of probeSeries(target(port, 'mail.test'), options, { lookups })) {
      if (event.type !== 'probe') continue;
      events.push(event);
      if (events.length === 1) expect(answers).toHaveLength(1);
      if (events.length === 2) abortion.abort();
    }
    expect(answers).toHaveLength(2); // none was made while the first one had no answer
    const [first, second] = startsOf(events);
    expect((second ?? NaN) - (first ?? NaN)).toBeGreaterThan(200);
  });
});

describe('the addresses of a name in a series', () => {
  it('are reported once when they change, and not if only their order changes', async () => {
    const systemLookup = answering(
      ['127.0.0.1'],
      ['127.0.0.1', '127.0.0.2'],
      ['127.0.0.2', '127.0.0.1'],
      ['127.0.0.2'],
      ['127.0.0.2'],
      ['127.0.0.3'],
    );
    const { probes } = await run(
      target(await freePort(), 'mail.test'),
      { count: 6, intervalMs: 0 },
      { systemLookup },
    );
    expect(probes.map(({ formerAddresses }) => formerAddresses)).toEqual([
      null,
      ['127.0.0.1'],
      null,
      ['127.0.0.2', '127.0.0.1'],
      null,
      ['127.0.0.2'],
    ]);
  });

  it('are remembered while the name does not resolve', async () => {
    const answers = ['127.0.0.1', null, null, '127.0.0.1', null, '127.0.0.2'];
    let asked = 0;
    const { address } = await listenDns((_, name) => {
      const data = answers[asked++];
      return typeof data === 'string' ? [{ type: 'A', name, ttl: 1, data }] : 'NXDOMAIN';
    });
    const { probes } = await run(target(await freePort(), 'mail.test'), {
      count: 6,
      intervalMs: 0,
      dnsServer: address,
      family: 4,
    });
    expect(statesOf(probes)).toEqual([
      'closed',
      'unresolved',
      'unresolved',
      'closed',
      'unresolved',
      'closed',
    ]);
    expect(probes.map(({ formerAddresses }) => formerAddresses)).toEqual([
      null,
      null,
      null,
      null,
      null,
      ['127.0.0.1'],
    ]);
  });

  it('are all probed in each round with everyAddress', async () => {
    const port = await silentPort(SILENT);
    await listen(APART, { port });
    const systemLookup = answering(
      [APART, SILENT, '127.44.0.3'],
      [APART, SILENT, '127.44.0.3'],
      [APART],
    );
    const { probes, outages } = await run(
      target(port, 'mail.test'),
      { count: 3, intervalMs: 0, everyAddress: true, timeoutMs: 800 },
      { systemLookup },
    );
    expect(
      probes.map(
        ({ sequence, report: { outcome } }) =>
          `${sequence} ${'endpoint' in outcome ? outcome.endpoint.address : ''} ${outcome.state}`,
      ),
    ).toEqual([
      `1 ${APART} open`,
      `1 ${SILENT} filtered`,
      '1 127.44.0.3 closed',
      `2 ${APART} open`,
      `2 ${SILENT} filtered`,
      '2 127.44.0.3 closed',
      `3 ${APART} open`,
    ]);
    expect(probes.map(({ verdict }) => verdict.exitCode)).toEqual([0, 2, 1, 0, 2, 1, 0]);
    expect(probes.map(({ formerAddresses }) => formerAddresses?.length ?? null)).toEqual([
      null,
      null,
      null,
      null,
      null,
      null,
      3,
    ]);
    expect(outages).toMatchObject([
      {
        address: SILENT,
        outage: { over: false, probes: 2, causes: [{ reason: 'no-response', count: 2 }] },
      },
      {
        address: '127.44.0.3',
        outage: { over: false, probes: 2, causes: [{ reason: 'conn-refused', count: 2 }] },
      },
    ]);
  });

  it('are reported as changed once in a round with everyAddress', async () => {
    const systemLookup = answering(['127.0.0.1', '127.0.0.2'], ['127.0.0.2', '127.0.0.3']);
    const { probes } = await run(
      target(await freePort(), 'mail.test'),
      { count: 2, intervalMs: 0, everyAddress: true },
      { systemLookup },
    );
    expect(probes.map(({ formerAddresses }) => formerAddresses)).toEqual([
      null,
      null,
      ['127.0.0.1', '127.0.0.2'],
      null,
    ]);
  });
});

describe('an outage in a series', () => {
  it('is reported after the probe that ends it', async () => {
    let listener = await listen(APART);
    const { port } = listener;
    const reported: string[] = [];
    const probes: ProbeEvent[] = [];
    for await (const event of probeSeries(target(port, APART), { count: 7, intervalMs: 20 })) {
      if (event.type === 'outage') {
        reported.push('outage');
        const [from, to] = [probes[2]?.report.startedAt ?? NaN, probes[5]?.report.startedAt ?? NaN];
        expect(event).toEqual({
          type: 'outage',
          target: target(port, APART),
          address: null,
          outage: {
            from,
            to,
            durationMs: expect.closeTo(to - from, -1) as number, // the wall clock has no fractions
            over: true,
            probes: 3,
            causes: [{ reason: 'conn-refused', count: 3 }],
            moreCauses: 0,
          },
        });
        expect(to - from).toBeGreaterThanOrEqual(30); // three intervals, less a late first probe
        continue;
      }
      probes.push(event);
      reported.push(event.report.outcome.state);
      if (event.sequence === 2) await listener.close();
      if (event.sequence === 5) listener = await listen(APART, { port });
    }
    expect(reported).toEqual([
      'open',
      'open',
      'closed',
      'closed',
      'closed',
      'open',
      'outage',
      'open',
    ]);
  });

  it('is reported at the end of the series if it is not over', async () => {
    const { events } = await run(target(await freePort()), { count: 3, intervalMs: 0 });
    expect(events.map(({ type }) => type)).toEqual(['probe', 'probe', 'probe', 'outage']);
    expect(events.at(-1)).toMatchObject({ outage: { over: false, probes: 3 } });
  });

  it('is not reported if the port is expected not to be open', async () => {
    for (const expected of ['closed', 'not-open', 'filtered'] as const) {
      expect(
        (await run(target(await freePort()), { count: 2, intervalMs: 0, expect: expected }))
          .outages,
      ).toEqual([]);
    }
  });

  it('is counted for each target separately', async () => {
    const { port } = await listen();
    const [first, second] = [target(await freePort()), target(await freePort())];
    const { probes, outages } = await run(
      [
        { target: first },
        { target: target(port) },
        { target: second },
        { target: first, expect: 'closed' },
      ],
      { count: 2, intervalMs: 0 },
    );
    expect(
      probes.map(
        ({
          sequence,
          report: {
            target: { port: probed },
          },
          verdict: { exitCode },
        }) => [sequence, probed, exitCode],
      ),
    ).toEqual(
      expect.arrayContaining(
        [1, 2].flatMap((sequence) => [
          [sequence, first.port, 1],
          [sequence, port, 0],
          [sequence, second.port, 1],
          [sequence, first.port, 0],
        ]),
      ),
    );
    expect(probes).toHaveLength(8);
    expect(outages).toMatchObject([
      { target: first, outage: { probes: 2 } },
      { target: second, outage: { probes: 2 } },
    ]);
  });

  it('ends when an unresolved name resolves again, even with everyAddress', async () => {
    let asked = 0;
    const { address } = await listenDns((_, name) =>
      [2, 4].includes((asked += 1)) ? 'NXDOMAIN' : [{ type: 'A', name, ttl: 1, data: '127.0.0.1' }],
    );
    const { port } = await listen();
    const { probes, outages } = await run(target(port, 'mail.test'), {
      count: 5,
      intervalMs: 0,
      everyAddress: true,
      dnsServer: address,
      family: 4,
    });
    expect(statesOf(probes)).toEqual(['open', 'unresolved', 'open', 'unresolved', 'open']);
    expect(outages).toMatchObject([
      { outage: { over: true, probes: 1 } },
      { outage: { over: true, probes: 1 } },
    ]);
  });

  it('does not include a probe that the duration cut off', async () => {
    const port = await silentPort(SILENT);
    await listen(APART, { port });
    const systemLookup = answering([APART], [SILENT]);
    const { probes, outages } = await run(
      target(port, 'mail.test'),
      { intervalMs: 50, durationMs: 400, timeoutMs: 60_000 },
      { systemLookup },
    );
    expect(statesOf(probes)).toEqual(['open']);
    expect(outages).toEqual([]);
  });
});

const SOMETIMES_ACCEPTING = `
const { parentPort, workerData: { host, backlog, gate } } = require('node:worker_threads');
const server = require('node:net').createServer((socket) => {
  socket.on('error', () => {}).resume();
  parentPort.postMessage('accepted');
});
server.listen({ host, port: 0, backlog }, () => parentPort.postMessage(server.address().port));
parentPort.on('message', () => {
  Atomics.store(gate, 0, 1);
  Atomics.wait(gate, 0, 1);
});`;

/**
 * A listener that can be shut to new connections for a while. Then it accepts none and its queue
 * is full. The system drops each SYN, and the client repeats it a second later.
 * On Linux a backlog of 8 has room for nine.
 */
async function gatedListener(): Promise<{
  port: number;
  shut: (accepted: number) => Promise<void>;
  open: () => void;
}> {
  const backlog = 8;
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(SOMETIMES_ACCEPTING, {
    eval: true,
    workerData: { host: SILENT, backlog, gate },
  });
  const fillers: Socket[] = [];
  const open = (): void => {
    Atomics.store(gate, 0, 0);
    Atomics.notify(gate, 0);
  };
  onTestFinished(async () => {
    open();
    for (const filler of fillers) filler.destroy();
    await worker.terminate();
  });
  const [port] = (await once(worker, 'message')) as [number];
  let acceptedSoFar = 0;
  worker.on('message', () => {
    acceptedSoFar += 1;
  });
  return {
    port,
    open,
    async shut(accepted) {
      // Then the queue is empty.
      await expect.poll(() => acceptedSoFar, { timeout: 5000 }).toBe(accepted);
      worker.postMessage('shut');
      await expect.poll(() => Atomics.load(gate, 0), { interval: 1, timeout: 5000 }).toBe(1);
      for (let index = 0; index <= backlog; index += 1) {
        const filler = new Socket()
          .on('error', () => {})
          .connect({ host: SILENT, port, autoSelectFamily: false });
        fillers.push(filler);
        await once(filler, 'connect');
      }
    },
  };
}

describe('a lost SYN in a series', () => {
  // On a busy machine a latency may vary more than the detector allows. In CI REAL_TIME retries.
  it('is detected by a latency 1 s above the others', REAL_TIME, async () => {
    const { port, shut, open } = await gatedListener();
    const found: (number | null)[] = [];
    const latencies: number[] = [];
    for await (const event of probeSeries(target(port, SILENT), { count: 6, intervalMs: 20 })) {
      if (event.type !== 'probe' || event.report.outcome.state !== 'open')
        throw new Error('not open');
      found.push(event.lostSynSeconds);
      latencies.push(event.report.outcome.latencyMs);
      if (event.sequence === 4) {
        await shut(4);
        setTimeout(open, 400); // the SYN is dropped by then, but not repeated so far
      }
    }
    expect(latencies[4]).toBeGreaterThan(950);
    expect(found).toEqual([null, null, null, null, 1, null]);
  });
});

describe('misuse of a series', () => {
  it.each<SeriesOptions>([
    { intervalMs: NaN },
    { intervalMs: -1 },
    { durationMs: NaN },
    { count: NaN },
    { count: 1.5 },
  ])('rejects with a UsageError for %j', async (options) => {
    const { port } = await listen();
    await expect(
      collectEvents(probeSeries(target(port), { count: 2, intervalMs: 0, ...options })),
    ).rejects.toThrow(UsageError);
  });

  it("sleeps through an interval that is longer than Node's longest timer", async () => {
    const result = await runAlone(`
      import { probeSeries } from './core/series/probe-series.js';
      const options = { intervalMs: 2 ** 32, signal: AbortSignal.timeout(300) };
      for await (const event of probeSeries({ host: '127.0.0.1', port: 9 }, options));
    `);
    expect(result).toEqual({ stdout: '', stderr: '', exitCode: 0 });
  });
});
