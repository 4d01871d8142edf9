import { spawn } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Parser } from 'tap-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE_NAMES, SERVICES } from '../../src/core/service/registry.js';
import { type CertificateWishes, TestAuthority } from '../support/certificates.js';
import { collect, environment } from '../support/command.js';
import { ownLoopback } from '../support/listeners.js';
import { jsonOf, portping, portpingCommand } from '../support/portping.js';
import { replyToLines } from '../support/fake-servers.js';
import { describeWith } from '../support/tools.js';

const servers: Server[] = [];
const sockets = new Set<Socket>();

async function listen(
  talk: (socket: Socket) => void,
  port = 0,
  address = '127.0.0.1',
): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    talk(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(port, address, resolve),
  );
  return (server.address() as { port: number }).port;
}

const smtp = replyToLines('220 mail.example.com ESMTP\r\n', {
  EHLO: '250-x\r\n250 8BITMIME\r\n',
  QUIT: (socket) => socket.end('221 Bye\r\n'),
});
let smtpPort = 0;
let silentPort = 0;
let closingPort = 0;
let hostilePort = 0;
let folder = '';

beforeAll(async () => {
  smtpPort = await listen(smtp);
  silentPort = await listen(() => {});
  closingPort = await listen((socket) => socket.end());
  hostilePort = await listen((socket) => socket.end('SSH-1.0-\x1b]0;title\x07\x9b2J\u202e\r\n'));
  folder = await mkdtemp(join(tmpdir(), 'portping-service-'));
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('--service', () => {
  it('reports the answer in a second line, and nothing else', async () => {
    const { stdout, stderr, exitCode } = await portping([
      '--service',
      'smtp',
      '127.0.0.1',
      String(smtpPort),
    ]);
    expect(stdout).toMatch(
      new RegExp(
        `^Success! Pinged port ${smtpPort} in [\\d.]+ milliseconds\\.\\nService: smtp ` +
          `answered "220 mail\\.example\\.com ESMTP" in [\\d.]+ milliseconds\\.\\n$`,
      ),
    );
    expect([stderr, exitCode]).toEqual(['', 0]);
  });

  it.each(['--service=smtp', '--service=SMTP'])(
    'accepts the name after an equals sign, in any case: %s',
    async (option) => {
      expect((await portping(['127.0.0.1', String(smtpPort), option])).stdout).toMatch(
        /\nService: smtp answered/,
      );
    },
  );

  it('reports a silent service at the deadline and exits with 6', async () => {
    const { stdout, stderr, exitCode, elapsedMs } = await portping([
      '-w',
      '700ms',
      '--service',
      'smtp',
      '127.0.0.1',
      String(silentPort),
    ]);
    const [, silentMs] =
      /^Success! .*\nService: smtp is silent: its greeting did not come within (\d+) ms\.\n$/.exec(
        stdout,
      ) ?? [];
    expect(Number(silentMs)).toBeGreaterThan(600); // what the handshake left of it
    expect(stderr).toMatch(/^The connection opened, but nothing came: [^\n]+\n$/);
    expect(exitCode).toBe(6);
    expect(elapsedMs).toBeLessThan(3000);
  });

  it('reports a load balancer that accepts and closes as dropped, and exits with 6', async () => {
    const { stdout, stderr, exitCode } = await portping([
      '--service',
      'smtp',
      '127.0.0.1',
      String(closingPort),
    ]);
    expect(stdout).toMatch(
      new RegExp(
        String.raw`^Success! .*\nService: smtp dropped the connection: it was closed ` +
          String.raw`(?:[\d.]+ ms after the handshake|at once), before its greeting\.\n$`,
      ),
    );
    expect(stderr).toMatch(/^A load balancer/);
    expect(exitCode).toBe(6);
  });

  it.each([
    [[]],
    [['-v']],
    [['-o', 'json']],
    [['-o', 'csv']],
    [['-o', 'tap']],
    [['-o', 'junit']],
    [['-o', 'text', '--timestamps']],
  ])('never lets the server control the terminal: %j', async (options) => {
    for (const name of ['ssh', 'banner', 'smtp']) {
      const { stdout, stderr } = await portping([
        ...options,
        '--service',
        name,
        '127.0.0.1',
        String(hostilePort),
      ]);
      if (name !== 'banner' || !/tap|junit/.test(String(options)))
        expect(stdout).toContain('title'); // they say nothing more of what passed
      expect(stdout.replace(/\r\n/g, '\n') + stderr).toMatch(/^[\x20-\x7e\n]*$/);
    }
  });

  it('is silent with -q and ends with the same code', async () => {
    expect(
      await portping(['-q', '--service', 'smtp', '127.0.0.1', String(smtpPort)]),
    ).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
    expect(
      await portping(['-q', '--service', 'smtp', '127.0.0.1', String(closingPort)]),
    ).toMatchObject({ stdout: '', stderr: '', exitCode: 6 });
  });

  it('adds the conversation to the times with -v', async () => {
    const { stderr } = await portping(['-v', '--service', 'smtp', '127.0.0.1', String(smtpPort)]);
    expect(stderr).toMatch(
      new RegExp(
        String.raw`\nsmtp: result [\d.]+ ms after the handshake, \d+ bytes ` +
          String.raw`received\nconnect [\d.]+ ms \+ service [\d.]+ ms = [\d.]+ ms\n$`,
      ),
    );
  });

  it('has an object in JSON', async () => {
    expect(
      jsonOf(await portping(['-o', 'json', '--service', 'smtp', '127.0.0.1', String(smtpPort)])),
    ).toMatchObject({
      state: 'open',
      reason: null,
      exitCode: 0,
      asExpected: true,
      service: {
        name: 'smtp',
        state: 'answered',
        firstLine: '220 mail.example.com ESMTP',
        tls: null,
      },
    });
    expect(
      jsonOf(await portping(['-o', 'json', '--service', 'smtp', '127.0.0.1', String(closingPort)])),
    ).toMatchObject({
      state: 'open',
      reason: 'dropped',
      exitCode: 6,
      service: { state: 'dropped' },
    });
  });

  it('ends at once on ^C, with 130 and without a verdict by halves', async () => {
    let onGreeted = (): void => {};
    const greeted = new Promise<void>((resolve) => {
      onGreeted = resolve;
    });
    // It greets, and never answers the EHLO, which shows that the conversation is under way.
    const port = await listen((socket) => {
      socket.write('220 mail.example.com ESMTP\r\n');
      socket.once('data', () => onGreeted());
    });
    const [file = '', ...words] = portpingCommand;
    const child = spawn(
      file,
      [...words, '-w', '60s', '--service', 'smtp', '127.0.0.1', String(port)],
      { env: environment, stdio: 'pipe', detached: true },
    );
    const ended = collect(child, { input: '', timeoutMs: 15_000, startedAt: performance.now() });
    await greeted;
    child.kill('SIGINT');
    expect(await ended).toMatchObject({
      stdout: '',
      stderr: 'Interrupted before there was a verdict.\n',
      exitCode: 130,
    });
  });
});

const WEAK_HASH =
  'the certificate, or one above it in the chain, is signed with a weak hash (SHA-1 or older), ' +
  'which clients refuse today (fix this first; only then can its issuer be checked)';

describeWith('openssl', '--service with TLS', () => {
  let authority: TestAuthority;
  beforeAll(() => {
    authority = new TestAuthority();
  });
  afterAll(() => authority.remove());

  async function startTlsServer(
    wishes: CertificateWishes,
    options: TlsOptions = {},
  ): Promise<number> {
    const { cert, key } = authority.issue(wishes);
    const server = createTlsServer(
      { cert, key, ...options },
      (socket) => void sockets.add(socket.on('error', () => {})),
    );
    server.on('tlsClientError', () => {});
    servers.push(server);
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return (server.address() as { port: number }).port;
  }

  const ask = (port: number, ...args: string[]) =>
    portping(['--service', 'tls', ...args, '127.0.0.1', String(port)], {
      env: { NODE_EXTRA_CA_CERTS: authority.caFile },
    });

  it.each<[string, CertificateWishes, TlsOptions, string]>([
    [
      'self-signed',
      { selfSigned: true, altNames: 'IP:127.0.0.1' },
      {},
      'the certificate is self-signed',
    ],
    [
      'expired',
      { altNames: 'IP:127.0.0.1', fromDays: -40, toDays: -10 },
      {},
      'the certificate expired 10 days ago (fix this first; only then can its issuer be checked)',
    ],
    [
      'weak',
      { altNames: 'IP:127.0.0.1', digest: 'sha1' },
      { ciphers: 'DEFAULT@SECLEVEL=0' },
      WEAK_HASH,
    ],
    [
      'for another name',
      { altNames: 'DNS:a.test' },
      {},
      'the certificate is not for 127.0.0.1 but for a.test',
    ],
    [
      'in version 1.0 only',
      { altNames: 'IP:127.0.0.1' },
      { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
      'it supports only TLS 1.0, which is withdrawn (RFC 8996); at least TLS 1.2 is required',
    ],
  ])(
    'exits with 6 if TLS is %s, and ignores it with --insecure',
    async (_, wishes, options, problem) => {
      const port = await startTlsServer(wishes, options);
      const { stdout, stderr, exitCode } = await ask(port);
      expect(stdout.split('\n')[1]).toBe(`Service: tls failed at TLS: ${problem}.`);
      expect(stderr).toMatch(/^[A-Z][^\n]+\.\n$/);
      expect(exitCode).toBe(6);
      const passedOver = await ask(port, '--insecure');
      expect(passedOver.stdout).toMatch(
        /\nService: tls answered with TLSv1(\.3)? in [\d.]+ milliseconds\.\nTLS: TLSv1/,
      );
      expect(passedOver.stdout).toContain(` Ignored (--insecure): ${problem}.\n`);
      expect([passedOver.stderr, passedOver.exitCode]).toEqual(['', 0]);
    },
  );

  it('names a server that has no TLS at all, with 6, also with --insecure', async () => {
    for (const args of [[], ['--insecure']]) {
      const { stdout, exitCode } = await ask(smtpPort, ...args);
      expect(stdout.split('\n')[1]).toBe(
        'Service: tls failed at TLS: "220 mail.example.com ESMTP" came instead of TLS; it ' +
          'looks like SMTP.',
      );
      expect(exitCode).toBe(6);
    }
  });

  it.each([
    [40, 'handshake failure', '; most often there is no cipher suite in common'],
    [112, 'unrecognized name', ''],
    [110, 'unsupported extension', ''],
  ])(
    'names the alert %d as "%s", whatever the OpenSSL of this Node calls it',
    async (code, words, reason) => {
      const port = await listen(
        (socket) =>
          void socket.once('data', () => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, code]))),
      );
      expect((await ask(port)).stdout).toMatch(
        new RegExp(
          `\\nService: tls failed at TLS: it ended the handshake with the alert ` +
            `"${words}"${reason}\\.\\n$`,
        ),
      );
    },
  );

  it('reports a weak or an expired certificate above a good one in a trusted chain', async () => {
    const chain = async (above: CertificateWishes): Promise<number> => {
      const between = authority.issue({ commonName: 'Between', isAuthority: true, ...above });
      const { cert, key } = authority.issue({ altNames: 'IP:127.0.0.1', by: between });
      return startTlsServer(
        {},
        { cert: `${cert}${between.cert}`, key, ciphers: 'DEFAULT@SECLEVEL=0' },
      );
    };
    const serviceLine = async (port: number, ...args: string[]) =>
      (await ask(port, ...args)).stdout.split('\n')[1];
    expect(await serviceLine(await chain({}))).toMatch(/ answered with /);
    expect(await serviceLine(await chain({ digest: 'sha1' }))).toBe(
      `Service: tls failed at TLS: ${WEAK_HASH}.`,
    );
    const old = await chain({ fromDays: -40, toDays: -10 });
    expect(await serviceLine(old)).toMatch(
      / failed at TLS: a certificate above it in the chain has expired \(fix this first; /,
    );
    expect(await serviceLine(old, '--insecure', '--tls-min-days', '80')).toMatch(/ answered with /);
  });

  it('answers where all is in order, also for an address', async () => {
    const port = await startTlsServer({ altNames: 'IP:127.0.0.1', toDays: 90 });
    const { stdout, stderr, exitCode } = await ask(port, '--tls-min-days', '89');
    expect(stdout).toMatch(
      new RegExp(
        String.raw`\nTLS: TLSv1\.3, \S+; certificate of CN=mail\.example\.com from ` +
          String.raw`CN=Authority of the Tests, for 127\.0\.0\.1, valid for 89 more days\.\n$`,
      ),
    );
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect((await ask(port, '--tls-min-days', '90')).exitCode).toBe(6);
  });
});

describe('--service, several times and of several targets,', () => {
  it('has the endpoint before both lines, and ends with the highest code', async () => {
    const { stdout, stderr, exitCode } = await portping([
      '--service',
      'smtp',
      '127.0.0.1',
      `${smtpPort},${closingPort}`,
    ]);
    expect(stdout).toMatch(
      new RegExp(
        `^127\\.0\\.0\\.1:${smtpPort}  Success! .*\\n127\\.0\\.0\\.1:${smtpPort}  Service: ` +
          `smtp answered .*\\n127\\.0\\.0\\.1:${closingPort}  Success! .*\\n` +
          `127\\.0\\.0\\.1:${closingPort}  Service: smtp dropped .*\\n$`,
      ),
    );
    expect(stderr).toMatch(/2 probes in [\d.]+ ms: 2 open; 1 not as expected\.\n$/);
    expect(exitCode).toBe(6);
  });

  it('counts answers in the summary, and calls a stretch without one an outage', async () => {
    let connections = 0;
    const port = await listen((socket) => {
      connections += 1;
      if (connections === 2) socket.end();
      else smtp(socket);
    });
    const { stdout, stderr, exitCode } = await portping([
      '-c',
      '3',
      '-i',
      '20ms',
      '--service',
      'smtp',
      '127.0.0.1',
      String(port),
    ]);
    expect(stdout.match(/^Service: /gm)).toHaveLength(3);
    expect(stderr).toMatch(
      new RegExp(
        String.raw`\nservice: 2 answered, 1 dropped; answers in ms: min [\d.]+, mean ` +
          String.raw`[\d.]+, max [\d.]+\n1 outage: `,
      ),
    );
    expect(stderr).toMatch(/^Outage from \S+ to \S+, [\d.]+ ms: dropped by the service ×1\.$/m);
    expect(exitCode).toBe(6);
    const json = await portping([
      '-c',
      '2',
      '-i',
      '0',
      '-o',
      'json',
      '--service',
      'smtp',
      '127.0.0.1',
      String(smtpPort),
    ]);
    expect(JSON.parse(json.stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'summary',
      service: {
        answered: 2,
        silent: 0,
        dropped: 0,
        'wrong-protocol': 0,
        'tls-failed': 0,
        answerMs: { count: 2 },
      },
    });
  });

  it('waits until the service answers, and not only the port', async () => {
    let connections = 0;
    const port = await listen((socket) => {
      connections += 1;
      if (connections < 3) socket.end();
      else smtp(socket);
    });
    const { stdout, stderr, exitCode } = await portping([
      '--wait',
      '10s',
      '-i',
      '50ms',
      '--service',
      'smtp',
      '127.0.0.1',
      String(port),
      '--',
      'echo',
      'it answers',
    ]);
    expect(stdout).toMatch(/^Success! .*\nService: smtp answered .*\nit answers\n$/);
    const [waiting, waited] = stderr.split('\n');
    expect(waiting).toBe(`127.0.0.1:${port}: open, dropped by the service; waiting.`);
    expect(waited).toMatch(/^Waited .* m?s\.$/);
    expect([connections, exitCode]).toEqual([3, 0]);
  });

  it('gives up waiting in time for a service that does not answer', async () => {
    const { stdout, stderr, exitCode, elapsedMs } = await portping([
      '--wait',
      '1s',
      '-i',
      '100ms',
      '-w',
      '300ms',
      '--service',
      'smtp',
      '127.0.0.1',
      String(silentPort),
    ]);
    expect(stdout).toMatch(/^Success! .*\nService: smtp is silent: /);
    expect(stderr).toMatch(/\nGave up after 1 s\.\n$/);
    expect(exitCode).toBe(6);
    expect(elapsedMs).toBeLessThan(4000);
  });

  it('asks of a file those targets that are expected to be open', async () => {
    const path = join(folder, 'list.txt');
    await writeFile(
      path,
      `127.0.0.1 ${smtpPort}\n127.0.0.1 ${silentPort} closed # not asked\n127.0.0.1 ` +
        `${closingPort} open\n`,
    );
    const { stdout, exitCode } = await portping([
      '--targets',
      path,
      '--service',
      'smtp',
      '-o',
      'tap',
    ]);
    const results: { ok: boolean; name: string }[] = [];
    const parser = new Parser({ strict: true }).on('assert', ({ ok, name }) =>
      results.push({ ok, name }),
    );
    parser.end(stdout);
    expect(results).toEqual([
      { ok: true, name: `127.0.0.1:${smtpPort} is open and smtp answers` },
      { ok: false, name: `127.0.0.1:${silentPort} is closed` },
      { ok: false, name: `127.0.0.1:${closingPort} is open and smtp answers` },
    ]);
    expect(exitCode).toBe(6);
  });

  it('shows what the services said in the table of many targets', async () => {
    const others = Array.from({ length: 60 }, (_, index) => index + 1);
    const many = [smtpPort, closingPort, ...others].join(',');
    const { stdout } = await portping(['--service', 'smtp', '127.0.0.1', many]);
    expect(stdout).toMatch(
      new RegExp(
        `^127\\.0\\.0\\.1:${smtpPort} +open +[\\d.]+ ms +smtp answered "220 ` +
          `mail\\.example\\.com ESMTP" in [\\d.]+ milliseconds\\.$`,
        'm',
      ),
    );
    expect(stdout).toMatch(
      new RegExp(
        `^127\\.0\\.0\\.1:${closingPort} +open +[\\d.]+ ms +smtp dropped the connection: `,
        'm',
      ),
    );
  });
});

describe('the port', () => {
  it('decides where there is no name', async () => {
    const host = ownLoopback();
    await listen(smtp, 2525, host);
    const { stdout } = await portping(['--service', host, '2525']);
    expect(stdout).toMatch(/\nService: smtp answered/);
    expect((await portping(['--service', `${host}:2525`, '-q'])).exitCode).toBe(0);
    expect((await portping([`${host}:2525`, '--service'])).stdout).toMatch(
      /\nService: smtp answered/,
    );
  });
});

describe('wrong usage', () => {
  const NAMES = SERVICE_NAMES.join(', ');
  const TLS_NAMES = SERVICE_NAMES.filter((name) => SERVICES[name].tls !== null).join(', ');

  it.each<[string[], string]>([
    [
      ['--service=mail', 'localhost', '25'],
      `--service: "mail" is not the name of a service; allowed: ${NAMES}`,
    ],
    [
      ['--service=', 'localhost', '25'],
      `--service: "" is not the name of a service; allowed: ${NAMES}`,
    ],
    [
      ['--service', 'localhost', '12345'],
      '--service: no service is known for port 12345; ' +
        `use --service=NAME with one of: ${NAMES} (banner accepts any first line)`,
    ],
    [
      ['--service', 'smtp', '25'],
      'host: "25" is not an IPv4 address in four decimal parts; some programs read it as ' +
        '0.0.0.25: write that if you mean it; "smtp" was read as the service; for a host of ' +
        'that name write --service=smtp smtp <port>',
    ],
    [
      ['--service', 'mial', 'localhost', '25'],
      'port: "localhost" is neither a port nor a known service; allowed: 1 to 65535, or the ' +
        'name of a TCP service such as smtp; "mial" was read as the host, because it is not the ' +
        `name of a service (${NAMES})`,
    ],
    [
      ['--service', 'smtp', '--expect', 'closed', 'localhost', '25'],
      '--service: only an open port has a service; use it with --expect open, not closed',
    ],
    [
      ['--insecure', 'localhost', '443'],
      '--insecure: has an effect only on a service with TLS; ' +
        `use it with --service and one of ${TLS_NAMES}`,
    ],
    [
      ['--sni', 'a.test', '--service', 'smtp', 'localhost', '25'],
      `--sni: smtp has no TLS; use it with --service and one of ${TLS_NAMES}`,
    ],
    [
      ['--tls-min-days', '5', '--service', 'localhost', '25,143'],
      '--tls-min-days: no port here has a TLS service by default; ' +
        `use --service=NAME with one of: ${TLS_NAMES}`,
    ],
    [
      ['--tls-min-days', '0', '--service', 'tls', 'localhost', '443'],
      '--tls-min-days: 0 is out of range; allowed: 1 to 3650',
    ],
    [
      ['--tls-min-days', '1.5', '--service', 'tls', 'localhost', '443'],
      '--tls-min-days: "1.5" is not a whole number; allowed: 1 to 3650',
    ],
    [
      ['--sni', '192.0.2.1', '--service', 'tls', 'localhost', '443'],
      '--sni: "192.0.2.1" is an address; allowed: a host name (RFC 6066)',
    ],
    [
      ['--sni', 'a b', '--service', 'tls', 'localhost', '443'],
      '--sni: "a b" is not a host name; allowed: letters, digits, hyphens and dots',
    ],
    [
      ['--sni', 'a..b', '--service', 'tls', 'localhost', '443'],
      '--sni: "a..b" is not a host name; allowed: letters, digits, hyphens and dots',
    ],
    [
      ['--sni', '[a]', '--service', 'tls', 'localhost', '443'],
      '--sni: "[a]" is not a host name; allowed: letters, digits, hyphens and dots',
    ],
    [
      ['--service', 'smtp', '--diagnose', 'localhost', '25'],
      '--service: does not apply to a diagnosis; allowed with --diagnose: -4, -6, --timeout, ' +
        '--ip, --no-companions, --report, --source, --dns, --output, ' +
        '--output-file, --quiet, --no-color',
    ],
  ])('is refused before anything is sent: %j', async (args, message) => {
    expect(await portping(args)).toMatchObject({
      stdout: '',
      stderr: `portping: ${message} (see: portping -h)\n`,
      exitCode: 64,
    });
  });

  it('in a file is named with its line, before anything is sent', async () => {
    const path = join(folder, 'mistake.txt');
    await writeFile(path, '127.0.0.1 25\n127.0.0.1 12345 closed\n127.0.0.1 12345\n');
    const { stdout, stderr, exitCode } = await portping(['--targets', path, '--service']);
    expect([stdout, exitCode]).toEqual(['', 64]);
    expect(stderr).toMatch(
      new RegExp(
        String.raw`^portping: .*mistake\.txt:3: --service: no service is known for port ` +
          String.raw`12345; use --service=NAME `,
      ),
    );
    await writeFile(path, '127.0.0.1 25\n');
    expect((await portping(['--targets', path, '--service', '--insecure'])).stderr).toMatch(
      /^portping: --insecure: no port here has a TLS service by default; /,
    );
  });
});

describe('--help', () => {
  it('has the options, the names and the exit code', async () => {
    const { stdout } = await portping(['--help']);
    for (const word of [
      '--service [service]',
      '--sni <host>',
      '--tls-min-days <days>',
      '--insecure',
      'x400',
    ])
      expect(stdout).toContain(word);
    expect(stdout).toMatch(
      new RegExp(
        String.raw`^ {2}6 +open +the port is open, but the service asked for with --service ` +
          String.raw`did not answer as it should$`,
        'm',
      ),
    );
  });
});
