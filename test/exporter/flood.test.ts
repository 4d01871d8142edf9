import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { get, startExporter, type TestExporter } from '../support/exporter.js';

const CONNECTIONS = 50;
const PIPELINED = 16;

/** Sends as many requests on one connection as are allowed; returns the bodies. */
async function pipeline({ port }: TestExporter, path: string): Promise<string[]> {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  let received = '';
  socket.setEncoding('utf8').on('data', (text: string) => (received += text));
  const request = (end: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${end}\r\n`;
  socket.write(request('').repeat(PIPELINED - 1) + request('Connection: close\r\n'));
  await once(socket, 'close');
  return received.split(/HTTP\/1\.1 200 OK\r\n[^]*?\r\n\r\n/).slice(1);
}

it('a flood of requests for /metrics shares few renderings', async () => {
  const exporter = await startExporter();
  const bodies = (
    await Promise.all(Array.from({ length: CONNECTIONS }, () => pipeline(exporter, '/metrics')))
  ).flat();
  expect(bodies).toHaveLength(CONNECTIONS * PIPELINED);
  expect(bodies.every((body) => body.includes('portping_exporter_build_info'))).toBe(true);
  // Each rendering has the processor time until then.
  expect(new Set(bodies).size).toBeLessThan(bodies.length / 4);
  expect((await get(`${exporter.url}/-/healthy`)).status).toBe(200);
});
