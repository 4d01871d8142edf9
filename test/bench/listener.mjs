// Open ports: `listener.mjs HOST...` listens on the same port of each host and writes its number.
// Ends when its stdin ends. Answers data as an HTTP server with nothing to say.
import { createServer } from 'node:net';
import { once } from 'node:events';

const ANSWER = 'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n';

let port = 0;
for (const host of process.argv.slice(2)) {
  const server = createServer((socket) =>
    socket.on('error', () => {}).on('data', () => socket.end(ANSWER)),
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
