import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import {
  createLab,
  describeLab,
  type ExecResult,
  type Lab,
  type ResolverOptions,
} from '../support/lab.js';
import { portpingCommand } from '../support/portping.js';

/** Servers of the lab: all addresses are the server's. */
const DNS = '10.77.0.53';
const DEAD_DNS = '10.77.0.54';
const UDP_ONLY_DNS = '10.77.0.55';
const TCP_DROPPED_DNS = '10.77.0.56';

const OPEN = '7000';
const CLOSED = '7001';

/** What glibc does without options: two rounds, 5 s for each server. */
const GLIBC_DEFAULTS = 'timeout:5 attempts:2';

let lab: Lab;
const run = (...args: string[]): Promise<ExecResult> =>
  lab.exec('client', [...portpingCommand, ...args]);

/** Sets the client's resolver for one test. */
async function resolveWith(options: ResolverOptions): Promise<void> {
  onTestFinished(() => lab.setResolver('client', { nameservers: [DNS] }));
  await lab.setResolver('client', { nameservers: [DNS], ...options });
}

interface Finding {
  readonly kind: string;
  readonly certainty: string;
  readonly statement: string;
  readonly evidence: readonly { readonly fact: string }[];
}

/** The findings of a diagnosis: the verdict and the kinds of all. */
async function diagnose(...args: string[]): Promise<{ verdict: Finding; kinds: string[] }> {
  const { stdout } = await run('--diagnose', '-o', 'json', '-w', '1500ms', ...args);
  const { verdict, findings } = JSON.parse(stdout) as { verdict: Finding; findings: Finding[] };
  return { verdict, kinds: findings.map(({ kind }) => kind) };
}

/** Puts one rule into the client's firewall for what it sends, for one test. */
async function filterOutput(...rules: string[]): Promise<void> {
  onTestFinished(() => lab.clearRules('client'));
  const chain = 'add chain inet names output { type filter hook output priority 0; }';
  const lines = rules.map((rule) => `add rule inet names output ${rule}`);
  await lab.nft('client', ['add table inet names', chain, ...lines].join('\n'));
}

describeLab('names whose truth is known', () => {
  beforeAll(async () => {
    lab = await createLab();
    const { v4, v6 } = lab.server;
    for (const address of [DNS, DEAD_DNS, UDP_ONLY_DNS, TCP_DROPPED_DNS])
      await lab.ip('server', `addr add ${address}/24 dev eth0`);
    const zone = {
      'good.test': { A: [v4] },
      'both.test': { A: [v4], AAAA: [v6] },
      'alias.test': { CNAME: 'good.test' },
      'slow.test': { CNAME: 'slow-target.test' },
      'slow-target.test': { A: [v4], delayMs: { A: 300 } },
      'loop.test': { CNAME: 'back.test' },
      'back.test': { CNAME: 'loop.test' },
      'dangling.test': { CNAME: 'missing.test' },
      'empty.test': { CNAME: 'nodata.test' },
      'nodata.test': 'NODATA',
      'aaaa-drop.test': { A: [v4], AAAA: 'silent' },
      'a-drop.test': { A: 'silent', AAAA: [v6] },
      'a-drop-only.test': { A: 'silent' },
      'silent.test': 'silent',
      'failing-both.test': 'SERVFAIL',
      'failing.test': { A: [v4], AAAA: 'SERVFAIL' },
      'long.test': { A: [v4], truncated: true, delayMs: 100 },
      'blocked.test': { A: ['0.0.0.0'] },
      'blocked6.test': { A: ['0.0.0.0'], AAAA: ['::'] },
      'half-blocked.test': { A: ['0.0.0.0', v4] },
    } as const;
    const options = { zone: zone as never };
    await Promise.all([
      lab.dns('server', { ...options, address: DNS }),
      lab.dns('server', { ...options, address: UDP_ONLY_DNS, tcp: false }),
      lab.dns('server', { ...options, address: TCP_DROPPED_DNS }),
      lab.listen('server', { port: Number(OPEN) }),
      lab.listen('client', { port: 7100, address: '::' }),
    ]);
    await lab.nft(
      'server',
      `add table inet names
      add chain inet names input { type filter hook input priority 0; }
      add rule inet names input ip daddr ${DEAD_DNS} drop
      add rule inet names input ip daddr ${TCP_DROPPED_DNS} tcp dport 53 drop`,
    );
    await lab.setResolver('client', { nameservers: [DNS] });
  });
  afterAll(() => lab?.close());

  it.each([
    ['-6', 'alias.test', 'alias.test is an alias (CNAME) for good.test, which has no'],
    ['-4', 'loop.test', 'loop.test is an alias (CNAME) that leads back to itself'],
    ['-4', 'empty.test', 'empty.test is an alias (CNAME) for nodata.test, which has no'],
  ])('an alias without an address is no data (%s %s)', async (family, name, words) => {
    const results = await Promise.all([
      run(family, name, OPEN),
      run(family, '--dns', DNS, name, OPEN),
    ]);
    for (const { stdout, stderr, exitCode } of results) {
      expect(stdout).toContain('<11004>');
      expect(stderr).toContain(words);
      expect(exitCode).toBe(3);
    }
    const { verdict } = await diagnose(family, name, OPEN);
    expect(verdict).toMatchObject({ kind: 'name-no-address', certainty: 'certain' });
    expect(verdict.statement).toContain(words);
  });

  it('an alias for a name that does not exist is a name that is not found', async () => {
    const [plain, { verdict }] = await Promise.all([
      run('dangling.test', OPEN),
      diagnose('dangling.test', OPEN),
    ]);
    const words = 'dangling.test is an alias (CNAME) for missing.test, which does not exist';
    expect(plain.stdout).toContain('<11001>');
    expect(plain.stderr).toContain(words);
    expect(verdict).toMatchObject({ kind: 'name-not-found', certainty: 'certain' });
    expect(verdict.statement).toContain(words);
  });

  it('an alias with an address of the type is open, although A comes late', async () => {
    const results = await Promise.all([
      run('-4', 'alias.test', OPEN),
      run('--dns', DNS, 'alias.test', OPEN),
      run('--dns', DNS, 'slow.test', OPEN),
    ]);
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  });

  it.each([
    ['aaaa-drop.test', 'A', 'AAAA', '-4'],
    ['a-drop.test', 'AAAA', 'A', '-6'],
  ])('a server that drops one type is named with it (%s)', async (name, good, bad, option) => {
    await resolveWith({ options: GLIBC_DEFAULTS });
    const [plain, { verdict, kinds }] = await Promise.all([
      run('-w', '1500ms', name, OPEN),
      diagnose(name, OPEN),
    ]);
    expect(plain.stdout).toContain('<11002>');
    expect(plain.stderr).toMatch(new RegExp(`${good} has addresses`));
    expect(plain.stderr).toMatch(
      new RegExp(`drops questions for ${bad} records\\. Use ${option} `),
    );
    expect(verdict).toMatchObject({ kind: 'dns-silent', certainty: 'certain' });
    expect(verdict.statement).toContain(
      `DNS server ${DNS} answered for ${good}, but not for ${bad} within 1.5 s`,
    );
    expect(kinds).not.toContain('only-in-dns');
    expect((await run(option, name, OPEN)).exitCode).toBe(0); // the advice helps
  });

  it('a server that drops A is not called down, although the name has no AAAA record', async () => {
    await resolveWith({ options: GLIBC_DEFAULTS });
    const [plain, asked, { verdict }] = await Promise.all([
      run('-w', '1500ms', 'a-drop-only.test', OPEN),
      run('-w', '1500ms', '--dns', DNS, 'a-drop-only.test', OPEN),
      diagnose('a-drop-only.test', OPEN),
    ]);
    for (const { stderr } of [plain, asked]) {
      expect(stderr).toContain('A no answer, AAAA no address');
      expect(stderr).not.toContain('is down');
    }
    expect(verdict.statement).toContain('answered for AAAA, but not for A within 1.5 s');
  });

  it('a type that is not answered is reported beside an open port', async () => {
    const { verdict } = await diagnose('--dns', DNS, 'aaaa-drop.test', OPEN);
    expect(verdict).toMatchObject({ kind: 'dns-server-ailing', certainty: 'certain' });
    expect(verdict.statement).toContain(`there is none from ${DNS} for AAAA`);
    // An answer, even SERVFAIL, is not silence.
    expect((await diagnose('--dns', DNS, 'failing.test', OPEN)).verdict.kind).toBe('open');
  });

  it('the first of two servers is named if it is dead', async () => {
    await resolveWith({ options: GLIBC_DEFAULTS, nameservers: [DEAD_DNS, DNS] });
    const [plain, { verdict, kinds }] = await Promise.all([
      run('-w', '1500ms', 'good.test', OPEN),
      diagnose('good.test', OPEN),
    ]);
    expect(plain.stderr).toContain(`(DNS ${DEAD_DNS}: no answer; ${DNS}: has addresses)`);
    expect(plain.stderr).toContain(
      `${DEAD_DNS} is down or too slow, answers from another address, or its packets are dropped.`,
    );
    expect(verdict).toMatchObject({ kind: 'dns-silent', certainty: 'certain' });
    expect(verdict.statement).toContain(`DNS server ${DEAD_DNS} did not answer within 1.5 s.`);
    expect(kinds).not.toContain('only-in-dns');
  });

  it('the second of two servers is not the cause if it is dead', async () => {
    await resolveWith({ options: GLIBC_DEFAULTS, nameservers: [DNS, DEAD_DNS] });
    expect((await run('good.test', OPEN)).exitCode).toBe(0);
    const { verdict, kinds } = await diagnose('missing.test', OPEN);
    expect(verdict.kind).toBe('name-not-found');
    expect(kinds).not.toContain('dns-silent');
  });

  it('a system that does not ask DNS is at fault, not DNS', async () => {
    await resolveWith({ nsswitch: 'files' });
    const { verdict, kinds } = await diagnose('aaaa-drop.test', OPEN);
    expect(verdict).toMatchObject({ kind: 'only-in-dns', certainty: 'certain' });
    expect(kinds).not.toContain('dns-silent');
  });

  it('silence is only probably the cause if the system asks other sources, too', async () => {
    await resolveWith({ options: GLIBC_DEFAULTS, nsswitch: 'files nis dns' });
    const { verdict } = await diagnose('silent.test', OPEN);
    expect(verdict).toMatchObject({ kind: 'dns-silent', certainty: 'probable' });
  });

  it('a lookup that failed at once is not called silence, if DNS is silent later', async () => {
    onTestFinished(async () => {
      await lab.nft('server', 'delete table inet few');
    });
    await lab.nft(
      'server',
      `add table inet few
      add chain inet few input { type filter hook input priority 0; }
      add rule inet few input udp dport 53 limit rate over 1/hour burst 2 packets drop`,
    );
    const { stderr, elapsedMs } = await run('-w', '30s', 'failing-both.test', OPEN);
    expect(stderr).toMatch(
      /\(EAI_AGAIN\): resolving .* \(DNS 10\.77\.0\.53: no answer\) failed after [\d.]+ ms\./,
    );
    expect(stderr).not.toMatch(/did not answer|timeout/);
    expect(elapsedMs).toBeLessThan(15_000); // not the whole timeout for what it adds
  });

  it.each([
    ['drop', 'drop'],
    ['reject', 'reject'],
    ['an ICMP message', 'reject with icmpx type admin-prohibited'],
  ])('this machine is at fault if its firewall stops DNS with %s', async (_, how) => {
    await filterOutput(`udp dport 53 ${how}`, `tcp dport 53 ${how}`);
    const [plain, asked, { verdict }] = await Promise.all([
      run('good.test', OPEN),
      run('--dns', DNS, 'good.test', OPEN),
      diagnose('good.test', OPEN),
    ]);
    for (const { stderr } of [plain, asked])
      expect(stderr).toMatch(/\(EPERM\): .*: this machine does not permit the question/);
    expect(verdict).toMatchObject({ kind: 'dns-not-permitted', certainty: 'certain' });
  });

  it.each([
    ['reject', 'dns-unreachable', /Nothing listens there, or a firewall rejects the question/],
    ['reject with icmpx type admin-prohibited', 'dns-rejected', /probably a firewall forbids it/],
  ])('this machine is not at fault if the server replies with "%s"', async (how, kind, says) => {
    onTestFinished(async () => {
      await lab.nft('server', 'delete table inet rejecting');
    });
    await lab.nft(
      'server',
      `add table inet rejecting
      add chain inet rejecting input { type filter hook input priority 0; }
      add rule inet rejecting input udp dport 53 ${how}`,
    );
    const { verdict } = await diagnose('good.test', OPEN);
    expect(verdict.kind).toBe(kind);
    expect(verdict.statement).toMatch(says);
  });

  it('this machine is at fault if it has no route to the server', async () => {
    await resolveWith({ nameservers: ['192.0.2.53'] });
    const [plain, { verdict }] = await Promise.all([
      run('good.test', OPEN),
      diagnose('good.test', OPEN),
    ]);
    expect(plain.stderr).toMatch(
      /\(ENETUNREACH\): .*: this machine has no usable route to the DNS/,
    );
    expect(verdict).toMatchObject({ kind: 'dns-no-route', certainty: 'certain' });
  });

  it('nobody is blamed for a closed port alone: a firewall may reject in its place', async () => {
    await resolveWith({ nameservers: [lab.server.v4] });
    const { verdict } = await diagnose('good.test', OPEN);
    expect(verdict.kind).toBe('dns-unreachable');
    expect(verdict.statement).toMatch(/Nothing listens there, or a firewall rejects the question/);
  });

  it.each([UDP_ONLY_DNS, TCP_DROPPED_DNS])(
    'a server whose answers need TCP, and that has none, is not called dead (%s)',
    async (server) => {
      await resolveWith({ nameservers: [server], options: GLIBC_DEFAULTS });
      const [plain, asked, { verdict }] = await Promise.all([
        run('-w', '1500ms', 'long.test', OPEN),
        run('-w', '1500ms', '--dns', server, 'long.test', OPEN),
        diagnose('-4', 'long.test', OPEN),
      ]);
      expect(plain.stderr).toContain(`${server}: truncated, and no TCP`);
      for (const { stderr } of [plain, asked]) {
        expect(stderr).toMatch(/the answer does not fit into UDP/i);
        expect(stderr).not.toContain('is down');
      }
      expect(verdict).toMatchObject({ kind: 'dns-without-tcp', certainty: 'certain' });
      // An answer that fits needs no TCP.
      expect((await run('-w', '1500ms', '--dns', server, 'good.test', OPEN)).exitCode).toBe(0);
    },
  );

  it('a truncated answer is asked for again over TCP', async () => {
    const { stdout, exitCode } = await run('-o', 'json', '--dns', DNS, 'long.test', OPEN);
    expect(exitCode).toBe(0);
    // The answers over UDP and over TCP took 100 ms each.
    const { resolution } = JSON.parse(stdout) as { resolution: { elapsedMs: number } };
    expect(resolution.elapsedMs).toBeGreaterThanOrEqual(199);
  });

  it.each<[string, ResolverOptions, string[]]>([
    ['the name has a final dot', { hosts: '10.77.0.99 good.test' }, ['good.test.']],
    ['its entry is of the other family', { hosts: 'fd77::99 good.test' }, ['-4', 'good.test']],
    ['DNS was used', { hosts: '10.77.0.99 good.test', nsswitch: 'dns files' }, ['good.test']],
  ])('the hosts file does not override DNS if %s', async (_, resolver, args) => {
    await resolveWith(resolver);
    for (const [port, kind] of [
      [OPEN, 'open'],
      [CLOSED, 'refused'],
    ] as const) {
      const { verdict, kinds } = await diagnose(...args, port);
      expect(verdict.kind).toBe(kind);
      expect(kinds.filter((each) => each.startsWith('hosts-file'))).toEqual([]);
    }
  });

  it('the hosts file overrides DNS if applications get its address', async () => {
    await resolveWith({ hosts: '10.77.0.99 good.test' });
    const { verdict } = await diagnose('-w', '3500ms', 'good.test', OPEN);
    expect(verdict).toMatchObject({ kind: 'hosts-file-override', certainty: 'certain' });
    expect(verdict.statement).toContain('it has 10.77.0.99, but DNS has 10.77.0.2');
  });

  it.each([
    ['blocked.test', '0.0.0.0'],
    ['blocked6.test', '0.0.0.0 and ::'],
  ])('a name that is blocked is not open, whatever listens here (%s)', async (name, addresses) => {
    const [plain, asked, { verdict }] = await Promise.all([
      run(name, '7100'),
      run('--dns', DNS, name, '7100'),
      diagnose(name, '7100'),
    ]);
    for (const { stdout, stderr, exitCode } of [plain, asked]) {
      expect(stdout).toContain('<11004>');
      expect(stderr).toContain(`${name} has only ${addresses}, which no host has`);
      expect(stderr).toContain('A DNS filter or an entry in the hosts file usually blocks');
      expect(exitCode).toBe(3);
    }
    expect(verdict).toMatchObject({ kind: 'name-blocked', certainty: 'certain' });
    expect(verdict.statement).toContain(`from DNS server ${DNS}`);
  });

  it('a name that is blocked in the hosts file is blocked there', async () => {
    await resolveWith({ hosts: '0.0.0.0 good.test' });
    const { verdict } = await diagnose('good.test', '7100');
    expect(verdict.kind).toBe('name-blocked');
    expect(verdict.statement).toContain('from the hosts file /etc/hosts');
  });

  it('a name with another address, and 0.0.0.0 itself, are probed', async () => {
    expect((await run('half-blocked.test', OPEN)).exitCode).toBe(0);
    expect((await run('0.0.0.0', '7100')).exitCode).toBe(0);
  });
});
