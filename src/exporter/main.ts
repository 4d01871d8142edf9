// First: it listens from when it is loaded.
import { onStateSignal } from './process/state-signals.js';
import type { AddressInfo } from 'node:net';
import { LookupProcess } from '../core/resolve/lookup-process.js';
import { LookupQueue } from '../core/resolve/lookup-queue.js';
import { threadsForLookups } from '../core/resolve/system-lookup.js';
import { runtimeRefusal } from '../core/runtime.js';
import { EXIT_BUG, EXIT_USAGE, exitCodeOf } from '../core/states.js';
import { formatHostPort } from '../core/target/target.js';
import { UsageError } from '../core/usage-error.js';
import { warmUp } from '../core/probe/warm-up.js';
import { escapeControls } from '../report/escape.js';
import { type ExporterConfig, parseExporterArguments } from './arguments.js';
import type { ListenAddress } from './option-table.js';
import { BrowserGuard } from './access/browser-guard.js';
import { Configuration } from './config/configuration.js';
import { jsonLog, type Log } from './process/log.js';
import { MOST_PENDING } from './probing/lookups.js';
import { type OwnMetrics, ownMetrics } from './pages/own-metrics.js';
import { PasswordCheck } from './web/password-check.js';
import { WebSettings } from './web/web-settings.js';
import { Reloader } from './reloader.js';
import { Prober } from './probing/prober.js';
import { ExporterServer } from './server.js';

declare const PORTPING_VERSION: string;

type ServeConfig = Extract<ExporterConfig, { action: 'serve' }>;

/** Starts to listen; resolves to the address that the system chose. */
function listen(
  { server }: ExporterServer,
  { address, port }: ListenAddress,
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const where = formatHostPort(address ?? '', port);
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      reject(
        new UsageError(
          `--listen: cannot listen on ${where} (${code}); ` +
            'allowed: a free port of an address of this machine',
        ),
      ),
    );
    server.listen({ port, ...(address === null ? {} : { host: address }) }, () =>
      resolve(server.address() as AddressInfo),
    );
  });
}

/**
 * Resolves on SIGTERM or SIGINT. A second signal exits at once.
 *
 * @param onHangUp what SIGHUP does; if it is null, SIGHUP stops too
 */
function untilStopped(onHangUp: (() => void) | null): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(exitCodeOf('cancelled'));
      stopping = true;
      resolve(signal);
    };
    process
      .on('SIGTERM', stop)
      .on('SIGINT', stop)
      .on('SIGHUP', onHangUp ?? stop);
  });
}

/** Logs where the exporter listens, and its state when a signal asks for it. */
function announce(
  { allow }: ServeConfig,
  address: string,
  { prober, metrics, log }: { prober: Prober; metrics: OwnMetrics; log: Log },
): void {
  const allowed = allow.isDefault
    ? 'only loopback and private addresses, because no --allow was given'
    : 'what the rules of --allow permit';
  log('listening', {
    address,
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
}

async function serve(config: ServeConfig, log: Log): Promise<void> {
  const { allow, timeoutMs, offsetMs, concurrency, family, dnsServer, sourceAddress } = config;
  // Lookups run in a process of their own, so that a slow resolver cannot keep this one from
  // exiting. Each pending name needs a thread, or it would time out in the queue.
  process.env['UV_THREADPOOL_SIZE'] ??= String(threadsForLookups(MOST_PENDING));
  const configuration = new Configuration(config.configFile);
  await configuration.load();
  const lookupProcess = new LookupProcess();
  await lookupProcess.start();
  const prober = new Prober({
    allow,
    lookups: new LookupQueue(lookupProcess.lookUp, { atOnce: MOST_PENDING }),
    concurrency,
    timeoutMs,
    offsetMs,
    probe: { family, dnsServer, sourceAddress },
    configuration,
  });
  const metrics = ownMetrics(PORTPING_VERSION, () => prober.inFlight);
  const web = new WebSettings(config.webConfigFile);
  await web.load();
  const reloader = new Reloader([configuration, web], metrics, log);
  const exporter = new ExporterServer({
    prober,
    allow,
    configuration,
    reload: () => reloader.reload(),
    metricNames: config.metricNames,
    web,
    passwords: new PasswordCheck(),
    guard: new BrowserGuard(config.listen.address, config.allowedHosts),
    metrics,
    log,
    version: PORTPING_VERSION,
    concurrency,
  });
  await warmUp(); // otherwise the first latency reads 2 to 4 ms too long
  const { address, port } = await listen(exporter, config.listen);
  exporter.server.on('error', (error) => log('error', { message: error.message }));
  // Before anyone can know that the exporter listens: a signal would kill it.
  const hasFiles = (config.configFile ?? config.webConfigFile) !== undefined;
  const stopped = untilStopped(hasFiles ? () => void reloader.reloadQuietly() : null);
  announce(config, formatHostPort(address, port), { prober, metrics, log });
  web.watch(() => reloader.reloadQuietly());
  const signal = await stopped;
  log('stopping', { signal, inFlight: prober.inFlight });
  await exporter.stop();
  lookupProcess.close();
  log('stopped', {});
}

/** Runs the exporter until a signal stops it, then exits the process. */
export async function main(argv: readonly string[]): Promise<void> {
  const refusal = runtimeRefusal();
  if (refusal !== undefined) {
    process.stderr.write(`portping-exporter: ${refusal}\n`);
    process.exit(EXIT_BUG);
  }
  process.stderr.on('error', () => {}); // go on without a reader of the log
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
