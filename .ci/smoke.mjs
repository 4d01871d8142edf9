// Runs the built command a few times on any platform, without root and without a test runner.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';

/** Runs portping, shows what it prints, and fails on another exit code or other words. */
async function expectRun(args, exitCode, words) {
  const child = spawn(process.execPath, ['bin/portping.js', ...args]);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  console.log(`portping ${args.join(' ')}\n${stdout}${stderr}`);
  if (code === exitCode && words.test(stdout)) return;
  console.error(`exit code ${code}; expected: ${exitCode} and ${words}`);
  process.exitCode = 1;
}

const server = createServer((socket) => socket.resume());
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address();

await expectRun(['--version'], 0, /^\d+\.\d+\.\d+\r?\n$/);
await expectRun(['--explain', '10061'], 0, /^10061 WSAECONNREFUSED/);
await expectRun(
  ['127.0.0.1', `${port}`],
  0,
  /^Success! Pinged port \d+ in [\d.]+ milliseconds\.\r?\n$/,
);
await expectRun(['localhost', `${port}`, '-o', 'json'], 0, /^\{"schema":"portping\/1",.*\}\r?\n$/);
server.close();
await expectRun(
  ['127.0.0.1', `${port}`],
  1,
  /^Error Detected: Connection refused <10061> returned\.\r?\n$/,
);
await expectRun(['127.0.0.1', '0'], 64, /^$/);
