import { getEventListeners, getMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { onAbort } from '../../src/core/abort.js';

describe('onAbort', () => {
  it('calls every listener once, in the order of registration', () => {
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

  it('calls the listener at once if the signal is already aborted', () => {
    const calls: string[] = [];
    onAbort(AbortSignal.abort(), () => calls.push('called'));
    expect(calls).toEqual(['called']);
  });

  it('adds one listener to the signal for many calls and keeps its listener limit', () => {
    const { signal } = new AbortController();
    const limit = getMaxListeners(signal);
    const stops = Array.from({ length: 100 }, () => onAbort(signal, () => {}));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    for (const stop of stops) stop();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(getMaxListeners(signal)).toBe(limit);
  });

  it('does not call a removed listener, even if another listener removed it', () => {
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

  it('listens again after all listeners were removed', () => {
    const controller = new AbortController();
    const calls: string[] = [];
    const stop = onAbort(controller.signal, () => {});
    stop();
    onAbort(controller.signal, () => calls.push('called'));
    stop();
    controller.abort();
    expect(calls).toEqual(['called']);
  });

  it('does nothing without a signal', () => {
    expect(onAbort(undefined, () => expect.unreachable())()).toBeUndefined();
  });
});
