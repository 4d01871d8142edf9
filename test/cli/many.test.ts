import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Parser } from 'tap-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, environment, run } from '../support/command.js';
import { freePort, ownLoopback, silentPort } from '../support/listeners.js';
import { peakMiB, REPORT_PEAK } from '../support/peak-memory.js';
import {
  interruptedPortping,
  portping,
  portpingAsNobody,
  portpingCommand,
} from '../support/portping.js';
import { itWith } from '../support/tools.js';

/** An address on which no other test listens, so a closed port stays closed. */
const HOST = ownLoopback();

const servers: Server[] = [];
let open: number[] = [];
let closed = 0;
let folder = '';

const listen = (address = HOST): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.on('error', () => {}).resume());
    servers.push(server);
    server.listen(0, address, () => resolve((server.address() as { port: number }).port));
  });

async function file(text: string): Promise<string> {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.txt`);
  await writeFile(path, text);
  return path;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portping-many-'));
  open = await Promise.all([listen(), listen(), listen()]);
  closed = await freePort(HOST);
});
afterAll(async () => {
  for (const server of servers) server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('several targets', () => {
  it('have one verdict line each, in order, and a summary line', async () => {
    const { stdout, stderr, exitCode } = await portping([
      HOST,
      String(open[2]),
      `${closed},${open[0]}`,
    ]);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split('  ')[0])).toEqual(
      [open[2], closed, open[0]].map((port) => `${HOST}:${port}`),
    );
    expect(lines[1]).toBe(
      `${HOST}:${closed}  Error Detected: Connection refused <10061> returned.`,
    );
    expect(stderr).toMatch(/\n3 probes in [\d.]+ m?s: 2 open, 1 closed\.\n$/);
    expect(exitCode).toBe(1);
  });

  it('may be a mix of host:port, names and URLs', async () => {
    const port = await listen('0.0.0.0');
    const { stdout, exitCode } = await portping([
      '-4',
      `127.0.0.1:${port}`,
      `localhost:${port}`,
      `http://127.0.0.1:${port}/`,
    ]);
    expect(stdout).toMatch(
      new RegExp(
        `^127\\.0\\.0\\.1:${port}  Success.*\\n` +
          `localhost:${port} \\(127\\.0\\.0\\.1\\)  Success.*\\n` +
          `127\\.0\\.0\\.1:${port}  Success.*\\n$`,
      ),
    );
    expect(exitCode).toBe(0);
  });

  it('may be a block of addresses', async () => {
    const { stdout } = await portping([`127.0.0.0/30:${open[0]}`]);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('  ')[0]),
    ).toEqual([0, 1, 2, 3].map((last) => `127.0.0.${last}:${open[0]}`));
  });

  it('are shown as a table of the open ports when there are many', async () => {
    const first = Math.min(...open, closed) - 1;
    const last = Math.max(...open, closed, first + 60);
    const { stdout, stderr, exitCode } = await portping([HOST, `${first}-${last}`]);
    const found = stdout
      .trimEnd()
      .split('\n')
      .map((line) => Number(/^[\d.]+:(\d+) +open +[\d.]+ ms/.exec(line)?.[1]));
    expect(found).toEqual(expect.arrayContaining(open));
    expect(found).not.toContain(closed);
    expect(stderr).toMatch(new RegExp(`^${last - first + 1} probes in .*: .*closed`));
    expect(exitCode).toBe(1);
  });

  it('must all be open before --wait runs the command', async () => {
    const all = await portping([
      '--wait',
      '5s',
      `${HOST}:${open[0]}`,
      `${HOST}:${open[1]}`,
      '--',
      'echo',
      'both',
    ]);
    expect(all.stdout).toMatch(/^127.*Success.*\n127.*Success.*\nboth\n$/);
    const one = await portping([
      '--wait',
      '600ms',
      `${HOST}:${open[0]}`,
      `${HOST}:${closed}`,
      '--',
      'echo',
      'both',
    ]);
    expect(one.stdout).not.toContain('both');
    expect(one.exitCode).toBe(1);
  });

  it('end the wait when one name does not resolve, with the exit code for that', async () => {
    const silent = await silentPort();
    const { stdout, stderr, exitCode } = await portping([
      '--wait',
      '20s',
      'nosuch.invalid:1',
      `127.0.0.1:${silent}`,
    ]);
    expect(stdout).toMatch(
      /^nosuch\.invalid:1 {2}Error Detected: Connection refused <1100[12]> returned\.\n$/,
    );
    expect(stderr).toContain(
      `\n127.0.0.1:${silent}: stopped with the others before there was a verdict.\n`,
    );
    expect(exitCode).toBe(3);
  });

  it('have complete reports in every format with --wait', async () => {
    const wait = (...format: string[]) =>
      portping([
        '--wait',
        '700ms',
        '-i',
        '100ms',
        ...format,
        `${HOST}:${open[0]}`,
        `${HOST}:${closed}`,
      ]);
    const [junit, tap, json] = await Promise.all([
      wait('-o', 'junit'),
      wait('-o', 'tap'),
      wait('-o', 'json'),
    ]);
    expect(junit.stdout).toMatch(
      new RegExp(
        '^<\\?xml [^]* tests="2" failures="1" errors="0" [^]*' +
          `name="${HOST}:${closed} is open" [^]*</testsuites>\\n$`,
      ),
    );
    expect(tap.stdout).toMatch(
      /^TAP version 13\nok 1 - .* is open\nnot ok 2 - .* is open\n[^]*\n1\.\.2\n$/,
    );
    expect(JSON.parse(json.stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'totals',
      probes: 2,
      counts: { open: 1, closed: 1 },
      exitCode: 1,
      isComplete: true,
    });
    for (const { stderr, exitCode } of [junit, tap, json])
      expect([stderr, exitCode]).toEqual(['', 1]);
  });

  it('start and stop without delay, even when there are billions', async () => {
    const { stdout, elapsedMs } = await portping(['127.77.0.0/16', '1-65535', '-o', 'csv'], {
      wrapper: ['sh', '-c', '"$@" | head -n 2', 'sh'],
      timeoutMs: 50_000,
    });
    expect(stdout.split('\r\n')[1]).toContain(',127.77.0.0,1,127.77.0.0,closed,conn-refused,');
    expect(elapsedMs).toBeLessThan(50_000); // probing every target takes minutes
  });

  it('keep to --rate across rounds', async () => {
    const one = await portping(['-q', '-c', '4', '-i', '0', '--rate', '5', HOST, String(open[0])]);
    expect(one.elapsedMs).toBeGreaterThan(590);
    const two = await portping([
      '-q',
      '-c',
      '3',
      '-i',
      '0',
      '--rate',
      '10',
      HOST,
      `${open[0]},${open[1]}`,
    ]);
    expect(two.elapsedMs).toBeGreaterThan(490);
  });

  it('have timestamps in the table with --timestamps', async () => {
    const { stdout } = await portping(['--timestamps', HOST, `1-60,${open[0]}`]);
    expect(stdout).toMatch(
      new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z  ${HOST}:${open[0]}  open `, 'm'),
    );
  });

  it('wait for a slow reader and use at most 120 MiB', async () => {
    const pipe = `yes ${HOST}:1 | head -n 60000 | "$@" | (sleep 5; wc -l)`;
    const { stdout, stderr } = await portping(['-o', 'json', '--targets', '-'], {
      wrapper: ['sh', '-c', pipe, 'sh'],
      env: { NODE_OPTIONS: `--require ${REPORT_PEAK}` },
      timeoutMs: 50_000,
    });
    expect(stdout.trim()).toBe('60001');
    expect(peakMiB(stderr)).toBeLessThan(120);
  });

  it('use at most 110 MiB when all ports of an address are swept', async () => {
    const { stdout, stderr } = await portping(['-o', 'json', HOST, '1-65535'], {
      env: { NODE_OPTIONS: `--require ${REPORT_PEAK}` },
      timeoutMs: 50_000,
    });
    expect(stdout.match(/\n/g)).toHaveLength(65_536);
    expect(peakMiB(stderr)).toBeLessThan(110);
  });

  itWith('nobody', 'are probed when the system allows few threads', async () => {
    const free = await freePort();
    const path = await file(`localhost:${free}\nlocalhost:${free}\n`);
    await chmod(folder, 0o755);
    await chmod(path, 0o644);
    expect(
      await portpingAsNobody(['-4', '--targets', path], {
        wrapper: ['prlimit', '--nproc=60:60', '--'],
      }),
    ).toMatchObject({
      stdout: expect.stringMatching(/^(.*<10061>.*\n){2}$/) as string,
      exitCode: 1,
    });
  });

  it('cause no warning with --wait and 15 targets', async () => {
    const { stderr, exitCode } = await portping([
      '-q',
      '--wait',
      '300ms',
      HOST,
      ...Array.from({ length: 15 }, () => String(closed)),
    ]);
    expect([stderr, exitCode]).toEqual(['', 1]);
  });

  it('have one row each in the summary when they are probed in rounds', async () => {
    const { stdout, stderr, exitCode } = await portping([
      '-c',
      '3',
      '-i',
      '0',
      HOST,
      `${open[0]},${open[1]}`,
    ]);
    expect(stdout.match(/Success/g)).toHaveLength(6);
    expect(stderr.match(/^\S+ +open +3 +0% /gm)).toHaveLength(2);
    expect(exitCode).toBe(0);
  });
});

describe('--targets', () => {
  const suite = (): string =>
    `# a firewall's test\n${HOST} ${open[0]} open\n${HOST} ${closed} closed # as it should be\n\n` +
    `${HOST}:${open[1]} closed\n${HOST} ${closed},${open[2]}\n`;

  it('compares each target with the expected state on its line', async () => {
    const { stdout, stderr, exitCode } = await portping([
      '--targets',
      await file(suite()),
      '-o',
      'json',
    ]);
    const objects = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, any>);
    expect(
      objects
        .slice(0, -1)
        .map(({ origin, expected, state, asExpected }) => [
          String(origin).replace(/^.*:/, ''),
          expected,
          state,
          asExpected,
        ]),
    ).toEqual([
      ['2', 'open', 'open', true],
      ['3', 'closed', 'closed', true],
      ['5', 'closed', 'open', false],
      ['6', null, 'closed', false],
      ['6', null, 'open', true],
    ]);
    expect(objects.at(-1)).toMatchObject({
      type: 'totals',
      probes: 5,
      counts: { open: 3, closed: 2 },
      unexpected: 2,
      exitCode: 5,
    });
    expect([stderr, exitCode]).toEqual(['', 5]);
  });

  it('names each line that is not as expected; --expect applies to the other lines', async () => {
    const path = await file(suite());
    const { stderr, exitCode } = await portping(['--expect', 'not-open', '--targets', path]);
    const remarks = stderr
      .split('\n')
      .filter((line) => / expected /.test(line))
      .map((line) => line.replace(/^\S+ +/, ''));
    expect(remarks).toEqual([
      `Not as expected (${path}:5 says closed): open.`,
      'As expected (--expect not-open): closed.',
      'Not as expected (--expect not-open): open.',
    ]);
    expect(exitCode).toBe(5);
  });

  it('reads standard input', async () => {
    const { stdout, exitCode } = await portping(['--targets', '-'], { input: suite() });
    expect(stdout.trimEnd().split('\n')).toHaveLength(5);
    expect(exitCode).toBe(5);
  });

  it('is validated before the first probe; an error names file and line', async () => {
    const listener = createServer();
    let connections = 0;
    listener.on('connection', (socket) => {
      connections += 1;
      socket.destroy();
    });
    const port: number = await new Promise((resolve) =>
      listener.listen(0, '127.0.0.1', () => resolve((listener.address() as { port: number }).port)),
    );
    const path = await file(`127.0.0.1 ${port}\n127.0.0.1 99999\n`);
    const { stdout, stderr, exitCode } = await portping(['--targets', path]);
    listener.close();
    expect(stderr).toBe(
      `portping: ${path}:2: port: 99999 is out of range; allowed: 1 to 65535, ` +
        'or the name of a TCP service such as smtp (see: portping -h)\n',
    );
    expect([stdout, exitCode, connections]).toEqual(['', 64, 0]);
  });

  it.each([
    [
      'ajar',
      '127.0.0.1 80 ajar',
      /:1: state: "ajar" is not a state; allowed: open, closed, filtered, not-open/,
    ],
    ['no port', 'localhost', /:1: port: none given for localhost/],
    [
      'a URL for UDP',
      'udp://dns:53 open',
      /:1: scheme: "udp" uses UDP, and portping probes TCP only; write tcp:\/\/dns:53 to /,
    ],
    ['an escape sequence', 'evil\x1b[31m 80', /:1: host: "evil\\x1b\[31m" is not a host name/],
    [
      'a block of 2^64 addresses',
      '::1/64 22',
      /:1: host: ::1\/64 is 2\^64 addresses; allowed: at most 65536 \(\/112\)/,
    ],
    [
      'a block of 16,777,216 addresses',
      '10.0.0.0/8:22',
      /:1: host: 10\.0\.0\.0\/8 is 16777216 addresses; allowed: at most 65536/,
    ],
  ])('refuses %s', async (_, line, message) => {
    const { stdout, stderr, exitCode } = await portping(['--targets', '-'], { input: `${line}\n` });
    expect(stderr).toMatch(message);
    expect([stdout, exitCode]).toEqual(['', 64]);
  });

  it('reads a named pipe with a late writer, and a pipe on /dev/stdin', async () => {
    const pipe = join(folder, 'pipe');
    const [late, given, nothing] = await Promise.all([
      portping(['--targets', pipe], {
        wrapper: [
          'sh',
          '-c',
          `mkfifo '${pipe}'; (sleep 0.3; echo '${HOST} ${open[0]}'; sleep 0.3; ` +
            `echo '${HOST} ${closed}') > '${pipe}' & exec "$@"`,
          'sh',
        ],
      }),
      portping(['--targets', '/dev/stdin'], {
        wrapper: ['sh', '-c', `echo '${HOST} ${open[0]}' | "$@"`, 'sh'],
      }),
      portping(['--targets', '/dev/stdin'], { wrapper: ['sh', '-c', ': | "$@"', 'sh'] }),
    ]);
    expect([late.stdout.split('\n').length, late.exitCode]).toEqual([3, 1]);
    expect([given.stdout, given.exitCode]).toEqual([expect.stringMatching(/Success!/), 0]);
    expect([nothing.stderr, nothing.exitCode]).toEqual([
      expect.stringMatching(/\/dev\/stdin has no target/),
      64,
    ]);
  });

  it.skipIf(process.platform !== 'linux').each([
    ['has no writer', [], false],
    ['has an idle writer', [], true],
    ['has an idle writer and must be read whole', ['-c', '2'], true],
  ] as const)('stops at once on SIGTERM while a named pipe %s', async (_, options, isOpened) => {
    const pipe = join(folder, `pipe-${Math.random()}`);
    await run(['mkfifo', pipe]);
    const writer = isOpened
      ? spawn('sh', ['-c', 'exec sleep 60 >"$0"', pipe], { stdio: 'ignore' })
      : null;
    const [command = '', ...args] = portpingCommand;
    const child = spawn(command, [...args, ...options, '--targets', pipe], {
      stdio: 'pipe',
      detached: true,
    });
    const ended = collect(child, { input: '', timeoutMs: 15_000, startedAt: performance.now() });
    const files = async (): Promise<string[]> =>
      Promise.all(
        (await readdir(`/proc/${child.pid}/fd`)).map((each) =>
          readlink(`/proc/${child.pid}/fd/${each}`).catch(() => ''),
        ),
      );
    await expect.poll(files, { timeout: 15_000 }).toContain(pipe);
    child.kill('SIGTERM');
    const { stderr, exitCode } = await ended;
    writer?.kill();
    expect([stderr, exitCode]).toEqual(['Interrupted before there was a verdict.\n', 130]);
  });

  it('refuses a pipe for a check, which must end in time', async () => {
    const { stdout, exitCode } = await portping(['-o', 'nagios', '--targets', '/dev/stdin'], {
      wrapper: ['sh', '-c', 'sleep 3 | "$@"', 'sh'],
    });
    expect(stdout).toMatch(/^PORTPING UNKNOWN: --targets: a check cannot wait for a pipe; use a /);
    expect(exitCode).toBe(3);
  });

  it('reports that a named pipe has no target when its writer closes it', async () => {
    const pipe = join(folder, 'empty-pipe');
    const { stderr, exitCode } = await portping(['--targets', pipe], {
      wrapper: ['sh', '-c', `mkfifo '${pipe}'; (sleep 0.3; : > '${pipe}') & exec "$@"`, 'sh'],
    });
    expect([stderr, exitCode]).toEqual([expect.stringMatching(/empty-pipe has no target/), 64]);
  });

  it.each([
    ['-c', '2'],
    ['--wait', '1s'],
  ])('allows at most 1,000 targets with %s', async (...options) => {
    const { stdout, stderr, exitCode } = await portping([
      ...options,
      '--targets',
      await file(`${HOST}:1-1001\n`),
    ]);
    expect(stderr).toBe(
      'portping: --targets: more than 1000 targets; ' +
        'allowed with -c, -t or --wait: 1000 (see: portping -h)\n',
    );
    expect([stdout, exitCode]).toEqual(['', 64]);
  });

  it.each([
    ['/no/such/file', '/no/such/file does not exist'],
    ['/', '/ is a directory'],
    ['', '"" is not a file name'],
  ])('refuses the file "%s", which cannot be read', async (path, problem) => {
    const { stderr, exitCode } = await portping(['--targets', path]);
    const message = `--targets: ${problem}; use a file, or - for standard input`;
    expect(stderr).toBe(`portping: ${message} (see: portping -h)\n`);
    expect(exitCode).toBe(64);
  });

  it('keep the order of both streams where they are one', async () => {
    const words = [...portpingCommand, `${HOST}:${open[0]}`, `${HOST}:${closed}`];
    const merged = await collect(
      spawn('sh', ['-c', 'exec "$@" 2>&1', 'sh', ...words], { env: environment, detached: true }),
      { input: '', timeoutMs: 30_000, startedAt: performance.now() },
    );
    expect(merged.stdout.split('\n').map((line) => line.replace(/^\S+ +/, ''))).toEqual([
      expect.stringMatching(/^Success! /),
      expect.stringMatching(/^Error Detected: /),
      expect.stringMatching(/^closed, refused: 10061 /),
      expect.stringMatching(/^Nothing listens /),
      expect.stringMatching(/^probes in /),
      '',
    ]);
  });

  it('refuses a directory as standard input', async () => {
    const child = spawn('sh', ['-c', 'exec "$@" </', 'sh', ...portpingCommand, '--targets', '-'], {
      env: environment,
      detached: true,
    });
    const options = { input: '', timeoutMs: 30_000, startedAt: performance.now() };
    const { stdout, stderr, exitCode } = await collect(child, options);
    expect([stdout, stderr, exitCode]).toEqual([
      '',
      'portping: --targets: standard input is a directory; ' +
        'use a file, or - for standard input (see: portping -h)\n',
      64,
    ]);
  });

  it('starts probing before its input ends', async () => {
    const [command = '', ...args] = portpingCommand;
    const child = spawn(command, [...args, '--targets', '-'], { stdio: 'pipe' });
    child.stdin.write(`${HOST} ${open[0]}\n`);
    const first = await new Promise<string>((resolve) =>
      child.stdout.setEncoding('utf8').once('data', resolve),
    );
    expect(first).toMatch(/Success/);
    child.stdin.end();
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  });

  it('ends at once when the reader closes the pipe', async () => {
    const { stdout, exitCode } = await portping([], {
      wrapper: [
        'bash',
        '-c',
        'set -o pipefail; yes 127.0.0.1:1 2>/dev/null | "$@" --targets - 2>/dev/null | head -1',
        'bash',
      ],
      timeoutMs: 8000,
    });
    expect(stdout).toBe('127.0.0.1:1  Error Detected: Connection refused <10061> returned.\n');
    expect(exitCode).not.toBeNull();
  });

  it('reports an input without targets', async () => {
    const { stdout, stderr, exitCode } = await portping(['--targets', '-'], {
      input: '# nothing\n',
    });
    expect([stdout, exitCode]).toEqual(['', 64]);
    expect(stderr).toMatch(/^portping: --targets: standard input has no target/);
  });
});

describe('a run that is interrupted', () => {
  /** Sends SIGTERM after two probes, while the run waits for more input. */
  async function interrupt(
    ...args: string[]
  ): Promise<{ stdout: string; stderr: string; exitCode: number | null }> {
    const [command = '', ...rest] = portpingCommand;
    const child = spawn(
      command,
      [...rest, '--concurrency', '1', '-o', 'json', ...args, '--targets', '-'],
      { stdio: 'pipe' },
    );
    let [stdout, stderr, signalled] = ['', '', false];
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.write(`${HOST} ${open[0]}\n${HOST} ${open[1]}\n`);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (!signalled && /\n.*\n/.test(stdout.replace(/^TAP.*\n/, '')))
        signalled = child.kill('SIGTERM'); // only once: a second signal ends the run at once
    });
    const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { stdout, stderr, exitCode };
  }

  it('exits with 130 even if all results so far were expected', async () => {
    const { stdout, exitCode } = await interrupt();
    const objects = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, any>);
    expect(objects.map(({ type }) => type)).toEqual(['probe', 'probe', 'totals']);
    expect(objects.at(-1)).toMatchObject({ exitCode: 130, isComplete: false, unexpected: 0 });
    expect(exitCode).toBe(130);
  });

  it('bails out in TAP after two passed test points', async () => {
    const { stdout, exitCode } = await interrupt('-o', 'tap');
    expect(stdout).toMatch(
      /^TAP version 13\nok 1 .*\nok 2 .*\nBail out! The run ended before the last probe\.\n$/,
    );
    expect(exitCode).toBe(130);
  });

  it.each([
    ['tap', /^TAP version 13\nBail out! The run ended before the last probe\.\n$/],
    ['junit', /tests="1" failures="0" errors="1"[^]*<error type="incomplete"/],
  ] as const)('is reported in %s even before the first verdict', async (format, report) => {
    const { stdout, exitCode } = await interruptedPortping(['-o', format]);
    expect(stdout).toMatch(report);
    expect(exitCode).toBe(130);
  });

  it('counts two signals at once as one, because timeout(1) sends two', async () => {
    const child = new Promise<{ stdout: string; exitCode: number | null }>((resolve) => {
      const [command = '', ...rest] = portpingCommand;
      const process = spawn(command, [...rest, '-o', 'tap', '--targets', '-'], { stdio: 'pipe' });
      let stdout = '';
      let signalled = false;
      process.stdin.write(`${HOST} ${open[0]}\n`);
      process.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
        if (!signalled && stdout.includes('ok 1'))
          // Both are pending when it goes on. Two of the same kind would become one.
          for (const signal of ['SIGSTOP', 'SIGTERM', 'SIGINT', 'SIGCONT'] as const)
            signalled = process.kill(signal);
      });
      process.once('close', (exitCode) => resolve({ stdout, exitCode }));
    });
    expect(await child).toEqual({
      stdout: expect.stringMatching(
        /\nBail out! The run ended before the last probe\.\n$/,
      ) as string,
      exitCode: 130,
    });
  });

  it('ends at once while a file with billions of targets is validated', async () => {
    const path = await file('127.77.0.0/16:1-65535\n');
    const { stdout, elapsedMs } = await portping(['-o', 'csv', '--targets', path], {
      wrapper: ['sh', '-c', '"$@" | head -n 2', 'sh'],
      timeoutMs: 50_000,
    });
    expect(stdout.split('\r\n')[1]).toContain(',127.77.0.0,1,127.77.0.0,');
    expect(elapsedMs).toBeLessThan(50_000); // probing every target takes minutes
  });

  it('reports the results before an error in a pipe', async () => {
    const text = await portping(['--targets', '-'], {
      input: `${HOST}:${open[0]}\n${HOST}:${closed}\nfoo\n`,
    });
    expect(text.stdout).toMatch(/^.*Success.*\n.*<10061>.*\n$/);
    expect(text.stderr).toMatch(
      new RegExp(
        String.raw`\n2 probes in .*: 1 open, 1 closed; the run ended early\.\nportping: ` +
          String.raw`standard input:3: port: none given for foo.*\n$`,
      ),
    );
    expect(text.exitCode).toBe(64);
    const junit = await portping(['--targets', '-', '-o', 'junit'], {
      input: `${HOST}:${open[0]}\nfoo\n`,
    });
    expect(junit.stdout).toMatch(/tests="2" failures="0" errors="1"[^]*<error type="incomplete"/);
    expect(junit.exitCode).toBe(64);
  });
});

describe('reports for CI', () => {
  it('are TAP that a TAP parser accepts', async () => {
    const { stdout, exitCode } = await portping(['-o', 'tap', HOST, `${open[0]},${closed}`]);
    const results = Parser.parse(stdout);
    const points = results
      .filter(([kind]) => kind === 'assert')
      .map(([, point]) => point as { ok: boolean; name: string; diag?: { seen: string } });
    expect(points.map(({ ok, name }) => [ok, name])).toEqual([
      [true, `${HOST}:${open[0]} is open`],
      [false, `${HOST}:${closed} is open`],
    ]);
    expect(points[1]?.diag?.seen).toBe('closed (conn-refused)');
    expect(results.find(([kind]) => kind === 'complete')).toMatchObject([
      'complete',
      { ok: false, count: 2, pass: 1, fail: 1 },
    ]);
    expect(exitCode).toBe(1);
  });

  it('are CSV with one row per probe', async () => {
    const { stdout } = await portping(['-o', 'csv', HOST, `${open[0]},${closed}`]);
    const [header, first, second, end] = stdout.split('\r\n');
    expect(header).toMatch(/^time,host,port,address,state,reason,winsock,/);
    expect(first).toMatch(
      new RegExp(`Z,[\\d.]+,${open[0]},[\\d.]+,open,,,[\\d.]+,,,open,true,0,,,,,,,$`),
    );
    expect(second).toMatch(
      new RegExp(
        `Z,[\\d.]+,${closed},[\\d.]+,closed,conn-refused,10061,,[\\d.]+,,open,false,1,"10061 WSA`,
      ),
    );
    expect(end).toBe('');
  });

  it.each([
    ['timestamps', 'csv', 'text'],
    ['timestamps', 'junit', 'text'],
    ['timestamps', 'tap', 'text'],
    ['timestamps', 'json', 'text'],
    ['verbose', 'csv', 'text, json'],
    ['verbose', 'junit', 'text, json'],
    ['verbose', 'tap', 'text, json'],
    ['histogram', 'csv', 'text'],
    ['histogram', 'junit', 'text'],
    ['histogram', 'tap', 'text'],
    ['histogram', 'json', 'text'],
    ['histogram', 'prometheus', 'text'],
  ])('refuse --%s, which has no effect with -o %s', async (option, format, allowed) => {
    const { stdout, stderr, exitCode } = await portping([
      `--${option}`,
      '-o',
      format,
      HOST,
      `${open[0]},${closed}`,
    ]);
    expect(stderr).toBe(
      `portping: --${option}: has no effect with --output ${format}; ` +
        `use it with --output ${allowed} (see: portping -h)\n`,
    );
    expect([stdout, exitCode]).toEqual(['', 64]);
  });

  it('are JUnit with a failure for each unexpected result', async () => {
    const { stdout, stderr } = await portping(['-o', 'junit', HOST, `${open[0]},${closed}`]);
    expect(stdout).toMatch(
      new RegExp(
        String.raw`^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="portping" ` +
          String.raw`tests="2" failures="1" errors="0" time="\d+\.\d{3}">`,
      ),
    );
    expect(stdout.match(/<failure type="closed" message="closed \(conn-refused\)">/g)).toHaveLength(
      1,
    );
    expect(stderr).toBe('');
  });
});

describe('misuse with several targets', () => {
  it.each([
    [['--targets', '-', '-c', '2'], /^portping: --targets: standard input can be read only once/],
    [
      ['--targets', 'f', 'h', '1'],
      /^portping: --targets: the targets come from the file; leave out "h 1"/,
    ],
    [
      ['--concurrency', '0', 'h', '1,2'],
      /^portping: --concurrency: 0 is out of range; allowed: 1 to 65535/,
    ],
    [['--rate', 'fast', 'h', '1,2'], /^portping: --rate: "fast" is not a whole number/],
    [['--rate', '5', 'h', '1'], /^portping: --rate: there is only one probe/],
    [
      ['--rate', '5', '--wait', 'h', '1,2'],
      /^portping: --rate: cannot be combined with --wait; use --interval/,
    ],
    [
      ['--concurrency', '5', '--wait', 'h', '1,2'],
      /^portping: --concurrency: cannot be combined with --wait; use --interval/,
    ],
    [
      ['--concurrency', '5', '-c', '9', 'h', '1'],
      /^portping: --concurrency: there is only one target; use it with several targets/,
    ],
    [['h', '10-5'], /^portping: port: the range 10-5 runs backwards; allowed: 5-10/],
    [['h', '1,,2'], /^portping: port: nothing given/],
    [['h:1', '2'], /^portping: arguments: h:1 already has its port; leave out 2, or write host:2/],
    [
      ['-c', '2', 'h', '1-2000'],
      /^portping: arguments: there are 2000 targets; allowed with -c, -t or --wait: 1000/,
    ],
    [
      ['10.0.0.0/33', '1'],
      /^portping: host: 10\.0\.0\.0\/33 has a length of 33; allowed: 16 to 32/,
    ],
    [['--targets', 'a', '--targets', 'b'], /^portping: --targets: given twice; allowed: once/],
    [
      ['--service', 'smtp', '--service', 'imap', 'h', '1'],
      /^portping: --service: given twice; allowed: once/,
    ],
    [['name/24', '1'], /^portping: host: "name\/24" is not a block of addresses/],
  ])('%j is refused in one line with exit code 64', async (args, message) => {
    const { stdout, stderr, exitCode } = await portping(args);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^[\x20-\x7e]+\n$/);
    expect([stdout, exitCode]).toEqual(['', 64]);
  });
});
