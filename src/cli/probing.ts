import { probeSeries, type ProbeEvent, type SeriesEvent, type SeriesOptions, waitUntil, type WaitResult } from '../core/series.js';
import { exitCodeOf } from '../core/states.js';
import { formatHostPort } from '../core/target.js';
import { escapeControls } from '../report/escape.js';
import { errorNumber } from '../report/explanation.js';
import { formatDuration } from '../report/numbers.js';
import type { Output, Reporter } from '../report/reporter.js';
import { describeReason } from '../report/text.js';
import type { ProbeConfig, WaitConfig } from './arguments.js';
import { runCommand } from './command.js';
import { canSpin, NO_SPINNER, spinWhenSlow } from './spinner.js';
import { onEnter } from './terminal.js';

/** What running a configuration needs of its surroundings. */
export interface Surroundings {
  readonly options: SeriesOptions & { readonly signal: AbortSignal };
  readonly reporter: Reporter;
  write(output: Output): void;
}

const say = ({ write }: Surroundings, line: string): void => write({ stdout: '', stderr: `${line}\n` });

/** Behind the `^C` that a terminal echoes there is no new line. */
const newLineAfterEcho = (): string => (process.stderr.isTTY ? '\n' : '');

const INTERRUPTED = 'Interrupted before there was a verdict.';

/** Collects the figures of each endpoint; loaded only for a series. */
async function collector(config: ProbeConfig): Promise<{ add(event: SeriesEvent): void; show(surroundings: Surroundings, final: boolean, exitCode: number): void }> {
  const { Statistics } = await import('../core/statistics.js');
  const tracks = new Map<string | null, InstanceType<typeof Statistics>>();
  return {
    add(event) {
      const address = event.type === 'outage' ? event.address : config.all && 'endpoint' in event.report.outcome ? event.report.outcome.endpoint.address : null;
      const statistics = tracks.get(address) ?? new Statistics();
      tracks.set(address, statistics);
      statistics.add(event);
    },
    show({ reporter, write }, final, exitCode) {
      for (const [address, statistics] of tracks) write(reporter.summary({ type: 'summary', target: config.target, address, summary: statistics.summary(), final, exitCode }));
    },
  };
}

/** One probe or many. Returns 0 when each was as expected, else the highest code of those that were not; 130 when there was none. */
export async function runSeries(config: ProbeConfig, surroundings: Surroundings): Promise<number> {
  const { options, reporter, write } = surroundings;
  const { target, count, intervalMs, all, quiet } = config;
  const figures = count > 1 && !quiet ? await collector(config) : null;
  const spinner = count > 1 || quiet ? NO_SPINNER : spinWhenSlow(`${escapeControls(formatHostPort(target.host, target.port))} ...`);
  let exitCode: number | null = null;
  const stopListening = figures ? onEnter(() => figures.show(surroundings, false, exitCode ?? 0)) : () => {};
  try {
    for await (const event of probeSeries(target, { ...options, count, everyAddress: all, ...(intervalMs === undefined ? {} : { intervalMs }) })) {
      if (event.type === 'probe') {
        exitCode = Math.max(exitCode ?? 0, event.verdict.exitCode);
        if (!all) spinner.stop();
      }
      if (quiet || (event.type === 'outage' && !figures)) continue;
      figures?.add(event);
      write(event.type === 'probe' ? reporter.probe(event) : reporter.outage(event));
    }
  } finally {
    spinner.stop();
    stopListening();
  }
  if (options.signal.aborted && !quiet) write({ stdout: '', stderr: `${newLineAfterEcho()}${exitCode === null ? `${INTERRUPTED}\n` : ''}` });
  if (exitCode !== null) figures?.show(surroundings, true, exitCode);
  return exitCode ?? exitCodeOf('cancelled');
}

function presentCause({ report: { outcome } }: ProbeEvent): string {
  if (outcome.state === 'cancelled') return '';
  return outcome.state === 'open' ? 'open' : `${describeReason(outcome.reason)} <${errorNumber(outcome.error)}>`;
}

/** Tells how the wait goes: on a terminal the present cause and the time left, elsewhere a line when the cause changes. */
function narrator(config: ProbeConfig, wait: WaitConfig, surroundings: Surroundings): { tell(event: ProbeEvent): void; stop(): void } {
  const { reporter, write } = surroundings;
  if (config.quiet) return { tell: () => {}, stop: () => {} };
  const name = escapeControls(formatHostPort(config.target.host, config.target.port));
  const endMs = performance.now() + wait.durationMs;
  const spinner = spinWhenSlow(`${name} ...`);
  let cause = '';
  const refresh = (): void => spinner.say(`${name}: ${cause === '' ? 'trying' : cause}, ${formatDuration(Math.max(Math.round((endMs - performance.now()) / 1000) * 1000, 0))} left`);
  const timer = setInterval(refresh, 1000);
  return {
    tell(event) {
      const present = presentCause(event);
      const changed = present !== cause;
      cause = present;
      if (config.verbose) write({ stdout: '', stderr: reporter.probe(event).stderr });
      else if (changed && !canSpin() && config.format === 'text') say(surroundings, `${name}: ${present}; waiting.`);
      refresh();
    },
    stop() {
      clearInterval(timer);
      spinner.stop();
    },
  };
}

function endOfWait({ end, event }: WaitResult, wait: WaitConfig): string | null {
  switch (end) {
    case 'expected':
      return null;
    case 'timeout':
      return `Gave up after ${formatDuration(wait.durationMs)}.`;
    case 'incurable': {
      const hint = event?.report.outcome.state === 'unresolved' ? ' (--wait-for-name waits for a name, too)' : '';
      return `Waiting does not help here: gave up at once${hint}.`;
    }
    case 'aborted':
      return INTERRUPTED;
    default:
      return end satisfies never;
  }
}

/** Waits, says how it ended, and then runs the command if there is one. */
export async function runWait(config: ProbeConfig, wait: WaitConfig, surroundings: Surroundings): Promise<number> {
  const { options, reporter, write } = surroundings;
  const { quiet, format, intervalMs } = config;
  const narration = narrator(config, wait, surroundings);
  let result: WaitResult;
  try {
    const { durationMs, waitForName } = wait;
    result = await waitUntil(config.target, { ...options, durationMs, waitForName, onProbe: narration.tell, ...(intervalMs === undefined ? {} : { intervalMs }) });
  } finally {
    narration.stop();
  }
  const aborted = result.end === 'aborted';
  if (!quiet) {
    if (aborted) write({ stdout: '', stderr: newLineAfterEcho() });
    else if (result.event) write(reporter.probe(result.event));
    const line = endOfWait(result, wait);
    if (line !== null && format === 'text') say(surroundings, line);
  }
  if (aborted || !result.event) return exitCodeOf('cancelled');
  if (result.end === 'expected' && wait.command.length > 0) return runCommand(wait.command);
  return result.event.verdict.exitCode;
}
