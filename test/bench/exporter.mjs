import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { createServer, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { table } from './statistics.mjs';

const SCRAPE_TIMEOUT_S = 2;

/** A port of loopback that drops: nothing accepts, and the queue is full. */
async function silentPort() {
  const script = `
    const { parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer();
    server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const worker = new Worker(script, { eval: true });
  const [port] = await once(worker, 'message');
  const fillers = [new Socket(), new Socket()];
  for (const filler of fillers)
    await once(
      filler.on('error', () => {}).connect({ host: '127.0.0.1', port, autoSelectFamily: false }),
      'connect',
    );
  return {
    port,
    close: async () => {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}

function scrape(agent, base, target) {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const done = (ok) => resolve({ ok, elapsedMs: performance.now() - startedAt });
    const url = `${base}/probe?target=${target}`;
    get(
      url,
      { agent, headers: { 'X-Prometheus-Scrape-Timeout-Seconds': String(SCRAPE_TIMEOUT_S) } },
      (response) => {
        let body = '';
        response
          .on('data', (chunk) => {
            body += chunk;
          })
          .on('end', () => done(response.statusCode === 200 && body.includes('portping_cause{')));
      },
    ).on('error', () => done(false));
  });
}

/** Makes `count` scrapes, `atOnce` at a time, of each target in turn. */
async function scrapes(base, count, atOnce, targets) {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const results = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < count)
        results.push(await scrape(agent, base, targets[next++ % targets.length]));
    }),
  );
  agent.destroy();
  return results;
}

const quantile = (numbers, part) =>
  [...numbers].sort((a, b) => a - b)[
    Math.min(Math.ceil(numbers.length * part), numbers.length) - 1
  ] ?? NaN;
const residentMiB = (pid) =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
const descriptorsOf = (pid) =>
  readFileSync(`/proc/${pid}/status`, 'utf8').match(/^FDSize:\s+(\d+)/m)?.[1];
/** Processor seconds (proc(5): utime and stime, in hundredths). */
const processorSeconds = (pid) =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
    .slice(11, 13)
    .reduce((sum, ticks) => sum + Number(ticks) / 100, 0);

/** The exporter under load: half of the scrapes time out, then memory, then the highest rate. */
export const exporter = {
  name: 'exporter',
  needs: [],
  defaultRounds: 10_000,
  async measure({ rounds, say, nodes, checkouts }) {
    const [{ node }, { portping }] = [nodes[0], checkouts[0]];
    const open = createServer((socket) => socket.on('error', () => {}).resume()).listen(
      0,
      '127.0.0.1',
    );
    await once(open, 'listening');
    const silent = await silentPort();
    const child = spawn(
      node,
      [join(portping, '..', 'portping-exporter.js'), '--listen', '127.0.0.1:0'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const lines = createInterface({ input: child.stderr });
    const [first] = await once(lines, 'line');
    lines.on('line', () => {}); // the log is read, as a journal would
    const base = `http://${JSON.parse(first).address}`;
    const [openTarget, silentTarget] = [open.address().port, silent.port].map(
      (port) => `127.0.0.1:${port}`,
    );
    const rows = [
      [
        'scrapes',
        'answered',
        'p50 ms',
        'p99 ms',
        'max ms',
        'a second',
        'processor ms each',
        'resident MiB after',
      ],
    ];
    const run = async (name, count, atOnce, targets) => {
      const [startedAt, startedCpu] = [performance.now(), processorSeconds(child.pid)];
      const results = await scrapes(base, count, atOnce, targets);
      const times = results.map(({ elapsedMs }) => elapsedMs);
      const cpu = processorSeconds(child.pid) - startedCpu;
      rows.push([
        name,
        `${results.filter(({ ok }) => ok).length} of ${count}`,
        ...[0.5, 0.99, 1].map((part) => quantile(times, part).toFixed(1)),
        (count / ((performance.now() - startedAt) / 1000)).toFixed(0),
        ((cpu * 1000) / count).toFixed(2),
        residentMiB(child.pid).toFixed(0),
      ]);
    };
    try {
      say(
        `half silent: every answer is due within ${SCRAPE_TIMEOUT_S} s, ` +
          'the probe ends 0.5 s earlier',
      );
      await run('1000, 50 at once, half of them silent', 1000, 50, [openTarget, silentTarget]);
      for (let part = 1; part <= 4; part += 1)
        await run(`${rounds / 4} more (${part} of 4), half silent, 200 at once`, rounds / 4, 200, [
          openTarget,
          silentTarget,
        ]);
      await run(`${rounds} more, all open, 50 at once`, rounds, 50, [openTarget]);
      await run(`${rounds} more, all open, 50 at once`, rounds, 50, [openTarget]);
      say(table(rows));
      say(`descriptors (slots): ${descriptorsOf(child.pid)}`);
      // SIGTERM in the middle: the probes in flight are still answered.
      const waiting = scrapes(base, 50, 50, [openTarget, silentTarget]);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const startedAt = performance.now();
      child.kill('SIGTERM');
      const [exitCode] = await once(child, 'exit');
      const results = await waiting;
      const answered = results.filter(({ ok }) => ok).length;
      const elapsedS = ((performance.now() - startedAt) / 1000).toFixed(1);
      say(
        `SIGTERM with 25 silent probes in flight: ${answered} of 50 answered, ` +
          `exit code ${exitCode} after ${elapsedS} s`,
      );
    } finally {
      child.kill('SIGKILL');
      open.close();
      open.closeAllConnections?.();
      await silent.close();
    }
  },
};
