import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createLab, describeLab, type ExecResult, type Lab } from '../support/lab.js';
import { portpingCommand } from '../support/portping.js';

/** What one diagnosis must conclude. */
interface Expected {
  kind: string;
  certainty?: 'certain' | 'probable';
  exitCode: number;
  /** The statement of the verdict. */
  says: RegExp;
}

const OPEN = 7000;
const DROPPED = 7001;
const CLOSED = 7002;

let lab: Lab;
const run = (args: string[]): Promise<ExecResult> =>
  lab.exec('client', [...portpingCommand, ...args]);

/** Runs a diagnosis in JSON, then in text, and checks verdict, statement and exit code. */
async function check(args: string[], expected: Expected): Promise<Record<string, any>> {
  const json = await run(['--diagnose', '-o', 'json', ...args]);
  const object = JSON.parse(json.stdout) as Record<string, any>;
  expect(object).toMatchObject({
    schema: 'portping/1',
    type: 'diagnosis',
    exitCode: expected.exitCode,
  });
  expect({ kind: object['verdict'].kind, statement: object['verdict'].statement }).toEqual({
    kind: expected.kind,
    statement: expect.stringMatching(expected.says),
  });
  if (expected.certainty) expect(object['verdict'].certainty).toBe(expected.certainty);
  expect(json.exitCode).toBe(expected.exitCode);
  expect(json.stderr).toBe('');
  const text = await run(['--diagnose', ...args]);
  expect(text.stdout).toMatch(expected.says);
  expect(text.stdout).toMatch(/\nEvidence: .+\nHow sure: .+\nNext: .+\n/);
  expect(text.exitCode).toBe(expected.exitCode);
  return object;
}

describeLab('portping --diagnose in a network of its own', () => {
  const dead = '10.78.0.99'; // the server drops all packets to it
  let good = '';

  beforeAll(async () => {
    lab = await createLab({ router: true });
    good = lab.server.v4;
    await Promise.all([
      lab.listen('server', { port: OPEN }),
      lab.listen('server', { port: 443 }),
      lab.listen('server', { port: 7003, onConnection: 'reset' }),
      lab.listen('server', { port: 7004, onConnection: 'close' }),
      lab.listen('client', { port: 7005, address: '127.0.0.1' }),
      lab.listen('server', { port: 7006, address: '0.0.0.0' }),
    ]);
    await lab.drop(DROPPED);
    await lab.nft(
      'router',
      `add table inet lab
      add chain inet lab forward { type filter hook forward priority 0; }
      add rule inet lab forward ip daddr ${dead} drop
      add rule inet lab forward ip6 daddr fd78::99 drop`,
    );
    const zone = {
      'good.test': { A: [good] },
      'dead.test': { A: [dead] },
      'half.test': { A: [good], AAAA: ['fd78::99'] },
      'dual.test': { A: [good], AAAA: [lab.server.v6] },
      'override.test': { A: [good] },
      'db.corp.test': { A: [good] },
      'silent.test': 'silent',
      'servfail.test': 'SERVFAIL',
      'refused.test': 'REFUSED',
      'nodata.test': 'NODATA',
      'dangling.test': { CNAME: 'missing.test' },
      'bare-alias.test': { CNAME: 'nodata.test' },
    } as const;
    await Promise.all([
      lab.dns('client', {
        address: '127.0.0.1',
        zone: { ...zone, 'disagree.test': 'NXDOMAIN', 'moved.test': { A: [dead] } } as any,
      }),
      lab.dns('client', {
        address: '127.0.0.2',
        zone: { ...zone, 'disagree.test': { A: [good] }, 'moved.test': { A: [good] } } as any,
      }),
    ]);
    await lab.ip('client', 'route add throw 10.93.0.0/24');
  });
  afterAll(() => lab?.close());

  it('blames name resolution if the name does not exist and the port is open at --ip', async () => {
    const { verdict } = await check(['--ip', good, 'missing.test', String(OPEN)], {
      kind: 'name-not-found',
      certainty: 'certain',
      exitCode: 3,
      says: /^Name resolution is at fault, not the service, which is open at 10\.78\.0\.2:7000: DNS server 127\.0\.0\.1 says that missing\.test, or the name it is an alias for, does not exist \(NXDOMAIN\)\.$/m,
    });
    expect(verdict.evidence).toEqual([
      { fact: expect.stringMatching(/127\.0\.0\.1: no such name/), elapsedMs: expect.any(Number) },
      { fact: '10.78.0.2:7000 opened', elapsedMs: expect.any(Number) },
    ]);
  });

  it.each([
    [
      'servfail.test',
      'dns-servfail',
      /DNS server 127\.0\.0\.1 failed to resolve servfail\.test \(SERVFAIL\)/,
    ],
    [
      'refused.test',
      'dns-refused',
      /DNS server 127\.0\.0\.1 refuses to answer for refused\.test \(REFUSED\)/,
    ],
    ['silent.test', 'dns-silent', /DNS server 127\.0\.0\.1 did not answer within 1 s/],
    [
      'dangling.test',
      'name-not-found',
      /DNS server 127\.0\.0\.1 says that dangling\.test is an alias \(CNAME\) for missing\.test, which does not exist/,
    ],
    [
      'bare-alias.test',
      'name-no-address',
      /DNS server 127\.0\.0\.1 says that bare-alias\.test is an alias \(CNAME\) for nodata\.test, which has no address/,
    ],
    [
      'nodata.test',
      'name-no-address',
      /DNS server 127\.0\.0\.1 says that nodata\.test exists but has no address/,
    ],
  ])('names the DNS server and its answer about %s', async (name, kind, says) => {
    await check(['-w', '1s', name, '25'], { kind, certainty: 'certain', exitCode: 3, says });
  });

  it('names a DNS server whose port refuses', async () => {
    onTestFinished(() => lab.setResolver('client', {}));
    await lab.setResolver('client', { nameservers: ['127.0.0.9'] });
    await check(['-w', '1s', 'good.test', '25'], {
      kind: 'dns-unreachable',
      exitCode: 3,
      says: /the port of DNS server 127\.0\.0\.9 is unreachable/,
    });
  });

  it('reports DNS servers that disagree about the existence or the address of a name', async () => {
    onTestFinished(() => lab.setResolver('client', {}));
    await lab.setResolver('client', { nameservers: ['127.0.0.1', '127.0.0.2'] });
    await check(['disagree.test', String(OPEN)], {
      kind: 'dns-servers-disagree',
      certainty: 'certain',
      exitCode: 3,
      says: /disagree about disagree\.test: 127\.0\.0\.1 has no address and 127\.0\.0\.2 has 10\.78\.0\.2\. The port is open at 10\.78\.0\.2\./,
    });
    await check(['-w', '500ms', 'moved.test', String(OPEN)], {
      kind: 'dns-servers-disagree',
      certainty: 'certain',
      exitCode: 2,
      says: /127\.0\.0\.1 has 10\.78\.0\.99 and 127\.0\.0\.2 has 10\.78\.0\.2\. The port is open at 10\.78\.0\.2\./,
    });
  });

  it('reports a hosts file entry that overrides a DNS record that works', async () => {
    onTestFinished(() => lab.setResolver('client', {}));
    await lab.setResolver('client', { hosts: `${dead} override.test` });
    await check(['-w', '500ms', 'override.test', String(OPEN)], {
      kind: 'hosts-file-override',
      certainty: 'certain',
      exitCode: 2,
      says: /^The hosts file of this machine overrides DNS for override\.test: it has 10\.78\.0\.99, but DNS has 10\.78\.0\.2, where the port is open\.$/m,
    });
  });

  it('reports a name that exists only with a search domain', async () => {
    onTestFinished(() => lab.setResolver('client', {}));
    await lab.setResolver('client', { search: ['corp.test'] });
    const { findings } = await check(['db', String(OPEN)], {
      kind: 'open',
      exitCode: 0,
      says: /10\.78\.0\.2:7000 is open/,
    });
    expect(findings).toContainEqual(
      expect.objectContaining({
        kind: 'known-by-search-domain',
        statement: expect.stringMatching(/db exists only as db\.corp\.test/),
      }),
    );
  });

  it('reports a name that DNS has, but the system does not find', async () => {
    onTestFinished(() => lab.setResolver('client', {}));
    await lab.setResolver('client', { nsswitch: 'files' });
    await check(['good.test', String(OPEN)], {
      kind: 'only-in-dns',
      exitCode: 3,
      says: /DNS has an address for good\.test, but the system's resolver/,
    });
  });

  it('reports a stale record if its address is dead and that of --ip works', async () => {
    await check(['-w', '500ms', '--ip', good, 'dead.test', String(OPEN)], {
      kind: 'stale-record',
      certainty: 'probable',
      exitCode: 2,
      says: /dead\.test is probably stale or wrong, or the way there or its host is at fault: 10\.78\.0\.99 did not answer, but 10\.78\.0\.2 opened\./,
    });
  });

  it('reports broken IPv6 if the port is open over IPv4', async () => {
    await check(['-w', '1s', 'half.test', String(OPEN)], {
      kind: 'family-broken',
      certainty: 'probable',
      exitCode: 0,
      says: /^IPv6 to half\.test is broken, or a firewall stops this port over IPv6: the port is open over IPv4\. Both look the same from here\.$/m,
    });
  });

  it('reports a service that listens on IPv4 only', async () => {
    await check(['dual.test', '7006'], {
      kind: 'one-family-only',
      certainty: 'probable',
      exitCode: 0,
      says: /^The service listens on IPv4 only, or a firewall rejects the port over IPv6: fd78::2 refused\./m,
    });
  });

  it('reports a service that listens only on 127.0.0.1', async () => {
    await check(['localhost', '7005'], {
      kind: 'localhost-family',
      certainty: 'certain',
      exitCode: 0,
      says: /^The service listens only on 127\.0\.0\.1, but localhost also means ::1/m,
    });
    await check([lab.client.v4, '7005'], {
      kind: 'bound-to-loopback',
      certainty: 'certain',
      exitCode: 1,
      says: /listens on 127\.0\.0\.1, but not on 10\.77\.0\.1, which refused/,
    });
  });

  it.each([
    ['reject with tcp reset', 'one-family-only', /or a firewall rejects the port over IPv6/],
    ['drop', 'family-broken', /or a firewall stops this port over IPv6/],
  ])('does not blame a service for a firewall before ::1 (%s)', async (action, kind, says) => {
    const listener = await lab.listen('client');
    onTestFinished(async () => {
      await lab.clearRules('client');
      await listener.stop();
    });
    await lab.nft(
      'client',
      `add table inet lab; add chain inet lab own { type filter hook input priority 0; };
       add rule inet lab own ip6 daddr ::1 tcp dport ${listener.port} ${action}`,
    );
    await check(['-w', '1s', 'localhost', String(listener.port)], { kind, exitCode: 0, says });
  });

  it('reports a filtered port if another port of the host answers', async () => {
    await check(['-w', '1s', good, String(DROPPED)], {
      kind: 'port-filtered',
      certainty: 'probable',
      exitCode: 2,
      says: /^The host is up, but port 7001 is probably filtered: 10\.78\.0\.2 answers on other ports \(443 opened, 80 refused/m,
    });
  });

  it('does not say that everything is dropped if other ports are rejected', async () => {
    onTestFinished(async () => {
      await lab.clearRules('server');
      await lab.drop(DROPPED);
    });
    await lab.nft(
      'server',
      'add rule inet lab input meta l4proto tcp reject with icmpx type admin-prohibited',
    );
    await check(['-w', '700ms', good, String(DROPPED)], {
      kind: 'others-rejected',
      certainty: 'probable',
      exitCode: 2,
      says: /^Port 7001 of 10\.78\.0\.2 does not answer, but other ports were rejected \(443 was/m,
    });
  });

  it('names both causes if no port of the host answers', async () => {
    await check(['-w', '700ms', dead, String(OPEN)], {
      kind: 'nothing-answers',
      certainty: 'probable',
      exitCode: 2,
      says: /10\.78\.0\.99 answers neither on port 7000 nor on 443, 80, 22, 445, 3389 and 25: the host is down or answers too late, a firewall drops everything, or/,
    });
    await check(['-w', '700ms', '--no-companions', dead, String(OPEN)], {
      kind: 'nothing-answers',
      exitCode: 2,
      says: /no other port was tried: the host is down or answers too late, a firewall drops everything, or/,
    });
  });

  it('reports an absent host, in this network or behind a router', async () => {
    await Promise.all(
      ['10.77.0.88', '10.78.0.88'].map((address) =>
        check([address, String(OPEN)], {
          kind: 'host-absent',
          certainty: 'probable',
          exitCode: 2,
          says: new RegExp(`^Probably no host is at ${address.replaceAll('.', '\\.')}`, 'm'),
        }),
      ),
    );
  });

  it('reports that this machine has no route', async () => {
    await check(['10.93.0.1', '80'], {
      kind: 'no-route',
      certainty: 'certain',
      exitCode: 4,
      says: /^This machine is at fault: it has no usable route to 10\.93\.0\.1\.$/m,
    });
  });

  it('names both causes of a refusal', async () => {
    const { observations } = await check([good, String(CLOSED)], {
      kind: 'refused',
      exitCode: 1,
      says: /10\.78\.0\.2:7002 refused the connection: nothing listens on that port, or a firewall rejects it/,
    });
    expect(observations.refusalTiming).toMatchObject({ openPort: 443 });
  });

  it('reports a firewall on the way if the refusal comes from nearer than the host', async () => {
    // Answers of the server take a link that delays them; those of the router do not.
    const link = await lab.delayLink({ rttMs: 40 });
    for (const each of ['all', link.device])
      await lab.sysctl('client', `net.ipv4.conf.${each}.rp_filter`, 0);
    await lab.ip('server', `route add ${lab.client.v4}/32 dev ${link.device}`);
    await lab.reject(7007, 'tcp-reset', 'forward');
    const { observations, findings } = await check([good, '7007'], {
      kind: 'refused-on-the-way',
      certainty: 'probable',
      exitCode: 1,
      says: /^A firewall on the way probably refuses port 7007/m,
    });
    expect(observations.refusalTiming.openMs).toBeGreaterThan(19);
    expect(findings.map(({ kind }: { kind: string }) => kind)).not.toContain('refused');
    await lab.ip('server', `route del ${lab.client.v4}/32 dev ${link.device}`);
    await link.stop();
  });

  it.each([
    ['v4', 'port-unreachable', 1],
    ['v4', 'tcp-reset', 1],
    ['v4', 'admin-prohibited', 2],
    ['v6', 'tcp-reset', 1],
    ['v6', 'admin-prohibited', 2],
  ] as const)(
    'reports that the firewall of this machine rejects (%s, %s)',
    async (family, kind, exitCode) => {
      onTestFinished(() => lab.clearRules('client'));
      await lab.reject(7010, kind, 'output');
      // It says "probably" if other packets, such as neighbour discovery, left in every try.
      await check(['-w', '2s', lab.server[family], '7010'], {
        kind: 'local-firewall',
        exitCode,
        says: /^A firewall on this machine (probably )?rejects connections to .*\. Nothing was learned about the other side\.$/m,
      });
    },
  );

  it('reports that the firewall of this machine probably drops', async () => {
    onTestFinished(() => lab.clearRules('client'));
    await lab.drop(7010, 'output');
    await check(['-w', '1500ms', good, '7010'], {
      kind: 'local-firewall',
      certainty: 'probable',
      exitCode: 2,
      says: /A firewall on this machine probably drops/,
    });
  });

  it.each(['port-unreachable', 'tcp-reset', 'admin-prohibited'] as const)(
    'does not blame this machine for a remote firewall that rejects (%s)',
    async (kind) => {
      await lab.reject(7011, kind);
      const { findings } = JSON.parse(
        (await run(['--diagnose', '-o', 'json', good, '7011'])).stdout,
      );
      expect(findings.map((each: { kind: string }) => each.kind)).not.toContain('local-firewall');
      if (kind === 'admin-prohibited')
        expect(findings[0]).toMatchObject({
          kind: 'port-rejected',
          statement: expect.stringMatching(
            /^The host is up, and a firewall probably rejects port 7011/,
          ),
        });
      await lab.clearRules('server');
      await lab.drop(DROPPED);
    },
  );

  it('reports a connection that is dropped at once', async () => {
    await check([good, '7003'], {
      kind: 'dropped-at-once',
      certainty: 'probable',
      exitCode: 0,
      says: /^The port is open, but the other side reset the connection at once/m,
    });
    await check([good, '7004'], {
      kind: 'dropped-at-once',
      exitCode: 0,
      says: /^The port is open, but the other side closed the connection at once/m,
    });
  });

  it.each(['Sat Nov 28 16:00:00 2026\r\n', '554 no service\r\n'])(
    'does not deny a service that says %j and closes',
    async (banner) => {
      const { port } = await lab.listen('server', { onConnection: 'banner-close', banner });
      const { findings } = await check([good, String(port)], {
        kind: 'open',
        certainty: 'certain',
        exitCode: 0,
        says: /is open\. Only the handshake was tried\.$/m,
      });
      expect(findings.map(({ kind }: { kind: string }) => kind)).toEqual([
        'open',
        'closed-after-data',
      ]);
      const plain = await run(['-v', good, String(port)]);
      expect(plain.stdout + plain.stderr).toMatch(
        new RegExp(`later, after ${banner.length} bytes\\. Read what it says`),
      );
    },
  );

  it('reports a network in which every address answers', async () => {
    await lab.nft(
      'router',
      `add table ip portal
      add chain ip portal prerouting { type nat hook prerouting priority -100; }
      add rule ip portal prerouting tcp dport ${OPEN} dnat to ${good}`,
    );
    await check(['10.79.0.1', String(OPEN)], {
      kind: 'answered-by-somebody-else',
      certainty: 'probable',
      exitCode: 0,
      says: /probably answers everything/,
    });
    await lab.nft('router', 'delete table ip portal');
  });

  it('reports an open port', async () => {
    await check(['good.test', String(OPEN)], {
      kind: 'open',
      certainty: 'certain',
      exitCode: 0,
      says: /^10\.78\.0\.2:7000 is open\. Only the handshake was tried\.$/m,
    });
  });

  it('ends within three times the timeout, with a dead resolver and a silent host', async () => {
    onTestFinished(() => lab.setResolver('client', {}));
    await lab.setResolver('client', {
      nameservers: [dead, '10.78.0.98'],
      options: 'timeout:5 attempts:3',
    });
    for (const args of [
      ['--ip', dead, 'good.test', '81'],
      ['silent.test', '81'],
      [dead, '81'],
    ]) {
      const { elapsedMs, exitCode } = await run(['--diagnose', '-w', '1s', ...args]);
      expect(elapsedMs).toBeLessThan(4500);
      expect(exitCode).toBe(args.length === 2 && args[0] === dead ? 2 : 3);
    }
  });

  it('is recommended by a plain probe, which lists the answers of the DNS servers', async () => {
    const [missing, failing, silent] = await Promise.all([
      run(['missing.test', '25']),
      run(['servfail.test', '25']),
      run(['-w', '500ms', good, String(DROPPED)]),
    ]);
    expect(missing.stderr).toMatch(
      /the system's resolver \(DNS 127\.0\.0\.1: no such name\) answered after .* that there is no name missing\.test/,
    );
    expect(failing.stderr).toMatch(/\(DNS 127\.0\.0\.1: SERVFAIL\)/);
    expect(silent.stderr).toMatch(
      /look the same from here\. Run `portping --diagnose 10\.78\.0\.2 7001` to find out more\.\n$/,
    );
    onTestFinished(() => lab.setResolver('client', {}));
    await lab.setResolver('client', { nameservers: ['127.0.0.9', '127.0.0.1'] });
    expect((await run(['missing.test', '25'])).stderr).toMatch(
      /\(DNS 127\.0\.0\.9: port unreachable; 127\.0\.0\.1: no such name\)/,
    );
  });

  it('reports in Markdown only what a ticket needs about this machine', async () => {
    const { stdout, exitCode } = await lab.exec(
      'client',
      [...portpingCommand, '--report', '-w', '500ms', 'good.test', String(DROPPED)],
      { env: { ALL_PROXY: 'http://user:secret@proxy.example:3128' } },
    );
    expect(stdout).toMatch(
      /^### good\.test:7001: filtered\n\n\*\*The host is up, but port 7001 is probably filtered/,
    );
    expect(stdout).toMatch(/\| Time \| \d{4}-\d\d-\d\dT[\d:.]+Z \(time zone: /);
    expect(stdout).toMatch(
      /\| From \| \S+, source address 10\.77\.0\.1 \|\n\| Resolver \| 127\.0\.0\.1 \|/,
    );
    expect(stdout).toMatch(/\| Version \| portping \d/);
    expect(stdout).not.toMatch(/proxy|secret/i);
    expect(exitCode).toBe(2);
  });
});
