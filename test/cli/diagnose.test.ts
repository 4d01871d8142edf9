import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OTHER_PORTS } from '../../src/core/diagnosis/observations/options.js';
import { freePort, listenDns } from '../support/listeners.js';
import { interruptedPortping, jsonOf, portping } from '../support/portping.js';
import { onTerminal } from '../support/terminal.js';
import { describeWith } from '../support/tools.js';

let server: Server;
let openPort = 0;
let closedPort = 0;

const listen = (target: Server): Promise<number> =>
  new Promise((resolve) =>
    target.listen(0, '127.0.0.1', () => resolve((target.address() as { port: number }).port)),
  );

beforeAll(async () => {
  server = createServer((socket) => socket.on('error', () => {}).resume());
  openPort = await listen(server);
  closedPort = await freePort();
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

describe('--diagnose', () => {
  it('writes checks, verdict and advice, and exits with the code of the state', async () => {
    const open = await portping(['--diagnose', '127.0.0.1', String(openPort)]);
    expect(open).toMatchObject({ exitCode: 0, stderr: '' });
    expect(open.stdout).toMatch(
      new RegExp(
        `^– Name +the target is an address\\n✔ Address +127\\.0\\.0\\.1:${openPort}: open in [^]*` +
          `\\n\\n127\\.0\\.0\\.1:${openPort} is open\\. .*\\n` +
          'Evidence: .*\\nHow sure: certain\\.\\nNext: .*\\n$',
      ),
    );
    const closed = await portping(['--diagnose', '127.0.0.1', String(closedPort)]);
    expect(closed).toMatchObject({ exitCode: 1, stderr: '' });
    expect(closed.stdout).toMatch(
      process.platform === 'linux'
        ? /, and nothing listens on that port of this machine\.\nEvidence:/
        : /Both look the same from here\.\nEvidence:/,
    );
  });

  it('uses ASCII marks in a locale without Unicode', async () => {
    const { stdout } = await portping(['--diagnose', '127.0.0.1', String(closedPort)], {
      env: { LANG: 'C' },
    });
    expect(stdout).toMatch(/^- Name +[^]*\nx Address/);
    expect(stdout).toMatch(/^[\x20-\x7e\n]+$/);
  });

  it('writes one JSON object with -o json', async () => {
    const result = await portping(['--diagnose', '-o', 'json', '127.0.0.1', String(closedPort)]);
    expect(result.stdout.split('\n')).toHaveLength(2);
    expect(jsonOf(result)).toMatchObject({
      schema: 'portping/1',
      type: 'diagnosis',
      target: { host: '127.0.0.1', port: closedPort },
      state: 'closed',
      exitCode: 1,
      verdict: { kind: 'refused' },
    });
  });

  it('writes nothing with -q, and sets the exit code', async () => {
    expect(await portping(['--diagnose', '-q', '127.0.0.1', String(closedPort)])).toMatchObject({
      stdout: '',
      stderr: '',
      exitCode: 1,
    });
  });

  it('probes the address of --ip, and reports a proxy without its password', async () => {
    const { stdout, exitCode } = await portping(
      ['--diagnose', '--ip', '127.0.0.1', '-w', '500ms', 'nosuch.invalid', String(openPort)],
      { env: { all_proxy: 'http://me:secret@proxy.example:3128' } },
    );
    expect(stdout).toMatch(new RegExp(`127\\.0\\.0\\.1:${openPort} \\(--ip\\): open in`));
    expect(stdout).toMatch(
      /Also: Applications that use all_proxy connect through proxy\.example:3128, not directly\./,
    );
    expect(stdout).not.toContain('secret');
    expect(exitCode).toBe(3);
  });

  it('exits with 130 on SIGINT', async () => {
    expect(await interruptedPortping(['--diagnose'])).toMatchObject({
      stdout: '',
      stderr: 'Interrupted before there was a verdict.\n',
      exitCode: 130,
    });
  });
});

describe('--report', () => {
  it('writes Markdown', async () => {
    const { stdout, stderr, exitCode } = await portping([
      '--report',
      '127.0.0.1',
      String(closedPort),
    ]);
    expect(stdout).toMatch(
      new RegExp(
        `^### 127\\.0\\.0\\.1:${closedPort}: closed\\n\\n\\*\\*.*\\*\\*\\n\\n` +
          '\\* Evidence: [^]*\\| Version \\| portping \\d[^]*\\|\\n$',
      ),
    );
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 1 });
  });
});

describe('misuse of a diagnosis', () => {
  it.each([
    [['--ip', '192.0.2.1', 'h', '1'], /--ip: .*use it with --diagnose or --report/],
    [['--no-companions', 'h', '1'], /--no-companions: .*use it with --diagnose or --report/],
    [['--diagnose', '--ip', 'name', 'h', '1'], /--ip: "name" is not an address/],
    [['--diagnose', 'h', '1,2'], /2 targets; allowed: one/],
    [
      ['--diagnose', '-o', 'csv', 'h', '1'],
      /--output: a diagnosis cannot be written as csv; allowed: text, json, or --report/,
    ],
    [
      ['--report', '-o', 'json', 'h', '1'],
      /--output: cannot be combined with --report, which writes Markdown/,
    ],
    [['--diagnose', '-6', '127.0.0.1', '1'], /-6: 127\.0\.0\.1 is an IPv4 address/],
    [['--diagnose', '-4', '--ip', '::1', '127.0.0.1', '1'], /-4: ::1 is an IPv6 address/],
    [
      ['--diagnose', '--source', '127.0.0.1', '--ip', '::1', '127.0.0.1', '1'],
      /--source: 127\.0\.0\.1 is an IPv4 address, but ::1 is IPv6/,
    ],
    [['--diagnose', '--ip', '::1', '--ip', '::2', 'h', '1'], /--ip: given twice; allowed: once/],
    ...[
      '--sni x',
      '--insecure',
      '--tls-min-days 1',
      '-c 2',
      '-t',
      '--wait',
      '--all',
      '--expect closed',
      '--max-latency 1',
      '--targets f',
      '--concurrency 2',
      '--rate 2',
      '-v',
      '--timestamps',
    ].map(
      (option) =>
        [
          ['--diagnose', ...option.split(' '), 'h', '1'],
          /: does not apply to a diagnosis; allowed with --diagnose: -4, /,
        ] as const,
    ),
  ] as [string[], RegExp][])(
    '%j is refused in one line with exit code 64',
    async (args, message) => {
      const { stdout, stderr, exitCode } = await portping(args);
      expect(stderr).toMatch(message);
      expect(stderr).toMatch(/^[\x20-\x7e]+\n$/);
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 64 });
    },
  );
});

describe('--help', () => {
  it('lists the ports that --no-companions leaves alone', async () => {
    const { stdout } = await portping(['--help']);
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      `do not probe other ports of the host (${OTHER_PORTS.join(', ')})`,
    );
  });
});

describeWith('script', '--diagnose on a terminal', () => {
  /** The name has an IPv4 address at once; whether it has an IPv6 address stays open. */
  async function halfSilent(): Promise<string[]> {
    const { address } = await listenDns((type, name) =>
      type === 'A' ? [{ type: 'A', name, data: '127.0.0.1' }] : 'silence',
    );
    return ['--diagnose', '-w', '1500ms', '--dns', address, 'half.test', String(closedPort)];
  }

  it('shows each check as it becomes known, and counts the seconds meanwhile', async () => {
    const screen = await onTerminal(await halfSilent(), { columns: 120 });
    const spinner = screen.search(/half\.test:\d+: [^\n]*; \d of 4\.5 s/);
    const address = screen.search(/Address +127\.0\.0\.1:\d+: closed/);
    const server = screen.search(/DNS server 127\.0\.0\.1:\d+: A: 127\.0\.0\.1 .*AAAA: /);
    const verdict = screen.search(/refused the connection, and nothing listens/);
    expect([address, spinner, server, verdict].every((index) => index > 0)).toBe(true);
    expect(address).toBeLessThan(server);
    expect(server).toBeLessThan(verdict);
    expect(screen.match(/Address +127\.0\.0\.1:\d+: closed/g)).toHaveLength(1);
  });

  it('keeps the order of the sections in a pipe', async () => {
    const { stdout } = await portping(await halfSilent());
    expect(stdout).toMatch(/^. Name .*\n.* DNS server [^]*\n. Address .*\n. Machine /);
  });
});
