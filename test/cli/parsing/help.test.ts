import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helpEnd } from '../../../src/cli/parsing/help.js';
import { portping } from '../../support/portping.js';

let server: Server;
let port = '';

beforeAll(async () => {
  server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = String((server.address() as { port: number }).port);
});
afterAll(() => void server.close());

const HOST = '127.0.0.1';

/** Runs what a refusal recommends, word by word. */
function runAdvice(stderr: string) {
  const write = /; write: portping (.*?)(?:, or .*)? \(see: portping -h\)\n$/;
  const [, advice = ''] = write.exec(stderr) ?? [];
  return portping(advice.split(' '));
}

describe('the words of psql, redis-cli, mysql and check_tcp', () => {
  const alone = 'shows the help and must stand alone';
  const noPort = 'there is no option for the port';
  const noHost = 'there is no option for the host';
  it.each<[string, string, string, string]>([
    ['-h HOST -p PORT', '-h', alone, ''],
    ['-q -h HOST -p PORT', '-h', alone, '-q '],
    ['-hHOST -pPORT', '-h', alone, ''],
    ['HOST -h PORT', '-h', alone, ''],
    ['--help=HOST PORT', '--help', alone, ''],
    ['--host HOST --port PORT', '--host', noHost, ''],
    ['--hostname=HOST -p PORT', '--hostname', noHost, ''],
    ['-H HOST -p PORT', '-H', noHost, ''],
    ['HOST -p PORT', '-p', noPort, ''],
    ['-P PORT HOST', '-P', noPort, ''],
    ['HOST --port=PORT', '--port', noPort, ''],
    ['-vp PORT HOST', '-p', noPort, '-v '],
  ])('%s is refused with a command that works', async (line, option, reason, kept) => {
    const words = line.replace('HOST', HOST).replace('PORT', port).split(' ');
    const { stdout, stderr, exitCode } = await portping(words);
    const help = reason === alone ? `, or portping ${option}` : '';
    const message = `${option}: ${reason}; write: portping ${kept}${HOST} ${port}${help}`;
    expect(stderr).toBe(`portping: ${message} (see: portping -h)\n`);
    expect([stdout, exitCode]).toEqual(['', 64]);
    expect((await runAdvice(stderr)).exitCode).toBe(0);
  });

  const options = ['-p', '-P', '--port', '--ports', '--host', '-H'];
  it.each(options)('%s alone is refused with an example', async (option) => {
    const { stdout, stderr, exitCode } = await portping([option]);
    expect(stderr).toMatch(/: there is no option for the (host|port); write: portping db 5432 /);
    expect([stdout, exitCode]).toEqual(['', 64]);
  });

  it('a port without a host is refused with an example of a host', async () => {
    const { stderr } = await portping(['-P', '80']);
    expect(stderr).toContain('-P: there is no option for the port; write: portping db 80 ');
  });

  it('a host without a port is refused with an example of a port', async () => {
    const { stderr, exitCode } = await portping(['-h', HOST]);
    expect(stderr).toContain(`write: portping ${HOST} 443, or portping -h `);
    expect(exitCode).toBe(64);
    expect((await runAdvice(stderr)).exitCode).not.toBe(64);
  });

  it('a check gets UNKNOWN in one line', async () => {
    const { stdout, stderr, exitCode } = await portping(['-o', 'nagios', '-h', HOST, '-p', port]);
    const advice = `write: portping -o nagios ${HOST} ${port}, or portping -h`;
    const alone = 'shows the help and must stand alone';
    expect(stdout).toBe(`PORTPING UNKNOWN: -h: ${alone}; ${advice}\n`);
    expect([stderr, exitCode]).toEqual(['', 3]);
  });
});

describe.each(['-h', '--help', '--version'])('%s', (option) => {
  const asked = option === '--version' ? 'version' : 'help';

  it.each(['', '-o json', '--output=text'])(
    'prints and exits with 0 beside "%s"',
    async (format) => {
      const words = format === '' ? [option] : [option, ...format.split(' ')];
      const { stdout, stderr, exitCode } = await portping(words);
      const shown = { version: /^\d+\.\d+\.\d+\n$/, help: /^Usage: portping [^]*Exit codes:/ };
      expect(stdout).toMatch(shown[asked]);
      expect([stderr, exitCode]).toEqual(['', 0]);
    },
  );

  it('beside a target is refused', async () => {
    for (const words of [
      [HOST, port, option],
      [option, HOST, port],
      [`${HOST}:${port}`, option],
    ]) {
      const { stdout, stderr, exitCode } = await portping(words);
      const message = `shows the ${asked} and must stand alone; write: portping ${HOST}`;
      expect(stderr).toContain(`portping: ${option}: ${message}`);
      expect([stdout, exitCode]).toEqual(['', 64]);
      expect((await runAdvice(stderr)).exitCode).toBe(0);
    }
  });

  const beside = ['-w 2s', '-q', '--explain 10061', '--targets list', '--'];
  it.each(beside)('is refused beside %s', async (line) => {
    const words = line.split(' ');
    const { stdout, stderr, exitCode } = await portping(
      words[0] === '--' ? [option, ...words] : [...words, option],
    );
    const message = `shows the ${asked} and must stand alone; write: portping ${option}`;
    expect(stderr).toBe(`portping: ${option}: ${message} (see: portping -h)\n`);
    expect([stdout, exitCode]).toEqual(['', 64]);
  });
});

it('-h given twice is refused', async () => {
  expect(await portping([HOST, '-h', '-h'])).toMatchObject({ stdout: '', exitCode: 64 });
});

describe('the short help', () => {
  it('has at most 25 lines of 80 columns and names the full one', async () => {
    const { stdout } = await portping(['-h']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(25);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.at(-1)).toMatch(/: portping --help$/);
    expect((await portping(['--help'])).stdout.split('\n').length).toBeGreaterThan(80);
  });

  it('has examples and options that work', async () => {
    const { stdout } = await portping(['-h']);
    const full = (await portping(['--help'])).stdout;
    const examples = stdout.match(/^ {2}portping .*?(?= {2}|$)/gm) ?? [];
    expect(examples.length).toBeGreaterThan(4);
    for (const example of examples) expect(full).toContain(example);
    const options = stdout.match(/^ {2}-.*?(?= {2}|$)/gm) ?? [];
    expect(options.length).toBeGreaterThan(7);
    for (const option of options) expect(full).toContain(option);
  });

  it.each(['help', '/?', '-?'])('is what portping %s prints', async (word) => {
    const { stdout } = await portping(['-h']);
    expect(await portping([word])).toMatchObject({ stdout, stderr: '', exitCode: 0 });
  });

  it('is printed as an error if nothing is given, so that a script notices', async () => {
    const { stdout } = await portping(['-h']);
    expect(await portping([])).toMatchObject({ stdout: '', stderr: stdout, exitCode: 64 });
    const check = await portping([], { env: { PORTPING_OUTPUT: 'nagios' } });
    expect(check).toMatchObject({
      exitCode: 3,
      stdout: expect.stringMatching(/^PORTPING UNKNOWN/),
    });
  });

  it('is not printed for a host with the name help', async () => {
    const { stderr } = await portping(['help', '99999']);
    expect(stderr).toMatch(/^portping: port: 99999 is out of range/);
  });
});

describe('the end of --help', () => {
  it('has lines for PowerShell and cmd on Windows only', () => {
    expect(helpEnd('win32')).toContain('portping -q db 5432; $LASTEXITCODE ');
    expect(helpEnd('win32')).toContain('for %h in (web1 web2) do portping %h 443 ');
    expect(helpEnd('linux')).not.toMatch(/PowerShell|cmd;/);
  });
});
