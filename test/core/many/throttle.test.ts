import { describe, expect, it } from 'vitest';
import { Throttle } from '../../../src/core/many/throttle.js';

/** A clock that stands still until it is moved; never 0. */
function stoppedClock() {
  let nowMs = 1000;
  return { now: () => nowMs, advance: (ms: number) => void (nowMs += ms) };
}

describe('Throttle', () => {
  it('lowers the limit to four fifths of what ran, once a pause', () => {
    const clock = stoppedClock();
    const throttle = new Throttle(100, 75_000, clock.now);
    expect(throttle.pauseMs).toBe(0);
    expect([throttle.fail(50, true), throttle.fail(50, true)]).toEqual([true, true]);
    expect(throttle.limit).toBe(40);
    expect(throttle.pauseMs).toBe(10);
    clock.advance(10);
    expect(throttle.pauseMs).toBe(0);
  });

  it('never lowers the limit below one', () => {
    const throttle = new Throttle(100, 75_000);
    throttle.fail(0, true);
    expect(throttle.limit).toBe(1);
  });

  it('raises the limit with successes, up to where it began', () => {
    const throttle = new Throttle(10, 75_000);
    throttle.fail(5, true);
    expect(throttle.limit).toBe(4);
    for (let success = 0; success < 6; success += 1) throttle.succeed();
    expect(throttle.limit).toBe(5);
    for (let success = 0; success < 1000; success += 1) throttle.succeed();
    expect(throttle.limit).toBe(10);
  });

  it('retries until the patience is over, and a success renews the patience', () => {
    const clock = stoppedClock();
    const throttle = new Throttle(10, 30, clock.now);
    expect(throttle.fail(5, true)).toBe(true);
    clock.advance(50);
    throttle.succeed();
    expect(throttle.fail(5, true)).toBe(true);
    clock.advance(50);
    expect(throttle.fail(5, true)).toBe(false);
  });

  it('retries never without patience', () => {
    expect(new Throttle(10, 0).fail(5, true)).toBe(false);
  });

  it('waits a second at most when nothing under way can end the shortage', () => {
    const clock = stoppedClock();
    const throttle = new Throttle(10, 75_000, clock.now);
    expect(throttle.fail(0, false)).toBe(true);
    clock.advance(1050);
    expect(throttle.fail(0, false)).toBe(false);
    expect(throttle.fail(0, true)).toBe(true);
  });
});
