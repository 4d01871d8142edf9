import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { onAbort } from '../../core/abort.js';
import { monotonicClock } from '../../core/clock.js';
import type { ProbeEvent } from '../../core/facts/events.js';
import { reasonOf } from '../../core/facts/outcome.js';
import { waitUntil, type WaitResult } from '../../core/series/wait-until.js';
import { exitCodeOf } from '../../core/states.js';
import { formatHostPort } from '../../core/target/target.js';
import type { TargetRequest } from '../../core/target/target-list.js';
import { escapeControls } from '../../report/escape.js';
import { formatDuration, formatProgress } from '../../report/numbers.js';
import { describeReason, errorNumber } from '../../report/outcome-words.js';
import type { WaitConfig } from '../options/config.js';
import { INTERRUPTED } from './coverage.js';
import { newLineAfterEcho, type Surroundings } from './surroundings.js';
import { Tally } from './tally.js';
import { canSpin, spinWhenSlow } from '../output/spinner.js';
import { onSummarySignal } from '../process/summary-signals.js';

/**
 * Waits started per millisecond. Many at once would measure each other's work in their latencies.
 */
const STARTS_PER_MS = 2;

const nameOf = ({ target }: TargetRequest): string =>
  escapeControls(formatHostPort(target.host, target.port));

function describeCause({ report: { outcome } }: ProbeEvent): string {
  if (outcome.state === 'cancelled') return '';
  const reason = reasonOf(outcome);
  if (outcome.state === 'open') return reason === null ? 'open' : `open, ${describeReason(reason)}`;
  return `${describeReason(outcome.reason)} <${errorNumber(outcome.error)}>`;
}

/** How a wait is shown. */
export interface WaitDisplay {
  /** Lines for people may be written; other formats have only their own. */
  readonly plain: boolean;
  readonly verbose: boolean;
  readonly timestamps: boolean;
}

/** All waits of a run. */
interface Waits {
  readonly requests: readonly TargetRequest[];
  readonly wait: WaitConfig;
  readonly display: WaitDisplay;
  readonly surroundings: Surroundings;
  /** Writes a line for people. */
  readonly say: (line: string) => void;
}

/** Shows the progress of waits. */
interface Progress {
  readonly report: (request: TargetRequest, event: ProbeEvent) => void;
  readonly done: (request: TargetRequest) => void;
  readonly stop: () => void;
}

const NO_PROGRESS: Progress = { report: () => {}, done: () => {}, stop: () => {} };

/** A terminal gets the causes and the time; elsewhere a changed cause gets a line. */
function showProgress({ requests, wait, display, surroundings, say }: Waits): Progress {
  const { quiet, color, reporter, sink } = surroundings;
  if (quiet) return NO_PROGRESS;
  const startMs = monotonicClock();
  const causes = new Map(requests.map((request) => [request, 'trying']));
  const describe = (): string => {
    const states = [...causes].map(([request, cause]) => `${nameOf(request)}: ${cause}`);
    const progress = formatProgress(monotonicClock() - startMs, wait.durationMs);
    return `${progress}; ${states.join('; ')}`;
  };
  const spinner = spinWhenSlow(describe, { color });
  const stopListening = onSummarySignal(() => spinner.aside(() => say(`${describe()}.`)));
  return {
    report(request, event) {
      const cause = describeCause(event);
      const isNew = causes.get(request) !== cause;
      causes.set(request, cause);
      if (display.verbose) {
        // With -v a reporter has all its words.
        const { stderr } = reporter.probe(event);
        spinner.aside(() => sink.write({ stdout: '', stderr }));
      } else if (isNew && !canSpin() && display.plain)
        say(`${nameOf(request)}: ${cause}; waiting.`);
    },
    done: (request) => void causes.delete(request),
    stop() {
      stopListening();
      spinner.stop();
    },
  };
}

/** A wait that has ended. */
interface Waited extends WaitResult {
  readonly waitedMs: number;
}

function describeEnd({ end, event, waitedMs }: Waited, wait: WaitConfig): string {
  switch (end) {
    case 'expected':
      return `Waited ${formatDuration(waitedMs)}.`;
    case 'timeout':
      return `Gave up after ${formatDuration(wait.durationMs)}.`;
    case 'incurable': {
      const isName = event?.report.outcome.state === 'unresolved';
      const hint = isName ? ' Use --wait-for-name to wait for a name, too.' : '';
      return `Gave up after ${formatDuration(waitedMs)}: waiting does not help here.${hint}`;
    }
    case 'aborted':
      return INTERRUPTED;
    default:
      return end satisfies never;
  }
}

/** A target that ended because of another one; null when its last verdict says enough. */
function describeAbort(
  request: TargetRequest | undefined,
  event: ProbeEvent | null,
): string | null {
  return request && event === null
    ? `${nameOf(request)}: stopped with the others before there was a verdict.`
    : null;
}

/** Waits for all targets; the first one that waiting cannot help ends the others. */
async function waitForAll(waits: Waits, progress: Progress): Promise<Waited[]> {
  const { options, internals } = waits.surroundings;
  const { durationMs, waitForName } = waits.wait;
  const hopeless = new AbortController();
  const stopListening = onAbort(options.signal, () => hopeless.abort());
  const { signal } = hopeless;
  setMaxListeners(Infinity, signal); // every delayed start listens to it
  const startMs = monotonicClock();
  const waitForOne = async (request: TargetRequest, index: number): Promise<Waited> => {
    const delayMs = Math.floor(index / STARTS_PER_MS);
    if (delayMs > 0) await sleep(delayMs, undefined, { signal }).catch(() => {});
    const waitOptions = {
      ...options,
      signal,
      durationMs: Math.max(durationMs - delayMs, 1),
      waitForName,
      onProbe: (event: ProbeEvent) => progress.report(request, event),
    };
    const result = await waitUntil(request, waitOptions, internals);
    progress.done(request);
    if (result.end === 'incurable') hopeless.abort();
    return { ...result, waitedMs: monotonicClock() - startMs };
  };
  try {
    return await Promise.all(waits.requests.map(waitForOne));
  } finally {
    stopListening();
    progress.stop();
  }
}

/** Writes how each wait ended. */
async function reportEnds(results: readonly Waited[], waits: Waits): Promise<void> {
  const { requests, wait, display, surroundings, say } = waits;
  const { quiet, reporter, sink } = surroundings;
  if (quiet) return;
  for (const [index, result] of results.entries()) {
    const { end, event } = result;
    const request = requests[index];
    if (event) {
      await reporter.prepare?.(event.report);
      sink.write(reporter.probe(event));
    }
    const name = request && requests.length > 1 ? `${nameOf(request)}  ` : '';
    const line =
      end === 'aborted' ? describeAbort(request, event) : `${name}${describeEnd(result, wait)}`;
    if (line !== null && display.plain) say(line);
  }
}

/**
 * Waits until every target is as expected, and reports how that ended.
 *
 * @returns the exit code, and whether all targets are as expected
 */
export async function runWait(
  requests: readonly TargetRequest[],
  wait: WaitConfig,
  surroundings: Surroundings,
  display: WaitDisplay,
): Promise<{ readonly exitCode: number; readonly asExpected: boolean }> {
  const { options, reporter, quiet, sink } = surroundings;
  const say = (line: string): void => {
    const time = display.timestamps ? `${new Date().toISOString()}  ` : '';
    sink.write({ stdout: '', stderr: `${time}${line}\n` });
  };
  const waits: Waits = { requests, wait, display, surroundings, say };
  const results = await waitForAll(waits, showProgress(waits));
  const tally = new Tally(options);
  const isInterrupted = options.signal.aborted;
  if (!isInterrupted) {
    for (const { event } of results) if (event) tally.add(event);
    await reportEnds(results, waits);
  } else if (!quiet) {
    sink.write({ stdout: '', stderr: newLineAfterEcho() });
    if (display.plain) say(INTERRUPTED);
  }
  // A target that was stopped before it had a verdict does not count.
  const exitCode = tally.exitCode ?? exitCodeOf('cancelled');
  const isComplete = tally.probes === results.length;
  if (!display.plain && !quiet) sink.write(reporter.finish(tally.totals(isComplete, exitCode)));
  return { exitCode, asExpected: !isInterrupted && results.every(({ end }) => end === 'expected') };
}
