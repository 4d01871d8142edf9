import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environment, type ExecResult } from '../support/command.js';
import { freePort, listenDns } from '../support/listeners.js';
import { portping, portpingAsNobody, portpingCommand } from '../support/portping.js';
import { describeWith, itWith } from '../support/tools.js';

let server: Server;
let openPort = 0;
let closedPort = 0;

const listen = (target: Server, port = 0): Promise<number> =>
  new Promise((resolve, reject) =>
    target
      .once('error', reject)
      .listen(port, '127.0.0.1', () => resolve((target.address() as { port: number }).port)),
  );
const close = (target: Server): Promise<unknown> => new Promise((resolve) => target.close(resolve));
const accept = (): Server => createServer((socket) => socket.on('error', () => {}).resume());

/** A running command and its output so far. */
class Running {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #startedAt = performance.now();
  readonly #ended: Promise<{ exitCode: number | null; signal: string | null }>;
  #wake: () => void = () => {};

  constructor(
    args: string[],
    command: string[] = portpingCommand,
    env: Record<string, string> = {},
  ) {
    const [file = '', ...rest] = [...command, ...args];
    this.child = spawn(file, rest, { env: { ...environment, ...env }, stdio: 'pipe' });
    this.child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.stdout += text;
      this.#wake();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
      this.#wake();
    });
    this.#ended = new Promise((resolve) =>
      this.child.once('close', (exitCode, signal) => {
        resolve({ exitCode, signal });
        this.#wake();
      }),
    );
  }

  /** Waits until the output meets the condition. */
  async until(fits: (running: Running) => boolean): Promise<void> {
    while (!fits(this)) {
      if (this.child.exitCode !== null)
        throw new Error(`ended early: ${this.stdout}${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async end(): Promise<
    Pick<ExecResult, 'stdout' | 'stderr' | 'exitCode' | 'elapsedMs'> & { signal: string | null }
  > {
    const ended = await this.#ended;
    return {
      ...ended,
      stdout: this.stdout,
      stderr: this.stderr,
      elapsedMs: performance.now() - this.#startedAt,
    };
  }
}

const count = (text: string, pattern: RegExp): number =>
  text.match(new RegExp(pattern, `${pattern.flags}g`))?.length ?? 0;

beforeAll(async () => {
  server = accept();
  openPort = await listen(server);
  closedPort = await freePort();
});
afterAll(() => close(server));

describe('a series', () => {
  it('prints one verdict for each probe on stdout and the summary on stderr', async () => {
    const { stdout, stderr, exitCode, elapsedMs } = await portping([
      '-c',
      '5',
      '-i',
      '200ms',
      '127.0.0.1',
      String(openPort),
    ]);
    expect(stdout).toMatch(
      new RegExp(`^(Success! Pinged port ${openPort} in [\\d.]+ milliseconds\\.\\n){5}$`),
    );
    expect(stderr).toMatch(
      new RegExp(
        String.raw`^Probing 127\.0\.0\.1:\d+ 5 times, every 200 ms\n` +
          String.raw`--- 127\.0\.0\.1:\d+ ---\n5 probes: 5 open, 0 closed, 0 filtered, 0 ` +
          String.raw`failed; 0% loss\nlatency in ms: min [\d.]+, mean [\d.]+, max [\d.]+, ` +
          String.raw`standard deviation [\d.]+, jitter [\d.]+\n +p50 [\d.]+, p90 [\d.]+, p95 ` +
          String.raw`[\d.]+, p99 [\d.]+\n$`,
      ),
    );
    expect(exitCode).toBe(0);
    expect(elapsedMs).toBeGreaterThan(790);
  });

  it('has statistics that follow from its probes', async () => {
    const { stdout, stderr, exitCode } = await portping([
      '-c',
      '40',
      '-i',
      '0',
      '-o',
      'json',
      '-4',
      'localhost',
      String(openPort),
    ]);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, any>);
    const summary = events.pop() ?? {};
    expect(events.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 40 }, (_, index) => index + 1),
    );
    const values: number[] = events.map(({ latencyMs }) => latencyMs);
    const sorted = [...values].sort((a, b) => a - b);
    const mean = values.reduce((sum, value) => sum + value, 0) / 40;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 39);
    const jitter =
      values
        .slice(1)
        .reduce((sum, value, index) => sum + Math.abs(value - (values[index] ?? 0)), 0) / 39;
    const rank = (percent: number) => sorted[Math.ceil((percent / 100) * 40) - 1] ?? NaN;
    expect(summary).toMatchObject({
      type: 'summary',
      final: true,
      sent: 40,
      open: 40,
      closed: 0,
      lossPercent: 0,
      exitCode: 0,
      outages: { count: 0 },
    });
    const { latencyMs, resolvingMs } = summary;
    expect(latencyMs).toMatchObject({ count: 40, min: sorted[0], max: sorted[39] });
    for (const [name, expected] of Object.entries({
      mean,
      standardDeviation: deviation,
      jitter,
      p50: rank(50),
      p90: rank(90),
      p95: rank(95),
      p99: rank(99),
    })) {
      expect(Math.abs(latencyMs[name] - expected)).toBeLessThan(0.0021 + expected * 0.0002);
    }
    expect(resolvingMs.count).toBe(40);
    expect([stderr, exitCode]).toEqual(['', 0]);
  });

  it('reports an outage with length and cause, and exits with the code of the cause', async () => {
    const flapping = accept();
    const port = await listen(flapping, await freePort());
    const running = new Running(['-t', '-i', '50ms', '127.0.0.1', String(port)]);
    await running.until(({ stdout }) => count(stdout, /Success/) >= 3);
    await close(flapping);
    await running.until(({ stdout }) => count(stdout, /Error/) >= 8);
    const again = accept();
    await listen(again, port);
    await running.until(({ stderr }) => stderr.includes('Outage'));
    running.child.kill('SIGINT');
    const { stdout, stderr, exitCode } = await running.end();
    await close(again);
    const refused = count(stdout, /Error/);
    const [, lengthText, causes] =
      /Outage from \S+Z to \S+Z, ([\d.]+ m?s): (.*)\.\n/.exec(stderr) ?? [];
    const length = Number.parseFloat(lengthText ?? '') * (lengthText?.endsWith(' ms') ? 1 : 1000);
    expect(causes).toBe(`refused ×${refused}`);
    expect(length).toBeGreaterThan((refused - 1) * 50);
    expect(count(stderr, /Outage from/)).toBe(1);
    expect(count(stderr, /10061 WSAECONNREFUSED/)).toBe(1); // explained once, not eight times
    expect(count(stderr, /^---/m)).toBe(1);
    expect(stderr).toMatch(/1 outage: longest/);
    expect(exitCode).toBe(1);
  });

  it('prints its summary and sets its exit code on SIGTERM', async () => {
    const running = new Running(['-t', '-i', '20ms', '127.0.0.1', String(openPort)]);
    await running.until(({ stdout }) => count(stdout, /Success/) >= 2);
    running.child.kill('SIGTERM');
    const { stderr, exitCode } = await running.end();
    expect(stderr).toMatch(/^Probing .*\n--- 127/);
    expect(exitCode).toBe(0);
  });

  it('prefixes lines with the endpoint and makes a summary for each with --all', async () => {
    const { stdout, stderr } = await portping([
      '--all',
      '-c',
      '2',
      '-i',
      '0',
      '-4',
      'localhost',
      String(openPort),
    ]);
    expect(stdout).toMatch(
      new RegExp(`^(localhost:${openPort} \\(127\\.0\\.0\\.1\\)  Success! .*\\n){2}$`),
    );
    expect(stderr).toMatch(
      new RegExp(`^Probing .*\n--- localhost:${openPort} \\(127\\.0\\.0\\.1\\) ---\\n2 probes: `),
    );
  });

  it('shows the distribution with --histogram, in ASCII without a Unicode locale', async () => {
    const { stderr } = await portping(
      ['--histogram', '-c', '20', '-i', '0', '127.0.0.1', String(openPort)],
      { env: { LANG: 'C' } },
    );
    expect(stderr).toMatch(/\n *[\d.]+ - +[\d.]+ ms +\d+ #+\n/);
    expect(stderr).toMatch(/^[\x20-\x7e\n]+$/);
  });

  it('prints the summary alone with -q, and exits with the highest code', async () => {
    const args = ['-q', '-c', '2', '-i', '0', '127.0.0.1', String(closedPort)];
    const { stdout, stderr, exitCode } = await portping(args);
    expect(stderr).toMatch(/^--- 127\.0\.0\.1:\d+ ---\n2 probes: 0 open, 2 closed, [^]*%/);
    expect(stderr).not.toMatch(/Probing|WSA/);
    expect([stdout, exitCode]).toEqual(['', 1]);
    const json = await portping(['-o', 'json', ...args]);
    expect(json).toMatchObject({ stderr: '', exitCode: 1 });
    expect(JSON.parse(json.stdout)).toMatchObject({ type: 'summary', sent: 2, closed: 2 });
    expect(await portping(['-o', 'csv', ...args])).toMatchObject({ stdout: '', stderr: '' });
  });

  it.each([['-q'], ['-q', '-c', '1']])(
    'prints nothing with %s for a single probe',
    async (...args) => {
      expect(await portping([...args, '127.0.0.1', String(closedPort)])).toMatchObject({
        stdout: '',
        stderr: '',
      });
    },
  );

  it('shows the distribution with -q and --histogram', async () => {
    const args = ['-q', '--histogram', '-c', '20', '-i', '0', '127.0.0.1', String(openPort)];
    expect((await portping(args)).stderr).toMatch(/^--- [^]*\n *[\d.]+ - +[\d.]+ ms +\d+ █+\n/);
  });

  it('shows the summary so far at each --summary-every', async () => {
    const args = ['-t', '-i', '20ms', '--summary-every', '150ms', `127.0.0.1:${openPort}`];
    const running = new Running(args);
    await running.until(({ stderr }) => count(stderr, /so far ---\n\d+ probes: /) >= 3);
    running.child.kill('SIGINT');
    const { stderr, exitCode } = await running.end();
    const sent = Array.from(stderr.matchAll(/^(\d+) probes: /gm), ([, number]) => Number(number));
    expect(sent).toEqual([...sent].sort((one, other) => one - other));
    expect(new Set(sent).size).toBeGreaterThan(2);
    expect(exitCode).toBe(0);
  });

  it('writes the summary so far as JSON at each --summary-every, else only the last', async () => {
    const args = ['-o', 'json', '-q', '-t', '-i', '20ms', `127.0.0.1:${openPort}`];
    const isTwice = ({ stdout }: Running): boolean => count(stdout, /"final":false/) >= 2;
    const { stdout, stderr } = await interruptWhen(['--summary-every', '100ms', ...args], isTwice);
    const lines = stdout.trimEnd().split('\n');
    const finals = lines.map((line) => (JSON.parse(line) as { final: boolean }).final);
    expect(finals).toEqual([...finals.slice(1).map(() => false), true]);
    expect(stderr).toBe('');
    const { stderr: without } = await portping(['-c', '30', '-i', '10ms', `127.0.0.1:${openPort}`]);
    expect(without).not.toContain('so far');
  });
});

/** Arguments for a target that has no verdict within the test: its name server never answers. */
async function silentTarget(): Promise<{ readonly options: string[]; readonly target: string }> {
  const { address } = await listenDns(() => 'silence');
  return { options: ['-w', '30s', '--dns', address], target: 'silent.test:25' };
}

/** Interrupts a command as soon as its output meets the condition. */
async function interruptWhen(args: string[], fits: (running: Running) => boolean) {
  const running = new Running(args);
  await running.until(fits);
  running.child.kill('SIGINT');
  return running.end();
}

/** A summary as the lines before it say, without regard to how the command makes it. */
function recompute(events: readonly Record<string, any>[]) {
  const probes = events.filter(({ type }) => type === 'probe');
  const outages = events.filter(({ type }) => type === 'outage');
  const latencies: number[] = probes.flatMap(({ latencyMs }) => latencyMs ?? []);
  const sorted = [...latencies].sort((a, b) => a - b);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const mean = sum(sorted) / sorted.length;
  const jumps = probes.flatMap(({ latencyMs }, index) => {
    const before = probes[index - 1]?.['latencyMs'] ?? null;
    return latencyMs === null || before === null ? [] : Math.abs(latencyMs - before);
  });
  const squares = sum(sorted.map((value) => (value - mean) ** 2));
  const near = (value: number) => expect.closeTo(value, 1) as number;
  return {
    sent: probes.length,
    ...Object.fromEntries(
      ['open', 'closed', 'filtered', 'unresolved', 'failed'].map((state) => [
        state,
        probes.filter((probe) => probe['state'] === state).length,
      ]),
    ),
    lossPercent: near((100 * (probes.length - sorted.length)) / probes.length),
    latencyMs:
      sorted.length === 0
        ? null
        : expect.objectContaining({
            count: sorted.length,
            min: sorted[0],
            mean: near(mean),
            max: sorted.at(-1),
            standardDeviation:
              sorted.length < 2 ? null : near(Math.sqrt(squares / (sorted.length - 1))),
            jitter: jumps.length === 0 ? null : near(sum(jumps) / jumps.length),
            p50: near(sorted[Math.ceil(sorted.length * 0.5) - 1] ?? NaN),
            p99: near(sorted[Math.ceil(sorted.length * 0.99) - 1] ?? NaN),
          }),
    lostSyns: probes.filter(({ lostSynSeconds }) => lostSynSeconds !== null).length,
    outages: {
      count: outages.length,
      longestMs: Math.max(0, ...outages.map(({ durationMs }) => durationMs as number)),
      totalMs: sum(outages.map(({ durationMs }) => durationMs as number)),
    },
  };
}

/** The outages that the probes alone show: runs of those that were not as a client needs. */
function outagesIn(probes: readonly Record<string, any>[]) {
  const runs: { from: string; to: string; probes: number; over: boolean }[] = [];
  let isDown = false;
  for (const { time, reason } of probes) {
    const latest = runs.at(-1);
    if (reason !== null) {
      if (isDown && latest) Object.assign(latest, { to: time, probes: latest.probes + 1 });
      else runs.push({ from: time, to: time, probes: 1, over: false });
    } else if (isDown && latest) Object.assign(latest, { to: time, over: true });
    isDown = reason !== null;
  }
  return runs;
}

describe('the summaries of a series', () => {
  it('follow from the lines before them, for each target', async () => {
    const flapping = [accept(), accept()];
    const ports = await Promise.all(flapping.map((each) => listen(each)));
    const { address } = await listenDns(() => 'SERVFAIL');
    const targets = [...ports, closedPort, openPort].map((port) => `127.0.0.1:${port}`);
    const args = ['-t', '-i', '30ms', '-o', 'json', '--dns', address, ...targets, 'none.test:25'];
    const running = new Running(args);
    const lines = () => count(running.stdout, /"type":"probe"/);
    for (let round = 1; round <= 3; round += 1) {
      const before = lines();
      await running.until(() => lines() > before + 20);
      await Promise.all(flapping.map(close));
      await running.until(() => lines() > before + 50);
      await Promise.all(
        flapping.map((_, index) => {
          flapping[index] = accept();
          return listen(flapping[index], ports[index]);
        }),
      );
    }
    const before = lines();
    await running.until(() => lines() > before + 20);
    running.child.kill('SIGINT');
    const { stdout } = await running.end();
    await Promise.all(flapping.map(close));
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, any>);
    const summaries = events.filter(({ type }) => type === 'summary');
    expect(summaries).toHaveLength(5);
    for (const summary of summaries) {
      const { host, port } = summary['target'];
      const own = events.filter(({ target }) => target?.host === host && target.port === port);
      const probes = own.filter(({ type }) => type === 'probe');
      expect(summary).toMatchObject(recompute(own));
      expect(probes.map(({ sequence }) => sequence)).toEqual(probes.map((_, index) => index + 1));
      const outages = own.filter(({ type }) => type === 'outage');
      expect(outages).toMatchObject(outagesIn(probes));
      for (const { from, to, durationMs } of outages)
        expect(Math.abs(Date.parse(to) - Date.parse(from) - durationMs)).toBeLessThanOrEqual(1);
    }
  });
});

const isOpenOnce = ({ stdout }: Running): boolean => /Success|^ok|"open"|,open,/m.test(stdout);

describe('the first line of a series', () => {
  it('has the address of the name, and no key where there is no terminal', async () => {
    const { address } = await listenDns((_, name) =>
      name === 'open.test' ? [{ type: 'A', name, data: '127.0.0.1' }] : 'NXDOMAIN',
    );
    const args = ['-c', '2', '-i', '0', '--dns', address];
    const { stdout, stderr } = await portping([...args, '-4', `open.test:${openPort}`]);
    expect(stderr).toMatch(
      new RegExp(
        `^Probing open\\.test:${openPort} \\(127\\.0\\.0\\.1\\) 2 times, without a pause\n---`,
      ),
    );
    expect(stdout).toMatch(/^(Success! .*\n){2}$/);
    expect((await portping([...args, 'none.test:25'])).stderr).toMatch(
      /^Probing none\.test:25 2 times, without a pause\nunresolved, no such name: /,
    );
  });

  it('counts several targets, and has the interval that --rate leaves', async () => {
    const args = ['-c', '2', '-i', '0', '--rate', '20', `127.0.0.1:${openPort},${closedPort}`];
    expect((await portping(args)).stderr).toMatch(
      /^Probing 2 targets 2 times each, every 100 ms\n/,
    );
  });

  it('starts with the time with --timestamps', async () => {
    const args = ['--timestamps', '-c', '2', '-i', '0', `127.0.0.1:${openPort}`];
    expect((await portping(args)).stderr).toMatch(/^\d{4}-\S+Z {2}Probing /);
  });

  it('is missing for a single probe and in other formats', async () => {
    for (const args of [
      ['-c', '1'],
      ['-c', '2', '-o', 'json'],
      ['-c', '2', '-o', 'csv'],
    ])
      expect((await portping([...args, `127.0.0.1:${openPort}`])).stderr).toBe('');
  });
});

describe('an interrupted series', () => {
  it.each([['-t'], ['-c', '50']])(
    'with %s exits with 130 when one target has no verdict, and says so in the summary',
    async (...repeat) => {
      const { options, target } = await silentTarget();
      const { stderr, exitCode } = await interruptWhen(
        [...repeat, ...options, `127.0.0.1:${openPort}`, target],
        isOpenOnce,
      );
      expect(stderr).toMatch(/\nsilent\.test:25 +no verdict +0 +- +- /);
      expect(stderr).toContain(
        repeat[0] === '-t'
          ? 'Interrupted before every target had a verdict.\n'
          : 'Interrupted after 1 of 100 probes.\n',
      );
      expect(exitCode).toBe(130);
    },
  );

  it('with -t has the exit code of the verdicts when every target has one', async () => {
    const targets = [`127.0.0.1:${openPort}`, `127.0.0.1:${closedPort}`];
    const { stderr, exitCode } = await interruptWhen(
      ['-t', '-i', '20ms', ...targets],
      ({ stdout }) => stdout.includes('Error'),
    );
    expect(stderr).not.toContain('Interrupted');
    expect(exitCode).toBe(1);
    expect(
      (await interruptWhen(['-t', '--all', '-i', '20ms', ...targets.slice(0, 1)], isOpenOnce))
        .exitCode,
    ).toBe(0);
    expect(
      (await interruptWhen(['-t', '-o', 'tap', '-i', '20ms', ...targets.slice(0, 1)], isOpenOnce))
        .stdout,
    ).toMatch(/\n1\.\.\d+\n$/);
  });

  it('with -t and --all shows targets in the given order and waits for each', async () => {
    const { options, target } = await silentTarget();
    const { stderr, exitCode } = await interruptWhen(
      ['-t', '--all', ...options, `127.0.0.1:${openPort}`, target],
      isOpenOnce,
    );
    expect(stderr).toMatch(
      new RegExp(
        String.raw`^--- 2 targets ---\ntarget .*\n127\.0\.0\.1:\d+ +open +1 .*\n` +
          String.raw`silent\.test:25 +no verdict +0 +- +- `,
        'm',
      ),
    );
    expect(count(stderr, /^---/m)).toBe(1);
    expect(exitCode).toBe(130);
  });

  it.each([
    ['text', /Success/, /\nInterrupted after \d+ of 50 probes\.\n--- /],
    ['tap', /\nBail out! [^\n]*\n$/, /^Interrupted after/],
    ['junit', /<error type="incomplete"/, /^Interrupted after/],
    ['json', /"final":true,"exitCode":130,/, /^Interrupted after/],
  ] as const)(
    'with -c 50 that was cut short exits with 130, in %s',
    async (format, stdoutPattern, stderrPattern) => {
      const running = new Running([
        '-c',
        '50',
        '-i',
        '100ms',
        '-o',
        format,
        `127.0.0.1:${openPort}`,
      ]);
      if (format === 'junit')
        // The command prints nothing before its end.
        await new Promise((resolve) => setTimeout(resolve, 1500));
      else await running.until(isOpenOnce);
      running.child.kill('SIGINT');
      const { stdout, stderr, exitCode } = await running.end();
      expect(stdout).toMatch(stdoutPattern);
      expect(stderr).toMatch(stderrPattern);
      expect(exitCode).toBe(130);
    },
  );

  it('with -q exits with the same codes and prints the summary alone', async () => {
    const { options, target } = await silentTarget();
    const listener = accept();
    const port = await listen(listener);
    const seen = new Promise((resolve) => listener.once('connection', resolve));
    const running = new Running(['-q', '-t', ...options, `127.0.0.1:${port}`, target]);
    await seen;
    await new Promise((resolve) => setTimeout(resolve, 200)); // time for the verdict
    running.child.kill('SIGINT');
    const { stdout, stderr, exitCode } = await running.end();
    expect(stderr).toMatch(
      /^--- 2 targets ---\ntarget .*\n127\.0\.0\.1:\d+ .*\nsilent\.test:25 .*\n$/,
    );
    expect([stdout, exitCode]).toEqual(['', 130]);
    await close(listener);
  });
});

describe('--expect', () => {
  it.each([
    [['--expect', 'closed'], () => openPort, 5],
    [['--expect', 'closed'], () => closedPort, 0],
    [['--expect', 'not-open'], () => closedPort, 0],
    [['--expect', 'filtered'], () => closedPort, 1],
    [['--max-latency', '1h'], () => openPort, 0],
    [['--max-latency', '0'], () => openPort, 5],
    [['--max-latency', '0', '-q'], () => openPort, 5],
    [['-c', '2', '-i', '0', '--expect', 'closed'], () => closedPort, 0],
  ] as const)('%j has the right exit code', async (args, port, exitCode) => {
    expect((await portping([...args, '127.0.0.1', String(port())])).exitCode).toBe(exitCode);
  });

  it('never counts an unresolved name as closed', async () => {
    const { exitCode } = await portping([
      '--expect',
      'closed',
      '--dns',
      '127.0.0.1:1',
      'name.test',
      '25',
      '-w',
      '1',
    ]);
    expect(exitCode).toBe(3);
  });

  it('reports what was expected', async () => {
    const { stdout, stderr } = await portping([
      '--expect',
      'closed',
      '127.0.0.1',
      String(openPort),
    ]);
    expect(stdout).toMatch(/^Success!/);
    expect(stderr).toBe('Not as expected (--expect closed): open.\n');
  });
});

describe('--wait', () => {
  it('ends with the verdict as soon as the port opens', async () => {
    const late = accept();
    const port = await listen(late, await freePort());
    await close(late);
    const running = new Running(['--wait', '10s', '-i', '100ms', '127.0.0.1', String(port)]);
    await running.until(({ stderr }) => stderr.includes('waiting'));
    const again = accept();
    await listen(again, port);
    const openedAt = performance.now();
    const { stdout, stderr, exitCode } = await running.end();
    expect(performance.now() - openedAt).toBeLessThan(3000);
    await close(again);
    expect(stdout).toMatch(/^Success! .*\n$/);
    expect(stderr).toMatch(
      new RegExp(`^127\\.0\\.0\\.1:${port}: refused <10061>; waiting\\.\nWaited [\\d.]+ m?s\\.\n$`),
    );
    expect(exitCode).toBe(0);
  });

  it('says for each of several targets how long it waited', async () => {
    const late = accept();
    const port = await listen(late, await freePort());
    await close(late);
    const words = [`127.0.0.1:${openPort}`, `127.0.0.1:${port}`];
    const running = new Running(['--wait', '10s', '-i', '100ms', ...words]);
    await running.until(({ stderr }) => stderr.includes('waiting'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const again = accept();
    await listen(again, port);
    const { stderr } = await running.end();
    await close(again);
    const [soon = '', later = ''] = words.map(
      (word) => new RegExp(`^${word}  Waited ([\\d.]+ m?s)\\.\n`, 'm').exec(stderr)?.[1],
    );
    const inMs = (text: string): number =>
      Number.parseFloat(text) * (text.endsWith(' ms') ? 1 : 1000);
    expect(inMs(later)).toBeGreaterThan(500);
    expect(inMs(soon)).toBeLessThan(inMs(later));
  });

  it('says how long it waited when it gives up because waiting does not help', async () => {
    const { address } = await listenDns(() => 'NXDOMAIN');
    const { stderr, exitCode } = await portping(['--wait', '--dns', address, 'none.test', '1']);
    expect(stderr).toMatch(
      /\nGave up after [\d.]+ m?s: waiting does not help here\. Use --wait-for-name to wait for a name, too\.\n$/,
    );
    expect(exitCode).toBe(3);
  });

  it('gives up at the end of its duration and reports the state of the port', async () => {
    const { stdout, stderr, exitCode, elapsedMs } = await portping([
      '--wait',
      '1500ms',
      '127.0.0.1',
      String(closedPort),
    ]);
    expect(stdout).toBe('Error Detected: Connection refused <10061> returned.\n');
    expect(stderr).toMatch(/\nGave up after 1\.5 s\.\n$/);
    expect(exitCode).toBe(1);
    expect(elapsedMs).toBeGreaterThan(1490);
    expect(elapsedMs).toBeLessThan(3000);
  });

  it('needs no duration, even directly before the host', async () => {
    const { stdout, exitCode } = await portping(['--wait', '127.0.0.1', String(openPort)]);
    expect(stdout).toMatch(/^Success!/);
    expect(exitCode).toBe(0);
  });

  it('waits for a port to close with --expect closed', async () => {
    const closing = accept();
    const port = await listen(closing, await freePort());
    const running = new Running([
      '--wait',
      '10s',
      '-i',
      '50ms',
      '--expect',
      'closed',
      '127.0.0.1',
      String(port),
    ]);
    await running.until(({ stderr }) => stderr.includes('open; waiting'));
    await close(closing);
    const { stdout, stderr, exitCode } = await running.end();
    expect(stdout).toBe('Error Detected: Connection refused <10061> returned.\n');
    expect(stderr).toMatch(/As expected \(--expect closed\): closed\.\nWaited [\d.]+ m?s\.\n$/);
    expect(exitCode).toBe(0);
  });

  it('passes the exit code of the command on', async () => {
    const { stdout, exitCode } = await portping([
      '--wait',
      '5s',
      '127.0.0.1',
      String(openPort),
      '--',
      'sh',
      '-c',
      'echo started; exit 7',
    ]);
    expect(stdout).toMatch(/^Success! .*\nstarted\n$/);
    expect(exitCode).toBe(7);
  });

  it('does not run the command when the port does not open', async () => {
    const { stdout, exitCode } = await portping([
      '--wait',
      '300ms',
      '127.0.0.1',
      String(closedPort),
      '--',
      'echo',
      'started',
    ]);
    expect(stdout).not.toContain('started');
    expect(exitCode).toBe(1);
  });

  it('passes signals on to the command and leaves nothing running', async () => {
    const running = new Running([
      '-q',
      '--wait',
      '5s',
      '127.0.0.1',
      String(openPort),
      '--',
      process.execPath,
      '-e',
      "process.on('SIGTERM', () => process.exit(9)); console.log(process.pid); " +
        'setInterval(() => {}, 1000)',
    ]);
    await running.until(({ stdout }) => /^\d+\n/.test(stdout));
    running.child.kill('SIGTERM');
    const { stdout, exitCode } = await running.end();
    expect(exitCode).toBe(9);
    expect(() => process.kill(Number(stdout), 0)).toThrow(/ESRCH/);
  });

  it('passes a second signal on as well, and ends when the command does', async () => {
    const script =
      "let signals = 0; process.on('SIGTERM', () => { signals += 1; " +
      "console.log('signal', signals); if (signals === 2) process.exit(9); }); " +
      "console.log('ready'); setInterval(() => {}, 1000)";
    const running = new Running([
      '-q',
      '--wait',
      '5s',
      '127.0.0.1',
      String(openPort),
      '--',
      process.execPath,
      '-e',
      script,
    ]);
    for (const seen of ['ready', 'signal 1']) {
      await running.until(({ stdout }) => stdout.includes(seen));
      running.child.kill('SIGTERM');
    }
    expect(await running.end()).toMatchObject({
      stdout: 'ready\nsignal 1\nsignal 2\n',
      exitCode: 9,
    });
  });

  it.each(['TERM', 'INT', 'HUP', 'QUIT', 'KILL'])(
    'ends by the signal that ended the command: %s',
    async (name) => {
      const running = new Running([
        '-q',
        '--wait',
        '5s',
        '127.0.0.1',
        String(openPort),
        '--',
        'sh',
        '-c',
        `ulimit -c 0; kill -${name} $$`,
      ]);
      expect((await running.end()).signal).toBe(`SIG${name}`);
    },
  );

  it("has the shell's exit code for a signal that does not end it", async () => {
    const running = new Running([
      '-q',
      '--wait',
      '5s',
      '127.0.0.1',
      String(openPort),
      '--',
      'sh',
      '-c',
      'kill -PIPE $$',
    ]);
    expect(await running.end()).toMatchObject({ signal: null, exitCode: 141 });
  });

  it('does not pass its own UV_THREADPOOL_SIZE on to the command', async () => {
    const words = [
      '-q',
      '--wait',
      '5s',
      `127.0.0.1:${openPort}`,
      `localhost:${openPort}`,
      '-4',
      '--',
      'sh',
      '-c',
      'echo "<$UV_THREADPOOL_SIZE>"',
    ];
    expect((await portping(words)).stdout).toBe('<>\n');
    expect((await portping(words, { env: { UV_THREADPOOL_SIZE: '8' } })).stdout).toBe('<8>\n');
  });

  it('prefixes its own lines with the time with --timestamps', async () => {
    const { stderr } = await portping([
      '--timestamps',
      '--wait',
      '300ms',
      '-i',
      '100ms',
      '127.0.0.1',
      String(closedPort),
    ]);
    for (const line of stderr.trimEnd().split('\n'))
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z {2}/);
    expect(stderr).toMatch(
      /Z {2}127\.0\.0\.1:\d+: refused <10061>; waiting\.\n[^]*Z {2}Gave up after 300 ms\.\n$/,
    );
  });

  it('exits with 127 for a command that does not exist', async () => {
    const { stderr, exitCode } = await portping([
      '--wait',
      '5s',
      '127.0.0.1',
      String(openPort),
      '--',
      'no-such-command-here',
    ]);
    expect(stderr).toMatch(
      /^Waited .*\nportping: cannot run no-such-command-here: no such command\n$/,
    );
    expect(exitCode).toBe(127);
  });

  itWith('nobody', 'exits with 127 when a folder of PATH cannot be searched', async () => {
    const { stderr, exitCode } = await portpingAsNobody(
      ['--wait', '5s', '127.0.0.1', String(openPort), '--', 'no-such-command-here'],
      { wrapper: ['env', 'PATH=/usr/bin:/proc/1/fd'] },
    );
    expect(stderr).toMatch(
      /^Waited .*\nportping: cannot run no-such-command-here: no such command\n$/,
    );
    expect(exitCode).toBe(127);
  });

  it.each([
    [126, 'a folder', () => '/tmp', 'not permitted, or not a program'],
    [126, 'a path through a file', () => `${fileURLToPath(import.meta.url)}/x`, 'spawn ENOTDIR'],
    [126, 'a name that is too long', () => `/${'x'.repeat(5000)}`, 'spawn ENAMETOOLONG'],
  ])('exits with %i for a command that cannot run: %s', async (code, _, command, cause) => {
    const { stderr, exitCode } = await portping([
      '--wait',
      '5s',
      '127.0.0.1',
      String(openPort),
      '--',
      command(),
    ]);
    expect(stderr.replace(/^Waited .*\n/, '')).toBe(
      `portping: cannot run ${command()}: ${cause}\n`,
    );
    expect(exitCode).toBe(code);
  });

  it('exits with 130 when it is interrupted', async () => {
    const running = new Running(['--wait', '60s', '127.0.0.1', String(closedPort)]);
    await running.until(({ stderr }) => stderr.includes('waiting'));
    running.child.kill('SIGINT');
    const { stderr, exitCode } = await running.end();
    expect(stderr).toMatch(/\nInterrupted before there was a verdict\.\n$/);
    expect(exitCode).toBe(130);
  });
});

describe('misuse of options for a series', () => {
  it.each([
    [['-c', '0', 'h', '1'], /^portping: --count: 0 is out of range; allowed: 1 to/],
    [['-c', '2x', 'h', '1'], /^portping: --count: "2x"/],
    [['-c', '2', '-t', 'h', '1'], /--count: cannot be combined with --continuous; use only one/],
    [['-t', '--wait', '5', 'h', '1'], /--continuous: cannot be combined with --wait; use only one/],
    [
      ['-c', '1', '-i', '1s', 'h', '1'],
      /^portping: --interval: there is only one probe; use it with -c 2 or more, -t or --wait \(/,
    ],
    [['--histogram', 'h', '1'], /^portping: --histogram: there is only one probe/],
    [['--wait-for-name', 'h', '1'], /^portping: --wait-for-name: has an effect only on a wait/],
    [['--wait', '10sek', 'h', '1'], /^portping: --wait: "10sek" is not a duration/],
    [
      ['h', '1', '--', 'echo hi', '-n'],
      /^portping: --: a command runs only after a wait; write: portping --wait h 1 -- 'echo hi' -n \(/,
    ],
    [
      ['--wait', '--', 'h', '1'],
      /^portping: host: nothing given; .*; with --wait, "h 1" after -- is the command \(/,
    ],
    [['--wait', 'h', '1', '--'], /^portping: --: no command follows/],
    [['--wait', '127.0.0.1', '1', '--', '', 'x'], /^portping: --: no command follows/],
    [
      ['--wait', 'abc', 'host', '1'],
      new RegExp(
        String.raw`^portping: port: "host" is neither a port nor .*; "abc" was read as the ` +
          String.raw`host, because it is not a duration \(500ms, 3s, 2m\) \(`,
      ),
    ],
    [
      ['--expect', 'ajar', 'h', '1'],
      /--expect: "ajar" is not allowed; allowed: open, closed, filtered, not-open \(/,
    ],
    [
      ['--expect', 'closed', '--max-latency', '1s', 'h', '1'],
      /^portping: --max-latency: only an open port has a latency/,
    ],
    [['--summary-every', '9s', 'h', '1'], /^portping: --summary-every: there is only one probe/],
    [
      ['--summary-every', '9s', '-c', '2', '-o', 'csv', 'h', '1'],
      /^portping: --summary-every: has no effect with --output csv; use it with --output text, json/,
    ],
    [
      ['-q', '--timestamps', 'h', '1'],
      /--quiet: cannot be combined with --timestamps; use only one/,
    ],
    [['--max-latency', 'fast', 'h', '1'], /^portping: --max-latency: "fast" is not a duration/],
  ])('%j is refused in one line with exit code 64', async (args, message) => {
    const { stdout, stderr, exitCode } = await portping(args);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^[\x20-\x7e]+\n$/);
    expect([stdout, exitCode]).toEqual(['', 64]);
  });
});

describeWith('script', 'a series on a terminal', () => {
  // script(1) gives the command a terminal of 0 columns, on which ora redraws endlessly.
  const onTerminal = (args: string[]): Running =>
    new Running(
      [`exec ${[...portpingCommand, ...args].map((word) => `'${word}'`).join(' ')}`, '/dev/null'],
      ['script', '-qefc'],
      { TERM: 'xterm' },
    );

  it('shows the whole summary so far on Enter, and again after ^C', async () => {
    const running = onTerminal(['-t', '-i', '30ms', '127.0.0.1', String(openPort)]);
    await running.until(({ stdout }) => count(stdout, /milliseconds/) >= 3);
    running.child.stdin?.write('\r');
    await running.until(({ stdout }) => stdout.includes('so far ---'));
    running.child.stdin?.write('\x03');
    const { stdout, exitCode } = await running.end();
    expect(count(stdout, /so far ---/)).toBe(1);
    expect(stdout).toMatch(
      /\^C[^]*?\r\n--- 127\.0\.0\.1:\d+ ---\r\n\d+ probes: [^]*p99 [\d.]+\r\n[▁-█ ]+\r\n$/,
    ); // one more verdict may have arrived
    expect(count(stdout, /^--- /m)).toBe(2);
    expect(exitCode).toBe(0);
  });

  it('tells on Enter of the outage that is going on', async () => {
    const running = onTerminal(['-t', '-i', '30ms', '127.0.0.1', String(closedPort)]);
    await running.until(({ stdout }) => count(stdout, /<10061>/) >= 4);
    running.child.stdin?.write('\r');
    await running.until(({ stdout }) => /Outage since \S+Z, [\d.]+ ms so far:/.test(stdout));
    running.child.stdin?.write('\x03');
    const { stdout } = await running.end();
    expect(stdout).toMatch(
      /so far ---\r\n\d+ probes: 0 open[^]*1 outage: longest [^\n]*\nOutage since [^\n]*: refused ×\d+\.\r\n/,
    );
  });

  it('begins a new line after ^C', async () => {
    const running = onTerminal(['-t', '-i', '30ms', '127.0.0.1', String(closedPort)]);
    await running.until(({ stdout }) => count(stdout, /<10061>/) >= 2);
    running.child.stdin?.write('\x03');
    const { stdout } = await running.end();
    expect(stdout).toMatch(/\^C[^\n]*\r\n[^]*Outage since /);
    expect(stdout).not.toMatch(/\^C[^\n]*Outage|\n\r?\n/);
  });

  it('shows the summary so far on ^\\, on separate lines', async () => {
    const running = onTerminal(['-t', '-i', '30ms', '127.0.0.1', String(openPort)]);
    await running.until(({ stdout }) => count(stdout, /milliseconds/) >= 3);
    running.child.stdin?.write('\x1c');
    await running.until(({ stdout }) => /\n--- 127\.0\.0\.1:\d+, so far ---\r\n/.test(stdout));
    running.child.stdin?.write('\x03');
    expect((await running.end()).exitCode).toBe(0);
  });

  it('begins with a line that says what is probed, how often, and which keys work', async () => {
    const running = onTerminal(['-t', '-i', '30ms', '127.0.0.1', String(openPort)]);
    await running.until(({ stdout }) => count(stdout, /milliseconds/) >= 1);
    running.child.stdin?.write('\x03');
    expect((await running.end()).stdout).toMatch(
      new RegExp(
        String.raw`^\x1b\[2mProbing 127\.0\.0\.1:${openPort} every 30 ms; Enter: summary, ` +
          String.raw`\^C: end\x1b\[22m\r\n\x1b\[32mSuccess!`,
      ),
    );
  });

  it('does not redraw endlessly on a terminal without columns', async () => {
    const running = onTerminal(['--wait', '1500ms', '127.0.0.1', String(closedPort)]);
    const { stdout, exitCode } = await running.end();
    expect(stdout.length).toBeLessThan(1000);
    expect(stdout).toContain('Gave up after 1.5 s.');
    expect(exitCode).toBe(1);
  });
});
