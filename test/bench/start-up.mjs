import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, missing } from './machine.mjs';
import { openPort, roundRobin, run, temporaryFolder } from './processes.mjs';
import { median, quantile, table } from './statistics.mjs';

const GOAL = 1.7;

/** What people and programs type, from the least to the most that is loaded. */
const COMMANDS = [
  '127.0.0.1 PORT',
  '-q 127.0.0.1 PORT',
  '-w 2s 127.0.0.1 PORT',
  '-o json 127.0.0.1 PORT',
  '127.0.0.1:PORT [::1]:PORT',
  '127.0.0.1:PORT 127.0.0.1:PORT',
  '--targets FILE',
  '-c 2 -i 0 127.0.0.1 PORT',
  '--service http 127.0.0.1 PORT',
  '--diagnose --no-companions 127.0.0.1 PORT',
  'localhost PORT',
  '--version',
];

/** The commands to compare. In a name `PORT` stands for the open port, `FILE` for two targets. */
function peersOf({ nodes, checkouts, peersFolder, port, say }) {
  const list = join(temporaryFolder(), 'targets');
  writeFileSync(list, `127.0.0.1 ${port}\n127.0.0.1 ${port}\n`);
  const peers = [];
  for (const { node, label } of nodes) {
    const unit = { name: `node --eval 0${label}`, argv: [node, '--eval', '0'] };
    peers.push(unit);
    for (const { portping, label: which } of checkouts) {
      for (const args of COMMANDS) {
        const words = args.replaceAll('PORT', port).replace('FILE', list).split(' ');
        const argv = [node, portping, ...words];
        peers.push({
          name: `portping${which} ${args}${label}`,
          argv,
          unit,
          goal: args === '127.0.0.1 PORT',
        });
      }
    }
  }
  for (const command of ['nc -z 127.0.0.1 PORT', 'nmap -sT -n -Pn -p PORT 127.0.0.1']) {
    const argv = command.replace('PORT', port).split(' ');
    const lacking = missing([argv[0]]);
    if (lacking) say(`without ${argv[0]}: ${lacking}`);
    else peers.push({ name: command, argv });
  }
  const tcpie =
    peersFolder === undefined ? findProgram('tcpie') : join(peersFolder, 'node_modules/.bin/tcpie');
  if (tcpie && existsSync(tcpie))
    peers.push({
      name: 'tcpie -c 1 127.0.0.1 PORT',
      argv: [process.execPath, tcpie, '-c', '1', '127.0.0.1', port],
    });
  else say('without tcpie: not installed (npm install --prefix FOLDER tcpie, then --peers FOLDER)');
  return peers;
}

/** Wall time of whole processes, as multiples of Node's own start and end. */
export const startUp = {
  name: 'start-up',
  needs: [],
  defaultRounds: 80,
  async measure({ rounds, say, ...options }) {
    const peers = peersOf({ ...options, say, port: await openPort(['127.0.0.1', '::1']) });
    for (const { name, argv } of peers) {
      const { status, stderr } = run(argv); // also brings the files into memory
      if (status !== 0) throw new Error(`${name}: exit code ${status}, ${stderr.trim()}`);
    }
    const samples = new Map(peers.map((peer) => [peer, []]));
    roundRobin(peers, rounds, (peer) => samples.get(peer).push(run(peer.argv).elapsedMs));
    const rows = peers.map((peer) => {
      const [low, middle, high] = [0.25, 0.5, 0.75].map((share) =>
        quantile(samples.get(peer), share),
      );
      const ratio = middle / median(samples.get(peer.unit ?? peers[0]));
      return [
        peer.name,
        middle.toFixed(1),
        `${low.toFixed(1)}–${high.toFixed(1)}`,
        ratio.toFixed(2),
        peer.goal ? (ratio <= GOAL ? 'met' : 'missed') : '',
      ];
    });
    const head = ['whole process', 'median, ms', 'quartiles, ms', '× node --eval 0'];
    say(`\n${table([[...head, `goal: ${GOAL}`], ...rows])}\n`);
  },
};
