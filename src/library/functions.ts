import { type Diagnosis, diagnose as diagnoseTarget } from '../core/diagnosis/diagnose.js';
import type { DiagnoseOptions } from '../core/diagnosis/observations/options.js';
import type { ProbeEvent, SeriesEvent } from '../core/facts/events.js';
import {
  type ExpectationOptions,
  judge as judgeOutcome,
  type Verdict,
} from '../core/facts/expectation.js';
import type { Attempt, Outcome, ProbeReport, Resolution } from '../core/facts/outcome.js';
import type { ManyOptions } from '../core/many/many-options.js';
import { probeTargets as probeMany, type Requests } from '../core/many/probe-targets.js';
import { type AttemptOptions, probePort as attemptPort } from '../core/probe/port-probe.js';
import {
  probeEveryAddress as probeAddresses,
  type ProbeOptions,
  probeTarget as probeOnce,
} from '../core/probe/target-probe.js';
import { resolveHost as resolveName, type ResolveOptions } from '../core/resolve/resolver.js';
import { probeSeries as probeAgain, type SeriesOptions } from '../core/series/probe-series.js';
import {
  type WaitOptions,
  type WaitResult,
  waitUntil as waitForTarget,
} from '../core/series/wait-until.js';
import { runtimeRefusal } from '../core/runtime.js';
import type { TargetRequest } from '../core/target/target-list.js';
import { checkTarget, type Endpoint, type Target } from '../core/target/target.js';
import { UsageError } from '../core/usage-error.js';
import { checkOptions } from './option-check.js';

/** The names of the options of each function. The compiler finds a name that is missing here. */
type Names<T> = Readonly<Record<keyof T, true>>;

const RESOLVE: Names<ResolveOptions> = {
  family: true,
  timeoutMs: true,
  signal: true,
  dnsServer: true,
};
const ATTEMPT: Names<AttemptOptions> = {
  timeoutMs: true,
  signal: true,
  sourceAddress: true,
  watchMs: true,
  closeWith: true,
};
const PROBE: Names<ProbeOptions> = { ...RESOLVE, ...ATTEMPT, service: true };
const EXPECTATION: Names<ExpectationOptions> = { expect: true, maxLatencyMs: true };
const MANY: Names<ManyOptions> = {
  ...PROBE,
  ...EXPECTATION,
  concurrency: true,
  ratePerSecond: true,
  everyAddress: true,
  shortagePatienceMs: true,
};
const SERIES: Names<SeriesOptions> = {
  ...MANY,
  count: true,
  intervalMs: true,
  durationMs: true,
  stopWhen: true,
};
const { count: _, stopWhen: __, everyAddress: ___, ...OF_SERIES } = SERIES;
const WAIT: Names<WaitOptions> = { ...OF_SERIES, waitForName: true, onProbe: true };
const DIAGNOSE: Names<DiagnoseOptions> = {
  family: true,
  timeoutMs: true,
  signal: true,
  sourceAddress: true,
  dnsServer: true,
  extraAddress: true,
  otherPorts: true,
  onProgress: true,
};

/**
 * Checks that this runtime reports true causes, and the options.
 *
 * @throws Error in a runtime other than Node, UsageError naming the option
 */
function checkCall<T extends object>(options: T, known: Names<T>): T {
  const refusal = runtimeRefusal();
  if (refusal !== undefined) throw new Error(refusal);
  return checkOptions(options, known);
}

/**
 * Makes one TCP connect attempt to one literal address. Nothing is sent on the connection. The
 * first attempt of a process reads 2 to 4 ms too long unless {@link warmUp} was awaited before.
 *
 * @returns what the network answered; never rejects because of it
 * @throws UsageError naming the parameter that is misused
 */
export async function probePort(
  endpoint: Endpoint,
  options: AttemptOptions = {},
): Promise<Attempt> {
  return attemptPort(endpoint, checkCall(options, ATTEMPT));
}

/**
 * Probes a target once, as a client would connect: it resolves the name and races its addresses
 * (RFC 8305). The first that opens decides. If none opens, the most informative outcome decides:
 * closed, then filtered, then failed.
 *
 * @returns what the network answered; never rejects because of it
 * @throws UsageError naming the parameter that is misused
 */
export async function probeTarget(
  target: Target,
  options: ProbeOptions = {},
): Promise<ProbeReport> {
  return probeOnce(target, checkCall(options, PROBE));
}

/**
 * Probes every address of a target once and yields a report for each, in the order of the
 * addresses. A name without an address yields one report.
 *
 * @throws UsageError naming the parameter that is misused; never because of the network
 */
export function probeEveryAddress(
  target: Target,
  options: ProbeOptions = {},
): AsyncGenerator<ProbeReport, void, undefined> {
  return probeAddresses(target, checkCall(options, PROBE));
}

/**
 * Probes many targets side by side and yields their reports in the order of the targets, each as
 * soon as those before it are known. Requests are taken when there is room for them, so they may be
 * endless. A shortage of descriptors, source ports or buffers slows the run down and is retried.
 *
 * @param requests an array, a generator, a stream, or what {@link parseTargets} returns
 * @throws UsageError naming the parameter that is misused, and whatever the iteration throws
 */
export function probeTargets(
  requests: Requests,
  options: ManyOptions = {},
): AsyncGenerator<ProbeEvent, void, undefined> {
  if (typeof requests !== 'object' || (requests as unknown) === null || 'host' in requests)
    throw new UsageError('requests: not a list; allowed: [{ target: { host, port } }]');
  return probeMany(requests, checkCall(options, MANY));
}

/**
 * Probes a target, or several side by side, again and again. Names are resolved anew in each round.
 * It ends with `count`, `durationMs`, `stopWhen` or `signal`, or when the caller leaves the loop.
 *
 * @throws UsageError naming the parameter that is misused; never because of the network
 */
export function probeSeries(
  targets: Target | readonly TargetRequest[],
  options: SeriesOptions = {},
): AsyncGenerator<SeriesEvent, void, undefined> {
  if (!Array.isArray(targets)) checkTarget(targets as Target);
  return probeAgain(targets, checkCall(options, SERIES));
}

/**
 * Probes until the port is as expected, the time is over, or waiting cannot help: a name that does
 * not exist (unless `waitForName`), no route, not permitted.
 *
 * @returns how the wait ended; never rejects because of what the network answers
 * @throws UsageError naming the parameter that is misused
 */
export async function waitUntil(
  target: Target | TargetRequest,
  options: WaitOptions = {},
): Promise<WaitResult> {
  const isRequest =
    typeof target === 'object' && (target as unknown) !== null && 'target' in target;
  checkTarget(isRequest ? target.target : (target as Target));
  return waitForTarget(target, checkCall(options, WAIT));
}

/**
 * Resolves a host. A literal address resolves to itself. The deadline holds even when the system's
 * resolver does not return; see {@link pendingLookups}.
 *
 * @param host name or literal address, without brackets
 * @returns the addresses, or why there are none, with the time that took
 * @throws UsageError naming the parameter that is misused
 */
export async function resolveHost(host: string, options: ResolveOptions = {}): Promise<Resolution> {
  checkTarget({ host, port: 1 });
  return resolveName(host, checkCall(options, RESOLVE));
}

/**
 * Finds out why a target cannot be reached. It checks the name, the addresses, this machine, the
 * host and the port, and takes at most three times `timeoutMs`.
 *
 * @throws UsageError naming the parameter that is misused; never because of the network
 */
export async function diagnose(target: Target, options: DiagnoseOptions = {}): Promise<Diagnosis> {
  checkTarget(target);
  return diagnoseTarget(target, checkCall(options, DIAGNOSE));
}

/**
 * Compares an outcome with what is expected. An unresolved name and a probe that failed on this
 * machine never satisfy any expectation: nothing was learned about the port.
 *
 * @throws UsageError naming the parameter that is misused
 */
export function judge(outcome: Outcome, options: ExpectationOptions = {}): Verdict {
  return judgeOutcome(outcome, checkOptions(options, EXPECTATION));
}
