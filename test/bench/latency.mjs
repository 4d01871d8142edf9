import { join } from 'node:path';
import { farHost } from './far-host.mjs';
import { missing } from './machine.mjs';
import { file, must, openPort, roundRobin, run, temporaryFolder } from './processes.mjs';
import { median, quantile, table } from './statistics.mjs';
import { captureHandshakes, errorAgainst } from './wire.mjs';

const GOAL_MS = 0.35;
const RTT_MS = 20;

/** Programs that time one handshake, and how to read the latency (ms) and the source port. */
function peersOf({ nodes, checkouts, say }) {
  const json = JSON.parse;
  const peers = nodes.map(({ node, label }) => ({
    name: `naive Node${label}`,
    argv: (...to) => [node, file('naive-connect.mjs'), ...to],
    read: json,
  }));
  for (const { node, label } of nodes) {
    for (const { portping, label: which } of checkouts) {
      const read = (stdout) => ({
        latencyMs: json(stdout).latencyMs,
        port: json(stdout).attempts[0].local.port,
      });
      peers.push({
        name: `portping${which}${label}`,
        argv: (...to) => [node, portping, '-o', 'json', ...to],
        read,
        goal: true,
      });
    }
  }
  const programs = {
    gcc() {
      const connect = join(temporaryFolder(), 'connect');
      must(`gcc -O2 -o ${connect} ${file('connect.c')}`);
      return { name: 'C, blocking connect', argv: (...to) => [connect, ...to], read: json };
    },
    curl: () => ({
      name: 'curl, time_connect',
      argv: (host, port) => [
        'curl',
        '--silent',
        '--max-time',
        '5',
        '--write-out',
        '[%{time_connect},%{local_port}]',
        `http://${host}:${port}/`,
      ],
      read: (stdout) => ({ latencyMs: json(stdout)[0] * 1e3, port: json(stdout)[1] }),
    }),
    nping: () => ({
      name: 'nping --tcp-connect, rtt',
      argv: (host, port) => ['nping', '--tcp-connect', '--count', '1', '--dest-port', port, host],
      read: (stdout) => ({ latencyMs: Number(/Avg rtt: ([\d.]+)ms/.exec(stdout)[1]) }),
    }),
    nmap: () => ({
      name: 'nmap -sT, srtt',
      argv: (host, port) => ['nmap', '-sT', '-n', '-Pn', '-p', port, '-oX', '-', host],
      read: (stdout) => ({ latencyMs: Number(/srtt="(\d+)"/.exec(stdout)[1]) / 1e3 }),
    }),
  };
  for (const [program, peer] of Object.entries(programs)) {
    const lacking = missing([program]);
    if (lacking) say(`without ${program}: ${lacking}`);
    else peers.push(peer());
  }
  return peers;
}

async function measureTo({ host, port, device, prefix }, peers, rounds) {
  const stopCapture = await captureHandshakes(device, port, prefix);
  const samples = new Map(peers.map((peer) => [peer, []]));
  roundRobin(peers, rounds, (peer) => {
    const { status, stdout, stderr, startedAt, endedAt } = run([
      ...prefix,
      ...peer.argv(host, port),
    ]);
    try {
      samples.get(peer).push({ ...peer.read(stdout), startedAt, endedAt });
    } catch (cause) {
      throw new Error(
        `${peer.name}: exit code ${status}, ${stderr.trim() || stdout.trim() || 'no output'}`,
        { cause },
      );
    }
  });
  const wire = await stopCapture();
  const errors = peers.map((peer) =>
    samples
      .get(peer)
      .map((sample) => errorAgainst(wire, sample))
      .filter((error) => error !== null),
  );
  return { wireMs: median(wire.map(({ latencyMs }) => latencyMs)), errors };
}

function describe({ wireMs, errors }, peers) {
  const rows = peers.map(({ name, goal }, index) => {
    const middle = median(errors[index]);
    const ratio = (middle / median(errors[0])).toFixed(2);
    return [
      name,
      middle.toFixed(3),
      quantile(errors[index], 0.95).toFixed(3),
      ratio,
      String(errors[index].length),
      goal ? (middle <= GOAL_MS ? 'met' : 'missed') : '',
    ];
  });
  const head = [
    'over the wire',
    'median, ms',
    'p95, ms',
    '× naive Node',
    'samples',
    `goal: ${GOAL_MS} ms`,
  ];
  return `wire (SYN to SYN-ACK): ${wireMs.toFixed(3)} ms\n\n${table([head, ...rows])}\n`;
}

/** Error of the reported latency against the wire, for the only probe of a process. */
export const latency = {
  name: 'latency',
  needs: ['linux', 'root', 'tcpdump'],
  defaultRounds: 40,
  async measure({ rounds, say, ...options }) {
    const peers = peersOf({ ...options, say });
    const near = {
      host: '127.0.0.1',
      port: await openPort(['127.0.0.1']),
      device: 'lo',
      prefix: [],
    };
    say(`\n(a) loopback, ${describe(await measureTo(near, peers, rounds), peers)}`);
    const lacking = missing(['ip', 'python3', 'tun']);
    if (lacking) say(`(b) a host ${RTT_MS} ms away: skipped, ${lacking}`);
    else {
      const far = await measureTo(await farHost(RTT_MS), peers, rounds);
      say(`(b) a host ${RTT_MS} ms away, ${describe(far, peers)}`);
    }
  },
};
