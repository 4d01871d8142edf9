// A real TCP listener, started by Lab.listen(). Speaks the line protocol of helper-process.ts.
import net from 'node:net';
import { createInterface } from 'node:readline';

const { address, port, onConnection, banner } = JSON.parse(process.argv[2]);
const connections = [];

const behaviours = {
  hold: (socket) => socket.resume(),
  close: (socket) => socket.resume().end(),
  reset: (socket) => socket.resetAndDestroy(),
  banner: (socket) => socket.resume().write(banner),
  'banner-close': (socket) => socket.resume().end(banner),
  echo: (socket) => socket.pipe(socket),
};

const server = net.createServer((socket) => {
  const connection = {
    from: socket.remoteAddress?.replace('::ffff:', ''),
    port: socket.remotePort,
    end: null,
  };
  connections.push(connection);
  socket.on('end', () => (connection.end ??= 'fin'));
  socket.on(
    'error',
    (error) => (connection.end ??= error.code === 'ECONNRESET' ? 'reset' : error.code),
  );
  behaviours[onConnection](socket);
});

server.listen({ host: address, port, backlog: 4096 }, () =>
  answer({ port: server.address().port }),
);
createInterface({ input: process.stdin })
  .on('line', () => answer(connections))
  .on('close', () => process.exit());

function answer(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
