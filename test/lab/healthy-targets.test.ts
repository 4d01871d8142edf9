import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLab, describeLab, type Lab } from '../support/lab.js';
import { portpingCommand } from '../support/portping.js';
import { startUdpNoise } from '../support/udp-noise.js';

/** How many diagnoses are made; `PORTPING_LAB_DIAGNOSES=300` for a long run. */
const DIAGNOSES = Number(process.env['PORTPING_LAB_DIAGNOSES'] ?? 16);

/** Processes that use all of a processor each. */
const BUSY_PROCESSES = 3;

const OPEN = 7000;
const CLOSED = 7001;

/** Targets where nothing is wrong on the way, and the only kinds that say so. */
const TARGETS: readonly (readonly [args: readonly string[], kinds: readonly string[]])[] = [
  [['busy.test', String(OPEN)], ['open']],
  [['10.78.0.2', String(CLOSED)], ['refused']],
  [['fd78::2', String(OPEN)], ['open']],
  [['busy.test', String(CLOSED)], ['refused']],
];

let lab: Lab;

describeLab('a healthy target', () => {
  beforeAll(async () => {
    lab = await createLab({ router: true, icmpLimits: true });
    const records = { A: [lab.server.v4], AAAA: [lab.server.v6] };
    await Promise.all([
      lab.listen('server', { port: OPEN }),
      lab.listen('server', { port: 443 }),
      lab.dns('client', {
        address: '127.0.0.1',
        zone: { 'busy.test': { ...records, delayMs: { A: 180, AAAA: 340 } } },
      }),
      startUdpNoise(lab, 'client', { address: '127.0.0.1', port: 8125, perSecond: 40 }),
    ]);
    for (let index = 0; index < BUSY_PROCESSES; index += 1)
      lab.spawn('server', ['sh', '-c', 'while :; do :; done']);
  });
  afterAll(() => lab?.close());

  it(
    `is accused of nothing beside datagrams, load and a slow resolver (${DIAGNOSES} times)`,
    async () => {
      const accusations: string[] = [];
      for (let index = 0; index < DIAGNOSES; index += 1) {
        const [args, kinds] = TARGETS[index % TARGETS.length] ?? [[], []];
        const argv = [...portpingCommand, '--diagnose', '-o', 'json', ...args];
        const { stdout } = await lab.exec('client', argv, { timeoutMs: 60_000 });
        const { verdict, findings } = JSON.parse(stdout);
        const accused = findings.filter(
          ({ kind, certainty }: { kind: string; certainty: string }) =>
            certainty !== 'possible' && !kinds.includes(kind),
        );
        if (accused.length > 0 || !kinds.includes(verdict.kind))
          accusations.push(`${args.join(' ')}: ${verdict.kind}: ${verdict.statement}`);
      }
      expect(accusations).toEqual([]);
    },
    DIAGNOSES * 10_000,
  );
});
