import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFAULT_TIMEOUT_MS } from '../../src/core/limits.js';
import { exporterCommand, exporterOf, type TestExporter } from '../support/exporter.js';
import { createLab, describeLab, type Lab } from '../support/lab.js';
import { SOON } from '../support/listeners.js';
import { testNode } from '../support/portping.js';

/** The plan of one run of the scraper. */
interface ScrapePlan {
  /** Number of scrapes. */
  readonly count: number;
  readonly atOnce: number;
  /** Prometheus' scrape timeout, seconds. */
  readonly scrapeTimeout: number;
  /** Used in turn; `#` stands for the index of the scrape. */
  readonly targets: readonly string[];
  /** Sends SIGTERM this many milliseconds after the start. */
  readonly signalAfterMs?: number;
  /** Send it to the exporter or, as systemd does, to its process group. */
  readonly signalGroup?: true;
}

interface Scrape {
  readonly index: number;
  readonly status: number | string;
  readonly cause?: string;
  readonly elapsedMs: number;
}

/** Scrapes from inside the namespace; prints status, cause and milliseconds of each. */
const SCRAPER = `
const { get } = require('node:http');
const plan = JSON.parse(process.argv[1]);
const headers = { 'X-Prometheus-Scrape-Timeout-Seconds': String(plan.scrapeTimeout) };
const scrape = (index) => new Promise((resolve) => {
  const startedAt = performance.now();
  const done = (status, body) => resolve({
    index,
    status,
    cause: /^portping_cause\\{.*cause="(.*?)"/m.exec(body)?.[1],
    elapsedMs: performance.now() - startedAt,
  });
  const target = plan.targets[index % plan.targets.length].replace('#', index);
  const path = '/probe?target=' + target;
  get({ port: plan.port, host: '127.0.0.1', path, agent: false, headers }, (response) => {
    let body = '';
    response.on('data', (chunk) => { body += chunk; });
    response.on('end', () => done(response.statusCode, body));
    response.on('error', (error) => done(error.code, ''));
  }).on('error', (error) => done(error.code, ''));
});
let next = 0;
const scrapeInTurn = async () => {
  const all = [];
  while (next < plan.count) all.push(await scrape(next++));
  return all;
};
if (plan.signalAfterMs) setTimeout(() => process.kill(plan.pid, 'SIGTERM'), plan.signalAfterMs);
Promise.all(Array.from({ length: plan.atOnce }, scrapeInTurn))
  .then((all) => console.log(JSON.stringify(all.flat())));`;

/** A firewall that drops TCP to port 3000 and all DNS. */
const DROPPING = `add table inet lab
add chain inet lab input { type filter hook input priority 0; }
add rule inet lab input tcp dport 3000 drop
add rule inet lab input udp dport 53 drop
add rule inet lab input tcp dport 53 drop`;

describeLab('the exporter in a network of its own', () => {
  let lab: Lab;
  let exporter: TestExporter;

  beforeAll(async () => {
    lab = await createLab();
    await lab.listen('server', { port: 2000 });
    await lab.nft('server', DROPPING);
    // A lookup takes a minute, so a test that waits for one times out.
    await lab.setResolver('client', {
      nameservers: [lab.server.v4],
      options: 'timeout:30 attempts:2',
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

  const scrape = async (plan: ScrapePlan): Promise<Scrape[]> => {
    const pid = plan.signalGroup ? -exporter.pid : exporter.pid;
    const { stdout, stderr } = await lab.exec(
      'client',
      [testNode, '-e', SCRAPER, '--', JSON.stringify({ ...plan, port: exporter.port, pid })],
      { timeoutMs: 60_000 },
    );
    expect(stderr).toBe('');
    return JSON.parse(stdout) as Scrape[];
  };

  const openAndSilent = () => [`${lab.server.v4}:2000`, `${lab.server.v4}:3000`];

  it('answers 100 scrapes, 50 at once, half for a silent port', async () => {
    await start();
    const answers = await scrape({
      count: 100,
      atOnce: 50,
      scrapeTimeout: 2,
      targets: openAndSilent(),
    });
    expect(answers).toHaveLength(100);
    for (const { index, status, cause } of answers)
      expect([status, cause]).toEqual([200, index % 2 === 0 ? 'open' : 'no-response']);
    // Probes must end within 2 s. With an ignored scrape timeout they take the default timeout.
    expect(Math.max(...answers.map(({ elapsedMs }) => elapsedMs))).toBeLessThan(DEFAULT_TIMEOUT_MS);
    expect((await exporter.stop()).exitCode).toBe(0);
  });

  it('answers the probes in flight when SIGTERM comes, and exits', async () => {
    await start();
    const ended = new Promise((resolve) => exporter.child.once('exit', resolve));
    const answers = await scrape({
      count: 50,
      atOnce: 50,
      scrapeTimeout: 3,
      targets: openAndSilent(),
      signalAfterMs: 1000,
    });
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await ended).toBe(0);
  });

  it('answers in time while the resolver is dead, and exits without waiting for it', async () => {
    await start();
    const answers = await scrape({
      count: 60,
      atOnce: 30,
      scrapeTimeout: 1,
      targets: ['name-#.example.com:2000'],
    });
    for (const { status, cause } of answers)
      expect([status, cause]).toEqual([200, 'resolver-timeout']);
    expect(Math.max(...answers.map(({ elapsedMs }) => elapsedMs))).toBeLessThan(DEFAULT_TIMEOUT_MS);
    const [open] = await scrape({
      count: 1,
      atOnce: 1,
      scrapeTimeout: 1,
      targets: [`${lab.server.v4}:2000`],
    });
    expect(open?.cause).toBe('open'); // a probe without a name does not wait for lookups
    const { pid } = exporter;
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'))
      .trim()
      .split(' ');
    expect(children).toHaveLength(1); // the lookup process
    expect((await exporter.stop()).exitCode).toBe(0);
    const state = () =>
      readFile(`/proc/${children[0]}/status`, 'utf8').then(
        (text) => /^State:\s+(\w)/m.exec(text)?.[1],
        () => 'gone',
      );
    await expect.poll(state, SOON).toMatch(/^(gone|Z)$/); // Z: dead, not yet reaped
  });

  it('refuses more names when too many wait for a dead resolver', async () => {
    await start();
    const answers = await scrape({
      count: 400,
      atOnce: 150,
      scrapeTimeout: 0.4,
      targets: ['other-#.example.com:2000'],
    });
    const statuses = new Set(answers.map(({ status }) => status));
    expect(statuses).toEqual(new Set([200, 503]));
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(256);
    expect((await exporter.stop()).exitCode).toBe(0);
  });

  it('answers and exits when its whole process group gets SIGTERM, as from systemd', async () => {
    await start();
    const ended = new Promise((resolve) => exporter.child.once('exit', resolve));
    const answers = await scrape({
      count: 10,
      atOnce: 10,
      scrapeTimeout: 3,
      targets: ['late-#.example.com:2000'],
      signalAfterMs: 1000,
      signalGroup: true,
    });
    expect(answers.map(({ status, cause }) => [status, cause])).toEqual(
      answers.map(() => [200, 'resolver-timeout']),
    );
    expect(await ended).toBe(0);
  });

  it('refuses names of this machine, also by a local route or without a carrier', async () => {
    await lab.ip('client', 'link add idle type veth peer name other');
    for (const what of [
      'addr add 10.9.1.1/24 dev idle',
      'link set idle up',
      'route add local 192.0.2.128/25 dev lo',
      '-6 route add local 2001:db8:1::/64 dev lo',
    ])
      await lab.ip('client', what);
    await lab.setResolver('client', {
      hosts:
        '10.9.1.1 own-0.test\n192.0.2.200 own-1.test\n2001:db8:1::5 own-2.test\n' +
        `${lab.server.v4} own-3.test`,
    });
    await lab.listen('client', { port: 2000 });
    const plan = { count: 4, atOnce: 1, scrapeTimeout: 2, targets: ['own-#.test:2000'] };
    await start('--allow', '*');
    expect((await scrape(plan)).map(({ status }) => status)).toEqual([403, 403, 403, 200]);
    expect((await exporter.stop()).exitCode).toBe(0);
    await start('--allow', '0.0.0.0/0', '--allow', '::/0');
    const causes = (await scrape(plan)).map(({ cause }) => cause);
    expect(causes).toEqual(['open', 'open', 'open', 'open']);
    expect((await exporter.stop()).exitCode).toBe(0);
  });
});
