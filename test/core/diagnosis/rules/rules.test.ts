import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LocalFilterObservation } from '../../../../src/core/diagnosis/observations/observations.js';
import {
  type FindingKind,
  findings,
  verdictOf,
} from '../../../../src/core/diagnosis/rules/rules.js';
import {
  closed,
  dropped,
  failed,
  filtered,
  observations,
  open,
  OTHER_V4,
  type Particulars,
  PORT,
  server,
  unresolved,
  V4,
  V6,
} from '../observations.js';

/** What triggers a rule, and what is nearly the same and must not. */
interface Case {
  readonly trigger: Particulars;
  readonly nearMiss: Particulars;
  /** Whether the rule gives the verdict of its trigger; true unless given. */
  readonly verdict?: false;
}

const companions = [open(V4, 443), closed(V4, 80)];
const silence = [filtered('no-response', V4, 443), filtered('no-response', V4, 80)];
const reset = {
  leastPacketsSent: 0,
  mostPacketsSent: 0,
  answeredWithoutSending: true,
  unreachableToSelf: 0,
};
const localFilter = (particulars: Partial<LocalFilterObservation>): LocalFilterObservation => ({
  endpoint: { address: V4, port: PORT },
  target: reset,
  control: { port: 443, leastPacketsSent: 1 },
  failedRepeats: 0,
  ...particulars,
});
const nxdomain = { outcome: unresolved(), name: { servers: [server('no-such-name')] } } as const;
const says = (kind: Parameters<typeof server>[0]): Particulars => ({
  outcome: unresolved('resolver-failed'),
  name: { servers: [server(kind)] },
});
const nearer = { refusedMs: 1, openPort: 443, openMs: 20 };
const localhost = { host: 'localhost', name: { servers: [server('no-such-name')] } } as const;

const CASES: Readonly<Record<Exclude<FindingKind, 'unexplained'>, Case>> = {
  // 1. This machine.
  'no-descriptors': {
    trigger: { attempts: [failed('no-files-left')] },
    nearMiss: { attempts: [open(), failed('no-files-left', OTHER_V4)] },
  },
  'no-source-ports': {
    trigger: { attempts: [failed('no-ports-left')] },
    nearMiss: { attempts: [failed('no-route')] },
  },
  'bad-source': {
    trigger: { attempts: [failed('bad-source')] },
    nearMiss: { attempts: [failed('no-ports-left')] },
  },
  'not-permitted': {
    trigger: { attempts: [failed('not-permitted')] },
    nearMiss: { attempts: [filtered('admin-prohibited')] },
  },
  'no-resources': {
    trigger: { attempts: [failed('no-resources')] },
    nearMiss: { attempts: [failed('unknown-error')] },
  },
  'no-network': {
    trigger: { attempts: [failed('no-route')], machine: { addresses: [], sourceAddress: null } },
    nearMiss: {
      attempts: [closed('127.0.0.1')],
      machine: { addresses: [], sourceAddress: '127.0.0.1' },
    },
  },
  'no-route': {
    trigger: { attempts: [failed('no-route')] },
    nearMiss: { attempts: [filtered('net-unreach')] },
  },
  'local-firewall': {
    trigger: { attempts: [closed()], companions, localFilter: localFilter({}) },
    nearMiss: { attempts: [closed()], companions, localFilter: localFilter({ control: null }) }, // the counters may not be moving at all
  },

  // 2. The name.
  'hosts-file-override': {
    trigger: {
      attempts: [filtered()],
      dnsOnly: [open(OTHER_V4)],
      name: { servers: [server([OTHER_V4])], hostsFile: { path: '/etc/hosts', addresses: [V4] } },
    },
    nearMiss: {
      attempts: [filtered()],
      name: { servers: [server([V4])], hostsFile: { path: '/etc/hosts', addresses: [V4] } },
    },
  },
  'dns-servers-disagree': {
    trigger: {
      outcome: unresolved(),
      dnsOnly: [open(OTHER_V4)],
      name: { servers: [server('no-such-name'), server([OTHER_V4], '192.0.2.54')] },
    },
    nearMiss: {
      outcome: unresolved(),
      name: { servers: [server('servfail'), server('no-such-name', '192.0.2.54')] },
    },
  },
  'only-with-search-domain': {
    trigger: {
      ...nxdomain,
      name: {
        ...nxdomain.name,
        foundBySearch: [{ name: 'db.example.corp.example', addresses: [V4] }],
      },
    },
    nearMiss: nxdomain,
  },
  'only-in-dns': {
    trigger: { outcome: unresolved(), name: { servers: [server([V4])] } },
    nearMiss: nxdomain,
  },
  'name-not-found': { trigger: nxdomain, nearMiss: says('no-record') },
  'dns-servfail': { trigger: says('servfail'), nearMiss: says('refused') },
  'dns-refused': { trigger: says('refused'), nearMiss: says('servfail') },
  'dns-broken': { trigger: says('broken'), nearMiss: says('servfail') },
  'dns-unreachable': { trigger: says('unreachable'), nearMiss: says('silent') },
  'dns-silent': { trigger: says('silent'), nearMiss: says('unreachable') },
  'name-no-address': { trigger: says('no-record'), nearMiss: nxdomain },
  unresolved: { trigger: { outcome: unresolved(), name: { servers: [] } }, nearMiss: nxdomain },

  // 3. Addresses and families.
  'stale-record': {
    trigger: { attempts: [filtered()], given: open(OTHER_V4) },
    nearMiss: { attempts: [filtered()], given: filtered('no-response', OTHER_V4) },
  },
  'localhost-family': {
    trigger: { ...localhost, attempts: [closed('::1'), open('127.0.0.1')] },
    nearMiss: { ...localhost, attempts: [open('::1'), open('127.0.0.1')] },
  },
  'bound-to-loopback': {
    trigger: { attempts: [closed('203.0.113.5')], loopback: [open('127.0.0.1')] },
    nearMiss: { attempts: [closed('203.0.113.5')], loopback: [closed('127.0.0.1')] },
  },
  'family-broken': {
    trigger: { attempts: [filtered('no-response', V6), open()] },
    nearMiss: { attempts: [closed(V6), open()] },
  },
  'one-family-only': {
    trigger: { attempts: [closed(V6), open()] },
    nearMiss: { attempts: [failed('no-route', V6), open()] },
  },
  'some-addresses-fail': {
    trigger: { attempts: [closed(OTHER_V4), open()] },
    nearMiss: { attempts: [closed(V6), open()] },
  },

  // 4. The host and the port.
  prohibited: {
    trigger: { attempts: [filtered('admin-prohibited')] },
    nearMiss: { attempts: [filtered('host-unreach', V4, PORT, 1)] },
  },
  'port-rejected': {
    trigger: { attempts: [filtered('host-unreach', V4, PORT, 1)], companions },
    nearMiss: {
      attempts: [filtered('host-unreach', V4, PORT, 1)],
      companions: [filtered('host-unreach', V4, 443, 1)],
    },
  },
  'port-filtered': {
    trigger: { attempts: [filtered()], companions },
    nearMiss: { attempts: [filtered()], companions: silence },
  },
  'host-absent': {
    trigger: {
      attempts: [filtered('host-unreach', V4, PORT, 3070)],
      companions: [filtered('host-unreach', V4, 443, 3060)],
    },
    nearMiss: {
      attempts: [filtered('host-unreach', V4, PORT, 1)],
      companions: [filtered('host-unreach', V4, 443, 1)],
    },
  },
  'host-unreachable': {
    trigger: {
      attempts: [filtered('host-unreach', V4, PORT, 1)],
      companions: [filtered('host-unreach', V4, 443, 1)],
    },
    nearMiss: { attempts: [filtered('host-unreach', V4, PORT, 1)], companions },
  },
  'network-unreachable': {
    trigger: { attempts: [filtered('net-unreach')], companions: [] },
    nearMiss: { attempts: [filtered('net-unreach')], companions },
  },
  'no-tcp': {
    trigger: { attempts: [filtered('proto-unreach', V4, PORT, 1)] },
    nearMiss: { attempts: [filtered('proto-unreach', V4, PORT, 1)], companions },
  },
  'nothing-answers': {
    trigger: { attempts: [filtered()], companions: silence },
    nearMiss: { attempts: [filtered()], companions },
  },
  'refused-on-the-way': {
    trigger: { attempts: [closed()], companions, refusalTiming: nearer },
    nearMiss: { attempts: [closed()], companions, refusalTiming: { ...nearer, openMs: 2.5 } },
  },
  refused: { trigger: { attempts: [closed()] }, nearMiss: { attempts: [filtered()] } },

  // 5. The service, and what is remarkable although the port is open.
  'answered-by-somebody-else': {
    trigger: { nobody: open('192.0.2.1') },
    nearMiss: { nobody: filtered('no-response', '192.0.2.1') },
  },
  'dropped-at-once': { trigger: { attempts: [dropped('reset')] }, nearMiss: {} },
  'hosts-file-differs': {
    trigger: {
      name: { servers: [server([OTHER_V4])], hostsFile: { path: '/etc/hosts', addresses: [V4] } },
    },
    nearMiss: { name: { hostsFile: { path: '/etc/hosts', addresses: [V4] } } },
  },
  'dns-servers-differ': {
    trigger: { name: { servers: [server([V4]), server('no-such-name', '192.0.2.54')] } },
    nearMiss: { name: { servers: [server([V4]), server([OTHER_V4, V4], '192.0.2.54')] } },
  },
  'dns-server-ailing': {
    trigger: { name: { servers: [server([V4]), server('silent', '192.0.2.54')] } },
    nearMiss: { name: { servers: [server([V4]), server([V4], '192.0.2.54')] } },
  },
  open: { trigger: {}, nearMiss: { outcome: unresolved(), given: open() } },

  // 6. Known habits.
  'family-without-route': {
    trigger: { attempts: [failed('no-route', V6), open()] },
    nearMiss: { attempts: [filtered('no-response', V6), open()] },
    verdict: false,
  },
  'known-by-search-domain': {
    trigger: {
      name: {
        servers: [server('no-such-name')],
        foundBySearch: [{ name: 'db.example.corp.example', addresses: [V4] }],
      },
    },
    nearMiss: { name: { servers: [server('no-such-name')] } },
    verdict: false,
  },
  'not-from-dns': {
    trigger: { name: { servers: [server('no-such-name')] } },
    nearMiss: { ...localhost, attempts: [open('127.0.0.1')] },
    verdict: false,
  },
  'outbound-smtp': {
    trigger: { port: 25, attempts: [filtered('no-response', V4, 25)] },
    nearMiss: { port: 587, attempts: [filtered('no-response', V4, 587)] },
    verdict: false,
  },
  'loopback-server': {
    trigger: { attempts: [closed()], companions },
    nearMiss: { attempts: [closed('203.0.113.5')], loopback: [closed('127.0.0.1')] },
    verdict: false,
  },
  'repeated-syn': {
    trigger: { attempts: [closed(V4, PORT, 2030)], machine: { platform: 'win32' } },
    nearMiss: { attempts: [closed(V4, PORT, 2030)] },
    verdict: false,
  },
  proxy: {
    trigger: { machine: { proxy: { variable: 'ALL_PROXY', proxy: 'proxy.example:3128' } } },
    nearMiss: {},
    verdict: false,
  },
};

const kindsOf = (particulars: Particulars): FindingKind[] =>
  findings(observations(particulars)).map(({ kind }) => kind);
const verdict = (particulars: Particulars) => verdictOf(findings(observations(particulars)));

describe('each rule', () => {
  it.each(Object.entries(CASES))(
    '%s: fires for what triggers it, and not for what is nearly the same',
    (kind, { trigger, nearMiss, verdict: decides = true }) => {
      expect(kindsOf(trigger)).toContain(kind);
      if (decides) expect(verdict(trigger).kind).toBe(kind);
      expect(kindsOf(nearMiss)).not.toContain(kind);
    },
  );

  it('gives every finding a sentence, evidence and advice', () => {
    for (const { trigger } of Object.values(CASES)) {
      for (const { statement, evidence, advice } of findings(observations(trigger))) {
        expect(statement).toMatch(/^\S.*\.$/);
        expect(advice).toMatch(/^[A-Z].*[.)]$/);
        expect(evidence.length).toBeGreaterThan(0);
      }
    }
  });
});

describe('a local firewall', () => {
  const silent = { attempts: [filtered()], companions: silence } as const;
  const quiet = {
    leastPacketsSent: 0,
    mostPacketsSent: 0,
    answeredWithoutSending: false,
    unreachableToSelf: 0,
  };
  const unreachable = { attempts: [filtered('host-unreach', V4, PORT, 1)], companions } as const;
  const firewall = (particulars: Particulars) =>
    findings(observations(particulars)).find(({ kind }) => kind === 'local-firewall');

  it('is certain when an answer came although nothing was sent', () => {
    expect(
      firewall({ attempts: [closed()], companions, localFilter: localFilter({}) }),
    ).toMatchObject({ certainty: 'certain', statement: expect.stringMatching(/ rejects /) });
    expect(
      firewall({
        ...unreachable,
        localFilter: localFilter({ target: { ...reset, unreachableToSelf: 1 }, control: null }),
      }),
    ).toMatchObject({ certainty: 'certain' });
  });

  it('is probable when this machine sent what it received, but other traffic hides the rest', () => {
    const target = {
      leastPacketsSent: 3,
      mostPacketsSent: 9,
      answeredWithoutSending: false,
      unreachableToSelf: 1,
    };
    expect(
      firewall({ ...unreachable, localFilter: localFilter({ target, control: null }) }),
    ).toMatchObject({
      certainty: 'probable',
      statement: expect.stringMatching(/probably rejects/),
    });
  });

  it('is probable when a port is silent and its packets do not leave, but those for another port do', () => {
    expect(firewall({ ...silent, localFilter: localFilter({ target: quiet }) })).toMatchObject({
      certainty: 'probable',
      statement: expect.stringMatching(/probably drops/),
    });
    expect(
      firewall({
        ...silent,
        localFilter: localFilter({ target: quiet, control: null, failedRepeats: 2 }),
      }),
    ).toMatchObject({ certainty: 'probable' });
  });

  it('is not claimed when no packet leaves for any port, when packets leave, or when the counters are busy with others', () => {
    expect(
      firewall({ ...silent, localFilter: localFilter({ target: quiet, control: null }) }),
    ).toBeUndefined(); // an unanswered ARP request does the same
    expect(
      firewall({
        ...silent,
        localFilter: localFilter({ target: { ...quiet, leastPacketsSent: 1, mostPacketsSent: 1 } }),
      }),
    ).toBeUndefined();
    expect(
      firewall({
        ...silent,
        localFilter: localFilter({ target: { ...quiet, mostPacketsSent: 4 } }),
      }),
    ).toBeUndefined();
    expect(
      firewall({
        ...silent,
        localFilter: localFilter({
          target: { ...quiet, leastPacketsSent: 2, mostPacketsSent: 4 },
          failedRepeats: 1,
        }),
      }),
    ).toBeUndefined();
  });
});

describe('the verdict', () => {
  it('is name resolution and not the service when the given address is open', () => {
    expect(verdict({ ...nxdomain, given: open(OTHER_V4) }).statement).toBe(
      `Name resolution is at fault and not the service, which is open at ${OTHER_V4}:${PORT}: there is no name db.example, or it is an alias for a name that does not exist, says DNS server 192.0.2.53 (NXDOMAIN).`,
    );
  });

  it('is about the port when the DNS servers disagree in what does not decide', () => {
    const disagreeing = { servers: [server([V4]), server('no-such-name', '192.0.2.54')] };
    expect(verdict({ attempts: [closed()], name: disagreeing }).kind).toBe('refused');
    expect(
      verdict({
        attempts: [filtered()],
        companions,
        name: { servers: [server([V4]), server([OTHER_V4], '192.0.2.54')] },
      }).kind,
    ).toBe('port-filtered');
  });

  it('is about the port when what the hosts file hides is no better', () => {
    const name = {
      servers: [server([OTHER_V4])],
      hostsFile: { path: '/etc/hosts', addresses: [V4] },
    };
    expect(verdict({ attempts: [closed()], dnsOnly: [closed(OTHER_V4)], name }).kind).toBe(
      'refused',
    );
    expect(kindsOf({ attempts: [closed()], dnsOnly: [closed(OTHER_V4)], name })).toContain(
      'hosts-file-override',
    );
  });

  it('is this machine before anything that it cannot see for that', () => {
    expect(verdict({ ...nxdomain, machine: { addresses: [], sourceAddress: null } }).kind).toBe(
      'no-network',
    );
  });

  it('names both causes when nothing answers, also when no other port was tried', () => {
    for (const companionPorts of [silence, null])
      expect(verdict({ attempts: [filtered()], companions: companionPorts }).statement).toMatch(
        /the host is down, or a firewall drops everything; the two look alike from here\.$/,
      );
  });

  it('is not contradicted by what it explains', () => {
    expect(kindsOf({ attempts: [closed()], companions, localFilter: localFilter({}) })).toEqual([
      'local-firewall',
    ]);
    expect(kindsOf({ attempts: [closed()], companions, refusalTiming: nearer })).toEqual([
      'refused-on-the-way',
    ]);
    expect(kindsOf({ attempts: [filtered('no-response', V6), open()] })).toEqual(['family-broken']);
  });

  it('says so when nothing explains it', () => {
    expect(kindsOf({ attempts: [failed('unknown-error')] })).toEqual(['unexplained']);
  });

  it('always exists, whatever was seen, and hints are never it', () => {
    const attempt = fc.constantFrom(
      ...[V4, V6].flatMap((address) => [
        open(address),
        closed(address),
        filtered('no-response', address),
        filtered('host-unreach', address, PORT, 3000),
        filtered('net-unreach', address),
        filtered('proto-unreach', address),
        filtered('admin-prohibited', address),
        failed('no-route', address),
        failed('unknown-error', address),
        { ...failed('no-route', address), state: 'cancelled' } as const,
      ]),
    ) as fc.Arbitrary<ReturnType<typeof open>>;
    const attempts = fc.array(attempt, { maxLength: 3 });
    const servers = fc.array(
      fc.constantFrom(
        server([V4]),
        server([OTHER_V4, V6]),
        ...(
          [
            'no-record',
            'no-such-name',
            'servfail',
            'refused',
            'broken',
            'unreachable',
            'silent',
            'cancelled',
          ] as const
        ).map((kind) => server(kind)),
      ),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(
        fc.record({
          attempts,
          dnsOnly: attempts,
          given: fc.option(attempt, { nil: undefined }),
          companions: fc.option(attempts),
          loopback: attempts,
          name: fc.record({ servers }),
          host: fc.constantFrom('db.example', 'localhost'),
        }),
        ({ given, ...rest }) => {
          const found = findings(observations(given ? { ...rest, given } : rest));
          expect(verdictOf(found).certainty).not.toBe('possible');
          expect(new Set(found.map(({ kind }) => kind)).size).toBe(found.length);
        },
      ),
    );
  });
});
