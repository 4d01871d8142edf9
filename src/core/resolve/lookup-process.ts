import type { ChildProcess } from 'node:child_process';
import type { ErrorFacts } from '../facts/outcome.js';
import { errorFacts } from '../errors/socket-errors.js';
import {
  type LookupAnswer,
  lookUpInProcess,
  shareLookups,
  type SystemLookup,
  uniqueAddresses,
} from './system-lookup.js';

/**
 * The other process: reads one JSON question a line, writes one JSON answer a line, ends with its standard input. A signal to the whole group, from a
 * terminal or from systemd, is for whoever asks: if this process ended by it, that one would look up what is pending itself, and could not end.
 */
const SCRIPT = `
const { lookup } = require('node:dns');
for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1']) process.on(signal, () => {});
let rest = '';
process.stdin.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\\n');
  rest = lines.pop();
  for (const { id, host, family } of lines.map((line) => JSON.parse(line))) {
    const startMs = performance.now();
    lookup(host, { family, all: true }, (error, found) => {
      const { code, errno, syscall } = error || {};
      process.stdout.write(JSON.stringify({ id, elapsedMs: performance.now() - startMs, error: error && { code, errno, syscall }, found }) + '\\n');
    });
  }
});`;

interface Reply {
  readonly id: number;
  readonly elapsedMs: number;
  readonly error: Partial<ErrorFacts> | null;
  readonly found?: { address: string; family: number }[];
}

/**
 * The system's resolver in a process of its own, which can be killed while `getaddrinfo` is pending: the way to keep a deadline where
 * this process could not end before its lookups do. It is started with the first question and serves all later ones.
 */
export class LookupProcess {
  #child: Promise<ChildProcess> | undefined;
  #nextId = 1;
  /** Counts how often it was closed or failed, so that the end of an old process is not taken for that of a new one. */
  #generation = 0;
  readonly #waiting = new Map<
    number,
    { readonly answer: (reply: Reply) => void; readonly fail: () => void }
  >();

  /** Asks. If the process cannot be started or ends, the question is asked in this process instead. */
  readonly lookUp: SystemLookup = (host, family) => this.#shared(host, family);

  readonly #ask: SystemLookup = (host, family) =>
    new Promise<LookupAnswer>((resolve) => {
      const id = this.#nextId++;
      const generation = this.#generation;
      const fail = () => resolve(lookUpInProcess(host, family));
      this.#waiting.set(id, {
        fail,
        answer: ({ elapsedMs, error, found = [] }) =>
          resolve(
            error
              ? { elapsedMs, error: errorFacts(error) }
              : { elapsedMs, addresses: uniqueAddresses(found) },
          ),
      });
      this.#child ??= this.#start();
      this.#child.then(
        ({ stdin }) => stdin?.write(`${JSON.stringify({ id, host, family })}\n`),
        () => this.#failAll(generation),
      );
    });

  #shared = shareLookups(this.#ask);

  /** Kills the process, whatever it is waiting for. Questions that are pending stay unanswered; later ones start it again. */
  close(): void {
    this.#generation += 1;
    this.#waiting.clear();
    this.#shared = shareLookups(this.#ask);
    void this.#child?.then(
      (child) => child.kill('SIGKILL'),
      () => {},
    );
    this.#child = undefined;
  }

  async #start(): Promise<ChildProcess> {
    const failAll = this.#failAll.bind(this, this.#generation);
    const { spawn } = await import('node:child_process'); // not loaded where it is never needed
    const { NODE_OPTIONS: _, NODE_EXTRA_CA_CERTS: __, ...env } = process.env; // neither is for this helper, and both would slow it down
    const child: ChildProcess = spawn(process.execPath, ['-e', SCRIPT], {
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
      env,
    });
    child.on('error', failAll);
    if (!child.stdout || !child.stdin) throw new Error('no pipes'); // no descriptors left: the error event follows
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const reply = JSON.parse(line) as Reply;
        const waiting = this.#waiting.get(reply.id);
        this.#waiting.delete(reply.id);
        waiting?.answer(reply);
      }
    });
    child.stdin.on('error', failAll);
    child.on('exit', failAll);
    return child;
  }

  #failAll(generation: number): void {
    if (generation !== this.#generation) return;
    this.#generation += 1; // what else the old process tells is not about the next one
    this.#child = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { fail } of waiting) fail();
  }
}
