import axe from 'axe-core';
import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { type BrowserPage, startChromium } from '../support/chromium.js';
import { startExporter } from '../support/exporter.js';
import { freePort, listen } from '../support/listeners.js';
import { describeWith } from '../support/tools.js';

/** A web server of someone else. It answers every path with an empty page. */
async function strangeSite(): Promise<{ port: number; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>x</title>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  onTestFinished(() => server.closeAllConnections());
  return { port: (server.address() as AddressInfo).port, requests };
}

/** Ways in which a page makes a browser request a URL; resolves when all requests are over. */
const REQUEST_EVERYHOW = `(url) => Promise.all([
  ...['cors', 'no-cors'].map((mode) => fetch(url + '&' + mode, { mode }).catch(() => {})),
  fetch(url, { mode: 'no-cors', referrerPolicy: 'no-referrer' }).catch(() => {}),
  fetch(url, { mode: 'no-cors', method: 'POST' }).catch(() => {}),
  ...['img', 'script', 'iframe'].map((name) => new Promise((resolve) => {
    const element = document.createElement(name);
    element.onload = element.onerror = resolve;
    element.referrerPolicy = 'no-referrer';
    element.src = url + '&' + name;
    document.body.append(element);
  })),
])`;

const requestEveryhow = (page: BrowserPage, url: string): Promise<unknown> =>
  page.evaluate(`(${REQUEST_EVERYHOW})(${JSON.stringify(url)}).then(() => 0)`);

describeWith('chromium', 'Chromium', () => {
  it.each(['127.0.0.1', 'exporter.test'])(
    'makes no probe of the exporter at %s for a page of another site',
    async (host) => {
      // Chromium sends Sec-Fetch-Site to 127.0.0.1, but not to another name over plain HTTP.
      const [{ port, connections }, strange] = [await listen(), await strangeSite()];
      const exporter = await startExporter(['--web.allowed-host', 'exporter.test']);
      const page = await startChromium();
      await page.open(`http://evil.test:${strange.port}/`);
      const query = `/probe?target=127.0.0.1:${port}`;
      await requestEveryhow(page, `http://${host}:${exporter.port}${query}`);
      expect(connections).toHaveLength(0);
      const refused = exporter.log.filter(({ event }) => event === 'refused');
      expect(refused.length).toBeGreaterThan(5);
      expect(new Set(refused.map(({ reason }) => String(reason)))).toEqual(
        new Set(['cross-site', 'bad-method']),
      );
      // The same page reaches a server that is not guarded.
      const before = strange.requests.length;
      await requestEveryhow(page, `http://unguarded.test:${strange.port}${query}`);
      expect(strange.requests.length - before).toBeGreaterThan(5);
    },
  );

  it('reads nothing of the exporter through a rebound name', async () => {
    const { port, connections } = await listen();
    const exporter = await startExporter();
    const page = await startChromium();
    await page.open(`http://rebound.test:${exporter.port}/`);
    const read = (path: string): Promise<string> =>
      page.evaluate(`fetch(${JSON.stringify(path)}).then((answer) => answer.text())`);
    for (const path of [`/probe?target=127.0.0.1:${port}`, '/', '/metrics'])
      expect(await read(path)).toBe(
        `Host: "rebound.test:${exporter.port}" is not a name of this exporter; ` +
          'allowed: localhost, an address, or a name of --web.allowed-host\n',
      );
    expect(connections).toHaveLength(0);
  });

  it.each([
    ['light', 1280],
    ['light', 390],
    ['dark', 1280],
    ['dark', 390],
  ])('finds no barrier on the page (%s, %i pixels wide)', async (scheme, width) => {
    const exporter = await startExporter();
    const { port } = await listen();
    await exporter.probe({ target: `127.0.0.1:${port}` });
    await exporter.probe({ target: `127.0.0.1:${await freePort()}` });
    const page = await startChromium();
    await page.send('Emulation.setDeviceMetricsOverride', {
      width,
      height: 800,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await page.send('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: scheme }],
    });
    // The page itself may run no script; DevTools may.
    await page.send('Page.setBypassCSP', { enabled: true });
    const target = `127.0.0.1:${await freePort()}`;
    for (const path of ['/', `/try?target=${target}`, '/try?target=db:1&timeout=fast']) {
      await page.open(`http://127.0.0.1:${exporter.port}${path}`);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate('axe.run()');
      expect([path, violations.map(({ id }: { id: string }) => id)]).toEqual([path, []]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
        width,
      );
    }
    const isDark = await page.evaluate(
      "getComputedStyle(document.body).backgroundColor === 'rgb(24, 24, 24)'",
    );
    expect(isDark).toBe(scheme === 'dark');
  });

  it.each(['127.0.0.1', 'exporter.test'])(
    "probes from the form of the exporter's own page at %s",
    async (host) => {
      const { port, connections } = await listen();
      const exporter = await startExporter(['--web.allowed-host', 'exporter.test']);
      const page = await startChromium();
      await page.open(`http://${host}:${exporter.port}/`);
      await page.evaluate(`document.querySelector('[name=target]').value = '127.0.0.1:${port}';
        document.querySelector('form button').click()`);
      await expect.poll(() => connections.length, { timeout: 30_000 }).toBe(1);
    },
  );
});
