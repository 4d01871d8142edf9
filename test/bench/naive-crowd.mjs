// The obvious way to time many handshakes with Node: a clock around each net.connect.
// `naive-crowd.mjs HOST PORT COUNT CONCURRENCY` prints one {"latencyMs":…,"port":…} a line.
import { connect } from 'node:net';

const [host, port, count, concurrency] = process.argv.slice(2);
let left = Number(count);
const lines = [];

const next = () => {
  if (left === 0) return;
  left -= 1;
  const start = process.hrtime.bigint();
  const socket = connect({ host, port: Number(port) }, () => {
    const latencyMs = Number(process.hrtime.bigint() - start) / 1e6;
    lines.push(JSON.stringify({ latencyMs, port: socket.localPort }));
    socket.destroy();
    next();
  });
};
for (let index = 0; index < Number(concurrency); index += 1) next();
process.on('exit', () => process.stdout.write(`${lines.join('\n')}\n`));
