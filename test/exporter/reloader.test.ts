import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/core/usage-error.js';
import { ownMetrics } from '../../src/exporter/pages/own-metrics.js';
import { Reloader } from '../../src/exporter/reloader.js';
import { SOON } from '../support/listeners.js';

/** A reloader of a file whose readings end when the test says so. */
function heldReloader() {
  const endings: ((error?: Error) => void)[] = [];
  const file = {
    load: () =>
      new Promise<void>((resolve, reject) => {
        endings.push((error) => (error ? reject(error) : resolve()));
      }),
  };
  const events: string[] = [];
  const metrics = ownMetrics('1.0.0', () => 0);
  const reloader = new Reloader([file], metrics, (event) => events.push(event));
  return { reloader, endings, events };
}

describe('Reloader', () => {
  it('reads again when an earlier reading is over, also one that failed', async () => {
    const { reloader, endings, events } = heldReloader();
    const [first, second] = [reloader.reload(), reloader.reload()];
    await expect.poll(() => endings.length, SOON).toBe(1);
    endings[0]?.(new UsageError('modules: wrong'));
    await expect(first).rejects.toThrow('modules: wrong');
    await expect.poll(() => endings.length, SOON).toBe(2);
    expect(events).toEqual(['reload-failed']);
    endings[1]?.();
    await second;
    expect(events).toEqual(['reload-failed', 'reloaded']);
  });
});
