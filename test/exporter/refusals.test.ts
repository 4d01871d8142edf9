import fc from 'fast-check';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MOST_ADDRESSES } from '../../src/exporter/probing/prober.js';
import {
  countDescriptors,
  get,
  listenNames,
  readOwnMetrics,
  sendBytes,
  startExporter,
  untilInFlight,
} from '../support/exporter.js';
import { freePort, listen, silentPort, SOON } from '../support/listeners.js';

/** Slow connections are closed only after several seconds. */
const PATIENT = { timeout: 30_000 } as const;

describe('a target that is not allowed', () => {
  it('is refused outside loopback and private ranges when no --allow was given', async () => {
    const exporter = await startExporter();
    expect(exporter.log[0]).toMatchObject({
      event: 'listening',
      allowed: 'only loopback and private addresses, because no --allow was given',
    });
    for (const target of [
      '8.8.8.8:53',
      '[2001:db8::1]:53',
      '[::ffff:8.8.8.8]:53',
      '0.0.0.0:80',
      '[::]:80',
    ]) {
      const { status, body } = await exporter.probe({ target });
      expect([target, status, body]).toEqual([
        target,
        403,
        `${target} is not allowed here; --allow ${target} would permit it\n`,
      ]);
    }
    expect(
      (await readOwnMetrics(exporter))[
        'portping_exporter_requests_refused_total{reason="forbidden"}'
      ],
    ).toBe(5);
    expect(exporter.log.at(-1)).toMatchObject({
      event: 'refused',
      level: 'warning',
      reason: 'forbidden',
    });
  });

  it('is never dialled, even when a name leads to it', async () => {
    const allowed = await listen('127.0.0.1');
    const forbidden = await listen('127.0.0.2', { port: allowed.port });
    const dns = await listenNames({
      'evil.test': ['127.0.0.2'],
      'mixed.test': ['127.0.0.2', '127.0.0.1'],
      'good.test': ['127.0.0.1'],
    });
    const exporter = await startExporter([
      '--dns',
      dns.address,
      '--allow',
      `127.0.0.1:${allowed.port}`,
    ]);
    const probe = (name: string, all = 'false') =>
      exporter.probe({ target: `${name}:${allowed.port}`, all });

    for (const all of ['false', 'true']) {
      const evil = await probe('evil.test', all);
      expect([evil.status, evil.body]).toEqual([
        403,
        expect.stringMatching(
          new RegExp(`^evil\\.test:${allowed.port} is not allowed here: it leads to this machine`),
        ),
      ]);
      expect(evil.body).not.toContain('127.');
      const mixed = await probe('mixed.test', all);
      expect(mixed.status).toBe(200);
      expect(mixed.body).toContain('address="127.0.0.1"');
      expect(mixed.body).not.toContain('127.0.0.2');
      expect(mixed.body).toContain(
        `# 1 more address of this name was not probed: not allowed, or beyond ${MOST_ADDRESSES}.`,
      );
    }
    expect((await probe('good.test')).status).toBe(200);
    expect((await probe('127.0.0.2')).status).toBe(403);
    expect((await exporter.probe({ target: 'good.test:1' })).status).toBe(403);
    expect(dns.questions.length).toBe(2 * 5); // A and AAAA each; the last one was not resolved
    expect(forbidden.connections).toHaveLength(0);
    expect(allowed.connections).toHaveLength(3);
  });

  it('is refused when only a rule for names permits its loopback address', async () => {
    const { port, connections } = await listen();
    const dns = await listenNames({ 'evil.test': ['127.0.0.1'] });
    const exporter = await startExporter(['--dns', dns.address, '--allow', '*.test']);
    const { status, body } = await exporter.probe({ target: `evil.test:${port}` });
    expect([status, body]).toEqual([
      403,
      expect.stringContaining('which no rule for names permits'),
    ]);
    expect(connections).toHaveLength(0);
  });
});

describe('a bad request', () => {
  it('is refused with one line of plain text', async () => {
    const exporter = await startExporter();
    for (const [path, status, body] of [
      ['/probe', 400, 'target: missing; write: /probe?target=db:5432\n'],
      [
        '/probe?target=db:1&bogus=1',
        400,
        'bogus: unknown parameter; allowed: target, module, timeout, service, sni, hostname, ' +
          'insecure, all, debug\n',
      ],
      [
        '/probe?target=%1b%5b31m:1',
        400,
        expect.stringMatching(/^target: "\\x1b\[31m:1" cannot be probed: host: .*\n$/) as string,
      ],
      [
        '/nowhere',
        404,
        'there is no page /nowhere; allowed: /probe, /metrics, /-/healthy, ' +
          '/-/ready, /-/reload, /config, /, /try\n',
      ],
      [`/probe?target=${'x'.repeat(3000)}:1`, 414, 'the URL has 3016 characters; allowed: 2048\n'],
    ] as const) {
      const answer = await get(`${exporter.url}${path}`);
      expect([path.slice(0, 40), answer.status, answer.body]).toEqual([
        path.slice(0, 40),
        status,
        body,
      ]);
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    }
    const posted = await get(`${exporter.url}/probe?target=127.0.0.1:1`, { method: 'POST' });
    expect([posted.status, posted.headers.allow, posted.body]).toEqual([
      405,
      'GET, HEAD',
      'POST is not allowed; allowed: GET, HEAD\n',
    ]);
  });

  it('is cut off when it is too long, and its client can read why', async () => {
    const exporter = await startExporter();
    const said = await sendBytes(
      exporter,
      `GET /probe?target=${'x'.repeat(1_000_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );
    expect(said).toMatch(
      /^HTTP\/1\.1 431 [^]*\r\n\r\nthe URL and the headers are too long; allowed: 8192 bytes\n$/,
    );
    expect(await sendBytes(exporter, `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await sendBytes(exporter, '\x16\x03\x01 this is TLS\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 [^]*this is not an HTTP request\n$/,
    );
    expect(await sendBytes(exporter, 'CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 405 [^]*CONNECT is not allowed; allowed: GET, HEAD\n$/,
    );
    expect(
      (await readOwnMetrics(exporter))[
        'portping_exporter_requests_refused_total{reason="headers-too-long"}'
      ],
    ).toBe(2);
  });

  it('is cut off when it arrives too slowly, and delays no other', async () => {
    const exporter = await startExporter();
    const slow = [
      sendBytes(exporter, 'GET /probe?tar'),
      sendBytes(exporter),
      sendBytes(exporter, 'GET / HTTP/1.1\r\nHost: localhost\r\n'),
    ];
    expect((await get(`${exporter.url}/-/healthy`)).body).toBe('portping-exporter is healthy.\n');
    for (const said of await Promise.all(slow))
      expect(said).toMatch(
        /^(HTTP\/1\.1 408 [^]*the request took too long to arrive; allowed: 10 s, [^]*\n)?$/,
      );
    expect(
      (await readOwnMetrics(exporter))['portping_exporter_requests_refused_total{reason="slow"}'],
    ).toBeGreaterThanOrEqual(2);
  });

  it('is refused while too many probes are in flight', async () => {
    const [silent, open] = [await silentPort(), await listen()];
    const exporter = await startExporter(['--concurrency', '2']);
    const waiting = [1, 2].map(() =>
      exporter.probe({ target: `127.0.0.1:${silent}`, timeout: '2s' }),
    );
    await untilInFlight(exporter, 2);
    const refused = await exporter.probe({ target: `127.0.0.1:${open.port}` });
    expect([refused.status, refused.headers['retry-after'], refused.body]).toEqual([
      503,
      '1',
      '2 probes are in flight, the limit of --concurrency; retry later\n',
    ]);
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await exporter.probe({ target: `127.0.0.1:${open.port}` })).status).toBe(200);
  });

  it.runIf(process.platform === 'linux')(
    'replaces a kept connection, or is refused when all connections are in use',
    async () => {
      const exporter = await startExporter(['--concurrency', '1']);
      const descriptors = () => countDescriptors(exporter);
      const before = await descriptors();
      const hold = (text: string) =>
        Promise.all(
          Array.from({ length: 257 }, async () => {
            const socket = connect({ port: exporter.port, host: '127.0.0.1' }).on(
              'error',
              () => {},
            );
            onTestFinished(() => void socket.destroy());
            socket.write(text);
            await once(socket, text.endsWith('\r\n\r\n') ? 'data' : 'connect');
            return socket;
          }),
        );
      await hold('GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n');
      expect((await get(`${exporter.url}/-/healthy`)).status).toBe(200);
      await expect.poll(descriptors, SOON).toBeLessThan(before + 200);
      await hold('GET / HTTP/1.1\r\n');
      expect(await sendBytes(exporter)).toMatch(
        /^HTTP\/1\.1 503 [^]*\r\n\r\ntoo many connections; allowed: 257\n$/,
      );
      await expect
        .poll(async () => (await get(`${exporter.url}/-/healthy`)).status, PATIENT)
        .toBe(200);
      expect(
        (await readOwnMetrics(exporter))[
          'portping_exporter_requests_refused_total{reason="too-many-connections"}'
        ],
      ).toBeGreaterThan(0);
    },
  );

  it('is refused with a line of text where it breaks the rules of HTTP', async () => {
    const exporter = await startExporter();
    expect(await sendBytes(exporter, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 [^]*\r\n\r\nthe request has no Host header\n$/,
    );
    expect(
      await sendBytes(
        exporter,
        'GET / HTTP/1.1\r\nHost: localhost\r\nHost: db\r\nConnection: close\r\n\r\n',
      ),
    ).toMatch(/^HTTP\/1\.1 400 [^]*\r\n\r\nthe request has more than one Host header\n$/);
    expect(
      await sendBytes(
        exporter,
        'GET / HTTP/1.1\r\nHost: localhost\r\nExpect: foo\r\nConnection: close\r\n\r\n',
      ),
    ).toMatch(/^HTTP\/1\.1 417 [^]*\r\n\r\nExpect: foo cannot be met; allowed: 100-continue\n$/);
    expect(await sendBytes(exporter, 'GET /-/healthy HTTP/1.0\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 /,
    );
    expect(await readOwnMetrics(exporter)).toMatchObject({
      'portping_exporter_requests_refused_total{reason="bad-request"}': 2,
      'portping_exporter_requests_refused_total{reason="bad-expectation"}': 1,
    });
  });

  it('does no harm, whatever its bytes', async () => {
    const exporter = await startExporter();
    const [path, bytes] = [
      fc.sample(fc.string({ unit: 'binary' }), 60),
      fc.sample(fc.uint8Array({ maxLength: 400 }), 60),
    ];
    await Promise.all([
      ...path.map((each) =>
        sendBytes(
          exporter,
          `GET /probe?target=${encodeURIComponent(each).slice(0, 500)} HTTP/1.1\r\n`,
          'Host: localhost\r\nConnection: close\r\n\r\n',
        ).then((said) => expect(said).toMatch(/^HTTP\/1\.1 (200|400|403) /)),
      ),
      ...bytes.map((each) => sendBytes(exporter, Buffer.from(each).toString('latin1'), '\r\n\r\n')),
    ]);
    expect((await get(`${exporter.url}/-/healthy`)).status).toBe(200);
    expect(exporter.log.filter(({ event }) => event === 'error')).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('leaves no descriptor open', async () => {
    const exporter = await startExporter();
    const descriptors = () => countDescriptors(exporter);
    await get(`${exporter.url}/metrics`);
    const before = await descriptors();
    const target = `127.0.0.1:${await freePort()}`;
    for (let round = 0; round < 20; round += 1) {
      await Promise.all([
        exporter.probe({ target }),
        exporter.probe({ target: '8.8.8.8:53' }),
        sendBytes(exporter, 'nonsense\r\n\r\n'),
        get(`${exporter.url}/nowhere`),
      ]);
    }
    await expect.poll(descriptors, SOON).toBeLessThanOrEqual(before + 2);
  });
});

it('a request with its server in the URL, as for a proxy, is answered', async () => {
  const exporter = await startExporter();
  const ask = (url: string) =>
    sendBytes(exporter, `GET ${url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  expect(await ask(`${exporter.url}/-/healthy`)).toMatch(/^HTTP\/1\.1 200 [^]*healthy\.\n$/);
  expect(await ask(`HTTP://LOCALHOST/probe?target=127.0.0.1:${await freePort()}`)).toMatch(
    /^HTTP\/1\.1 200 [^]*conn-refused/,
  );
  for (const url of ['http://localhost', 'http://127.0.0.1:1?y'])
    expect(await ask(url)).toMatch(/^HTTP\/1\.1 200 [^]*<form/);
});
