import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { AllowList } from '../../src/exporter/access/allow-list.js';
import { ownMetrics } from '../../src/exporter/pages/own-metrics.js';
import type { Prober } from '../../src/exporter/probe-handler.js';
import { createExporterServer } from '../../src/exporter/server.js';

it('ends also when a probe never does, once the longest must be over', async () => {
  let probes = 0;
  const prober = {
    inFlight: 1,
    longestLeftMs: 100,
    probe: () => {
      probes += 1;
      return new Promise(() => {});
    },
  } as unknown as Prober;
  const { server, stop } = createExporterServer({
    prober,
    allow: new AllowList([]),
    metrics: ownMetrics('1', () => 1),
    log: () => {},
    version: '1',
    concurrency: 1,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  onTestFinished(() => void socket.destroy());
  socket.write('GET /probe?target=127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n');
  await expect.poll(() => probes).toBe(1);
  await Promise.all([stop(), once(socket, 'close')]);
});
