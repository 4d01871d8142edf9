import { describe, expect, it } from 'vitest';
import { get, readOwnMetrics, sendBytes, startExporter } from '../support/exporter.js';
import { listen } from '../support/listeners.js';

describe('a request that a page of another site makes a browser send', () => {
  it('is refused without a probe, and counted', async () => {
    const { port, connections } = await listen();
    const exporter = await startExporter();
    const target = `127.0.0.1:${port}`;
    const { status, body } = await exporter.probe({ target }, { 'Sec-Fetch-Site': 'cross-site' });
    expect([status, body]).toEqual([
      403,
      'a browser sent this for a page of another site (Sec-Fetch-Site: cross-site); ' +
        "allowed: the exporter's own page, its address typed in, and programs such as curl\n",
    ]);
    expect((await exporter.probe({ target }, { Origin: 'https://evil.example' })).status).toBe(403);
    expect(connections).toHaveLength(0);
    expect((await exporter.probe({ target }, { 'Sec-Fetch-Site': 'none' })).status).toBe(200);
    expect(connections).toHaveLength(1);
    expect(await readOwnMetrics(exporter)).toMatchObject({
      'portping_exporter_requests_refused_total{reason="cross-site"}': 2,
    });
  });

  it('is refused when a rebound name leads to the exporter', async () => {
    const { port, connections } = await listen();
    const exporter = await startExporter(['--web.allowed-host', 'probes.example.com']);
    const path = `/probe?target=127.0.0.1:${port}`;
    const ask = (url: string, host: string) =>
      sendBytes(exporter, `GET ${url} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const refused = /^HTTP\/1\.1 403 [^]*\r\n\r\nHost: "evil\.example:9991" is not a name of this/;
    expect(await ask(path, 'evil.example:9991')).toMatch(refused);
    // The URL counts, if it has a host (RFC 9112, 3.2.2).
    expect(await ask(`http://evil.example:9991${path}`, 'localhost')).toMatch(refused);
    expect(await ask('/metrics', 'evil.example:9991')).toMatch(refused);
    expect(await ask('/nowhere', 'evil.example:9991')).toMatch(refused);
    expect(connections).toHaveLength(0);
    expect(await ask(path, 'probes.example.com')).toMatch(/^HTTP\/1\.1 200 /);
    expect(connections).toHaveLength(1);
  });

  it("has no form but the exporter's own", async () => {
    const exporter = await startExporter();
    const { headers } = await get(`${exporter.url}/`);
    // Browsers must name the page when they send its form (the guard needs the Referer).
    expect(headers['referrer-policy']).toBe('same-origin');
  });
});
