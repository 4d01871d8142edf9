// Open ports: `listener.mjs HOST...` listens on the same port of each host and writes its number.
// Ends when its stdin ends. Closes a connection that sends data, so that curl need not wait.
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
  if (problem && port === 0) throw problem; // later hosts may be missing: ::1 without IPv6
  port ||= server.address().port;
}
process.stdout.write(`${port}\n`);
process.stdin.resume().on('end', () => process.exit());
