import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DnsServer } from '../support/dns-server.js';
import { exporterCommand, exporterOf } from '../support/exporter.js';
import { createLab, describeLab, type Lab } from '../support/lab.js';
import { machineClock } from '../support/machine-clock.js';
import { portpingCommand } from '../support/portping.js';
import {
  type ScriptedAnswer,
  type ScriptedHost,
  startScriptedHost,
} from '../support/scripted-host.js';
import { REAL_TIME } from '../support/real-time.js';

const HOST = '10.90.0.1';
const MOVED = '10.90.0.2';
const NAME = 'db.test';

/** How late a busy machine may be, milliseconds. */
const TOLERANCE_MS = 250;

/** A series under way in the lab. */
interface Series {
  /** All events so far. */
  readonly events: Record<string, any>[];
  readonly pid: number;
  readonly stderr: () => string;
  /** Waits until so many probes were reported. */
  probes(count: number): Promise<Record<string, any>[]>;
  signal(name: NodeJS.Signals): void;
  /** Waits for the end. */
  end(): Promise<number | null>;
}

const gapsOf = (times: readonly number[]): number[] =>
  times.slice(1).map((time, index) => time - (times[index] ?? NaN));

describeLab(
  'The truth over time',
  () => {
    let lab: Lab;
    let scripted: ScriptedHost;
    let dns: DnsServer;
    let nextPort = 1;

    beforeAll(async () => {
      lab = await createLab();
      scripted = await startScriptedHost(lab, { rules: [], networks: ['10.90.0.0/24'] });
      dns = await lab.dns('server', { zone: {} });
    });
    afterAll(() => lab?.close());

    /** Gives the name its records, and a resolver that waits 5 s for a lost query. */
    async function serve(records: Parameters<DnsServer['update']>[0][string]): Promise<void> {
      await lab.setResolver('client', {
        nameservers: [lab.server.v4],
        options: 'timeout:5 attempts:2',
      });
      await dns.update({ [NAME]: records });
    }

    const nameQueries = async () =>
      (await dns.queries()).filter(({ name, type }) => name === NAME && type === 'A');

    /** The first SYNs of connections to a port, by when they came. */
    async function synsTo(port: number): Promise<number[]> {
      const syns = await scripted.syns();
      return syns.filter((each) => each.port === port && each.syn === 1).map(({ atMs }) => atMs);
    }

    const answer = (answers: Record<number, ScriptedAnswer>): Promise<void> =>
      scripted.update(
        Object.entries(answers).map(([port, each]) => ({ port: Number(port), answers: [each] })),
      );

    function start(...args: string[]): Series {
      const child = lab.spawn('client', [...portpingCommand, '-o', 'json', ...args], {
        stdio: 'pipe',
      });
      const events: Record<string, any>[] = [];
      let rest = '';
      let stderr = '';
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        events.push(...lines.map((line) => JSON.parse(line) as Record<string, any>));
      });
      child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      return {
        events,
        pid: child.pid ?? 0,
        stderr: () => stderr,
        async probes(count) {
          const probes = () => events.filter(({ type }) => type === 'probe');
          await expect
            .poll(() => probes().length, { interval: 5, timeout: 20_000 })
            .toBeGreaterThanOrEqual(count);
          return probes();
        },
        signal: (name) => void process.kill(child.pid ?? 0, name),
        end: () => ended,
      };
    }

    it('a lost DNS query costs one probe', REAL_TIME, async () => {
      const port = nextPort++;
      await answer({ [port]: 'syn-ack' });
      await serve({ A: [HOST], lost: { A: 1 } });
      const before = (await nameQueries()).length;
      const series = start('-c', '6', '-i', '500ms', '-w', '450ms', NAME, String(port));
      await series.end();
      const probes = series.events.filter(({ type }) => type === 'probe');
      expect(probes.map(({ reason }) => reason)).toEqual([
        'resolver-timeout',
        ...Array(5).fill(null),
      ]);
      expect((await nameQueries()).length - before).toBeGreaterThanOrEqual(6);
      expect(series.events.find(({ type }) => type === 'outage')).toMatchObject({ probes: 1 });
    });

    it('an outage of the name server is as long as its silence', REAL_TIME, async () => {
      const port = nextPort++;
      await answer({ [port]: 'syn-ack' });
      await serve({ A: [HOST] });
      const series = start('-t', '-i', '400ms', '-w', '380ms', NAME, String(port));
      await series.probes(3);
      await serve('silent');
      const fromMs = machineClock();
      await sleep(2000);
      await serve({ A: [HOST] });
      const lengthMs = machineClock() - fromMs;
      await expect
        .poll(() => series.events.some(({ type }) => type === 'outage'), { timeout: 10_000 })
        .toBe(true);
      series.signal('SIGINT');
      await series.end();
      const outages = series.events.filter(({ type }) => type === 'outage');
      expect(outages).toHaveLength(1);
      expect(Math.abs(outages[0]?.['durationMs'] - lengthMs)).toBeLessThan(400 + TOLERANCE_MS);
    });

    it('--wait asks again while the name server keeps a question', REAL_TIME, async () => {
      const port = nextPort++;
      await answer({ [port]: 'syn-ack' });
      await serve('silent');
      const series = start('--wait', '4s', NAME, String(port));
      const before = (await nameQueries()).length;
      await expect
        .poll(async () => (await nameQueries()).length, { interval: 5 })
        .toBeGreaterThan(before);
      await sleep(1000);
      await serve({ A: [HOST] });
      const backMs = machineClock();
      expect(await series.end()).toBe(0);
      expect(machineClock() - backMs).toBeLessThan(600 + TOLERANCE_MS);
    });

    it('the exporter says the truth 0.1 s after the name server is back', REAL_TIME, async () => {
      const port = nextPort++;
      await answer({ [port]: 'syn-ack' });
      await serve('silent');
      const exporter = await exporterOf(
        lab.spawn('client', [...exporterCommand, '--listen', '127.0.0.1:0'], {
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      );
      const scrape = async (): Promise<string> => {
        const url = `${exporter.url}/probe?target=${NAME}:${port}&timeout=300ms`;
        return (await lab.exec('client', ['curl', '-s', url])).stdout;
      };
      expect(await scrape()).toContain('cause="resolver-timeout"');
      await serve({ A: [HOST] });
      await sleep(100);
      expect(await scrape()).toContain(`portping_success{target="${NAME}:${port}"} 1`);
      await exporter.stop();
    });

    it('--wait sends a new SYN every 500 ms to a silent target', REAL_TIME, async () => {
      const port = nextPort++;
      await answer({ [port]: 'nothing' });
      const series = start('--wait', '2900ms', HOST, String(port));
      await expect.poll(async () => (await synsTo(port)).length, { interval: 5 }).toBe(1);
      await sleep(2200);
      await answer({ [port]: 'syn-ack' });
      const openMs = machineClock();
      expect(await series.end()).toBe(0);
      expect(machineClock() - openMs).toBeLessThan(600 + TOLERANCE_MS);
      for (const gapMs of gapsOf(await synsTo(port)))
        expect(Math.abs(gapMs - 500)).toBeLessThan(TOLERANCE_MS);
      const [{ latencyMs }] = (await series.probes(1)) as [Record<string, any>];
      expect(latencyMs).toBeLessThan(300);
    });

    it('--wait shows the time of a handshake whose first SYN arrived', REAL_TIME, async () => {
      const port = nextPort++;
      await scripted.update([
        { port, afterConnections: 3, answers: ['syn-ack'] },
        { port, answers: ['nothing', 'syn-ack'] },
      ]);
      const series = start('--wait', '10s', HOST, String(port));
      expect(await series.end()).toBe(0);
      const [{ latencyMs }] = (await series.probes(1)) as [Record<string, any>];
      expect(latencyMs).toBeLessThan(500); // the first connection opened after 1 s
      expect(await synsTo(port)).toHaveLength(4);
    });

    it('--wait ends on a path that loses every first SYN', REAL_TIME, async () => {
      const port = nextPort++;
      await answer({ [port]: 'nothing' });
      await scripted.update([{ port, answers: ['nothing', 'syn-ack'] }]);
      const series = start('--wait', '10s', HOST, String(port));
      expect(await series.end()).toBe(0);
      const [{ latencyMs }] = (await series.probes(1)) as [Record<string, any>];
      expect(latencyMs).toBeGreaterThan(950);
      expect(latencyMs).toBeLessThan(1500);
    });

    it('--wait reports a refusal that follows silence', REAL_TIME, async () => {
      const port = nextPort++;
      await scripted.update([
        { port, afterConnections: 2, answers: ['reset'] },
        { port, answers: ['nothing'] },
      ]);
      const series = start('--wait', '1700ms', HOST, String(port));
      expect(await series.end()).toBe(1);
      const [{ state }] = (await series.probes(1)) as [Record<string, any>];
      expect(state).toBe('closed');
    });

    it('--wait makes at most 10 probes at once', REAL_TIME, async () => {
      const port = nextPort++;
      await answer({ [port]: 'nothing' });
      const series = start('--wait', '3s', '-i', '20ms', HOST, String(port));
      await expect
        .poll(async () => (await synsTo(port)).length, { timeout: 10_000 })
        .toBeGreaterThan(15);
      const { stdout } = await lab.exec('client', ['ss', '-Hnt', 'state', 'syn-sent']);
      expect(stdout.trim().split('\n').length).toBeLessThanOrEqual(10);
      expect(await series.end()).toBe(2);
      expect(Math.min(...gapsOf(await synsTo(port)))).toBeGreaterThan(60);
    });

    it('a silent target does not slow the others', REAL_TIME, async () => {
      const ports = Array.from({ length: 10 }, () => nextPort++);
      const [silent = 0, ...others] = ports;
      await answer(
        Object.fromEntries(ports.map((port) => [port, port === silent ? 'nothing' : 'syn-ack'])),
      );
      const series = start(
        '-t',
        '-i',
        '200ms',
        '-w',
        '1s',
        ...ports.map((each) => `${HOST}:${each}`),
      );
      await sleep(4000);
      series.signal('SIGINT');
      await series.end();
      for (const port of others) {
        const syns = await synsTo(port);
        const meanMs = ((syns.at(-1) ?? NaN) - (syns[0] ?? NaN)) / (syns.length - 1);
        expect(Math.abs(meanMs - 200)).toBeLessThan(10);
      }
      expect((await synsTo(silent)).length).toBeGreaterThanOrEqual(4);
    });

    it('a stopped process makes no two probes at once when it goes on', REAL_TIME, async () => {
      const port = nextPort++;
      await answer({ [port]: 'syn-ack' });
      const series = start('-c', '6', '-i', '400ms', HOST, String(port));
      await series.probes(2);
      await sleep(100);
      series.signal('SIGSTOP');
      await sleep(1500);
      series.signal('SIGCONT');
      await series.end();
      expect(Math.min(...gapsOf(await synsTo(port)))).toBeGreaterThan(150);
    });

    it(
      'an outage is as long as it was, also if the process was stopped in it',
      REAL_TIME,
      async () => {
        const port = nextPort++;
        await answer({ [port]: 'syn-ack' });
        const series = start('-t', '-i', '200ms', HOST, String(port));
        await series.probes(3);
        await answer({ [port]: 'reset' });
        const fromMs = machineClock();
        await series.probes(5);
        series.signal('SIGSTOP');
        await sleep(1200);
        series.signal('SIGCONT');
        await sleep(400);
        await answer({ [port]: 'syn-ack' });
        const lengthMs = machineClock() - fromMs;
        await expect
          .poll(() => series.events.some(({ type }) => type === 'outage'), { timeout: 5000 })
          .toBe(true);
        series.signal('SIGINT');
        await series.end();
        const { durationMs } = series.events.find(({ type }) => type === 'outage') ?? {};
        expect(Math.abs(durationMs - lengthMs)).toBeLessThan(200 + TOLERANCE_MS);
      },
    );

    it('a handshake that the process slept through says so', REAL_TIME, async () => {
      const port = nextPort++;
      await answer({ [port]: { send: 'syn-ack', delayMs: 300 } });
      const series = start('-c', '3', '-i', '1s', HOST, String(port));
      await expect
        .poll(async () => (await synsTo(port)).length, { interval: 5, timeout: 5000 })
        .toBe(2);
      series.signal('SIGSTOP');
      await sleep(1300);
      series.signal('SIGCONT');
      await series.end();
      const [first, second, third] = await series.probes(3);
      expect([first?.['stalledMs'], third?.['stalledMs']]).toEqual([null, null]);
      expect(second?.['stalledMs']).toBeGreaterThan(1000);
      expect(second?.['lostSynSeconds']).toBeNull();
      expect(series.events.at(-1)?.['latencyMs']).toMatchObject({ count: 3 });
    });

    it('--all does not count the time of an address outside DNS as down', REAL_TIME, async () => {
      const port = nextPort++;
      await scripted.update([
        { port, address: HOST, answers: ['syn-ack'] },
        { port, address: MOVED, answers: ['reset'] },
      ]);
      await serve({ A: [HOST, MOVED] });
      const series = start('-t', '--all', '-i', '200ms', NAME, String(port));
      await series.probes(4);
      await serve({ A: [HOST] });
      await sleep(1500);
      await answer({ [port]: 'syn-ack' });
      await serve({ A: [HOST, MOVED] });
      await expect
        .poll(
          () => series.events.some((each) => each['state'] === 'open' && each['address'] === MOVED),
          {
            timeout: 10_000,
          },
        )
        .toBe(true);
      series.signal('SIGINT');
      await series.end();
      const outages = series.events.filter(({ type }) => type === 'outage');
      expect(outages).toMatchObject([{ address: MOVED, over: false }]);
      expect(outages[0]?.['durationMs']).toBeLessThan(800 + TOLERANCE_MS);
    });

    it('a signal amid an outage tells of it, as Enter does', REAL_TIME, async () => {
      const port = nextPort++;
      await answer({ [port]: 'reset' });
      const series = start('-t', '-i', '100ms', HOST, String(port));
      await series.probes(5);
      series.signal('SIGUSR1');
      const summaries = () => series.events.filter(({ type }) => type === 'summary');
      await expect.poll(() => summaries().length, { timeout: 5000 }).toBe(1);
      series.signal('SIGINT');
      await series.end();
      const [soFar, final] = summaries();
      expect(soFar).toMatchObject({ final: false, outages: { count: 1 } });
      expect(soFar?.['outages'].totalMs).toBeGreaterThan(300);
      expect(final).toMatchObject({ final: true, outages: { count: 1 } });
    });
  },
  'delayLink',
);
