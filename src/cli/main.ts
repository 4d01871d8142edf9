import { runtimeRefusal } from '../core/runtime.js';
import { EXIT_BUG, EXIT_USAGE } from '../core/states.js';
import { UsageError } from '../core/usage-error.js';
import { runProbeAction } from './actions/probe-action.js';
import { asksForCheck, readCommandLine } from './parsing/command-line.js';
import { chooseConfig, type Config } from './options/config.js';
import type { CommandLine, Shell } from './options/option-table.js';
import { write } from './output/sink.js';
import { wrapperFor } from './output/terminal.js';
import { complain, EXIT_UNKNOWN, watchStandardStreams } from './process/complaint.js';
import { leave } from './process/leave.js';
import { ignoreSummarySignals } from './process/summary-signals.js';

/** Explains an error code. The table is loaded only for this. */
async function explainCode(code: string | null): Promise<string> {
  return (await import('../report/explain/explain-query.js')).explainQuery(code, process.platform);
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

/** Checks a command line. What is known about other tools is loaded only for a refusal. */
async function readConfig(line: CommandLine, argv: readonly string[]): Promise<Config> {
  try {
    return await chooseConfig(line);
  } catch (error) {
    if (!(error instanceof UsageError) || argv.length === 0) throw error;
    // The error says that a word was read as the service, and what to write for a host.
    if (line.problem === null && line.hint.includes('was read as the service')) throw error;
    throw await (await import('./habits/advice.js')).adviseHabit(argv, error);
  }
}

/** Shows how to begin, where nothing was typed. A script with an empty variable gets an error. */
async function showBeginning(): Promise<number> {
  const { shortHelp } = await import('./parsing/short-help.js');
  write({ stdout: '', stderr: shortHelp() });
  return EXIT_USAGE;
}

/** Does what a command line asks for, and returns the exit code. */
async function run(line: CommandLine, argv: readonly string[]): Promise<number> {
  if (argv.length === 0 && !asksForCheck(line)) return showBeginning();
  const config = await readConfig(line, argv);
  await warnOfBareNumbers(line);
  switch (config.action) {
    case 'show':
      write({ stdout: config.text, stderr: '' });
      return asksForCheck(line) ? EXIT_UNKNOWN : 0;
    case 'explain': {
      const wrap = await wrapperFor(process.stdout);
      write({ stdout: wrap(await explainCode(config.code)), stderr: '' });
      return 0;
    }
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
    await leave(await run(line, argv));
  } catch (error) {
    await leave(complain(error, isCheck, await wrapperFor(process.stderr)));
  }
}
