import type { Reason } from '../states.js';
import { type ExpectationOptions, judge, type Verdict } from './expectation.js';
import type { ProbeReport } from './outcome.js';
import type { Target } from '../target/target.js';
import type { TargetRequest } from '../target/target-list.js';

/** A cause of an outage and how many probes in a row had it. */
type OutageCause = {
  readonly reason: Reason;
  readonly count: number;
};

/** A stretch of probes that were not open, or whose service did not answer as it should. */
export interface Outage {
  /** Start of the first probe that was not open, milliseconds since the epoch. */
  readonly from: number;
  /**
   * Start of the first probe that was open again, or of the last one that was not, milliseconds
   * since the epoch.
   */
  readonly to: number;
  /** By a clock that is never set. */
  readonly durationMs: number;
  /**
   * False when the run ended before the port was open again, or the address was no longer one of
   * the name.
   */
  readonly over: boolean;
  /** How many probes it held. */
  readonly probes: number;
  /** The causes in the order they came; see `moreCauses`. */
  readonly causes: readonly OutageCause[];
  /** How many changes of the cause came after those in `causes`. */
  readonly moreCauses: number;
}

/** One probe of a series. */
export interface ProbeEvent {
  readonly type: 'probe';
  /** The number of the probe among those of its target, from 1. */
  readonly sequence: number;
  readonly request: TargetRequest;
  readonly report: ProbeReport;
  readonly verdict: Verdict;
  /**
   * How many seconds a lost SYN cost, as the kernel knows it; else by how many whole seconds the
   * latency is above its neighbours, where that is the probable cause. Null when it is not.
   */
  readonly lostSynSeconds: number | null;
  /**
   * How long this process did not run during the probe, milliseconds: it was stopped, or the
   * machine was too busy. The latency may be too long by that. Null when it ran.
   */
  readonly stalledMs: number | null;
  /** The addresses that the name had before, when they are others now. */
  readonly formerAddresses: readonly string[] | null;
  /** The outage so far, when this probe is part of one; else null. */
  readonly outage: Outage | null;
}

/** The event of a report, judged by what its request or the whole run expects. */
export function probeEvent(
  request: TargetRequest,
  report: ProbeReport,
  options: ExpectationOptions,
): ProbeEvent {
  const expectation =
    request.expect === undefined ? options : { ...options, expect: request.expect };
  return {
    type: 'probe',
    sequence: 1,
    request,
    report,
    verdict: judge(report.outcome, expectation),
    lostSynSeconds: null,
    stalledMs: null,
    formerAddresses: null,
    outage: null,
  };
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
