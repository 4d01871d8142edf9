import { spawn } from 'node:child_process';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type Answer, decode, encode, RECURSION_AVAILABLE, RECURSION_DESIRED } from 'dns-packet';
import { onTestFinished } from 'vitest';

/** Options of `expect.poll` for an event that a busy machine can delay. */
export const SOON = { timeout: 10_000, interval: 10 } as const;

/** What a listener does with a connection: keeps it, closes it in order, or resets it. */
export type OnConnection = 'hold' | 'end' | 'reset';

/** A listener on a free port. It and its connections are closed when the test ends. */
export interface TestListener {
  readonly port: number;
  /** The connections so far, in order of arrival. */
  readonly connections: readonly Socket[];
  /** Events of all connections, in order: `data`, `end`, or the code of an error. */
  readonly seen: readonly string[];
  close(): Promise<void>;
}

/** Listens on loopback, on a free port unless one is given. */
export async function listen(
  address = '127.0.0.1',
  { onConnection = 'hold', port = 0 }: { onConnection?: OnConnection; port?: number } = {},
): Promise<TestListener> {
  const connections: Socket[] = [];
  const seen: string[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    socket.on('data', () => seen.push('data')).on('end', () => seen.push('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code ?? error.message));
    if (onConnection === 'end') socket.end();
    else if (onConnection === 'reset') socket.resetAndDestroy();
  });
  server.listen({ host: address, port, backlog: 4096, ipv6Only: true });
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    for (const socket of connections) socket.destroy();
    await once(server, 'close');
  };
  onTestFinished(close);
  return { port: (server.address() as AddressInfo).port, connections, seen, close };
}

/** A loopback address of this process alone on Linux, where all of 127.0.0.0/8 is up. */
export function ownLoopback(): string {
  return process.platform === 'linux'
    ? `127.${64 + ((process.pid >> 16) % 64)}.${(process.pid >> 8) & 255}.${process.pid & 255 || 1}`
    : '127.0.0.1';
}

/** Whether no program listens on a port. Rejects if this machine does not have the address. */
async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer().listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/** At least as many as the workers in vitest.config.ts. */
const WORKERS = 8;

/** What `freePort` has returned. */
const usedPorts = new Set<number>();

/**
 * A closed port below the ephemeral range: the system gives it to no listener of another test.
 * Each worker of vitest has its own ports and returns each once, so no server that a test starts
 * on such a port can open it either.
 */
export async function freePort(address = '127.0.0.1'): Promise<number> {
  const worker = Number(process.env['VITEST_POOL_ID']) % WORKERS;
  for (;;) {
    const port = 10_000 + WORKERS * Math.floor((Math.random() * 20_000) / WORKERS) + worker;
    if (usedPorts.has(port) || !(await isFree(port, address))) continue;
    usedPorts.add(port);
    return port;
  }
}

/**
 * A closed port on which a probe can connect to itself. For outgoing connections Linux prefers
 * ports of the parity of the lower end of its ephemeral range; for listeners it prefers the others.
 */
export async function selfConnectProne(): Promise<number> {
  const [lowest = 0, highest = 0] = (
    await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
  )
    .trim()
    .split(/\s+/)
    .map(Number);
  for (;;) {
    const port = lowest + 2 * Math.floor((Math.random() * (highest - lowest)) / 2);
    if (await isFree(port, '127.0.0.1')) return port;
  }
}

const NEVER_ACCEPTING = `
const { parentPort, workerData } = require('node:worker_threads');
const where = { ...workerData.where, port: 0, backlog: 1 };
const server = require('node:net').createServer().listen(where, () => {
  parentPort.postMessage(server.address().port);
  Atomics.wait(workerData.forever, 0, 0);
});`;

/**
 * A port that does not answer: a listener that never accepts, with a full queue, so the system
 * drops every further SYN. On Linux a backlog of 1 has room for two. Closed when the test ends.
 *
 * @param address where it listens; `0.0.0.0` makes the port silent on all of 127.0.0.0/8
 */
export async function silentPort(address = '127.0.0.1'): Promise<number> {
  const worker = new Worker(NEVER_ACCEPTING, {
    eval: true,
    workerData: { where: { host: address }, forever: new Int32Array(new SharedArrayBuffer(4)) },
  });
  const [port] = (await once(worker, 'message')) as [number];
  const fillers = [new Socket(), new Socket()];
  onTestFinished(async () => {
    for (const filler of fillers) filler.destroy();
    await worker.terminate();
  });
  for (const filler of fillers) {
    filler
      .on('error', () => {})
      .connect({
        host: address === '0.0.0.0' ? '127.0.0.1' : address,
        port,
        autoSelectFamily: false,
      });
    await once(filler, 'connect');
  }
  return port;
}

/** The reply to one DNS question: records, a response code (RFC 1035, 4.1.1), or silence. */
export type DnsReply =
  readonly Answer[] | 'FORMERR' | 'SERVFAIL' | 'NXDOMAIN' | 'NOTIMP' | 'REFUSED' | 'silence';

const RESPONSE_CODES = { FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

/** A DNS server on UDP of 127.0.0.1, closed when the test ends. */
export interface TestDnsServer {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** `A name` of each question so far, in order of arrival. */
  readonly questions: readonly string[];
}

/** A DNS server that sends what `reply` returns, or resolves to, for each question. */
export async function listenDns(
  reply: (type: string, name: string) => DnsReply | Promise<DnsReply>,
): Promise<TestDnsServer> {
  const questions: string[] = [];
  const answer = async (message: Buffer, { port, address }: RemoteInfo): Promise<void> => {
    const query = decode(message);
    const [question] = query.questions ?? [];
    if (!question) return;
    questions.push(`${question.type} ${question.name}`);
    const said = await reply(question.type, question.name);
    if (said === 'silence') return;
    const [code, answers] = typeof said === 'string' ? [RESPONSE_CODES[said], []] : [0, [...said]];
    server.send(
      encode({
        type: 'response',
        ...(query.id === undefined ? {} : { id: query.id }),
        flags: RECURSION_DESIRED | RECURSION_AVAILABLE | code,
        questions: [question],
        answers,
      }),
      port,
      address,
    );
  };
  const server = createSocket('udp4').on('message', (message, from) => void answer(message, from));
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    await once(server, 'close');
  });
  return { address: `127.0.0.1:${server.address().port}`, questions };
}

/** How a process ended. */
export interface AloneResult {
  readonly stdout: string;
  readonly stderr: string;
  /** null if it was killed. */
  readonly exitCode: number | null;
}

/**
 * Runs a script in its own Node process, in a folder that has the core as JavaScript, so that it
 * can `import … from './core/clock.js'`. The process is killed after `timeoutMs`.
 */
export async function runAlone(
  script: string,
  { timeoutMs = 30_000, prefix = [] as readonly string[] } = {},
): Promise<AloneResult> {
  const directory = await transpiledSources();
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'script.js'), script);
  const [file = process.execPath, ...words] = [
    ...prefix,
    process.execPath,
    join(directory, 'script.js'),
  ];
  const child = spawn(file, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { ...texts, exitCode };
}

/** The core as JavaScript, file by file. Needs no build, so it is never out of date. */
async function transpileCore(): Promise<ReadonlyMap<string, string>> {
  const { default: ts } = await import('typescript');
  const source = fileURLToPath(new URL('../../src/core/', import.meta.url));
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
  };
  const files = (await readdir(source, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const scripts = files.map(
    async (file) =>
      [
        file.replace(/\.ts$/, '.js'),
        ts.transpileModule(await readFile(join(source, file), 'utf8'), { compilerOptions })
          .outputText,
      ] as const,
  );
  return new Map(await Promise.all(scripts));
}

let core: Promise<ReadonlyMap<string, string>> | undefined;

/** A new folder with the core as JavaScript. */
async function transpiledSources(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'portping-alone-'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  core ??= transpileCore();
  for (const [file, script] of await core) {
    const path = join(directory, 'core', file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, script);
  }
  return directory;
}

/** The children of this process that still run. Linux only. */
export async function childProcesses(): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')),
  );
  // proc(5): pid (comm) state ppid …; the name in brackets may contain spaces and brackets
  return stats
    .map(
      (stat) =>
        [Number.parseInt(stat, 10), ...stat.slice(stat.lastIndexOf(')') + 2).split(' ')] as const,
    )
    .filter(([, state, parent]) => Number(parent) === process.pid && state !== 'Z')
    .map(([pid]) => Number(pid));
}
