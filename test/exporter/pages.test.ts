import { describe, expect, it } from 'vitest';
import { run } from '../support/command.js';
import { get, readOwnMetrics, startExporter } from '../support/exporter.js';
import { freePort, listen } from '../support/listeners.js';
import { describeWith } from '../support/tools.js';

describe('the pages', () => {
  it('/metrics counts the probes by state', async () => {
    const [{ port }, closed] = [await listen(), await freePort()];
    const exporter = await startExporter();
    const before = await readOwnMetrics(exporter);
    expect(before).toMatchObject({
      'portping_exporter_probes_total{state="open"}': 0,
      'portping_exporter_requests_refused_total{reason="busy"}': 0,
    });
    for (const target of [`127.0.0.1:${port}`, `127.0.0.1:${closed}`, `127.0.0.1:${closed}`])
      await exporter.probe({ target });
    expect(await readOwnMetrics(exporter)).toMatchObject({
      'portping_exporter_probes_total{state="open"}': 1,
      'portping_exporter_probes_total{state="closed"}': 2,
      portping_exporter_probe_duration_seconds_count: 3,
      portping_exporter_probes_in_flight: 0,
      process_resident_memory_bytes: expect.any(Number) as number,
    });
  });

  it('/ has a form and says why the latest probes failed', async () => {
    const closed = await freePort();
    const exporter = await startExporter(['--allow', '127.0.0.0/8']);
    await exporter.probe({ target: `127.0.0.1:${closed}` });
    const { status, headers, body } = await get(`${exporter.url}/`);
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'/);
    expect(body).toContain('<form action="/try" method="get">');
    expect(body).toMatch(
      new RegExp(`<td data-name="Target">127\\.0\\.0\\.1:${closed}</td>.*conn-refused.*10061 WSA`),
    );
    expect(body).toContain('<code>127.0.0.0/8</code>');
  });

  it('/try makes the probe of the form, or says what is wrong with it', async () => {
    const closed = await freePort();
    const exporter = await startExporter();
    const send = (parameters: Record<string, string>, headers = {}) =>
      get(`${exporter.url}/try?${new URLSearchParams(parameters).toString()}`, { headers });
    const probed = await send({ target: `127.0.0.1:${closed}`, timeout: '', service: '' });
    expect([probed.status, probed.headers['content-type']]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    expect(probed.body).toMatch(
      /<pre [^>]*>Timeout: 5 s\.[^]*Why: 10061 WSAECONNREFUSED[^]*<\/pre>/,
    );
    for (const [parameters, status, field] of [
      [{ target: `127.0.0.1:${closed}`, timeout: 'fast' }, 400, 'timeout'],
      [{ target: `127.0.0.1:${closed}`, service: 'gopher' }, 400, 'service'],
      [{ target: 'db' }, 400, 'target'],
      [{ target: '8.8.8.8:53' }, 403, 'target'],
    ] as const) {
      const wrong = await send(parameters);
      expect([wrong.status, wrong.headers['content-type']]).toEqual([
        status,
        'text/html; charset=utf-8',
      ]);
      expect(wrong.body).toContain(`aria-describedby="${field}-error"`);
    }
    expect((await send({ target: 'db:1' }, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    expect(await readOwnMetrics(exporter)).toMatchObject({
      'portping_exporter_probes_total{state="closed"}': 1,
      'portping_exporter_requests_refused_total{reason="bad-request"}': 3,
      'portping_exporter_requests_refused_total{reason="forbidden"}': 1,
    });
  });

  it('the log has one JSON object per line', async () => {
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

describeWith('promtool', 'promtool', () => {
  it('accepts the metrics of the exporter and of probes', async () => {
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
