import type { ExpectationOptions } from '../facts/expectation.js';
import type { ProbeInternals, ProbeOptions } from '../probe/target-probe.js';
import type { LookupQueue } from '../resolve/lookup-queue.js';
import type { Schedule } from './request-source.js';

/** Probes at once by default. More gain little: the processor is the limit (test/bench). */
export const DEFAULT_CONCURRENCY = 500;

/**
 * The default when every target is an address. No lookup waits, and silent targets need to be many
 * at once: 2,000 dropped ports take 5 s instead of 20.
 */
export const CONCURRENCY_OF_ADDRESSES = 2000;

/** Source ports come back within a minute: TIME_WAIT lasts 60 s on Linux. */
export const SHORTAGE_PATIENCE_MS = 75_000;

/** How many targets are probed. */
export interface ManyOptions extends ProbeOptions, ExpectationOptions {
  /**
   * Probes at once, 1 or more; default 500, or 2000 when every target is a literal address and no
   * service is asked. It is lowered while this machine is short of descriptors, source ports or
   * buffers.
   */
  readonly concurrency?: number | undefined;
  /** Probes started in a second, above 0; default no limit. */
  readonly ratePerSecond?: number | undefined;
  /** Probe every address of a name, each with its own verdict; default false. */
  readonly everyAddress?: boolean;
  /**
   * How long a shortage of this machine may last without a success before it is reported,
   * milliseconds; default 75000. 0 reports it at once, and no name waits for other lookups.
   */
  readonly shortagePatienceMs?: number;
}

/** How the program and its tests replace parts of a run. */
export interface ManyInternals extends ProbeInternals {
  /** Where names are looked up; default the queue of this process. */
  readonly lookups?: LookupQueue;
  /** Replaces the requests: targets are probed again and again. */
  readonly schedule?: Schedule;
  /** The built `sweep-worker`; default the one beside the bundle. */
  readonly sweepWorker?: string;
  /** Called when the threads of a sweep run. V8 resets some of its flags for each new thread. */
  readonly onThreads?: () => void;
}
