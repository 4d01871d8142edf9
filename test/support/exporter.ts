import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { environment } from './command.js';
import { testNode } from './portping.js';

/** The words that start the built exporter. */
export const exporterCommand = [
  testNode,
  fileURLToPath(new URL('../../bin/portping-exporter.js', import.meta.url)),
];

/** A line of the exporter's log. */
type LogLine = Record<string, any>;

/** An answer over HTTP. */
export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  elapsedMs: number;
}

/** A request, and all of its answer. Rejects when the connection ends before. */
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
  /** All lines of the log so far. */
  readonly log: readonly LogLine[];
  readonly child: ChildProcess;
  /** `GET /probe` with these parameters. */
  probe(parameters: Record<string, string>, headers?: Record<string, string>): Promise<HttpAnswer>;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<{ exitCode: number | null; elapsedMs: number }>;
}

/** Takes over a child that is an exporter, and waits until it listens. */
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
      get(`${url}/probe?${new URLSearchParams(parameters)}`, { headers }),
    async stop(signal = 'SIGTERM') {
      const startedAt = performance.now();
      child.kill(signal);
      const [exitCode] = await closed;
      return { exitCode, elapsedMs: performance.now() - startedAt };
    },
  };
}

/** Starts the exporter on a free port of 127.0.0.1; killed when the test is over, if it still runs. */
export async function startExporter(args: readonly string[] = []): Promise<TestExporter> {
  const [file = '', ...words] = exporterCommand;
  const child = spawn(file, [...words, '--listen', '127.0.0.1:0', ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return exporterOf(child);
}

/** The samples of an exposition: `name{labels}` and its value. */
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
