import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { Parser } from 'tap-parser';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createLab, describeLab, type Lab } from '../support/lab.js';
import { peakMiB, REPORT_PEAK } from '../support/peak-memory.js';
import { portpingCommand } from '../support/portping.js';

describeLab('many targets in a network of its own', () => {
  let lab: Lab;
  let folder = '';
  const openPorts = [2001, 2002, 2003, 2004, 2005];

  beforeAll(async () => {
    lab = await createLab();
    folder = await mkdtemp(join(tmpdir(), 'portping-lab-'));
    await Promise.all(openPorts.map((port) => lab.listen('server', { port })));
    await lab.nft(
      'server',
      [
        'add table inet lab',
        'add chain inet lab input { type filter hook input priority 0; }',
        'add rule inet lab input tcp dport 3000-4999 drop',
      ].join('\n'),
    );
  });
  afterAll(async () => {
    await lab?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const run = (args: string[], timeoutMs = 30_000) =>
    lab.exec('client', [...portpingCommand, ...args], { timeoutMs });

  it('name the 20 unexpected results among 200 firewall rules in every format', async () => {
    // 50 open, 75 closed, 75 filtered; every tenth line expects the wrong state.
    const lines = Array.from({ length: 200 }, (_, index) => {
      const kind =
        (
          [
            'open',
            'closed',
            'filtered',
            'closed',
            'filtered',
            'open',
            'closed',
            'filtered',
          ] as const
        )[index % 8] ?? 'open';
      const port = {
        open: openPorts[index % openPorts.length] ?? 0,
        closed: 5000 + index,
        filtered: 3000 + index,
      }[kind];
      const wrong = index % 10 === 3;
      const expected = wrong
        ? { open: 'closed', closed: 'filtered', filtered: 'open' }[kind]
        : index % 4 === 1 && kind !== 'open'
          ? 'not-open'
          : kind;
      return { kind, port, wrong, line: `${lab.server.v4} ${port} ${expected}` };
    });
    const path = join(folder, 'firewall.txt');
    await writeFile(path, `# host port expected\n${lines.map(({ line }) => line).join('\n')}\n`);
    const wrongPorts = lines.filter(({ wrong }) => wrong).map(({ port }) => port);
    const wrongOpen = lines.some(({ wrong, kind }) => wrong && kind === 'open');
    const args = ['-w', '1s', '--targets', path];
    const [text, json, junit, tap, csv] = await Promise.all([
      run(args),
      ...['json', 'junit', 'tap', 'csv'].map((format) => run([...args, '-o', format])),
    ]);

    const exitCode = wrongOpen ? 5 : 2;
    for (const result of [text, json, junit, tap, csv]) expect(result?.exitCode).toBe(exitCode);
    expect(text?.stdout.trimEnd().split('\n')).toHaveLength(200);
    expect(text?.stderr).toMatch(new RegExp(`; ${wrongPorts.length} not as expected\\.\\n$`));

    const objects = (json?.stdout ?? '')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, any>)
      .filter(({ type }) => type === 'probe');
    expect(objects.map(({ state }) => state)).toEqual(lines.map(({ kind }) => kind));
    expect(
      objects.filter(({ asExpected }) => !asExpected).map(({ target }) => target.port),
    ).toEqual(wrongPorts);

    const failed = [
      ...(junit?.stdout ?? '').matchAll(/name="[\d.]+:(\d+) is [^"]*" time="[\d.]+">\s*<failure/g),
    ].map(([, port]) => Number(port));
    expect(failed).toEqual(wrongPorts);
    expect(junit?.stdout).toMatch(
      new RegExp(`tests="200" failures="${wrongPorts.length}" errors="0"`),
    );

    const points = Parser.parse(tap?.stdout ?? '')
      .filter(([kind]) => kind === 'assert')
      .map(([, point]) => point as { ok: boolean; name: string });
    expect(points).toHaveLength(200);
    expect(
      points.filter(({ ok }) => !ok).map(({ name }) => Number(/:(\d+) /.exec(name)?.[1])),
    ).toEqual(wrongPorts);

    const rows = (csv?.stdout ?? '')
      .trimEnd()
      .split('\r\n')
      .slice(1)
      .map((row) => row.split(','));
    expect(rows.filter((row) => row[11] === 'false').map((row) => Number(row[2]))).toEqual(
      wrongPorts,
    );
  });

  it('wait for silent targets in parallel, up to the concurrency', async () => {
    // 400 of 2,000 targets drop; 100 at once need four timeouts of half a second for them.
    const path = join(folder, 'dropping.txt');
    await writeFile(
      path,
      Array.from(
        { length: 2000 },
        (_, index) => `${lab.server.v4}:${index % 5 === 0 ? 3000 + index / 5 : 6000 + index}`,
      ).join('\n'),
    );
    const { stdout, elapsedMs } = await run([
      '-w',
      '500ms',
      '--concurrency',
      '100',
      '--targets',
      path,
    ]);
    expect(stdout.match(/<10060>/g)).toHaveLength(400);
    expect(stdout.match(/<10061>/g)).toHaveLength(1600);
    expect(elapsedMs).toBeGreaterThan(1900);
    expect(elapsedMs).toBeLessThan((400 * 500) / 10); // one after another they take 200 s
  });

  it(
    'take at most 150 MiB while verdicts wait for silent targets',
    { timeout: 60_000 },
    async () => {
      const path = join(folder, 'waiting.txt');
      await writeFile(
        path,
        Array.from({ length: 60_000 }, (_, index) => {
          const port = index % 50 === 49 ? 3000 + (index % 2000) : 6000 + (index % 20_000);
          return `${lab.server.v4}:${port}\n`;
        }).join(''),
      );
      const [node = '', ...command] = portpingCommand;
      const words = [
        'sh',
        '-c',
        `cat '${path}' | "$@" >/dev/null`,
        'sh',
        node,
        '--require',
        REPORT_PEAK,
        ...command,
        '-w',
        '2s',
        '--targets',
        '-',
      ];
      const { stderr } = await lab.exec('client', words, { timeoutMs: 55_000 });
      expect(stderr).toMatch(/^60000 probes in .*: 58800 closed, 1200 filtered\.$/m);
      expect(peakMiB(stderr)).toBeLessThan(150);
    },
  );

  it('start no faster than the rate', async () => {
    const { stdout, elapsedMs } = await run(['--rate', '50', lab.server.v4, '7000-7039']);
    expect(stdout.match(/<10061>/g)).toHaveLength(40);
    expect(elapsedMs).toBeGreaterThan(700);
  });

  it('get no wrong verdict when descriptors run out: the run slows down', async () => {
    const { stdout, stderr, exitCode } = await lab.exec(
      'client',
      [
        'sh',
        '-c',
        'ulimit -n 64; exec "$@"',
        'sh',
        ...portpingCommand,
        '-o',
        'json',
        '--concurrency',
        '500',
        lab.server.v4,
        '1-3000',
      ],
      { timeoutMs: 30_000 },
    );
    const objects = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, any>);
    const totals = objects.pop();
    expect(objects.map(({ target }) => target.port)).toEqual(
      Array.from({ length: 3000 }, (_, index) => index + 1),
    );
    expect(totals?.['counts']).toEqual({ closed: 2994, open: 5, filtered: 1 });
    expect([stderr, exitCode]).toEqual(['', 2]);
  });

  /** How many of each state and reason a CSV report has. */
  const tally = (csv: string): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const row of csv.trimEnd().split('\r\n').slice(1)) {
      const what = row.split(',').slice(4, 6).join(' ').trim();
      counts[what] = (counts[what] ?? 0) + 1;
    }
    return counts;
  };

  it('each have a full timeout for their lookup, also after unanswered lookups', async () => {
    const silent = Array.from({ length: 6 }, (_, index) => `silent${index}.test`);
    const good = Array.from({ length: 20 }, (_, index) => `good${index}.test`);
    await lab.dns('server', {
      zone: {
        ...Object.fromEntries(silent.map((name) => [name, 'silent'])),
        ...Object.fromEntries(good.map((name) => [name, { A: [lab.server.v4] }])),
      },
    });
    await lab.setResolver('client', { nameservers: [lab.server.v4] });
    const path = join(folder, 'names.txt');
    await writeFile(path, [...silent, ...good].map((name) => `${name}:2001\n`).join(''));
    // Two lookups run at a time. A silent name takes 1 to 2 s, but its timeout is 0.5 s.
    const { stdout } = await lab.exec(
      'client',
      [...portpingCommand, '-w', '500ms', '-o', 'csv', '--targets', path],
      { env: { UV_THREADPOOL_SIZE: '4' }, timeoutMs: 30_000 },
    );
    expect(tally(stdout)).toEqual({ 'unresolved resolver-timeout': 6, open: 20 });
  });

  it('get no wrong verdict when descriptors run out and an address is silent', async () => {
    await lab.ip('server', 'addr replace 10.77.0.3/24 dev eth0');
    await lab.nft('server', 'add rule inet lab input ip daddr 10.77.0.3 tcp dport 2001 drop');
    await lab.setResolver('client', {
      hosts: Array.from(
        { length: 60 },
        (_, index) => `10.77.0.3 two${index}.test\n${lab.server.v4} two${index}.test`,
      ).join('\n'),
    });
    const path = join(folder, 'two.txt');
    await writeFile(
      path,
      Array.from({ length: 60 }, (_, index) => `two${index}.test:2001\n`).join(''),
    );
    const few = (...args: string[]) =>
      lab.exec(
        'client',
        [
          'sh',
          '-c',
          'ulimit -n 60; exec "$@"',
          'sh',
          ...portpingCommand,
          '-w',
          '1s',
          '-o',
          'csv',
          ...args,
          '--targets',
          path,
        ],
        { timeoutMs: 60_000 },
      );
    expect(tally((await few()).stdout)).toEqual({ open: 60 });
    expect(tally((await few('--all')).stdout)).toEqual({ open: 60, 'filtered no-response': 60 });
  });

  it('get no wrong verdict when the source address runs out of ports', async () => {
    onTestFinished(() => lab.sysctl('client', 'net.ipv4.ip_local_port_range', '32768 60999'));
    await lab.sysctl('client', 'net.ipv4.ip_local_port_range', '40000 40003');
    // Each silent target holds one of four ports until its timeout.
    const { stdout } = await run([
      '--source',
      lab.client.v4,
      '-w',
      '300ms',
      '-o',
      'csv',
      lab.server.v4,
      '3000-3011',
    ]);
    expect(tally(stdout)).toEqual({ 'filtered no-response': 12 });
  });

  it('are never reported as missing when other lookups use up the descriptors', async () => {
    const good = Array.from({ length: 200 }, (_, index) => `good${index}.test`);
    await lab.setResolver('client', {
      hosts: good.map((name) => `${lab.server.v4} ${name}`).join('\n'),
    });
    const path = join(folder, 'files-only.txt');
    await writeFile(
      path,
      [...good, ...Array.from({ length: 10 }, (_, index) => `nosuch${index}.test`)]
        .map((name) => `${name}:2001\n`)
        .join(''),
    );
    const { stdout } = await lab.exec(
      'client',
      [
        'sh',
        '-c',
        'ulimit -n 40; exec "$@"',
        'sh',
        ...portpingCommand,
        '-w',
        '2s',
        '-o',
        'csv',
        '--targets',
        path,
      ],
      { timeoutMs: 60_000 },
    );
    expect(tally(stdout)).toEqual({ open: 200, 'unresolved resolver-failed': 10 }); // no DNS server
  });
});
