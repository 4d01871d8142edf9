import { openPort, roundRobin, run } from './processes.mjs';
import { median, table } from './statistics.mjs';

/** All ports of loopback, beside nmap's connect scan: wall time, processor time and memory of whole processes (GNU time). */
export const sweep = {
  name: 'sweep',
  needs: ['nmap', 'time'],
  defaultRounds: 5,
  async measure({ rounds, say, nodes, checkouts }) {
    await openPort(['127.0.0.1']);
    const timed = (...argv) => ['time', '-f', '%e %U %S %M', ...argv];
    const nmap = { name: 'nmap -sT -n -Pn -p- -T5 127.0.0.1', argv: timed('nmap', '-sT', '-n', '-Pn', '-p-', '-T5', '127.0.0.1'), figures: [] };
    const ours = nodes.flatMap(({ node, label }) =>
      checkouts.map(({ portping, label: which }) => ({ name: `portping${which} 127.0.0.1 1-65535${label}`, argv: timed(node, portping, '127.0.0.1', '1-65535'), figures: [] })),
    );
    roundRobin([nmap, ...ours], rounds, ({ argv, figures }) => {
      const last = run(argv).stderr.trim().split('\n').at(-1).split(' ').map(Number);
      figures.push(last);
    });
    const of = ({ figures }, column) => median(figures.map((row) => row[column]));
    say(table([
      ['65,535 ports', 'seconds', 'probes a second', 'times nmap', 'processor seconds', 'MiB at most'],
      ...[nmap, ...ours].map((peer) => [
        peer.name, of(peer, 0).toFixed(2), String(Math.round(65_535 / of(peer, 0))), (of(peer, 0) / of(nmap, 0)).toFixed(2),
        (of(peer, 1) + of(peer, 2)).toFixed(2), String(Math.round(of(peer, 3) / 1024)),
      ]),
    ]));
  },
};
