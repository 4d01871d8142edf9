import { describe, expect, it } from 'vitest';
import { STARTS_PER_TURN, StartPacer } from '../../../src/core/many/start-pacer.js';

describe('StartPacer', () => {
  it('fills a turn with 12 starts, and begins anew with the next turn', async () => {
    const pacer = new StartPacer(Infinity);
    for (let start = 0; start < STARTS_PER_TURN; start += 1) {
      expect([pacer.isTurnFull, pacer.waitMs]).toEqual([false, 0]);
      pacer.start();
    }
    expect([STARTS_PER_TURN, pacer.isTurnFull]).toEqual([12, true]);
    await new Promise(setImmediate);
    expect(pacer.isTurnFull).toBe(false);
  });

  it('waits for the rate', () => {
    const pacer = new StartPacer(2);
    expect(pacer.waitMs).toBe(0);
    pacer.start();
    expect(pacer.waitMs).toBeGreaterThan(400);
    expect(pacer.waitMs).toBeLessThanOrEqual(500);
  });

  it('catches up with late starts in a burst of a tenth of a second', async () => {
    const pacer = new StartPacer(100);
    await new Promise((resolve) => setTimeout(resolve, 500));
    let starts = 0;
    for (; pacer.waitMs === 0; starts += 1) pacer.start();
    expect(starts).toBeGreaterThanOrEqual(10);
    expect(starts).toBeLessThan(30);
  });
});
