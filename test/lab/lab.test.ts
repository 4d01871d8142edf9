import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DnsServer, DnsZone } from '../support/dns-server.js';
import {
  type Addresses,
  createLab,
  type DelayLink,
  describeLab,
  type Hook,
  type Lab,
  type LabOptions,
  type RejectKind,
} from '../support/lab.js';

/** What plain-node.mjs reports about a connect, a lookup or a query. */
interface Outcome {
  code: string;
  errno?: number;
  syscall?: string;
  message?: string;
  elapsedMs: number;
  value?: unknown;
}

type Expected = Partial<Outcome>;

/** How long an outcome takes, ms: at least, less than. Timers may fire early. */
const times = {
  'at once': [0, 600],
  'after half a second': [450, 1500],
  'after 1 s': [900, 1900],
  'after 3 s': [2600, 4500],
  never: [590, 3000],
} as const;
type When = keyof typeof times;

interface Case {
  kind: 'connect' | 'lookup' | 'resolve';
  situation: string;
  /** The request to plain-node.mjs. */
  request: object;
  expected: Expected;
  when: When;
  /** Whether Node's message ends with `- Local (…)`, as it does if the system call failed. */
  local: boolean;
}

const ports = {
  open: 7000,
  closed: 7001,
  dropped: 7002,
  droppedOut: 7003,
  rejected: 7100,
  rejectedOut: 7200,
};

interface ConnectOptions {
  local?: boolean;
  localAddress?: string;
  localPort?: number;
}

/** A connect to a literal address, its result and the time that it takes. */
function connect(
  situation: string,
  [host, port]: readonly [host: string, port: number],
  [code, when]: readonly [code: string, when: When],
  { local = false, ...source }: ConnectOptions = {},
): Case {
  const request = { host, port, ...source, giveUpMs: when === 'never' ? 600 : 6000 };
  const family = host.includes(':') ? 'IPv6' : 'IPv4';
  return {
    kind: 'connect',
    situation: `${situation} (${family})`,
    request,
    expected: { code },
    when,
    local,
  };
}

/** The same for several hosts. */
function connects(
  situation: string,
  [hosts, port]: readonly [hosts: string[], port: number],
  result: readonly [code: string, when: When],
  options?: ConnectOptions,
): Case[] {
  return hosts.map((host) => connect(situation, [host, port], result, options));
}

/** Errors for a firewall's replies: icmp_err_convert in Linux's net/ipv{4,6}/icmp.c. */
const answers: { kind: RejectKind; v4?: string; v6?: string }[] = [
  { kind: 'tcp-reset', v4: 'ECONNREFUSED', v6: 'ECONNREFUSED' },
  { kind: 'port-unreachable', v4: 'ECONNREFUSED', v6: 'ECONNREFUSED' },
  { kind: 'host-unreachable', v4: 'EHOSTUNREACH', v6: 'EHOSTUNREACH' },
  { kind: 'net-unreachable', v4: 'ENETUNREACH', v6: 'ENETUNREACH' },
  { kind: 'admin-prohibited', v4: 'EHOSTUNREACH', v6: 'EACCES' },
  { kind: 'host-prohibited', v4: 'EHOSTUNREACH' },
  { kind: 'net-prohibited', v4: 'ENETUNREACH' },
  { kind: 'proto-unreachable', v4: 'ENOPROTOOPT' },
  { kind: 'policy-fail', v6: 'EACCES' },
  { kind: 'reject-route', v6: 'EACCES' },
];

/** One case for every reply and family. `icmp6` is the time when an ICMPv6 error takes effect. */
function rejections(who: string, hosts: Addresses, firstPort: number, icmp6: When): Case[] {
  return answers.flatMap(({ kind, v4, v6 }, index) => {
    const situation = `${who} that answers ${kind}`;
    const port = firstPort + index;
    return [
      ...(v4 ? [connect(situation, [hosts.v4, port], [v4, 'at once'])] : []),
      ...(v6
        ? [connect(situation, [hosts.v6, port], [v6, kind === 'tcp-reset' ? 'at once' : icmp6])]
        : []),
    ];
  });
}

async function rejectAll(lab: Lab, firstPort: number, hook: Hook): Promise<void> {
  await Promise.all(answers.map(({ kind }, index) => lab.reject(firstPort + index, kind, hook)));
}

const near: Addresses = { v4: '10.77.0.2', v6: 'fd77::2' };
const far: Addresses = { v4: '10.78.0.2', v6: 'fd78::2' };
const local = true;

// With a source port Node adds `- Local` to remote errors, too.
const fromPort = { local, localPort: 5555 };

const straight: Case[] = [
  ...connects('an open port', [[near.v4, near.v6], ports.open], ['open', 'at once']),
  ...connects('a closed port', [[near.v4, near.v6], ports.closed], ['ECONNREFUSED', 'at once']),
  ...connects(
    'a closed port on loopback',
    [['127.0.0.1', '::1'], ports.closed],
    ['ECONNREFUSED', 'at once'],
  ),
  ...connects('a dropped port', [[near.v4, near.v6], ports.dropped], ['none', 'never']),
  ...connects(
    'a port dropped by our own firewall',
    [[near.v4, near.v6], ports.droppedOut],
    ['none', 'never'],
  ),
  ...connects(
    'an absent neighbour',
    [['10.77.0.99', 'fd77::99'], 80],
    ['EHOSTUNREACH', 'after 3 s'],
  ),
  ...connects('no route', [['10.99.0.1', 'fd99::1'], 80], ['ENETUNREACH', 'at once'], { local }),
  ...connects('a multicast address', [['224.0.0.1', 'ff02::1'], 80], ['ENETUNREACH', 'at once'], {
    local,
  }),
  ...connects('the broadcast address', [['10.77.0.255'], 80], ['ENETUNREACH', 'at once'], {
    local,
  }),
  ...connects('a prohibit route', [['10.91.0.1', 'fd91::1'], 80], ['EACCES', 'at once'], { local }),
  ...connects('a blackhole route', [['10.92.0.1', 'fd92::1'], 80], ['EINVAL', 'at once'], {
    local,
  }),
  ...connects('an unreachable route', [['10.93.0.1', 'fd93::1'], 80], ['EHOSTUNREACH', 'at once'], {
    local,
  }),
  connect('a source that is not ours', [near.v4, ports.open], ['EADDRNOTAVAIL', 'at once'], {
    localAddress: '10.77.0.55',
  }),
  connect('a source of the other family', [near.v4, ports.open], ['EINVAL', 'at once'], {
    localAddress: 'fd77::1',
  }),
  ...connects(
    'a closed port from a source port',
    [[near.v4], ports.closed],
    ['ECONNREFUSED', 'at once'],
    fromPort,
  ),
  ...rejections('a server', near, ports.rejected, 'after 1 s'),
  ...rejections('our own firewall', near, ports.rejectedOut, 'after 1 s'),
];

const routed: Case[] = [
  ...connects('an open port behind a router', [[far.v4, far.v6], ports.open], ['open', 'at once']),
  ...connects('a port dropped by a router', [[far.v4, far.v6], ports.dropped], ['none', 'never']),
  ...connects(
    'an absent host behind a router',
    [['10.78.0.99', 'fd78::99'], 80],
    ['EHOSTUNREACH', 'after 3 s'],
  ),
  ...connects('a router without a route', [['10.99.0.1'], 80], ['ENETUNREACH', 'at once']),
  ...connects('a router without a route', [['fd99::1'], 80], ['ENETUNREACH', 'after 1 s']),
  ...connects('a prohibit route of a router', [['10.91.0.1'], 80], ['EHOSTUNREACH', 'at once']),
  ...connects('a prohibit route of a router', [['fd91::1'], 80], ['EACCES', 'after 1 s']),
  ...connects('a blackhole route of a router', [['10.92.0.1', 'fd92::1'], 80], ['none', 'never']),
  ...connects('an unreachable route of a router', [['10.93.0.1'], 80], ['EHOSTUNREACH', 'at once']),
  ...connects('an unreachable route of a router', [['fd93::1'], 80], ['ENETUNREACH', 'after 1 s']),
  ...rejections('a router', far, ports.rejected, 'after 1 s'),
];

const away: Addresses = { v4: '10.80.0.2', v6: 'fd80::2' };
const overDelay = rejections('a server 20 ms away', away, ports.rejected, 'at once');

const addresses = { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] };
const zone: DnsZone = {
  'both.test': addresses,
  'v4.test': { A: addresses.A },
  'slow.test': { ...addresses, delayMs: 500 },
  'aaaa-silent.test': { A: addresses.A, AAAA: 'silent' },
  'aaaa-servfail.test': { A: addresses.A, AAAA: 'SERVFAIL' },
  'only-servfail.test': { A: 'NODATA', AAAA: 'SERVFAIL' },
  'nxdomain.test': 'NXDOMAIN',
  'nodata.test': 'NODATA',
  'formerr.test': 'FORMERR',
  'servfail.test': 'SERVFAIL',
  'refused.test': 'REFUSED',
  'notimp.test': 'NOTIMP',
  'silent.test': 'silent',
};

function lookup(
  situation: string,
  request: { name: string; family?: 4 | 6 },
  expected: Expected,
  when: When = 'at once',
): Case {
  return { kind: 'lookup', situation, request, expected, when, local: false };
}

function resolve(
  situation: string,
  request: { name: string; server?: string },
  code: string,
  when: When = 'at once',
): Case {
  return {
    kind: 'resolve',
    situation,
    request: { type: 'A', server: near.v4, ...request },
    expected: { code },
    when,
    local: false,
  };
}

const notFound = { code: 'ENOTFOUND', errno: -3008, syscall: 'getaddrinfo' };
const noData = { code: 'ENOTFOUND', errno: -3007, syscall: 'getaddrinfo' };
const again = { code: 'EAI_AGAIN', errno: -3001, syscall: 'getaddrinfo' };
const found = (...value: string[]) => ({ code: 'open', value });

const names: Case[] = [
  lookup('a name of both families', { name: 'both.test' }, found('2001:db8::1', '192.0.2.1')),
  lookup('a name in another case', { name: 'V4.test' }, found('192.0.2.1')),
  lookup('a name in the hosts file', { name: 'hosts.test' }, found('192.0.2.9')),
  lookup(
    'localhost over IPv4, twice because of ::1',
    { name: 'localhost', family: 4 },
    found('127.0.0.1', '127.0.0.1'),
    'at once',
  ),
  lookup('a slow answer', { name: 'slow.test' }, { code: 'open' }, 'after half a second'),
  lookup('NXDOMAIN', { name: 'nxdomain.test' }, notFound),
  lookup('a name outside the zone', { name: 'unheard-of.test' }, notFound),
  lookup('a name with an empty label', { name: 'a..b' }, notFound),
  lookup('FORMERR', { name: 'formerr.test' }, notFound),
  lookup('NODATA', { name: 'nodata.test' }, noData),
  lookup(
    'a name without IPv6 address, for IPv6',
    { name: 'v4.test', family: 6 },
    noData,
    'at once',
  ),
  lookup(
    'an IPv4 line of the hosts file, for IPv6',
    { name: 'hosts.test', family: 6 },
    notFound,
    'at once',
  ),
  lookup('NODATA for A and SERVFAIL for AAAA', { name: 'only-servfail.test' }, noData),
  lookup('SERVFAIL', { name: 'servfail.test' }, again),
  lookup('REFUSED', { name: 'refused.test' }, again),
  lookup('NOTIMP', { name: 'notimp.test' }, again),
  lookup('a silent server', { name: 'silent.test' }, again, 'after 1 s'),
  lookup('SERVFAIL for AAAA alone', { name: 'aaaa-servfail.test' }, found('192.0.2.1')),
  lookup('silence for AAAA alone', { name: 'aaaa-silent.test' }, found('192.0.2.1'), 'after 3 s'),
  resolve('an A record', { name: 'both.test' }, 'open'),
  resolve('NXDOMAIN', { name: 'nxdomain.test' }, 'ENOTFOUND'),
  resolve('NODATA', { name: 'nodata.test' }, 'ENODATA'),
  resolve('FORMERR', { name: 'formerr.test' }, 'EFORMERR'),
  resolve('SERVFAIL', { name: 'servfail.test' }, 'ESERVFAIL'),
  resolve('REFUSED', { name: 'refused.test' }, 'EREFUSED'),
  resolve('NOTIMP', { name: 'notimp.test' }, 'ENOTIMP'),
  resolve('a silent server', { name: 'silent.test' }, 'ETIMEOUT', 'after half a second'),
  resolve(
    'a machine without a name server',
    { name: 'both.test', server: '10.77.0.1' },
    'ECONNREFUSED',
    'at once',
  ),
];

const serverless: Case[] = [
  lookup('a resolver without a name server', { name: 'both.test' }, again),
];

const plainNode = fileURLToPath(new URL('plain-node.mjs', import.meta.url));
const node = process.env['PORTPING_TEST_NODE'] ?? process.execPath;
const outcomes = new Map<Case, Outcome>();

/** Runs all cases at once in one plain Node in the client's namespace. */
async function observe(lab: Lab, cases: Case[]): Promise<void> {
  const input = JSON.stringify(cases.map(({ kind, request }) => ({ kind, ...request })));
  const { stdout, stderr } = await lab.exec('client', [node, plainNode], {
    input,
    env: { UV_THREADPOOL_SIZE: '64' },
  });
  expect(stderr).toBe('');
  const list = JSON.parse(stdout) as Outcome[];
  cases.forEach((one, index) => outcomes.set(one, list[index] as Outcome));
}

function check(one: Case): void {
  const outcome = outcomes.get(one);
  if (!outcome) throw new Error('the outcome was not observed');
  expect(outcome).toMatchObject(one.expected);
  const [atLeast, lessThan] = times[one.when];
  expect(outcome.elapsedMs).toBeGreaterThanOrEqual(atLeast);
  expect(outcome.elapsedMs).toBeLessThan(lessThan);
  expect(/ - Local \(.*\)$/.test(outcome.message ?? '')).toBe(one.local);
}

async function observeAndCheck(lab: Lab, one: Case): Promise<void> {
  await observe(lab, [one]);
  check(one);
}

/** A test for every case, of the outcomes that `beforeAll` observed. */
function itShows(cases: Case[]): void {
  const seenBy = { connect: 'a plain connect', lookup: 'dns.lookup', resolve: 'dns.Resolver' };
  for (const one of cases) {
    const { kind, situation, expected, when } = one;
    const code = expected.errno ? `${expected.code} (${expected.errno})` : expected.code;
    const where = one.local ? ', locally' : '';
    it(`shows ${situation} to ${seenBy[kind]} as ${code} ${when}${where}`, () => check(one));
  }
}

const labs: Lab[] = [];

async function openLab(options?: LabOptions): Promise<Lab> {
  const lab = await createLab(options);
  labs.push(lab);
  return lab;
}

async function closeLabs(): Promise<void> {
  await Promise.all(labs.splice(0).map((lab) => lab.close()));
}

describeLab('The network lab', () => {
  let lab: Lab;
  let routedLab: Lab;
  let dns: DnsServer;

  beforeAll(async () => {
    [lab, routedLab] = await Promise.all([openLab(), openLab({ router: true })]);
    const routes = ['prohibit 10.91.0.0/24', 'blackhole 10.92.0.0/24', 'unreachable 10.93.0.0/24'];
    const routes6 = ['prohibit fd91::/64', 'blackhole fd92::/64', 'unreachable fd93::/64'];
    [dns] = await Promise.all([
      lab.dns('server', { zone }),
      lab.setResolver('client', { nameservers: [near.v4], hosts: '192.0.2.9 hosts.test' }),
      lab.listen('server', { port: ports.open }),
      lab.drop(ports.dropped),
      lab.drop(ports.droppedOut, 'output'),
      rejectAll(lab, ports.rejected, 'input'),
      rejectAll(lab, ports.rejectedOut, 'output'),
      routedLab.listen('server', { port: ports.open }),
      routedLab.drop(ports.dropped, 'forward'),
      rejectAll(routedLab, ports.rejected, 'forward'),
      ...[...routes, ...routes6].map((route) => lab.ip('client', `route add ${route}`)),
      ...[...routes, ...routes6].map((route) => routedLab.ip('router', `route add ${route}`)),
    ]);
    await Promise.all([
      observe(lab, straight),
      observe(lab, names),
      observe(routedLab, [...routed, ...serverless]),
    ]);
    await saveFacts();
  });

  afterAll(closeLabs);

  itShows([...straight, ...routed, ...names, ...serverless]);

  it('records the queries of its DNS server, which accepts new names', async () => {
    await observeAndCheck(lab, resolve('before', { name: 'later.test' }, 'ENOTFOUND'));
    await dns.update({ 'Later.test': { A: ['192.0.2.7'] } });
    await observeAndCheck(lab, resolve('after', { name: 'later.test' }, 'open'));
    const queries = (await dns.queries()).filter((query) => query.name === 'later.test');
    expect(queries).toMatchObject(
      [1, 2].map(() => ({ name: 'later.test', type: 'A', transport: 'udp' })),
    );
  });

  it('answers DNS over TCP', async () => {
    await lab.setResolver('server', { nameservers: ['::1'], options: 'use-vc' });
    const { stdout } = await lab.exec('server', ['getent', 'ahostsv4', 'v4.test']);
    expect(stdout).toContain('192.0.2.1');
    expect(await dns.queries()).toContainEqual(
      expect.objectContaining({ name: 'v4.test', type: 'A', transport: 'tcp' }),
    );
  });

  it('truncates an answer over UDP, and may have no TCP', async () => {
    const names = { 'long.test': { ...addresses, truncated: true } };
    await dns.update(names);
    await lab.dns('server', { address: '127.0.0.3', port: 5300, tcp: false, zone: names });
    await observeAndCheck(lab, resolve('over TCP', { name: 'long.test' }, 'open'));
    const transports = (await dns.queries()).filter(({ name }) => name === 'long.test');
    expect(transports.map(({ transport }) => transport)).toEqual(['udp', 'tcp']);
    const request = { kind: 'resolve', name: 'long.test', type: 'A', server: '127.0.0.3:5300' };
    const { stdout } = await lab.exec('server', [process.execPath, plainNode], {
      input: JSON.stringify([request]),
    });
    expect(JSON.parse(stdout)).toMatchObject([{ code: 'ECONNREFUSED' }]);
  });

  for (const [onConnection, sight] of [
    ['hold', 'nothing'],
    ['close', 'end'],
    ['reset', 'ECONNRESET'],
    ['banner', '220 hello'],
    ['echo', 'ping'],
  ] as const) {
    it(`shows the listener behaviour ${onConnection} to a client as ${sight}`, async () => {
      const listener = await lab.listen('server', { onConnection, banner: '220 hello' });
      const source = `
        const socket = require('node:net').connect(${listener.port}, '${lab.server.v4}');
        const finish = (sight) => { console.log(String(sight)); process.exit(); };
        socket.on('connect', () => socket.write('ping')).on('data', finish);
        socket.on('end', () => finish('end')).on('error', (error) => finish(error.code));
        socket.setTimeout(200, () => finish('nothing'));`;
      const { stdout } = await lab.exec('client', [node, '-e', source]);
      expect(stdout).toBe(`${sight}\n`);
      expect(await listener.connections()).toMatchObject([{ from: lab.client.v4 }]);
      await listener.stop();
    });
  }

  it('lets a test change its rules and routes', async () => {
    await routedLab.drop(6000);
    await observeAndCheck(routedLab, connect('blocked', [far.v4, 6000], ['none', 'never']));
    await routedLab.clearRules('server');
    await observeAndCheck(routedLab, connect('free', [far.v4, 6000], ['ECONNREFUSED', 'at once']));
    await routedLab.ip('router', 'route del 10.78.0.0/24');
    await observeAndCheck(
      routedLab,
      connect('without a route', [far.v4, 6000], ['ENETUNREACH', 'at once']),
    );
  });

  it('sets kernel parameters of a namespace', async () => {
    await lab.sysctl('client', 'net.ipv4.tcp_syn_retries', 2);
    const { stdout } = await lab.exec('client', ['cat', '/proc/sys/net/ipv4/tcp_syn_retries']);
    expect(stdout).toBe('2\n');
  });

  it('returns the output, the end and the duration of a command', async () => {
    const script = 'cat; echo "$word" >&2; sleep 0.1; exit 3';
    const result = await lab.exec('client', ['sh', '-c', script], {
      input: 'in',
      env: { word: 'err' },
    });
    expect(result).toMatchObject({
      stdout: 'in',
      stderr: 'err\n',
      exitCode: 3,
      signal: null,
      timedOut: false,
    });
    expect(result.elapsedMs).toBeGreaterThan(95);
  });

  it('kills a command and its children at the timeout', async () => {
    const result = await lab.exec('client', ['sh', '-c', 'sleep 60 & echo $!; wait'], {
      timeoutMs: 300,
    });
    expect(result).toMatchObject({ exitCode: null, signal: 'SIGKILL', timedOut: true });
    expect(existsSync(`/proc/${result.stdout.trim()}/exe`)).toBe(false);
  });

  it('reports why one of its own commands failed', async () => {
    await expect(lab.ip('client', 'route add nonsense')).rejects.toThrow('nonsense');
    await expect(lab.nft('client', 'nonsense')).rejects.toThrow('syntax error');
    await expect(lab.listen('server', { address: '192.0.2.1' })).rejects.toThrow('EADDRNOTAVAIL');
    await expect(lab.ip('router', 'route')).rejects.toThrow('no router');
  });

  it('leaves no namespace and no background process after close()', async () => {
    const other = await createLab();
    const { stdout: pid } = await other.exec('server', [
      'sh',
      '-c',
      'sleep 60 >/dev/null 2>&1 & echo $!',
    ]);
    await other.listen('server');
    await other.close();
    expect(existsSync(`/proc/${pid.trim()}/exe`)).toBe(false);
    for (const namespace of Object.values(other.namespaces)) {
      expect(existsSync(`/run/netns/${namespace}`) || existsSync(`/etc/netns/${namespace}`)).toBe(
        false,
      );
    }
  });

  it('removes the namespaces of a killed test run', async () => {
    const { stdout: pid } = await lab.exec('client', ['sh', '-c', 'echo $$']);
    const left = `portping-lab-${pid.trim()}-0-client`;
    await lab.exec('client', ['sh', '-c', `ip netns add ${left} && mkdir -p /etc/netns/${left}`]);
    expect(existsSync(`/etc/netns/${left}`)).toBe(true);
    await (await createLab()).close();
    expect(existsSync(`/run/netns/${left}`) || existsSync(`/etc/netns/${left}`)).toBe(false);
  });
});

describeLab(
  'The delay link of the network lab',
  () => {
    let lab: Lab;
    let link: DelayLink;

    beforeAll(async () => {
      lab = await openLab();
      link = await lab.delayLink({ rttMs: 20 });
      await Promise.all([
        lab.listen('server', { port: ports.open }),
        rejectAll(lab, ports.rejected, 'input'),
      ]);
      await observe(lab, overDelay);
      await saveFacts();
    });

    afterAll(closeLabs);

    itShows(overDelay);

    for (const family of ['v4', 'v6'] as const) {
      it(`makes connects take its round-trip time (IP${family})`, async () => {
        const cases = Array.from({ length: 12 }, () =>
          connect('', [link.server[family], ports.open], ['open', 'at once']),
        );
        await observe(lab, cases);
        const sorted = cases.map((one) => outcomes.get(one)?.elapsedMs ?? 0).sort((a, b) => a - b);
        expect(sorted[0]).toBeGreaterThan(19.9);
        expect(sorted[3]).toBeLessThan(60);
      });
    }

    it('can exist several times, each with its own addresses and delay', async () => {
      const addresses = { clientAddress: '192.0.2.1', serverAddress: '192.0.2.2' };
      const slow = await lab.delayLink({ rttMs: 150, ...addresses });
      const one = connect('', [slow.server.v4, ports.closed], ['ECONNREFUSED', 'at once']);
      await observeAndCheck(lab, one);
      expect(outcomes.get(one)?.elapsedMs).toBeGreaterThan(149);
      await slow.stop();
      await observeAndCheck(
        lab,
        connect('', [slow.server.v4, ports.closed], ['ENETUNREACH', 'at once'], { local }),
      );
    });
  },
  'delayLink',
);

/** Writes all outcomes to the file PORTPING_LAB_FACTS, to compare machines and Node versions. */
async function saveFacts(): Promise<void> {
  const file = process.env['PORTPING_LAB_FACTS'];
  const facts = [...outcomes].map(([{ kind, situation }, outcome]) => ({
    kind,
    situation,
    ...outcome,
  }));
  if (file) await writeFile(file, JSON.stringify(facts, null, 1));
}
