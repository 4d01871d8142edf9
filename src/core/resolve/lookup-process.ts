import { type ChildProcess, spawn } from 'node:child_process';
import type { ErrorFacts } from '../facts/outcome.js';
import { errorFacts } from '../errors/socket-errors.js';
import {
  type LookupAnswer,
  lookUpInProcess,
  type SystemLookup,
  uniqueAddresses,
} from './system-lookup.js';

/**
 * The helper process: writes an empty line of JSON when it is ready, reads one JSON question a
 * line, writes one JSON answer a line, and ends with its standard input. It ignores signals, which
 * a terminal or systemd sends to the whole group: if it ended first, its parent would look up the
 * pending names itself and could not end. Before it is ready it compiles Node's patterns of
 * addresses, see `warmUpLookups`.
 */
const SCRIPT = `
const { lookup } = require('node:dns');
const signals = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1'];
for (const signal of signals) process.on(signal, () => {});
lookup('::1', () => lookup('::1', () => process.stdout.write('{}\\n')));
let rest = '';
process.stdin.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\\n');
  rest = lines.pop();
  for (const { id, host, family } of lines.map((line) => JSON.parse(line))) {
    const startMs = performance.now();
    lookup(host, { family, all: true }, (error, found) => {
      const { code, errno, syscall } = error || {};
      const elapsedMs = performance.now() - startMs;
      const reply = { id, elapsedMs, error: error && { code, errno, syscall }, found };
      process.stdout.write(JSON.stringify(reply) + '\\n');
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
 * The system's resolver in a helper process, which can be killed while `getaddrinfo` is pending.
 * Without it, this process could not end before its lookups do. It is started by the first
 * question, unless it was before, and answers all later ones.
 */
export class LookupProcess {
  #child: Promise<ChildProcess> | undefined;
  #ready: Promise<unknown> | undefined;
  #nextId = 1;
  /** Counts closes and failures: events of an old process do not concern the next one. */
  #generation = 0;
  readonly #waiting = new Map<
    number,
    { readonly answer: (reply: Reply) => void; readonly fail: () => void }
  >();

  /** Asks the helper; if it cannot be started or ends, asks in this process instead. */
  readonly lookUp: SystemLookup = (host, family) =>
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
      this.#child ??= Promise.resolve().then(() => this.#start());
      this.#child.then(
        ({ stdin }) => stdin?.write(`${JSON.stringify({ id, host, family })}\n`),
        () => this.#failAll(generation),
      );
    });

  /**
   * Starts the helper and waits until it is ready, or cannot be. The timeout of a lookup is for the
   * resolver. Without this, the first one would pay for the start: a second on a busy machine.
   */
  async start(): Promise<void> {
    this.#child ??= Promise.resolve().then(() => this.#start());
    // A helper that cannot be started: the first question is asked in this process.
    await this.#child.then(
      () => this.#ready,
      () => {},
    );
  }

  /** Kills the helper. Pending questions stay unanswered; a later one starts it again. */
  close(): void {
    this.#generation += 1;
    this.#waiting.clear();
    void this.#child?.then(
      (child) => child.kill('SIGKILL'),
      () => {},
    );
    this.#child = undefined;
  }

  #start(): ChildProcess {
    const failAll = this.#failAll.bind(this, this.#generation);
    const { NODE_OPTIONS: _, NODE_EXTRA_CA_CERTS: __, ...env } = process.env; // both slow it down
    const child: ChildProcess = spawn(process.execPath, ['-e', SCRIPT], {
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
      env,
    });
    child.on('error', failAll);
    // Without free descriptors there are no pipes, and an error event follows.
    if (!child.stdout || !child.stdin) throw new Error('no pipes');
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
    const { stdout } = child;
    this.#ready = new Promise<void>((resolve) => {
      stdout.once('data', () => resolve());
      child.once('exit', () => resolve()).once('error', () => resolve());
    });
    return child;
  }

  #failAll(generation: number): void {
    if (generation !== this.#generation) return;
    this.#generation += 1;
    this.#child = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { fail } of waiting) fail();
  }
}
