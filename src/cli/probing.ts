import { monotonicClock } from '../core/clock.js';
import type { ProbeEvent, SeriesEvent } from '../core/events.js';
import { probeTargets } from '../core/probe-targets.js';
import { probeSeries, type SeriesOptions } from '../core/series.js';
import { EXIT_USAGE, exitCodeOf, type State } from '../core/states.js';
import { sweepTargets } from '../core/sweep.js';
import { formatHostPort } from '../core/target.js';
import type { TargetRequest } from '../core/target-list.js';
import { escapeControls } from '../report/escape.js';
import type { Output, Reporter, Totals } from '../report/reporter.js';
import { NO_SPINNER, type Spinner, spinWhenSlow } from './spinner.js';
import { onEnter } from './terminal.js';

/** What running probes needs of its surroundings. */
export interface Surroundings {
  readonly options: SeriesOptions & { readonly signal: AbortSignal };
  readonly reporter: Reporter;
  readonly quiet: boolean;
  /** The promise, where there is one, tells that there is room for more. */
  write(output: Output): Promise<unknown> | undefined;
}

/** What is to be probed, how many that is (null when it is not known beforehand), and how often. */
export interface Plan {
  readonly requests: readonly TargetRequest[] | Iterable<TargetRequest> | AsyncIterable<TargetRequest>;
  readonly size: number | null;
  /** Rounds; one for targets that can be gone through only once. */
  readonly count: number;
  /** The built thread of a sweep, when the targets are so many literal addresses that threads pay. */
  readonly sweepWorker?: string | undefined;
}

/** Behind the `^C` that a terminal echoes there is no new line. */
export const newLineAfterEcho = (): string => (process.stderr.isTTY ? '\n' : '');

export const INTERRUPTED = 'Interrupted before there was a verdict.';

/** Counts verdicts as they come. */
export class Tally {
  readonly #counts: Partial<Record<State, number>> = {};
  readonly #startMs = monotonicClock();
  #unexpected = 0;
  #hasExpectations: boolean;
  /** 0 when each was as expected, else the highest code of those that were not; null when there was none. */
  exitCode: number | null = null;
  probes = 0;

  constructor({ expect, maxLatencyMs, service }: SeriesOptions) {
    this.#hasExpectations = expect !== 'open' || maxLatencyMs !== undefined || service !== undefined;
  }

  add({ request, report, verdict }: ProbeEvent): void {
    const { state } = report.outcome;
    this.probes += 1;
    this.#counts[state] = (this.#counts[state] ?? 0) + 1;
    if (!verdict.asExpected) this.#unexpected += 1;
    if (request.expect) this.#hasExpectations = true;
    this.exitCode = Math.max(this.exitCode ?? 0, verdict.exitCode);
  }

  totals(isComplete: boolean, exitCode = this.exitCode ?? 0): Totals {
    const elapsedMs = monotonicClock() - this.#startMs;
    return { type: 'totals', probes: this.probes, counts: this.#counts, unexpected: this.#unexpected, hasExpectations: this.#hasExpectations, elapsedMs, exitCode, isComplete };
  }

  /** How far a long run is, for the spinner. */
  progress(size: number | null): string {
    const { probes, elapsedMs, counts } = this.totals(false);
    const perSecond = probes / (elapsedMs / 1000);
    const left = size === null || perSecond === 0 ? '' : `, ${Math.max(Math.ceil((size - probes) / perSecond), 0)} s left`;
    return `${probes}${size === null ? '' : ` of ${size}`} done, ${counts.open ?? 0} open, ${Math.round(perSecond)} a second${left}`;
  }
}

/** Collects the figures of each endpoint of a series; loaded only for one. */
async function collector(everyAddress: boolean): Promise<{ add(event: SeriesEvent): void; show(surroundings: Surroundings, final: boolean, exitCode: number): void }> {
  const { Statistics } = await import('../core/statistics.js');
  const tracks = new Map<string, { readonly target: TargetRequest['target']; readonly address: string | null; readonly statistics: InstanceType<typeof Statistics> }>();
  return {
    add(event) {
      const outcome = event.type === 'probe' ? event.report.outcome : null;
      const address = event.type === 'outage' ? event.address : everyAddress && outcome && 'endpoint' in outcome ? outcome.endpoint.address : null;
      const target = event.type === 'outage' ? event.target : event.report.target;
      const key = `${formatHostPort(target.host, target.port)} ${address}`;
      const track = tracks.get(key) ?? { target, address, statistics: new Statistics() };
      tracks.set(key, track);
      track.statistics.add(event);
    },
    show({ reporter, write }, final, exitCode) {
      for (const { target, address, statistics } of tracks.values()) write(reporter.summary({ type: 'summary', target, address, summary: statistics.summary(), final, exitCode }));
    },
  };
}

function nameOf({ requests, size }: Plan): string {
  if (size !== 1 || !Array.isArray(requests)) return '';
  const [request] = requests as readonly TargetRequest[];
  return request ? escapeControls(formatHostPort(request.target.host, request.target.port)) : '';
}

/** Keeps the spinner's text up to date while many targets are probed. */
function showProgress(spinner: Spinner, tally: Tally, size: number | null): () => void {
  const timer = setInterval(() => spinner.say(tally.progress(size)), 200);
  return () => clearInterval(timer);
}

function eventsOf({ requests, count, sweepWorker }: Plan, options: Surroundings['options']): AsyncIterable<SeriesEvent> {
  if (Array.isArray(requests)) return probeSeries(requests as readonly TargetRequest[], { ...options, count });
  if (sweepWorker !== undefined && Symbol.iterator in requests) return sweepTargets(targetsOf(requests), sweepWorker, options);
  return probeTargets(requests, options);
}

function* targetsOf(requests: Iterable<TargetRequest>): Generator<TargetRequest['target'], void, undefined> {
  for (const { target } of requests) yield target;
}

/**
 * Probes, once or in rounds. Returns 0 when each was as expected, else the highest code of those that were not; 130 when a signal ended it before
 * every target had a verdict: a test that was not made is not one that was passed.
 */
export async function runProbes(plan: Plan, surroundings: Surroundings): Promise<number> {
  const { options, reporter, quiet, write } = surroundings;
  const { requests, size, count } = plan;
  const isSeries = count > 1 && Array.isArray(requests);
  const tally = new Tally(options);
  const figures = isSeries && !quiet ? await collector(options.everyAddress ?? false) : null;
  const spinner = isSeries || quiet ? NO_SPINNER : spinWhenSlow(`${nameOf(plan)} ...`.trim());
  const stopProgress = size === 1 ? () => {} : showProgress(spinner, tally, size);
  const stopListening = figures ? onEnter(() => figures.show(surroundings, false, tally.exitCode ?? 0)) : () => {};
  try {
    for await (const event of eventsOf(plan, options)) {
      if (event.type === 'probe') tally.add(event);
      if (quiet || (event.type === 'outage' && !figures)) continue;
      figures?.add(event);
      const output = event.type === 'probe' ? reporter.probe(event) : reporter.outage(event);
      if (output.stdout === '' && output.stderr === '') continue;
      let taken: Promise<unknown> | undefined;
      spinner.aside(() => { taken = write(output); });
      if (taken) await taken;
    }
  } catch (error) {
    // A mistake in a list that came through a pipe: what was probed before it is told to the end.
    if (!quiet && tally.probes > 0) write(reporter.finish(tally.totals(false, EXIT_USAGE)));
    throw error;
  } finally {
    stopProgress();
    spinner.stop();
    stopListening();
  }
  const interrupted = options.signal.aborted;
  const hasAll = isSeries ? tally.probes > 0 : size !== null && !options.everyAddress && tally.probes === size;
  const exitCode = interrupted && !hasAll ? exitCodeOf('cancelled') : (tally.exitCode ?? 0);
  if (quiet) return exitCode;
  if (interrupted && !reporter.exitCode) write({ stdout: '', stderr: `${newLineAfterEcho()}${tally.probes === 0 ? `${INTERRUPTED}\n` : ''}` });
  figures?.show(surroundings, true, exitCode);
  write(reporter.finish(tally.totals(!interrupted || (isSeries ? count === Infinity : hasAll), exitCode)));
  return reporter.exitCode?.() ?? exitCode;
}
