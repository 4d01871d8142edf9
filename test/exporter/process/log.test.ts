import { expect, it } from 'vitest';
import { jsonLog } from '../../../src/exporter/process/log.js';

/** The most bytes that the log buffers. */
const MIB = 1024 * 1024;

it('the log buffers one mebibyte for a stalled reader, then counts the lines it drops', () => {
  const lines: string[] = [];
  let bufferedBytes = 0;
  const log = jsonLog(
    (line) => void lines.push(line),
    () => bufferedBytes,
  );
  const events = () =>
    lines
      .splice(0)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .map(({ event, level, number, lines: lost }) => [level, event, number ?? lost]);
  log('probe', { number: 1 });
  bufferedBytes = MIB + 1;
  log('probe', { number: 2 });
  log('error', { number: 3 });
  bufferedBytes = MIB / 2 + 1; // not yet half free
  log('probe', { number: 4 });
  expect(events()).toEqual([['info', 'probe', 1]]);
  bufferedBytes = MIB / 2;
  log('probe', { number: 5 });
  bufferedBytes = MIB;
  log('probe', { number: 6 });
  expect(events()).toEqual([
    ['warning', 'log-lines-lost', 3],
    ['info', 'probe', 5],
    ['info', 'probe', 6],
  ]);
});
