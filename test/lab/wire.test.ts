import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createLab, describeLab, type ExecResult, type Lab } from '../support/lab.js';
import { jsonOf, portpingCommand } from '../support/portping.js';
import { type ScriptedRule, startScriptedHost } from '../support/scripted-host.js';

/** Addresses of scripted hosts; the last one of each network is a router. */
const ROUTER = { v4: '10.90.0.254', v6: 'fd90::fe' } as const;
const HOST = '10.90.0.1';
const HOST6 = 'fd90::1';
/** A host that is down behind a firewall that refuses every port but one for it. */
const SHIELDED = '10.90.0.3';
/** A host that refuses most ports, and of which port 443 is open. */
const UP = '10.90.0.4';
/** A host that is silent on most ports and rejects port 443. */
const REJECTING = '10.90.0.8';
/** A host that is silent, and two that refuse. */
const SILENT = '10.90.0.5';
const REFUSING = ['10.90.0.6', '10.90.0.7'] as const;
/** The port that is probed. */
const PORT = 7000;

/** ICMP errors that are not about reaching a host, and how they are reported. */
const ICMP_ERRORS = [
  {
    name: 'source route failed',
    family: 4,
    type: 3,
    code: 5,
    number: 10045,
    words: /"source route failed"/,
  },
  {
    name: 'source host isolated',
    family: 4,
    type: 3,
    code: 8,
    number: 10065,
    words: /"source host isolated"/,
  },
  {
    name: 'parameter problem',
    family: 4,
    type: 12,
    code: 0,
    number: 71,
    words: /"parameter problem" or an unknown code/,
  },
  {
    name: 'an unknown code of ICMPv6',
    family: 6,
    type: 1,
    code: 7,
    number: 71,
    words: /"parameter problem" or an unknown code/,
  },
  {
    name: 'parameter problem of ICMPv6',
    family: 6,
    type: 4,
    code: 0,
    number: 71,
    words: /"parameter problem" or an unknown code/,
  },
] as const;

/** Ports that open 950 ms and 1,300 ms after the first SYN, which is repeated after a second. */
const SLOW_PORT = 7100;
const LATE_PORT = 7101;
/** Ports that open at once, four times, and then only after 970 ms. */
const SLOWER_PORTS = [7102, 7103] as const;

const icmpErrorPort = (index: number): number => 6000 + index;

const rules: ScriptedRule[] = [
  ...ICMP_ERRORS.map(({ family, type, code }, index): ScriptedRule => {
    const from = family === 4 ? ROUTER.v4 : ROUTER.v6;
    return { port: icmpErrorPort(index), family, answers: [{ send: 'icmp', type, code, from }] };
  }),
  { port: 6100, answers: [{ send: 'icmp', type: 11, code: 0, from: ROUTER.v4 }] },
  { port: 6101, answers: [{ send: 'icmp', type: 3, code: 9, from: ROUTER.v4 }] },
  { port: 6102, answers: [{ send: 'icmp', type: 3, code: 2, from: ROUTER.v4 }] },
  { port: 6103, answers: [{ send: 'icmp', type: 1, code: 6, from: ROUTER.v6 }] },
  { address: UP, port: 443, answers: ['syn-ack'] },
  { address: UP, port: PORT, answers: ['nothing'] },
  { address: UP, port: 7001, answers: [{ send: 'icmp', type: 3, code: 1 }] },
  { address: UP, answers: ['reset'] },
  { port: SLOW_PORT, answers: [{ send: 'syn-ack', delayMs: 950 }] },
  { port: LATE_PORT, answers: [{ send: 'syn-ack', delayMs: 1300 }] },
  ...SLOWER_PORTS.flatMap((port): ScriptedRule[] => [
    { port, afterConnections: 4, answers: [{ send: 'syn-ack', delayMs: 970 }] },
    { port, answers: ['syn-ack'] },
  ]),
  { address: SHIELDED, port: PORT, answers: ['nothing'] },
  { address: SHIELDED, port: 7001, answers: [{ send: 'icmp', type: 3, code: 1, from: ROUTER.v4 }] },
  { address: SHIELDED, answers: ['reset'] },
  { address: REJECTING, port: PORT, answers: ['nothing'] },
  { address: REJECTING, port: 443, answers: [{ send: 'icmp', type: 3, code: 13 }] },
  ...REFUSING.map((address): ScriptedRule => ({ address, answers: ['reset'] })),
];

describeLab(
  'portping, by what comes back on the wire,',
  () => {
    let lab: Lab;

    beforeAll(async () => {
      lab = await createLab();
      const names = [
        `${SILENT} mixed.test\n${REFUSING[0]} mixed.test`,
        ...REFUSING.map((address) => `${address} refusing.test`),
      ];
      await lab.setResolver('client', { hosts: names.join('\n') });
      await startScriptedHost(lab, { rules, networks: ['10.90.0.0/24', 'fd90::/64'] });
    });
    afterAll(() => lab?.close());

    const run = (...args: string[]): Promise<ExecResult> =>
      lab.exec('client', [...portpingCommand, ...args]);

    /** A diagnosis: its exit code, the findings, and whether it claims that the host is up. */
    async function diagnose(...args: string[]) {
      const result = await run('--diagnose', '-o', 'json', ...args);
      const { exitCode, reason, verdict, findings } = jsonOf(result);
      expect(result.exitCode).toBe(exitCode);
      const claimsUp = JSON.stringify(findings).includes('host is up');
      return { exitCode, reason, verdict, findings, claimsUp };
    }

    it.each(ICMP_ERRORS.map((each, index) => ({ ...each, index })))(
      'reports the ICMP error "$name" as filtered, because a router answered',
      async ({ family, number, words, index }) => {
        const target = [family === 4 ? HOST : HOST6, String(icmpErrorPort(index))];
        const [text, json, diagnosis] = await Promise.all([
          run(...target),
          run('-o', 'json', ...target),
          diagnose('--no-companions', ...target),
        ]);
        expect(text.stdout).toBe(`Error Detected: Connection refused <${number}> returned.\n`);
        expect(text.stderr).toMatch(words);
        expect(text.stderr).toMatch(/The packet left this machine\./);
        expect(text.stderr).not.toMatch(/bug|Unknown|Nothing was learned/);
        expect(jsonOf(json)).toMatchObject({
          state: 'filtered',
          reason: 'icmp-error',
          exitCode: 2,
        });
        expect([text.exitCode, json.exitCode]).toEqual([2, 2]);
        expect(diagnosis).toMatchObject({
          exitCode: 2,
          reason: 'icmp-error',
          verdict: { kind: 'icmp-error', certainty: 'probable' },
        });
      },
    );

    it('names a routing loop among the causes of "time exceeded"', async () => {
      const [text, { verdict }] = await Promise.all([
        run(HOST, '6100'),
        diagnose('--no-companions', HOST, '6100'),
      ]);
      expect(text.exitCode).toBe(2);
      expect(text.stderr).toMatch(/firewall rejects.*router does not find.*routing loop/s);
      expect(verdict).toMatchObject({ kind: 'host-unreachable', certainty: 'probable' });
      expect(verdict.statement).toMatch(/firewall rejects.*router cannot find.*routing loop/);
    });

    it('names a prohibition among the causes of "network unreachable"', async () => {
      const [text, { verdict }] = await Promise.all([
        run(HOST, '6101'),
        diagnose('--no-companions', HOST, '6101'),
      ]);
      expect(text.exitCode).toBe(2);
      expect(text.stderr).toMatch(/no route to that network or prohibits.*firewall rejects/s);
      expect(verdict).toMatchObject({ kind: 'network-unreachable', certainty: 'probable' });
      expect(verdict.statement).toMatch(/no route or prohibits.*firewall rejects/);
    });

    it('does not report "protocol unreachable" of a router as the word of the host', async () => {
      const [text, { verdict }] = await Promise.all([
        run(HOST, '6102'),
        diagnose('--no-companions', HOST, '6102'),
      ]);
      expect(text.exitCode).toBe(2);
      expect(text.stderr).toMatch(/Probably a firewall or router rejects/);
      expect(verdict).toMatchObject({ kind: 'no-tcp', certainty: 'probable' });
      expect(verdict.statement).toMatch(/firewall or router rejects.*or the host has no TCP/);
    });

    it('does not report "reject route" of a router as the word of a firewall', async () => {
      const { verdict } = await diagnose('--no-companions', HOST6, '6103');
      expect(verdict).toMatchObject({ kind: 'prohibited', certainty: 'certain' });
      expect(verdict.statement).toMatch(/^A firewall or router answered/);
    });

    it.each([
      [PORT, 'port-filtered'],
      [7001, 'port-rejected'],
    ])(
      'does not say that a host is up if a firewall may refuse for it (%i)',
      async (port, kind) => {
        const shielded = await diagnose('-w', '1s', SHIELDED, String(port));
        expect(shielded).toMatchObject({ verdict: { kind }, claimsUp: false, exitCode: 2 });
        expect(shielded.verdict.statement).toMatch(/firewall on the way, and the host may be down/);
        const up = await diagnose('-w', '1s', UP, String(port));
        expect(up).toMatchObject({ verdict: { kind }, claimsUp: true, exitCode: 2 });
      },
    );

    it.each(['text', 'json', 'csv', 'junit', 'tap', 'nagios'])(
      'reports the silent address of a name beside the one that refuses: %j',
      async (format) => {
        const { stdout, stderr } = await run('-w', '1s', '-o', format, 'mixed.test', String(PORT));
        const text = `${stdout}${stderr}`;
        expect(text).toMatch(/10\.90\.0\.6:7000 refused the connection/);
        expect(text).toMatch(/10\.90\.0\.5:7000: filtered, no-response (<|&lt;)10060/);
      },
    );

    it('names the causes of both addresses if one refuses and one is silent', async () => {
      const mixed = await diagnose('-w', '1s', 'mixed.test', String(PORT));
      expect(mixed).toMatchObject({
        exitCode: 1,
        verdict: { kind: 'addresses-fail-differently', certainty: 'certain' },
      });
      expect(mixed.verdict.statement).toMatch(/10\.90\.0\.5 did not answer \(the host is down, or/);
      expect(mixed.verdict.statement).toMatch(/10\.90\.0\.6 refused \(nothing listens there, or/);
      const alike = await diagnose('-w', '1s', 'refusing.test', String(PORT));
      expect(alike).toMatchObject({ exitCode: 1, verdict: { kind: 'refused' } });
    });

    /** Loses the first SYN of each connection at the server, or its answer at the client. */
    async function loseFirst(lost: 'SYN' | 'answer'): Promise<number> {
      const listener = await lab.listen('server');
      const role = lost === 'SYN' ? 'server' : 'client';
      const [end, flags] = lost === 'SYN' ? ['sport', 'syn'] : ['dport', '(syn | ack)'];
      await lab.nft(
        role,
        `add table inet loss
         add set inet loss seen { type inet_service; flags dynamic, timeout; timeout 30s; }
         add chain inet loss input { type filter hook input priority 0; }
         add rule inet loss input tcp flags & (syn | ack) == ${flags} \
           tcp ${end} != @seen add @seen { tcp ${end} } drop`,
      );
      onTestFinished(async () => {
        await lab.nft(role, 'delete table inet loss');
        await listener.stop();
      });
      return listener.port;
    }

    it.each(['v4', 'v6'] as const)(
      'knows from the kernel that a path loses every first SYN (%s)',
      async (family) => {
        const target = [lab.server[family], String(await loseFirst('SYN'))];
        const kernel = { cause: 'lost-syn', repeatedSyns: 1, mss: expect.any(Number) };
        const [plain, text, json, series, diagnosis] = await Promise.all([
          run('-o', 'json', ...target),
          run('-v', ...target),
          run('-v', '-o', 'json', ...target),
          run('-v', '-c', '3', '-i', '10ms', ...target),
          diagnose(...target),
        ]);
        expect(jsonOf(plain)).toMatchObject({ state: 'open', kernel: null });
        expect(text.stdout).toMatch(/^Success!.* in 1\d{3} milliseconds/);
        expect(text.stderr).toMatch(
          /round trip [\d.]+ ms; the first SYN was lost or ignored, or .* lost; 1 SYN repeated; MSS \d+/,
        );
        expect(jsonOf(json)).toMatchObject({ kernel, attempts: [{ kernel }] });
        expect(jsonOf(json)['kernel'].roundTripMs).toBeLessThan(300);
        expect(series.stderr).toMatch(/0% loss[^]*^lost SYNs or answers, seen by the kernel: 3$/m);
        expect(series.stderr).not.toMatch(/[Pp]robably/);
        expect(diagnosis.verdict).toMatchObject({
          kind: 'handshake-delayed',
          certainty: 'certain',
        });
      },
    );

    it('names all causes if only the answer to the first SYN was lost', async () => {
      const target = [lab.server.v4, String(await loseFirst('answer'))];
      const [text, { verdict }] = await Promise.all([run('-v', ...target), diagnose(...target)]);
      expect(text.stderr).toMatch(/first SYN or its answer was lost, or the answer came late/);
      expect(verdict).toMatchObject({ kind: 'handshake-delayed', certainty: 'probable' });
    });

    it('names a lost answer, too, if SYN cookies hide it', async () => {
      onTestFinished(() => lab.sysctl('server', 'net.ipv4.tcp_syncookies', 1));
      await lab.sysctl('server', 'net.ipv4.tcp_syncookies', 2);
      const target = [lab.server.v4, String(await loseFirst('answer'))];
      const [json, text, { verdict }] = await Promise.all([
        run('-v', '-o', 'json', ...target),
        run('-v', ...target),
        diagnose(...target),
      ]);
      expect(jsonOf(json)).toMatchObject({ kernel: { cause: 'lost-syn' } });
      expect(text.stderr).toMatch(
        /the first SYN was lost or ignored, or the answer to it was lost;/,
      );
      expect(verdict.statement).toMatch(/ignored it, or its answer was lost\. All look the same/);
    });

    it('does not say that a SYN was lost if a host is slow', async () => {
      const [slow, late, slowly, lately] = await Promise.all([
        run('-v', HOST, String(SLOW_PORT)),
        run('-v', HOST, String(LATE_PORT)),
        diagnose(HOST, String(SLOW_PORT)),
        diagnose(HOST, String(LATE_PORT)),
      ]);
      expect(slow.stderr).toMatch(/no SYN was repeated, the answer came late/);
      expect(late.stderr).toMatch(/first SYN or its answer was lost, or the answer came late/);
      expect(slowly.verdict.kind).toBe('open');
      expect(lately.verdict).toMatchObject({ kind: 'handshake-delayed', certainty: 'probable' });
    });

    it('does not count five lost SYNs if a host becomes a second slower for good', async () => {
      const summaryOf = async (...args: string[]) => {
        const { stdout } = await run('-o', 'json', '-c', '9', '-i', '10ms', HOST, ...args);
        return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as object;
      };
      const [plain, verbose] = await Promise.all([
        summaryOf(String(SLOWER_PORTS[0])),
        summaryOf('-v', String(SLOWER_PORTS[1])),
      ]);
      // The first slow probe may be a lost SYN, unless the kernel says that it repeated none.
      expect(plain).toMatchObject({ open: 9, lostSyns: 1 });
      expect(verbose).toMatchObject({ open: 9, lostSyns: 0 });
    });

    it('does not say that nothing answers if other ports are rejected', async () => {
      const [rejecting, silent] = await Promise.all([
        diagnose('-w', '1s', REJECTING, String(PORT)),
        diagnose('-w', '1s', SILENT, String(PORT)),
      ]);
      expect(rejecting.verdict).toMatchObject({ kind: 'others-rejected', certainty: 'probable' });
      expect(rejecting.verdict.statement).toMatch(/443 was reported unreachable/);
      expect(silent.verdict).toMatchObject({ kind: 'nothing-answers', certainty: 'probable' });
    });

    it('does not say that a host is absent if it rejects under the usual ICMP limit', async () => {
      onTestFinished(() => lab.sysctl('server', 'net.ipv4.icmp_ratemask', 0));
      onTestFinished(() => lab.clearRules('server'));
      // The default of Linux: after a burst of six, one "unreachable" a second for each peer.
      await lab.sysctl('server', 'net.ipv4.icmp_ratemask', 6168);
      const reject = 'meta l4proto tcp reject with icmp type host-unreachable';
      await lab.nft(
        'server',
        `add table inet lab; add chain inet lab input { type filter hook input priority 0; };
         add rule inet lab input meta nfproto ipv4 ${reject}`,
      );
      const burst = Array.from({ length: 8 }, (_, index) => String(8000 + index));
      await run('-w', '4500ms', lab.server.v4, ...burst);
      const [rejecting, absent] = await Promise.all([
        diagnose(lab.server.v4, String(PORT)),
        diagnose('10.77.0.88', String(PORT)),
      ]);
      expect(rejecting.verdict).toMatchObject({ certainty: 'probable' });
      expect(JSON.stringify(rejecting.findings)).not.toMatch(/[Nn]o host (is|has|with)/);
      expect(absent.verdict).toMatchObject({ kind: 'host-absent', certainty: 'probable' });
    });

    it('does not say that a host is absent if a router replies once in 3 s', async () => {
      const limited = '10.91.0.1';
      const unreachable = { send: 'icmp', type: 3, code: 1, from: '10.91.0.254' } as const;
      await startScriptedHost(lab, {
        rules: [{ answers: [unreachable] }],
        networks: ['10.91.0.0/24'],
        device: 'host1',
        icmpIntervalMs: 3000,
      });
      expect((await run(limited, '8000')).exitCode).toBe(2); // it is silent for 3 s from now on
      const { findings } = await diagnose(limited, String(PORT));
      expect(findings.map((each: { kind: string }) => each.kind)).toContain('host-unreachable');
      expect(findings.map((each: { kind: string }) => each.kind)).not.toContain('host-absent');
    });

    it('names both causes of a lone "unreachable" that comes after 3 s', async () => {
      const absent = ['10.77.0.89', String(PORT)];
      const [text, { verdict }] = await Promise.all([
        run(...absent),
        diagnose('--no-companions', ...absent),
      ]);
      expect(text.stderr).toMatch(/No host with this address.*limits its replies/s);
      expect(verdict).toMatchObject({ kind: 'host-unreachable', certainty: 'probable' });
      expect(verdict.statement).toMatch(/no host has that address.*limits its replies/);
    });
  },
  'delayLink',
);
