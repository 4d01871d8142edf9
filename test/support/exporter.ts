import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { request, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { environment } from './command.js';
import { listenDns, SOON } from './listeners.js';
import { testNode } from './portping.js';

/** The words that start the built exporter. */
export const exporterCommand = [
  testNode,
  fileURLToPath(new URL('../../bin/portping-exporter.js', import.meta.url)),
];

/** A line of the exporter's log. */
type LogLine = Record<string, any>;

/** An answer to an HTTP request. */
export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  elapsedMs: number;
}

/** Sends a request and reads the whole answer. Rejects when the connection closes earlier. */
export function get(url: string, options: RequestOptions = {}): Promise<HttpAnswer> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response
        .on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body,
            elapsedMs: performance.now() - startedAt,
          }),
        )
        .on('error', reject);
    });
    sent.on('error', reject).end();
  });
}

/** A running exporter. */
export interface TestExporter {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /** The lines of the log so far. */
  readonly log: readonly LogLine[];
  readonly child: ChildProcess;
  /** `GET /probe` with these parameters. */
  probe(parameters: Record<string, string>, headers?: Record<string, string>): Promise<HttpAnswer>;
  /** Sends a signal and waits for the exit. */
  stop(signal?: NodeJS.Signals): Promise<{ exitCode: number | null }>;
}

/** Waits until a child process that is an exporter listens. */
export async function exporterOf(child: ChildProcess): Promise<TestExporter> {
  const log: LogLine[] = [];
  const closed = once(child, 'close') as Promise<[number | null]>;
  if (!child.stderr) throw new TypeError('an exporter needs a pipe for its log');
  const lines = createInterface({ input: child.stderr });
  const { address } = await new Promise<LogLine>((resolve, reject) => {
    lines.on('line', (text) => {
      if (!text.startsWith('{')) return reject(new Error(text));
      const line = JSON.parse(text) as LogLine;
      log.push(line);
      if (line['event'] === 'listening') resolve(line);
    });
    void closed.then(([exitCode]) => reject(new Error(`ended with ${exitCode}`)));
  });
  const port = Number(/:(\d+)$/.exec(String(address))?.[1]);
  const url = `http://${String(address)}`;
  return {
    pid: child.pid ?? 0,
    port,
    url,
    log,
    child,
    probe: (parameters, headers = {}) =>
      get(`${url}/probe?${new URLSearchParams(parameters).toString()}`, { headers }),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const [exitCode] = await closed;
      return { exitCode };
    },
  };
}

/** Starts the exporter on a free port of 127.0.0.1, and kills it after the test. */
export async function startExporter(args: readonly string[] = []): Promise<TestExporter> {
  const [file = '', ...words] = exporterCommand;
  const child = spawn(file, [...words, '--listen', '127.0.0.1:0', ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return exporterOf(child);
}

/** The samples of an exposition: each `name{labels}` with its value. */
export function samplesOf(text: string): Record<string, number> {
  const lines = text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

/** The metrics of the exporter about itself. */
export async function readOwnMetrics(exporter: TestExporter): Promise<Record<string, number>> {
  return samplesOf((await get(`${exporter.url}/metrics`)).body);
}

/** Waits until this many probes are in flight. */
export async function untilInFlight(exporter: TestExporter, count: number): Promise<void> {
  const inFlight = async () =>
    (await readOwnMetrics(exporter))['portping_exporter_probes_in_flight'];
  await expect.poll(inFlight, SOON).toBe(count);
}

/** How many file descriptors the exporter has open; only on Linux. */
export async function countDescriptors({ pid }: TestExporter): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** Sends raw bytes to the exporter, and returns what comes back until the connection closes. */
export async function sendBytes(
  { port }: TestExporter,
  ...pieces: readonly string[]
): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  let received = '';
  socket
    .setEncoding('utf8')
    .on('data', (text: string) => {
      received += text;
    })
    .on('error', () => {});
  for (const piece of pieces) socket.write(piece);
  await once(socket, 'close');
  return received;
}

/** A DNS server that knows these names and their IPv4 addresses. */
export const listenNames = (names: Record<string, readonly string[]>) =>
  listenDns((type, name) => {
    const addresses = names[name];
    if (!addresses) return 'NXDOMAIN';
    return type === 'A'
      ? addresses.map((data) => ({ type: 'A' as const, name, ttl: 60, data }))
      : [];
  });
