import fc from 'fast-check';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { spawn } from 'node:child_process';
import { TestAuthority } from '../support/certificates.js';
import { collect, environment, run } from '../support/command.js';
import { describeEngines } from '../support/engines.js';
import {
  exporterCommand,
  get,
  samplesOf,
  startExporter,
  type TestExporter,
} from '../support/exporter.js';
import { freePort, listen, listenDns, silentPort, SOON } from '../support/listeners.js';

/** A DNS server that knows these names; their addresses are IPv4. */
const dnsOf = (names: Record<string, readonly string[]>) =>
  listenDns((type, name) => {
    const addresses = names[name];
    if (!addresses) return 'NXDOMAIN';
    return type === 'A'
      ? addresses.map((data) => ({ type: 'A' as const, name, ttl: 60, data }))
      : [];
  });

/** Sends raw bytes, and returns what comes back until the connection ends. */
async function talk(port: number, ...pieces: readonly string[]): Promise<string> {
  const socket: Socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  let said = '';
  socket
    .setEncoding('utf8')
    .on('data', (text: string) => {
      said += text;
    })
    .on('error', () => {});
  for (const piece of pieces) socket.write(piece);
  await once(socket, 'close');
  return said;
}

async function ownMetrics(exporter: TestExporter): Promise<Record<string, number>> {
  return samplesOf((await get(`${exporter.url}/metrics`)).body);
}

describe('a probe over HTTP', () => {
  it('has the cause as a label, for whatever there is', async () => {
    const [open, closed, silent] = [await listen(), await freePort(), await silentPort()];
    const dns = await dnsOf({ 'db.test': ['127.0.0.1'] });
    const exporter = await startExporter(['--dns', dns.address, '--timeout', '700ms']);
    const cause = async (target: string) => {
      const { status, body, headers } = await exporter.probe({ target });
      expect([status, headers['content-type']]).toEqual([
        200,
        'text/plain; version=0.0.4; charset=utf-8',
      ]);
      const samples = samplesOf(body);
      expect(samples[`portping_success{target="${target}"}`]).toBe(
        Number(body.includes('state="open"')),
      );
      return /^portping_cause\{target="(.*)",state="(.*)",cause="(.*)"\} 1$/m.exec(body)?.slice(1);
    };
    expect(await cause(`db.test:${open.port}`)).toEqual([`db.test:${open.port}`, 'open', 'open']);
    expect(await cause(`127.0.0.1:${closed}`)).toEqual([
      `127.0.0.1:${closed}`,
      'closed',
      'conn-refused',
    ]);
    expect(await cause(`127.0.0.1:${silent}`)).toEqual([
      `127.0.0.1:${silent}`,
      'filtered',
      'no-response',
    ]);
    expect(await cause('nowhere.test:25')).toEqual([
      'nowhere.test:25',
      'unresolved',
      'name-not-found',
    ]);
  });

  it('tells the phases apart', async () => {
    const { port } = await listen();
    const dns = await dnsOf({ 'db.test': ['127.0.0.1'] });
    const exporter = await startExporter(['--dns', dns.address]);
    const samples = samplesOf((await exporter.probe({ target: `db.test:${port}` })).body);
    const [duration, resolving, connecting] = ['duration', 'dns', 'connect'].map(
      (phase) => samples[`portping_${phase}_seconds{target="db.test:${port}"}`] ?? NaN,
    );
    expect(duration).toBeCloseTo((resolving ?? 0) + (connecting ?? 0), 5);
    expect(connecting).toBeGreaterThan(0);
  });

  it('has a series for every address on request', async () => {
    const { port } = await listen('127.0.0.2');
    const dns = await dnsOf({ 'db.test': ['127.0.0.1', '127.0.0.2'] });
    const exporter = await startExporter(['--dns', dns.address]);
    const target = `db.test:${port}`;
    const every = samplesOf((await exporter.probe({ target, all: 'true' })).body);
    expect(every).toMatchObject({
      [`portping_success{target="${target}"}`]: 0,
      [`portping_cause{target="${target}",state="closed",cause="conn-refused"}`]: 1,
      [`portping_addresses{target="${target}"}`]: 2,
      [`portping_address_open{target="${target}",address="127.0.0.1",family="ipv4"}`]: 0,
      [`portping_address_cause{target="${target}",address="127.0.0.1",family="ipv4",state="closed",cause="conn-refused"}`]: 1,
      [`portping_address_open{target="${target}",address="127.0.0.2",family="ipv4"}`]: 1,
    });
    expect(
      samplesOf((await exporter.probe({ target })).body)[`portping_success{target="${target}"}`],
    ).toBe(1); // one that opens is enough for a client
  });

  it('asks the service on request, and has its silence as the cause', async () => {
    const greeting = createServer((socket) =>
      socket
        .on('error', () => {})
        .resume()
        .write('220 hello\r\n'),
    ).listen(0, '127.0.0.1');
    await once(greeting, 'listening');
    onTestFinished(() => void greeting.close());
    const [{ port: mute }, port] = [await listen(), (greeting.address() as AddressInfo).port];
    const exporter = await startExporter();
    const answered = await exporter.probe({ target: `127.0.0.1:${port}`, service: 'banner' });
    expect(samplesOf(answered.body)).toMatchObject({
      [`portping_success{target="127.0.0.1:${port}"}`]: 1,
      [`portping_cause{target="127.0.0.1:${port}",state="open",cause="open"}`]: 1,
      [`portping_service_seconds{target="127.0.0.1:${port}"}`]: expect.any(Number) as number,
    });
    const silent = await exporter.probe({
      target: `127.0.0.1:${mute}`,
      service: 'smtp',
      timeout: '500ms',
    });
    expect(samplesOf(silent.body)).toMatchObject({
      [`portping_success{target="127.0.0.1:${mute}"}`]: 0,
      [`portping_cause{target="127.0.0.1:${mute}",state="open",cause="silent"}`]: 1,
    });
    expect(silent.body).toMatch(/^# 127\.0\.0\.1:\d+: Service: smtp is silent: /m);
    expect((await get(`${exporter.url}/`)).body).toContain(
      '<span class="other">open</span> silent',
    );
    const other = await exporter.probe({
      target: `127.0.0.1:${port}`,
      service: 'ssh',
      timeout: '1s',
    });
    expect(other.body).toContain('cause="wrong-protocol"');
  });

  it('looks at a certificate as it is told, and says when it expires', async () => {
    const authority = new TestAuthority();
    onTestFinished(() => authority.remove());
    const { cert, key } = authority.issue({
      commonName: 'db.test',
      altNames: 'DNS:db.test',
      selfSigned: true,
    });
    const names: unknown[] = [];
    const server = createTlsServer(
      {
        cert,
        key,
        SNICallback: (name, done) => {
          names.push(name);
          done(null);
        },
      },
      (socket) => socket.on('error', () => {}).resume(),
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const exporter = await startExporter();
    const refused = samplesOf((await exporter.probe({ target, service: 'tls' })).body);
    expect(refused).toMatchObject({
      [`portping_success{target="${target}"}`]: 0,
      [`portping_cause{target="${target}",state="open",cause="tls-failed"}`]: 1,
    });
    const taken = samplesOf(
      (await exporter.probe({ target, service: 'tls', insecure: 'true', sni: 'db.test' })).body,
    );
    expect(taken).toMatchObject({
      [`portping_success{target="${target}"}`]: 1,
      [`portping_cause{target="${target}",state="open",cause="open"}`]: 1,
    });
    const inDays =
      ((taken[`portping_certificate_expiry_timestamp_seconds{target="${target}"}`] ?? 0) -
        Date.now() / 1000) /
      86_400;
    expect(inDays).toBeGreaterThan(89);
    expect(inDays).toBeLessThan(91);
    expect(names).toEqual(['db.test']);
  });

  it('answers HEAD without a body', async () => {
    const { port } = await listen();
    const exporter = await startExporter();
    const { status, body } = await get(`${exporter.url}/probe?target=127.0.0.1:${port}`, {
      method: 'HEAD',
    });
    expect([status, body]).toEqual([200, '']);
  });

  it('ends in time for Prometheus, or when it was asked to, whichever is first', async () => {
    const target = `127.0.0.1:${await silentPort()}`;
    const exporter = await startExporter();
    const wait = (header: string, parameters = {}) =>
      exporter.probe({ target, ...parameters }, { 'X-Prometheus-Scrape-Timeout-Seconds': header });
    const [scraped, asked, tight] = [
      await wait('1.2'),
      await wait('10', { timeout: '400ms' }),
      await wait('0.4'),
    ];
    for (const [{ body }, atLeastMs, lessThanMs] of [
      [scraped, 600, 1200],
      [asked, 350, 1200],
      [tight, 150, 400],
    ] as const) {
      const tookMs = (samplesOf(body)[`portping_duration_seconds{target="${target}"}`] ?? 0) * 1000;
      expect(tookMs).toBeGreaterThan(atLeastMs);
      expect(tookMs).toBeLessThan(lessThanMs);
      expect(body).toContain('cause="no-response"');
    }
    expect((await wait('soon')).status).toBe(400);
  });

  it('ends in time with a dead DNS server, too', async () => {
    const dns = await listenDns(() => 'silence');
    const exporter = await startExporter(['--dns', dns.address]);
    const { body, elapsedMs } = await exporter.probe({ target: 'db.test:5432', timeout: '500ms' });
    expect(body).toContain('cause="resolver-timeout"');
    expect(elapsedMs).toBeLessThan(3000);
  });

  it('is given up when nobody waits for it any more', async () => {
    const target = `127.0.0.1:${await silentPort()}`;
    const exporter = await startExporter();
    const socket = connect({ port: exporter.port, host: '127.0.0.1' });
    socket.write(`GET /probe?target=${target}&timeout=100s HTTP/1.1\r\nHost: x\r\n\r\n`);
    await expect
      .poll(async () => (await ownMetrics(exporter))['portping_exporter_probes_in_flight'], SOON)
      .toBe(1);
    socket.destroy();
    await expect
      .poll(async () => (await ownMetrics(exporter))['portping_exporter_probes_in_flight'], SOON)
      .toBe(0);
    expect((await ownMetrics(exporter))['portping_exporter_probes_total{state="cancelled"}']).toBe(
      1,
    );
  });
});

describe('requests that follow each other without waiting for an answer', () => {
  const probeOf = (target: string, timeout: string) =>
    `GET /probe?target=${target}&timeout=${timeout} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const healthy = 'GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n';

  it('are answered in their order', async () => {
    const exporter = await startExporter();
    const said = await talk(
      exporter.port,
      probeOf(`127.0.0.1:${await silentPort()}`, '300ms'),
      healthy.repeat(2),
      'GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    expect(said.match(/^(portping_cause|portping-exporter is healthy|there is no page)/gm)).toEqual(
      [
        'portping_cause',
        'portping-exporter is healthy',
        'portping-exporter is healthy',
        'there is no page',
      ],
    );
  });

  it('are all given up when their connection goes away, and hold up no end', async () => {
    const target = `127.0.0.1:${await silentPort()}`;
    const exporter = await startExporter();
    const socket = connect({ port: exporter.port, host: '127.0.0.1' }).on('error', () => {});
    socket.write(`${probeOf(target, '100s').repeat(3)}${healthy}`);
    await expect
      .poll(async () => (await ownMetrics(exporter))['portping_exporter_probes_in_flight'], SOON)
      .toBe(3);
    socket.resetAndDestroy();
    await expect
      .poll(async () => (await ownMetrics(exporter))['portping_exporter_probes_in_flight'], SOON)
      .toBe(0);
    const silent = connect({ port: exporter.port, host: '127.0.0.1' }).on('error', () => {});
    onTestFinished(() => void silent.destroy());
    await once(silent, 'connect');
    const { exitCode, elapsedMs } = await exporter.stop();
    expect(exitCode).toBe(0);
    expect(elapsedMs).toBeLessThan(10_000);
  });

  it('are refused when they are too many, with all that waits on their connection', async () => {
    const target = `127.0.0.1:${await silentPort()}`;
    const exporter = await startExporter();
    const said = await talk(exporter.port, probeOf(target, '100s'), healthy.repeat(5000));
    expect(said).toMatch(
      /^HTTP\/1\.1 503 [^]*\r\n\r\ntoo many unanswered requests on one connection; allowed: 16\n$/,
    );
    expect(await ownMetrics(exporter)).toMatchObject({
      'portping_exporter_requests_refused_total{reason="pipelined"}': 1,
      portping_exporter_probes_in_flight: 0,
    });
  });
});

describe('what is not allowed', () => {
  it('is refused without --allow outside private and loopback ranges, and it says so', async () => {
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
      (await ownMetrics(exporter))['portping_exporter_requests_refused_total{reason="forbidden"}'],
    ).toBe(5);
    expect(exporter.log.at(-1)).toMatchObject({
      event: 'refused',
      level: 'warning',
      reason: 'forbidden',
    });
  });

  it('is not connected to, also when a name leads there', async () => {
    const allowed = await listen('127.0.0.1');
    const forbidden = await listen('127.0.0.2', { port: allowed.port });
    const dns = await dnsOf({
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
        '# 1 more address of this name was not probed: not allowed, or beyond 64.',
      );
    }
    expect((await probe('good.test')).status).toBe(200);
    expect((await probe('127.0.0.2')).status).toBe(403);
    expect((await exporter.probe({ target: 'good.test:1' })).status).toBe(403);
    expect(dns.questions.length).toBe(2 * 5); // A and AAAA; the last one was not even resolved
    expect(forbidden.connections).toHaveLength(0);
    expect(allowed.connections).toHaveLength(3);
  });

  it('does not come in by a rule for names', async () => {
    const { port, connections } = await listen();
    const dns = await dnsOf({ 'evil.test': ['127.0.0.1'] });
    const exporter = await startExporter(['--dns', dns.address, '--allow', '*.test']);
    const { status, body } = await exporter.probe({ target: `evil.test:${port}` });
    expect([status, body]).toEqual([
      403,
      expect.stringContaining('which no rule for names permits'),
    ]);
    expect(connections).toHaveLength(0);
  });
});

describe('a request that is not answered with a probe', () => {
  it('is refused with one plain line', async () => {
    const exporter = await startExporter();
    for (const [path, status, body] of [
      ['/probe', 400, 'target: missing; write: /probe?target=db:5432\n'],
      [
        '/probe?target=db:1&bogus=1',
        400,
        'bogus: unknown parameter; allowed: target, timeout, service, sni, insecure, all\n',
      ],
      [
        '/probe?target=%1b%5b31m:1',
        400,
        'target: "\\x1b[31m:1" cannot be probed: host: "\\x1b[31m" is not a host name; allowed: letters, digits, hyphens and dots\n',
      ],
      [
        '/nowhere',
        404,
        'there is no page /nowhere; allowed: /probe?target=host:port, /metrics, /-/healthy and /\n',
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

  it('is cut off when it is too long, and the client can still read why', async () => {
    const exporter = await startExporter();
    const said = await talk(
      exporter.port,
      `GET /probe?target=${'x'.repeat(1_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    expect(said).toMatch(
      /^HTTP\/1\.1 431 [^]*\r\n\r\nthe URL and the headers are too long; allowed: 8192 bytes\n$/,
    );
    expect(await talk(exporter.port, `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await talk(exporter.port, '\x16\x03\x01 this is TLS\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 [^]*this is not an HTTP request\n$/,
    );
    expect(await talk(exporter.port, 'CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 405 [^]*CONNECT is not allowed; allowed: GET, HEAD\n$/,
    );
    expect(
      (await ownMetrics(exporter))[
        'portping_exporter_requests_refused_total{reason="headers-too-long"}'
      ],
    ).toBe(2);
  });

  it('is cut off when it takes too long to arrive, which keeps nobody else', async () => {
    const exporter = await startExporter();
    const slow = [
      talk(exporter.port, 'GET /probe?tar'),
      talk(exporter.port),
      talk(exporter.port, 'GET / HTTP/1.1\r\nHost: x\r\n'),
    ];
    expect((await get(`${exporter.url}/-/healthy`)).body).toBe('portping-exporter is healthy.\n');
    for (const said of await Promise.all(slow))
      expect(said).toMatch(
        /^(HTTP\/1\.1 408 [^]*the request took too long to arrive; allowed: 10 s, [^]*\n)?$/,
      );
    expect(
      (await ownMetrics(exporter))['portping_exporter_requests_refused_total{reason="slow"}'],
    ).toBeGreaterThanOrEqual(2);
  });

  it('is refused when there are too many at once, and not when there is room again', async () => {
    const [silent, open] = [await silentPort(), await listen()];
    const exporter = await startExporter(['--concurrency', '2']);
    const waiting = [1, 2].map(() =>
      exporter.probe({ target: `127.0.0.1:${silent}`, timeout: '2s' }),
    );
    await expect
      .poll(async () => (await ownMetrics(exporter))['portping_exporter_probes_in_flight'], SOON)
      .toBe(2);
    const refused = await exporter.probe({ target: `127.0.0.1:${open.port}` });
    expect([refused.status, refused.headers['retry-after'], refused.body]).toEqual([
      503,
      '1',
      '2 probes are in flight, the limit of --concurrency; retry later\n',
    ]);
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await exporter.probe({ target: `127.0.0.1:${open.port}` })).status).toBe(200);
  });

  it('finds room where connections are only kept for later, and is refused with a word where all are in use', async () => {
    const exporter = await startExporter(['--concurrency', '1']);
    const descriptors = async () => (await readdir(`/proc/${exporter.pid}/fd`)).length;
    const before = await descriptors();
    const hold = (text: string) =>
      Promise.all(
        Array.from({ length: 257 }, async () => {
          const socket = connect({ port: exporter.port, host: '127.0.0.1' }).on('error', () => {});
          onTestFinished(() => void socket.destroy());
          socket.write(text);
          await once(socket, text.endsWith('\r\n\r\n') ? 'data' : 'connect');
          return socket;
        }),
      );
    await hold('GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await get(`${exporter.url}/-/healthy`)).status).toBe(200);
    await expect.poll(descriptors, SOON).toBeLessThan(before + 200);
    await hold('GET / HTTP/1.1\r\n');
    expect(await talk(exporter.port)).toMatch(
      /^HTTP\/1\.1 503 [^]*\r\n\r\ntoo many connections; allowed: 257\n$/,
    );
    await expect
      .poll(async () => (await get(`${exporter.url}/-/healthy`)).status, { timeout: 15_000 })
      .toBe(200);
    expect(
      (await ownMetrics(exporter))[
        'portping_exporter_requests_refused_total{reason="too-many-connections"}'
      ],
    ).toBeGreaterThan(0);
  });

  it('is refused with a line also where HTTP itself does not allow it', async () => {
    const exporter = await startExporter();
    expect(await talk(exporter.port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 [^]*\r\n\r\nthe request has no Host header\n$/,
    );
    expect(
      await talk(
        exporter.port,
        'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n',
      ),
    ).toMatch(/^HTTP\/1\.1 400 [^]*\r\n\r\nthe request has more than one Host header\n$/);
    expect(
      await talk(
        exporter.port,
        'GET / HTTP/1.1\r\nHost: x\r\nExpect: foo\r\nConnection: close\r\n\r\n',
      ),
    ).toMatch(/^HTTP\/1\.1 417 [^]*\r\n\r\nExpect: foo cannot be met; allowed: 100-continue\n$/);
    expect(await talk(exporter.port, 'GET /-/healthy HTTP/1.0\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 /,
    );
    expect(await ownMetrics(exporter)).toMatchObject({
      'portping_exporter_requests_refused_total{reason="bad-request"}': 2,
      'portping_exporter_requests_refused_total{reason="bad-expectation"}': 1,
    });
  });

  it('may name its server as for a proxy', async () => {
    const exporter = await startExporter();
    const ask = (url: string) =>
      talk(exporter.port, `GET ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(await ask(`${exporter.url}/-/healthy`)).toMatch(/^HTTP\/1\.1 200 [^]*healthy\.\n$/);
    expect(await ask(`HTTP://x/probe?target=127.0.0.1:${await freePort()}`)).toMatch(
      /^HTTP\/1\.1 200 [^]*conn-refused/,
    );
    for (const url of ['http://x', 'http://x?y'])
      expect(await ask(url)).toMatch(/^HTTP\/1\.1 200 [^]*<form/);
  });

  it('does no harm, whatever bytes it is made of', async () => {
    const exporter = await startExporter();
    const [path, bytes] = [
      fc.sample(fc.string({ unit: 'binary' }), 60),
      fc.sample(fc.uint8Array({ maxLength: 400 }), 60),
    ];
    await Promise.all([
      ...path.map((each) =>
        talk(
          exporter.port,
          `GET /probe?target=${encodeURIComponent(each).slice(0, 500)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        ).then((said) => expect(said).toMatch(/^HTTP\/1\.1 (200|400|403) /)),
      ),
      ...bytes.map((each) => talk(exporter.port, Buffer.from(each).toString('latin1'), '\r\n\r\n')),
    ]);
    expect((await get(`${exporter.url}/-/healthy`)).status).toBe(200);
    expect(exporter.log.filter(({ event }) => event === 'error')).toEqual([]);
  });

  it('leaves no descriptor behind', async () => {
    const exporter = await startExporter();
    const descriptors = async () => (await readdir(`/proc/${exporter.pid}/fd`)).length;
    await get(`${exporter.url}/metrics`);
    const before = await descriptors();
    const target = `127.0.0.1:${await freePort()}`;
    for (let round = 0; round < 20; round += 1) {
      await Promise.all([
        exporter.probe({ target }),
        exporter.probe({ target: '8.8.8.8:53' }),
        talk(exporter.port, 'nonsense\r\n\r\n'),
        get(`${exporter.url}/nowhere`),
      ]);
    }
    await expect.poll(descriptors, SOON).toBeLessThanOrEqual(before + 2);
  });
});

describe('the pages of the exporter', () => {
  it('are its own metrics, with the probes by state', async () => {
    const [{ port }, closed] = [await listen(), await freePort()];
    const exporter = await startExporter();
    const before = await ownMetrics(exporter);
    expect(before).toMatchObject({
      'portping_exporter_probes_total{state="open"}': 0,
      'portping_exporter_requests_refused_total{reason="busy"}': 0,
    });
    for (const target of [`127.0.0.1:${port}`, `127.0.0.1:${closed}`, `127.0.0.1:${closed}`])
      await exporter.probe({ target });
    expect(await ownMetrics(exporter)).toMatchObject({
      'portping_exporter_probes_total{state="open"}': 1,
      'portping_exporter_probes_total{state="closed"}': 2,
      portping_exporter_probe_duration_seconds_count: 3,
      portping_exporter_probes_in_flight: 0,
      process_resident_memory_bytes: expect.any(Number) as number,
    });
  });

  it('are a landing page with a form and why the latest probes failed', async () => {
    const closed = await freePort();
    const exporter = await startExporter(['--allow', '127.0.0.0/8']);
    await exporter.probe({ target: `127.0.0.1:${closed}` });
    const { status, headers, body } = await get(`${exporter.url}/`);
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'/);
    expect(body).toContain('<form action="/probe" method="get">');
    expect(body).toMatch(
      new RegExp(`<td>127\\.0\\.0\\.1:${closed}</td>.*conn-refused.*nothing listens on that port`),
    );
    expect(body).toContain('<code>127.0.0.0/8</code>');
  });

  it('are logged as one JSON object a line', async () => {
    const { port } = await listen();
    const exporter = await startExporter();
    await exporter.probe({ target: `127.0.0.1:${port}` });
    await exporter.stop();
    expect(exporter.log.map(({ event }) => event as string)).toEqual([
      'listening',
      'probe',
      'stopping',
      'stopped',
    ]);
    expect(exporter.log[1]).toMatchObject({
      time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      level: 'info',
      target: `127.0.0.1:${port}`,
      state: 'open',
      reason: '',
      client: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
    });
  });
});

describe('a log that nobody reads for a while', () => {
  it('loses lines, and says how many', async () => {
    const exporter = await startExporter();
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    onTestFinished(() => agent.destroy());
    const path = `/${'x'.repeat(1900)}`; // it is in the line of the log
    const ask = () => get(`${exporter.url}${path}`, { agent });
    exporter.child.stderr?.pause();
    let asked = 1000; // twice of what is kept
    await Promise.all(Array.from({ length: asked }, ask));
    exporter.child.stderr?.resume();
    const lost = () => exporter.log.find(({ event }) => event === 'log-lines-lost');
    await expect
      .poll(async () => {
        asked += 1;
        await ask();
        return lost();
      }, SOON)
      .toMatchObject({ level: 'warning', lines: expect.any(Number) as number });
    await exporter.stop();
    expect(
      exporter.log.filter(({ event }) => event === 'refused').length + Number(lost()?.['lines']),
    ).toBe(asked);
    expect(lost()?.['lines']).toBeGreaterThan(100);
  });
});

describe.skipIf(process.platform === 'win32').each(['SIGUSR1', 'SIGQUIT'] as const)(
  '%s',
  (signal) => {
    it('logs the state, and the exporter goes on', async () => {
      const exporter = await startExporter();
      const target = `127.0.0.1:${await silentPort()}`;
      await exporter.probe({ target, timeout: '1s' });
      await exporter.probe({});
      const waiting = exporter.probe({ target, timeout: '60s' }).catch(() => 'cut off');
      await expect
        .poll(async () => (await ownMetrics(exporter))['portping_exporter_probes_in_flight'], SOON)
        .toBe(1);
      exporter.child.kill(signal);
      await expect
        .poll(() => exporter.log.find(({ event }) => event === 'state'), SOON)
        .toMatchObject({
          level: 'info',
          signal,
          uptimeSeconds: expect.any(Number) as number,
          inFlight: 1,
          probes: 1,
          refused: 1,
        });
      expect((await get(`${exporter.url}/-/healthy`)).status).toBe(200);
      exporter.child.kill('SIGKILL');
      await waiting;
    });
  },
);

describe('the end', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'comes by %s when those in flight are answered, with exit code 0',
    async (signal) => {
      const target = `127.0.0.1:${await silentPort()}`;
      const exporter = await startExporter();
      const idle = new Agent({ keepAlive: true });
      onTestFinished(() => idle.destroy());
      await get(`${exporter.url}/-/healthy`, { agent: idle }); // a connection that is kept for later holds nothing up
      const waiting = Promise.all(
        Array.from({ length: 20 }, () => exporter.probe({ target, timeout: '1500ms' })),
      );
      await expect
        .poll(async () => (await ownMetrics(exporter))['portping_exporter_probes_in_flight'], SOON)
        .toBe(20);
      const ended = exporter.stop(signal);
      await expect
        .poll(
          () =>
            get(`${exporter.url}/-/healthy`).then(
              () => 'answered',
              (error: NodeJS.ErrnoException) => error.code,
            ),
          SOON,
        )
        .toBe('ECONNREFUSED');
      const answers = await waiting;
      expect(
        answers.map(({ status, body }) => [status, body.includes('cause="no-response"')]),
      ).toEqual(answers.map(() => [200, true]));
      const { exitCode, elapsedMs } = await ended;
      expect(exitCode).toBe(0);
      expect(elapsedMs).toBeLessThan(8000);
    },
  );

  it('leaves who has connected and said nothing yet a moment to do so', async () => {
    const exporter = await startExporter();
    let said = '';
    const socket = connect({ port: exporter.port, host: '127.0.0.1' })
      .setEncoding('utf8')
      .on('data', (text: string) => {
        said += text;
      })
      .on('error', () => {});
    onTestFinished(() => void socket.destroy());
    const closed = once(socket, 'close');
    await once(socket, 'connect');
    await get(`${exporter.url}/-/healthy`); // connected later: the one before was taken
    const ended = exporter.stop();
    await expect
      .poll(() => exporter.log.some(({ event }) => event === 'stopping'), SOON)
      .toBe(true);
    await expect
      .poll(
        () =>
          get(`${exporter.url}/-/healthy`).then(
            () => 'answered',
            (error: NodeJS.ErrnoException) => error.code,
          ),
        SOON,
      )
      .toBe('ECONNREFUSED');
    socket.write('GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n');
    await closed;
    expect(said).toMatch(/^HTTP\/1\.1 200 /);
    expect((await ended).exitCode).toBe(0);
  });

  it('comes at once by a second signal', async () => {
    const target = `127.0.0.1:${await silentPort()}`;
    const exporter = await startExporter();
    const waiting = exporter.probe({ target, timeout: '60s' }).catch(() => 'cut off');
    await expect
      .poll(async () => (await ownMetrics(exporter))['portping_exporter_probes_in_flight'], SOON)
      .toBe(1);
    exporter.child.kill('SIGTERM');
    await expect
      .poll(() => exporter.log.some(({ event }) => event === 'stopping'), SOON)
      .toBe(true);
    const { exitCode } = await exporter.stop('SIGINT');
    expect(exitCode).toBe(130);
    expect(await waiting).toBe('cut off');
  });
});

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
    [['--nonsense'], "unknown option '--nonsense'"],
    [['db:5432'], 'too many arguments'],
  ])('is refused when it is %j', async (args, message) => {
    const { stdout, stderr, exitCode } = await start(...args);
    expect([stdout, exitCode]).toEqual(['', 64]);
    expect(stderr).toMatch(/^portping-exporter: .* \(see: portping-exporter --help\)\n$/);
    expect(stderr).toContain(message);
  });

  it('is refused when the port is taken', async () => {
    const { port } = await listen();
    expect(await start('--listen', `127.0.0.1:${port}`)).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining(
        `--listen: cannot listen on 127.0.0.1:${port} (EADDRINUSE); allowed: `,
      ) as string,
    });
  });

  it('shows help and version', async () => {
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

it('answers two hundred scrapes, twenty-five at once and half of them to a port that is silent, each in time, and has no more memory then', async () => {
  const [open, silent] = [await listen(), await silentPort()];
  const exporter = await startExporter();
  const scrape = async (index: number) => {
    const port = index % 2 === 0 ? open.port : silent;
    const { status, body, elapsedMs } = await exporter.probe(
      { target: `127.0.0.1:${port}` },
      { 'X-Prometheus-Scrape-Timeout-Seconds': '1' },
    );
    expect([status, body.includes(`cause="${port === silent ? 'no-response' : 'open'}"`)]).toEqual([
      200,
      true,
    ]);
    return elapsedMs;
  };
  let next = 0;
  const times: number[] = [];
  await Promise.all(
    Array.from({ length: 25 }, async () => {
      while (next < 200) times.push(await scrape(next++));
    }),
  );
  expect(Math.max(...times)).toBeLessThan(5000); // a busy machine; test/bench measures it
  expect((await ownMetrics(exporter))['portping_exporter_probes_total{state="filtered"}']).toBe(
    100,
  );
});

describeEngines('promtool and the exporter', ['promtool'], () => {
  it('has nothing to say against its own metrics and those of probes', async () => {
    const exporter = await startExporter();
    expect(
      await run(['promtool', 'check', 'metrics'], (await get(`${exporter.url}/metrics`)).body),
    ).toBe('');
    expect(
      await run(
        ['promtool', 'check', 'metrics'],
        (await exporter.probe({ target: `127.0.0.1:${await freePort()}`, all: '1' })).body,
      ),
    ).toBe('');
  });
});
