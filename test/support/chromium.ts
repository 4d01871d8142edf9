import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { environment } from './command.js';

/** A command of the Chrome DevTools Protocol, for the page that was opened. */
type Send = (method: string, params?: Record<string, unknown>) => Promise<any>;

/** A page in a headless Chromium that finds only names of `.test`, all on 127.0.0.1. */
export interface BrowserPage {
  readonly send: Send;
  /** Opens a URL and waits until it has loaded. */
  open(url: string): Promise<void>;
  /** The value of an expression in the page; waits for a promise. */
  evaluate(expression: string): Promise<any>;
}

/** Requests and answers over a pair of pipes, each a JSON text that ends with a zero byte. */
class DevTools {
  readonly #input: Writable;
  readonly #waiting = new Map<number, (answer: any) => void>();
  readonly #events: ((event: any) => void)[] = [];
  #last = 0;
  #rest = '';

  constructor(input: Writable, output: Readable) {
    this.#input = input;
    output.setEncoding('utf8').on('data', (text: string) => {
      const messages = (this.#rest + text).split('\0');
      this.#rest = messages.pop() ?? '';
      for (const each of messages) this.#receive(JSON.parse(each));
    });
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<any> {
    const id = ++this.#last;
    this.#input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) =>
        error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result),
      );
    });
  }

  /** Resolves at the next event of this name. */
  next(name: string): Promise<void> {
    return new Promise((resolve) => {
      this.#events.push(({ method }) => method === name && resolve());
    });
  }

  #receive(message: any): void {
    this.#waiting.get(message.id)?.(message);
    this.#waiting.delete(message.id);
    if (message.method !== undefined) for (const each of this.#events) each(message);
  }
}

/** Starts Chromium with an empty profile. It ends when the test ends. */
export async function startChromium(): Promise<BrowserPage> {
  const profile = await mkdtemp(join(tmpdir(), 'portping-chromium-'));
  const child = spawn(
    'chromium',
    [
      '--headless',
      '--no-sandbox', // the tests may run as root
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
      '--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      '--no-proxy-server',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--no-first-run',
    ],
    { env: environment, stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true },
  );
  const closed = once(child, 'close');
  onTestFinished(async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await closed;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  const input = child.stdio[3] as Writable;
  input.on('error', () => {});
  const devTools = new DevTools(input, child.stdio[4] as Readable);
  const { targetId } = await devTools.send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await devTools.send('Target.attachToTarget', { targetId, flatten: true });
  const send: Send = (method, params) => devTools.send(method, params, sessionId);
  await send('Page.enable');
  return {
    send,
    async open(url) {
      const loaded = devTools.next('Page.loadEventFired');
      await send('Page.navigate', { url });
      await loaded;
    },
    async evaluate(expression) {
      const { result, exceptionDetails } = await send('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      if (exceptionDetails)
        throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    },
  };
}
