import { monotonicClock } from '../../core/clock.js';
import { exitCodeOf } from '../../core/states.js';

const INTERRUPTIONS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Milliseconds in which a second signal counts as the first one: timeout(1) signals its child and
 * then the whole process group.
 */
const SAME_SIGNAL_MS = 250;

/** The signals that interrupt a run, as one `AbortSignal`. */
export interface Interruptions {
  readonly signal: AbortSignal;
  /** Stops listening to the signals, unless one came: its twin must not end the process. */
  readonly end: () => void;
}

/**
 * Listens for interruptions. The first SIGINT, SIGTERM or SIGHUP aborts the run, which then ends in
 * order; the second one ends the process. A closed standard output aborts the run, too.
 */
export function listenForInterruptions(): Interruptions {
  const controller = new AbortController();
  let firstMs: number | null = null;
  const interrupt = (): void => {
    firstMs ??= monotonicClock();
    if (monotonicClock() - firstMs > SAME_SIGNAL_MS) process.exit(exitCodeOf('cancelled'));
    controller.abort();
  };
  // Not once(): ora would see no other listener and end the process.
  for (const name of INTERRUPTIONS) process.on(name, interrupt);
  process.stdout.on('error', () => controller.abort()); // the reader is gone (`| head -1`)
  return {
    signal: controller.signal,
    end() {
      if (firstMs !== null) return;
      for (const name of INTERRUPTIONS) process.off(name, interrupt);
    },
  };
}
