import { getEventListeners, getMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { onAbort } from '../../src/core/abort.js';

describe('onAbort', () => {
  it('calls every listener once, in the order they came', () => {
    const controller = new AbortController();
    const calls: string[] = [];
    const first = (): void => void calls.push('first');
    onAbort(controller.signal, first);
    onAbort(controller.signal, () => calls.push('second'));
    onAbort(controller.signal, first);
    controller.abort();
    controller.abort();
    expect(calls).toEqual(['first', 'second', 'first']);
  });

  it('calls at once for a signal that is already aborted', () => {
    const calls: string[] = [];
    onAbort(AbortSignal.abort(), () => calls.push('called'));
    expect(calls).toEqual(['called']);
  });

  it('adds one listener to the signal for many calls and leaves its limit alone', () => {
    const { signal } = new AbortController();
    const limit = getMaxListeners(signal);
    const stops = Array.from({ length: 100 }, () => onAbort(signal, () => {}));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    for (const stop of stops) stop();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(getMaxListeners(signal)).toBe(limit);
  });

  it('does not call a listener that has stopped waiting, even when another one stops it', () => {
    const controller = new AbortController();
    const calls: string[] = [];
    const stop = onAbort(controller.signal, () => calls.push('stopped at first'));
    onAbort(controller.signal, () => {
      calls.push('kept');
      stopLater();
    });
    const stopLater = onAbort(controller.signal, () => calls.push('stopped by another'));
    stop();
    stop();
    controller.abort();
    expect(calls).toEqual(['kept']);
  });

  it('listens again after all had stopped', () => {
    const controller = new AbortController();
    const calls: string[] = [];
    const stop = onAbort(controller.signal, () => {});
    stop();
    onAbort(controller.signal, () => calls.push('called'));
    stop();
    controller.abort();
    expect(calls).toEqual(['called']);
  });

  it('waits for nothing without a signal', () => {
    expect(onAbort(undefined, () => expect.unreachable())()).toBeUndefined();
  });
});
