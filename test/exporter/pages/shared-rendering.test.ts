import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SharedRendering } from '../../../src/exporter/pages/shared-rendering.js';

const STAYS = new AbortController().signal;

/** A rendering that says how often it was made, and ends when it is let. */
function countingRendering() {
  let made = 0;
  const ends: (() => void)[] = [];
  const rendering = new SharedRendering(async () => {
    made += 1;
    const text = `rendering ${made}`;
    await new Promise<void>((resolve) => ends.push(resolve));
    return text;
  });
  const end = async (): Promise<void> => {
    await expect.poll(() => ends.length).toBe(1);
    ends.shift()?.();
  };
  return { rendering, made: () => made, end };
}

describe('a shared rendering', () => {
  it('is made once for all who asked before it started', async () => {
    const { rendering, made, end } = countingRendering();
    const answers = Array.from({ length: 100 }, () => rendering.get(STAYS));
    await end();
    const texts = (await Promise.all(answers)).map(String);
    expect(new Set(texts)).toEqual(new Set(['rendering 1']));
    expect(made()).toBe(1);
  });

  it('is made again for those who asked after it started', async () => {
    const { rendering, made, end } = countingRendering();
    const first = rendering.get(STAYS);
    await expect.poll(made).toBe(1);
    const later = [rendering.get(STAYS), rendering.get(STAYS)];
    await end();
    expect(String(await first)).toBe('rendering 1');
    await end();
    expect((await Promise.all(later)).map(String)).toEqual(['rendering 2', 'rendering 2']);
    const last = rendering.get(STAYS);
    await end();
    expect(String(await last)).toBe('rendering 3');
  });

  it('is not made for those who are gone', async () => {
    const { rendering, made, end } = countingRendering();
    const gone = new AbortController();
    void rendering.get(gone.signal);
    gone.abort();
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    expect(made()).toBe(0);
    void rendering.get(gone.signal);
    const stays = rendering.get(STAYS);
    await end();
    expect(String(await stays)).toBe('rendering 1');
  });

  it('fails for all who wait, and is tried again for the next', async () => {
    let made = 0;
    const rendering = new SharedRendering(() => {
      made += 1;
      if (made === 1) throw new Error('broken');
      return 'whole';
    });
    const results = await Promise.allSettled([rendering.get(STAYS), rendering.get(STAYS)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(String(await rendering.get(STAYS))).toBe('whole');
  });
});
