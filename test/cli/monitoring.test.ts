import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/command.js';
import { freePort, silentPort } from '../support/listeners.js';
import { portping } from '../support/portping.js';
import { describeWith } from '../support/tools.js';

let server: Server;
let port = '';

beforeAll(async () => {
  server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = String((server.address() as { port: number }).port);
});
afterAll(() => void server.close());

describe('-o nagios', () => {
  it('is one line with performance data, and exit code 0', async () => {
    const { stdout, stderr, exitCode } = await portping([
      '-o',
      'nagios',
      '--warn',
      '4s',
      '--crit',
      '5s',
      '127.0.0.1',
      port,
    ]);
    expect(stdout).toMatch(
      new RegExp(
        `^PORTPING OK: 127\\.0\\.0\\.1:${port} open in [\\d.]+ ms \\| time=0\\.\\d{6}s;4;5;0;5\\n$`,
      ),
    );
    expect([stderr, exitCode]).toEqual(['', 0]);
  });

  it.each(['--help', '--version'])('is 3 with %s, as the guidelines ask for', async (option) => {
    const { stdout, stderr, exitCode } = await portping(['-o', 'nagios', option]);
    expect(stdout).not.toBe('');
    expect([stderr, exitCode]).toEqual(['', 3]);
  });

  it('is asked for by the last of several formats', async () => {
    expect(await portping(['-o', 'nagios', '-o', 'json', '127.0.0.1', '0'])).toMatchObject({
      stdout: '',
      exitCode: 64,
    });
    expect(await portping(['--output=json', '-onagios', '127.0.0.1', '0'])).toMatchObject({
      stderr: '',
      exitCode: 3,
    });
  });

  it('is 1 for WARNING and 2 for CRITICAL when the latency is one to alert about', async () => {
    const warned = await portping(['-o', 'nagios', '--warn', '@0:1m', '127.0.0.1', port]);
    expect([warned.exitCode, warned.stdout]).toEqual([
      1,
      expect.stringMatching(/^PORTPING WARNING: .*, inside --warn @0:1m \| time=/),
    ]);
    const critical = await portping([
      '-o',
      'nagios',
      '--warn',
      '4s',
      '--crit=10s:',
      '127.0.0.1',
      port,
    ]);
    expect([critical.exitCode, critical.stdout]).toEqual([
      2,
      expect.stringMatching(/^PORTPING CRITICAL: .*;4;10:;0;5\n$/),
    ]);
  });

  it('is CRITICAL with the cause when a port refuses, is silent or has no name', async () => {
    const refused = await portping(['-o', 'nagios', '127.0.0.1', String(await freePort())]);
    expect([refused.exitCode, refused.stdout]).toEqual([
      2,
      expect.stringMatching(
        /^PORTPING CRITICAL: \S+ closed, refused <10061> after .*\n10061 WSAECONNREFUSED .*\n.*\n$/,
      ),
    ]);
    const silent = await portping([
      '-o',
      'nagios',
      '-w',
      '700ms',
      '127.0.0.1',
      String(await silentPort()),
    ]);
    expect([silent.exitCode, silent.stdout]).toEqual([
      2,
      expect.stringMatching(/^PORTPING CRITICAL: \S+ filtered, no answer <10060>/),
    ]);
    // Its own timeout and not the default of 5 s.
    expect(silent.stdout).toMatch(/ (\d+ ms|[1-4](\.\d+)? s)\b/);
    const unnamed = await portping(['-o', 'nagios', '--dns', '127.0.0.1:1', 'nowhere.test', '25']);
    expect([unnamed.exitCode, unnamed.stdout]).toEqual([
      2,
      expect.stringMatching(
        /^PORTPING CRITICAL: nowhere\.test:25 unresolved, resolver failed <11002>/,
      ),
    ]);
  });

  it('is UNKNOWN when it failed here', async () => {
    const { stdout, exitCode } = await portping([
      '-o',
      'nagios',
      '--source',
      '192.0.2.1',
      '127.0.0.1',
      port,
    ]);
    expect([exitCode, stdout]).toEqual([
      3,
      expect.stringMatching(/^PORTPING UNKNOWN: \S+ failed, bad source address/),
    ]);
  });

  it.each([
    [['--nonsense', '127.0.0.1', '1'], 'unknown option'],
    [['127.0.0.1', '0'], 'port: 0 is out of range'],
    [['--warn', 'fast', '127.0.0.1', '1'], '--warn: "fast" is not a duration'],
    [
      ['-c', '2', '127.0.0.1', '1'],
      '--count: cannot be combined with --output nagios, because the scheduler repeats the check',
    ],
    [['-t', '127.0.0.1', '1'], '--continuous: cannot be combined with'],
    [['--wait', '1s', '127.0.0.1', '1'], '--wait: cannot be combined with'],
    [['-q', '127.0.0.1', '1'], '--quiet: '],
    [['-v', '127.0.0.1', '1'], '--verbose: '],
    [['--timestamps', '127.0.0.1', '1'], '--timestamps: '],
    [['--rate', '1', '127.0.0.1', '1,2'], '--rate: '],
    [['--concurrency', '1', '127.0.0.1', '1,2'], '--concurrency: '],
    [['--max-latency', '1s', '127.0.0.1', '1'], '--max-latency: '],
    [['--targets', '-'], '--targets: a check cannot wait'],
    [['127.0.0.1', '1-65535'], 'there are 65535 targets; allowed in one check: 1000'],
    [['--diagnose', '127.0.0.1', '1'], 'a diagnosis cannot be written as nagios'],
    [
      ['--expect', 'closed', '--warn', '1', '127.0.0.1', '1'],
      '--warn: only an open port has a latency',
    ],
    [['evil|name', '1'], 'host: "evil\\x7cname" is not a host name'],
  ])('is UNKNOWN in one line on standard output when %j is wrong', async (args, message) => {
    for (const option of [['-o', 'nagios'], ['--output=nagios']]) {
      const { stdout, stderr, exitCode } = await portping([...option, ...args]);
      expect([exitCode, stderr]).toEqual([3, '']);
      expect(stdout).toMatch(/^PORTPING UNKNOWN: .*\n$/);
      expect(stdout).toContain(message);
    }
  });

  it('has the worst state of several targets, and a line for each', async () => {
    const closed = await freePort();
    const { stdout, exitCode } = await portping(['-o', 'nagios', '127.0.0.1', `${port},${closed}`]);
    const [first, ...rest] = stdout.trimEnd().split('\n');
    expect(first).toMatch(
      new RegExp(
        `^PORTPING CRITICAL: 1 of 2 not OK: 127\\.0\\.0\\.1:${closed} closed.* ` +
          `\\| '127\\.0\\.0\\.1:${port} time'=0\\.\\d+s;;;0;5$`,
      ),
    );
    expect(rest.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      `CRITICAL: 127.0.0.1:${closed}`,
      `OK: 127.0.0.1:${port}`,
    ]);
    expect(exitCode).toBe(2);
  });

  it('keeps its timeout with a thousand silent targets', async () => {
    const silent = await silentPort('0.0.0.0');
    const folder = await mkdtemp(join(tmpdir(), 'portping-nagios-'));
    const hosts = Array.from(
      { length: 1000 },
      (_, index) => `127.1.${index >> 8}.${index & 255}:${silent}\n`,
    );
    await writeFile(join(folder, 'list'), hosts.join(''));
    await writeFile(join(folder, 'long'), [...hosts, `127.2.0.0:${silent}\n`].join(''));
    const check = ['-o', 'nagios', '-w', '1s'];
    const one = await portping([...check, '127.1.0.0', String(silent)]);
    const { stdout, exitCode, elapsedMs } = await portping([
      ...check,
      '--targets',
      join(folder, 'list'),
    ]);
    const long = await portping(['-o', 'nagios', '--targets', join(folder, 'long')]);
    await rm(folder, { recursive: true });
    expect([exitCode, stdout.split('\n').length]).toEqual([2, 1002]);
    expect(elapsedMs).toBeLessThan(6 * one.elapsedMs); // on a busy machine both take longer
    expect([long.exitCode, long.stdout]).toEqual([
      3,
      expect.stringContaining('more than 1000 targets'),
    ]);
  });
});

describe('--warn and --crit', () => {
  it('are refused without -o nagios', async () => {
    const { stdout, stderr, exitCode } = await portping(['--crit', '1s', '127.0.0.1', port]);
    expect([stdout, exitCode]).toEqual(['', 64]);
    expect(stderr).toContain(
      '--crit: only a check has thresholds; use it with --output nagios, or use --max-latency',
    );
  });
});

describe('-o prometheus', () => {
  it('has the usual exit code', async () => {
    const { stdout, stderr, exitCode } = await portping([
      '-o',
      'prometheus',
      '127.0.0.1',
      `${port},${await freePort()}`,
    ]);
    expect([stderr, exitCode]).toEqual(['', 1]);
    expect(stdout).toMatch(
      /^portping_cause\{target="127\.0\.0\.1:\d+",state="closed",cause="conn-refused"\} 1$/m,
    );
  });

  it.each([
    [['-c', '2'], '--count'],
    [['-t'], '--continuous'],
    [['--wait'], '--wait'],
    [['-q'], '--quiet'],
    [['-v'], '--verbose'],
    [['--timestamps'], '--timestamps'],
  ])('refuses %j', async (options, name) => {
    const { stdout, stderr, exitCode } = await portping([
      ...options,
      '-o',
      'prometheus',
      '127.0.0.1',
      port,
    ]);
    expect([stdout, exitCode]).toEqual(['', 64]);
    expect(stderr).toContain(`portping: ${name}: `);
  });
});

describeWith('promtool', 'promtool', () => {
  it('has nothing to say against the metrics of every kind of outcome', async () => {
    const { stdout } = await portping([
      '-o',
      'prometheus',
      '-w',
      '500ms',
      '--all',
      '--dns',
      '127.0.0.1:1',
      `127.0.0.1:${port}`,
      `127.0.0.1:${await freePort()}`,
      `127.0.0.1:${await silentPort()}`,
      'nowhere.test:25',
      `[::1]:${port}`,
    ]);
    for (const cause of ['open', 'conn-refused', 'no-response', 'resolver-failed'])
      expect(stdout).toContain(`cause="${cause}"`);
    expect(await run(['promtool', 'check', 'metrics'], stdout)).toBe('');
  });
});
