import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../core/clock.js';
import type { ProbeEvent } from '../../core/facts/events.js';
import { reasonOf } from '../../core/facts/outcome.js';
import { waitUntil, type WaitResult } from '../../core/series/wait-until.js';
import { exitCodeOf } from '../../core/states.js';
import { formatHostPort } from '../../core/target/target.js';
import type { TargetRequest } from '../../core/target/target-list.js';
import { escapeControls } from '../../report/escape.js';
import { formatDuration } from '../../report/numbers.js';
import { describeReason, errorNumber } from '../../report/outcome-words.js';
import type { WaitConfig } from '../options/config.js';
import { INTERRUPTED } from './coverage.js';
import { newLineAfterEcho, type Surroundings, Tally } from './probing.js';
import { canSpin, spinWhenSlow } from '../output/spinner.js';
import { onSummarySignal } from '../process/summary-signals.js';

/** Waits that begin, and so probe, in the same millisecond: all at once they would read each other's time. */
const STARTS_PER_MS = 2;

const nameOf = ({ target }: TargetRequest): string =>
  escapeControls(formatHostPort(target.host, target.port));

function presentCause({ report: { outcome } }: ProbeEvent): string {
  if (outcome.state === 'cancelled') return '';
  const reason = reasonOf(outcome);
  if (outcome.state === 'open') return reason === null ? 'open' : `open, ${describeReason(reason)}`;
  return `${describeReason(outcome.reason)} <${errorNumber(outcome.error)}>`;
}

/** Settings of a wait that are about telling. */
export interface WaitTelling {
  /** Lines for people may be written; other formats have only their own. */
  readonly plain: boolean;
  readonly verbose: boolean;
  readonly timestamps: boolean;
}

/** How waits are told about. */
interface Narration {
  tell(request: TargetRequest, event: ProbeEvent): void;
  done(request: TargetRequest): void;
  stop(): void;
}

/** On a terminal the present causes and the time left, elsewhere a line when a cause changes. */
function narrate(
  requests: readonly TargetRequest[],
  wait: WaitConfig,
  { plain, verbose }: WaitTelling,
  say: (line: string) => void,
  { quiet, reporter, write }: Surroundings,
): Narration {
  if (quiet) return { tell: () => {}, done: () => {}, stop: () => {} };
  const endMs = monotonicClock() + wait.durationMs;
  const causes = new Map(requests.map((request) => [request, 'trying']));
  const spinner = spinWhenSlow('...');
  const describe = (): string => {
    const left = formatDuration(Math.max(Math.round((endMs - monotonicClock()) / 1000) * 1000, 0));
    return `${[...causes].map(([request, cause]) => `${nameOf(request)}: ${cause}`).join('; ')}; ${left} left`;
  };
  const refresh = (): void => spinner.say(describe());
  refresh();
  const timer = setInterval(refresh, 1000);
  const stopListening = onSummarySignal(() => spinner.aside(() => say(`${describe()}.`)));
  return {
    tell(request, event) {
      const cause = presentCause(event);
      const changed = causes.get(request) !== cause;
      causes.set(request, cause);
      if (verbose) spinner.aside(() => write({ stdout: '', stderr: reporter.probe(event).stderr }));
      else if (changed && !canSpin() && plain) say(`${nameOf(request)}: ${cause}; waiting.`);
      refresh();
    },
    done: (request) => void causes.delete(request),
    stop() {
      clearInterval(timer);
      stopListening();
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
      const hint =
        event?.report.outcome.state === 'unresolved'
          ? ' (--wait-for-name waits for a name, too)'
          : '';
      return `Waiting does not help here: gave up at once${hint}.`;
    }
    case 'aborted':
      return INTERRUPTED;
    default:
      return end satisfies never;
  }
}

/** What is told of a target that was given up because of another one; null when its last verdict says enough. */
function givenUp(request: TargetRequest | undefined, event: ProbeEvent | null): string | null {
  return request && event === null
    ? `${nameOf(request)} was given up with the others, before there was a verdict.`
    : null;
}

/**
 * Waits until every target is as expected, and says how that ended. The first target that waiting cannot help ends the others' waiting, too.
 *
 * @returns the exit code, and whether all are as expected
 */
export async function runWait(
  requests: readonly TargetRequest[],
  wait: WaitConfig,
  surroundings: Surroundings,
  telling: WaitTelling,
): Promise<{ readonly exitCode: number; readonly asExpected: boolean }> {
  const { plain, timestamps } = telling;
  const say = (line: string): void =>
    void write({
      stdout: '',
      stderr: `${timestamps ? `${new Date().toISOString()}  ` : ''}${line}\n`,
    });
  const { options, internals, reporter, quiet, write } = surroundings;
  const { durationMs, waitForName } = wait;
  const narration = narrate(requests, wait, telling, say, surroundings);
  const tally = new Tally(options);
  const hopeless = new AbortController();
  options.signal.addEventListener('abort', () => hopeless.abort(), { once: true });
  if (options.signal.aborted) hopeless.abort();
  let results: WaitResult[];
  try {
    results = await Promise.all(
      requests.map(async (request, index) => {
        const delayMs = Math.floor(index / STARTS_PER_MS);
        if (delayMs > 0)
          await sleep(delayMs, undefined, { signal: hopeless.signal }).catch(() => {});
        const waitOptions = {
          ...options,
          signal: hopeless.signal,
          durationMs: Math.max(durationMs - delayMs, 1),
          waitForName,
          onProbe: (event: ProbeEvent) => narration.tell(request, event),
        };
        const result = await waitUntil(request, waitOptions, internals);
        narration.done(request);
        if (result.end === 'incurable') hopeless.abort();
        return result;
      }),
    );
  } finally {
    narration.stop();
  }
  const interrupted = options.signal.aborted;
  if (interrupted && !quiet) write({ stdout: '', stderr: newLineAfterEcho() });
  if (interrupted && !quiet && plain) say(INTERRUPTED);
  for (const [index, result] of interrupted ? [] : results.entries()) {
    const { end, event } = result;
    if (event) tally.add(event);
    if (quiet) continue;
    if (event) write(reporter.probe(event));
    const line = end === 'aborted' ? givenUp(requests[index], event) : endOfWait(result, wait);
    if (line !== null && plain) say(line);
  }
  const isComplete = tally.probes === results.length;
  // Those that were given up together with one that is hopeless, before they had a verdict, do not count: that one does.
  const exitCode = interrupted
    ? exitCodeOf('cancelled')
    : (tally.exitCode ?? exitCodeOf('cancelled'));
  if (!plain && !quiet) write(reporter.finish(tally.totals(isComplete, exitCode)));
  return { exitCode, asExpected: !interrupted && results.every(({ end }) => end === 'expected') };
}
