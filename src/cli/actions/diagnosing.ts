import { type Diagnosis, diagnose } from '../../core/diagnosis/diagnose.js';
import type { DiagnosisCheck } from '../../core/diagnosis/observations/observe.js';
import { exitCodeOf } from '../../core/states.js';
import type { SystemLookup } from '../../core/resolve/system-lookup.js';
import { formatHostPort } from '../../core/target/target.js';
import { diagnosisJson, diagnosisMarkdown, diagnosisText } from '../../report/formats/diagnosis.js';
import { escapeControls } from '../../report/escape.js';
import type { Output } from '../../report/reporter.js';
import { INTERRUPTED } from './coverage.js';
import type { DiagnosisConfig } from '../options/diagnosis-arguments.js';
import { paints } from '../output/paint.js';
import { newLineAfterEcho } from './probing.js';
import { NO_SPINNER, spinWhenSlow } from '../output/spinner.js';
import { onSummarySignal } from '../process/summary-signals.js';
import { canvas } from '../output/terminal.js';

declare const PORTPING_VERSION: string;

/** What a diagnosis needs of its surroundings. */
export interface DiagnosisSurroundings {
  readonly signal: AbortSignal;
  readonly systemLookup: SystemLookup;
  write(output: Output): void;
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
    case 'text':
      return diagnosisText(diagnosis, {
        paint: (await paints(color, outputFile !== null)).stdout,
        unicode: canvas().unicode,
      });
    default:
      return format satisfies never;
  }
}

/** A diagnosis instead of a probe. Returns the exit code of the state of the target, as a plain probe would. */
export async function diagnoseTarget(
  config: DiagnosisConfig,
  { write, ...surroundings }: DiagnosisSurroundings,
): Promise<number> {
  const { target, probe, extraAddress, companions, quiet } = config;
  const name = escapeControls(formatHostPort(target.host, target.port));
  const spinner = quiet ? NO_SPINNER : spinWhenSlow(`${name} ...`);
  let progress = `${name} ...`;
  const onProgress = (underWay: readonly DiagnosisCheck[]): void => {
    progress = `${name}: ${underWay.join(', ') || 'the rest'} ...`;
    spinner.say(progress);
  };
  const tellProgress = (): void =>
    spinner.aside(() => write({ stdout: '', stderr: `${progress}\n` }));
  const stopListening = quiet ? () => {} : onSummarySignal(tellProgress);
  const diagnosis = await diagnose(target, {
    ...probe,
    ...surroundings,
    extraAddress,
    companions,
    onProgress,
  }).finally(() => {
    stopListening();
    spinner.stop();
  });
  if (surroundings.signal.aborted) {
    if (!quiet) write({ stdout: '', stderr: `${newLineAfterEcho()}${INTERRUPTED}\n` });
    return exitCodeOf('cancelled');
  }
  if (!quiet) write({ stdout: await render(diagnosis, config), stderr: '' });
  return exitCodeOf(diagnosis.observations.outcome.state);
}
