// Open ports: `listener.mjs HOST...` listens on one port of each host, writes its number and ends when its stdin does.
// Who sends something is hung up on, so that curl does not wait for an answer.
import { createServer } from 'node:net';
import { once } from 'node:events';

let port = 0;
for (const host of process.argv.slice(2)) {
  const server = createServer((socket) =>
    socket.on('error', () => {}).on('data', () => socket.destroy()),
  );
  server.listen({ host, port, backlog: 4096 });
  const problem = await once(server, 'listening').then(
    () => null,
    (error) => error,
  );
  if (problem && port === 0) throw problem; // the further hosts may be missing: not every machine has ::1
  port ||= server.address().port;
}
process.stdout.write(`${port}\n`);
process.stdin.resume().on('end', () => process.exit());
