import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environment, run as executeCommand } from '../support/command.js';
import { temporaryFolder } from '../support/daemon.js';
import { freePort, listenDns, SOON } from '../support/listeners.js';
import { portpingCommand } from '../support/portping.js';

let server: Server;
let open = '';
let closed = '';

beforeAll(async () => {
  server = createServer((socket) => socket.on('error', () => {}).resume());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open = `127.0.0.1:${(server.address() as { port: number }).port}`;
  closed = `127.0.0.1:${await freePort()}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

/** A run of the command, which is sent signals. */
class Run {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #ended: Promise<number | null>;

  constructor(...args: string[]) {
    const [file = '', ...rest] = [...portpingCommand, ...args];
    this.child = spawn(file, rest, { env: environment, stdio: 'pipe' });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  /** Waits until the output has a pattern so many times. */
  async has(stream: 'stdout' | 'stderr', pattern: RegExp, times = 1): Promise<void> {
    const matches = (): number => this[stream].match(new RegExp(pattern, 'gm'))?.length ?? 0;
    await expect.poll(matches, SOON).toBeGreaterThanOrEqual(times);
  }

  async end(): Promise<Ended> {
    const exitCode = await this.#ended;
    return { stdout: this.stdout, stderr: this.stderr, exitCode };
  }

  interrupt(): Promise<Ended> {
    this.child.kill('SIGINT');
    return this.end();
  }
}

/** A run with a target whose name server never answers, from the moment that it is asked. */
async function silentRun(...args: string[]): Promise<Run> {
  const asked: { resolve?: () => void } = {};
  const isAsked = new Promise<void>((resolve) => {
    asked.resolve = resolve;
  });
  const { address } = await listenDns(() => {
    asked.resolve?.();
    return 'silence';
  });
  const run = new Run('--dns', address, '-w', '30s', ...args, 'silent.test:25');
  await isAsked;
  return run;
}

describe.skipIf(process.platform === 'win32').each(['SIGUSR1', 'SIGQUIT'] as const)(
  '%s',
  (signal) => {
    it('shows the summary of a series so far, and the series goes on', async () => {
      const run = new Run('-t', '-i', '30ms', open, closed);
      await run.has('stdout', /Error/);
      run.child.kill(signal);
      await run.has('stderr', /^--- 2 targets, so far ---\ntarget +state +sent /);
      run.child.kill(signal);
      await run.has('stderr', /^--- 2 targets, so far ---/, 2);
      const before = run.stdout.length;
      await expect.poll(() => run.stdout.length, SOON).toBeGreaterThan(before);
      const { stderr, exitCode } = await run.interrupt();
      expect(stderr).not.toMatch(/debugger|inspector/i);
      expect(stderr).toMatch(new RegExp(`^--- 2 targets ---\ntarget .*\n${open} +open `, 'm'));
      expect(exitCode).toBe(1);
    });

    it('shows the summary as an object in JSON', async () => {
      const run = new Run('-t', '-i', '30ms', '-o', 'json', open);
      await run.has('stdout', /"type":"probe"/);
      run.child.kill(signal);
      await run.has('stdout', /"type":"summary".*"final":false/);
      expect(await run.interrupt()).toMatchObject({ stderr: '', exitCode: 0 });
    });

    it('shows how far a series is in a format without summaries', async () => {
      const run = new Run('-c', '1000', '-i', '30ms', '-o', 'tap', open);
      await run.has('stdout', /^ok 1/);
      run.child.kill(signal);
      await run.has('stderr', /^\d+ of 1000 done, \d+ open, \d+ a second, \d+ s left\.\n/);
      expect((await run.interrupt()).stdout).toMatch(
        /^TAP version 13\n(ok \d+ - .*\n)+Bail out!.*\n$/,
      );
    });

    it('shows how far a run of several targets is', async () => {
      const run = await silentRun('-o', 'csv', open);
      await run.has('stdout', /,open,/);
      run.child.kill(signal);
      await run.has('stderr', /^1 of 2 done, 1 open, \d+ a second, \d+ s left\.\n/);
      expect((await run.interrupt()).exitCode).toBe(130);
    });

    it('says that a single probe has no verdict yet, and lets it come to one', async () => {
      const { address } = await listenDns(() => 'silence');
      const run = new Run('-w', '3s', '--dns', address, 'silent.test', '25');
      await new Promise((resolve) => setTimeout(resolve, 1500));
      run.child.kill(signal);
      const { stdout, stderr, exitCode } = await run.end();
      expect(stderr).toMatch(/^silent\.test:25: no verdict after [\d.]+ m?s\.\n/);
      expect(stdout).toMatch(/^Error Detected/);
      expect(exitCode).toBe(3);
    });

    it('shows the time and the causes of a wait', async () => {
      const run = new Run('--wait', '60s', closed);
      await run.has('stderr', /waiting\./);
      run.child.kill(signal);
      await run.has('stderr', new RegExp(`^\\d+ of 60 s; ${closed}: refused <10061>\\.\n`));
      expect((await run.interrupt()).exitCode).toBe(130);
    });

    it('shows what a diagnosis is doing', async () => {
      const run = await silentRun('--diagnose');
      run.child.kill(signal);
      await run.has('stderr', /^silent\.test:25: .*; \d+ of 90 s\n/);
      expect((await run.interrupt()).exitCode).toBe(130);
    });

    it.runIf(process.platform === 'linux')('ends nothing while a list is still read', async () => {
      const pipe = join(await temporaryFolder(), 'targets');
      await executeCommand(['mkfifo', pipe]);
      const run = new Run('-c', '2', '-i', '0', '--targets', pipe);
      const caught = async (): Promise<number> =>
        Number.parseInt(
          /^SigCgt:\t.*(\w{4})$/m.exec(
            await readFile(`/proc/${run.child.pid}/status`, 'utf8'),
          )?.[1] ?? '',
          16,
        );
      await expect
        .poll(async () => ((await caught()) >> (constants.signals.SIGHUP - 1)) & 1, SOON)
        .toBe(1); // the run has begun
      run.child.kill(signal);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await writeFile(pipe, `${open}\n`);
      const { stderr, exitCode } = await run.end();
      expect(stderr).toMatch(/^Probing .*\n--- /); // and nothing of the debugger
      expect(exitCode).toBe(0);
    });

    it('shows nothing with -q if there is no series, and ends nothing', async () => {
      const run = await silentRun('-q', open);
      run.child.kill(signal);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await run.interrupt()).toEqual({ stdout: '', stderr: '', exitCode: 130 });
    });

    it('shows the summary of a series with -q', async () => {
      const run = await silentRun('-q', '-t', open);
      run.child.kill(signal);
      await run.has('stderr', /^--- 2 targets, so far ---\n/);
      expect(await run.interrupt()).toMatchObject({ stdout: '', exitCode: 130 });
    });
  },
);
