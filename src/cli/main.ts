import { runtimeRefusal } from '../core/runtime.js';
import { EXIT_BUG } from '../core/states.js';
import { runProbeAction } from './actions/probe-action.js';
import { asksForCheck, readCommandLine } from './parsing/command-line.js';
import { chooseConfig } from './options/config.js';
import type { CommandLine, Shell } from './options/option-table.js';
import { write } from './output/sink.js';
import { wrapperFor } from './output/terminal.js';
import { complain, EXIT_UNKNOWN, watchStandardStreams } from './process/complaint.js';
import { leave } from './process/leave.js';
import { ignoreSummarySignals } from './process/summary-signals.js';

/** Explains an error code. The table is loaded only for this. */
async function explainCode(code: string | null): Promise<string> {
  return (await import('../report/error-table.js')).explainError(code, process.platform);
}

/** The script that completes command lines in a shell. It is loaded only for this. */
async function writeCompletion(shell: Shell): Promise<string> {
  return (await import('./completion/completion.js')).completionScript(shell);
}

/** Warns of long durations without a unit. What says so is loaded only for numbers that long. */
async function warnOfBareNumbers(line: CommandLine): Promise<void> {
  const isBare = (text: string | boolean): boolean =>
    typeof text === 'string' && /^\d{3,}(\.\d*)?$/.test(text);
  if (line.texts.has('quiet') || asksForCheck(line) || ![...line.texts.values()].some(isBare))
    return;
  const { describeBareNumbers } = await import('./options/bare-durations.js');
  write({ stdout: '', stderr: describeBareNumbers(line) });
}

/** Does what a command line asks for, and returns the exit code. */
async function run(line: CommandLine): Promise<number> {
  const config = await chooseConfig(line);
  await warnOfBareNumbers(line);
  switch (config.action) {
    case 'show':
      write({ stdout: config.text, stderr: '' });
      return asksForCheck(line) ? EXIT_UNKNOWN : 0;
    case 'explain':
      write({ stdout: await explainCode(config.code), stderr: '' });
      return 0;
    case 'complete':
      write({ stdout: await writeCompletion(config.shell), stderr: '' });
      return 0;
    case 'diagnose':
      // Probes do not need the diagnosis: it is loaded only here.
      return (await import('./actions/diagnosing.js')).runDiagnosis(config);
    case 'probe':
      return runProbeAction(config);
    default:
      return config satisfies never;
  }
}

/** Runs the command line and ends the process with its exit code, within the deadline. */
export async function main(argv: readonly string[]): Promise<void> {
  const refusal = runtimeRefusal();
  if (refusal !== undefined) {
    process.stderr.write(`portping: ${refusal}\n`);
    process.exit(EXIT_BUG);
  }
  ignoreSummarySignals();
  watchStandardStreams();
  let isCheck = false;
  process.on('uncaughtException', (error) => process.exit(complain(error, isCheck)));
  try {
    const line = await readCommandLine(argv);
    isCheck = asksForCheck(line);
    await leave(await run(line));
  } catch (error) {
    await leave(complain(error, isCheck, await wrapperFor(process.stderr)));
  }
}
