import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { probePort } from '../../../src/core/probe/port-probe.js';
import { prepareServiceProbe } from '../../../src/core/service/service-probe.js';
import type { ServiceRequest } from '../../../src/core/service/registry.js';
import { TestAuthority, type TestCertificate } from '../../support/certificates.js';
import {
  expectFinding,
  probeService,
  replyToLines,
  upgradeToTls,
} from '../../support/fake-servers.js';
import { SOON } from '../../support/listeners.js';
import { describeWith } from '../../support/tools.js';

let authority: TestAuthority;
let selfSigned: TestCertificate;

beforeAll(() => {
  authority = new TestAuthority();
  selfSigned = authority.issue({ selfSigned: true, altNames: 'IP:127.0.0.1' });
});
afterAll(() => authority?.remove());

type Talk = (socket: Socket) => void;

/** Starts a server that does the first with its first connection, and so on; then the last. */
async function startServer(...talks: [Talk, ...Talk[]]) {
  const remotes: (string | undefined)[] = [];
  const sockets: Socket[] = [];
  const ends: (string | undefined)[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', ({ code }: NodeJS.ErrnoException) => ends.push(code)));
    remotes.push(socket.remoteAddress);
    (talks[remotes.length - 1] ?? talks.at(-1) ?? talks[0])(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await once(server.close(), 'close');
  });
  return { port: (server.address() as AddressInfo).port, remotes, sockets, ends, server };
}

const OLD: TlsOptions = {
  minVersion: 'TLSv1',
  maxVersion: 'TLSv1',
  ciphers: 'DEFAULT@SECLEVEL=0',
};
const SHA1_ONLY: TlsOptions = {
  maxVersion: 'TLSv1.2',
  sigalgs: 'RSA+SHA1',
  ciphers: 'DEFAULT@SECLEVEL=0',
};

/** Speaks TLS, and HTTP inside. */
const serve =
  (options: TlsOptions = {}): Talk =>
  (socket) =>
    upgradeToTls(socket, { cert: selfSigned.cert, key: selfSigned.key, ...options }, (secure) =>
      secure.once('data', () => secure.end('HTTP/1.1 200 OK\r\n\r\n')),
    );

/** Waits for the first message of the client, and ends with this. */
const answer =
  (bytes: readonly number[]): Talk =>
  (socket) =>
    void socket.once('data', () => socket.end(Buffer.from(bytes)));
const internalError = answer([0x15, 3, 3, 0, 2, 2, 80]);
const internalErrorAndHold: Talk = (socket) =>
  void socket.once('data', () => socket.write(Buffer.from([0x15, 3, 3, 0, 2, 2, 80])));
const drop = answer([]);

const failures = (finding: { tls: { problems: readonly { failure: string }[] } | null }) =>
  finding.tls?.problems.map(({ failure }) => failure);

describeWith('openssl', 'a second handshake', () => {
  it('is not made with a server whose certificate alone is bad', async () => {
    for (const insecure of [false, true]) {
      const { port, remotes } = await startServer(serve());
      const finding = await probeService(port, { name: 'https', insecure });
      expect(finding.state).toBe(insecure ? 'answered' : 'tls-failed');
      expect(failures(finding)).toEqual(['self-signed']);
      expect(remotes).toHaveLength(1);
    }
  });

  it('finds the old version, the certificate, and with --insecure the answer', async () => {
    for (const insecure of [false, true]) {
      const { port, remotes } = await startServer(serve(OLD));
      const finding = await probeService(port, { name: 'https', insecure });
      expect(finding.state).toBe(insecure ? 'answered' : 'tls-failed');
      expect(failures(finding)).toEqual(['old-version', 'self-signed']);
      expect(finding.firstLine).toBe(insecure ? 'HTTP/1.1 200 OK' : null);
      expect(remotes).toHaveLength(2);
    }
  });

  it('finds that a server signs only with SHA-1', async () => {
    for (const insecure of [false, true]) {
      const { port, remotes } = await startServer(serve(SHA1_ONLY));
      const finding = await probeService(port, { name: 'https', insecure });
      expect(finding.state).toBe(insecure ? 'answered' : 'tls-failed');
      expect(finding.tls).toMatchObject({
        version: 'TLSv1.2',
        problems: [
          {
            failure: 'weak',
            problem:
              'with the security that clients require today, it ended the handshake with the ' +
              'alert "handshake failure"; with SHA-1 and short keys allowed, the handshake ' +
              'succeeds',
          },
          { failure: 'self-signed' },
        ],
      });
      expect(remotes).toHaveLength(2);
    }
  });

  it('of a service with STARTTLS begins with a conversation of its own', async () => {
    const talk = replyToLines('220 x ESMTP\r\n', {
      EHLO: '250-x\r\n250 STARTTLS\r\n',
      STARTTLS: (socket) => {
        socket.write('220 go\r\n');
        const options = { cert: selfSigned.cert, key: selfSigned.key, ...OLD };
        upgradeToTls(socket, options, replyToLines('', { EHLO: '250 x\r\n', QUIT: '221 x\r\n' }));
      },
    });
    const { port, remotes } = await startServer(talk);
    const failed = await probeService(port, { name: 'smtp+tls' });
    expect(failed).toMatchObject({ state: 'tls-failed', failure: 'old-version' });
    expect(failed.firstLine).toBe('220 x ESMTP');
    expect(remotes).toHaveLength(2);
    expectFinding(await probeService(port, { name: 'smtp+tls', insecure: true }), 'answered');
  });

  it.each<[string, ServiceRequest]>([
    ['an alert', { name: 'https' }],
    ['an alert, also with --insecure', { name: 'https', insecure: true }],
  ])('that has no need of less security does not explain %s', async (_, request) => {
    const { port, remotes } = await startServer(internalError, serve());
    const finding = expectFinding(await probeService(port, request), 'tls-failed');
    expect(finding).toMatchObject({
      failure: 'handshake',
      problem: 'it ended the handshake with the alert "internal error"',
      tls: null,
    });
    expect(remotes).toHaveLength(2);
  });

  it('explains a drop by an old version, and by nothing else', async () => {
    const old = await startServer(drop, serve(OLD));
    expect(await probeService(old.port, { name: 'https' })).toMatchObject({
      state: 'tls-failed',
      failure: 'old-version',
    });
    for (const second of [serve(), serve(SHA1_ONLY), internalError, drop]) {
      const { port, remotes } = await startServer(drop, second);
      const finding = await probeService(port, { name: 'https', insecure: true });
      expect(finding).toMatchObject({ state: 'dropped', by: 'end', tls: null });
      expect(remotes).toHaveLength(2);
    }
  });

  it('that cannot be made leaves the words of the first', async () => {
    const { port, server } = await startServer((socket) => {
      server.close();
      serve(OLD)(socket);
    });
    expect(await probeService(port, { name: 'https' })).toMatchObject({
      state: 'tls-failed',
      failure: 'old-version',
      problem: 'it supports no TLS version from 1.2 to 1.3',
      tls: null,
    });
  });

  it('ends at the deadline of both, with the words of the first', async () => {
    const { port, remotes } = await startServer(serve(OLD), () => {});
    const finding = await probeService(port, { name: 'https' }, { timeoutMs: 700 });
    expect(finding).toMatchObject({
      state: 'tls-failed',
      problem: 'it supports no TLS version from 1.2 to 1.3',
    });
    expect(remotes).toHaveLength(2);
  });

  it('counts in the time and the bytes of the finding', async () => {
    const { port, sockets } = await startServer(
      (socket) => void setTimeout(() => internalError(socket), 200),
      serve(OLD),
    );
    const finding = expectFinding(
      await probeService(port, { name: 'tls', insecure: true }),
      'answered',
    );
    expect(finding.elapsedMs).toBeGreaterThan(150);
    expect(finding.answerMs).toBeLessThan(finding.elapsedMs - 150);
    const [first, second] = sockets.map(({ bytesWritten }) => bytesWritten);
    expect(first).toBe(7); // the alert
    expect(finding.receivedBytes).toBeGreaterThan(Number(second) / 2 + 7);
    expect(finding.receivedBytes).toBeLessThanOrEqual(Number(second) + 7);
  });

  it('is made from the same source address, and closed like the first', async () => {
    const { port, remotes, ends } = await startServer(internalErrorAndHold);
    const target = { host: '127.0.0.1', port };
    const probe = await prepareServiceProbe({ name: 'https' }, target);
    const outcome = await probePort(
      { address: '127.0.0.1', family: 4, port },
      { sourceAddress: '127.0.0.7', closeWith: 'reset' },
      { probeService: probe },
    );
    expect(outcome).toMatchObject({ state: 'open', service: { failure: 'handshake' } });
    expect(remotes).toEqual(['127.0.0.7', '127.0.0.7']);
    await expect.poll(() => ends, SOON).toEqual(['ECONNRESET', 'ECONNRESET']);
  });
});
