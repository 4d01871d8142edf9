import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { AllowList } from '../../src/exporter/access/allow-list.js';
import { BrowserGuard } from '../../src/exporter/access/browser-guard.js';
import { Configuration } from '../../src/exporter/config/configuration.js';
import { ownMetrics } from '../../src/exporter/pages/own-metrics.js';
import type { Prober } from '../../src/exporter/probing/prober.js';
import { PasswordCheck } from '../../src/exporter/web/password-check.js';
import { WebSettings } from '../../src/exporter/web/web-settings.js';
import { ExporterServer } from '../../src/exporter/server.js';

it('the server stops after the deadline of the longest probe, even if a probe hangs', async () => {
  let probes = 0;
  const prober = {
    inFlight: 1,
    longestLeftMs: 100,
    probe: () => {
      probes += 1;
      return new Promise(() => {});
    },
  } as unknown as Prober;
  const exporter = new ExporterServer({
    prober,
    allow: new AllowList([]),
    guard: new BrowserGuard('127.0.0.1', []),
    metrics: ownMetrics('1', () => 1),
    configuration: new Configuration(),
    reload: async () => {},
    metricNames: 'both',
    web: new WebSettings(),
    passwords: new PasswordCheck(),
    log: () => {},
    version: '1',
    concurrency: 1,
  });
  const { server } = exporter;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  onTestFinished(() => void socket.destroy());
  socket.write('GET /probe?target=127.0.0.1:1 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await expect.poll(() => probes).toBe(1);
  await Promise.all([exporter.stop(), once(socket, 'close')]);
});
