import { type Diagnosis, diagnose } from '../../core/diagnosis/diagnose.js';
import type { ObservedFacts } from '../../core/diagnosis/observations/observations.js';
import {
  type DiagnosisCheck,
  TIMEOUTS_IN_TOTAL,
} from '../../core/diagnosis/observations/options.js';
import { monotonicClock } from '../../core/clock.js';
import { DEFAULT_TIMEOUT_MS } from '../../core/limits.js';
import { exitCodeOf } from '../../core/states.js';
import type { SystemLookup } from '../../core/resolve/system-lookup.js';
import { formatHostPort } from '../../core/target/target.js';
import { diagnosisJson, diagnosisMarkdown, diagnosisText } from '../../report/formats/diagnosis.js';
import { CheckLines, type DiagnosisTextOptions } from '../../report/formats/diagnosis-checks.js';
import { escapeControls } from '../../report/escape.js';
import { formatProgress } from '../../report/numbers.js';
import type { Output } from '../../report/reporter.js';
import { INTERRUPTED } from './coverage.js';
import type { DiagnosisConfig } from '../options/config.js';
import { paints } from '../output/paint.js';
import { newLineAfterEcho } from './surroundings.js';
import { openSink } from '../output/sink.js';
import { listenForInterruptions } from '../process/interruptions.js';
import { openLookups } from '../process/lookups.js';
import { NO_SPINNER, spinWhenSlow } from '../output/spinner.js';
import { onSummarySignal } from '../process/summary-signals.js';
import { canvas, wrapperFor } from '../output/terminal.js';

declare const PORTPING_VERSION: string;

/** What a diagnosis needs from the program. */
interface DiagnosisSurroundings {
  readonly signal: AbortSignal;
  readonly systemLookup: SystemLookup;
  readonly write: (output: Output) => void;
  readonly screen: TextScreen;
}

/** How a diagnosis is written as text. */
interface TextScreen {
  readonly options: DiagnosisTextOptions;
  readonly lines: CheckLines;
  readonly wrap: (text: string) => string;
}

async function openScreen({ color, outputFile }: DiagnosisConfig): Promise<TextScreen> {
  const paint = (await paints(color, outputFile !== null)).stdout;
  const options = { paint, unicode: canvas().unicode };
  const wrap = outputFile === null ? await wrapperFor(process.stdout) : (text: string) => text;
  return { options, lines: new CheckLines(options), wrap };
}

function render(
  diagnosis: Diagnosis,
  { format }: DiagnosisConfig,
  { options, lines, wrap }: TextScreen,
): string {
  switch (format) {
    case 'markdown':
      return diagnosisMarkdown(diagnosis, PORTPING_VERSION);
    case 'json':
      return diagnosisJson(diagnosis);
    case 'text':
      return wrap(diagnosisText(diagnosis, options, lines));
    default:
      return format satisfies never;
  }
}

/** Diagnoses the target, with a spinner that names the running checks and the time. */
async function diagnoseWithSpinner(
  config: DiagnosisConfig,
  { signal, systemLookup, write, screen }: DiagnosisSurroundings,
): Promise<Diagnosis> {
  const { target, probe, extraAddress, companions: otherPorts, quiet, color } = config;
  const name = escapeControls(formatHostPort(target.host, target.port));
  const startMs = monotonicClock();
  const limitMs = TIMEOUTS_IN_TOTAL * (probe.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  let checks = 'starting';
  const describe = (): string =>
    `${name}: ${checks}; ${formatProgress(monotonicClock() - startMs, limitMs)}`;
  const spinner = quiet ? NO_SPINNER : spinWhenSlow(describe, { color });
  const onProgress = (running: readonly DiagnosisCheck[]): void => {
    checks = running.join(', ') || 'other checks';
  };
  const showProgress = (): void =>
    spinner.aside(() => write({ stdout: '', stderr: `${describe()}\n` }));
  // A pipe gets all lines at the end, in their order.
  const isLive = !quiet && config.format === 'text' && config.outputFile === null;
  const onObserved = (facts: ObservedFacts): void => {
    const lines = screen.lines.next(facts).map((line) => screen.wrap(`${line}\n`));
    if (lines.length > 0) spinner.aside(() => write({ stdout: lines.join(''), stderr: '' }));
  };
  const internals =
    isLive && process.stdout.isTTY ? { systemLookup, onObserved } : { systemLookup };
  const stopListening = quiet ? () => {} : onSummarySignal(showProgress);
  const options = { ...probe, signal, extraAddress, otherPorts, onProgress };
  try {
    return await diagnose(target, options, internals);
  } finally {
    stopListening();
    spinner.stop();
  }
}

/** Writes a diagnosis, or that it was interrupted. Returns the exit code of the target's state. */
function writeDiagnosis(
  diagnosis: Diagnosis,
  config: DiagnosisConfig,
  { signal, write, screen }: DiagnosisSurroundings,
): number {
  if (signal.aborted) {
    if (!config.quiet) write({ stdout: '', stderr: `${newLineAfterEcho()}${INTERRUPTED}\n` });
    return exitCodeOf('cancelled');
  }
  if (!config.quiet) write({ stdout: render(diagnosis, config, screen), stderr: '' });
  return exitCodeOf(diagnosis.observations.outcome.state);
}

/** Diagnoses a target and writes the result. Returns the exit code of the target's state. */
export async function runDiagnosis(config: DiagnosisConfig): Promise<number> {
  const interruptions = listenForInterruptions();
  const { signal } = interruptions;
  const sink = await openSink(config.outputFile, signal);
  const lookups = await openLookups();
  try {
    const systemLookup = lookups.lookups.lookUp;
    const screen = await openScreen(config);
    const surroundings = { signal, systemLookup, write: sink.write, screen };
    const diagnosis = await diagnoseWithSpinner(config, surroundings);
    const exitCode = writeDiagnosis(diagnosis, config, surroundings);
    sink.finish(signal.aborted);
    return exitCode;
  } finally {
    sink.close();
    lookups.close();
    interruptions.end();
  }
}
