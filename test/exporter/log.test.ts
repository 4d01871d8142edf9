import { expect, it } from 'vitest';
import { jsonLog } from '../../src/exporter/log.js';

/** Bytes of a log that nobody has taken. */
const MIB = 1024 * 1024;

it('A log keeps no more than a mebibyte for a reader that has stalled, and says how many lines it dropped', () => {
  const lines: string[] = [];
  let waitingBytes = 0;
  const log = jsonLog(
    (line) => void lines.push(line),
    () => waitingBytes,
  );
  const events = () =>
    lines
      .splice(0)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .map(({ event, level, number, lines: lost }) => [level, event, number ?? lost]);
  log('probe', { number: 1 });
  waitingBytes = MIB + 1;
  log('probe', { number: 2 });
  log('error', { number: 3 });
  waitingBytes = MIB / 2 + 1; // taken slowly: not yet
  log('probe', { number: 4 });
  expect(events()).toEqual([['info', 'probe', 1]]);
  waitingBytes = MIB / 2;
  log('probe', { number: 5 });
  waitingBytes = MIB;
  log('probe', { number: 6 });
  expect(events()).toEqual([
    ['warning', 'log-lines-lost', 3],
    ['info', 'probe', 5],
    ['info', 'probe', 6],
  ]);
});
