import { expect, it, onTestFinished } from 'vitest';
import { listenForInterruptions } from '../../../src/cli/process/interruptions.js';

/** Listens, and removes what is left of it when the test ends. */
function listenDuringTest(): ReturnType<typeof listenForInterruptions> {
  const before = process.listeners('SIGHUP');
  const interruptions = listenForInterruptions();
  const added = process.listeners('SIGHUP').filter((listener) => !before.includes(listener));
  onTestFinished(() => {
    for (const listener of added)
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, listener);
  });
  return interruptions;
}

it('stops listening at the end of a run without a signal', () => {
  const before = process.listenerCount('SIGHUP');
  const { signal, end } = listenDuringTest();
  expect(process.listenerCount('SIGHUP')).toBe(before + 1);
  end();
  expect(process.listenerCount('SIGHUP')).toBe(before);
  expect(signal.aborted).toBe(false);
});

it('listens on after a signal, whose twin must not end the process', () => {
  const before = process.listenerCount('SIGHUP');
  const { signal, end } = listenDuringTest();
  process.emit('SIGHUP');
  expect(signal.aborted).toBe(true);
  end();
  expect(process.listenerCount('SIGHUP')).toBe(before + 1);
});
