import { createServer as createTlsServer } from 'node:tls';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DEFAULT_TIMEOUT_MS } from '../../src/core/limits.js';
import { TestAuthority } from '../support/certificates.js';
import {
  get,
  listenNames,
  readOwnMetrics,
  samplesOf,
  sendBytes,
  startExporter,
  untilInFlight,
} from '../support/exporter.js';
import { freePort, listen, listenDns, silentPort } from '../support/listeners.js';
import { itWith } from '../support/tools.js';

/** A timer may fire this early. */
const TIMER_SLACK_MS = 10;

describe('a probe over HTTP', () => {
  it('answers with the cause as a label', async () => {
    const [open, closed, silent] = [await listen(), await freePort(), await silentPort()];
    const dns = await listenNames({ 'db.test': ['127.0.0.1'] });
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

  it('has a duration for name resolution and one for the handshake', async () => {
    const { port } = await listen();
    const dns = await listenNames({ 'db.test': ['127.0.0.1'] });
    const exporter = await startExporter(['--dns', dns.address]);
    const samples = samplesOf((await exporter.probe({ target: `db.test:${port}` })).body);
    const [duration, resolving, connecting] = ['duration', 'dns', 'connect'].map(
      (phase) => samples[`portping_${phase}_seconds{target="db.test:${port}"}`] ?? NaN,
    );
    expect(duration).toBeCloseTo((resolving ?? 0) + (connecting ?? 0), 5);
    expect(connecting).toBeGreaterThan(0);
  });

  it('has time series for every address when asked for all', async () => {
    const { port } = await listen('127.0.0.2');
    const dns = await listenNames({ 'db.test': ['127.0.0.1', '127.0.0.2'] });
    const exporter = await startExporter(['--dns', dns.address]);
    const target = `db.test:${port}`;
    const refused = 'state="closed",cause="conn-refused"';
    const [first, second] = [1, 2].map((last) => `address="127.0.0.${last}",family="ipv4"`);
    const every = samplesOf((await exporter.probe({ target, all: 'true' })).body);
    expect(every).toMatchObject({
      [`portping_success{target="${target}"}`]: 0,
      [`portping_cause{target="${target}",${refused}}`]: 1,
      [`portping_addresses{target="${target}"}`]: 2,
      [`portping_address_open{target="${target}",${first}}`]: 0,
      [`portping_address_cause{target="${target}",${first},${refused}}`]: 1,
      [`portping_address_open{target="${target}",${second}}`]: 1,
    });
    expect(
      samplesOf((await exporter.probe({ target })).body)[`portping_success{target="${target}"}`],
    ).toBe(1); // without `all` one open address is enough
  });

  it('checks a service when asked to, and names its silence as the cause', async () => {
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
    expect(silent.body).toMatch(/^# 127\.0\.0\.1:\d+: Service: smtp is silent/m);
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

  itWith('openssl', 'checks a certificate, and has the time when it expires', async () => {
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

  it('ends before the scrape timeout of Prometheus, or earlier at its own', async () => {
    const target = `127.0.0.1:${await silentPort()}`;
    const exporter = await startExporter();
    const wait = (header: string, parameters = {}) =>
      exporter.probe({ target, ...parameters }, { 'X-Prometheus-Scrape-Timeout-Seconds': header });
    const [scraped, asked, tight] = [
      await wait('1.2'),
      await wait('10', { timeout: '400ms' }),
      await wait('0.4'),
    ];
    for (const [{ body }, timeoutMs] of [
      [scraped, 700],
      [asked, 400],
      [tight, 200],
    ] as const) {
      const tookMs = (samplesOf(body)[`portping_duration_seconds{target="${target}"}`] ?? 0) * 1000;
      expect(tookMs).toBeGreaterThan(timeoutMs - TIMER_SLACK_MS);
      expect(tookMs).toBeLessThan(DEFAULT_TIMEOUT_MS); // otherwise the timeout was ignored
      expect(body).toContain('cause="no-response"');
    }
    expect((await wait('soon')).status).toBe(400);
  });

  it('ends at its timeout when the DNS server is silent', async () => {
    const dns = await listenDns(() => 'silence');
    const exporter = await startExporter(['--dns', dns.address]);
    const { body, elapsedMs } = await exporter.probe({ target: 'db.test:5432', timeout: '500ms' });
    expect(body).toContain('cause="resolver-timeout"');
    expect(elapsedMs).toBeLessThan(DEFAULT_TIMEOUT_MS);
  });

  it('is cancelled when its client disconnects', async () => {
    const target = `127.0.0.1:${await silentPort()}`;
    const exporter = await startExporter();
    const socket = connect({ port: exporter.port, host: '127.0.0.1' });
    socket.write(`GET /probe?target=${target}&timeout=100s HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await untilInFlight(exporter, 1);
    socket.destroy();
    await untilInFlight(exporter, 0);
    expect(
      (await readOwnMetrics(exporter))['portping_exporter_probes_total{state="cancelled"}'],
    ).toBe(1);
  });
});

describe('pipelined requests', () => {
  const probeOf = (target: string, timeout: string) =>
    `GET /probe?target=${target}&timeout=${timeout} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const healthy = 'GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n';

  it('are answered in order', async () => {
    const exporter = await startExporter();
    const said = await sendBytes(
      exporter,
      probeOf(`127.0.0.1:${await silentPort()}`, '300ms'),
      healthy.repeat(2),
      'GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
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

  it('are all cancelled when their connection closes, and do not delay the exit', async () => {
    const target = `127.0.0.1:${await silentPort()}`;
    const exporter = await startExporter();
    const socket = connect({ port: exporter.port, host: '127.0.0.1' }).on('error', () => {});
    socket.write(`${probeOf(target, '100s').repeat(3)}${healthy}`);
    await untilInFlight(exporter, 3);
    socket.resetAndDestroy();
    await untilInFlight(exporter, 0);
    const silent = connect({ port: exporter.port, host: '127.0.0.1' }).on('error', () => {});
    onTestFinished(() => void silent.destroy());
    await once(silent, 'connect');
    expect((await exporter.stop()).exitCode).toBe(0);
  });

  it('are refused when there are too many, and the waiting ones are cancelled', async () => {
    const target = `127.0.0.1:${await silentPort()}`;
    const exporter = await startExporter();
    const said = await sendBytes(exporter, probeOf(target, '100s'), healthy.repeat(5000));
    expect(said).toMatch(
      /^HTTP\/1\.1 503 [^]*\r\n\r\ntoo many unanswered requests on one connection; allowed: 16\n$/,
    );
    expect(await readOwnMetrics(exporter)).toMatchObject({
      'portping_exporter_requests_refused_total{reason="pipelined"}': 1,
      portping_exporter_probes_in_flight: 0,
    });
  });
});

it('200 scrapes, 25 at once and half of them of a silent port, get the right causes', async () => {
  const [open, silent] = [await listen(), await silentPort()];
  const exporter = await startExporter();
  const scrape = async (index: number) => {
    const port = index % 2 === 0 ? open.port : silent;
    const { status, body } = await exporter.probe(
      { target: `127.0.0.1:${port}` },
      { 'X-Prometheus-Scrape-Timeout-Seconds': '1' },
    );
    expect([status, body.includes(`cause="${port === silent ? 'no-response' : 'open'}"`)]).toEqual([
      200,
      true,
    ]);
  };
  let next = 0;
  await Promise.all(
    Array.from({ length: 25 }, async () => {
      while (next < 200) await scrape(next++);
    }),
  );
  expect((await readOwnMetrics(exporter))['portping_exporter_probes_total{state="filtered"}']).toBe(
    100,
  );
});
