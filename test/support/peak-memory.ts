import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** A file for `--require`: the process writes to stderr how much memory it took at most. */
export const REPORT_PEAK = fileURLToPath(new URL('peak-memory.cjs', import.meta.url));

/** The largest amount of memory that such a process reported, MiB. */
export function peakMiB(stderr: string): number {
  const peaks = Array.from(stderr.matchAll(/^peak (\d+) KiB$/gm), ([, peak]) => Number(peak));
  expect(peaks).not.toEqual([]);
  return Math.max(...peaks) / 1024;
}
