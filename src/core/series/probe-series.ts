import { setMaxListeners } from 'node:events';
import { type Clock, monotonicClock } from '../clock.js';
import { MAX_DURATION_MS } from '../limits.js';
import type { ProbeEvent, SeriesEvent } from '../facts/events.js';
import type { ProbeReport } from '../facts/outcome.js';
import { OutageTracker } from './outages.js';
import { DEFAULT_TIMEOUT_MS } from '../limits.js';
import {
  type ManyInternals,
  type ManyOptions,
  SHORTAGE_PATIENCE_MS,
} from '../many/many-options.js';
import { probeTargets } from '../many/probe-targets.js';
import { RetransmissionDetector } from './retransmission.js';
import type { Reason } from '../states.js';
import { formatHostPort, type Target } from '../target/target.js';
import type { TargetRequest } from '../target/target-list.js';

/** How targets are probed again and again. */
export interface SeriesOptions extends ManyOptions {
  /** How often, at the most; default without end. */
  readonly count?: number;
  /** From the start of one probe to the start of the next, milliseconds; default 1000. A probe that takes longer delays the next one. */
  readonly intervalMs?: number;
  /** Ends the series, and a probe that is under way, after so many milliseconds; default never. */
  readonly durationMs?: number;
  /** Ends the series after the probe for which it says so. */
  readonly stopWhen?: (event: ProbeEvent) => boolean;
}

/** From this many probes of one endpoint, closer together than this, on, connections are reset instead of leaving 28,000 ports in TIME_WAIT. */
const MANY = 5000;
const CLOSE_TOGETHER_MS = 10;

/** Waits until the clock says so; less when the signal is aborted. A timer may fire a millisecond early. */
async function sleepUntil(
  timeMs: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (
    let remainingMs = timeMs - clock();
    remainingMs > 0 && !signal?.aborted;
    remainingMs = timeMs - clock()
  ) {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(Math.ceil(remainingMs), MAX_DURATION_MS));
      signal?.addEventListener('abort', wake, { once: true });
    });
  }
}

/** What is remembered about one target, or one address of it, from round to round. */
class Track {
  readonly outages = new OutageTracker();
  readonly retransmissions = new RetransmissionDetector();
  readonly target: Target;
  readonly address: string | null;

  constructor(target: Target, address: string | null) {
    this.target = target;
    this.address = address;
  }
}

const addressesOf = ({ resolution }: ProbeReport): readonly string[] | null =>
  resolution.state === 'resolved' ? resolution.addresses.map(({ address }) => address) : null;

function checkRange(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most))
    throw new RangeError(`${name}: ${value} is out of range; allowed: ${least} or more`);
}

/** How the program and its tests replace parts of a series. */
export type SeriesInternals = ManyInternals;

const asRequests = (targets: Target | readonly TargetRequest[]): readonly TargetRequest[] =>
  'host' in targets ? [{ target: targets }] : targets;

/**
 * Probes a target, or several side by side, again and again: the loop behind repeating and waiting. Names are resolved anew in each round.
 * Ends with the count, the duration, `stopWhen` or the signal; a probe that the signal or the duration cut off is not an event, unless it
 * came to a verdict. Leaving the loop early (`break`) ends it as well.
 *
 * @throws TypeError or RangeError when the options are misused; never because of what the network answers
 */
export async function* probeSeries(
  targets: Target | readonly TargetRequest[],
  options: SeriesOptions = {},
  internals: SeriesInternals = {},
): AsyncGenerator<SeriesEvent, void, undefined> {
  const {
    count = Infinity,
    intervalMs = 1000,
    durationMs = Infinity,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    stopWhen = () => false,
    everyAddress = false,
    ratePerSecond = Infinity,
    signal,
  } = options;
  checkRange('count', count, 0, Infinity);
  if (count !== Infinity && !Number.isInteger(count))
    throw new RangeError(`count: ${count} is out of range; allowed: whole numbers`);
  checkRange('intervalMs', intervalMs, 0, Infinity);
  checkRange('durationMs', durationMs, 0, Infinity);
  if (signal) setMaxListeners(0, signal); // one signal may end many series
  const requests = asRequests(targets);
  const clock = monotonicClock;
  const endMs = clock() + durationMs;
  const tracks = new Map<string, Track>();
  const known = new Map<string, readonly string[]>();
  const closeWith = intervalMs < CLOSE_TOGETHER_MS && count > MANY ? 'reset' : 'fin';
  // As long as one round takes at that rate, so that the next does not begin in the middle of it.
  const roundMs = Math.max(intervalMs, (requests.length * 1000) / ratePerSecond);
  let scheduledMs = clock();
  let stop = false;

  /** The addresses that a name had before, when they are others now: said once. */
  const noticeAddresses = (report: ProbeReport): readonly string[] | null => {
    const now = addressesOf(report);
    if (now === null) return null;
    const former = known.get(report.target.host);
    known.set(report.target.host, now);
    return former && [...former].sort().join() !== [...now].sort().join() ? former : null;
  };

  for (
    let sequence = 1;
    sequence <= count && !stop && !signal?.aborted && clock() < endMs;
    sequence += 1
  ) {
    const remainingMs = Math.max(endMs - clock(), 1);
    // A single probe is not what makes this machine short of something: it is told at once, within its deadline.
    const shortagePatienceMs =
      requests.length === 1
        ? 0
        : Math.min(options.shortagePatienceMs ?? SHORTAGE_PATIENCE_MS, remainingMs);
    const roundOptions: ManyOptions = {
      closeWith,
      ...options,
      timeoutMs: Math.min(timeoutMs, remainingMs),
      shortagePatienceMs,
    };
    const round = probeTargets(requests, roundOptions, internals);
    for await (const probed of round) {
      const { report, request } = probed;
      if (sequence > 1 && wasCutShort(report, timeoutMs)) continue;
      const address =
        everyAddress && 'endpoint' in report.outcome ? report.outcome.endpoint.address : null;
      const name = formatHostPort(report.target.host, report.target.port);
      const key = `${name} ${address}`;
      const track = tracks.get(key) ?? new Track(report.target, address);
      tracks.set(key, track);
      const event: ProbeEvent = {
        ...probed,
        sequence,
        lostSynSeconds: track.retransmissions.add(report.outcome),
        formerAddresses: noticeAddresses(report),
      };
      yield event;
      const outage =
        (request.expect ?? options.expect ?? 'open') === 'open' ? track.outages.add(report) : null;
      if (outage) yield { type: 'outage', target: report.target, address, outage };
      // An outage of the name itself is over when it resolves, whatever its addresses do then.
      const ofName =
        address === null
          ? null
          : (tracks.get(`${name} null`)?.outages.end(report.startedAt) ?? null);
      if (ofName) yield { type: 'outage', target: report.target, address: null, outage: ofName };
      stop = stopWhen(event);
      if (stop) break;
    }
    if (stop || sequence >= count) break;
    scheduledMs = Math.max(scheduledMs + roundMs, clock());
    await sleepUntil(Math.min(scheduledMs, endMs), clock, signal);
  }
  for (const { target, address, outages } of tracks.values()) {
    const outage = outages.finish();
    if (outage) yield { type: 'outage', target, address, outage };
  }
}

/** Whether a probe heard nothing in less than its own time, because the duration of the series was over: that says nothing about the port. */
function wasCutShort({ outcome, timeoutMs }: ProbeReport, ownTimeoutMs: number): boolean {
  if (timeoutMs >= ownTimeoutMs) return false;
  if (outcome.state === 'open') return outcome.service?.state === 'silent';
  return (
    'reason' in outcome &&
    (outcome.reason === 'no-response' || outcome.reason === 'resolver-timeout')
  );
}

/** Reasons that waiting does not cure: the name does not exist, this machine has no way there or forbids it. */
const INCURABLE: ReadonlySet<Reason> = new Set<Reason>([
  'name-not-found',
  'name-no-address',
  'no-route',
  'not-permitted',
  'bad-source',
  'unknown-error',
]);

/** How long to wait, and for what. */
export interface WaitOptions extends Omit<SeriesOptions, 'count' | 'stopWhen' | 'everyAddress'> {
  /** Give up after so many milliseconds; default 60000. */
  readonly durationMs?: number;
  /** From start to start, milliseconds; default 500. */
  readonly intervalMs?: number;
  /** Wait also for a name that does not exist yet. */
  readonly waitForName?: boolean;
  /** Is told of every probe after which the wait goes on. */
  readonly onProbe?: (event: ProbeEvent) => void;
}

/** How a wait ended. */
export interface WaitResult {
  /** The probe that decided; null when the wait ended before there was one. */
  readonly event: ProbeEvent | null;
  /** `expected`: the port is as expected; `timeout`: the time is over; `incurable`: waiting would not help; `aborted`: by the signal. */
  readonly end: 'expected' | 'timeout' | 'incurable' | 'aborted';
}

/** The defaults of waiting, in milliseconds. */
export const WAIT_DEFAULTS = { durationMs: 60_000, intervalMs: 500 } as const;

/**
 * Probes until the port is as expected, the time is over, or waiting cannot help: a name that does not exist (unless `waitForName`),
 * no route, not permitted.
 *
 * @throws TypeError or RangeError when the options are misused; never because of what the network answers
 */
export async function waitUntil(
  target: Target | TargetRequest,
  options: WaitOptions = {},
  internals: SeriesInternals = {},
): Promise<WaitResult> {
  const request: TargetRequest = 'host' in target ? { target } : target;
  const { waitForName = false, onProbe, ...rest } = options;
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
  const isIncurable = ({ report: { outcome } }: ProbeEvent): boolean =>
    'reason' in outcome &&
    INCURABLE.has(outcome.reason) &&
    !(waitForName && outcome.state === 'unresolved');
  let last: ProbeEvent | null = null;
  const { durationMs = WAIT_DEFAULTS.durationMs, intervalMs = WAIT_DEFAULTS.intervalMs } = options;
  const isExpected = ({ verdict, report }: ProbeEvent): boolean =>
    verdict.asExpected && !wasCutShort(report, timeoutMs);
  const stopWhen = (seen: ProbeEvent): boolean => isExpected(seen) || isIncurable(seen);
  const seriesOptions = { ...rest, durationMs, intervalMs, stopWhen };
  for await (const event of probeSeries([request], seriesOptions, internals)) {
    if (event.type !== 'probe') continue;
    last = event;
    if (!stopWhen(event) && !wasCutShort(event.report, timeoutMs)) onProbe?.(event);
  }
  if (last && isExpected(last)) return { event: last, end: 'expected' };
  if (signal?.aborted) return { event: last, end: 'aborted' };
  return { event: last, end: last && isIncurable(last) ? 'incurable' : 'timeout' };
}
