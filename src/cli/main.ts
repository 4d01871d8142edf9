import { LookupProcess } from '../core/lookup-process.js';
import type { ProbeReport } from '../core/outcome.js';
import { probeEveryAddress, probeTarget, type ProbeOptions } from '../core/probe-target.js';
import { EXIT_BUG, EXIT_USAGE, exitCodeOf } from '../core/states.js';
import { lookUpInProcess, type SystemLookup } from '../core/system-lookup.js';
import { formatHostPort } from '../core/target.js';
import { UsageError } from '../core/usage-error.js';
import { explainError } from '../report/error-table.js';
import { escapeControls } from '../report/escape.js';
import { FORMATS, type Output } from '../report/reporter.js';
import { parseArguments, type ProbeConfig } from './arguments.js';
import { execve, leave } from './leave.js';
import { paints } from './paint.js';
import { spinWhenSlow } from './spinner.js';

/** How long an open connection is watched under `-v` for being dropped at once, in milliseconds: the FIN or RST comes one round trip later. */
const WATCH_MS = 250;

function write({ stdout, stderr }: Output): void {
  if (stdout !== '') process.stdout.write(stdout);
  if (stderr !== '') process.stderr.write(stderr);
}

/** The system's resolver in a form that can be left behind at the deadline. */
function abandonableLookup(): { readonly lookUp: SystemLookup; close(): void } {
  return execve ? { lookUp: lookUpInProcess, close: () => {} } : new LookupProcess();
}

async function* probes(config: ProbeConfig, options: ProbeOptions): AsyncGenerator<ProbeReport> {
  if (config.all) yield* probeEveryAddress(config.target, options);
  else yield await probeTarget(config.target, options);
}

async function runProbes(config: ProbeConfig): Promise<number> {
  const interruption = new AbortController();
  const interrupt = (): void => {
    if (interruption.signal.aborted) process.exit(exitCodeOf('cancelled'));
    interruption.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt); // not once(): ora would then take the signal for its own and end us
  const { target, format, quiet, verbose, timestamps, color, all } = config;
  const reporter = FORMATS[format]({ paint: await paints(color), verbose, timestamps, nameEndpoints: all });
  const lookup = abandonableLookup();
  const stopSpinner = quiet ? () => {} : spinWhenSlow(`${escapeControls(formatHostPort(target.host, target.port))} …`);
  let exitCode = 0;
  try {
    const options = {
      ...config.probe,
      signal: interruption.signal,
      skipWarmUp: quiet,
      watchMs: verbose ? WATCH_MS : 0,
      systemLookup: lookup.lookUp,
    };
    for await (const report of probes(config, options)) {
      if (!all) stopSpinner();
      exitCode = Math.max(exitCode, exitCodeOf(report.outcome.state));
      if (!quiet) write(reporter.probe(report));
    }
  } finally {
    stopSpinner();
    lookup.close();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
  if (interruption.signal.aborted && !quiet) process.stderr.write('Interrupted before there was a verdict.\n');
  return exitCode;
}

async function run(argv: readonly string[]): Promise<number> {
  const config = parseArguments(argv);
  switch (config.action) {
    case 'show':
      write({ stdout: config.text, stderr: '' });
      return 0;
    case 'explain': {
      write({ stdout: explainError(config.query), stderr: '' });
      return 0;
    }
    case 'probe':
      return runProbes(config);
    default:
      return config satisfies never;
  }
}

/** One line for an error, never a stack trace unless the environment variable PORTPING_DEBUG asks for it. */
function complain(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`portping: ${escapeControls(error.message)} (see: portping --help)\n`);
    return EXIT_USAGE;
  }
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`portping: internal error: ${escapeControls(message)} (PORTPING_DEBUG=1 shows where; please report it)\n`);
  if (process.env['PORTPING_DEBUG'] && error instanceof Error) process.stderr.write(`${escapeControls(error.stack ?? '').replaceAll('\\x0a', '\n')}\n`);
  return EXIT_BUG;
}

/** Runs the command line and ends the process with its exit code, within the deadline that the command line sets. */
export async function main(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return; // a reader that has gone away (`| head -1`) is no error of ours
    process.stderr.write(`portping: standard output: ${escapeControls(error.message)}\n`);
    process.exit(EXIT_BUG);
  });
  process.stderr.on('error', () => {});
  process.on('uncaughtException', (error) => process.exit(complain(error)));
  await leave(await run(argv).catch(complain));
}
