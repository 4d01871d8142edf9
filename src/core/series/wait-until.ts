import { onAbort } from '../abort.js';
import { monotonicClock } from '../clock.js';
import type { ProbeEvent } from '../facts/events.js';
import { checkRange, DEFAULT_TIMEOUT_MS, MAX_DURATION_MS, WAIT_DEFAULTS } from '../limits.js';
import { probeTargets } from '../many/probe-targets.js';
import { type Reason, SHORTAGES } from '../states.js';
import type { TargetRequest } from '../target/target-list.js';
import type { Target } from '../target/target.js';
import { type SeriesInternals, type SeriesOptions, wasCutShort } from './probe-series.js';
import { SeriesMemory } from './series-memory.js';
import { StallWatch } from './stall-watch.js';
import { earliestAfter, nextBeat } from './timetable.js';

/** Reasons that waiting does not cure: no such name, no route, not allowed or not usable here. */
const INCURABLE: ReadonlySet<Reason> = new Set<Reason>([
  'name-not-found',
  'name-no-address',
  'no-route',
  'not-permitted',
  'bad-source',
  'unknown-error',
]);

/**
 * Probes under way at once. While a target is silent, each interval starts one more: its SYN is
 * sent now, and the kernel would repeat an earlier one only after 1, 3, 7 s.
 */
const MOST_UNDER_WAY = 10;

/** Probes under way start at least this far apart, also with a shorter interval. Milliseconds. */
const LEAST_APART_MS = 100;

/** A handshake this long may have needed a repeated SYN; the first one is sent after 1 s. */
const REPEATED_SYN_MS = 950;

/** How long to wait, and for what. */
export interface WaitOptions extends Omit<SeriesOptions, 'count' | 'stopWhen' | 'everyAddress'> {
  /** Gives up after this time in milliseconds, 0 or more; default 60000. */
  readonly durationMs?: number;
  /**
   * From the start of one probe to the start of the next, in milliseconds; default 500. A silent
   * target is probed anew while earlier probes wait for it.
   */
  readonly intervalMs?: number;
  /** Also wait for a name that has no address yet; default false. */
  readonly waitForName?: boolean;
  /** Called after each probe that does not end the wait. */
  readonly onProbe?: (event: ProbeEvent) => void;
}

/** How a wait ended. */
export interface WaitResult {
  /** The probe that decided, or the last one; null when the wait ended before there was one. */
  readonly event: ProbeEvent | null;
  /**
   * `expected`: the port is as expected. `timeout`: the time is over. `incurable`: waiting would
   * not help. `aborted`: by the signal.
   */
  readonly end: 'expected' | 'timeout' | 'incurable' | 'aborted';
}

type Judgement = 'expected' | 'incurable' | null;

/** How a probe ends the wait; null when it does not. */
function judgeProbe(
  { verdict, report }: ProbeEvent,
  { timeoutMs = DEFAULT_TIMEOUT_MS, waitForName = false }: WaitOptions,
): Judgement {
  if (verdict.asExpected && !wasCutShort(report, timeoutMs)) return 'expected';
  const { outcome } = report;
  if (!('reason' in outcome) || !INCURABLE.has(outcome.reason)) return null;
  return waitForName && outcome.state === 'unresolved' ? null : 'incurable';
}

const latencyOf = ({ report: { outcome } }: ProbeEvent): number =>
  outcome.state === 'open' ? outcome.latencyMs : 0;

/** A probe under way. */
interface UnderWay {
  readonly sequence: number;
  readonly abortion: AbortController;
  /** The handshake is complete, and the service is being probed. */
  isOpen: boolean;
}

/** The parts of a wait that do not change. */
interface Plan {
  readonly request: TargetRequest;
  readonly options: WaitOptions;
  readonly internals: SeriesInternals;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly endMs: number;
}

/** One wait. */
class Wait {
  readonly #plan: Plan;
  readonly #memory: SeriesMemory;
  readonly #stalls = new StallWatch();
  readonly #underWay = new Map<UnderWay, Promise<void>>();
  readonly #ended: Promise<WaitResult>;
  #resolve: (result: WaitResult) => void = () => {};
  #reject: (cause: unknown) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #holdTimer: NodeJS.Timeout | undefined;
  #dueMs = monotonicClock();
  #latestStartMs = -Infinity;
  #sequence = 0;
  #last: ProbeEvent | null = null;
  /** As expected, but a repeated SYN may have taken most of its time. */
  #held: ProbeEvent | null = null;
  #isOver = false;

  constructor(plan: Plan) {
    this.#plan = plan;
    const { expect = 'open', maxLatencyMs } = plan.options;
    this.#memory = new SeriesMemory({ everyAddress: false, expect, maxLatencyMs });
    this.#ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  async run(): Promise<WaitResult> {
    const stopListening = onAbort(this.#plan.options.signal, () => this.#finish('aborted'));
    try {
      this.#continue();
      return await this.#ended;
    } finally {
      this.#isOver = true;
      stopListening();
      clearTimeout(this.#timer);
      clearTimeout(this.#holdTimer);
      this.#stalls.close();
      for (const { abortion } of this.#underWay.keys()) abortion.abort();
      await Promise.all(this.#underWay.values());
    }
  }

  /** Starts the next probe when it is due, and ends the wait at its end. */
  #continue(): void {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    const { endMs } = this.#plan;
    const nowMs = monotonicClock();
    if (nowMs >= endMs) {
      // Probes under way end with the wait. The first one may be the only one with a verdict.
      if (this.#underWay.size === 0) this.#finish('timeout');
      return;
    }
    const dueMs = this.#nextStart();
    if (dueMs <= nowMs) this.#start(nowMs);
    const waitMs = Math.min(this.#nextStart(), endMs) - nowMs;
    this.#timer = setTimeout(() => this.#continue(), Math.min(Math.ceil(waitMs), MAX_DURATION_MS));
  }

  /** When the next probe may start; not while a service is being probed. */
  #nextStart(): number {
    const underWay = [...this.#underWay.keys()];
    if (underWay.some(({ isOpen }) => isOpen)) return Infinity;
    const apartMs = underWay.length === 0 ? 0 : LEAST_APART_MS;
    const earliestMs = earliestAfter(this.#latestStartMs, this.#plan.intervalMs);
    return Math.max(this.#dueMs, earliestMs, this.#latestStartMs + apartMs);
  }

  #start(nowMs: number): void {
    this.#sequence += 1;
    this.#latestStartMs = nowMs;
    this.#dueMs = nextBeat(this.#dueMs, nowMs, this.#plan.intervalMs);
    // The oldest one stays: only it can hear from a host that is slower than all of them.
    const [, second] = this.#underWay.keys();
    if (second && this.#underWay.size >= MOST_UNDER_WAY) this.#cutShort(second);
    const probe: UnderWay = {
      sequence: this.#sequence,
      abortion: new AbortController(),
      isOpen: false,
    };
    const ended = this.#probe(probe).then(
      () => {
        this.#underWay.delete(probe);
        this.#continue();
      },
      (cause: unknown) => this.#reject(cause),
    );
    this.#underWay.set(probe, ended);
  }

  async #probe(probe: UnderWay): Promise<void> {
    const { request, options, internals, timeoutMs, endMs } = this.#plan;
    const remainingMs = Math.max(endMs - monotonicClock(), 1);
    const probeOptions = {
      ...options,
      timeoutMs: Math.min(timeoutMs, remainingMs),
      shortagePatienceMs: 0, // a single probe cannot exhaust this machine
      signal: probe.abortion.signal,
    };
    const onOpen = (): void => {
      probe.isOpen = true;
    };
    for await (const event of probeTargets([request], probeOptions, { ...internals, onOpen }))
      this.#take(probe, event);
  }

  #cutShort(probe: UnderWay): void {
    probe.abortion.abort();
    this.#underWay.delete(probe);
  }

  #take({ sequence }: UnderWay, probed: ProbeEvent): void {
    if (this.#isOver) return;
    const { outcome, startMs = Infinity } = probed.report;
    const isCutShort = wasCutShort(probed.report, this.#plan.timeoutMs);
    const isShort = 'reason' in outcome && SHORTAGES.has(outcome.reason);
    // Others under way may still say more than one that heard nothing.
    if (isCutShort ? sequence > 1 : isShort && this.#underWay.size > 1) return;
    // What earlier ones may still hear is older than this.
    for (const each of this.#underWay.keys()) if (each.sequence < sequence) this.#cutShort(each);
    const stalledMs = this.#stalls.since(startMs);
    const event = this.#memory.add(probed, { sequence, stalledMs }).probe;
    const judgement = judgeProbe(event, this.#plan.options);
    if (judgement === 'expected') return this.#accept(event);
    this.#held = null;
    clearTimeout(this.#holdTimer);
    this.#last = event;
    if (judgement) this.#finish(judgement);
    else if (!isCutShort) this.#plan.options.onProbe?.(event);
  }

  /** Ends the wait; but if a repeated SYN may have opened the port, one more probe measures it. */
  #accept(event: ProbeEvent): void {
    const latencyMs = latencyOf(event);
    const isFaster = this.#held === null || latencyMs < latencyOf(this.#held);
    this.#last = isFaster ? event : this.#held;
    if (latencyMs < REPEATED_SYN_MS || this.#held) return this.#finish('expected');
    this.#held = event;
    this.#dueMs = monotonicClock();
    this.#latestStartMs = -Infinity;
    const patienceMs = Math.min(latencyMs, MAX_DURATION_MS);
    this.#holdTimer = setTimeout(() => this.#finish('expected'), patienceMs);
  }

  #finish(end: WaitResult['end']): void {
    this.#isOver = true;
    this.#resolve({ event: this.#last, end: this.#held ? 'expected' : end });
  }
}

/**
 * Probes until the port is as expected, the time is over, or waiting cannot help: a name that does
 * not exist (unless `waitForName`), no route, not permitted.
 *
 * @returns how the wait ended; never rejects because of what the network answers
 * @throws UsageError when the target or an option is misused
 */
export async function waitUntil(
  target: Target | TargetRequest,
  options: WaitOptions = {},
  internals: SeriesInternals = {},
): Promise<WaitResult> {
  const request: TargetRequest = 'target' in target ? target : { target };
  const { timeoutMs = DEFAULT_TIMEOUT_MS, ratePerSecond = Infinity } = options;
  const { durationMs = WAIT_DEFAULTS.durationMs, intervalMs = WAIT_DEFAULTS.intervalMs } = options;
  checkRange('intervalMs', intervalMs, 0);
  checkRange('durationMs', durationMs, 0);
  return new Wait({
    request,
    options,
    internals,
    timeoutMs,
    intervalMs: Math.max(intervalMs, 1000 / ratePerSecond),
    endMs: monotonicClock() + durationMs,
  }).run();
}
