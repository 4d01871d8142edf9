import type { Outage } from '../facts/events.js';
import { type ProbeReport, reasonOf } from '../facts/outcome.js';
import type { Reason } from '../states.js';

/** More changes than these are counted and not kept, so that memory does not grow. */
const MAX_CAUSES = 20;

/** When a probe began. */
interface Moment {
  /** Milliseconds since the epoch, on a clock that may be set. */
  readonly at: number;
  /** Milliseconds on a clock that is never set. */
  readonly ms: number;
}

interface Current {
  readonly from: Moment;
  last: Moment;
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
  add(report: ProbeReport): Outage | null {
    const { outcome } = report;
    if (outcome.state === 'cancelled') return null;
    const reason = reasonOf(outcome);
    if (reason === null) return this.end(report);
    const moment = momentOf(report);
    const current = (this.#current ??= {
      from: moment,
      last: moment,
      probes: 0,
      causes: [],
      lastReason: reason,
      moreCauses: 0,
    });
    current.probes += 1;
    current.last = moment;
    const latest = current.causes.at(-1);
    if (latest && reason === current.lastReason) latest.count += current.moreCauses === 0 ? 1 : 0;
    else if (current.causes.length < MAX_CAUSES) current.causes.push({ reason, count: 1 });
    else current.moreCauses += 1;
    current.lastReason = reason;
    return null;
  }

  /** The outage that is going on, as long as it is now, or null. */
  get current(): Outage | null {
    return this.#current ? outageOf(this.#current, this.#current.last, false) : null;
  }

  /** Ends the outage that is going on with a probe that shows it; null when there is none. */
  end(report: ProbeReport): Outage | null {
    const current = this.#current;
    this.#current = undefined;
    return current ? outageOf(current, momentOf(report), true) : null;
  }

  /** The outage that is going on and about which no more is known, or null. */
  finish(): Outage | null {
    const { current } = this;
    this.#current = undefined;
    return current;
  }
}

const momentOf = ({ startedAt, startMs = startedAt }: ProbeReport): Moment => ({
  at: startedAt,
  ms: startMs,
});

function outageOf(
  { from, probes, causes, moreCauses }: Current,
  to: Moment,
  over: boolean,
): Outage {
  const durationMs = Math.max(Math.round(to.ms - from.ms), 0);
  const copies = causes.map((cause) => ({ ...cause }));
  return { from: from.at, to: to.at, durationMs, over, probes, causes: copies, moreCauses };
}
