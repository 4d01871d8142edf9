import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { HelperProcess } from '../support/helper-process.js';
import { createLab, describeLab, type Lab, type RejectKind } from '../support/lab.js';
import { portpingCommand } from '../support/portping.js';
import { startUdpNoise } from '../support/udp-noise.js';

/** What matters of a diagnosis here. */
interface Seen {
  kind: string;
  certainty: string;
  statement: string;
  /** The lines of the section "Machine", after the first. */
  machine: string;
}

const OPEN = 7000;
const REJECTED = 7001;
const DROPPED = 7002;
const CLOSED = 7003;

const NOTHING_LISTENS = 'and nothing listens on that port of this machine.';

/** Datagrams a second to a port of loopback where nothing listens, as of a statsd client. */
const NOISES = [0, 40] as const;

let lab: Lab;

async function diagnose(...args: string[]): Promise<Seen> {
  const command = (format: string) => [...portpingCommand, '--diagnose', '-o', format, ...args];
  const { stdout } = await lab.exec('client', command('json'));
  const { verdict, findings } = JSON.parse(stdout);
  if (verdict.kind !== 'local-firewall')
    expect(findings.map(({ kind }: { kind: string }) => kind)).not.toContain('local-firewall');
  const text = await lab.exec('client', command('text'));
  const machine = /packets for this port [^\n]*/.exec(text.stdout)?.[0] ?? '';
  const { kind, certainty, statement } = verdict;
  return { kind, certainty, statement, machine };
}

describeLab('a firewall on this machine', () => {
  beforeAll(async () => {
    lab = await createLab({ router: true, icmpLimits: true });
    await lab.listen('server', { port: OPEN });
    await lab.listen('server', { port: 443 });
    await lab.reject(REJECTED, 'admin-prohibited');
    await lab.drop(DROPPED);
  });
  afterAll(() => lab?.close());

  const startNoise = async (perSecond: number): Promise<void> => {
    if (perSecond === 0) return;
    const statsd = { address: '127.0.0.1', port: 8125, perSecond };
    onTestFinished(await startUdpNoise(lab, 'client', statsd));
  };
  /** Filters what leaves the client, until the test ends. */
  const filterOutput = async (...rules: string[]): Promise<void> => {
    onTestFinished(() => lab.clearRules('client'));
    await lab.nft(
      'client',
      `add table inet own
      add chain inet own out { type filter hook output priority 0; }
      ${rules.map((rule) => `add rule inet own out ${rule}`).join('\n')}`,
    );
  };

  it.each(NOISES.flatMap((perSecond) => [['v4', perSecond] as const, ['v6', perSecond] as const]))(
    'is found if it resets all connections to a host (%s, %i datagrams a second)',
    async (family, perSecond) => {
      await startNoise(perSecond);
      const address = lab.server[family];
      const [kind, rejectAll] = [`ip${family === 'v6' ? '6' : ''}`, 'reject with tcp reset'];
      await filterOutput(`${kind} daddr ${address} meta l4proto tcp ${rejectAll}`);
      const shown = family === 'v6' ? `[${address}]` : address;
      expect(await diagnose(address, String(OPEN))).toEqual({
        kind: 'local-firewall',
        certainty: 'certain',
        statement:
          `A firewall on this machine rejects connections to ${shown}:${OPEN}. ` +
          'Nothing was learned about the other side.',
        machine: 'packets for this port do not leave this machine',
      });
    },
  );

  it.each<[RejectKind, 'v4' | 'v6', 'certain' | 'probable']>([
    ['tcp-reset', 'v4', 'certain'],
    ['port-unreachable', 'v4', 'certain'],
    ['admin-prohibited', 'v4', 'certain'],
    ['tcp-reset', 'v6', 'certain'],
    // The ICMPv6 error comes within the system call, and Linux ignores it until the second SYN.
    ['admin-prohibited', 'v6', 'probable'],
  ])('is found beside datagrams if it rejects one port (%s, %s)', async (kind, family, sure) => {
    await startNoise(40);
    onTestFinished(() => lab.clearRules('client'));
    await lab.reject(7010, kind, 'output');
    expect(await diagnose('-w', '2s', lab.server[family], '7010')).toMatchObject({
      kind: 'local-firewall',
      certainty: sure,
      machine: 'packets for this port do not leave this machine',
    });
  });

  it.each(NOISES)(
    'is probable if a host is silent and no packet leaves (%i datagrams a second)',
    async (perSecond) => {
      await startNoise(perSecond);
      await filterOutput(`ip daddr ${lab.server.v4} drop`);
      expect(await diagnose('-w', '500ms', lab.server.v4, String(OPEN))).toMatchObject({
        kind: 'local-firewall',
        certainty: 'probable',
        statement: expect.stringContaining('probably drops'),
        machine: 'packets for this port do not leave this machine',
      });
    },
  );

  it('is one of several causes if connections are redirected to a closed port here', async () => {
    onTestFinished(() => lab.clearRules('client'));
    await lab.nft(
      'client',
      `add table ip own
      add chain ip own out { type nat hook output priority -100; }
      add rule ip own out ip daddr ${lab.server.v4} tcp dport ${OPEN} redirect to :9999`,
    );
    expect(await diagnose(lab.server.v4, String(OPEN))).toMatchObject({
      kind: 'local-firewall',
      certainty: 'certain',
      statement: expect.stringMatching(
        /^This machine itself refuses connections to 10\.78\.0\.2:7000: its firewall rejects them, or a redirect or a local route leads them to a port here that refuses\./,
      ),
    });
  });

  it.each([
    ['a closed port', '10.78.0.2', CLOSED, /^refused$/],
    ['a port that the host rejects', '10.78.0.2', REJECTED, /^(port-rejected|host-)/],
    ['a port that the host drops', '10.78.0.2', DROPPED, /^port-filtered$/],
    ['a host that is down', '10.78.0.99', OPEN, /^(host-|nothing-)/],
    ['an absent neighbour', '10.77.0.99', OPEN, /^(host-|nothing-)/],
  ])('is not blamed beside datagrams for %s', async (_, address, port, kind) => {
    await startNoise(40);
    const seen = await diagnose('-w', '500ms', address, String(port));
    expect(seen.kind).toMatch(kind);
    expect(seen.machine).not.toMatch(/do not leave/);
  });

  it('is known to let packets pass beside datagrams that stay on this machine', async () => {
    await startNoise(40);
    const seen = async () => (await diagnose(lab.server.v4, String(CLOSED))).machine;
    // Other packets, such as neighbour discovery, may leave in several of the idle windows.
    await expect
      .poll(seen, { timeout: 30_000 })
      .toBe('packets for this port pass the firewall of this machine');
  });

  it('is not judged while other packets leave all the time', async () => {
    const far = { address: lab.server.v4, port: 8125, perSecond: 2000 };
    onTestFinished(await startUdpNoise(lab, 'client', far));
    expect(await diagnose(lab.server.v4, String(CLOSED))).toMatchObject({
      kind: 'refused',
      machine: '',
    });
  });
});

describeLab('a firewall on this machine before its own addresses', () => {
  const BOUND_TO_LOOPBACK = 7021;
  const BUSY = 7022;
  /** A service on all addresses behind a rule of INPUT; see `rules`. */
  const rules = {
    7031: 'drop',
    7032: 'reject with tcp reset',
    7033: 'reject with icmpx type admin-prohibited',
  } as const;

  beforeAll(async () => {
    lab = await createLab({ icmpLimits: true });
    await Promise.all([
      lab.listen('client', { port: BOUND_TO_LOOPBACK, address: '127.0.0.1' }),
      ...Object.keys(rules).map((port) =>
        lab.listen('client', { port: Number(port), address: '0.0.0.0' }),
      ),
      startBusyListener(BUSY),
    ]);
    await lab.nft(
      'client',
      `add table inet own
      add chain inet own in { type filter hook input priority 0; }
      add rule inet own in ip daddr ${lab.client.v4} tcp dport ${CLOSED} drop
      ${Object.entries(rules)
        .map(
          ([port, rule]) =>
            `add rule inet own in ip daddr ${lab.client.v4} tcp dport ${port} ${rule}`,
        )
        .join('\n')}`,
    );
  });
  afterAll(() => lab?.close());

  /** Listens, but accepts nothing, and fills the queue. */
  async function startBusyListener(port: number): Promise<void> {
    const script = `
import socket
address = ('0.0.0.0', ${port})
listener = socket.socket()
listener.bind(address)
listener.listen(0)
clients = [socket.create_connection(('127.0.0.1', ${port})) for _ in range(1)]
print('true', flush=True)
input()`;
    await HelperProcess.start(lab.spawn('client', ['python3', '-c', script], { stdio: 'pipe' }));
  }

  it.each([
    ['drops', 7031, /probably drops connections to 10\.77\.0\.1:7031\.$/],
    [
      'resets',
      7032,
      /probably rejects connections to 10\.77\.0\.1:7032, or a redirect leads them elsewhere: a service listens on 0\.0\.0\.0\.$/,
    ],
    ['rejects', 7033, /probably rejects connections to 10\.77\.0\.1:7033\.$/],
    ['drops where nothing listens', CLOSED, /probably drops connections to 10\.77\.0\.1:7003\.$/],
  ])('is found if it %s', async (_, port, statement) => {
    const seen = await diagnose('-w', '500ms', lab.client.v4, String(port));
    expect(seen).toMatchObject({ kind: 'local-firewall', certainty: 'probable' });
    expect(seen.statement).toMatch(statement);
  });

  it('is one of two causes if the queue of the listener is full', async () => {
    const seen = await diagnose('-w', '500ms', lab.client.v4, String(BUSY));
    expect(seen).toMatchObject({
      kind: 'local-firewall',
      certainty: 'probable',
      statement:
        `A firewall on this machine drops connections to 10.77.0.1:${BUSY}, or the service is ` +
        'too busy to accept them. Both look the same from here.',
    });
  });

  it('is not blamed for a service that listens on loopback alone', async () => {
    expect(await diagnose(lab.client.v4, String(BOUND_TO_LOOPBACK))).toMatchObject({
      kind: 'bound-to-loopback',
      certainty: 'certain',
      statement: 'The service listens on 127.0.0.1, but not on 10.77.0.1, which refused.',
    });
  });

  it('is not blamed for an address written in another way', async () => {
    expect((await diagnose('FD77:0:0::1', String(BOUND_TO_LOOPBACK))).kind).toBe(
      'bound-to-loopback',
    );
  });

  it('is not blamed for a port where nothing listens', async () => {
    expect(await diagnose(lab.client.v4, '7099')).toMatchObject({
      kind: 'refused',
      certainty: 'certain',
      statement: `10.77.0.1:7099 refused the connection, ${NOTHING_LISTENS}`,
    });
  });

  it('is not blamed for a port that this machine forwards to one that refuses', async () => {
    onTestFinished(async () => void (await lab.nft('client', 'delete table ip elsewhere')));
    await lab.nft(
      'client',
      `add table ip elsewhere
      add chain ip elsewhere out { type nat hook output priority -100; }
      add rule ip elsewhere out ip daddr 10.77.0.1 tcp dport 7098 dnat to ${lab.server.v4}:7097`,
    );
    // What was seen, and not why it was refused: that is up to the other machine.
    expect(await diagnose(lab.client.v4, '7098')).toMatchObject({
      kind: 'refused',
      statement: `10.77.0.1:7098 refused the connection, ${NOTHING_LISTENS}`,
    });
  });
});
