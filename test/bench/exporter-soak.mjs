import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { table } from './statistics.mjs';

const REQUESTS_A_SECOND = 20;
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** Sends a request; resolves when its answer has ended, or the connection. */
function ask(base, path, options = {}) {
  return new Promise((resolve) => {
    const sent = request(`${base}${path}`, { agent, ...options }, (response) =>
      response.resume().on('close', resolve),
    );
    sent.on('error', resolve).end();
  });
}

/** A client that leaves before it is answered. */
async function leave(port, text) {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  socket.write(text);
  await sleep(20);
  socket.resetAndDestroy();
}

/** What the clients of an exporter do, one after the other. */
const mixOf = (base, port, open, closed) => [
  () => ask(base, `/probe?target=127.0.0.1:${open}&module=tcp_connect`),
  () => ask(base, `/probe?target=127.0.0.1:${closed}&all=1`),
  () => ask(base, `/probe?target=127.0.0.1:${open}&module=smtp&timeout=300ms`),
  () => ask(base, `/probe?target=127.0.0.1:${closed}&debug=true`),
  () => ask(base, '/metrics'),
  () => ask(base, '/'),
  () => ask(base, `/try?target=127.0.0.1:${closed}`),
  () => ask(base, '/probe?target=192.0.2.1:53'),
  () => ask(base, '/-/reload', { method: 'POST' }),
  () => ask(base, '/config'),
  () => ask(base, '/probe?target=127.0.0.1:1', { headers: { 'Sec-Fetch-Site': 'cross-site' } }),
  () => ask(base, '/-/healthy', { agent: false }),
  () => leave(port, 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(16)),
  () =>
    leave(
      port,
      `GET /probe?target=127.0.0.1:${open}&module=smtp HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    ),
  () => leave(port, 'nonsense\r\n\r\n'),
];

const residentMiB = (pid) =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** The exporter under a mixed load for so many seconds: its memory and descriptors stay flat. */
export const exporterSoak = {
  name: 'exporter-soak',
  needs: [],
  defaultRounds: 600,
  async measure({ rounds, say, nodes, checkouts }) {
    const [{ node }, { portping }] = [nodes[0], checkouts[0]];
    const server = createServer((socket) => socket.on('error', () => {}).resume());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const child = spawn(
      node,
      [join(portping, '..', 'portping-exporter.js'), '--listen', '127.0.0.1:0'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const lines = createInterface({ input: child.stderr });
    const [first] = await once(lines, 'line');
    lines.on('line', () => {}); // the log is read, as a journal would
    const { address } = JSON.parse(first);
    const mix = mixOf(`http://${address}`, Number(address.split(':')[1]), server.address().port, 1);
    const rows = [['seconds', 'requests', 'resident MiB', 'descriptors']];
    let requests = 0;
    const startedAt = performance.now();
    const elapsed = () => (performance.now() - startedAt) / 1000;
    try {
      while (elapsed() < rounds) {
        const untilS = Math.min(elapsed() + rounds / 10, rounds);
        while (elapsed() < untilS) {
          void mix[requests % mix.length]();
          requests += 1;
          await sleep(1000 / REQUESTS_A_SECOND);
        }
        await sleep(1000); // until all are answered
        const descriptors = readdirSync(`/proc/${child.pid}/fd`).length;
        rows.push(
          [elapsed(), requests, residentMiB(child.pid), descriptors].map((each) => each.toFixed(0)),
        );
      }
      say(table(rows));
    } finally {
      child.kill('SIGKILL');
      agent.destroy();
      server.close();
    }
  },
};
