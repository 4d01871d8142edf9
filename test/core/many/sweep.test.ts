import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ProbeEvent } from '../../../src/core/facts/events.js';
import type { ManyInternals, ManyOptions } from '../../../src/core/many/many-options.js';
import { probeTargets, type Requests } from '../../../src/core/many/probe-targets.js';
import { SWEEP_STATE } from '../../../src/core/many/sweep-job.js';
import { parseTargets, type TargetRequest } from '../../../src/core/target/target-list.js';
import { listen, ownLoopback } from '../../support/listeners.js';

/** Used by this file alone: a sweep would connect to the listeners of other tests. */
const HOST = ownLoopback();

const SIZE = 4096;
const sweepWorker = fileURLToPath(new URL('../../../dist/sweep-worker.cjs', import.meta.url));

/** The first port of a range that has this one in it, all of them ports. */
const firstOf = (port: number): number => Math.max(port - SIZE + 1, 1);

function requestsAround(port: number): TargetRequest[] {
  return Array.from({ length: SIZE }, (_, index) => ({
    target: { host: HOST, port: firstOf(port) + index },
  }));
}

async function sweep(
  requests: Requests,
  options: ManyOptions = {},
  internals: ManyInternals = { sweepWorker },
): Promise<ProbeEvent[]> {
  const events: ProbeEvent[] = [];
  for await (const event of probeTargets(requests, options, internals)) events.push(event);
  return events;
}

/** A sweep leaves our own end of a connection out, which a probe in this process does not. */
function isSwept(events: readonly ProbeEvent[], port: number): boolean {
  const event = events.find(({ report }) => report.target.port === port);
  const outcome = event?.report.outcome;
  if (outcome?.state !== 'open') throw new Error(`port ${port} is ${outcome?.state}`);
  return outcome.local === null;
}

describe.runIf(existsSync(sweepWorker))('a long list of addresses', () => {
  it('is swept in its order when it is an array', async () => {
    const { port } = await listen(HOST);
    const requests = requestsAround(port);
    const events = await sweep(requests);
    expect(isSwept(events, port)).toBe(true);
    expect(events.map(({ request }) => request)).toEqual(requests);
    expect(new Set(events.map(({ report }) => report.resolution.via))).toEqual(
      new Set(['literal']),
    );
  });

  it('is swept when it is a block', async () => {
    const { port } = await listen(HOST);
    const block = parseTargets([HOST, `${firstOf(port)}-${firstOf(port) + SIZE - 1}`]);
    const events = await sweep(block);
    expect(events).toHaveLength(SIZE);
    expect(isSwept(events, port)).toBe(true);
  });

  it("judges each endpoint by its own request's expectation", async () => {
    const { port } = await listen(HOST);
    const requests = requestsAround(port).map((request) => ({
      ...request,
      expect: 'not-open' as const,
    }));
    const events = await sweep(requests);
    const unexpected = events.filter(({ verdict }) => !verdict.asExpected);
    expect(unexpected.map(({ report }) => report.target.port)).toContain(port);
    expect(unexpected.length).toBeLessThan(SIZE / 2);
  });

  it.each<[what: string, options: ManyOptions]>([
    ['a family', { family: 4 }],
    ['a source address', { sourceAddress: '127.0.0.1' }],
    ['a rate', { ratePerSecond: 1e9 }],
    ['a watch', { watchMs: 1 }],
    ['resets', { closeWith: 'reset' }],
    ['every address', { everyAddress: true }],
    ['no patience', { shortagePatienceMs: 0 }],
  ])('is probed in this process with %s', async (_, options) => {
    const { port } = await listen(HOST);
    expect(isSwept(await sweep(requestsAround(port), options), port)).toBe(false);
  });

  it('is probed in this process when it is shorter or no thread is built', async () => {
    const { port } = await listen(HOST);
    const requests = requestsAround(port);
    expect(isSwept(await sweep(requests.slice(1)), port)).toBe(false);
    expect(isSwept(await sweep(requests, {}, {}), port)).toBe(false);
  });

  it('keeps to what it was when the caller changes it during the sweep', async () => {
    const { port } = await listen(HOST);
    const requests = requestsAround(port);
    const ports = requests.map(({ target }) => target.port);
    const seen: number[] = [];
    for await (const { report } of probeTargets(requests, {}, { sweepWorker })) {
      seen.push(report.attempts[0]?.endpoint.port ?? 0);
      requests.shift();
    }
    expect(seen).toEqual(ports);
  });

  it('is completed in this process when its threads end early', async () => {
    const { port } = await listen(HOST);
    const folder = mkdtempSync(join(tmpdir(), 'portping-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const briefWorker = join(folder, 'worker.cjs');
    const { silent } = SWEEP_STATE;
    writeFileSync(
      briefWorker,
      `new Uint8Array(require('worker_threads').workerData.states).fill(${silent}, 0, 100);`,
    );
    const requests = requestsAround(port);
    const events = await sweep(requests, {}, { sweepWorker: briefWorker });
    expect(events.map(({ request }) => request)).toEqual(requests);
    expect(events.slice(0, 100).every(({ report }) => report.outcome.state === 'filtered')).toBe(
      true,
    );
    expect(events.slice(100).some(({ report }) => report.outcome.state === 'filtered')).toBe(false);
    expect(isSwept(events, port)).toBe(false);
  });

  it('ends with an error for a request that is misused, after the verdicts before it', async () => {
    const { port } = await listen(HOST);
    const requests = requestsAround(port);
    requests[3] = { target: { host: HOST, port: 70_000 } };
    await expect(sweep(requests)).rejects.toThrow('70000 is out of range');
  });

  it('ends at once when it is aborted', async () => {
    const { port } = await listen(HOST);
    const controller = new AbortController();
    let seen = 0;
    for await (const _ of probeTargets(
      requestsAround(port),
      { signal: controller.signal },
      { sweepWorker },
    )) {
      seen += 1;
      controller.abort();
    }
    expect(seen).toBe(1);
  });

  it('reports that its threads run, once', async () => {
    const { port } = await listen(HOST);
    let calls = 0;
    const onThreads = (): void => {
      calls += 1;
    };
    await sweep(requestsAround(port), {}, { sweepWorker, onThreads });
    expect(calls).toBe(1);
    await sweep(requestsAround(port).slice(1), {}, { sweepWorker, onThreads });
    expect(calls).toBe(1);
  });

  it('is swept by users of the library', async () => {
    const library = new URL('../../../dist/index.js', import.meta.url).href;
    const built = (await import(library)) as { probeTargets: typeof probeTargets };
    const { port } = await listen(HOST);
    const events: ProbeEvent[] = [];
    for await (const event of built.probeTargets(requestsAround(port))) events.push(event);
    expect(isSwept(events, port)).toBe(true);
  });
});
