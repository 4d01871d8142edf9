import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exporterCommand, exporterOf, type TestExporter } from '../support/exporter.js';
import { createLab, describeLab, type Lab } from '../support/lab.js';
import { testNode } from '../support/portping.js';

/** Scrapes within the namespace: so many at once of each path in turn; prints status, cause and milliseconds of each. */
const SCRAPER = `
const { get } = require('node:http');
const [port, count, atOnce, seconds, signalAt, pid, ...targets] = process.argv.slice(1).map((word) => (isNaN(word) ? word : Number(word)));
let next = 0;
const scrape = (index) => new Promise((resolve) => {
  const startedAt = performance.now();
  const done = (status, body) => resolve({ index, status, cause: (/^portping_cause\\{.*cause="(.*?)"/m.exec(body) || [])[1], elapsedMs: performance.now() - startedAt });
  const target = targets[index % targets.length].replace('#', index);
  get({ port, host: '127.0.0.1', path: '/probe?target=' + target, agent: false, headers: { 'X-Prometheus-Scrape-Timeout-Seconds': String(seconds) } }, (response) => {
    let body = '';
    response.on('data', (chunk) => { body += chunk; }).on('end', () => done(response.statusCode, body)).on('error', (error) => done(error.code, ''));
  }).on('error', (error) => done(error.code, ''));
});
if (signalAt) setTimeout(() => process.kill(pid, 'SIGTERM'), signalAt);
Promise.all(Array.from({ length: atOnce }, async () => { const all = []; while (next < count) all.push(await scrape(next++)); return all; })).then((all) => console.log(JSON.stringify(all.flat())));`;

interface Scrape {
  readonly index: number;
  readonly status: number | string;
  readonly cause?: string;
  readonly elapsedMs: number;
}

describeLab('the exporter in a network of its own', () => {
  let lab: Lab;
  let exporter: TestExporter;

  beforeAll(async () => {
    lab = await createLab();
    await lab.listen('server', { port: 2000 });
    await lab.nft(
      'server',
      'add table inet lab\nadd chain inet lab input { type filter hook input priority 0; }\nadd rule inet lab input tcp dport 3000 drop\nadd rule inet lab input udp dport 53 drop\nadd rule inet lab input tcp dport 53 drop',
    );
    await lab.setResolver('client', {
      nameservers: [lab.server.v4],
      options: 'timeout:5 attempts:2',
    });
  });
  afterAll(() => lab?.close());

  const start = async (...args: string[]) => {
    exporter = await exporterOf(
      lab.spawn('client', [...exporterCommand, '--listen', '127.0.0.1:0', ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  };

  const scrapes = async (
    count: number,
    atOnce: number,
    seconds: number,
    targets: string[],
    signalAt = 0,
    pid = exporter.pid,
  ): Promise<Scrape[]> => {
    const { stdout, stderr } = await lab.exec(
      'client',
      [
        testNode,
        '-e',
        SCRAPER,
        '--',
        ...[exporter.port, count, atOnce, seconds, signalAt, pid].map(String),
        ...targets,
      ],
      { timeoutMs: 60_000 },
    );
    expect(stderr).toBe('');
    return JSON.parse(stdout) as Scrape[];
  };

  it('answers each of a hundred scrapes, fifty at once, half of them of a host that drops, within its timeout', async () => {
    await start();
    const answers = await scrapes(100, 50, 2, [`${lab.server.v4}:2000`, `${lab.server.v4}:3000`]);
    expect(answers).toHaveLength(100);
    for (const { index, status, cause } of answers)
      expect([status, cause]).toEqual([200, index % 2 === 0 ? 'open' : 'no-response']);
    expect(Math.max(...answers.map(({ elapsedMs }) => elapsedMs))).toBeLessThan(4000); // 2 s are due; a busy machine
    expect((await exporter.stop()).exitCode).toBe(0);
  });

  it('answers those in flight when SIGTERM comes in the middle, and ends', async () => {
    await start();
    const ended = new Promise((resolve) => exporter.child.once('exit', resolve));
    const answers = await scrapes(
      50,
      50,
      3,
      [`${lab.server.v4}:2000`, `${lab.server.v4}:3000`],
      1000,
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await ended).toBe(0);
  });

  it('answers in time while the resolver is dead, whatever names it is asked for, and ends all the same', async () => {
    await start();
    const answers = await scrapes(60, 30, 1, ['name-#.example.com:2000']);
    for (const { status, cause } of answers)
      expect([status, cause]).toEqual([200, 'resolver-timeout']);
    expect(Math.max(...answers.map(({ elapsedMs }) => elapsedMs))).toBeLessThan(3000);
    const [open] = await scrapes(1, 1, 1, [`${lab.server.v4}:2000`]);
    expect(open?.cause).toBe('open'); // a probe that needs no name is not held up by those that do
    const children = (await readFile(`/proc/${exporter.pid}/task/${exporter.pid}/children`, 'utf8'))
      .trim()
      .split(' ');
    expect(children).toHaveLength(1); // the process that looks names up
    const { exitCode, elapsedMs } = await exporter.stop();
    expect(exitCode).toBe(0);
    expect(elapsedMs).toBeLessThan(5000); // each lookup would take 10 s
    const state = () =>
      readFile(`/proc/${children[0]}/status`, 'utf8').then(
        (text) => /^State:\s+(\w)/m.exec(text)?.[1],
        () => 'gone',
      );
    await expect.poll(state, { timeout: 5000 }).toMatch(/^(gone|Z)$/); // Z: dead, and nobody has asked yet
  });

  it('refuses further names when too many wait for a dead resolver', async () => {
    await start();
    const answers = await scrapes(400, 150, 0.4, ['other-#.example.com:2000']);
    const statuses = new Set(answers.map(({ status }) => status));
    expect(statuses).toEqual(new Set([200, 503]));
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(256);
    expect((await exporter.stop()).exitCode).toBe(0);
  });

  it('waits for no dead resolver when its whole process group is told to end, as systemd does it', async () => {
    await start();
    const ended = new Promise((resolve) => exporter.child.once('exit', resolve));
    const answers = await scrapes(10, 10, 3, ['late-#.example.com:2000'], 1000, -exporter.pid);
    expect(answers.map(({ status, cause }) => [status, cause])).toEqual(
      answers.map(() => [200, 'resolver-timeout']),
    );
    const answeredAt = performance.now();
    expect(await ended).toBe(0);
    expect(performance.now() - answeredAt).toBeLessThan(5000); // the lookups would take 8 s more
  });

  it('lets no name lead to this machine itself, also where its interface has no carrier or only a route says so', async () => {
    await lab.ip('client', 'link add idle type veth peer name other');
    for (const what of [
      'addr add 10.9.1.1/24 dev idle',
      'link set idle up',
      'route add local 192.0.2.128/25 dev lo',
      '-6 route add local 2001:db8:1::/64 dev lo',
    ])
      await lab.ip('client', what);
    await lab.setResolver('client', {
      hosts: `10.9.1.1 own-0.test\n192.0.2.200 own-1.test\n2001:db8:1::5 own-2.test\n${lab.server.v4} own-3.test`,
    });
    await lab.listen('client', { port: 2000 });
    await start('--allow', '*');
    expect((await scrapes(4, 1, 2, ['own-#.test:2000'])).map(({ status }) => status)).toEqual([
      403, 403, 403, 200,
    ]);
    expect((await exporter.stop()).exitCode).toBe(0);
    await start('--allow', '0.0.0.0/0', '--allow', '::/0');
    expect((await scrapes(4, 1, 2, ['own-#.test:2000'])).map(({ cause }) => cause)).toEqual([
      'open',
      'open',
      'open',
      'open',
    ]);
    expect((await exporter.stop()).exitCode).toBe(0);
  });
});
