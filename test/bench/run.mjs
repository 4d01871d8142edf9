// npm run bench [name] [-- options]; README.md has the options and what the figures mean.
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { crowd } from './crowd.mjs';
import { exporter } from './exporter.mjs';
import { exporterSoak } from './exporter-soak.mjs';
import { latency } from './latency.mjs';
import { lookup } from './lookup.mjs';
import { describeMachine, missing } from './machine.mjs';
import { cleanUp, copyOfPortping, file, must } from './processes.mjs';
import { startUp } from './start-up.mjs';
import { dropped, sweep } from './sweep.mjs';

const benches = [startUp, latency, lookup, crowd, sweep, dropped, exporter, exporterSoak];
const say = (text) => process.stdout.write(`${text}\n`);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    node: { type: 'string', multiple: true, default: [] },
    against: { type: 'string', multiple: true, default: [] },
    peers: { type: 'string' },
  },
});
const chosen = benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
if (unknown.length > 0 || (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))) {
  say(
    `usage: npm run bench [${benches.map(({ name }) => name).join('|')}] ` +
      '[-- --rounds N --node PATH --against CHECKOUT --peers FOLDER]',
  );
  process.exit(64);
}

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => (cleanUp(), process.exit(130)));
try {
  const nodes = [process.execPath, ...values.node].map((node) => ({
    node,
    version: must(`${node} --version`).trim(),
  }));
  const folders = [file('../..'), ...values.against].map((folder) => resolve(folder));
  const options = {
    nodes: nodes.map(({ node, version }) => ({
      node,
      label: nodes.length > 1 ? `, ${version}` : '',
    })),
    checkouts: folders.map((folder) => ({
      portping: copyOfPortping(folder),
      label: folders.length > 1 ? ` (${basename(folder)})` : '',
    })),
    peersFolder: values.peers,
    say,
  };
  say(`${describeMachine()}, Node ${nodes.map(({ version }) => version).join(', ')}`);
  for (const { name, needs, defaultRounds, measure } of chosen) {
    const lacking = missing(needs);
    say(
      lacking
        ? `\n# ${name}: skipped, ${lacking}`
        : `\n# ${name}, ${rounds ?? defaultRounds} rounds`,
    );
    if (!lacking) await measure({ ...options, rounds: rounds ?? defaultRounds });
  }
} finally {
  cleanUp();
}
process.exit();
