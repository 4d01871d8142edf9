import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLab, describeLab, type Lab } from '../support/lab.js';
import { portpingCommand } from '../support/portping.js';

describeLab('a sweep of all ports', () => {
  let lab: Lab;
  const open = Array.from({ length: 20 }, (_, index) => 21 + index * 3167);

  beforeAll(async () => {
    lab = await createLab();
    const script = `
      const { createServer } = require('node:net');
      const open = ${JSON.stringify(open)};
      let left = open.length;
      const accept = (socket) => socket.on('error', () => {}).resume();
      const note = () => {
        left -= 1;
        if (left === 0) console.log('ready');
      };
      for (const port of open) createServer(accept).listen(port, '127.0.0.1', 511, note);`;
    const listeners = lab.spawn('client', [process.execPath, '-e', script], { stdio: 'pipe' });
    await new Promise((resolve) => listeners.stdout?.once('data', resolve));
    await lab.drop(81);
    await lab.nft('server', 'add rule inet lab input tcp dport 40000-41999 drop');
  });
  afterAll(() => lab?.close());

  const sweep = (args: string[], wrapper: string[] = []) =>
    lab.exec('client', [...wrapper, ...portpingCommand, ...args], { timeoutMs: 60_000 });
  const openIn = (table: string): number[] =>
    [...table.matchAll(/^[\d.]+:(\d+) +open/gm)].map(([, port]) => Number(port));

  it.each([
    ['in a first run', []],
    ['in a second run', []],
    ['with 256 descriptors', ['sh', '-c', 'ulimit -n 256; exec "$@"', 'sh']],
  ])('of loopback finds exactly the open ports %s', { timeout: 60_000 }, async (_, wrapper) => {
    const { stdout, stderr, exitCode } = await sweep(['127.0.0.1', '1-65535'], wrapper);
    expect(openIn(stdout)).toEqual(open);
    expect(stderr).toMatch(/^65535 probes in [\d.]+ m?s: 65515 closed, 20 open\.\n$/);
    expect(exitCode).toBe(1);
  });

  it(
    'distinguishes dropped from refused ports, in the order of the ports',
    { timeout: 60_000 },
    async () => {
      const { stdout, exitCode } = await sweep([
        '-w',
        '500ms',
        '-o',
        'json',
        '--concurrency',
        '2000',
        lab.server.v4,
        '38000-43999',
      ]);
      const probes = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, any>)
        .filter(({ type }) => type === 'probe');
      expect(probes.map(({ target }) => target.port)).toEqual(
        Array.from({ length: 6000 }, (_, index) => 38_000 + index),
      );
      expect(
        probes.filter(({ state }) => state === 'filtered').map(({ target }) => target.port),
      ).toEqual(Array.from({ length: 2000 }, (_, index) => 40_000 + index));
      expect(probes.every(({ elapsedMs, state }) => state === 'closed' || elapsedMs >= 499)).toBe(
        true,
      );
      expect(exitCode).toBe(2);
    },
  );

  it('reports other errors exactly as a single probe does', async () => {
    await lab.ip('client', 'route add prohibit 10.90.0.0/24');
    await lab.reject(45_000, 'admin-prohibited');
    const [one, all] = await Promise.all([
      sweep(['-o', 'json', '10.90.0.1', '1']),
      sweep(['-o', 'json', '10.90.0.1', '1-5000']),
    ]);
    expect(all.exitCode).toBe(4);
    const probes = all.stdout
      .trimEnd()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, any>);
    expect(probes).toHaveLength(5000);
    const { state, reason, error, explanation } = JSON.parse(one.stdout) as Record<string, any>;
    for (const probe of probes) expect(probe).toMatchObject({ state, reason, error, explanation });
    const { stdout } = await sweep(['-o', 'csv', lab.server.v4, '42000-47999']);
    expect(
      stdout
        .split('\r\n')
        .filter((row) => row.includes(',filtered,'))
        .map((row) => row.split(',').slice(2, 7).join()),
    ).toEqual([`45000,${lab.server.v4},filtered,host-unreach,10065`]);
  });

  it('of an empty network probes its addresses in parallel', { timeout: 120_000 }, async () => {
    await lab.ip('client', 'addr add 10.76.0.1/16 dev eth0');
    const { stdout, exitCode, elapsedMs } = await sweep([
      '-w',
      '4s',
      '-o',
      'csv',
      '--concurrency',
      '5000',
      '10.76.16.0/20:22',
    ]);
    const states = new Set(
      stdout
        .trimEnd()
        .split('\r\n')
        .slice(1)
        .map((row) => row.split(',')[4]),
    );
    expect([[...states], exitCode]).toEqual([['filtered'], 2]);
    expect(elapsedMs).toBeLessThan(40_000); // sequential probes take hours
  });

  it('runs without worker threads when descriptors are too few for them', async () => {
    const { stderr, exitCode } = await sweep(
      ['127.0.0.1', '1-5000'],
      ['sh', '-c', 'ulimit -n 25; exec "$@"', 'sh'],
    );
    expect(stderr).toMatch(/^5000 probes in [\d.]+ m?s: \d+ closed, 2 open\.\n$/);
    expect(exitCode).toBe(1);
  });

  it('makes at most --concurrency connections at once', async () => {
    const child = lab.spawn(
      'client',
      [
        ...portpingCommand,
        '-w',
        '3s',
        '--concurrency',
        '1',
        lab.server.v4,
        '40000-41999',
        '1-4000',
      ],
      { stdio: 'ignore' },
    );
    const most = await lab.exec('client', [
      'sh',
      '-c',
      'for i in 1 2 3 4 5 6 7 8 9 10; do ss -Htn state syn-sent | wc -l; sleep 0.2; done ' +
        '| sort -n | tail -n 1',
    ]);
    child.kill('SIGINT');
    expect(most.stdout).toBe('1\n');
  });

  it('ends at once on ^C', { timeout: 30_000 }, async () => {
    const child = lab.spawn(
      'client',
      [
        'sh',
        '-c',
        '(sleep 1; kill -INT $$) & exec "$@"',
        'sh',
        ...portpingCommand,
        '-w',
        '20s',
        lab.server.v4,
        '36000-41999',
      ],
      { stdio: 'ignore' },
    );
    const startedAt = performance.now();
    await new Promise((resolve) => child.once('close', resolve));
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});
