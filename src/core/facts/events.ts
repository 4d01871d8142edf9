import type { Verdict } from './expectation.js';
import type { ProbeReport } from './outcome.js';
import type { Outage } from '../series/outages.js';
import type { Target } from '../target/target.js';
import type { TargetRequest } from '../target/target-list.js';

/** One probe of a series. */
export interface ProbeEvent {
  readonly type: 'probe';
  /** The round, counted from 1. In one round each target is probed once. */
  readonly sequence: number;
  readonly request: TargetRequest;
  readonly report: ProbeReport;
  readonly verdict: Verdict;
  /** By how many whole seconds the latency is above its neighbours: probably a SYN was lost and repeated. Null when it is not. */
  readonly lostSynSeconds: number | null;
  /** The addresses that the name had before, when they are others now. */
  readonly formerAddresses: readonly string[] | null;
}

/** A stretch of not-open probes that has ended, because the port opened or the series did. */
export interface OutageEvent {
  readonly type: 'outage';
  readonly target: Target;
  /** The address it was about, with `everyAddress`; else null. */
  readonly address: string | null;
  readonly outage: Outage;
}

/** What a series tells as it goes. */
export type SeriesEvent = ProbeEvent | OutageEvent;
