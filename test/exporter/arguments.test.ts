import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { collect, environment } from '../support/command.js';
import { exporterCommand } from '../support/exporter.js';
import { listen } from '../support/listeners.js';

describe("the exporter's command line", () => {
  const start = async (...args: string[]) => {
    const [file = '', ...words] = exporterCommand;
    return collect(
      spawn(file, [...words, ...args], { env: environment, stdio: 'pipe', detached: true }),
      { input: '', timeoutMs: 10_000, startedAt: performance.now() },
    );
  };

  it.each([
    [['--listen', 'localhost:1'], '--listen: "localhost:1" is not an address and a port'],
    [['--listen', '127.0.0.1:99999'], '--listen: "127.0.0.1:99999" is not an address and a port'],
    [['--allow', '10.0.0.0/99'], '--allow: "10.0.0.0/99" has the prefix length "99"'],
    [['--timeout', '1h'], '--timeout: 1h is out of range; allowed: 1ms to 120s'],
    [['--timeout', '0'], '--timeout: 0 is out of range; allowed: 1ms to 120s'],
    [['--timeout-offset', 'x'], '--timeout-offset: "x" is not a duration'],
    [['--concurrency', '0'], '--concurrency: 0 is out of range; allowed: 1 to 10000'],
    [['--dns', 'localhost'], '--dns: "localhost" is not the address of a DNS server'],
    [['-4', '-6'], 'cannot be used with option'],
    [['-4', '--source', '::1'], '--source: ::1 is an IPv6 address, but only IPv4 is probed'],
    [
      ['--web.allowed-host', '10.0.0.1'],
      '--web.allowed-host: "10.0.0.1" is an address; allowed: a ',
    ],
    [['--web.allowed-host', 'a:1'], '--web.allowed-host: "a:1" is not a host name'],
    [['--nonsense'], "unknown option '--nonsense'"],
    [['db:5432'], 'too many arguments'],
  ])('%j is refused with 64', async (args, message) => {
    const { stdout, stderr, exitCode } = await start(...args);
    expect([stdout, exitCode]).toEqual(['', 64]);
    expect(stderr).toMatch(/^portping-exporter: .* \(see: portping-exporter --help\)\n$/);
    expect(stderr).toContain(message);
  });

  it('a port in use is refused with 64', async () => {
    const { port } = await listen();
    expect(await start('--listen', `127.0.0.1:${port}`)).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining(
        `--listen: cannot listen on 127.0.0.1:${port} (EADDRINUSE); allowed: `,
      ) as string,
    });
  });

  it('--help and --version exit with 0', async () => {
    expect(await start('--help')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/--allow <rule>[^]*--concurrency/) as string,
    });
    const { version } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as { version: string };
    expect(await start('--version')).toMatchObject({ exitCode: 0, stdout: `${version}\n` });
  });
});
