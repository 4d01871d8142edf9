import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createSecureContext, createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startTlsServer } from '../../support/fake-servers.js';
import { runAlone } from '../../support/listeners.js';
import { Pki } from '../../support/pki.js';
import { describeWith, itWith } from '../../support/tools.js';
import {
  CERTIFICATES,
  type Configuration,
  CONFIGURATIONS,
  type Judge,
  ROOTS,
} from './server-configurations.js';

let pki: Pki;
let rootsFile: string;
let roots: string;
const servers: Server[] = [];
const ports = new Map<Configuration, number>();

beforeAll(async () => {
  pki = new Pki(CERTIFICATES);
  roots = ROOTS.map((name) => pki.read(name)).join('');
  rootsFile = join(pki.directory, 'roots.pem');
  writeFileSync(rootsFile, roots);
  for (const each of CONFIGURATIONS) {
    const server = createServer(
      {
        cert: each.sends.map((name) => pki.read(name)).join(''),
        key: pki.keyOf(each.sends[0] ?? ''),
        ciphers: 'DEFAULT@SECLEVEL=0',
        ...each.options,
      },
      (socket) =>
        socket
          .on('error', () => {})
          .once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')),
    );
    server.on('tlsClientError', () => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.set(each, (server.address() as AddressInfo).port);
    servers.push(server);
  }
});
afterAll(async () => {
  for (const server of servers) server.close();
  await pki.remove();
});

const portOf = (each: Configuration): number => ports.get(each) ?? 0;

function run(file: string, words: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = execFile(file, words, { timeout: 20_000 }, (error) => resolve(error === null));
    child.stdin?.end();
  });
}

/** Whether a client accepts a server, at level 2 with TLS 1.2 and up and the roots of the tests. */
const JUDGES: Readonly<Record<Judge, (each: Configuration) => Promise<boolean>>> = {
  openssl: (each) => {
    const name =
      each.host === undefined
        ? ['-noservername', '-verify_ip', '127.0.0.1']
        : ['-servername', each.host, '-verify_hostname', each.host];
    return run('openssl', [
      ...['s_client', '-connect', `127.0.0.1:${portOf(each)}`, ...name],
      ...['-CAfile', rootsFile, '-no-CApath', '-no-CAstore', '-verify_return_error'],
      ...['-min_protocol', 'TLSv1.2', '-cipher', 'DEFAULT@SECLEVEL=2'],
    ]);
  },
  curl: (each) => {
    const port = portOf(each);
    const host = each.host ?? '127.0.0.1';
    return run('curl', [
      ...['-q', '-sS', '-o', '/dev/null', '--noproxy', '*', '--max-time', '15'],
      ...['--resolve', `${host}:${port}:127.0.0.1`, '--cacert', rootsFile, '--tlsv1.2'],
      ...['--ciphers', 'DEFAULT@SECLEVEL=2', `https://${host}:${port}/`],
    ]);
  },
  node: async (each) => {
    const socket = connect({
      host: '127.0.0.1',
      port: portOf(each),
      servername: each.host ?? '',
      secureContext: createSecureContext({
        ca: roots,
        minVersion: 'TLSv1.2',
        ciphers: 'DEFAULT@SECLEVEL=2',
      }),
    });
    try {
      await once(socket, 'secureConnect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  },
};

/** What portping says about each server, in a process that trusts these roots. */
async function askPortping(
  requests: readonly { port: number; sni?: string | undefined }[],
  rootsFile: string,
): Promise<readonly string[]> {
  const script = `
    import { probeTarget } from './core/probe/target-probe.js';
    const found = [];
    for (const { port, sni } of ${JSON.stringify(requests)}) {
      const service = { name: 'https', sni };
      const { outcome } = await probeTarget({ host: '127.0.0.1', port }, { service });
      const { state, failure } = outcome.service;
      found.push(state === 'tls-failed' ? failure : state);
    }
    console.log(JSON.stringify(found));`;
  const { stdout, stderr } = await runAlone(script, {
    timeoutMs: 100_000,
    prefix: ['env', `NODE_EXTRA_CA_CERTS=${rootsFile}`],
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as string[];
}

/** Asks this many servers at once. */
async function askAll(ask: (each: Configuration) => Promise<boolean>, atOnce: number) {
  const found = new Map<Configuration, boolean>();
  const rest = CONFIGURATIONS.values();
  const work = async (): Promise<void> => {
    for (const each of rest) found.set(each, await ask(each));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return found;
}

describeWith(['openssl', 'curl'], 'about 200 servers', () => {
  it('are judged by portping as the table says', async () => {
    const requests = CONFIGURATIONS.map((each) => ({ port: portOf(each), sni: each.host }));
    const found = await askPortping(requests, rootsFile);
    expect(CONFIGURATIONS.map(({ name }, index) => `${name}: ${found[index]}`)).toEqual(
      CONFIGURATIONS.map(({ name, verdict }) => `${name}: ${verdict}`),
    );
  });

  it.each(Object.keys(JUDGES) as Judge[])('are judged by %s like portping', async (judge) => {
    const found = await askAll(JUDGES[judge], judge === 'node' ? 1 : 4);
    const unlike = CONFIGURATIONS.filter(
      (each) => found.get(each) !== (each.verdict === 'answered'),
    );
    const explained = CONFIGURATIONS.filter(({ differs }) => differs?.judges.includes(judge));
    expect(unlike.map(({ name }) => name)).toEqual(explained.map(({ name }) => name));
  });

  it('have names of their own, and a reason for each difference', () => {
    expect(CONFIGURATIONS.length).toBeGreaterThan(180);
    expect(new Set(CONFIGURATIONS.map(({ name }) => name)).size).toBe(CONFIGURATIONS.length);
    for (const { differs } of CONFIGURATIONS)
      if (differs) expect(differs.why.length).toBeGreaterThan(20);
  });
});

// Node 24 and 26 crash when they describe such a key. It is the only server that no judge of this
// process may be asked about.
itWith('openssl', 'a server with a Brainpool key fails in the handshake', async () => {
  const own = { key: 'brainpool', extensions: ['subjectAltName=IP:127.0.0.1'] } as const;
  const brainpool = new Pki({ own });
  onTestFinished(() => brainpool.remove());
  const { port } = await startTlsServer({
    cert: brainpool.read('own'),
    key: brainpool.keyOf('own'),
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  const trusted = join(brainpool.directory, 'own.pem');
  expect(await askPortping([{ port }], trusted)).toEqual(['handshake']);
});
