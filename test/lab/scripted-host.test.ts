import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLab, describeLab, type Lab } from '../support/lab.js';
import {
  type ScriptedAnswer,
  type ScriptedHost,
  type ScriptedRule,
  startScriptedHost,
} from '../support/scripted-host.js';
import { startUdpNoise } from '../support/udp-noise.js';

/** What plain Node sees of a connect: its code, and whether it comes at once, late or never. */
interface Seen {
  code: string;
  elapsedMs: number;
}

/** ICMP errors by type and code, and what plain Node sees of them. `none` is no error at all. */
const icmp: Record<4 | 6, readonly (readonly [type: number, code: number, seen: string])[]> = {
  4: [
    [3, 0, 'ENETUNREACH'],
    [3, 1, 'EHOSTUNREACH'],
    [3, 2, 'ENOPROTOOPT'],
    [3, 3, 'ECONNREFUSED'],
    [3, 4, 'none'],
    [3, 5, 'ENOTSUP'],
    [3, 6, 'ENETUNREACH'],
    [3, 7, 'EHOSTDOWN'],
    [3, 8, 'ENONET'],
    [3, 9, 'ENETUNREACH'],
    [3, 10, 'EHOSTUNREACH'],
    [3, 11, 'ENETUNREACH'],
    [3, 12, 'EHOSTUNREACH'],
    [3, 13, 'EHOSTUNREACH'],
    [3, 14, 'EHOSTUNREACH'],
    [3, 15, 'EHOSTUNREACH'],
    [4, 0, 'none'],
    [5, 0, 'none'],
    [11, 0, 'EHOSTUNREACH'],
    [11, 1, 'none'],
    [12, 0, 'EPROTO'],
    [12, 1, 'EPROTO'],
  ],
  6: [
    [1, 0, 'ENETUNREACH'],
    [1, 1, 'EACCES'],
    [1, 2, 'EHOSTUNREACH'],
    [1, 3, 'EHOSTUNREACH'],
    [1, 4, 'ECONNREFUSED'],
    [1, 5, 'EACCES'],
    [1, 6, 'EACCES'],
    [1, 7, 'EPROTO'],
    [2, 0, 'none'],
    [3, 0, 'EHOSTUNREACH'],
    [3, 1, 'EHOSTUNREACH'],
    [4, 0, 'EPROTO'],
    [4, 1, 'EPROTO'],
    [4, 2, 'EPROTO'],
  ],
};

const FAMILIES = [4, 6] as const;
const host = { 4: '10.90.0.1', 6: 'fd90::1' };
const router = { 4: '10.90.0.254', 6: 'fd90::fe' };

/** The port of an ICMP error: its own for each type, code and sender. */
const icmpPort = (type: number, code: number, isRouter: boolean) =>
  10_000 + (isRouter ? 10_000 : 0) + type * 100 + code;

const icmpRules = FAMILIES.flatMap((family) =>
  icmp[family].flatMap(([type, code]) =>
    [false, true].map((isRouter): ScriptedRule => {
      const from = isRouter ? { from: router[family] } : {};
      const answers: [ScriptedAnswer] = [{ send: 'icmp', type, code, ...from }];
      return { family, port: icmpPort(type, code, isRouter), answers };
    }),
  ),
);

const rules: ScriptedRule[] = [
  { port: 1, answers: ['syn-ack'] },
  { port: 2, answers: ['reset'] },
  { port: 3, answers: ['nothing'] },
  { port: 4, answers: [{ send: 'syn-ack', delayMs: 300 }] },
  { port: 5, answers: ['nothing', 'syn-ack'] },
  { port: 6, answers: ['nothing', 'nothing', 'reset', 'nothing'] },
  { port: 7, answers: [{ send: 'syn-ack', banner: '220 lab\r\n' }] },
  { port: 8, answers: [{ send: 'syn-ack', banner: '220 lab\r\n', end: 'close' }] },
  { port: 9, answers: [{ send: 'syn-ack', end: 'reset' }] },
  { port: 10, afterConnections: 1, answers: ['reset'] },
  { port: 10, answers: ['syn-ack'] },
  { port: 11, address: host[4], answers: ['syn-ack'] },
  { port: 11, answers: ['reset'] },
  { port: 12, protocol: 'udp', answers: [{ send: 'icmp', type: 3, code: 3 }] },
  ...icmpRules,
];

describeLab(
  'The scripted host',
  () => {
    let lab: Lab;
    let scripted: ScriptedHost;

    beforeAll(async () => {
      lab = await createLab();
      scripted = await startScriptedHost(lab, { rules, networks: ['10.90.0.0/24', 'fd90::/64'] });
    });
    afterAll(() => lab?.close());

    /** What plain Node sees of connects that start together. */
    async function connect(
      endpoints: readonly { host: string; port: number }[],
      giveUpMs = 3500,
    ): Promise<Seen[]> {
      const script = fileURLToPath(new URL('plain-node.mjs', import.meta.url));
      const input = JSON.stringify(
        endpoints.map((each) => ({ kind: 'connect', giveUpMs, ...each })),
      );
      const { stdout } = await lab.exec('client', [process.execPath, script], { input });
      return JSON.parse(stdout) as Seen[];
    }

    /** What a client reads, and how the connection ends after at most 300 ms. */
    async function talk(port: number): Promise<string> {
      const script = `
        let read = '';
        const say = (end) => { console.log(JSON.stringify(read + end)); process.exit(); };
        require('node:net').connect({ host: ${JSON.stringify(host[4])}, port: ${port} })
          .on('data', (data) => (read += data))
          .on('end', () => say('closed')).on('error', ({ code }) => say(code))
          .setTimeout(300, () => say('held'));`;
      const { stdout } = await lab.exec('client', [process.execPath, '-e', script]);
      return JSON.parse(stdout) as string;
    }

    it.each(FAMILIES)(
      'sends every ICMPv%i error, in its own name and as a router',
      async (family) => {
        const cases = icmp[family].flatMap(([type, code, seen]) =>
          [false, true].map((isRouter) => ({ port: icmpPort(type, code, isRouter), seen })),
        );
        const seen = await connect(
          cases.map(({ port }) => ({ host: host[family], port })),
          700,
        );
        expect(cases.map(({ port }, index) => [port, seen[index]?.code])).toEqual(
          cases.map((each) => [each.port, each.seen]),
        );
      },
    );

    it.each(FAMILIES)('opens, resets and is silent over IPv%i, by port', async (family) => {
      const seen = await connect(
        [1, 2, 3].map((port) => ({ host: host[family], port })),
        700,
      );
      expect(seen.map(({ code }) => code)).toEqual(['open', 'ECONNREFUSED', 'none']);
    });

    it('answers late', async () => {
      const [seen] = await connect([{ host: host[4], port: 4 }]);
      expect(seen?.code).toBe('open');
      expect(seen?.elapsedMs).toBeGreaterThan(290);
    });

    it('loses the first SYN, or answers only the third', async () => {
      const [second, third] = await connect([5, 6].map((port) => ({ host: host[4], port })));
      expect([second?.code, third?.code]).toEqual(['open', 'ECONNREFUSED']);
      expect(second?.elapsedMs).toBeGreaterThan(900);
      expect(third?.elapsedMs).toBeGreaterThan(1800);
      const syns = (await scripted.syns()).filter(({ port }) => port === 6);
      expect(syns.map(({ syn }) => syn)).toEqual([1, 2, 3]);
    });

    it('sends a banner and holds, closes or resets the connection', async () => {
      expect(await Promise.all([7, 8, 9].map(talk))).toEqual([
        '220 lab\r\nheld',
        '220 lab\r\nclosed',
        'ECONNRESET',
      ]);
    });

    it('changes its answer after a number of connections', async () => {
      const endpoint = { host: host[4], port: 10 };
      const first = await connect([endpoint]);
      const then = await connect([endpoint, endpoint]);
      expect([...first, ...then].map(({ code }) => code)).toEqual([
        'open',
        'ECONNREFUSED',
        'ECONNREFUSED',
      ]);
    });

    it('answers differently at each address, and by new rules', async () => {
      const endpoints = [host[4], '10.90.0.9', host[6]].map((each) => ({ host: each, port: 11 }));
      expect((await connect(endpoints)).map(({ code }) => code)).toEqual([
        'open',
        'ECONNREFUSED',
        'ECONNREFUSED',
      ]);
      const other = await startScriptedHost(lab, {
        rules: [],
        networks: ['10.91.0.0/24'],
        device: 'host1',
      });
      await other.update([{ answers: ['reset'] }]);
      const [seen] = await connect([{ host: '10.91.0.1', port: 1 }]);
      expect(seen?.code).toBe('ECONNREFUSED');
      await other.stop();
    });

    it('rejects or ignores datagrams', async () => {
      const script = `
        const socket = require('node:dgram').createSocket('udp4');
        const say = (seen) => { console.log(seen); process.exit(); };
        socket.on('error', ({ code }) => say(code)).connect(Number(process.argv[1]), '${host[4]}',
          () => { socket.send('?'); setTimeout(say, 300, 'silent'); });`;
      const seen = await Promise.all(
        ['12', '13'].map((port) => lab.exec('client', [process.execPath, '-e', script, port])),
      );
      expect(seen.map(({ stdout }) => stdout.trim())).toEqual(['ECONNREFUSED', 'silent']);
    });

    it('limits its ICMP errors if it is asked to', async () => {
      const limited = await startScriptedHost(lab, {
        rules: [{ answers: [{ send: 'icmp', type: 3, code: 13 }] }],
        networks: ['10.92.0.0/24'],
        device: 'host2',
        icmpIntervalMs: 60_000,
      });
      const seen = await connect(
        [1, 2].map((port) => ({ host: '10.92.0.1', port })),
        500,
      );
      expect(seen.map(({ code }) => code)).toEqual(['EHOSTUNREACH', 'none']);
      await limited.stop();
    });
  },
  'delayLink',
);

describeLab('The network lab with the limits of a real machine', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await createLab({ icmpLimits: true });
  });
  afterAll(() => lab?.close());

  it('keeps the ICMP limits of Linux', async () => {
    const { stdout } = await lab.exec('server', [
      'cat',
      '/proc/sys/net/ipv4/icmp_ratelimit',
      '/proc/sys/net/ipv4/icmp_ratemask',
    ]);
    expect(stdout.split(/\s+/).slice(0, 2)).toEqual(['1000', '6168']);
  });

  it('sends datagrams to a port where no program listens', async () => {
    const refusals = async () => {
      const { stdout } = await lab.exec('client', ['cat', '/proc/net/snmp']);
      const [names, values] = stdout.split('\n').filter((line) => line.startsWith('Icmp:'));
      return Number(values?.split(' ')[names?.split(' ').indexOf('OutDestUnreachs') ?? 0]);
    };
    const before = await refusals();
    const stop = await startUdpNoise(lab, 'client', {
      address: '127.0.0.1',
      port: 8125,
      perSecond: 40,
    });
    await expect.poll(refusals).toBeGreaterThan(before + 3);
    await stop();
  });
});
