import type { SeriesEvent } from '../../core/facts/events.js';
import { DEFAULT_TIMEOUT_MS } from '../../core/limits.js';
import { probeOnce } from '../../core/series/probe-once.js';
import { EXIT_USAGE, exitCodeOf } from '../../core/states.js';
import { formatHostPort } from '../../core/target/target.js';
import type { TargetRequest } from '../../core/target/target-list.js';
import { escapeControls } from '../../report/escape.js';
import { formatDuration, formatProgress } from '../../report/numbers.js';
import { NO_SPINNER, type Spinner, spinWhenSlow } from '../output/spinner.js';
import { onEnter } from '../output/terminal.js';
import { onSummarySignal } from '../process/summary-signals.js';
import { Coverage, type Extent } from './coverage.js';
import type { SeriesFigures } from './series-figures.js';
import { newLineAfterEcho, type Surroundings } from './surroundings.js';
import { Tally } from './tally.js';

const lineOf = (text: string): string => (text === '' ? '' : `${text}\n`);

function nameOf({ requests, size }: Extent): string {
  if (size !== 1 || !Array.isArray(requests)) return '';
  const [request] = requests as readonly TargetRequest[];
  return request ? escapeControls(formatHostPort(request.target.host, request.target.port)) : '';
}

/** How far a run is, in a line. */
function describeProgress(plan: Extent, tally: Tally): string {
  const { size, count } = plan;
  if (size === 1 && count === 1 && tally.probes === 0)
    return `${nameOf(plan)}: no verdict after ${formatDuration(tally.totals(false).elapsedMs)}.`;
  return `${tally.progress(size === null || count === Infinity ? null : size * count)}.`;
}

/** What a run waits for, in the words of its spinner. */
function describeWait(plan: Extent, tally: Tally, timeoutMs = DEFAULT_TIMEOUT_MS): string {
  if (plan.size !== 1) return tally.progress(plan.size);
  return `${nameOf(plan)}: ${formatProgress(tally.totals(false).elapsedMs, timeoutMs)}`;
}

/** The probes of a run. What a single one does not need is loaded only for the others. */
async function eventsOf(
  { requests, count }: Extent,
  surroundings: Surroundings,
): Promise<AsyncIterable<SeriesEvent>> {
  const { options, internals } = surroundings;
  if (!Array.isArray(requests)) {
    const { probeTargets } = await import('../../core/many/probe-targets.js');
    return probeTargets(requests, options, internals);
  }
  const [only, another] = requests as readonly TargetRequest[];
  if (only && !another && count === 1) return probeOnce(only, options, internals);
  const series = requests as readonly TargetRequest[];
  const { probeSeries } = await import('../../core/series/probe-series.js');
  const { announceSeries } = await import('./series-start.js');
  return probeSeries(series, { ...options, count }, announceSeries(series, count, surroundings));
}

/** A run under way: what it has counted, and how it shows its progress. */
interface Run {
  readonly tally: Tally;
  readonly coverage: Coverage;
  /** The statistics of a series; null otherwise. */
  readonly figures: SeriesFigures | null;
  readonly spinner: Spinner;
  /** Ends the line of the `^C` that a terminal echoes, once. */
  readonly endEcho: () => void;
}

/** The statistics of a series. They are loaded only for one. */
async function figuresOf(
  { requests }: Extent,
  everyAddress: boolean,
): Promise<SeriesFigures | null> {
  const { collectFigures } = await import('./series-figures.js');
  return collectFigures(requests as readonly TargetRequest[], everyAddress);
}

async function startRun(plan: Extent, surroundings: Surroundings): Promise<Run> {
  const { options, quiet, color, sink } = surroundings;
  const { requests, count } = plan;
  const everyAddress = options.everyAddress ?? false;
  const isSeries = count > 1 && Array.isArray(requests);
  const tally = new Tally(options);
  const describe = (): string => describeWait(plan, tally, options.timeoutMs);
  let echo = newLineAfterEcho();
  return {
    tally,
    coverage: new Coverage(plan, everyAddress),
    figures: isSeries ? await figuresOf(plan, everyAddress) : null,
    spinner: isSeries || quiet ? NO_SPINNER : spinWhenSlow(describe, { color }),
    endEcho() {
      sink.write({ stdout: '', stderr: echo });
      echo = '';
    },
  };
}

/** Calls back at an interval, if there is one. Returns what ends that. */
function repeat(callback: () => void, everyMs: number | undefined): () => void {
  const timer = everyMs === undefined ? undefined : setInterval(callback, everyMs);
  return () => clearInterval(timer);
}

/** Shows the progress of a run while it lasts and when it is asked for. Returns what ends that. */
function followProgress(
  plan: Extent,
  { tally, figures, spinner }: Run,
  surroundings: Surroundings,
): () => void {
  const showSoFar = (): void => {
    if (figures?.show(surroundings, false, tally.exitCode ?? 0)) return;
    const stderr = `${describeProgress(plan, tally)}\n`;
    spinner.aside(() => surroundings.sink.write({ stdout: '', stderr }));
  };
  const stops = [
    () => spinner.stop(),
    surroundings.quiet && !figures ? () => {} : onSummarySignal(showSoFar),
    figures ? onEnter(showSoFar) : () => {},
    figures ? repeat(showSoFar, surroundings.summaryEveryMs) : () => {},
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Reports each event as it comes, at the pace of the reader of the output. */
async function reportEvents(plan: Extent, run: Run, surroundings: Surroundings): Promise<void> {
  const { options, reporter, quiet, sink } = surroundings;
  const { tally, coverage, figures, spinner } = run;
  for await (const event of await eventsOf(plan, surroundings)) {
    if (event.type === 'probe') {
      tally.add(event);
      coverage.add(event);
    }
    figures?.add(event);
    if (quiet || (event.type === 'outage' && !figures)) continue;
    const preparing = event.type === 'probe' ? reporter.prepare?.(event.report) : undefined;
    if (preparing) await preparing;
    const output = event.type === 'probe' ? reporter.probe(event) : reporter.outage(event);
    if (output.stdout === '' && output.stderr === '') continue;
    if (options.signal.aborted) run.endEcho();
    spinner.aside(() => sink.write(output));
    const drained = sink.whenDrained();
    if (drained) await drained;
  }
}

/** Reports the end of a run, and returns the exit code. */
function finishRun({ tally, coverage, figures, endEcho }: Run, surroundings: Surroundings): number {
  const { options, reporter, quiet, sink } = surroundings;
  const isInterrupted = options.signal.aborted;
  const isComplete = !isInterrupted || coverage.isComplete;
  const exitCode = isComplete ? (tally.exitCode ?? 0) : exitCodeOf('cancelled');
  if (isInterrupted && !reporter.exitCode && (figures || !quiet)) {
    endEcho();
    sink.write({ stdout: '', stderr: quiet ? '' : lineOf(coverage.describeInterruption()) });
  }
  figures?.show(surroundings, true, exitCode);
  if (quiet) return exitCode;
  sink.write(reporter.finish(tally.totals(isComplete, exitCode)));
  return reporter.exitCode?.() ?? exitCode;
}

/**
 * Probes the targets, once or in rounds.
 *
 * @returns 0 if all were as expected, else the highest code of the others; 130 if a signal ended
 * the run before it was complete (see `Coverage`)
 */
export async function runProbes(plan: Extent, surroundings: Surroundings): Promise<number> {
  const { reporter, quiet, sink } = surroundings;
  const run = await startRun(plan, surroundings);
  const stopProgress = followProgress(plan, run, surroundings);
  try {
    await reportEvents(plan, run, surroundings);
  } catch (error) {
    // A mistake in a list from a pipe: report what was probed before it.
    const { tally } = run;
    if (!quiet && tally.probes > 0) sink.write(reporter.finish(tally.totals(false, EXIT_USAGE)));
    throw error;
  } finally {
    stopProgress();
  }
  return finishRun(run, surroundings);
}
