import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFAULT_TIMEOUT_MS } from '../../src/core/limits.js';
import { createLab, describeLab, type ExecResult, type Lab } from '../support/lab.js';
import { portpingCommand } from '../support/portping.js';

/** What one run of the command must show. */
interface Expected {
  /** Number between the angle brackets of the verdict line; null for the success line. */
  code: number | null;
  exitCode: number;
  reason: string | null;
  /** Wall time of the process in ms. `atMostMs` is below the default timeout unless given. */
  atLeastMs?: number;
  atMostMs?: number;
  /** What the explanation says. */
  says?: RegExp;
}

let lab: Lab;
const run = (args: string[], wrapper: string[] = []): Promise<ExecResult> =>
  lab.exec('client', [...wrapper, ...portpingCommand, ...args]);

/** Runs the command in text and in JSON at once. Checks line, code, reason, exit code and time. */
async function check(
  args: string[],
  port: number,
  expected: Expected,
  wrapper: string[] = [],
): Promise<Record<string, any>> {
  const [text, json] = await Promise.all([
    run(args, wrapper),
    run(['-o', 'json', ...args], wrapper),
  ]);
  if (expected.code === null) {
    expect(text.stdout).toMatch(
      new RegExp(`^Success! Pinged port ${port} in [\\d.]+ milliseconds\\.\\n$`),
    );
  } else {
    expect(text.stdout).toBe(`Error Detected: Connection refused <${expected.code}> returned.\n`);
    const state = JSON.parse(json.stdout).state as string;
    expect(text.stderr).toMatch(new RegExp(`^${state}, [a-z ]+: ${expected.code} WSA`, 'i'));
  }
  if (expected.says) expect(text.stderr).toMatch(expected.says);
  expect(text.stderr).not.toMatch(/\n\s+at /);
  const object = JSON.parse(json.stdout) as Record<string, any>;
  expect(object).toMatchObject({
    schema: 'portping/1',
    reason: expected.reason,
    exitCode: expected.exitCode,
  });
  expect([text.exitCode, json.exitCode]).toEqual([expected.exitCode, expected.exitCode]);
  for (const { elapsedMs } of [text, json]) {
    expect(elapsedMs, json.stdout).toBeGreaterThanOrEqual(expected.atLeastMs ?? 0);
    expect(elapsedMs, json.stdout).toBeLessThanOrEqual(
      expected.atMostMs ?? DEFAULT_TIMEOUT_MS * 0.9,
    );
  }
  return object;
}

describeLab('portping in a network of its own', () => {
  let rstPort = 0;
  let openPort = 0;

  beforeAll(async () => {
    lab = await createLab({ router: true });
    const [open, reset] = await Promise.all([
      lab.listen('server'),
      lab.listen('server', { onConnection: 'reset' }),
      lab.listen('server', { port: 99 }),
    ]);
    openPort = open.port;
    rstPort = reset.port;
    await lab.drop(81);
    await lab.reject(82, 'tcp-reset');
    await lab.reject(83, 'port-unreachable');
    await lab.reject(84, 'host-unreachable');
    await lab.reject(85, 'admin-prohibited');
    await lab.reject(86, 'net-unreachable');
    await lab.reject(87, 'proto-unreachable');
    await lab.ip('client', 'route add prohibit 10.90.0.0/24');
    await lab.ip('client', 'route add blackhole 10.91.0.0/24');
    await lab.ip('client', 'route add unreachable 10.92.0.0/24');
    await lab.ip('client', 'route add throw 10.93.0.0/24');
    // Two more addresses of the server: one drops everything for this port, one refuses.
    await lab.ip('server', 'addr add 10.78.0.11/24 dev eth0');
    await lab.ip('server', 'addr add 10.78.0.12/24 dev eth0');
    await lab.nft(
      'server',
      `add rule inet lab input ip daddr 10.78.0.11 tcp dport ${openPort} drop\n` +
        `add rule inet lab input ip daddr 10.78.0.12 tcp dport ${openPort} reject with tcp reset`,
    );
    await lab.dns('client', {
      address: '127.0.0.1',
      zone: {
        'open.test': { A: [lab.server.v4] },
        'dual.test': { A: [lab.server.v4], AAAA: [lab.server.v6] },
        'six.test': { AAAA: [lab.server.v6] },
        'dropping-first.test': { A: ['10.78.0.11', lab.server.v4] },
        'refusing-first.test': { A: ['10.78.0.12', lab.server.v4] },
        'nodata.test': 'NODATA',
        'alias.test': { CNAME: 'late.test' },
        'late.test': { A: [lab.server.v4], delayMs: { A: 200 } },
        'bare-alias.test': { CNAME: 'nodata.test' },
        'servfail.test': 'SERVFAIL',
        'refused.test': 'REFUSED',
        'formerr.test': 'FORMERR',
        'half.test': { A: 'NODATA', AAAA: 'SERVFAIL' },
        'silent.test': 'silent',
        'slow.test': { A: [lab.server.v4], delayMs: 600 },
        'xn--mnchen-3ya.test': { A: [lab.server.v4] },
      },
    });
  });
  afterAll(() => lab?.close());

  it('reports an open port, and sends only the handshake', async () => {
    const listener = await lab.listen('server');
    await check([lab.server.v4, String(listener.port)], listener.port, {
      code: null,
      exitCode: 0,
      reason: null,
    });
    expect((await listener.connections()).map(({ end }) => end)).toEqual(['fin', 'fin']);
    await listener.stop();
  });

  it('reports an open IPv6 port', async () => {
    await check([`[${lab.server.v6}]:${openPort}`], openPort, {
      code: null,
      exitCode: 0,
      reason: null,
    });
  });

  it('calls a port that drops packets filtered after the timeout', async () => {
    await check(['-w', '1s', lab.server.v4, '81'], 81, {
      code: 10060,
      exitCode: 2,
      reason: 'no-response',
      atLeastMs: 950,
      atMostMs: 2000,
      says: /look the same from here/,
    });
  });

  it('calls a reset closed', async () => {
    await check([lab.server.v4, '82'], 82, { code: 10061, exitCode: 1, reason: 'conn-refused' });
  });

  it('calls an ICMP port-unreachable closed', async () => {
    await check([lab.server.v4, '83'], 83, { code: 10061, exitCode: 1, reason: 'conn-refused' });
  });

  it('calls host-unreachable and admin-prohibited filtered, and names both causes', async () => {
    const expected = {
      code: 10065,
      exitCode: 2,
      reason: 'host-unreach',
      says: /firewall rejects[^]*router does not find[^]*routing loop/,
    };
    await Promise.all([
      check([lab.server.v4, '84'], 84, expected),
      check([lab.server.v4, '85'], 85, expected),
    ]);
  });

  it('calls net-unreachable filtered if a router sent it, and failed if it is local', async () => {
    await Promise.all([
      check([lab.server.v4, '86'], 86, { code: 10051, exitCode: 2, reason: 'net-unreach' }),
      check(['10.93.0.1', '80'], 80, {
        code: 10051,
        exitCode: 4,
        reason: 'no-route',
        says: /this machine has no usable route/,
      }),
    ]);
  });

  it('calls an ICMP protocol-unreachable filtered', async () => {
    await check([lab.server.v4, '87'], 87, { code: 10042, exitCode: 2, reason: 'proto-unreach' });
  });

  it('calls an ICMPv6 prohibition filtered, not failed', async () => {
    await check([lab.server.v6, '85'], 85, {
      code: 10013,
      exitCode: 2,
      reason: 'admin-prohibited',
    });
  });

  it('names an absent host after the time an unanswered ARP request takes', async () => {
    await check(['10.77.0.77', '80'], 80, {
      code: 10065,
      exitCode: 2,
      reason: 'host-unreach',
      atLeastMs: 2800,
      atMostMs: 6000,
      says: /No host with this address is up in its network, a router on the way is down, or a router/,
    });
  });

  it('calls an absent host filtered when the timeout is shorter than ARP', async () => {
    await check(['-w', '1', '10.77.0.78', '80'], 80, {
      code: 10060,
      exitCode: 2,
      reason: 'no-response',
      atLeastMs: 950,
      atMostMs: 2000,
    });
  });

  it('reports local routes and rules that block, and a bad source, as failed', async () => {
    await Promise.all([
      check(['10.90.0.1', '80'], 80, {
        code: 10013,
        exitCode: 4,
        reason: 'not-permitted',
        says: /this machine does not permit/,
      }),
      check(['10.91.0.1', '80'], 80, { code: 10022, exitCode: 4, reason: 'no-route' }),
      check(['10.92.0.1', '80'], 80, { code: 10065, exitCode: 4, reason: 'no-route' }),
      check(['--source', '10.77.0.99', lab.server.v4, '80'], 80, {
        code: 10049,
        exitCode: 4,
        reason: 'bad-source',
      }),
      check(['--source', '127.0.0.1', lab.server.v4, '80'], 80, {
        code: 10022,
        exitCode: 4,
        reason: 'bad-source',
      }),
    ]);
  });

  it('probes from the given source address', async () => {
    await lab.ip('client', 'addr add 10.77.0.33/24 dev eth0');
    const { attempts } = await check(
      ['--source', '10.77.0.33', lab.server.v4, String(openPort)],
      openPort,
      { code: null, exitCode: 0, reason: null },
    );
    expect(attempts[0].local.address).toBe('10.77.0.33');
  });

  it('reports a failure, not a port state, when no file descriptor is left', async () => {
    // Node needs about 20 descriptors. Search for the limit at which only the probe gets none.
    const limits = Array.from({ length: 14 }, (_, index) => 12 + index);
    const runs = await Promise.all(
      limits.map((limit) =>
        run([lab.server.v4, String(openPort)], ['sh', '-c', `ulimit -n ${limit}; exec "$@"`, 'sh']),
      ),
    );
    const short = runs.findIndex(({ exitCode }) => exitCode === 4);
    expect(short).toBeGreaterThanOrEqual(0);
    const wrapper = ['sh', '-c', `ulimit -n ${limits[short]}; exec "$@"`, 'sh'];
    const { stdout, stderr } = await run([lab.server.v4, String(openPort)], wrapper);
    expect(stdout).toBe('Error Detected: Connection refused <10024> returned.\n');
    expect(stderr).toMatch(/no file descriptor was left/);
    // Options and names need further files of the program.
    for (const args of [['-4', lab.server.v4], ['-o', 'json', lab.server.v4], ['open.test']]) {
      const result = await run([...args, String(openPort)], wrapper);
      expect(result).toMatchObject({ stdout: '', exitCode: 4 });
      expect(result.stderr).toMatch(/^portping: .*too many open files.*; raise the limit/);
    }
  });

  it('reports 11001 for a name that does not exist', async () => {
    await check(['missing.test', '25'], 25, {
      code: 11001,
      exitCode: 3,
      reason: 'name-not-found',
      says: /there is no name missing\.test[^]*Try the IP address/,
    });
  });

  it('connects to an alias without an IPv6 address whose IPv4 address comes late', async () => {
    await check(['--dns', '127.0.0.1', 'alias.test', String(openPort)], openPort, {
      code: null,
      exitCode: 0,
      reason: null,
    });
  });

  it('reports 11004 for a name without an address of the requested family', async () => {
    await Promise.all([
      check(['--dns', '127.0.0.1', 'bare-alias.test', '25'], 25, {
        code: 11004,
        exitCode: 3,
        reason: 'name-no-address',
      }),
      check(['--dns', '127.0.0.1', '-6', 'alias.test', '25'], 25, {
        code: 11004,
        exitCode: 3,
        reason: 'name-no-address',
        says: /no IPv6 address/,
      }),
      check(['nodata.test', '25'], 25, { code: 11004, exitCode: 3, reason: 'name-no-address' }),
      check(['-4', 'six.test', '25'], 25, {
        code: 11004,
        exitCode: 3,
        reason: 'name-no-address',
        says: /no IPv4 address/,
      }),
    ]);
  });

  it('distinguishes SERVFAIL, REFUSED and FORMERR if the system says "not found"', async () => {
    await Promise.all([
      check(['servfail.test', '25'], 25, {
        code: 11002,
        exitCode: 3,
        reason: 'resolver-failed',
        says: /SERVFAIL/,
      }),
      check(['refused.test', '25'], 25, {
        code: 11003,
        exitCode: 3,
        reason: 'resolver-failed',
        says: /REFUSED/,
      }),
      check(['formerr.test', '25'], 25, {
        code: 11003,
        exitCode: 3,
        reason: 'resolver-failed',
        says: /FORMERR/,
      }),
      check(['half.test', '25'], 25, {
        code: 11002,
        exitCode: 3,
        reason: 'resolver-failed',
        says: /SERVFAIL/,
      }),
    ]);
  });

  it('exits at the timeout when the resolver is silent', async () => {
    await check(['-w', '800ms', 'silent.test', '25'], 25, {
      code: 11002,
      exitCode: 3,
      reason: 'resolver-timeout',
      atLeastMs: 780,
      atMostMs: 1800,
    });
  });

  it('asks the given DNS server, and distinguishes its answers in the same way', async () => {
    const [open, missing] = await Promise.all([
      run(['--dns', '127.0.0.1', 'dual.test', String(openPort)]),
      run(['--dns', '127.0.0.1:53', 'missing.test', '25']),
    ]);
    expect(open).toMatchObject({ exitCode: 0, stderr: '' });
    expect(missing.stderr).toMatch(
      /^unresolved, no such name: 11001 .*the DNS server 127\.0\.0\.1:53 answered/,
    );
    expect(missing.exitCode).toBe(3);
    await check(['-w', '500ms', '--dns', '10.78.0.2', 'open.test', '25'], 25, {
      code: 11002,
      exitCode: 3,
      reason: 'resolver-failed',
    });
    await lab.nft('server', 'add rule inet lab input udp dport 53 drop');
    await check(['-w', '500ms', '--dns', '10.78.0.2', 'open.test', '25'], 25, {
      code: 11002,
      exitCode: 3,
      reason: 'resolver-timeout',
      atMostMs: 1800,
    });
  });

  it('resolves internationalised names', async () => {
    await check(['münchen.test', String(openPort)], openPort, {
      code: null,
      exitCode: 0,
      reason: null,
    });
  });

  it('tries the second address after 0.25 s when the first drops packets', async () => {
    const object = await check(['dropping-first.test', String(openPort)], openPort, {
      code: null,
      exitCode: 0,
      reason: null,
      atLeastMs: 270,
      atMostMs: 2000,
    });
    expect(object['attempts']).toMatchObject([
      { address: '10.78.0.11', state: 'cancelled' },
      { address: lab.server.v4, state: 'open' },
    ]);
    expect(object['latencyMs']).toBeLessThan(100);
  });

  it('tries the second address at once if the first refuses, and reports this', async () => {
    const object = await check(['refusing-first.test', String(openPort)], openPort, {
      code: null,
      exitCode: 0,
      reason: null,
      says: /^10\.78\.0\.12:\d+: closed, conn-refused <10061> .*opened\.\n$/,
    });
    expect(object['attempts']).toMatchObject([
      { state: 'closed', error: { code: 'ECONNREFUSED', winsock: 10061, syscall: 'connect' } },
      { state: 'open' },
    ]);
  });

  it('gives each address a verdict with --all, and exits with the highest code', async () => {
    const { stdout, exitCode } = await run(['--all', 'refusing-first.test', String(openPort)]);
    expect(stdout).toMatch(
      new RegExp(
        `^refusing-first\\.test:${openPort} \\(10\\.78\\.0\\.12\\)  ` +
          'Error Detected: Connection refused <10061> returned\\.\\n' +
          `refusing-first\\.test:${openPort} \\(10\\.78\\.0\\.2\\)  ` +
          `Success! Pinged port ${openPort} in [\\d.]+ milliseconds\\.\\n$`,
      ),
    );
    expect(exitCode).toBe(1);
  });

  it('reports with -v that an accepted connection was reset at once', async () => {
    const { stdout, stderr, exitCode } = await run(['-v', lab.server.v4, String(rstPort)]);
    expect(stdout).toMatch(/^Success!/);
    expect(stderr).toMatch(/The other side reset the connection [\d.]+ ms later/);
    expect(exitCode).toBe(0);
  });

  it('measures the time of resolving and of connecting separately', async () => {
    const { resolution, latencyMs } = JSON.parse(
      (await run(['-o', 'json', 'slow.test', String(openPort)])).stdout,
    );
    expect(resolution.elapsedMs).toBeGreaterThan(590);
    expect(latencyMs).toBeLessThan(100);
  });

  it.each<[what: string, withSource: boolean, winsock: number, says: RegExp]>([
    ['no source address', false, 10049, /no free source port[^]*ephemeral ports\.\n$/],
    [
      'a source address',
      true,
      10048,
      /no free source port[^]*With --source each connection needs a port of its own/,
    ],
  ])(
    'reports a failure, not a port state, if %s is given and source ports are used up',
    async (_, withSource, winsock, says) => {
      const second = await createLab();
      try {
        const { port } = await second.listen('server');
        await second.sysctl('client', 'net.ipv4.ip_local_port_range', '40000 40003');
        const source = withSource ? { localAddress: second.client.v4 } : {};
        const target = JSON.stringify({ host: second.server.v4, port, ...source });
        const args = [
          ...(withSource ? ['--source', second.client.v4] : []),
          second.server.v4,
          String(port),
        ];
        const holders = await second.exec('client', [
          portpingCommand[0] ?? 'node',
          '-e',
          `
        const net = require('net');
        let held = 0;
        (function next() {
          const socket = net.connect(${target});
          socket.on('connect', () => { held += 1; next(); });
          socket.on('error', () => {
            const { spawnSync } = require('child_process');
            const [, command, ...args] = process.argv;
            const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8' });
            process.stdout.write(JSON.stringify({ held, stdout, stderr, status }));
            process.exit();
          });
        })();`,
          ...portpingCommand,
          ...args,
        ]);
        const { held, stdout, stderr, status } = JSON.parse(holders.stdout);
        expect(held).toBeGreaterThan(0);
        expect(stdout).toBe(`Error Detected: Connection refused <${winsock}> returned.\n`);
        expect(stderr).toMatch(says);
        expect(status).toBe(4);
      } finally {
        await second.close();
      }
    },
  );

  it('works without any network', async () => {
    const bare = await createLab();
    try {
      await bare.ip('client', 'link set eth0 down');
      const result = await bare.exec('client', [...portpingCommand, '192.0.2.1', '80']);
      expect(result.stdout).toBe('Error Detected: Connection refused <10051> returned.\n');
      expect(result.exitCode).toBe(4);
      const name = await bare.exec('client', [...portpingCommand, 'example.com', '80']);
      expect(name.stdout).toBe('Error Detected: Connection refused <11002> returned.\n');
      expect(name.exitCode).toBe(3);
    } finally {
      await bare.close();
    }
  });
});
