// What plain Node sees. Reads a JSON list of requests on stdin, runs them at once and prints a JSON
// list of outcomes in the same order. A request has a `kind` and the parameters of that action.
// An outcome is { code, errno, syscall, message, elapsedMs, value }. The code is `open` for success
// and `none` for no result within `giveUpMs`.
import dns from 'node:dns';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const actions = {
  connect: ({ giveUpMs, ...options }, done) => {
    let startedAt = performance.now();
    const socket = net.connect({ ...options, autoSelectFamily: false });
    const timer = setTimeout(() => finish({ code: 'none' }), giveUpMs);
    const finish = (error) => {
      done(startedAt, error, socket.localAddress);
      clearTimeout(timer);
      socket.destroy();
    };
    socket.once('connectionAttempt', () => (startedAt = performance.now()));
    socket.once('connect', () => finish(null));
    socket.once('error', finish);
  },
  lookup: ({ name, family = 0 }, done) => {
    const startedAt = performance.now();
    dns.lookup(name, { family, all: true }, (error, found) =>
      done(
        startedAt,
        error,
        found?.map((one) => one.address),
      ),
    );
  },
  resolve: ({ name, type, server }, done) => {
    const startedAt = performance.now();
    const resolver = new dns.Resolver({ timeout: 500, tries: 1 });
    if (server) resolver.setServers([server]);
    resolver.resolve(name, type, (error, found) => done(startedAt, error, found));
  },
};

function act({ kind, ...request }) {
  return new Promise((resolve) => {
    actions[kind](request, (startedAt, error, value) => {
      const { code = 'open', errno, syscall, message } = error ?? {};
      resolve({ code, errno, syscall, message, elapsedMs: performance.now() - startedAt, value });
    });
  });
}

// The first connect of a process takes some ms longer.
const warmUp = net.createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
await new Promise((resolve) => warmUp.once('listening', resolve));
await act({ kind: 'connect', host: '127.0.0.1', port: warmUp.address().port, giveUpMs: 1000 });
warmUp.close();

const outcomes = [];
for (const request of JSON.parse(await text(process.stdin))) {
  outcomes.push(act(request));
  await sleep(2); // requests that start together delay each other
}
process.stdout.write(JSON.stringify(await Promise.all(outcomes)));
