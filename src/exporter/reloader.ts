import { UsageError } from '../core/usage-error.js';
import type { OwnMetrics } from './pages/own-metrics.js';
import type { Log } from './process/log.js';

/** Something that is read from files and may be read again. */
interface Loadable {
  /** Reads it; if it is wrong, what was read before stays. @throws UsageError */
  load(): Promise<void>;
}

/** Loads the configuration again, and logs and counts how that went. */
export class Reloader {
  readonly #files: readonly Loadable[];
  readonly #metrics: OwnMetrics;
  readonly #log: Log;
  /** The reading that was asked for last. */
  #last: Promise<void> = Promise.resolve();

  constructor(files: readonly Loadable[], metrics: OwnMetrics, log: Log) {
    this.#files = files;
    this.#metrics = metrics;
    this.#log = log;
  }

  /**
   * Reads every file, also after one that is wrong. One reading follows the other: an older one
   * must not replace what a newer one has read.
   *
   * @throws UsageError naming what is wrong first
   */
  reload(): Promise<void> {
    const reading = this.#last.then(() => this.#read());
    this.#last = reading.catch(() => {}); // its caller reports it
    return reading;
  }

  async #read(): Promise<void> {
    const results = await Promise.allSettled(this.#files.map((each) => each.load()));
    const failed = results.find((each) => each.status === 'rejected');
    this.#metrics.recordReload(failed === undefined);
    if (failed === undefined) return this.#log('reloaded', {});
    const error: unknown = failed.reason;
    this.#log('reload-failed', { message: error instanceof Error ? error.message : String(error) });
    throw error;
  }

  /** The same for a signal, whose sender reads only the log. */
  async reloadQuietly(): Promise<void> {
    try {
      await this.reload();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
  }
}
