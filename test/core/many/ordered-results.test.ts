import { describe, expect, it } from 'vitest';
import type { ProbeReport } from '../../../src/core/facts/outcome.js';
import { literalReport } from '../../../src/core/many/literal-report.js';
import { OrderedResults } from '../../../src/core/many/ordered-results.js';

const requestTo = (port: number) => ({ target: { host: '127.0.0.1', port } });

function reportOf(port: number): ProbeReport {
  const endpoint = { address: '127.0.0.1', family: 4, port } as const;
  const attempt = { state: 'cancelled', endpoint, startedAt: 1, elapsedMs: 2 } as const;
  return literalReport(requestTo(port).target, attempt, 5000);
}

/** A report of a name, which is kept whole. */
function reportOfName(port: number): ProbeReport {
  const report = reportOf(port);
  return { ...report, resolution: { ...report.resolution, via: 'system' } };
}

const portsOf = (result: ReturnType<OrderedResults['take']>): number[] =>
  (result?.reports ?? []).map(({ target }) => target.port);

describe('OrderedResults', () => {
  it('gives reports in the order of the starts', () => {
    const results = new OrderedResults(5000);
    const [first, second] = [1, 2].map((port) => results.start(requestTo(port)));
    results.add(second ?? 0, reportOf(2));
    results.complete(second ?? 0);
    expect([results.hasNext, results.take()]).toEqual([false, undefined]);
    results.add(first ?? 0, reportOf(1));
    results.complete(first ?? 0);
    expect(results.hasNext).toBe(true);
    expect([portsOf(results.take()), portsOf(results.take())]).toEqual([[1], [2]]);
    expect([results.take(), results.hasNext]).toEqual([undefined, false]);
  });

  it.each([
    ['a literal address', reportOf],
    ['a name', reportOfName],
  ])('gives the report of %s as it was added', (_, make) => {
    const results = new OrderedResults(5000);
    results.add(results.start(requestTo(7)), make(7));
    expect(results.take()).toEqual({ request: requestTo(7), reports: [make(7)] });
  });

  it('gives reports of an incomplete target as they come, and nothing of the next one', () => {
    const results = new OrderedResults(5000);
    const index = results.start(requestTo(1));
    const next = results.start(requestTo(2));
    results.add(next, reportOf(2));
    results.complete(next);
    results.add(index, reportOf(1));
    results.add(index, reportOf(1));
    expect(portsOf(results.take())).toEqual([1, 1]);
    expect(results.take()).toBeUndefined();
    results.complete(index);
    expect(portsOf(results.take())).toEqual([2]);
  });

  it('is full when 16,000 targets wait for the oldest one', () => {
    const results = new OrderedResults(5000);
    const oldest = results.start(requestTo(1));
    for (let count = 1; count < 15_999; count += 1) results.start(requestTo(2));
    expect(results.isFull).toBe(false);
    results.start(requestTo(2));
    expect(results.isFull).toBe(true);
    results.complete(oldest);
    results.take();
    expect(results.isFull).toBe(false);
  });
});
