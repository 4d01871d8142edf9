import { lookup } from 'node:dns/promises';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LookupProcess } from '../../../src/core/resolve/lookup-process.js';
import { childProcesses, runAlone, SOON } from '../../support/listeners.js';

const onLinux = process.platform === 'linux';

/** A lookup process that is closed when the test is over. */
function startLookups(): LookupProcess {
  const lookups = new LookupProcess();
  onTestFinished(() => lookups.close());
  return lookups;
}

/** The child processes that were started since then. */
async function startedSince(before: readonly number[]): Promise<number[]> {
  return (await childProcesses()).filter((pid) => !before.includes(pid));
}

/** Makes this executable the one that helpers are started with. */
function useExecutable(path: string): void {
  const { execPath } = process;
  process.execPath = path;
  onTestFinished(() => {
    process.execPath = execPath;
  });
}

describe('LookupProcess', () => {
  it('finds what the system finds, with the time that it took', async () => {
    const { lookUp } = startLookups();
    const answer = await lookUp('localhost', 0);
    expect(answer).toEqual({
      elapsedMs: expect.any(Number) as number,
      addresses: await lookup('localhost', { all: true }),
    });
    expect(answer.elapsedMs).toBeGreaterThan(0);
    expect(answer.elapsedMs).toBeLessThan(5000);
  });

  it('is ready when it has been started, and answers from that process', async () => {
    const before = await childProcesses();
    const lookups = startLookups();
    await lookups.start();
    const started = await startedSince(before);
    expect(await lookups.lookUp('localhost', 4)).toMatchObject({
      addresses: [{ address: '127.0.0.1', family: 4 }],
    });
    expect(await startedSince(before)).toEqual(started);
    if (onLinux) expect(started).toHaveLength(1);
  });

  it('has no time of its own when the process that answers takes long to start', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'portping-slow-'));
    const slow = join(folder, 'node');
    await writeFile(slow, `#!/bin/sh\nsleep 0.7\nexec '${process.execPath}' "$@"\n`);
    await chmod(slow, 0o755);
    useExecutable(slow);
    const lookups = startLookups();
    const startMs = performance.now();
    await lookups.start();
    const startedMs = performance.now();
    const answer = await lookups.lookUp('localhost', 0);
    expect(startedMs - startMs).toBeGreaterThan(600);
    expect(performance.now() - startedMs).toBeLessThan(600);
    expect('addresses' in answer).toBe(true);
    await rm(folder, { recursive: true });
  });

  it('has compiled what Node needs for a lookup when it is ready', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'portping-counting-'));
    const counting = join(folder, 'node');
    const preload = fileURLToPath(new URL('../../support/counting-lookups.cjs', import.meta.url));
    await writeFile(counting, `#!/bin/sh\nexec '${process.execPath}' -r '${preload}' "$@"\n`);
    await chmod(counting, 0o755);
    useExecutable(counting);
    const lookups = startLookups();
    await lookups.start();
    expect(await lookups.lookUp('localhost', 0)).toMatchObject({
      addresses: [{ address: '192.0.2.2', family: 4 }],
    });
    await rm(folder, { recursive: true });
  });

  it('can be asked although it cannot be started', async () => {
    useExecutable('/no/such/node');
    const lookups = startLookups();
    await lookups.start();
    expect(await lookups.lookUp('localhost', 4)).toMatchObject({
      addresses: [{ address: '127.0.0.1', family: 4 }],
    });
  });

  it('asks only for the family that is wanted', async () => {
    expect(await startLookups().lookUp('localhost', 4)).toMatchObject({
      addresses: [{ address: '127.0.0.1', family: 4 }],
    });
  });

  it('gives the facts of a failure', async () => {
    const answer = await startLookups().lookUp('a name that cannot be', 0);
    expect('error' in answer && answer.error).toMatchObject({
      code: expect.stringMatching(/^E[A-Z_]+$/) as string,
      errno: expect.any(Number) as number,
      syscall: 'getaddrinfo',
    });
  });

  it.runIf(onLinux)(
    'answers each of many questions at once, all of them from one process',
    async () => {
      const before = await childProcesses();
      const { lookUp } = startLookups();
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          lookUp(index % 2 === 0 ? 'localhost' : `127.0.0.${index}`, 4),
        ),
      );
      const found = answers.map((answer) =>
        'addresses' in answer ? answer.addresses.map(({ address }) => address) : answer.error.code,
      );
      expect(found).toEqual(
        Array.from({ length: 100 }, (_, index) => [
          index % 2 === 0 ? '127.0.0.1' : `127.0.0.${index}`,
        ]),
      );
      expect(await startedSince(before)).toHaveLength(1);
    },
  );

  it('is asked about names with every kind of character without losing the thread', async () => {
    const { lookUp } = startLookups();
    const names = ['a\nb', '"', '\\', '\u2028', '{"id":1}', '\x1b[31m'];
    const [last, ...answers] = await Promise.all([
      lookUp('localhost', 4),
      ...names.map((name) => lookUp(name, 4)),
    ]);
    for (const answer of answers) expect(answer).toHaveProperty('error');
    expect(last).toHaveProperty('addresses');
  });

  it.runIf(onLinux)(
    'leaves no process behind when it is closed, also with a question pending',
    async () => {
      const before = await childProcesses();
      const lookups = startLookups();
      await lookups.lookUp('localhost', 0);
      expect(await startedSince(before)).toHaveLength(1);
      let answered = false;
      void lookups.lookUp('localhost', 0).then(() => {
        answered = true;
      });
      lookups.close();
      await expect.poll(() => startedSince(before), SOON).toEqual([]);
      expect(answered).toBe(false);
    },
  );

  it.runIf(onLinux)(
    'can be closed before its process has started, and leaves none behind',
    async () => {
      const before = await childProcesses();
      const lookups = startLookups();
      let answered = false;
      void lookups.lookUp('localhost', 0).then(() => {
        answered = true;
      });
      lookups.close();
      await startLookups().lookUp('localhost', 0); // the other would be there, too
      await expect.poll(() => startedSince(before), SOON).toHaveLength(1);
      expect(answered).toBe(false);
    },
  );

  it.runIf(onLinux)(
    'starts no process before it is asked, and may be closed all the same',
    async () => {
      const before = await childProcesses();
      const lookups = startLookups();
      lookups.close();
      lookups.close();
      expect(await startedSince(before)).toEqual([]);
    },
  );

  it.runIf(onLinux)(
    'asks in this process what a killed helper did not answer, and starts a new helper',
    async () => {
      const before = await childProcesses();
      const { lookUp } = startLookups();
      await lookUp('localhost', 4);
      const [first] = await startedSince(before);
      if (first === undefined) throw new Error('no process was started');
      process.kill(first, 'SIGSTOP'); // so that it does not answer before it dies
      const pending = lookUp('localhost', 4);
      process.kill(first, 'SIGKILL');
      expect(await pending).toMatchObject({ addresses: [{ address: '127.0.0.1', family: 4 }] });
      await expect.poll(() => startedSince(before), SOON).toEqual([]);
      expect(await lookUp('localhost', 4)).toHaveProperty('addresses');
      expect(await startedSince(before)).toHaveLength(1);
    },
  );

  it.runIf(onLinux)('goes on when a signal that ends others comes to the whole group', async () => {
    const before = await childProcesses();
    const { lookUp } = startLookups();
    await lookUp('localhost', 4);
    const first = await startedSince(before);
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1'] as const) {
      for (const pid of first) process.kill(pid, signal);
      expect(await lookUp('localhost', 4)).toHaveProperty('addresses');
      expect(await lookUp('localhost', 4)).toHaveProperty('addresses');
    }
    expect(await startedSince(before)).toEqual(first);
  });

  it.each(['/nonexistent/node', '/'])(
    'asks in this process when its own cannot be started (%s)',
    async (path) => {
      useExecutable(path);
      const { lookUp } = startLookups();
      const answers = await Promise.all([lookUp('localhost', 4), lookUp('localhost', 4)]);
      for (const answer of answers)
        expect(answer).toMatchObject({ addresses: [{ address: '127.0.0.1', family: 4 }] });
    },
  );

  it.runIf(onLinux)('asks in this process when its own ends at once', async () => {
    useExecutable('/bin/false');
    expect(await startLookups().lookUp('localhost', 4)).toMatchObject({
      addresses: [{ address: '127.0.0.1', family: 4 }],
    });
  });

  it.runIf(onLinux)(
    'does not end the process that asks when there is no file descriptor left for pipes',
    { timeout: 60_000 },
    async () => {
      const { stdout, stderr, exitCode } = await runAlone(
        `
      import { openSync, closeSync } from 'node:fs';
      import { LookupProcess } from './core/resolve/lookup-process.js';
      await import('node:child_process');
      await import('node:dns');
      const descriptors = [];
      try { for (;;) descriptors.push(openSync('/dev/null')); } catch {}
      const lookups = new LookupProcess();
      const starved = await lookups.lookUp('localhost', 4);
      for (const descriptor of descriptors) closeSync(descriptor);
      const fed = await lookups.lookUp('localhost', 4);
      lookups.close();
      console.log('error' in starved, 'addresses' in fed);
      `,
        { prefix: ['/bin/sh', '-c', 'ulimit -n 64 && exec "$@"', 'sh'] },
      );
      expect({ stdout, stderr, exitCode }).toEqual({
        stdout: 'true true\n',
        stderr: '',
        exitCode: 0,
      });
    },
  );

  it(
    'lets the process that asks end by itself when it is closed, while getaddrinfo is pending',
    { timeout: 60_000 },
    async () => {
      const { stdout, stderr, exitCode } = await runAlone(`
      import { LookupProcess } from './core/resolve/lookup-process.js';
      const lookups = new LookupProcess();
      console.log('addresses' in await lookups.lookUp('localhost', 4));
      lookups.lookUp('localhost', 4);
      lookups.close();
    `);
      expect({ stdout, stderr, exitCode }).toEqual({ stdout: 'true\n', stderr: '', exitCode: 0 });
    },
  );

  it.runIf(onLinux)(
    'leaves no process behind when it is asked again after it was closed',
    async () => {
      const before = await childProcesses();
      onTestFinished(async () => {
        for (const pid of await startedSince(before)) process.kill(pid, 'SIGKILL');
      });
      const lookups = startLookups();
      await lookups.lookUp('localhost', 0);
      lookups.close();
      await lookups.lookUp('localhost', 0);
      await expect.poll(() => startedSince(before), SOON).toHaveLength(1); // the first is gone
      lookups.close();
      await expect.poll(() => startedSince(before), { timeout: 1000 }).toEqual([]);
    },
  );

  it('answers a question that was pending when it was closed and is asked again', async () => {
    const lookups = startLookups();
    void lookups.lookUp('localhost', 4);
    lookups.close();
    const patience = new Promise((resolve) => setTimeout(resolve, 5000, 'no answer'));
    expect(await Promise.race([lookups.lookUp('localhost', 4), patience])).toHaveProperty(
      'addresses',
    );
  });
});
