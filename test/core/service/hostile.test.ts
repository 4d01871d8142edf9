import fc from 'fast-check';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { probePort } from '../../../src/core/probe/port-probe.js';
import { prepareServiceProbe } from '../../../src/core/service/service-probe.js';
import { SERVICE_NAMES, SERVICES } from '../../../src/core/service/registry.js';
import { describeService, describeTls } from '../../../src/report/service.js';
import { TestAuthority } from '../../support/certificates.js';
import { HARMFUL } from '../../support/reports.js';
import {
  probeService,
  expectFinding,
  startFakeServer,
  startTlsServer,
} from '../../support/fake-servers.js';
import { itWith } from '../../support/tools.js';

/** Sends as fast as the client reads. */
function flood(socket: Socket, chunk: Buffer, total = Infinity): void {
  let sent = 0;
  const more = (): void => {
    while (sent < total && socket.writable && !socket.destroyed) {
      sent += chunk.length;
      if (!socket.write(chunk)) return;
    }
  };
  socket.on('drain', more);
  more();
}

/** Sends one piece a turn. */
async function sendPieces(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Random pieces: of any bytes, and of what protocols send. */
const somePieces = fc.array(
  fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom(
        '220 a\r\n',
        '250 b\r\n',
        '250-STARTTLS\r\n',
        '234 c\r\n',
        '220-',
        '+OK\r\n',
        '* OK\r\n',
        'p1 OK\r\n',
        'SSH-2.0-\x1b[2J\r\n',
        'HTTP/1.1 200 \x9b\r\n',
        '\r\n',
        '\n',
        '\x16\x03\x01\x02\x00',
        '\x03\x00\x00\x0b\x06\xd0',
        '\x03\x00\x00\x07',
        '\u202e\ufeff\r\n',
      )
      .map((text) => Buffer.from(text)),
  ),
  { maxLength: 12 },
);

describe('a server that', () => {
  it('sends nothing is silent, at the deadline', async () => {
    const { port } = await startFakeServer(() => {});
    const startedAt = performance.now();
    const finding = expectFinding(
      await probeService(port, { name: 'smtp' }, { timeoutMs: 400 }),
      'silent',
    );
    expect(performance.now() - startedAt).toBeLessThan(2400);
    expect(finding).toMatchObject({
      firstLine: null,
      answerMs: null,
      receivedBytes: 0,
      awaited: 'its greeting',
      unfinished: null,
    });
    expect(finding.elapsedMs).toBeGreaterThan(300);
  });

  it('sends a byte at a time is silent, with what came so far', async () => {
    const { port } = await startFakeServer((socket) => {
      const timer = setInterval(() => socket.write('2'), 50);
      socket.on('close', () => clearInterval(timer));
    });
    const finding = expectFinding(
      await probeService(port, { name: 'smtp' }, { timeoutMs: 500 }),
      'silent',
    );
    expect(finding.unfinished).toMatch(/^2{2,10}$/);
    expect(finding.firstLine).toBe(finding.unfinished);
    expect(describeService(finding)).toMatch(
      /^smtp is silent: its greeting was not complete within \d+ ms; it began with "2+"\.$/,
    );
  });

  it('ends inside a greeting or a TPKT is reported with what came of it', async () => {
    const half = await startFakeServer((socket) => void socket.end('220-one\r\n220-two\r\n'));
    const dropped = expectFinding(
      await probeService(half.port, { name: 'smtp' }, { timeoutMs: 5000 }),
      'dropped',
    );
    expect(describeService(dropped)).toMatch(
      new RegExp(
        String.raw`^smtp dropped the connection: it was closed .* after the handshake, in ` +
          String.raw`the middle of its greeting, which began with "220-one"\.$`,
      ),
    );
    const tpkt = await startFakeServer(
      (socket) =>
        void socket.on('data', () => socket.write(Buffer.from([3, 0, 0xff, 0xff, 6, 0xd0]))),
    );
    const silent = expectFinding(
      await probeService(tpkt.port, { name: 'x400' }, { timeoutMs: 400 }),
      'silent',
    );
    expect(describeService(silent)).toMatch(
      / was not complete within \d+ ms; it began with "\\x03\\x00ÿÿ\\x06Ð"\.$/,
    );
  });

  it('sends an endless greeting slowly is silent, too', async () => {
    const { port } = await startFakeServer((socket) => {
      const timer = setInterval(() => socket.write('220-more\r\n'), 50);
      socket.on('close', () => clearInterval(timer));
    });
    expect(
      expectFinding(await probeService(port, { name: 'smtp' }, { timeoutMs: 400 }), 'silent'),
    ).toMatchObject({ firstLine: '220-more', awaited: 'its greeting' });
  });

  it.each([
    ['10 MB in one line', Buffer.alloc(65_536, 'a'), 10_000_000],
    ['endless lines', Buffer.from('220-a\r\n'.repeat(1000)), Infinity],
    ['endless zeros', Buffer.alloc(65_536), Infinity],
  ])('sends %s is cut off at 64 KiB and reported', async (_, chunk, total) => {
    const { port } = await startFakeServer((socket) => flood(socket, chunk, total));
    const finding = expectFinding(await probeService(port, { name: 'smtp' }), 'wrong-protocol');
    expect(finding.receivedBytes).toBeLessThanOrEqual(65_536);
    expect(finding.firstLine?.length).toBeLessThanOrEqual(513);
    if (!/^220/.test(chunk.toString('latin1'))) expect(finding.receivedBytes).toBe(65_536);
    expect(finding.problem).toMatch(
      new RegExp(
        String.raw`^more than 64 KiB came before its greeting was complete; it begins with ` +
          String.raw`"|is not an SMTP greeting`,
      ),
    );
  });

  it('sends 10 MB in one line has a banner, of which 512 bytes are kept', async () => {
    const { port } = await startFakeServer((socket) =>
      flood(socket, Buffer.alloc(65_536, 'a'), 10_000_000),
    );
    const finding = expectFinding(await probeService(port, { name: 'banner' }), 'answered');
    expect(finding.firstLine).toBe(`${'a'.repeat(512)}…`);
    expect(finding.receivedBytes).toBeLessThanOrEqual(65_536);
  });

  it.each(['http', 'x400', 'tls', 'ssh', 'pop3', 'imap', 'ftp'] as const)(
    'floods %s is cut off',
    async (name) => {
      const { port } = await startFakeServer((socket) => flood(socket, Buffer.alloc(65_536, 0x16)));
      const finding = await probeService(port, { name });
      expect(['wrong-protocol', 'tls-failed']).toContain(finding.state);
      expect(finding.receivedBytes).toBeLessThanOrEqual(65_536);
    },
  );

  it('closes at once is reported as dropped', async () => {
    const { port } = await startFakeServer((socket) => socket.end());
    for (const name of ['smtp', 'https', 'tls', 'x400', 'http', 'banner'] as const) {
      const finding = expectFinding(await probeService(port, { name }), 'dropped');
      expect(finding).toMatchObject({ by: 'end', winsock: null, unfinished: null });
      expect(finding.afterMs).toBeGreaterThan(0);
    }
  });

  it('resets at once is reported as dropped, with 10054', async () => {
    const { port } = await startFakeServer((socket) => socket.resetAndDestroy());
    for (const name of ['smtp', 'https', 'x400', 'banner'] as const) {
      expect(expectFinding(await probeService(port, { name }), 'dropped')).toMatchObject({
        by: 'reset',
        winsock: 10054,
      });
    }
  });

  it('answers before the request and then resets has answered', async () => {
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const script = `
      const { parentPort, workerData: gate } = require('node:worker_threads');
      const server = require('node:net').createServer((socket) => {
        Atomics.wait(gate, 0, 0);
        socket.write('HTTP/1.1 503 Busy\\r\\n\\r\\n', () => {
          socket.resetAndDestroy();
          Atomics.store(gate, 0, 2);
          Atomics.notify(gate, 0);
        });
      }).listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
    const worker = new Worker(script, { eval: true, workerData: gate });
    onTestFinished(async () => void (await worker.terminate()));
    const [port] = (await once(worker, 'message')) as [number];
    /** Lets it answer and reset before we have done anything. */
    const onOpen = (): void => {
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      Atomics.wait(gate, 0, 1, 10_000);
    };
    const serviceProbe = await prepareServiceProbe({ name: 'http' }, { host: '127.0.0.1', port });
    const outcome = await probePort(
      { address: '127.0.0.1', family: 4, port },
      {},
      { probeService: serviceProbe, onOpen },
    );
    expect(outcome).toMatchObject({
      state: 'open',
      service: { state: 'answered', firstLine: 'HTTP/1.1 503 Busy' },
    });
  });

  it('resets halfway is reported as dropped inside its greeting', async () => {
    const { port } = await startFakeServer((socket) => {
      socket.write('220-mail');
      setTimeout(() => socket.resetAndDestroy(), 50);
    });
    const finding = expectFinding(await probeService(port, { name: 'smtp' }), 'dropped');
    expect(finding).toMatchObject({
      by: 'reset',
      winsock: 10054,
      awaited: 'its greeting',
      unfinished: '220-mail',
    });
    expect(describeService(finding)).toMatch(
      new RegExp(
        String.raw`^smtp dropped the connection: it was reset <10054> [\d.]+ ms after the ` +
          String.raw`handshake, in the middle of its greeting, which began with "220-mail"\.$`,
      ),
    );
  });

  it('closes after its greeting is reported as dropped before the next answer', async () => {
    const { port } = await startFakeServer((socket) => socket.end('220 x\r\n'));
    const finding = expectFinding(await probeService(port, { name: 'smtp' }), 'dropped');
    expect(finding).toMatchObject({ firstLine: '220 x', awaited: 'its answer to EHLO' });
    expect(describeService(finding)).toMatch(/before its answer to EHLO\. It had sent "220 x"\.$/);
  });

  it('is read to its last byte although it closes after it', async () => {
    const { port } = await startFakeServer(
      (socket) => void socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\n')),
    );
    expectFinding(await probeService(port, { name: 'http' }), 'answered');
  });

  it('greets in pieces of any size has answered as if in one', async () => {
    const greeting = Buffer.from('220-mail.example.com\r\n220 grüß\r\n');
    let cuts: readonly number[] = [];
    const { port } = await startFakeServer((socket) => {
      socket.setNoDelay(true);
      void sendPieces(
        socket,
        [...cuts, greeting.length].map((cut, index) =>
          greeting.subarray(cuts[index - 1] ?? 0, cut),
        ),
      );
      socket.once('data', () => socket.write('250 x\r\n'));
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: greeting.length - 1 }), { maxLength: 6 }),
        async (some) => {
          cuts = some.sort((one, other) => one - other);
          expect(
            expectFinding(await probeService(port, { name: 'smtp' }), 'answered').firstLine,
          ).toBe('220-mail.example.com');
        },
      ),
      { numRuns: 25 },
    );
  });

  it('sends random bytes never causes a crash, a late verdict or a control character', async () => {
    const scripts = new Map<number, { pieces: readonly Buffer[]; end: string }>();
    const { port } = await startFakeServer((socket) => {
      const { pieces: all, end } = scripts.get(0) ?? { pieces: [], end: 'hold' };
      void sendPieces(socket, all).then(() => {
        if (end === 'end') socket.end();
        else if (end === 'reset') socket.resetAndDestroy();
      });
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SERVICE_NAMES),
        somePieces,
        fc.constantFrom('hold', 'end', 'reset'),
        async (name, all, end) => {
          scripts.set(0, { pieces: all, end });
          const startedAt = performance.now();
          const finding = await probeService(
            port,
            { name, ...(SERVICES[name].tls === null ? {} : { insecure: true }) },
            { timeoutMs: 60 },
          );
          expect(performance.now() - startedAt).toBeLessThan(2060);
          expect(finding.receivedBytes).toBeLessThanOrEqual(65_536);
          expect(describeService(finding)).not.toMatch(HARMFUL);
          if (finding.tls) expect(describeTls(finding.tls, true)).not.toMatch(HARMFUL);
        },
      ),
      { numRuns: 150 },
    );
  });

  itWith(
    'openssl',
    'sends random bytes inside TLS never causes a crash or a control character',
    async () => {
      const authority = new TestAuthority();
      onTestFinished(() => authority.remove());
      const { cert, key } = authority.issue();
      let pieces: readonly Buffer[] = [];
      const { port } = await startTlsServer(
        { cert, key },
        (socket) => void sendPieces(socket, pieces),
      );
      const names = SERVICE_NAMES.filter((name) => SERVICES[name].tls === 'implicit');
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...names), somePieces, async (name, some) => {
          pieces = some;
          const startedAt = performance.now();
          const finding = await probeService(port, { name, insecure: true }, { timeoutMs: 150 });
          expect(performance.now() - startedAt).toBeLessThan(2150);
          expect(describeService(finding)).not.toMatch(HARMFUL);
          if (finding.tls) expect(describeTls(finding.tls, true)).not.toMatch(HARMFUL);
        }),
        { numRuns: 40 },
      );
    },
  );
});
