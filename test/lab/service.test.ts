import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestAuthority } from '../support/certificates.js';
import { createLab, describeLab, type ExecResult, type Lab } from '../support/lab.js';
import { portpingCommand } from '../support/portping.js';
import { Servers } from '../support/servers.js';
import { itWith } from '../support/tools.js';

let lab: Lab;
let authority: TestAuthority;
let servers: Servers;

/** Runs the command in the client's namespace, where the tests' authority is trusted. */
const run = (args: string[]): Promise<ExecResult> =>
  lab.exec('client', [...portpingCommand, ...args], {
    env: { NODE_EXTRA_CA_CERTS: authority.caFile },
  });

/** Probes a service and expects an answer: two lines, three with TLS, and an empty stderr. */
async function expectAnswer(
  name: string,
  port: number,
  answer: RegExp,
  args: string[] = [],
): Promise<void> {
  const { stdout, stderr, exitCode } = await run([
    '--service',
    name,
    ...args,
    'mail.example.com',
    String(port),
  ]);
  const [verdict, service = '', tls, ...rest] = stdout.split('\n').slice(0, -1);
  expect(verdict).toMatch(new RegExp(`^Success! Pinged port ${port} in [\\d.]+ milliseconds\\.$`));
  expect(service).toMatch(/^Service: \S+ answered .* in [\d.]+ milliseconds\.$/);
  expect(service.replace(/^Service: \S+ answered (.*) in [\d.]+ milliseconds\.$/, '$1')).toMatch(
    answer,
  );
  if (/tls|s$/.test(name))
    expect(tls).toMatch(
      /^TLS: TLSv1\.[23], \S+; certificate of CN=mail\.example\.com from CN=Authority of the Tests, for mail\.example\.com, valid for 89 more days\.$/,
    );
  expect([rest, stderr, exitCode]).toEqual([[], '', 0]);
}

/** Expects the port to select the service. */
async function expectByPort(name: string, port: number): Promise<void> {
  const { stdout, exitCode } = await run([
    '--service',
    '-o',
    'json',
    'mail.example.com',
    String(port),
  ]);
  expect(JSON.parse(stdout)).toMatchObject({
    state: 'open',
    reason: null,
    service: { name, state: 'answered' },
  });
  expect(exitCode).toBe(0);
}

describeLab(
  '--service with real servers',
  () => {
    beforeAll(async () => {
      lab = await createLab();
      await lab.setResolver('client', {
        hosts: `${lab.server.v4} mail.example.com\n${lab.server.v4} other.example.com`,
      });
      authority = new TestAuthority();
      servers = new Servers(lab, authority.issue({ altNames: 'DNS:mail.example.com' }));
    });
    afterAll(async () => {
      servers?.close();
      await lab?.close();
      await authority?.remove();
    });

    itWith(
      'postfix',
      'gets SMTP from Postfix: plain, with STARTTLS, with TLS from the start; sends QUIT',
      async () => {
        await servers.startPostfix();
        await expectAnswer('smtp', 25, /^"220 mail\.example\.com ESMTP Postfix/);
        await expectAnswer('smtp+tls', 25, /^"220 mail\.example\.com ESMTP Postfix/);
        await expectAnswer('smtps', 465, /^"220 mail\.example\.com ESMTP Postfix/);
        await expectByPort('smtp', 25);
        await expectByPort('smtps', 465);
        // Waiting for the start made two connections without a command. All five probes sent QUIT.
        const commands = (): string[] =>
          (servers.read('postfix/mail.log').match(/disconnect from .*/g) ?? [])
            .map((line) => line.replace(/^.*\] /, ''))
            .sort();
        const logged = 'ehlo=1 quit=1 commands=2';
        await expect
          .poll(commands, { timeout: 10_000 })
          .toEqual([
            'commands=0/0',
            'commands=0/0',
            logged,
            logged,
            logged,
            logged,
            'ehlo=2 starttls=1 quit=1 commands=4',
          ]);
        expect(servers.read('postfix/mail.log').match(/lost connection after/g)).toHaveLength(2);
      },
    );

    itWith(
      'dovecot',
      'gets IMAP and POP3 from Dovecot: plain, with STARTTLS, with TLS from the start',
      async () => {
        await servers.startDovecot();
        await expectAnswer('imap', 143, /^"\* OK \[CAPABILITY/);
        await expectAnswer('imap+tls', 143, /^"\* OK \[CAPABILITY/);
        await expectAnswer('imaps', 993, /^"\* OK \[CAPABILITY/);
        await expectAnswer('pop3', 110, /^"\+OK Dovecot/);
        await expectAnswer('pop3+tls', 110, /^"\+OK Dovecot/);
        await expectAnswer('pop3s', 995, /^"\+OK Dovecot/);
        for (const [name, port] of [
          ['imap', 143],
          ['imaps', 993],
          ['pop3', 110],
          ['pop3s', 995],
        ] as const)
          await expectByPort(name, port);
        expect(servers.read('dovecot/dovecot.log')).not.toMatch(
          /auth failed|TLS handshaking: SSL_accept\(\) failed/,
        );
      },
    );

    itWith('sshd', 'gets SSH from OpenSSH', async () => {
      await servers.startSshd();
      await expectAnswer('ssh', 22, /^"SSH-2\.0-OpenSSH/);
      await expectAnswer('banner', 22, /^"SSH-2\.0-OpenSSH/);
      await expectByPort('ssh', 22);
    });

    itWith('vsftpd', 'gets FTP from vsftpd: plain and with AUTH TLS', async () => {
      await servers.startVsftpd();
      await expectAnswer('ftp', 21, /^"220 \(vsFTPd/);
      await expectAnswer('ftp+tls', 21, /^"220 \(vsFTPd/);
      await expectByPort('ftp', 21);
    });

    itWith(
      'nginx',
      'gets HTTP and TLS from nginx, and checks its certificate: name, authority, days',
      async () => {
        await servers.startNginx();
        await expectAnswer('http', 80, /^"HTTP\/1\.1 204 No Content"$/);
        await expectAnswer('https', 443, /^"HTTP\/1\.1 204 No Content"$/);
        await expectAnswer('tls', 443, /^with TLSv1\.[23]$/, ['--tls-min-days', '30']);
        await expectByPort('http', 80);
        await expectByPort('https', 443);
        expect(servers.read('nginx/access.log')).toMatch(
          /"HEAD \/ HTTP\/1\.1" 204 0 "-" "portping"/,
        );

        const wrongName = await run(['--service', 'https', 'other.example.com', '443']);
        expect(wrongName.stdout).toMatch(
          /^Service: https failed at TLS: the certificate is not for other\.example\.com but for mail\.example\.com\.$/m,
        );
        expect(wrongName.exitCode).toBe(6);
        expect(
          (await run(['--service', 'https', '--sni', 'mail.example.com', lab.server.v4, '443']))
            .exitCode,
        ).toBe(0);
        const soon = await run(['--service', '--tls-min-days', '100', 'https://mail.example.com']);
        expect(soon.stdout).toMatch(
          /^Service: https failed at TLS: the certificate expires in 89 days; at least 100 are required\.$/m,
        );
        expect(soon.exitCode).toBe(6);
        const unknown = await lab.exec('client', [
          ...portpingCommand,
          '--service',
          'tls',
          'mail.example.com',
          '443',
        ]);
        expect(unknown.stdout).toMatch(
          /^Service: tls failed at TLS: the authority of the certificate is not known here \(CN=Authority of the Tests\)/m,
        );
        expect(unknown.exitCode).toBe(6);
        const plain = await run(['--service', 'https', 'mail.example.com', '80']);
        expect(plain.stdout).toMatch(
          /^Service: https failed at TLS: "HTTP\/1\.1 400 Bad Request" came instead of TLS; it looks like HTTP\.$/m,
        );
        expect(plain.exitCode).toBe(6);
      },
    );

    itWith('nginx', 'reports an HTTP server as silent when probed for SMTP', async () => {
      const { stdout, stderr, exitCode } = await run([
        '--service',
        'smtp',
        '-w',
        '1s',
        'mail.example.com',
        '80',
      ]);
      expect(stdout).toMatch(/^Service: smtp is silent: its greeting did not come within /m);
      expect(stderr).toMatch(
        /waits for the client, as HTTP and services with TLS from the start do/,
      );
      expect(exitCode).toBe(6);
    });

    it('times the answer from the handshake: one round trip of 60 ms more', async () => {
      const link = await lab.delayLink({ rttMs: 60 });
      const { port } = await lab.listen('server', { onConnection: 'banner' });
      const { latencyMs, service } = JSON.parse(
        (await run(['-o', 'json', '--service', 'banner', link.server.v4, String(port)])).stdout,
      );
      await link.stop();
      expect(service).toMatchObject({ state: 'answered', firstLine: '220 lab ESMTP' });
      for (const elapsedMs of [latencyMs, service.answerMs]) {
        expect(elapsedMs).toBeGreaterThan(59);
        expect(elapsedMs).toBeLessThan(160);
      }
    });

    itWith(
      'nginx',
      'sends its first command right after the TLS handshake: two round trips of 200 ms',
      async () => {
        const link = await lab.delayLink({ rttMs: 200 });
        const { service } = JSON.parse(
          (
            await run([
              '-o',
              'json',
              '--service',
              'https',
              '--sni',
              'mail.example.com',
              link.server.v4,
              '443',
            ])
          ).stdout,
        );
        await link.stop();
        expect(service).toMatchObject({ state: 'answered', tls: { version: 'TLSv1.3' } });
        expect(service.answerMs).toBeGreaterThan(399);
        expect(service.answerMs).toBeLessThan(560);
      },
    );

    it('reports a load balancer that accepts and closes as dropped, and exits with 6', async () => {
      const { port } = await lab.listen('server', { onConnection: 'close' });
      const closed = await run(['--service', 'smtp', 'mail.example.com', String(port)]);
      expect(closed.stdout).toMatch(
        /^Success! .*\nService: smtp dropped the connection: it was closed .*, before its greeting\.\n$/,
      );
      expect(closed.stderr).toMatch(/^A load balancer or proxy with no service behind it/);
      expect(closed.exitCode).toBe(6);
      const reset = await lab.listen('server', { onConnection: 'reset' });
      const json = JSON.parse(
        (await run(['-o', 'json', '--service', 'smtp', 'mail.example.com', String(reset.port)]))
          .stdout,
      );
      expect(json).toMatchObject({
        state: 'open',
        reason: 'dropped',
        exitCode: 6,
        service: { state: 'dropped', dropped: { by: 'reset', winsock: 10054 } },
      });
    });
  },
  'delayLink',
  'openssl',
);
