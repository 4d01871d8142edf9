// What users do, on any platform and without root: node test/portable/suite.mjs
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, constants, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { folder, node, portping, start, until, untilWritten } from './command.mjs';
import { freePort, listen, listenDns, listenHttp } from './servers.mjs';

const { platform } = process;
const open = await listen();
/** Nothing listens on the port of tcpmux. */
const closed = 1;
const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some(({ address }) => address === '::1');

/** UV_FS_O_EXLOCK of libuv: no other program can open, replace or remove the file. */
const EXCLUSIVE_LOCK = 0x1000_0000;

const SUCCESS = /^Success! Pinged port \d+ in [\d.]+ milliseconds\.\n$/;
const REFUSED = 'Error Detected: Connection refused <10061> returned.\n';

/** Runs portping and compares its exit code, and its output with a text or an expression. */
async function expectRun(args, exitCode, stdout, input) {
  const result = await portping(args, input);
  assert.equal(result.exitCode, exitCode, `${result.stdout}${result.stderr}`);
  if (typeof stdout === 'string') assert.equal(result.stdout, stdout);
  else assert.match(result.stdout, stdout);
  return result;
}

test('--version and --help', async () => {
  await expectRun(['--version'], 0, /^\d+\.\d+\.\d+\n$/);
  const { stdout } = await expectRun(['--help'], 0, /^Usage: portping [^]*--wait [^]*Exit codes:/);
  assert.equal(stdout.includes('$LASTEXITCODE'), platform === 'win32');
});

test('--explain knows the numbers of each system', async () => {
  const own = { linux: [110, 113], darwin: [60, 65], win32: [-4039, 10065] }[platform];
  await expectRun(['--explain', 10061], 0, /^10061 WSAECONNREFUSED/);
  await expectRun(['--explain', own[0]], 0, /^10060 WSAETIMEDOUT/);
  await expectRun(['--explain', own[1]], 0, /^10065 WSAEHOSTUNREACH/);
  for (const [number, system, winsock] of [
    [110, 'linux', 10060],
    [113, 'linux', 10065],
    [61, 'darwin', 10061],
  ])
    if (system !== platform) {
      const foreign = new RegExp(
        `^${number} is no errno of .*; on (Linux|macOS) it is .* ${winsock}`,
      );
      await expectRun(['--explain', number], 0, foreign);
    }
});

test('an open port', async () => {
  const { stderr } = await expectRun(['127.0.0.1', open], 0, SUCCESS);
  assert.equal(stderr, '');
});

test('an open port on IPv6', { skip: !hasIpv6 && 'needs ::1' }, async () => {
  const port = await listen('::1');
  await expectRun([`[::1]:${port}`], 0, SUCCESS);
});

test('a closed port', async () => {
  const { stderr } = await expectRun(['127.0.0.1', closed], 1, REFUSED);
  assert.match(stderr, /\b10061 WSAECONNREFUSED \(ECONNREFUSED\): 127\.0\.0\.1:\d+ refused/);
});

test('wrong usage', async () => {
  const { stderr } = await expectRun(['127.0.0.1', 0], 64, '');
  assert.match(stderr, /^portping: /);
});

test('localhost as JSON', async () => {
  const { stdout } = await expectRun(['-o', 'json', 'localhost', open], 0, /^{.*}\n$/);
  const { schema, state, target } = JSON.parse(stdout);
  assert.deepEqual(
    [schema, state, target],
    ['portping/1', 'open', { host: 'localhost', port: open }],
  );
});

test('names that a DNS server knows, does not know, and does not answer', async () => {
  const dns = ['--dns', await listenDns()];
  await expectRun([...dns, 'open.test', open], 0, SUCCESS);
  await expectRun([...dns, '-o', 'csv', 'no.test', 25], 3, /unresolved,name-not-found/);
  await expectRun([...dns, '-w', '1s', '-o', 'csv', 'silent.test', 25], 3, /resolver-timeout/);
});

test('an open and a closed port as CSV', async () => {
  const { stdout } = await expectRun(['-o', 'csv', '127.0.0.1', `${open},${closed}`], 1, /^/);
  const [, ...rows] = stdout.trimEnd().split('\n');
  assert.deepEqual(
    rows.map((row) => / *(open|closed)/.exec(row)?.[1]),
    ['open', 'closed'],
  );
});

test('a list on standard input as TAP', async () => {
  const list = `127.0.0.1 ${open}\n127.0.0.1 ${closed} closed\n`;
  await expectRun(['--targets', '-', '-o', 'tap'], 0, /^TAP [^]*^ok 1 [^]*^ok 2 /m, list);
});

test('a sweep of 4,096 ports with threads', async () => {
  const { stdout } = await portping(['-o', 'csv', '-w', '30s', '127.0.0.1', '1-4096']);
  const [, ...rows] = stdout.trimEnd().split('\n');
  assert.equal(rows.length, 4096);
  assert.deepEqual(
    rows.filter((row) => !/,(open,|closed,conn-refused)/.test(row)),
    [],
  );
});

test('a series with statistics', async () => {
  const series = await expectRun(
    ['-c', 3, '-i', '10ms', '127.0.0.1', open],
    0,
    /^(Success.*\n){3}$/,
  );
  assert.match(series.stderr, /3 probes/);
});

test('expectations', async () => {
  await expectRun(['--expect', 'closed', '127.0.0.1', closed], 0, REFUSED);
  await expectRun(['--expect', 'closed', '127.0.0.1', open], 5, SUCCESS);
});

test('services', async () => {
  const http = await listenHttp();
  await expectRun(['--service=http', '127.0.0.1', http], 0, /^Success.*\nService: http answered /);
  await expectRun(['--service=banner', '-w', '1s', '127.0.0.1', open], 6, /^Success/);
});

test('a check for Nagios', async () => {
  await expectRun(['-o', 'nagios', '127.0.0.1', open], 0, /^PORTPING OK/);
  await expectRun(['-o', 'nagios', '127.0.0.1', closed], 2, /^PORTPING CRITICAL/);
});

test('a diagnosis', async () => {
  await expectRun(['--diagnose', '--no-companions', '127.0.0.1', closed], 1, /refused/);
});

test('a source address', async () => {
  await expectRun(['--source', '127.0.0.1', '127.0.0.1', open], 0, SUCCESS);
});

test('--output-file writes a file and replaces it', async () => {
  const path = join(folder, 'result.txt');
  for (const [port, exitCode, text] of [
    [open, 0, SUCCESS],
    [closed, 1, /^Error Detected/],
  ]) {
    await expectRun(['--output-file', path, '127.0.0.1', port], exitCode, '');
    assert.match(readFileSync(path, 'utf8'), text);
  }
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

const onWindows = { skip: platform !== 'win32' && 'needs Windows' };

test('--output-file on Windows', onWindows, async (context) => {
  for (const [name, problem] of [
    ['NUL', 'is the device NUL of Windows; write > NUL instead'],
    ['con.txt', 'is the device CON of Windows; use another path'],
    ['ab:c.txt', 'is a data stream of the file ab; use another path'],
    ['what?.txt', 'has a \\?, which Windows allows in no name'],
    ['results\\', 'is not a file name; use another path'],
  ]) {
    const { stderr } = await expectRun(['--output-file', name, '127.0.0.1', open], 64, '');
    assert.match(stderr, new RegExp(`^portping: --output-file: .*${problem}`));
  }
  const path = join(folder, 'held.txt');
  const args = ['--output-file', path, '127.0.0.1', open];
  writeFileSync(path, 'old');
  const holder = openSync(path, constants.O_RDWR | EXCLUSIVE_LOCK);
  let letGo = () => closeSync(holder);
  context.after(() => letGo());
  const { stderr } = await expectRun(args, 64, '');
  assert.match(stderr, /another program may hold it open .*; the result is in .*\.portping /);
  assert.match(readFileSync(`${path}.portping`, 'utf8'), SUCCESS);
  // It is let go while portping runs.
  const { child, ended } = start('portping', ['--service=banner', '-w', '1s', ...args]);
  await until(child, () => readdirSync(folder).some((name) => name.endsWith('.tmp')));
  assert.equal(child.exitCode, null);
  letGo();
  letGo = () => {};
  assert.equal((await ended).exitCode, 6);
  assert.match(readFileSync(path, 'utf8'), /^Success/);
});

test('--wait waits for a port, and gives up', async () => {
  const port = await freePort();
  const { child, ended } = start('portping', ['--wait', '60s', '127.0.0.1', port]);
  await untilWritten(child, 'waiting');
  const server = createServer().listen(port, '127.0.0.1');
  const { exitCode, stdout } = await ended;
  server.close();
  assert.match(stdout, SUCCESS);
  assert.equal(exitCode, 0);
  await expectRun(['--wait', '1s', '127.0.0.1', closed], 1, REFUSED);
});

test('--wait runs a command and passes its exit code on', async () => {
  const isWindows = platform === 'win32';
  const script = isWindows ? '@echo [%~1]\r\n@exit /b 9\r\n' : '#!/bin/sh\necho "[$1]"; exit 9\n';
  writeFileSync(join(folder, isWindows ? 'greet.cmd' : 'greet'), script, { mode: 0o755 });
  const expectCommand = (command, exitCode, stdout) =>
    expectRun(['--wait', '30s', '-q', '127.0.0.1', open, '--', ...command], exitCode, stdout);
  await expectCommand([isWindows ? 'greet' : './greet', 'two words'], 9, '[two words]\n');
  await expectCommand([node, '-e', 'console.log(8); process.exit(8)'], 8, '8\n');
  if (isWindows) await expectCommand(['cmd', '/c', 'exit', '7'], 7, '');
  const { stderr } = await expectCommand(['no-such-command'], 127, '');
  assert.match(stderr, /portping: cannot run no-such-command: no such command\n$/);
});

test('the exporter', async () => {
  const { child, ended } = start('portping-exporter', ['--listen', '127.0.0.1:0']);
  try {
    const log = await untilWritten(child, '"listening"');
    const { address } = JSON.parse(log.split('\n')[0]);
    // Not fetch(): it fails under Wine.
    const request = get(`http://${address}/probe?target=127.0.0.1:${open}`);
    const [response] = await once(request, 'response');
    assert.match(await text(response), /^portping_success{[^}]*} 1$/m);
  } finally {
    child.kill();
    await ended;
  }
});
