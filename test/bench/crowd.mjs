import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { farHost } from './far-host.mjs';
import { missing } from './machine.mjs';
import { file, openPort, run, temporaryFolder } from './processes.mjs';
import { median, quantile, table } from './statistics.mjs';
import { captureHandshakes } from './wire.mjs';

const RTT_MS = 20;
const CONCURRENCY = 500;
// With many more, connect() itself is slow: it searches for a source port that is not in TIME_WAIT.
const PROBES = 2000;
const GOAL_MS = 2;

/** Reported latency minus that on the wire, ms, joined on the source port. Drops unmatched ones. */
function errorsAgainst(wire, samples) {
  const seen = new Map(wire.map(({ port, latencyMs }) => [port, latencyMs]));
  const counts = new Map();
  for (const { port } of [...wire, ...samples]) counts.set(port, (counts.get(port) ?? 0) + 1);
  return samples
    .filter(({ port }) => seen.has(port) && counts.get(port) === 2)
    .map(({ port, latencyMs }) => latencyMs - seen.get(port));
}

async function measureTo({ host, port, device, prefix }, peers, rounds) {
  const figures = new Map(peers.map((peer) => [peer, { wireMs: [], errors: [], perSecond: [] }]));
  for (let round = 0; round < rounds; round += 1) {
    for (const peer of peers) {
      const stopCapture = await captureHandshakes(device, port, prefix);
      const { stdout, stderr, elapsedMs } = run([...prefix, ...peer.argv(host, port)]);
      const wire = await stopCapture();
      const found = errorsAgainst(wire, peer.read(stdout));
      if (found.length === 0) throw new Error(`${peer.name}: ${stderr.trim() || 'no handshake'}`);
      const { wireMs, errors, perSecond } = figures.get(peer);
      wireMs.push(...wire.map(({ latencyMs }) => latencyMs));
      errors.push(...found);
      perSecond.push(PROBES / (elapsedMs / 1000));
    }
  }
  const rows = [...figures].map(([{ name, goal }, { wireMs, errors, perSecond }]) => {
    const verdict = goal ? (median(errors) < GOAL_MS ? 'met' : 'missed') : '';
    return [
      name,
      median(wireMs).toFixed(1),
      median(errors).toFixed(2),
      quantile(errors, 0.95).toFixed(2),
      String(errors.length),
      String(Math.round(median(perSecond))),
      verdict,
    ];
  });
  return table([
    [
      'over the wire',
      'wire, ms',
      'median, ms',
      'p95, ms',
      'samples',
      'a second',
      `goal: ${GOAL_MS} ms`,
    ],
    ...rows,
  ]);
}

/** How much longer than the wire the latency reads while 500 probes are under way. */
export const crowd = {
  name: 'crowd',
  needs: ['linux', 'root', 'tcpdump', 'ip', 'python3'],
  defaultRounds: 3,
  async measure({ rounds, say, nodes, checkouts }) {
    const targets = join(temporaryFolder(), 'targets.txt');
    const naive = nodes.map(({ node, label }) => ({
      name: `naive Node${label}`,
      argv: (host, port) => [
        node,
        file('naive-crowd.mjs'),
        host,
        port,
        String(PROBES),
        String(CONCURRENCY),
      ],
      read: (stdout) =>
        stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
    }));
    const ours = nodes.flatMap(({ node, label }) =>
      checkouts.map(({ portping, label: which }) => ({
        name: `portping${which}${label}`,
        argv: (host, port) => {
          writeFileSync(targets, `${host}:${port}\n`.repeat(PROBES));
          return [
            node,
            portping,
            '-o',
            'json',
            '--concurrency',
            String(CONCURRENCY),
            '--targets',
            targets,
          ];
        },
        read: (stdout) =>
          stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line))
            .filter(({ state }) => state === 'open')
            .map(({ latencyMs, attempts }) => ({ latencyMs, port: attempts[0].local.port })),
        goal: true,
      })),
    );
    const peers = [...naive, ...ours];
    const port = await openPort(['127.0.0.1']);
    const near = { host: '127.0.0.1', port, device: 'lo', prefix: [] };
    const nearTable = await measureTo(near, peers, rounds);
    say(`\n(a) loopback, ${PROBES} probes, ${CONCURRENCY} at once\n\n${nearTable}`);
    const lacking = missing(['tun']);
    if (lacking) say(`\n(b) a host ${RTT_MS} ms away: skipped, ${lacking}`);
    else {
      const farTable = await measureTo(await farHost(RTT_MS), peers, rounds);
      say(`\n(b) a host ${RTT_MS} ms away\n\n${farTable}`);
    }
  },
};
