import { hashSync } from 'bcryptjs';
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { TestAuthority, type TestCertificate } from '../../support/certificates.js';
import { collect, environment } from '../../support/command.js';
import { temporaryFolder } from '../../support/daemon.js';
import { startExporter, type TestExporter } from '../../support/exporter.js';
import { freePort, SOON } from '../../support/listeners.js';
import { describeWith } from '../../support/tools.js';

/** The exporter looks at its files every second. */
const PATIENT = { ...SOON, timeout: 30_000 };
const [SECRET, OTHER] = [hashSync('secret', 4), hashSync('other', 4)];

function makeAuthority(): TestAuthority {
  const authority = new TestAuthority();
  onTestFinished(() => authority.remove());
  return authority;
}

const issueServer = (authority: TestAuthority, commonName = 'exporter') =>
  authority.issue({ commonName, altNames: 'IP:127.0.0.1' });

/** Starts an exporter with a web configuration, which `write` replaces. */
async function startWith(config: object): Promise<{
  exporter: TestExporter;
  write: (config: object | string) => Promise<void>;
}> {
  const file = join(await temporaryFolder(), 'web.yml');
  // JSON is YAML.
  const write = (content: object | string) =>
    writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  await write(config);
  return { exporter: await startExporter(['--web.config.file', file]), write };
}

/** What curl gets: `200 text`, or `curl: (60)` when there was no answer. */
async function curl({ port }: TestExporter, url: string, ...args: string[]): Promise<string> {
  const words = ['--silent', '--show-error', '--write-out', '\n%{http_code}', ...args];
  const child = spawn('curl', [...words, url.replace('HOST', `127.0.0.1:${port}`)], {
    env: environment,
    stdio: 'pipe',
    detached: true,
  });
  const options = { input: '', timeoutMs: 30_000, startedAt: performance.now() };
  const { stdout, stderr } = await collect(child, options);
  const [, body = '', status = '000'] = /^([^]*)\n(\d+)$/.exec(stdout) ?? [];
  return status === '000' ? (/^curl: \(\d+\)/.exec(stderr)?.[0] ?? stderr) : `${status} ${body}`;
}

const HEALTHY = '200 portping-exporter is healthy.\n';
const URL = 'https://HOST/-/healthy';

const clientArguments = ({ certFile, keyFile }: TestCertificate): string[] => [
  '--cert',
  certFile,
  '--key',
  keyFile,
];

/** The name of the certificate that the exporter shows. */
async function subjectOf({ port }: TestExporter): Promise<unknown> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

describeWith(['openssl', 'curl'], 'the web configuration', () => {
  it('encrypts, and answers nothing over plain HTTP', async () => {
    const authority = makeAuthority();
    const { certFile: cert_file, keyFile: key_file } = issueServer(authority);
    const { exporter } = await startWith({ tls_server_config: { cert_file, key_file } });
    const trusting = ['--cacert', authority.caFile];
    expect(await curl(exporter, URL, ...trusting)).toBe(HEALTHY);
    expect(await curl(exporter, URL)).toBe('curl: (60)'); // the authority is unknown
    expect(await curl(exporter, URL.replace('https', 'http'))).toMatch(/^curl: \(\d+\)$/);
    const target = `127.0.0.1:${await freePort()}`;
    const probed = await curl(exporter, `https://HOST/probe?target=${target}`, ...trusting);
    expect(probed).toMatch(/^200 [^]*cause="conn-refused"/);
    expect(exporter.log.filter(({ event }) => event === 'refused')).toMatchObject([
      { reason: 'bad-handshake' },
      { reason: 'bad-handshake' },
    ]);
    expect((await exporter.stop()).exitCode).toBe(0);
  });

  it('asks for client certificates as client_auth_type says', async () => {
    const [authority, other] = [makeAuthority(), makeAuthority()];
    const { certFile: cert_file, keyFile: key_file } = issueServer(authority);
    const mine = authority.issue({ commonName: 'prometheus', altNames: 'DNS:prometheus.test' });
    const foreign = other.issue({ commonName: 'eve', altNames: 'DNS:eve.test' });
    const { exporter, write } = await startWith({ tls_server_config: { cert_file, key_file } });
    const answers = async () =>
      Promise.all(
        [[], clientArguments(mine), clientArguments(foreign)].map(async (args) =>
          (await curl(exporter, URL, '--cacert', authority.caFile, ...args)).replace('\n', ''),
        ),
      );
    const healthy = HEALTHY.trim();
    const none = expect.stringMatching(/^403 no client certificate; allowed: /) as string;
    const untrusted = expect.stringMatching(
      /^403 the client certificate is not trusted \(/,
    ) as string;
    const unnamed = expect.stringMatching(/^403 no name of the client certificate is /) as string;
    const verifying = { client_ca_file: authority.caFile };
    for (const [tls, expected] of [
      [{}, [healthy, healthy, healthy]],
      [{ client_auth_type: 'RequestClientCert' }, [healthy, healthy, healthy]],
      [{ client_auth_type: 'RequireAnyClientCert' }, [none, healthy, healthy]],
      [
        { client_auth_type: 'VerifyClientCertIfGiven', ...verifying },
        [healthy, healthy, untrusted],
      ],
      [
        { client_auth_type: 'RequireAndVerifyClientCert', ...verifying },
        [none, healthy, untrusted],
      ],
      [
        {
          client_auth_type: 'RequireAndVerifyClientCert',
          ...verifying,
          client_allowed_sans: ['other.test'],
        },
        [none, unnamed, untrusted],
      ],
      [
        {
          client_auth_type: 'RequireAndVerifyClientCert',
          ...verifying,
          client_allowed_sans: ['other.test', 'prometheus.test'],
        },
        [none, healthy, untrusted],
      ],
    ] as const) {
      const before = exporter.log.length;
      await write({ tls_server_config: { cert_file, key_file, ...tls } });
      await expect
        .poll(() => exporter.log.slice(before).some(({ event }) => event === 'reloaded'), PATIENT)
        .toBe(true);
      expect([tls, await answers()]).toEqual([tls, expected]);
    }
  });

  it('takes renewed certificates without a restart, and keeps the old if wrong', async () => {
    const authority = makeAuthority();
    const [first, second] = [issueServer(authority, 'first'), issueServer(authority, 'second')];
    const folder = await temporaryFolder();
    const put = async ({ cert, key }: TestCertificate) => {
      await writeFile(join(folder, 'key.pem'), key);
      await writeFile(join(folder, 'cert.pem'), cert);
    };
    await put(first);
    const [cert_file, key_file] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const { exporter, write } = await startWith({ tls_server_config: { cert_file, key_file } });
    expect(await subjectOf(exporter)).toBe('first');
    const failures = () => exporter.log.filter(({ event }) => event === 'reload-failed');

    await writeFile(cert_file, second.cert); // its key is still the first
    await expect.poll(() => failures().length, PATIENT).toBe(1);
    expect(failures()[0]?.['message']).toContain('tls_server_config: OpenSSL refuses it (');
    expect(await subjectOf(exporter)).toBe('first');
    await put(second);
    await expect.poll(() => subjectOf(exporter), PATIENT).toBe('second');

    for (const broken of ['tls_server_config: [', 'nonsense: 1', '{}']) {
      const before = failures().length;
      await write(broken);
      await expect.poll(() => failures().length, PATIENT).toBe(before + 1);
      expect(await curl(exporter, URL, '--cacert', authority.caFile)).toBe(HEALTHY);
    }
    expect(failures().at(-1)?.['message']).toContain('cannot be switched on or off');
  });
});

describeWith('curl', 'users', () => {
  it('need their password, which may be changed while the exporter runs', async () => {
    const { exporter, write } = await startWith({ basic_auth_users: { ann: SECRET } });
    const url = 'http://HOST/-/healthy';
    const ask = async (user: string) => (await curl(exporter, url, '--user', user)).slice(0, 3);
    expect(await curl(exporter, url)).toBe(
      '401 a name and a password are needed; allowed: a user of basic_auth_users\n',
    );
    expect(await curl(exporter, url, '--head')).toMatch(/^401 [^]*WWW-Authenticate: Basic realm=/);
    expect(await ask('ann:secret')).toBe('200');
    for (const wrong of ['ann:other', 'ann:', 'eve:secret', 'ANN:secret'])
      expect([wrong, await ask(wrong)]).toEqual([wrong, '401']);
    for (const path of ['/', '/metrics', '/nowhere', '/probe?target=127.0.0.1:1', '/config'])
      expect((await curl(exporter, `http://HOST${path}`)).slice(0, 3)).toBe('401');

    await write({ basic_auth_users: { ann: OTHER, bob: SECRET } });
    await expect.poll(() => ask('ann:other'), PATIENT).toBe('200');
    expect(await ask('ann:secret')).toBe('401');
    expect(await ask('bob:secret')).toBe('200');
    expect(JSON.stringify(exporter.log)).not.toMatch(/secret|other/);
  });
});

it.each([
  ['nonsense: 1', '--web.config.file.nonsense: is not supported; allowed: tls_server_config'],
  ['a: [', 'is not YAML: '],
  ['basic_auth_users: {ann: plain}', 'basic_auth_users.ann: is not a hash of bcrypt'],
])('a wrong web configuration prevents the start: %s', async (yaml, message) => {
  const file = join(await temporaryFolder(), 'web.yml');
  await writeFile(file, yaml);
  await expect(startExporter(['--web.config.file', file])).rejects.toThrow(message);
});
