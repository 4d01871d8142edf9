import { monotonicClock } from '../core/clock.js';
import { LookupProcess } from '../core/resolve/lookup-process.js';
import { EXIT_BUG, EXIT_USAGE, exitCodeOf } from '../core/states.js';
import { LookupQueue, systemLookups } from '../core/resolve/lookup-queue.js';
import type { TargetRequest } from '../core/target/target-list.js';
import { UsageError } from '../core/usage-error.js';
import { explainError } from '../report/error-table.js';
import { escapeControls } from '../report/escape.js';
import { FORMATS } from '../report/formats/registry.js';
import { tableReporter } from '../report/formats/table.js';
import { asksForCheck, readCommandLine, type CommandLine } from './options/command-line.js';
import { chooseConfig, type DiagnosisConfig, type ProbeConfig } from './options/config.js';
import { MAX_REPEATED_TARGETS } from './options/defaults.js';
import { runCommand } from './actions/command.js';
import { execve, leave } from './process/leave.js';
import { paints } from './output/paint.js';
import { type Plan, runProbes, type Surroundings } from './actions/probing.js';
import { openSink, write } from './output/sink.js';
import { requestsOfBlock, requestsOfFile } from './options/target-file.js';
import { canvas } from './output/terminal.js';
import { askForThreads } from './process/threads.js';
import { runWait } from './actions/waiting.js';

/** How long an open connection is watched under `-v` for being dropped at once, in milliseconds: the FIN or RST comes one round trip later. */
const WATCH_MS = 250;

/** The system's resolver in a form that can be left behind at the deadline. */
function abandonableLookups(): { readonly lookups: LookupQueue; close(): void } {
  if (execve) return { lookups: systemLookups, close: () => {} };
  const helper = new LookupProcess();
  return { lookups: new LookupQueue(helper.lookUp), close: () => helper.close() };
}

const INTERRUPTIONS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A signal so soon behind the first one is the same: timeout(1) sends it to its child and then to the whole group; milliseconds. */
const SAME_SIGNAL_MS = 250;

/** The first SIGINT, SIGTERM or SIGHUP (the terminal was closed) ends what is running in order, the second one at once. So does a reader of ours that has gone away. */
function interruptions(): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  let firstMs: number | null = null;
  const interrupt = (): void => {
    firstMs ??= monotonicClock();
    if (monotonicClock() - firstMs > SAME_SIGNAL_MS) process.exit(exitCodeOf('cancelled'));
    controller.abort();
  };
  for (const name of INTERRUPTIONS) process.on(name, interrupt); // not once(): ora would then take the signal for its own and end us
  process.stdout.on('error', () => controller.abort()); // nobody reads any more (`| head -1`)
  return {
    signal: controller.signal,
    end: () => INTERRUPTIONS.forEach((name) => process.off(name, interrupt)),
  };
}

function expectationInWords({ expect, maxLatencyMs }: ProbeConfig): string | null {
  if (maxLatencyMs !== undefined) return `--max-latency ${maxLatencyMs} ms`;
  return expect === 'open' ? null : `--expect ${expect}`;
}

/** From this many targets on, people get a table of the open ones instead of a line for each. */
const TABLE_FROM = 50;

/**
 * Keeps V8's space for new objects at its first size. Left to itself it grows to 48 or 96 MB and keeps garbage of as much again behind it; a run over
 * very many targets then takes up to 230 MB (seen on Node 24), and half of that with this, in the same time. A space that stays small would be cleared
 * in a task of its own, 0.8 ms that the latencies of a short run would have in them: it is cleared when it is full. Only where the flags are known to
 * exist: V8 would print a complaint about others.
 */
async function limitMemory(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8'); // a single probe does not pay for loading it
  if (Number(process.versions.node.split('.')[0]) > 26) return;
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-minor-gc-task');
}

async function planOf(config: ProbeConfig, signal: AbortSignal): Promise<Plan> {
  const { targets, count, wait, service, format } = config;
  const repeated = count > 1 || wait !== null;
  if (typeof targets !== 'string') {
    const isSeries = repeated || targets.size === 1;
    return {
      requests: isSeries ? [...requestsOfBlock(targets)] : targets,
      size: targets.size,
      count,
    };
  }
  if (!repeated && !FORMATS[format].isCheck)
    return { requests: requestsOfFile(targets, service, signal), size: null, count };
  const requests: TargetRequest[] = [];
  for await (const request of requestsOfFile(targets, service, signal)) {
    requests.push(request);
    if (requests.length > MAX_REPEATED_TARGETS)
      throw new UsageError(
        `--targets: more than ${MAX_REPEATED_TARGETS} targets; allowed ${FORMATS[format].isCheck ? 'in one check' : 'with -c, -t or --wait'}: ${MAX_REPEATED_TARGETS}`,
      );
  }
  return { requests, size: requests.length, count };
}

async function runConfig(config: ProbeConfig): Promise<number> {
  const {
    quiet,
    verbose,
    timestamps,
    color,
    all,
    histogram,
    expect,
    maxLatencyMs,
    format,
    wait,
    intervalMs,
    concurrency,
    ratePerSecond,
    service,
  } = config;
  const interruption = interruptions();
  const block = typeof config.targets === 'string' ? null : config.targets;
  const manyTargets = block?.size !== 1;
  const { isCheck } = FORMATS[format];
  const threads = askForThreads(
    block === null ? Infinity : block.literal ? 0 : block.size,
    isCheck,
  ); // before anything needs a thread: a file of targets does
  const plan = await planOf(config, interruption.signal);
  if (manyTargets) {
    await limitMemory();
    if (!process.env['PORTPING_DEBUG']) Error.stackTraceLimit = 0; // a tenth of the time of a sweep
  }
  const isTable =
    format === 'text' &&
    block !== null &&
    block.size >= TABLE_FROM &&
    plan.count === 1 &&
    !wait &&
    !verbose;
  const sink = await openSink(config.outputFile, interruption.signal);
  const lookup = abandonableLookups();
  const reportOptions = {
    paint: await paints(color, config.outputFile !== null),
    verbose,
    timestamps,
    nameEndpoints: all || manyTargets,
    manyTargets,
    expect,
    service: service && (service.request.name ?? 'its service'),
    rounds: plan.count > 1,
    expectation: expectationInWords(config),
    canvas: canvas(),
    sparkline: process.stderr.isTTY,
    histogram,
    thresholds: config.thresholds,
  };
  const surroundings: Surroundings = {
    options: {
      ...config.probe,
      service: service?.request,
      expect,
      maxLatencyMs,
      everyAddress: all,
      ratePerSecond,
      concurrency: concurrency ?? undefined,
      ...(intervalMs === undefined ? {} : { intervalMs }),
      signal: interruption.signal,
      watchMs: verbose ? WATCH_MS : 0,
      // A check ends within its timeout: all targets at once, none of them retried.
      ...(isCheck ? { concurrency: MAX_REPEATED_TARGETS, shortagePatienceMs: 0 } : {}),
    },
    internals: {
      lookups: lookup.lookups,
      skipWarmUp: quiet && maxLatencyMs === undefined,
    },
    reporter: isTable ? tableReporter(reportOptions) : await FORMATS[format].create(reportOptions),
    quiet,
    write: sink.write,
  };
  let result: { readonly exitCode: number; readonly asExpected?: boolean };
  try {
    if (wait)
      result = await runWait(plan.requests as readonly TargetRequest[], wait, surroundings, {
        plain: format === 'text',
        verbose,
        timestamps,
      });
    else result = { exitCode: await runProbes(plan, surroundings) };
    // What was to be in a file and is not is no success, whatever was seen.
    if (!sink.finish(interruption.signal.aborted) && result.exitCode === 0)
      result = { exitCode: exitCodeOf('cancelled') };
  } finally {
    sink.close();
    lookup.close();
    interruption.end();
    threads.restore();
  }
  // With nothing of ours left that would take signals for itself.
  return wait && result.asExpected && wait.command.length > 0
    ? runCommand(wait.command)
    : result.exitCode;
}

async function runDiagnosis(config: DiagnosisConfig): Promise<number> {
  const { diagnoseTarget } = await import('./actions/diagnosing.js'); // probes do not pay for loading it
  const interruption = interruptions();
  const sink = await openSink(config.outputFile, interruption.signal);
  const lookup = abandonableLookups();
  try {
    const exitCode = await diagnoseTarget(config, {
      signal: interruption.signal,
      systemLookup: lookup.lookups.lookUp,
      write: sink.write,
    });
    sink.finish(interruption.signal.aborted);
    return exitCode;
  } finally {
    sink.close();
    lookup.close();
    interruption.end();
  }
}

/** UNKNOWN of a check (monitoring plugins guidelines): Nagios shows what is on standard output, and takes 64 for a broken plugin. */
const EXIT_UNKNOWN = 3;

async function run(line: CommandLine): Promise<number> {
  const config = await chooseConfig(line);
  switch (config.action) {
    case 'show':
      write({ stdout: config.text, stderr: '' });
      return asksForCheck(line) ? EXIT_UNKNOWN : 0; // guidelines, "Plugin Return Codes": also for --help and --version
    case 'explain':
      write({ stdout: explainError(config.code), stderr: '' });
      return 0;
    case 'diagnose':
      return runDiagnosis(config);
    case 'probe':
      return runConfig(config);
    default:
      return config satisfies never;
  }
}

/** One line for an error, never a stack trace unless the environment variable PORTPING_DEBUG asks for it. */
function complain(error: unknown, isCheck: boolean): number {
  const message = error instanceof Error ? error.message : String(error);
  if (isCheck) {
    process.stdout.write(
      `PORTPING UNKNOWN: ${error instanceof UsageError ? '' : 'internal error: '}${escapeControls(message).replaceAll('|', '\\x7c')}\n`,
    );
    return EXIT_UNKNOWN;
  }
  if (error instanceof UsageError) {
    process.stderr.write(`portping: ${escapeControls(error.message)} (see: portping --help)\n`);
    return EXIT_USAGE;
  }
  process.stderr.write(
    `portping: internal error: ${escapeControls(message)} (PORTPING_DEBUG=1 shows where; please report it)\n`,
  );
  if (process.env['PORTPING_DEBUG'] && error instanceof Error)
    process.stderr.write(`${escapeControls(error.stack ?? '').replaceAll('\\x0a', '\n')}\n`);
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
  const line = await readCommandLine(argv);
  const isCheck = asksForCheck(line);
  process.on('uncaughtException', (error) => process.exit(complain(error, isCheck)));
  await leave(await run(line).catch((error: unknown) => complain(error, isCheck)));
}
