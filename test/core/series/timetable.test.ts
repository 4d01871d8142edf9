import { describe, expect, it } from 'vitest';
import { nextBeat, Timetable } from '../../../src/core/series/timetable.js';
import type { TargetRequest } from '../../../src/core/target/target-list.js';

const requestOf = (port: number): TargetRequest => ({ target: { host: '192.0.2.1', port } });

/**
 * When the probes of each target start, by port, if each takes as long as this. A stop of the
 * process is a time during which nothing happens.
 */
function startsOf(
  durationsMs: Readonly<Record<number, number>>,
  options: Partial<ConstructorParameters<typeof Timetable>[1]>,
  stop = { fromMs: Infinity, toMs: Infinity },
): Record<number, number[]> {
  let nowMs = 0;
  const requests = Object.keys(durationsMs).map((port) => requestOf(Number(port)));
  const timetable = new Timetable(
    requests,
    { count: Infinity, intervalMs: 200, staggerMs: 0, durationMs: 2000, ...options },
    () => nowMs,
  );
  const starts: Record<number, number[]> = {};
  const ends = new Map<TargetRequest, number>();
  for (; !timetable.isDone; nowMs += 1) {
    if (nowMs === stop.fromMs) nowMs = stop.toMs;
    for (const [request, endMs] of ends)
      if (endMs <= nowMs) {
        timetable.end(request);
        ends.delete(request);
      }
    for (let request = timetable.next(); request; request = timetable.next()) {
      const { port } = request.target;
      (starts[port] ??= []).push(nowMs);
      ends.set(request, nowMs + (durationsMs[port] ?? 0));
    }
  }
  return starts;
}

describe('the timetable of a series', () => {
  it('keeps the interval of each target while another one is slow', () => {
    expect(startsOf({ 1: 5, 2: 1000 }, { durationMs: 1001 })).toEqual({
      1: [0, 200, 400, 600, 800, 1000],
      2: [0, 1000],
    });
  });

  it('starts a probe at the end of one that was longer than the interval', () => {
    expect(startsOf({ 1: 250 }, { count: 4, durationMs: Infinity })).toEqual({
      1: [0, 250, 500, 750],
    });
    expect(startsOf({ 1: 1000 }, { count: 3, durationMs: Infinity })).toEqual({
      1: [0, 1000, 2000],
    });
  });

  it('makes up for a late start without two probes at once, and does not drift', () => {
    const { 1: starts = [] } = startsOf({ 1: 5 }, {}, { fromMs: 250, toMs: 690 });
    expect(starts.map(Math.round)).toEqual([0, 200, 690, 824, 958, 1092, 1226, 1400, 1600, 1800]);
  });

  it('leaves out the beats that passed while the process was stopped', () => {
    const { 1: starts = [] } = startsOf({ 1: 5 }, {}, { fromMs: 250, toMs: 1190 });
    expect(starts).toEqual([0, 200, 1190, 1324, 1458, 1600, 1800]);
    expect(nextBeat(400, 1190, 200)).toBe(1200);
    expect(nextBeat(400, 1_000_190, 200)).toBe(1_000_200);
  });

  it('starts every target again at once with an interval of 0', () => {
    expect(startsOf({ 1: 3 }, { intervalMs: 0, count: 3 })).toEqual({ 1: [0, 3, 6] });
  });

  it('spreads the first probes when the rate is limited', () => {
    expect(startsOf({ 1: 1, 2: 1 }, { staggerMs: 50, count: 2 })).toEqual({
      1: [0, 200],
      2: [50, 250],
    });
  });

  it('waits until the next probe is due or the series ends, else for an event', () => {
    let nowMs = 0;
    const options = { count: 2, intervalMs: 200, staggerMs: 0, durationMs: 250 };
    const timetable = new Timetable([requestOf(1)], options, () => nowMs);
    const request = timetable.next();
    if (!request) throw new TypeError('nothing is due');
    expect([timetable.waitMs, timetable.next(), timetable.sequenceOf(request)]).toEqual([
      null,
      undefined,
      1,
    ]);
    timetable.end(request);
    expect([timetable.waitMs, timetable.remainingMs]).toEqual([200, 250]);
    nowMs = 249;
    expect(timetable.next()).toBe(request);
    timetable.putBack(request);
    expect([timetable.waitMs, timetable.isDone, timetable.next()]).toEqual([0, false, request]);
    timetable.end(request);
    expect([timetable.isDone, timetable.waitMs, timetable.sequenceOf(request)]).toEqual([
      true,
      null,
      2,
    ]);
  });

  it('takes the same request twice as two targets', () => {
    const twice = requestOf(1);
    const options = { count: 1, intervalMs: 0, staggerMs: 0, durationMs: Infinity };
    const timetable = new Timetable([twice, twice], options, () => 0);
    expect([timetable.next(), timetable.next(), timetable.next()]).toEqual([
      twice,
      twice,
      undefined,
    ]);
  });
});
