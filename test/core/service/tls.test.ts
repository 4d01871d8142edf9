import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { monotonicClock } from '../../../src/core/clock.js';
import { probePort } from '../../../src/core/probe/port-probe.js';
import type { TlsFailure } from '../../../src/core/facts/service-finding.js';
import { prepareServiceProbe } from '../../../src/core/service/service-probe.js';
import type { ServiceRequest } from '../../../src/core/service/registry.js';
import { adviseOnService, describeService } from '../../../src/report/service.js';
import {
  type CertificateWishes,
  TestAuthority,
  type TestCertificate,
} from '../../support/certificates.js';
import { runAlone, SOON } from '../../support/listeners.js';
import {
  probeService,
  replyToLines,
  expectFinding,
  startFakeServer,
  startTlsServer,
  upgradeToTls,
} from '../../support/fake-servers.js';
import { describeWith } from '../../support/tools.js';

let authority: TestAuthority;
let good: TestCertificate;

beforeAll(() => {
  authority = new TestAuthority();
  good = authority.issue({ altNames: 'DNS:localhost,DNS:mail.example.com,IP:127.0.0.1' });
});
afterAll(() => authority?.remove());

const FIRST = ' (fix this first; only then can its issuer be checked)';

const TLS10: TlsOptions = {
  minVersion: 'TLSv1',
  maxVersion: 'TLSv1',
  ciphers: 'DEFAULT@SECLEVEL=0',
};

/**
 * Probes a server with such a certificate and returns how it fails. It always does: this process
 * does not trust the authority of the tests.
 */
async function failAt(
  wishes: CertificateWishes,
  options: TlsOptions = {},
  request: ServiceRequest = { name: 'tls' },
) {
  const { cert, key } = authority.issue(wishes);
  const { port } = await startTlsServer({ cert, key, ...options });
  return expectFinding(await probeService(port, request), 'tls-failed');
}

describeWith('openssl', 'TLS', () => {
  it.each<[string, CertificateWishes, TlsOptions, TlsFailure, RegExp]>([
    [
      'self-signed',
      { selfSigned: true, altNames: 'IP:127.0.0.1' },
      {},
      'self-signed',
      /^the certificate is self-signed$/,
    ],
    [
      'of an unknown authority',
      { altNames: 'IP:127.0.0.1' },
      {},
      'unknown-authority',
      new RegExp(
        String.raw`^the authority of the certificate is not known here \(CN=Authority of ` +
          String.raw`the Tests\), or the server`,
      ),
    ],
    [
      'expired',
      { altNames: 'IP:127.0.0.1', fromDays: -40, toDays: -10 },
      {},
      'expired',
      new RegExp(
        String.raw`^the certificate expired 10 days ago \(fix this first; only then can its ` +
          String.raw`issuer be checked\)$`,
      ),
    ],
    [
      'not valid yet',
      { altNames: 'IP:127.0.0.1', fromDays: 10 },
      {},
      'not-yet-valid',
      new RegExp(
        String.raw`^the certificate is not valid before \d{4}-\d\d-\d\dT[\d:.]+Z \(fix this ` +
          String.raw`first; only then can its issuer be checked\)`,
      ),
    ],
    [
      'expired and self-signed',
      { selfSigned: true, altNames: 'IP:127.0.0.1', fromDays: -40, toDays: -10 },
      {},
      'expired',
      new RegExp(
        String.raw`^the certificate expired 10 days ago \(fix this first; it is self-signed, ` +
          String.raw`and only then can its trust be checked\)$`,
      ),
    ],
    [
      'for another name',
      { selfSigned: true, altNames: 'DNS:a.test,IP:127.0.0.9' },
      {},
      'self-signed',
      /; the certificate is not for 127\.0\.0\.1 but for a\.test, 127\.0\.0\.9$/,
    ],
    [
      'of version 1.0 only',
      { altNames: 'IP:127.0.0.1' },
      TLS10,
      'old-version',
      new RegExp(
        String.raw`^it supports only TLS 1\.0, which is withdrawn \(RFC 8996\); at least ` +
          String.raw`TLS 1\.2 is required; `,
      ),
    ],
  ])('that is %s is reported in words', async (...[, wishes, options, failure, problem]) => {
    const finding = await failAt(wishes, options);
    expect(finding).toMatchObject({ failure, firstLine: null });
    expect(finding.problem).toMatch(problem);
    expect(finding.tls?.certificate?.subject).toBe('CN=mail.example.com');
  });

  it('answers with --insecure, and reports what was ignored', async () => {
    const { cert, key } = authority.issue({ selfSigned: true, altNames: 'DNS:a.test' });
    const { port } = await startTlsServer(
      { cert, key, ...TLS10 },
      (socket) => void socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n')),
    );
    const finding = expectFinding(
      await probeService(port, { name: 'https', insecure: true }),
      'answered',
    );
    expect(finding.firstLine).toBe('HTTP/1.1 200 OK');
    expect(finding.tls).toMatchObject({
      version: 'TLSv1',
      certificate: { names: ['a.test'], daysLeft: 89 },
    });
    expect(finding.tls?.problems.map(({ failure }) => failure)).toEqual([
      'old-version',
      'self-signed',
      'wrong-name',
    ]);
  });

  it('still requires the days of --tls-min-days with --insecure', async () => {
    const wishes = { selfSigned: true, toDays: 20 };
    expect(await failAt(wishes, {}, { name: 'tls', insecure: true, tlsMinDays: 30 })).toMatchObject(
      {
        failure: 'expires-soon',
        problem: 'the certificate expires in 19 days; at least 30 are required',
      },
    );
    expect(
      await failAt({ toDays: 0.5 }, {}, { name: 'tls', insecure: true, tlsMinDays: 1 }),
    ).toMatchObject({
      problem: 'the certificate expires in less than a day; at least 1 is required',
    });
    const expired = { fromDays: -40, toDays: -10 };
    expect(await failAt(expired, {}, { name: 'tls', insecure: true, tlsMinDays: 1 })).toMatchObject(
      { failure: 'expired' },
    );
  });

  it('with an unreadable date in its certificate is untrusted and expires too soon', async () => {
    const { cert, key } = authority.issue({ altNames: 'IP:127.0.0.1' });
    const { raw } = new X509Certificate(cert);
    const dates = raw.indexOf(Buffer.from([0x17, 13])); // UTCTime: YYMMDDhhmmssZ, from and to
    raw.write('13', dates + 17 + 2); // the month
    const { port } = await startTlsServer({
      cert: `-----BEGIN CERTIFICATE-----\n${raw.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
      key,
    });
    const unreadable = new RegExp(
      String.raw`^the certificate has an unreadable date \(fix this first; only then can ` +
        String.raw`its issuer be checked\)$`,
    );
    const finding = expectFinding(await probeService(port, { name: 'tls' }), 'tls-failed');
    expect(finding).toMatchObject({
      failure: 'untrusted',
      problem: expect.stringMatching(unreadable) as string,
      tls: {
        certificate: { validFrom: expect.any(Number) as number, validTo: null, daysLeft: null },
      },
    });
    expectFinding(await probeService(port, { name: 'tls', insecure: true }), 'answered');
    const asked = expectFinding(
      await probeService(port, { name: 'tls', insecure: true, tlsMinDays: 30 }),
      'tls-failed',
    );
    expect(asked).toMatchObject({
      failure: 'expires-soon',
      problem: 'the certificate has an unreadable expiry date; at least 30 are required',
    });
  });

  it.each<[string, CertificateWishes, CertificateWishes, string[]]>([
    [
      'a short key',
      { isAuthority: true },
      { rsaBits: 1024 },
      [
        'the certificate has an RSA key of 1024 bits, which is too short today; 2048 bits are ' +
          `enough${FIRST}`,
      ],
    ],
    [
      'a short key above it',
      { isAuthority: true, rsaBits: 1024 },
      {},
      [
        'a certificate above it in the chain has an RSA key of 1024 bits, which is too short ' +
          `today; 2048 bits are enough${FIRST}`,
      ],
    ],
    [
      'a weak hash',
      { isAuthority: true },
      { digest: 'sha1' },
      [
        'the certificate, or one above it in the chain, is signed with a weak hash (SHA-1 or ' +
          `older), which clients refuse today${FIRST}`,
      ],
    ],
    [
      'a short key, a weak hash,',
      { isAuthority: true },
      { digest: 'sha1', rsaBits: 1024 },
      [
        'the certificate, or one above it in the chain, is signed with a weak hash (SHA-1 or ' +
          `older), which clients refuse today${FIRST}`,
        'the certificate has an RSA key of 1024 bits, which is too short today; 2048 bits are ' +
          'enough',
      ],
    ],
  ])('with %s in its chain fails', async (...[, aboveWishes, wishes, weak]) => {
    const above = authority.issue({ commonName: 'Between', ...aboveWishes });
    const { cert, key } = authority.issue({ altNames: 'IP:127.0.0.1', by: above, ...wishes });
    const { port } = await startTlsServer({
      cert: `${cert}${above.cert}`,
      key,
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const problems = weak.map((problem) => ({ failure: 'weak', problem }));
    expect(expectFinding(await probeService(port, { name: 'tls' }), 'tls-failed')).toMatchObject({
      failure: 'weak',
      problem: weak.join('; '),
      tls: { problems },
    });
    const ignored = expectFinding(
      await probeService(port, { name: 'tls', insecure: true }),
      'answered',
    );
    expect(ignored.tls?.problems).toEqual(problems);
  });

  it('is timed without our own inspection of certificates', async () => {
    let oursMs = 0;
    const checkIssued = Reflect.get(X509Certificate.prototype, 'checkIssued');
    const spy = vi.spyOn(X509Certificate.prototype, 'checkIssued').mockImplementation(function (
      this: X509Certificate,
      other,
    ) {
      oursMs += 100_000;
      return checkIssued.call(this, other);
    });
    onTestFinished(() => spy.mockRestore());
    const { port } = await startTlsServer({ cert: good.cert, key: good.key });
    for (const insecure of [true, false]) {
      const serviceProbe = await prepareServiceProbe(
        { name: 'tls', insecure },
        { host: '127.0.0.1', port },
      );
      const outcome = await probePort(
        { address: '127.0.0.1', family: 4, port },
        { timeoutMs: 5000 },
        { probeService: serviceProbe, clock: () => monotonicClock() + oursMs },
      );
      const finding = outcome.state === 'open' ? outcome.service : null;
      expect(finding).toMatchObject({ state: insecure ? 'answered' : 'tls-failed' });
      expect(finding?.elapsedMs).toBeLessThan(5000);
      expect(finding?.answerMs).toBe(insecure ? finding?.elapsedMs : null);
    }
    expect(oursMs).toBeGreaterThan(0);
  });

  it('with a good certificate below an expired one is untrusted, but lasts', async () => {
    const above = authority.issue({
      commonName: 'Between',
      isAuthority: true,
      fromDays: -40,
      toDays: -10,
    });
    const { cert, key } = authority.issue({ altNames: 'IP:127.0.0.1', by: above });
    const { port } = await startTlsServer({
      cert: `${cert}${above.cert}${readFileSync(authority.caFile, 'utf8')}`,
      key,
    });
    const finding = expectFinding(await probeService(port, { name: 'tls' }), 'tls-failed');
    expect(finding).toMatchObject({
      failure: 'untrusted',
      problem: expect.stringMatching(/^a certificate above it in the chain has expired/) as string,
    });
    expectFinding(
      await probeService(port, { name: 'tls', insecure: true, tlsMinDays: 80 }),
      'answered',
    );
  });

  it.each<[string, CertificateWishes, CertificateWishes, string]>([
    [
      'its own certificate is for clients',
      { isAuthority: true },
      { purpose: 'clientAuth' },
      `the certificate may not be used for servers${FIRST}`,
    ],
    [
      'the one above it is for clients',
      { isAuthority: true, purpose: 'clientAuth' },
      {},
      `a certificate above it in the chain may not issue certificates for servers${FIRST}`,
    ],
    [
      'the one above it is none of an authority',
      {},
      { purpose: 'serverAuth' },
      `a certificate above it in the chain may not issue certificates${FIRST}`,
    ],
  ])('names the certificate at fault: %s', async (_, between, own, problem) => {
    const above = authority.issue({ commonName: 'Between', ...between });
    const { cert, key } = authority.issue({ altNames: 'IP:127.0.0.1', by: above, ...own });
    const { port } = await startTlsServer({
      cert: `${cert}${above.cert}${readFileSync(authority.caFile, 'utf8')}`,
      key,
    });
    expect(expectFinding(await probeService(port, { name: 'tls' }), 'tls-failed')).toMatchObject({
      failure: 'untrusted',
      problem,
    });
  });

  it('sends the host name as SNI, but never an address (RFC 6066)', async () => {
    const names: (string | false | null)[] = [];
    const { port } = await startTlsServer({ cert: good.cert, key: good.key }, (socket) =>
      names.push((socket as unknown as { servername: string | false }).servername),
    );
    await probeService(port, { name: 'tls' });
    await probeService(port, { name: 'tls' }, { host: 'localhost' });
    await probeService(port, { name: 'tls', sni: 'mail.example.com' });
    await probeService(port, { name: 'tls', sni: 'münchen.example.com.' });
    expect(names).toEqual([false, 'localhost', 'mail.example.com', 'xn--mnchen-3ya.example.com']);
  });

  it('uses the name for SNI as the Host of HTTP', async () => {
    const server = await startTlsServer(
      { cert: good.cert, key: good.key },
      (socket) => void socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n')),
    );
    expectFinding(
      await probeService(server.port, { name: 'https', sni: 'mail.example.com', insecure: true }),
      'answered',
    );
    expect(server.received()).toContain(`\r\nHost: mail.example.com:${server.port}\r\n`);
  });

  it.each<[string, (socket: Socket) => void, TlsFailure, RegExp]>([
    [
      'plain text',
      (socket) => socket.write('220 mail ESMTP\r\n'),
      'not-tls',
      /^"220 mail ESMTP" came instead of TLS; it looks like SMTP$/,
    ],
    [
      'bytes that are nothing',
      (socket) => socket.write(Buffer.from([0xde, 0xad, 0xbe, 0xef])),
      'not-tls',
      /^"Þ­¾ï" came instead of TLS$/,
    ],
    [
      'an alert',
      (socket) =>
        void socket.once('data', () => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 40]))),
      'handshake',
      new RegExp(
        String.raw`^it ended the handshake with the alert "handshake failure"; most often ` +
          String.raw`there is no cipher suite in common$`,
      ),
    ],
    ...(
      [
        [112, 'unrecognized name'],
        [110, 'unsupported extension'],
        [113, 'bad certificate status response'],
      ] as const
    ).map(([code, words]): [string, (socket: Socket) => void, TlsFailure, RegExp] => [
      `an alert of RFC 6066: ${words}`,
      (socket) =>
        void socket.once('data', () => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, code]))),
      'handshake',
      new RegExp(`^it ended the handshake with the alert "${words}"$`),
    ]),
    [
      'an alert about the version',
      (socket) =>
        void socket.once('data', () => socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 70]))),
      'old-version',
      /^it supports no TLS version from 1\.0 to 1\.3$/,
    ],
    [
      'a record of nonsense',
      (socket) => socket.write(Buffer.from([0x16, 3, 3, 0, 4, 9, 9, 9, 9])),
      'handshake',
      /^the handshake failed \(ERR_SSL_\w+\)|ended the handshake/,
    ],
  ])('that turns out to be %s is reported in words', async (_, talk, failure, problem) => {
    const { port } = await startFakeServer(talk);
    const finding = expectFinding(await probeService(port, { name: 'https' }), 'tls-failed');
    expect(finding.failure).toBe(failure);
    expect(finding.problem).toMatch(problem);
    expect(finding.tls).toBeNull();
  });

  it('with finite-field Diffie-Hellman only has no cipher suite in common', async () => {
    const dhe: TlsOptions = {
      ciphers: 'DHE-RSA-AES128-GCM-SHA256',
      maxVersion: 'TLSv1.2',
      dhparam: 'auto',
    };
    const finding = await failAt({}, dhe, { name: 'tls', insecure: true });
    expect(finding).toMatchObject({
      failure: 'handshake',
      problem:
        'it ended the handshake with the alert "handshake failure"; most often there is no ' +
        'cipher suite in common',
    });
  });

  it('that requires a client certificate in TLS 1.2 is not blamed on cipher suites', async () => {
    const finding = await failAt(
      {},
      { requestCert: true, maxVersion: 'TLSv1.2', ca: good.cert },
      { name: 'tls', insecure: true },
    );
    expect(finding).toMatchObject({
      failure: 'handshake',
      problem: 'it ended the handshake with the alert "handshake failure"',
    });
  });

  it('with a stalled handshake is silent, also halfway', async () => {
    const nothing = await startFakeServer(() => {});
    expect(await probeService(nothing.port, { name: 'tls' }, { timeoutMs: 300 })).toMatchObject({
      state: 'silent',
      awaited: 'its part of the TLS handshake',
      receivedBytes: 0,
    });
    const half = await startFakeServer(
      (socket) => void socket.once('data', () => socket.write(Buffer.from([0x16, 3, 3, 2, 0, 2]))),
    );
    expect(await probeService(half.port, { name: 'tls' }, { timeoutMs: 300 })).toMatchObject({
      state: 'silent',
      awaited: 'its part of the TLS handshake',
      receivedBytes: 6,
    });
  });

  it('that is closed or reset in its handshake is dropped', async () => {
    const closing = await startFakeServer((socket) => void socket.once('data', () => socket.end()));
    expect(await probeService(closing.port, { name: 'https' })).toMatchObject({
      state: 'dropped',
      by: 'end',
    });
    for (const hold of [true, false]) {
      const closeNotify = Buffer.from([0x15, 3, 3, 0, 2, 1, 0]);
      const saying = await startFakeServer(
        (socket) =>
          void socket.once('data', () =>
            hold ? socket.write(closeNotify) : socket.end(closeNotify),
          ),
      );
      expect(await probeService(saying.port, { name: 'https' })).toMatchObject({
        state: 'dropped',
        by: 'end',
        winsock: null,
        awaited: 'its part of the TLS handshake',
      });
    }
    const resetting = await startFakeServer(
      (socket) => void socket.once('data', () => socket.resetAndDestroy()),
    );
    expect(await probeService(resetting.port, { name: 'https' })).toMatchObject({
      state: 'dropped',
      by: 'reset',
      winsock: 10054,
    });
  });

  it('with a service inside that is silent or closes is reported as without TLS', async () => {
    const silent = await startTlsServer({ cert: good.cert, key: good.key });
    const finding = expectFinding(
      await probeService(silent.port, { name: 'smtps', insecure: true }, { timeoutMs: 500 }),
      'silent',
    );
    expect(finding).toMatchObject({ awaited: 'its greeting', tls: { version: 'TLSv1.3' } });
    expect(describeService(finding)).toMatch(
      /^smtps is silent: its greeting did not come within \d+ ms\.$/,
    );
    expect(adviseOnService(finding)).toMatch(/^The connection opened, but nothing came/);
    const closing = await startTlsServer({ cert: good.cert, key: good.key }, (socket) =>
      socket.end('220-x'),
    );
    expect(await probeService(closing.port, { name: 'smtps', insecure: true })).toMatchObject({
      state: 'dropped',
      by: 'end',
      unfinished: '220-x',
    });
  });

  it.each<[string, (socket: Socket) => void]>([
    ['plain text', (socket) => socket.write('HTTP/1.1 500 no\r\n\r\n')],
    [
      'a record that cannot be decrypted',
      (socket) =>
        socket.write(Buffer.concat([Buffer.from([0x17, 3, 3, 0, 32]), Buffer.alloc(32, 7)])),
    ],
    [
      'plain text, and the end of the connection,',
      (socket) => socket.end('HTTP/1.1 500 no\r\n\r\n'),
    ],
  ])('that is broken by %s after its handshake has failed, and was not dropped', async (_, say) => {
    let breakOff = (): void => {};
    const inner = await startTlsServer(
      { cert: good.cert, key: good.key },
      (socket) => void socket.once('data', () => breakOff()),
    );
    const { port } = await startFakeServer((socket) => {
      const onward = connect(inner.port, '127.0.0.1').on('error', () => {});
      socket.pipe(onward).pipe(socket);
      breakOff = () => say((onward.unpipe(socket), socket));
    });
    const finding = expectFinding(
      await probeService(port, { name: 'https', insecure: true }),
      'tls-failed',
    );
    expect(finding).toMatchObject({
      failure: 'handshake',
      problem: expect.stringMatching(/^TLS failed after the handshake \(ERR_SSL_\w+\)$/) as string,
      tls: { version: 'TLSv1.3' },
    });
  });

  it('that requires a client certificate is reported, also after the handshake', async () => {
    const words = [
      's_server',
      '-accept',
      '127.0.0.1:0',
      '-cert',
      good.certFile,
      '-key',
      good.keyFile,
      '-Verify',
      '1',
      '-verify_return_error',
      '-www',
    ];
    const server = spawn('openssl', words, { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void server.kill());
    let said = '';
    server.stdout.on('data', (text) => {
      said += String(text);
    });
    await expect.poll(() => /^ACCEPT \S+:\d+/m.test(said), SOON).toBe(true);
    const port = Number(/^ACCEPT \S+:(\d+)/m.exec(said)?.[1]);
    const finding = expectFinding(
      await probeService(port, { name: 'https', insecure: true }),
      'tls-failed',
    );
    expect(finding).toMatchObject({
      failure: 'handshake',
      problem: 'it ended TLS with the alert "certificate required"',
      tls: { version: 'TLSv1.3' },
    });
  });

  it('with a flood inside is cut off at 64 KiB', async () => {
    const { port } = await startTlsServer(
      { cert: good.cert, key: good.key },
      (socket) => void socket.write(Buffer.alloc(1_000_000, 'a')),
    );
    const finding = expectFinding(
      await probeService(port, { name: 'smtps', insecure: true }),
      'wrong-protocol',
    );
    expect(finding.problem).toMatch(
      /^more than 64 KiB came before its greeting was complete; it begins with "a/,
    );
    expect(finding.receivedBytes).toBe(65_536);
  });

  it('is read to the end of what has come before it is cut off', async () => {
    const { port } = await startTlsServer(
      { cert: good.cert, key: good.key },
      (socket) =>
        void socket.once('data', () =>
          socket.write(`HTTP/1.0 200 OK\r\n\r\n${'a'.repeat(10_000_000)}`),
        ),
    );
    for (let round = 0; round < 20; round += 1)
      expectFinding(await probeService(port, { name: 'https', insecure: true }), 'answered');
  });

  it('trusts the authorities in NODE_EXTRA_CA_CERTS, for a name and for an address', async () => {
    const { port } = await startTlsServer({ cert: good.cert, key: good.key });
    const script = `
      import { probeTarget } from './core/probe/target-probe.js';
      for (const host of ['localhost', '127.0.0.1']) {
        const service = { name: 'tls', tlsMinDays: 80 };
        const { outcome } = await probeTarget({ host, port: ${port} }, { family: 4, service });
        const { state, tls } = outcome.service;
        console.log(state, tls.certificate.names.join(' '), tls.problems.length);
      }`;
    const { stdout, stderr } = await runAlone(script, {
      prefix: ['env', `NODE_EXTRA_CA_CERTS=${authority.caFile}`],
    });
    expect(stderr).toBe('');
    expect(stdout).toBe(
      'answered localhost mail.example.com 127.0.0.1 0\nanswered localhost mail.example.com ' +
        '127.0.0.1 0\n',
    );
  });
});

describeWith('openssl', 'STARTTLS', () => {
  const options = (): TlsOptions => ({ cert: good.cert, key: good.key });
  const inside =
    (answers: Parameters<typeof replyToLines>[1]) =>
    (socket: Socket): void =>
      upgradeToTls(socket, options(), replyToLines('', answers));

  it.each<
    [
      'smtp+tls' | 'pop3+tls' | 'imap+tls' | 'ftp+tls',
      string,
      Parameters<typeof replyToLines>[1],
      string,
    ]
  >([
    [
      'smtp+tls',
      '220 x ESMTP\r\n',
      {
        EHLO: '250-x\r\n250 STARTTLS\r\n',
        STARTTLS: (socket) => {
          socket.write('220 go\r\n');
          inside({ EHLO: '250 x\r\n', QUIT: '221 bye\r\n' })(socket);
        },
      },
      '220 x ESMTP',
    ],
    [
      'pop3+tls',
      '+OK\r\n',
      {
        STLS: (socket) => {
          socket.write('+OK\r\n');
          inside({ CAPA: '+OK\r\nUIDL\r\n.\r\n', QUIT: '+OK\r\n' })(socket);
        },
      },
      '+OK',
    ],
    [
      'imap+tls',
      '* OK\r\n',
      {
        'p1 STARTTLS': (socket) => {
          socket.write('p1 OK\r\n');
          inside({
            'p2 CAP': '* CAPABILITY IMAP4rev1\r\np2 OK\r\n',
            'p3 LOGOUT': '* BYE\r\np3 OK\r\n',
          })(socket);
        },
      },
      '* OK',
    ],
    [
      'ftp+tls',
      '220 x\r\n',
      {
        'AUTH TLS': (socket) => {
          socket.write('234 go\r\n');
          inside({ NOOP: '200 ok\r\n', QUIT: '221 bye\r\n' })(socket);
        },
      },
      '220 x',
    ],
  ])('of %s starts TLS and goes on inside', async (name, greeting, answers, firstLine) => {
    const { port } = await startFakeServer(replyToLines(greeting, answers));
    expect(
      expectFinding(await probeService(port, { name, insecure: true }), 'answered'),
    ).toMatchObject({
      firstLine,
      tls: { version: 'TLSv1.3' },
    });
  });

  it.each<
    [
      'smtp+tls' | 'pop3+tls' | 'imap+tls' | 'ftp+tls',
      string,
      Parameters<typeof replyToLines>[1],
      string,
    ]
  >([
    ['smtp+tls', '220 x\r\n', { EHLO: '250 x\r\n' }, 'it does not offer STARTTLS'],
    [
      'smtp+tls',
      '220 x\r\n',
      { EHLO: '250-x\r\n250 STARTTLS\r\n', STARTTLS: '454 not now\r\n' },
      'it refused STARTTLS: "454 not now"',
    ],
    ['pop3+tls', '+OK\r\n', { STLS: '-ERR no\r\n' }, 'it refused STLS: "-ERR no"'],
    [
      'imap+tls',
      '* OK\r\n',
      { 'p1 STARTTLS': 'p1 BAD no\r\n' },
      'it refused STARTTLS: "p1 BAD no"',
    ],
    ['ftp+tls', '220 x\r\n', { 'AUTH TLS': '530 log in\r\n' }, 'it refused AUTH TLS: "530 log in"'],
  ])('of %s that is refused fails', async (name, greeting, answers, problem) => {
    const { port } = await startFakeServer(replyToLines(greeting, answers));
    expect(expectFinding(await probeService(port, { name }), 'tls-failed')).toMatchObject({
      failure: 'no-starttls',
      problem,
      tls: null,
    });
  });

  it('with plain text after it in a packet of its own is an injection, too', async () => {
    const garbage = (socket: Socket): void => {
      socket.write('220 go\r\n');
      socket.once('data', () => socket.write('hello?\r\n'));
    };
    const { port } = await startFakeServer(
      replyToLines('220 x\r\n', { EHLO: '250-x\r\n250 STARTTLS\r\n', STARTTLS: garbage }),
    );
    expect(
      expectFinding(await probeService(port, { name: 'smtp+tls' }), 'tls-failed'),
    ).toMatchObject({
      failure: 'injection',
      problem: 'plain text came after its answer to STARTTLS, before TLS began: "hello?\r\n"',
    });
  });

  it.each<
    ['smtp+tls' | 'pop3+tls' | 'imap+tls' | 'ftp+tls', string, Parameters<typeof replyToLines>[1]]
  >([
    [
      'smtp+tls',
      '220 x\r\n',
      { EHLO: '250-x\r\n250 STARTTLS\r\n', STARTTLS: '220 go\r\n250 injected\r\n' },
    ],
    ['pop3+tls', '+OK\r\n', { STLS: '+OK\r\n+OK injected\r\n' }],
    ['imap+tls', '* OK\r\n', { 'p1 STARTTLS': 'p1 OK\r\n* CAPABILITY injected\r\n' }],
    ['ftp+tls', '220 x\r\n', { 'AUTH TLS': '234 go\r\n200 injected\r\n' }],
  ])(
    'of %s with plain text after it is an injection, and never passes for TLS',
    async (name, greeting, answers) => {
      const { port } = await startFakeServer(replyToLines(greeting, answers));
      const finding = expectFinding(
        await probeService(port, { name, insecure: true }),
        'tls-failed',
      );
      expect(finding.failure).toBe('injection');
      expect(finding.problem).toMatch(
        /^plain text came after its answer to STARTTLS, before TLS began: ".*injected/,
      );
    },
  );
});
