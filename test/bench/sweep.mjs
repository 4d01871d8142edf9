import { join } from 'node:path';
import { atEnd, must, openPort, roundRobin, run } from './processes.mjs';
import { median, table } from './statistics.mjs';

/** The reader of a pipe would take time from the command: a sweep as JSON writes 80 MB. */
const UNREAD = ['sh', '-c', 'exec "$@" >/dev/null', 'sh'];

/** Wall time, processor time and memory of whole processes (GNU time). This can take long. */
function measure(peers, rounds, prefix = []) {
  roundRobin(peers, rounds, ({ argv, figures }) => {
    const { stderr } = run([...UNREAD, ...prefix, 'time', '-f', '%e %U %S %M', ...argv], 1_200_000);
    figures.push(stderr.trim().split('\n').at(-1).split(' ').map(Number));
  });
}

function describe(what, count, peers) {
  const of = ({ figures }, column) => median(figures.map((row) => row[column]));
  const [first] = peers;
  return table([
    [
      what,
      'seconds',
      'ports a second',
      `times ${first.name.split(' ')[0]}`,
      'processor seconds',
      'MiB at most',
    ],
    ...peers.map((peer) => [
      peer.name,
      of(peer, 0).toFixed(2),
      String(Math.round(count / of(peer, 0))),
      (of(peer, 0) / of(first, 0)).toFixed(3),
      (of(peer, 1) + of(peer, 2)).toFixed(2),
      String(Math.round(of(peer, 3) / 1024)),
    ]),
  ]);
}

const ours = ({ nodes, checkouts }, ...words) =>
  nodes.flatMap(({ node, label }) =>
    checkouts.map(({ portping, label: which }) => ({
      name: `portping${which}${label} ${words.join(' ')}`,
      argv: [node, portping, ...words],
      figures: [],
    })),
  );

function evilscan({ peersFolder, nodes: [{ node }], say }, ...words) {
  if (peersFolder === undefined) {
    say('without evilscan: no --peers FOLDER in which it is installed');
    return [];
  }
  return [
    {
      name: `evilscan ${words.join(' ')}`,
      argv: [node, join(peersFolder, 'node_modules/.bin/evilscan'), ...words],
      figures: [],
    },
  ];
}

const nmap = (...words) => ({
  name: `nmap ${words.join(' ')}`,
  argv: ['nmap', ...words],
  figures: [],
});

/** All ports of loopback. Nearly all are closed. */
export const sweep = {
  name: 'sweep',
  needs: ['nmap', 'time'],
  defaultRounds: 5,
  async measure({ rounds, ...options }) {
    await openPort(['127.0.0.1']);
    const peers = [
      nmap('-sT', '-n', '-Pn', '-p-', '-T5', '127.0.0.1'),
      ...evilscan(options, '127.0.0.1', '--port=1-65535'),
      ...ours(options, '127.0.0.1', '1-65535'),
      ...ours(options, '-o', 'csv', '127.0.0.1', '1-65535'),
      ...ours(options, '-o', 'json', '127.0.0.1', '1-65535'),
    ];
    measure(peers, rounds);
    options.say(describe('65,535 ports', 65_535, peers));
  },
};

/** 2,000 ports that a firewall drops, each program with its own defaults; nmap takes minutes. */
export const dropped = {
  name: 'dropped',
  needs: ['linux', 'root', 'ip', 'nft', 'nmap', 'time'],
  defaultRounds: 1,
  async measure({ rounds, ...options }) {
    const namespace = `portping-bench-${process.pid}-dropped`;
    must(`ip netns add ${namespace}`);
    atEnd(() => must(`ip netns del ${namespace}`));
    must(`ip -n ${namespace} link set lo up`);
    const inside = ['ip', 'netns', 'exec', namespace];
    const rules = [
      'add table inet bench',
      'add chain inet bench input { type filter hook input priority 0 ; }',
      'add rule inet bench input tcp dport 20000-21999 drop',
    ];
    for (const rule of rules) must([...inside, 'nft', ...rule.split(' ')].join(' '));
    const range = '20000-21999';
    const peers = [
      nmap('-sT', '-n', '-Pn', '-p', range, '127.0.0.1'),
      ...evilscan(options, '127.0.0.1', `--port=${range}`),
      ...ours(options, '127.0.0.1', range),
      ...ours(options, '-w', '2s', '127.0.0.1', range),
    ];
    measure(peers, rounds, inside);
    options.say(describe('2,000 dropped ports', 2000, peers));
  },
};
