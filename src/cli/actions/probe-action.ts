import type { TargetRequest } from '../../core/target/target-list.js';
import { exitCodeOf } from '../../core/states.js';
import { FORMATS } from '../../report/formats/registry.js';
import type { Reporter, ReportOptions } from '../../report/reporter.js';
import type { ProbeConfig } from '../options/config.js';
import { MAX_REPEATED_TARGETS } from '../options/common-options.js';
import { paints } from '../output/paint.js';
import { openSink, type Sink } from '../output/sink.js';
import { canvas } from '../output/terminal.js';
import { listenForInterruptions } from '../process/interruptions.js';
import type { Lookups } from '../process/lookups.js';
import type { Extent } from './coverage.js';
import { planProbes } from './plan.js';
import { runProbes } from './probing.js';
import type { Surroundings } from './surroundings.js';

/**
 * How long `-v` watches an open connection for being dropped at once, in milliseconds: the FIN or
 * RST comes one round trip later.
 */
const WATCH_MS = 250;

/** From this many targets on, people get a table of the open ones instead of a line for each. */
const TABLE_FROM = 50;

function describeExpectation({ expect, maxLatencyMs }: ProbeConfig): string | null {
  if (maxLatencyMs !== undefined) return `--max-latency ${maxLatencyMs} ms`;
  return expect === 'open' ? null : `--expect ${expect}`;
}

const hasManyTargets = ({ targets }: ProbeConfig): boolean =>
  typeof targets === 'string' || targets.size !== 1;

/** From this many targets on, a run is long enough for memory to matter. */
const LONG_FROM = 100;

const isShort = ({ targets, count, wait }: ProbeConfig): boolean =>
  typeof targets !== 'string' && targets.size < LONG_FROM && count === 1 && wait === null;

/** How many lookups there may be at once; Infinity if that is not known. */
function countLookups({ targets, count, wait }: ProbeConfig): number {
  // A series asks anew, while earlier lookups wait for a name server that does not answer.
  if (typeof targets === 'string' || ((count > 1 || wait) && !targets.literal)) return Infinity;
  return targets.literal ? 0 : targets.size;
}

function isTable({ format, targets, count, wait, verbose }: ProbeConfig): boolean {
  const isLong = typeof targets !== 'string' && targets.size >= TABLE_FROM;
  return isLong && format === 'text' && count === 1 && wait === null && !verbose;
}

async function createReporter(config: ProbeConfig): Promise<Reporter> {
  const { verbose, timestamps, expect, histogram, thresholds, service } = config;
  const manyTargets = hasManyTargets(config);
  const options: ReportOptions = {
    paint: await paints(config.color, config.outputFile !== null),
    verbose,
    timestamps,
    nameEndpoints: config.all || manyTargets,
    manyTargets,
    expect,
    service: service && (service.request.name ?? 'its service'),
    rounds: config.count > 1,
    expectation: describeExpectation(config),
    canvas: canvas(),
    sparkline: process.stderr.isTTY,
    histogram,
    thresholds,
  };
  if (!isTable(config)) return FORMATS[config.format].create(options);
  return (await import('../../report/formats/table.js')).tableReporter(options);
}

function optionsOf(config: ProbeConfig, signal: AbortSignal): Surroundings['options'] {
  const { expect, maxLatencyMs, ratePerSecond, intervalMs, concurrency } = config;
  return {
    ...config.probe,
    service: config.service?.request,
    expect,
    maxLatencyMs,
    everyAddress: config.all,
    ratePerSecond,
    concurrency: concurrency ?? undefined,
    ...(intervalMs === undefined ? {} : { intervalMs }),
    signal,
    watchMs: config.verbose ? WATCH_MS : 0,
    // A check ends within its timeout: all targets at once, none of them retried.
    ...(FORMATS[config.format].isCheck
      ? { concurrency: MAX_REPEATED_TARGETS, shortagePatienceMs: 0 }
      : {}),
  };
}

interface Result {
  readonly exitCode: number;
  /** Whether a wait ended with all targets as expected. */
  readonly isReached: boolean;
}

async function probeOrWait(
  config: ProbeConfig,
  plan: Extent,
  surroundings: Surroundings,
): Promise<Result> {
  const { wait, format, verbose, timestamps } = config;
  if (!wait) return { exitCode: await runProbes(plan, surroundings), isReached: false };
  const requests = plan.requests as readonly TargetRequest[]; // planProbes() reads all for a wait
  const display = { plain: format === 'text', verbose, timestamps };
  const { runWait } = await import('./waiting.js');
  const { exitCode, asExpected } = await runWait(requests, wait, surroundings, display);
  return { exitCode, isReached: asExpected };
}

/** Results that are not in their file are a failure, whatever the verdicts are. */
function finishOutput(sink: Sink, result: Result, isInterrupted: boolean): Result {
  if (sink.finish(isInterrupted) || result.exitCode !== 0) return result;
  return { exitCode: exitCodeOf('cancelled'), isReached: false };
}

/** Threads for many lookups; undefined where the default is enough. */
async function prepareThreads(config: ProbeConfig): Promise<{ restore(): void } | undefined> {
  const lookups = countLookups(config);
  if (lookups < 2) return undefined;
  const { askForThreads } = await import('../process/threads.js');
  return askForThreads(lookups, FORMATS[config.format].isCheck);
}

/** The lookups of the system's resolver; undefined where it is not asked. */
async function prepareLookups(config: ProbeConfig): Promise<Lookups | undefined> {
  if (countLookups(config) === 0) return undefined;
  const { openLookups } = await import('../process/lookups.js'); // loads the resolver, too
  return config.probe.dnsServer === undefined ? openLookups() : undefined;
}

/** Loads what is needed later, when no file descriptor may be left for it. */
async function loadForLater({ service, wait }: ProbeConfig) {
  if (service) await import('../../core/service/service-probe.js');
  return wait && wait.command.length > 0 ? import('./child-command.js') : null;
}

/** Prepares this process for a run over many targets. Returns what is to be called for threads. */
async function prepareForMany(config: ProbeConfig): Promise<() => void> {
  // Stack traces take a tenth of the time of a sweep.
  if (!process.env['PORTPING_DEBUG']) Error.stackTraceLimit = 0;
  if (isShort(config)) return () => {};
  const { limitMemory } = await import('../process/memory.js');
  limitMemory();
  return limitMemory;
}

/** Probes the targets, and runs the command after a wait. Returns the exit code. */
export async function runProbeAction(config: ProbeConfig): Promise<number> {
  const { quiet, color, count, maxLatencyMs, wait, summaryEveryMs } = config;
  const interruptions = listenForInterruptions();
  const { signal } = interruptions;
  // Before anything needs a thread, and reading a file does.
  const threads = await prepareThreads(config);
  const plan = await planProbes(config, signal);
  const onThreads = hasManyTargets(config) ? await prepareForMany(config) : () => {};
  const sink = await openSink(config.outputFile, signal);
  const names = await prepareLookups(config);
  const command = await loadForLater(config);
  let result: Result;
  try {
    const internals = {
      ...(names && { lookups: names.lookups, systemLookup: names.lookups.lookUp }),
      skipWarmUp: quiet && maxLatencyMs === undefined && count === 1,
      askKernel: config.verbose
        ? (await import('../../core/probe/socket-statistics.js')).askKernel
        : undefined,
      onThreads,
    };
    const reporter = await createReporter(config);
    const options = optionsOf(config, signal);
    const surroundings = { options, internals, reporter, quiet, color, summaryEveryMs, sink };
    result = await probeOrWait(config, plan, surroundings);
    result = finishOutput(sink, result, signal.aborted);
    if (reporter.jobSummary && !quiet) {
      const { appendJobSummary } = await import('../output/job-summary.js');
      appendJobSummary(reporter.jobSummary());
    }
  } finally {
    sink.close();
    names?.close();
    interruptions.end();
    threads?.restore();
  }
  // The command gets all signals: nothing here listens to them any more.
  if (!result.isReached || !wait || !command) return result.exitCode;
  return command.runCommand(wait.command);
}
