import { monotonicClock } from '../../core/clock.js';
import type { ProbeEvent, SeriesEvent } from '../../core/facts/events.js';
import type { ManyInternals } from '../../core/many/many-options.js';
import { probeTargets } from '../../core/many/probe-targets.js';
import { probeSeries, type SeriesOptions } from '../../core/series/probe-series.js';
import { EXIT_USAGE, exitCodeOf, type State } from '../../core/states.js';
import type { Statistics } from '../../core/series/statistics.js';
import { formatHostPort, type Target } from '../../core/target/target.js';
import type { TargetRequest } from '../../core/target/target-list.js';
import { escapeControls } from '../../report/escape.js';
import { formatDuration } from '../../report/numbers.js';
import { type Output, type Reporter, SILENCE, type Totals } from '../../report/reporter.js';
import { Coverage, type Extent } from './coverage.js';
import { NO_SPINNER, type Spinner, spinWhenSlow } from '../output/spinner.js';
import { onSummarySignal } from '../process/summary-signals.js';
import { onEnter } from '../output/terminal.js';

/** What running probes needs of its surroundings. */
export interface Surroundings {
  readonly options: SeriesOptions & { readonly signal: AbortSignal };
  readonly internals: ManyInternals;
  readonly reporter: Reporter;
  readonly quiet: boolean;
  /** The promise, where there is one, tells that there is room for more. */
  write(output: Output): Promise<unknown> | undefined;
}

/** A run. */
export type Plan = Extent;

/** Behind the `^C` that a terminal echoes there is no new line. */
export const newLineAfterEcho = (): string => (process.stderr.isTTY ? '\n' : '');

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
    this.#hasExpectations =
      expect !== 'open' || maxLatencyMs !== undefined || service !== undefined;
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
    return {
      type: 'totals',
      probes: this.probes,
      counts: this.#counts,
      unexpected: this.#unexpected,
      hasExpectations: this.#hasExpectations,
      elapsedMs,
      exitCode,
      isComplete,
    };
  }

  /** How far a long run is, for the spinner. */
  progress(size: number | null): string {
    const { probes, elapsedMs, counts } = this.totals(false);
    const perSecond = probes / (elapsedMs / 1000);
    const left =
      size === null || perSecond === 0
        ? ''
        : `, ${Math.max(Math.ceil((size - probes) / perSecond), 0)} s left`;
    return `${probes}${size === null ? '' : ` of ${size}`} done, ${counts.open ?? 0} open, ${Math.round(perSecond)} a second${left}`;
  }
}

/** The statistics of a series. */
interface Figures {
  add(event: SeriesEvent): void;
  /** Writes them; returns false when the format has no summaries. */
  show(surroundings: Surroundings, final: boolean, exitCode: number): boolean;
}

/** Collects the figures of a series by target and address. Every target is there from the start: one without a verdict stands in the summary, too. */
async function collectFigures(
  requests: readonly TargetRequest[],
  everyAddress: boolean,
): Promise<Figures> {
  const { Statistics } = await import('../../core/series/statistics.js'); // loaded only for a series
  const keyOf = ({ host, port }: Target): string => formatHostPort(host, port);
  const figures = new Map(
    requests.map(({ target }) => [
      keyOf(target),
      { target, byAddress: new Map([[null as string | null, new Statistics()]]) },
    ]),
  );
  const statisticsOf = (target: Target, address: string | null): Statistics | undefined => {
    const byAddress = figures.get(keyOf(target))?.byAddress;
    if (byAddress?.has(address) === false) byAddress.set(address, new Statistics());
    return byAddress?.get(address);
  };
  return {
    add(event) {
      if (event.type === 'outage') return statisticsOf(event.target, event.address)?.add(event);
      const { target, outcome, resolution } = event.report;
      const address = everyAddress && 'endpoint' in outcome ? outcome.endpoint.address : null;
      if (address !== null && resolution.state === 'resolved')
        for (const found of resolution.addresses) statisticsOf(target, found.address);
      statisticsOf(target, address)?.add(event);
    },
    show({ reporter, write }, final, exitCode) {
      let isShown = false;
      for (const { target, byAddress } of figures.values()) {
        for (const [address, statistics] of byAddress) {
          const summary = statistics.summary();
          // The addresses of a target stand for it, unless its name was probed without one as well.
          if (address === null && summary.sent === 0 && byAddress.size > 1) continue;
          const output = reporter.summary({
            type: 'summary',
            target,
            address,
            summary,
            final,
            exitCode,
          });
          if (output !== SILENCE) isShown = true;
          write(output);
        }
      }
      return isShown;
    },
  };
}

const lineOf = (text: string): string => (text === '' ? '' : `${text}\n`);

function nameOf({ requests, size }: Plan): string {
  if (size !== 1 || !Array.isArray(requests)) return '';
  const [request] = requests as readonly TargetRequest[];
  return request ? escapeControls(formatHostPort(request.target.host, request.target.port)) : '';
}

/** How far a run is, in a line. */
function describeProgress(plan: Plan, tally: Tally): string {
  const { size, count } = plan;
  if (size === 1 && count === 1 && tally.probes === 0)
    return `${nameOf(plan)}: no verdict after ${formatDuration(tally.totals(false).elapsedMs)}.`;
  return `${tally.progress(size === null || count === Infinity ? null : size * count)}.`;
}

/** Keeps the spinner's text up to date while many targets are probed. */
function showProgress(spinner: Spinner, tally: Tally, size: number | null): () => void {
  const timer = setInterval(() => spinner.say(tally.progress(size)), 200);
  return () => clearInterval(timer);
}

function eventsOf(
  { requests, count }: Plan,
  { options, internals }: Surroundings,
): AsyncIterable<SeriesEvent> {
  return Array.isArray(requests)
    ? probeSeries(requests as readonly TargetRequest[], { ...options, count }, internals)
    : probeTargets(requests, options, internals);
}

/**
 * Probes, once or in rounds. Returns 0 when each was as expected, else the highest code of those that were not; 130 when a signal ended it before
 * it was complete (see `Coverage`): a test that was not made is not one that was passed.
 */
export async function runProbes(plan: Plan, surroundings: Surroundings): Promise<number> {
  const { options, reporter, quiet, write } = surroundings;
  const { requests, size, count } = plan;
  const isSeries = count > 1 && Array.isArray(requests);
  const tally = new Tally(options);
  const coverage = new Coverage(plan, options.everyAddress ?? false);
  const figures =
    isSeries && !quiet
      ? await collectFigures(requests as readonly TargetRequest[], options.everyAddress ?? false)
      : null;
  const spinner = isSeries || quiet ? NO_SPINNER : spinWhenSlow(`${nameOf(plan)} ...`.trim());
  const stopProgress = size === 1 ? () => {} : showProgress(spinner, tally, size);
  const showSoFar = (): void => {
    if (figures?.show(surroundings, false, tally.exitCode ?? 0)) return;
    spinner.aside(() => {
      write({ stdout: '', stderr: `${describeProgress(plan, tally)}\n` });
    });
  };
  const stops = [
    quiet ? () => {} : onSummarySignal(showSoFar),
    figures ? onEnter(showSoFar) : () => {},
  ];
  try {
    for await (const event of eventsOf(plan, surroundings)) {
      if (event.type === 'probe') {
        tally.add(event);
        coverage.add(event);
      }
      if (quiet || (event.type === 'outage' && !figures)) continue;
      figures?.add(event);
      const output = event.type === 'probe' ? reporter.probe(event) : reporter.outage(event);
      if (output.stdout === '' && output.stderr === '') continue;
      let taken: Promise<unknown> | undefined;
      spinner.aside(() => {
        taken = write(output);
      });
      if (taken) await taken;
    }
  } catch (error) {
    // A mistake in a list that came through a pipe: what was probed before it is told to the end.
    if (!quiet && tally.probes > 0) write(reporter.finish(tally.totals(false, EXIT_USAGE)));
    throw error;
  } finally {
    stopProgress();
    spinner.stop();
    for (const stop of stops) stop();
  }
  const interrupted = options.signal.aborted;
  const isComplete = !interrupted || coverage.isComplete;
  const exitCode = isComplete ? (tally.exitCode ?? 0) : exitCodeOf('cancelled');
  if (quiet) return exitCode;
  if (interrupted && !reporter.exitCode)
    write({
      stdout: '',
      stderr: `${newLineAfterEcho()}${lineOf(coverage.describeInterruption())}`,
    });
  figures?.show(surroundings, true, exitCode);
  write(reporter.finish(tally.totals(isComplete, exitCode)));
  return reporter.exitCode?.() ?? exitCode;
}
