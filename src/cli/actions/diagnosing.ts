import { type Diagnosis, diagnose } from '../../core/diagnosis/diagnose.js';
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
}

async function render(
  diagnosis: Diagnosis,
  { format, color, outputFile }: DiagnosisConfig,
): Promise<string> {
  switch (format) {
    case 'markdown':
      return diagnosisMarkdown(diagnosis, PORTPING_VERSION);
    case 'json':
      return diagnosisJson(diagnosis);
    case 'text': {
      const text = diagnosisText(diagnosis, {
        paint: (await paints(color, outputFile !== null)).stdout,
        unicode: canvas().unicode,
      });
      return outputFile === null ? (await wrapperFor(process.stdout))(text) : text;
    }
    default:
      return format satisfies never;
  }
}

/** Diagnoses the target, with a spinner that names the running checks and the time. */
async function diagnoseWithSpinner(
  { target, probe, extraAddress, companions: otherPorts, quiet, color }: DiagnosisConfig,
  { signal, systemLookup, write }: DiagnosisSurroundings,
): Promise<Diagnosis> {
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
  const stopListening = quiet ? () => {} : onSummarySignal(showProgress);
  const options = { ...probe, signal, extraAddress, otherPorts, onProgress };
  try {
    return await diagnose(target, options, { systemLookup });
  } finally {
    stopListening();
    spinner.stop();
  }
}

/** Writes a diagnosis, or that it was interrupted. Returns the exit code of the target's state. */
async function writeDiagnosis(
  diagnosis: Diagnosis,
  config: DiagnosisConfig,
  { signal, write }: DiagnosisSurroundings,
): Promise<number> {
  if (signal.aborted) {
    if (!config.quiet) write({ stdout: '', stderr: `${newLineAfterEcho()}${INTERRUPTED}\n` });
    return exitCodeOf('cancelled');
  }
  if (!config.quiet) write({ stdout: await render(diagnosis, config), stderr: '' });
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
    const surroundings = { signal, systemLookup, write: sink.write };
    const diagnosis = await diagnoseWithSpinner(config, surroundings);
    const exitCode = await writeDiagnosis(diagnosis, config, surroundings);
    sink.finish(signal.aborted);
    return exitCode;
  } finally {
    sink.close();
    lookups.close();
    interruptions.end();
  }
}
