import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StallWatch } from '../../../src/core/series/stall-watch.js';

describe('StallWatch', () => {
  let nowMs = 0;
  let watch: StallWatch;

  /** Lets the process run for so long. */
  function run(durationMs: number): void {
    for (const endMs = nowMs + durationMs; nowMs < endMs; nowMs += 100) vi.advanceTimersByTime(100);
  }

  beforeEach(() => {
    vi.useFakeTimers();
    nowMs = 1000;
    watch = new StallWatch(() => nowMs);
  });
  afterEach(() => {
    watch.close();
    vi.useRealTimers();
  });

  it('is null for a process that runs, however long the probe', () => {
    run(5000);
    expect(watch.since(1000)).toBeNull();
  });

  it('reports a stop before any timer has run', () => {
    run(1000);
    nowMs += 4000;
    expect(watch.since(2000)).toBeGreaterThanOrEqual(3900);
  });

  it('reports the part of a stop that lies in the probe', () => {
    run(1000);
    nowMs += 4000;
    run(500);
    expect(watch.since(5500)).toBeGreaterThanOrEqual(500);
    expect(watch.since(5500)).toBeLessThan(700);
    expect(watch.since(6100)).toBeNull();
  });

  it('ignores a delay that a busy machine makes', () => {
    run(1000);
    nowMs += 150;
    run(500);
    expect(watch.since(1000)).toBeNull();
  });
});
