import type { TargetRequest } from '../../core/target/target-list.js';
import { exitCodeOf } from '../../core/states.js';
import { FORMATS } from '../../report/formats/registry.js';
import { tableReporter } from '../../report/formats/table.js';
import type { Reporter, ReportOptions } from '../../report/reporter.js';
import type { ProbeConfig } from '../options/config.js';
import { MAX_REPEATED_TARGETS } from '../options/defaults.js';
import { paints } from '../output/paint.js';
import { openSink, type Sink } from '../output/sink.js';
import { canvas } from '../output/terminal.js';
import { listenForInterruptions } from '../process/interruptions.js';
import { openLookups } from '../process/lookups.js';
import { limitMemory } from '../process/memory.js';
import { askForThreads } from '../process/threads.js';
import { runCommand } from './child-command.js';
import type { Extent } from './coverage.js';
import { planProbes } from './plan.js';
import { runProbes } from './probing.js';
import type { Surroundings } from './surroundings.js';
import { runWait } from './waiting.js';

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
  return isTable(config) ? tableReporter(options) : FORMATS[config.format].create(options);
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
  const { exitCode, asExpected } = await runWait(requests, wait, surroundings, display);
  return { exitCode, isReached: asExpected };
}

/** Results that are not in their file are a failure, whatever the verdicts are. */
function finishOutput(sink: Sink, result: Result, isInterrupted: boolean): Result {
  if (sink.finish(isInterrupted) || result.exitCode !== 0) return result;
  return { exitCode: exitCodeOf('cancelled'), isReached: false };
}

/** Probes the targets, and runs the command after a wait. Returns the exit code. */
export async function runProbeAction(config: ProbeConfig): Promise<number> {
  const { quiet, maxLatencyMs, wait } = config;
  const interruptions = listenForInterruptions();
  const { signal } = interruptions;
  // Before anything needs a thread, and reading a file does.
  const threads = askForThreads(countLookups(config), FORMATS[config.format].isCheck);
  const plan = await planProbes(config, signal);
  if (hasManyTargets(config)) {
    await limitMemory();
    // Stack traces take a tenth of the time of a sweep.
    if (!process.env['PORTPING_DEBUG']) Error.stackTraceLimit = 0;
  }
  const sink = await openSink(config.outputFile, signal);
  const lookups = openLookups();
  let result: Result;
  try {
    const internals = {
      lookups: lookups.lookups,
      skipWarmUp: quiet && maxLatencyMs === undefined,
      askKernel: config.verbose
        ? (await import('../../core/probe/socket-statistics.js')).askKernel
        : undefined,
      onThreads: () => void limitMemory(),
    };
    const reporter = await createReporter(config);
    const options = optionsOf(config, signal);
    const surroundings = { options, internals, reporter, quiet, sink };
    result = await probeOrWait(config, plan, surroundings);
    result = finishOutput(sink, result, signal.aborted);
  } finally {
    sink.close();
    lookups.close();
    interruptions.end();
    threads.restore();
  }
  // The command gets all signals: nothing here listens to them any more.
  return result.isReached && wait && wait.command.length > 0
    ? runCommand(wait.command)
    : result.exitCode;
}
