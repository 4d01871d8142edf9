import { file, openPort, roundRobin, run, start } from './processes.mjs';
import { median, quantile, table } from './statistics.mjs';

/** Programs that time a name resolution, and how to read the milliseconds. */
function peersOf({ nodes, checkouts }, host, port, server) {
  const json = JSON.parse;
  return nodes.flatMap(({ node, label }) => [
    ...[0, 1].map((index) => ({
      name: `naive Node, ${['first', 'second'][index]} lookup${label}`,
      argv: [node, file('naive-lookup.mjs'), host, ...(server ? [server] : [])],
      read: (stdout) => json(stdout)[index],
    })),
    ...checkouts.map(({ portping, label: which }) => ({
      name: `portping${which}${label}`,
      argv: [node, portping, '-o', 'json', ...(server ? ['--dns', server] : []), host, port],
      read: (stdout) => json(stdout).resolution.elapsedMs,
    })),
  ]);
}

function measureWith(peers, rounds) {
  const samples = new Map(peers.map((peer) => [peer, []]));
  roundRobin(peers, rounds, (peer) => {
    const { status, stdout, stderr } = run(peer.argv);
    const ms = status === 0 ? peer.read(stdout) : NaN;
    if (Number.isNaN(ms)) throw new Error(`${peer.name}: exit code ${status}, ${stderr.trim()}`);
    samples.get(peer).push(ms);
  });
  const naive = median(samples.get(peers[0]));
  const rows = peers.map((peer) => {
    const middle = median(samples.get(peer));
    return [
      peer.name,
      middle.toFixed(2),
      quantile(samples.get(peer), 0.95).toFixed(2),
      (middle / naive).toFixed(2),
    ];
  });
  return table([['reported', 'median, ms', 'p95, ms', '× naive Node'], ...rows]);
}

/** The reported time of a resolution that takes next to no time, the first of each process. */
export const lookup = {
  name: 'lookup',
  needs: [],
  defaultRounds: 40,
  async measure({ rounds, say, ...options }) {
    const port = await openPort(['127.0.0.1']);
    const { first: server } = await start([process.execPath, file('dns-server.mjs')]);
    const system = peersOf(options, 'localhost', port);
    say(`\n(a) localhost, by the system's resolver\n\n${measureWith(system, rounds)}\n`);
    const direct = peersOf(options, 'name.test', port, server);
    say(`(b) a DNS server on loopback that answers at once\n\n${measureWith(direct, rounds)}\n`);
  },
};
