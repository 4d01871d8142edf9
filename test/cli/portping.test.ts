import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../src/core/states.js';
import { FORMAT_NAMES } from '../../src/report/formats/registry.js';
import { environment } from '../support/command.js';
import { freePort } from '../support/listeners.js';
import { interruptedPortping, jsonOf, portping, portpingCommand } from '../support/portping.js';

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

describe('the verdict', () => {
  it('is the success sentence on stdout and nothing else, with exit code 0', async () => {
    const { stdout, stderr, exitCode } = await portping(['127.0.0.1', String(openPort)]);
    expect(stdout).toMatch(
      new RegExp(`^Success! Pinged port ${openPort} in \\d+(\\.\\d+)? milliseconds\\.\\n$`),
    );
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  it('on a refused port is the error sentence, with an explanation and exit code 1', async () => {
    const { stdout, stderr, exitCode } = await portping(['127.0.0.1', String(closedPort)]);
    expect(stdout).toBe('Error Detected: Connection refused <10061> returned.\n');
    expect(stderr).toMatch(
      new RegExp(
        '^closed, refused: 10061 WSAECONNREFUSED \\(ECONNREFUSED\\): ' +
          `127\\.0\\.0\\.1:${closedPort} refused the connection after [\\d.]+ ms\\.\\n` +
          '.*Check that .*\\.\\n$',
      ),
    );
    expect(exitCode).toBe(1);
  });

  it.each([
    ['host:port', () => [`127.0.0.1:${openPort}`]],
    ['a URL', () => [`https://user:secret@127.0.0.1:${openPort}/path?query`]],
    ['a name', () => ['localhost', String(openPort), '-4']],
  ])('is the same for %s', async (_, args) => {
    const { stdout, stderr, exitCode } = await portping(args());
    expect(stdout).toMatch(/^Success! /);
    expect(`${stdout}${stderr}`).not.toContain('secret');
    expect(exitCode).toBe(0);
  });

  it('with -q is only the exit code', async () => {
    expect(await portping(['-q', '127.0.0.1', String(openPort)])).toMatchObject({
      stdout: '',
      stderr: '',
      exitCode: 0,
    });
    expect(await portping(['-q', '127.0.0.1', String(closedPort)])).toMatchObject({
      stdout: '',
      stderr: '',
      exitCode: 1,
    });
  });

  it('with -v comes with every timing on stderr, and stdout does not change', async () => {
    const { stdout, stderr } = await portping(['-v', '-4', 'localhost', String(openPort)]);
    expect(stdout).toMatch(/^Success! .*\n$/);
    expect(stderr).toMatch(
      new RegExp(
        '^localhost: 127\\.0\\.0\\.1 \\(system resolver, [\\d.]+ ms\\)\\n' +
          `127\\.0\\.0\\.1:${openPort} from 127\\.0\\.0\\.1:\\d+: open in [\\d.]+ ms\\n` +
          'dns [\\d.]+ ms \\+ connect [\\d.]+ ms = [\\d.]+ ms\\n$',
      ),
    );
  });

  it('with --timestamps has an ISO 8601 time before each line', async () => {
    const { stdout, stderr } = await portping(['--timestamps', '127.0.0.1', String(closedPort)]);
    for (const line of `${stdout}${stderr}`.trimEnd().split('\n'))
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z {2}\S/);
  });

  it('with -o json is one line of JSON, also for failures, and stderr is empty', async () => {
    const open = await portping(['-o', 'json', '127.0.0.1', String(openPort)]);
    expect(open.stdout.split('\n')).toHaveLength(2);
    expect(jsonOf(open)).toMatchObject({
      schema: 'portping/1',
      target: { host: '127.0.0.1', port: openPort },
      state: 'open',
      exitCode: 0,
      address: '127.0.0.1',
      resolution: { via: 'literal', elapsedMs: 0 },
      attempts: [{ family: 4, state: 'open', error: null }],
    });
    expect(jsonOf(open)['latencyMs']).toBeGreaterThan(0);
    const closed = await portping(['-o', 'json', '127.0.0.1', String(closedPort)]);
    expect(jsonOf(closed)).toMatchObject({
      state: 'closed',
      reason: 'conn-refused',
      exitCode: 1,
      latencyMs: null,
      error: { code: 'ECONNREFUSED', winsock: 10061, syscall: 'connect' },
    });
    expect([open.stderr, closed.stderr]).toEqual(['', '']);
  });
});

describe('misuse', () => {
  it.each([
    [['127.0.0.1'], /^portping: port: none given for 127\.0\.0\.1;/],
    [['127.0.0.1', '0'], /^portping: port: 0 is out of range; allowed: 1 to 65535/],
    [['127.0.0.1', '65536'], /^portping: port: 65536 is out of range; allowed/],
    [['127.0.0.1', '25x'], /^portping: port: "25x" is neither a port nor a known service; allowed/],
    [['127.0.0.1', '-1'], /^portping: port: -1 is out of range; allowed: 1 to 65535/],
    [
      ['127.1', '80'],
      new RegExp(
        String.raw`^portping: host: "127\.1" is not an IPv4 address in four decimal parts; ` +
          String.raw`some programs read it as 127\.0\.0\.1`,
      ),
    ],
    [['a'.repeat(300), '80'], /^portping: host: the name has 300 characters; allowed: at most 253/],
    [
      ['evil\x1b[31m\x07\n', '80'],
      /^portping: host: "evil\\x1b\[31m\\x07\\x0a" is not a host name/,
    ],
    [['127.0.0.1', '80\x1b]0;pwned\x07'], /^portping: port: "80\\x1b\]0;pwned\\x07" is neither/],
    [['--t\x1b[2J', 'h', '1'], /^portping: --t\\x1b\[2J: unknown option; leave it out/],
    [['-w', 'soon', 'h', '1'], /^portping: --timeout: "soon" is not a duration; allowed/],
    [
      ['-w', '0', 'h', '1'],
      /^portping: -w: there is no wait without end; .*write: portping -w 24d h 1 \(/,
    ],
    [['-w', '25d', 'h', '1'], /^portping: --timeout: 25d is out of range; allowed/],
    [['-w'], /^portping: --timeout: needs a value; write: --timeout 5s/],
    [
      ['-o', 'yaml', 'h', '1'],
      new RegExp(`^portping: --output: "yaml" is not allowed; allowed: ${FORMAT_NAMES.join(', ')}`),
    ],
    [['-4', '-6', 'h', '1'], /^portping: -4: cannot be combined with -6; use only one of them/],
    [
      ['-6', '127.0.0.1', '1'],
      /^portping: -6: 127\.0\.0\.1 is an IPv4 address; use -4, or an IPv6 address/,
    ],
    [['-q', '-v', 'h', '1'], /^portping: --quiet: cannot be combined with --verbose; use only one/],
    [['--source', 'eth0', 'h', '1'], /^portping: --source: "eth0" is not an address/],
    [
      ['--source', '::1', '127.0.0.1', '1'],
      /^portping: --source: ::1 is an IPv6 address, but 127\.0\.0\.1 is IPv4/,
    ],
    [
      ['--dns', 'ns.example', 'h', '1'],
      /^portping: --dns: "ns\.example" is not the address of a DNS server/,
    ],
    ...['127.0.0.1:0', '127.0.0.1:99999', '127.0.0.1:', '127.0.0.1:smtp', '[::1]:0x35'].map(
      (server): [string[], RegExp] => [
        ['--dns', server, 'h', '1'],
        new RegExp(
          String.raw`^portping: --dns: "(127\.0\.0\.1|\[::1\]):\w*" is not the address of a ` +
            String.raw`DNS server; allowed: an address, or address:port with a port from 1 to ` +
            String.raw`65535`,
        ),
      ],
    ),
    ...[['-q'], ['-w', '1'], ['-o', 'json'], ['-4'], ['--no-companions'], ['--service']].map(
      (options): [string[], RegExp] => [
        ['--explain', '10061', ...options],
        new RegExp(
          String.raw`^portping: (--quiet|--timeout|--output|-4|--no-companions|--service): ` +
            String.raw`cannot be combined with --explain; allowed with it: --no-color`,
        ),
      ],
    ),
    [
      ['--explain', '-999999'],
      /^portping: --explain: "-999999" is not in the table; allowed: a code such as/,
    ],
    [['--explain', '99999'], /^portping: --explain: "99999" is not in the table/],
    [['--explain', '10061', '--', 'ls'], /^portping: --explain: takes one code .*; leave out "ls"/],
    [['--explain', '10061', 'h'], /^portping: --explain: takes one code/],
    [
      ['--timeuot', '1', 'h', '1'],
      /^portping: --timeuot: unknown option; did you mean --timeout\?/,
    ],
    [['--retry', '3', 'h', '1'], /^portping: --retry: .*; write: portping --wait 20s h 1 \(/],
    [['--retries=3', 'h', '1'], /^portping: --retries: .*; write: portping --wait 20s h 1 \(/],
    [['--json', 'h', '1'], /^portping: --json: unknown option; write: portping -o json h 1 \(/],
    [['-n', '3', 'h', '1'], /^portping: -n: unknown option; write: portping -c 3 h 1 \(/],
    [['-qn3', 'h', '1'], /^portping: -n: unknown option; write: portping -q -c 3 h 1 \(/],
    [
      ['--color', 'h', '1'],
      /^portping: --color: .* FORCE_COLOR=1 forces them; write: portping h 1 \(/,
    ],
    [
      ['--color=never', 'h', '1'],
      /^portping: --color: unknown option; write: portping --no-color h 1 \(/,
    ],
  ])('%j is refused in one line on stderr with exit code 64', async (args, message) => {
    const { stdout, stderr, exitCode } = await portping(args);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^[\x20-\x7e]+\n$/);
    expect(stdout).toBe('');
    expect(exitCode).toBe(64);
  });
});

describe('a run', () => {
  it.each([
    ['stdout', ['sh', '-c', 'exec "$@" >&-', 'sh'], ''],
    [
      'stderr',
      ['sh', '-c', 'exec "$@" 2>&-', 'sh'],
      'Error Detected: Connection refused <10061> returned.\n',
    ],
    ['both', ['sh', '-c', 'exec "$@" >&- 2>&-', 'sh'], ''],
  ])('has the same exit code with %s closed', async (_, wrapper, stdout) => {
    expect(await portping(['127.0.0.1', String(closedPort)], { wrapper })).toMatchObject({
      stdout,
      exitCode: 1,
    });
  });

  it('ignores a reader that closes the pipe early', async () => {
    const child = spawn(
      portpingCommand[0] ?? '',
      [...portpingCommand.slice(1), '127.0.0.1', String(closedPort)],
      { stdio: ['ignore', 'pipe', 'pipe'], env: environment },
    );
    child.stdout.destroy();
    child.stderr.destroy();
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(1);
  });

  it('fails when its verdict cannot be written', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(
      portpingCommand[0] ?? '',
      [...portpingCommand.slice(1), '127.0.0.1', String(openPort)],
      { stdio: ['ignore', full, 'pipe'], env: environment },
    );
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    const exitCode = await new Promise((resolve) => child.once('close', resolve));
    closeSync(full);
    expect(stderr).toMatch(/^portping: standard output: ENOSPC[^\n]*\n$/);
    expect(exitCode).toBe(70);
  });

  it.each([
    ['TERM=dumb', { TERM: 'dumb' }],
    ['LANG=C', { LANG: 'C', LC_ALL: 'C' }],
    ['an almost empty environment', { HOME: '' }],
    ['NO_COLOR', { NO_COLOR: '1' }],
  ])('prints only plain text with %s', async (_, env) => {
    const { stdout, stderr, exitCode } = await portping(['127.0.0.1', String(closedPort)], { env });
    expect(`${stdout}${stderr}`).toMatch(/^[\x20-\x7e\n]+$/);
    expect(exitCode).toBe(1);
  });

  it('prints colours with FORCE_COLOR, but not with --no-color', async () => {
    const env = { FORCE_COLOR: '1' };
    const [forced, plain] = await Promise.all([
      portping(['127.0.0.1', String(closedPort)], { env }),
      portping(['--no-color', '127.0.0.1', String(closedPort)], { env }),
    ]);
    expect(forced.stdout).toBe(
      '\x1b[31mError Detected:\x1b[39m Connection refused <10061> returned.\n',
    );
    expect(forced.stderr).toContain(
      '\x1b[31mclosed, refused:\x1b[39m \x1b[2m10061 WSAECONNREFUSED',
    );
    expect(`${plain.stdout}${plain.stderr}`).not.toContain('\x1b');
  });

  it('exits with 130 and one line when it is interrupted before its verdict', async () => {
    expect(await interruptedPortping([])).toMatchObject({
      stdout: '',
      stderr: 'Interrupted before there was a verdict.\n',
      exitCode: 130,
    });
  });

  it('shows an internal error in one line; PORTPING_DEBUG adds a trace', async () => {
    const brokenSocket = new URL('../support/broken-socket.cjs', import.meta.url);
    const wrapped = (env: Record<string, string>) =>
      portping(['127.0.0.1', String(openPort)], {
        env: {
          ...env,
          NODE_OPTIONS: `--require=${brokenSocket.pathname}`,
        },
      });
    const [plain, debug] = await Promise.all([wrapped({}), wrapped({ PORTPING_DEBUG: '1' })]);
    expect(plain.stderr).toMatch(
      new RegExp(
        String.raw`^portping: internal error: the socket is broken \(PORTPING_DEBUG=1 shows ` +
          String.raw`where; please report it\)\n$`,
      ),
    );
    expect(debug.stderr).toMatch(/\n\s+at .*cli\.cjs/);
    expect([plain.exitCode, debug.exitCode]).toEqual([70, 70]);
  });
});

describe('help', () => {
  it('is written to stdout with exit code 0 and lists every exit code', async () => {
    const { stdout, stderr, exitCode } = await portping(['--help']);
    for (const row of EXIT_CODES)
      expect(stdout.replace(/ +/g, ' ')).toContain(
        `\n ${[row.exitCode, row.state, row.meaning].filter((cell) => cell !== null).join(' ')}\n`,
      );
    expect(stdout).toContain('Examples:');
    expect(stdout).toMatch(/^[\x20-\x7e\n]+$/); // readable in a locale without Unicode
    expect([stderr, exitCode]).toEqual(['', 0]);
  });

  it('gives the version of the package', async () => {
    const {
      default: { version },
    } = await import('../../package.json', { with: { type: 'json' } });
    expect(await portping(['--version'])).toMatchObject({
      stdout: `${version}\n`,
      stderr: '',
      exitCode: 0,
    });
  });

  it.each(['10061', 'WSAECONNREFUSED', 'econnrefused', '0x274D', '0x8007274D'])(
    'explains %s',
    async (code) => {
      const { stdout, exitCode } = await portping(['--explain', code]);
      expect(stdout).toMatch(
        /^10061 WSAECONNREFUSED {2}ECONNREFUSED \(Linux 111, macOS 61\)\n.+\n.+\n$/,
      );
      expect(exitCode).toBe(0);
    },
  );

  it("explains a negative number as Node's errno, and accepts --no-color", async () => {
    const { stdout, exitCode } = await portping(['--no-color', '--explain', '-2147014835']);
    expect([stdout.split(' ')[0], exitCode]).toEqual(['10061', 0]);
  });

  it('prints the whole table for --explain without an error', async () => {
    const { stdout } = await portping(['--explain']);
    const numbers = stdout
      .trimEnd()
      .split('\n')
      .map((line) => Number(line.slice(0, 5)));
    expect(numbers).toContain(10004);
    expect(numbers).toContain(11004);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  });
});
