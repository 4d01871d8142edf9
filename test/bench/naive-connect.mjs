// The obvious way to time a handshake with Node: a clock around net.connect.
// Prints {"latencyMs":…,"port":…}.
import { connect } from 'node:net';

const [host, port] = process.argv.slice(2);
const start = process.hrtime.bigint();
const socket = connect({ host, port: Number(port) }, () => {
  const latencyMs = Number(process.hrtime.bigint() - start) / 1e6;
  process.stdout.write(`${JSON.stringify({ latencyMs, port: socket.localPort })}\n`);
  socket.destroy();
});
