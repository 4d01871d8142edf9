import type { Outage } from '../facts/events.js';
import { type ProbeReport, reasonOf } from '../facts/outcome.js';
import type { Reason } from '../states.js';

/** More changes than these are counted and not kept, so that memory does not grow. */
const MAX_CAUSES = 20;

interface Current {
  readonly from: number;
  last: number;
  probes: number;
  readonly causes: { reason: Reason; count: number }[];
  lastReason: Reason;
  moreCauses: number;
}

/** Finds outages in probes of one endpoint as they come. */
export class OutageTracker {
  #current: Current | undefined;

  /**
   * Takes a probe in.
   *
   * @returns the outage that this probe ended, or null
   */
  add({ outcome, startedAt }: ProbeReport): Outage | null {
    if (outcome.state === 'cancelled') return null;
    const reason = reasonOf(outcome);
    if (reason === null) return this.#end(startedAt, true);
    const current = (this.#current ??= {
      from: startedAt,
      last: startedAt,
      probes: 0,
      causes: [],
      lastReason: reason,
      moreCauses: 0,
    });
    current.probes += 1;
    current.last = startedAt;
    const latest = current.causes.at(-1);
    if (latest && reason === current.lastReason) latest.count += current.moreCauses === 0 ? 1 : 0;
    else if (current.causes.length < MAX_CAUSES) current.causes.push({ reason, count: 1 });
    else current.moreCauses += 1;
    current.lastReason = reason;
    return null;
  }

  /**
   * Ends the outage that is going on, because something else showed that it is over; null when
   * there is none.
   */
  end(at: number): Outage | null {
    return this.#end(at, true);
  }

  /** The outage that is going on, which the end of the run cuts off, or null. */
  finish(): Outage | null {
    return this.#current ? this.#end(this.#current.last, false) : null;
  }

  #end(to: number, over: boolean): Outage | null {
    const current = this.#current;
    if (!current) return null;
    this.#current = undefined;
    const { from, probes, causes, moreCauses } = current;
    // the wall clock may have been set back
    return { from, to, durationMs: Math.max(to - from, 0), over, probes, causes, moreCauses };
  }
}
