import { onStateSignal } from './state-signals.js'; // first, because it counts from when it is loaded
import type { AddressInfo } from 'node:net';
import { LookupProcess } from '../core/resolve/lookup-process.js';
import { EXIT_BUG, EXIT_USAGE, exitCodeOf } from '../core/states.js';
import { formatHostPort } from '../core/target/target.js';
import { UsageError } from '../core/usage-error.js';
import { warmUp } from '../core/probe/warm-up.js';
import { escapeControls } from '../report/escape.js';
import { type ExporterConfig, type ListenAddress, parseExporterArguments } from './arguments.js';
import { jsonLog, type Log } from './log.js';
import { boundLookups, MOST_PENDING } from './lookups.js';
import { ownMetrics } from './pages/own-metrics.js';
import { Prober } from './probe-handler.js';
import { createExporterServer, type ExporterServer } from './server.js';

declare const PORTPING_VERSION: string;

type ServeConfig = Extract<ExporterConfig, { action: 'serve' }>;

/** Listens, and returns where. */
function listen(
  { server }: ExporterServer,
  { address, port }: ListenAddress,
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new UsageError(
          `--listen: ${formatHostPort(address ?? '', port)} cannot be listened on (${error.code})`,
        ),
      ),
    );
    server.listen({ port, ...(address === null ? {} : { host: address }) }, () =>
      resolve(server.address() as AddressInfo),
    );
  });
}

/** Waits for SIGTERM, SIGINT or SIGHUP; the second one ends the process at once. */
function untilStopped(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(exitCodeOf('cancelled'));
      stopping = true;
      resolve(signal);
    };
    process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', stop);
  });
}

async function serve(config: ServeConfig, log: Log): Promise<void> {
  const { allow, timeoutMs, offsetMs, concurrency, family, dnsServer, sourceAddress } = config;
  // The system's resolver in a process of its own: however long it takes to answer, this one can end. It has a thread for each name that may wait for it,
  // twice over because libuv gives it every second one: a name that waits for a thread would be told as one whose DNS server is silent.
  process.env['UV_THREADPOOL_SIZE'] ??= String(2 * MOST_PENDING);
  const lookupProcess = new LookupProcess();
  const prober = new Prober({
    allow,
    lookups: boundLookups(lookupProcess.lookUp),
    concurrency,
    timeoutMs,
    offsetMs,
    probe: { family, dnsServer, sourceAddress },
  });
  const metrics = ownMetrics(PORTPING_VERSION, () => prober.inFlight);
  const exporter = createExporterServer({
    prober,
    allow,
    metrics,
    log,
    version: PORTPING_VERSION,
    concurrency,
  });
  await warmUp(); // the first latency is to be as true as the others
  const { address, port } = await listen(exporter, config.listen);
  exporter.server.on('error', (error) => log('error', { message: error.message }));
  const allowed = allow.isDefault
    ? 'only loopback and private addresses, because no --allow was given'
    : 'what the rules of --allow permit';
  log('listening', {
    address: formatHostPort(address, port),
    version: PORTPING_VERSION,
    allowed,
    rules: allow.rules,
  });
  onStateSignal((signal) =>
    log('state', {
      signal,
      uptimeSeconds: Math.round(process.uptime()),
      inFlight: prober.inFlight,
      ...metrics.totals(),
    }),
  );
  const signal = await untilStopped();
  log('stopping', { signal, inFlight: prober.inFlight });
  await exporter.stop();
  lookupProcess.close();
  log('stopped', {});
}

/** Runs the exporter until it is told to end, and ends the process. */
export async function main(argv: readonly string[]): Promise<void> {
  process.stderr.on('error', () => {}); // a log that nobody takes is no reason to stop
  const log = jsonLog(
    (line) => process.stderr.write(line),
    () => process.stderr.writableLength,
  );
  process.on('uncaughtException', (error) => {
    log('error', { message: error.message, stack: error.stack });
    process.exit(EXIT_BUG);
  });
  try {
    const config = parseExporterArguments(argv);
    if (config.action === 'show') return void process.stdout.write(config.text);
    await serve(config, log);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(
      `portping-exporter: ${escapeControls(error.message)} (see: portping-exporter --help)\n`,
    );
    process.exit(EXIT_USAGE);
  }
}
