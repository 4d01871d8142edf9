import { describe, expect, it } from 'vitest';
import type { Outcome, ProbeReport, ServerAnswer } from '../../../src/core/facts/outcome.js';
import type {
  ClosedReason,
  FailedReason,
  FilteredReason,
  UnresolvedReason,
} from '../../../src/core/states.js';
import { explain } from '../../../src/report/failures/explanation.js';
import {
  answeredService,
  cancelledOutcome,
  closedOutcome,
  droppedService,
  endpoint,
  endpoint6,
  errorOf,
  failedOutcome,
  filteredOutcome,
  HARMFUL,
  HOSTILE,
  openOutcome,
  reportOf,
  resolved,
  silentService,
  tlsFailedService,
  unresolvedOutcome,
} from '../../support/reports.js';

/** The two lines that explain an outcome. */
function linesOf(outcome: Outcome, facts: Partial<ProbeReport> = {}): [string, string] {
  const explanation = explain(reportOf(outcome, facts));
  if (explanation === null) throw new TypeError('nothing to explain');
  return [explanation.what, explanation.advice];
}

type Lines = readonly [what: string, advice: string];

const CLOSED: Record<ClosedReason, Lines> = {
  'conn-refused': [
    '10061 WSAECONNREFUSED (ECONNREFUSED): 192.0.2.10:25 refused the connection after 0.31 ms.',
    'Nothing listens on that port, or a firewall rejects it. Both look the same from here. ' +
      'Check that the service is running and listens on this address.',
  ],
};

const FILTERED: Record<FilteredReason, Lines> = {
  'no-response': [
    '10060 WSAETIMEDOUT (ETIMEDOUT): no answer from 192.0.2.10 within 4 s.',
    'A firewall drops the packets, the host is absent or overloaded, or a ' +
      'router on the way is down or misrouted. All look the same from here. Run `portping ' +
      '--diagnose mail.example.com 25` to find out more.',
  ],
  'host-unreach': [
    '10065 WSAEHOSTUNREACH (EHOSTUNREACH): connecting to 192.0.2.10 failed with "host ' +
      'unreachable" after 4 s.',
    'A firewall rejects the connection, a router does not find the host, or the packets circle ' +
      'between routers until they expire (a routing loop). All look the same from here. Check ' +
      'the address, the routing and the firewalls, also the one on this machine (firewalld ' +
      'rejects in this way by default).',
  ],
  'net-unreach': [
    '10051 WSAENETUNREACH (ENETUNREACH): connecting to 192.0.2.10 failed with "network ' +
      'unreachable" after 4 s.',
    'A router has no route to that network or prohibits the connection, or a firewall rejects ' +
      'it. All look the same from here. Check the address, the routing, the VPN if you need one, ' +
      'and the firewalls, also the one on this machine.',
  ],
  'proto-unreach': [
    '10042 WSAENOPROTOOPT (ENOPROTOOPT): connecting to 192.0.2.10 failed with "protocol ' +
      'unreachable" after 4 s.',
    'Probably a firewall or router rejects the connection in an unusual way, or the host has no ' +
      'TCP. Check the address, and ask the administrator of the network there.',
  ],
  'admin-prohibited': [
    '10013 WSAEACCES (EACCES): a firewall or router reported after 4 s that connections to ' +
      '192.0.2.10:25 are prohibited.',
    'This is policy, not a fault of the host. Ask the administrator of the firewall or router, ' +
      'which may be this machine.',
  ],
  'icmp-error': [
    '10045 WSAEOPNOTSUPP (ENOTSUP): connecting to 192.0.2.10 failed after 4 s with an ICMP ' +
      'error: "source route failed".',
    'The packet left this machine. A router, a firewall or the host rejected it in this unusual ' +
      'way. Ask the operators of the network on the way.',
  ],
};

const FAILED: Record<FailedReason, Lines> = {
  'no-route': [
    '10051 WSAENETUNREACH (ENETUNREACH): this machine has no usable route to 192.0.2.10. ' +
      'Nothing was sent.',
    "Check this machine's network connection, its default route and its VPN.",
  ],
  'no-ports-left': [
    '10049 WSAEADDRNOTAVAIL (EADDRNOTAVAIL): this machine has no free source port for the ' +
      'connection. Nothing was sent.',
    'Too many connections are open, or were closed within the last minute (TIME_WAIT). ' +
      'Wait, or widen the range of ephemeral ports.',
  ],
  'no-files-left': [
    '10024 WSAEMFILE (EMFILE): no file descriptor was left for the probe. Nothing was sent.',
    'Raise the limit (ulimit -n), or close programs that hold many descriptors.',
  ],
  'not-permitted': [
    '10013 WSAEACCES (EPERM): this machine does not permit connections to 192.0.2.10. ' +
      'Nothing was sent.',
    "Check this machine's firewall, policy routes and sandbox. The other side is not involved.",
  ],
  'bad-source': [
    '10049 WSAEADDRNOTAVAIL (EADDRNOTAVAIL): this machine cannot use the source address ' +
      'for this target. Nothing was sent.',
    'Use an address that this machine has, of the same family as the target.',
  ],
  'no-resources': [
    '10055 WSAENOBUFS (ENOBUFS): the system had no memory or buffers for the connection. ' +
      'Nothing was sent.',
    "Check this machine's load, then try again.",
  ],
  'unknown-error': [
    "Unknown error EWHATEVER: connect failed with an error that is not in portping's table.",
    'Nothing was learned about the port. Please report this line as a bug.',
  ],
};

const TRY_ADDRESS = 'Try the IP address: if it works, suspect name resolution, not the service.';

const UNRESOLVED: Record<UnresolvedReason, Lines> = {
  'name-not-found': [
    "11001 WSAHOST_NOT_FOUND (ENOTFOUND): the system's resolver (DNS: 198.51.100.53) " +
      'answered after 8.25 ms that there is no name mail.example.com.',
    `Check the spelling and, if the name is an alias (CNAME), its target. ${TRY_ADDRESS}`,
  ],
  'name-no-address': [
    "11004 WSANO_DATA (ENODATA): the system's resolver (DNS: 198.51.100.53) answered after " +
      '8.25 ms that mail.example.com exists but has no address.',
    'Ask the administrator of its DNS zone for an A or AAAA record.',
  ],
  'resolver-failed': [
    "11002 WSATRY_AGAIN (EAI_AGAIN): resolving mail.example.com with the system's resolver " +
      '(DNS: 198.51.100.53) failed after 8.25 ms.',
    `Check the DNS server. ${TRY_ADDRESS}`,
  ],
  'resolver-timeout': [
    "11002 WSATRY_AGAIN (ETIMEOUT): the system's resolver (DNS: 198.51.100.53) did not " +
      'answer for mail.example.com within 8.25 ms.',
    `A lookup can take longer than that: use a longer --timeout. ${TRY_ADDRESS}`,
  ],
};

const rowsOf = <R extends string>(
  table: Record<R, Lines>,
  outcomeOf: (reason: R) => Outcome,
): [R, Outcome, Lines][] =>
  (Object.keys(table) as R[]).map((reason) => [reason, outcomeOf(reason), table[reason]]);

describe('the explanation of a reason', () => {
  it.each([
    ...rowsOf(CLOSED, () => closedOutcome()),
    ...rowsOf(FILTERED, (reason) => filteredOutcome(reason)),
    ...rowsOf(FAILED, (reason) => failedOutcome(reason)),
    ...rowsOf(UNRESOLVED, (reason) => unresolvedOutcome(reason)),
  ])('%s says what was seen and what to do next', (_, outcome, lines) => {
    expect(linesOf(outcome)).toEqual(lines);
  });

  it.each([
    ['silent', silentService()],
    ['dropped', droppedService()],
    ['tls-failed', tlsFailedService()],
  ])('%s says what the service did, and what to do next', (_, service) => {
    const [what, advice] = linesOf(openOutcome({ service }));
    expect(what).toMatch(/^Service: \w+ .*\.$/);
    expect(advice).toMatch(/^[A-Z].*\.$/);
  });

  it('is missing when the port is open and its service answered', () => {
    expect(explain(reportOf(openOutcome()))).toBeNull();
    expect(explain(reportOf(openOutcome({ service: answeredService() })))).toBeNull();
  });

  it('is missing when the probe was cancelled', () => {
    expect(explain(reportOf(cancelledOutcome()))).toBeNull();
  });
});

describe('the explanation of silence', () => {
  it('names every silent address, and no other', () => {
    const attempts = [
      filteredOutcome(),
      filteredOutcome('no-response', { endpoint: endpoint6 }),
      filteredOutcome('host-unreach', { endpoint: { ...endpoint, address: '192.0.2.11' } }),
    ];
    expect(linesOf(filteredOutcome(), { attempts })[0]).toBe(
      '10060 WSAETIMEDOUT (ETIMEDOUT): no answer from 192.0.2.10 and 2001:db8::1 within 4 s.',
    );
  });

  it.each([
    [486, 500, '500 ms'],
    [4998, 5000, '5 s'],
    [507, 500, '500 ms'],
    [380, 500, '380 ms'],
    [700, 500, '700 ms'],
    [127_000, 600_000, '2 min 7 s'],
  ])('shows a wait of %d ms of a timeout of %d ms as %s', (elapsedMs, timeoutMs, shown) => {
    const silent = filteredOutcome('no-response', { elapsedMs });
    expect(linesOf(silent, { timeoutMs })[0]).toMatch(new RegExp(` within ${shown}\\.$`));
  });

  it('mentions a lookup that took most of the timeout', () => {
    const resolution = { ...resolved(), elapsedMs: 4000 };
    const outcome = filteredOutcome('no-response', { elapsedMs: 1000 });
    expect(linesOf(outcome, { resolution })[0]).toMatch(
      / within 1 s\. Resolving the name took 4 s of the 5 s timeout\.$/,
    );
  });

  it('lists a timeout below 1 s as a possible cause', () => {
    const adviceAfter = (elapsedMs: number) =>
      linesOf(filteredOutcome('no-response', { elapsedMs }))[1];
    expect(adviceAfter(999)).toBe(
      'A firewall drops the packets, the host is absent or overloaded, its ' +
        'answer takes longer than 999 ms, or a router on the way is down or ' +
        'misrouted. All look the same from here. ' +
        'Run `portping --diagnose mail.example.com 25` to find out more.',
    );
    expect(adviceAfter(1000)).not.toContain('takes longer');
  });
});

describe('the explanation of "host unreachable"', () => {
  it.each([
    [endpoint, 'ARP'],
    [endpoint6, 'neighbour discovery'],
  ])('after about 3 s names an absent host and a limited reply at %j', (at, protocol) => {
    const outcome = filteredOutcome('host-unreach', { endpoint: at, elapsedMs: 3070 });
    expect(linesOf(outcome)).toEqual([
      `10065 WSAEHOSTUNREACH (EHOSTUNREACH): connecting to ${at.address} failed with "host ` +
        `unreachable" after 3.07 s, the usual ${protocol} timeout.`,
      'No host with this address is up in its network, a router on the way is ' +
        'down, or a router or firewall that limits its replies rejects the ' +
        'connection. All look the same from here. Check the address, that the ' +
        'host and the gateway are on, and the firewalls.',
    ]);
  });
});

describe('the explanation of used-up source ports', () => {
  it('says that ports are not shared with --source, after a failed bind', () => {
    const error = errorOf('EADDRINUSE');
    expect(linesOf(failedOutcome('no-ports-left', { error }))[1]).toMatch(
      new RegExp(
        String.raw` With --source each connection needs a port of its own; without it, ` +
          String.raw`connections to different targets can share one\.$`,
      ),
    );
  });

  it('says that ports are never shared on Windows, and not that --source is the cause', () => {
    const error = { ...errorOf('EADDRINUSE'), errno: -4091 };
    expect(linesOf(failedOutcome('no-ports-left', { error }))[1]).toMatch(
      /\(netsh .* tcp\)\. On Windows each connection of portping needs a port of its own\.$/,
    );
  });
});

describe('the explanation of an unresolved name', () => {
  const answered = (
    family: 4 | 6,
    code: string | null,
    server = '198.51.100.53',
  ): ServerAnswer => ({
    server,
    family,
    error: code === null ? null : { ...errorOf(code), syscall: null },
  });

  it('names the DNS server that was asked instead of the system', () => {
    expect(linesOf(unresolvedOutcome('name-not-found', { via: '192.0.2.53' }))[0]).toBe(
      '11001 WSAHOST_NOT_FOUND (ENOTFOUND): the DNS server 192.0.2.53 answered after 8.25 ' +
        'ms that there is no name mail.example.com.',
    );
  });

  it.each([
    [null, 'has addresses'],
    ['ENOTFOUND', 'no such name'],
    ['ENODATA', 'no address'],
    ['ESERVFAIL', 'SERVFAIL'],
    ['EFORMERR', 'FORMERR'],
    ['EBADRESP', 'unusable answer'],
    ['ENORECURSION', 'no recursion'],
    ['ECONNREFUSED', 'port unreachable'],
    ['ETIMEOUT', 'no answer'],
    ['EWHATEVER', 'EWHATEVER'],
  ])('lists what each DNS server answered: %s is "%s"', (code, words) => {
    const answers = [answered(4, code)];
    const servers = ['198.51.100.53', '198.51.100.54'];
    expect(linesOf(unresolvedOutcome('resolver-failed', { servers, answers }))[0]).toContain(
      `with the system's resolver (DNS 198.51.100.53: ${words}; 198.51.100.54) failed after`,
    );
  });

  it.each([
    ['ETIMEOUT', 'ETIMEOUT', 'no answer'],
    [null, 'ENODATA', 'has addresses'],
    [null, 'ETIMEOUT', 'A has addresses, AAAA no answer'],
    ['ETIMEOUT', 'ENODATA', 'A no answer, AAAA no address'],
  ])('lists the answers to both types if they differ: %s and %s', (a, aaaa, words) => {
    const answers = [answered(6, aaaa), answered(4, a)];
    const servers = ['198.51.100.53'];
    expect(linesOf(unresolvedOutcome('resolver-timeout', { servers, answers }))[0]).toContain(
      `the system's resolver (DNS 198.51.100.53: ${words}) did not answer`,
    );
    const asked = { via: '198.51.100.53', servers, answers };
    const [what] = linesOf(unresolvedOutcome('resolver-timeout', asked));
    const differ = a !== aaaa;
    expect(what).toContain(
      `the DNS server 198.51.100.53${differ ? ` (${words})` : ''} did not answer`,
    );
  });

  it.each<[what: string, answers: ServerAnswer[], advice: RegExp]>([
    [
      'a type that is not answered, and how to do without it',
      [answered(4, null), answered(6, 'ETIMEOUT')],
      /^The DNS server, or a firewall, drops questions for AAAA records\. Use -4 until/,
    ],
    [
      'a type that is not answered, without an address of the other',
      [answered(4, 'ETIMEOUT'), answered(6, 'ENODATA')],
      /^The DNS server, or a firewall, drops questions for A records\. Try the IP/,
    ],
    [
      'the server that is silent beside another',
      [answered(4, 'ETIMEOUT'), answered(4, null, '198.51.100.54')],
      /^198\.51\.100\.53 is down or too slow, answers from another address, or its packets are dropped\. Repair or remove it, or use a longer/,
    ],
    [
      'another cause if every server answers',
      [answered(4, null), answered(6, 'ENODATA')],
      /^The DNS servers answer now\. They were slow at first, or another source of names is slow\./,
    ],
    [
      'another failure of the DNS server',
      [{ ...answered(4, 'ETIMEOUT'), error: { ...errorOf('ETIMEOUT'), syscall: 'queryATcp' } }],
      /^The answer does not fit into UDP, and .* over TCP\. Open TCP port 53 of the DNS server\./,
    ],
    [
      'the server if it is silent',
      [answered(4, 'ETIMEOUT'), answered(6, 'ETIMEOUT')],
      /^The DNS server is down or too slow, answers from another address, or its packets are dropped\./,
    ],
  ])('names %s', (_, answers, advice) => {
    const facts = { elapsedMs: 5000, servers: ['198.51.100.53', '198.51.100.54'], answers };
    expect(linesOf(unresolvedOutcome('resolver-timeout', facts))[1]).toMatch(advice);
  });

  it.each([
    [
      'name-not-found',
      ['a.test', 'b.test'],
      'mail.example.com is an alias (CNAME) for b.test, which does not exist.',
    ],
    [
      'name-no-address',
      ['b.test'],
      'mail.example.com is an alias (CNAME) for b.test, which has no address.',
    ],
    [
      'name-no-address',
      ['b.test', 'mail.example.com'],
      'mail.example.com is an alias (CNAME) that leads back to itself (b.test, mail.example.com).',
    ],
  ] as const)('says where an alias leads: %s, %j', (reason, aliases, words) => {
    expect(linesOf(unresolvedOutcome(reason, { aliases }))[0]).toContain(` that ${words}`);
  });

  it('says that 0.0.0.0 is the address of no host, and what usually answers so', () => {
    const facts = { unspecified: ['0.0.0.0', '::'] };
    expect(linesOf(unresolvedOutcome('name-no-address', facts))).toEqual([
      expect.stringMatching(
        / that mail\.example\.com has only 0\.0\.0\.0 and ::, which no host has as its address\.$/,
      ),
      'A DNS filter or an entry in the hosts file usually blocks a name like this. Check both, ' +
        'or ask another DNS server with --dns.',
    ]);
  });

  it.each([
    [4, 'exists but has no IPv4 address.'],
    [6, 'exists but has no IPv6 address.'],
  ] as const)('names the family that was asked for: IPv%i', (family, words) => {
    const [what, advice] = linesOf(unresolvedOutcome('name-no-address', { family }));
    expect(what).toContain(words);
    expect(advice).toBe(
      `Try without -${family}, or ask the administrator of its DNS zone for an address.`,
    );
  });

  it('reports an address that is not of the requested family', () => {
    const facts = { host: '192.0.2.10', via: 'literal', family: 6 } as const;
    expect(linesOf(unresolvedOutcome('name-no-address', facts))).toEqual([
      '11004 WSANO_DATA (ENODATA): 192.0.2.10 is not an IPv6 address.',
      'Remove -6 or --source, or use an IPv6 address.',
    ]);
  });

  it.each([
    ['ESERVFAIL', 'the DNS server failed (SERVFAIL)'],
    ['EREFUSED', 'the DNS server refuses to answer (REFUSED)'],
    ['EFORMERR', 'the DNS server did not understand (FORMERR)'],
    [
      'ENORECURSION',
      'the DNS server does not look the name up at other servers (no recursion), ' +
        'so its answer says nothing about the name',
    ],
    ['ENOTIMP', 'the DNS server does not support this (NOTIMP)'],
    [
      'ECONNREFUSED',
      "the DNS server's port is unreachable: nothing listens there, or a firewall rejects it",
    ],
  ])('gives the answer of a failed DNS server: %s', (code, words) => {
    const [what] = linesOf(unresolvedOutcome('resolver-failed', { error: errorOf(code) }));
    expect(what).toMatch(/ resolving mail\.example\.com with .* failed after 8\.25 ms: /);
    expect(what.endsWith(`: ${words}.`)).toBe(true);
  });

  it.each([
    ['EPERM', 'send', 'this machine does not permit the question, and nothing was sent'],
    ['ENETUNREACH', 'connect', 'this machine has no usable route to the DNS server'],
    ['EHOSTUNREACH', 'recvmsg', 'an ICMP message rejected the question, probably from a firewall'],
    ['ECONNREFUSED', 'queryATcp', 'the answer does not fit into UDP, and the DNS server does not'],
    ['ETIMEOUT', 'queryATcp', 'the answer does not fit into UDP, and the DNS server does not'],
  ])('tells what the question failed at: %s of %s', (code, syscall, words) => {
    const error = { ...errorOf(code), syscall };
    expect(linesOf(unresolvedOutcome('resolver-failed', { error }))[0]).toContain(`: ${words}`);
  });

  it('suspects the DNS server when a lookup took 1 s or more', () => {
    expect(linesOf(unresolvedOutcome('resolver-timeout', { elapsedMs: 1000 }))[1]).toBe(
      'The DNS server is down or too slow, answers from another address, or its packets are ' +
        `dropped. ${TRY_ADDRESS}`,
    );
  });

  it('exists when the lookup could not start', () => {
    const outcome: Outcome = {
      state: 'failed',
      reason: 'no-files-left',
      host: 'mail.example.com',
      via: 'system',
      elapsedMs: 1,
      error: errorOf('EMFILE'),
    };
    expect(linesOf(outcome)[0]).toBe(
      '10024 WSAEMFILE (EMFILE): no file descriptor was left for the probe. Nothing was sent.',
    );
  });
});

describe('the explanation of an unknown error', () => {
  it('contains its name, its number and the failed call', () => {
    const error = errorOf('EWHATEVER', { errno: -4000 });
    expect(linesOf(failedOutcome('unknown-error', { error }))[0]).toBe(
      'Unknown error EWHATEVER (-4000): connect failed with an error that is not in ' +
        "portping's table.",
    );
  });

  it('says when a known error is unusual for a probe', () => {
    const error = errorOf('ENOTSOCK', { syscall: null });
    expect(linesOf(failedOutcome('unknown-error', { error }))[0]).toBe(
      '10038 WSAENOTSOCK (ENOTSOCK): the probe failed with an error that is unusual for a probe.',
    );
  });
});

describe('the explanation of errors of Windows', () => {
  it('of UNKNOWN says that Windows gave no reason, and what it most often is', () => {
    const error = errorOf('UNKNOWN', { errno: -4094 });
    expect(linesOf(failedOutcome('unknown-error', { error }))).toEqual([
      'UNKNOWN (-4094): Windows gave no reason that Node can pass on.',
      "Most often this machine's network is down (WSAENETDOWN), or no host answers at the " +
        'address (WSAEHOSTDOWN). Check the network connection, then the address.',
    ]);
  });

  it('does not take an error without a code, which Node calls nothing, for one of Windows', () => {
    const error = errorOf('UNKNOWN', { errno: null });
    expect(linesOf(failedOutcome('unknown-error', { error }))[0]).toBe(
      "Unknown error UNKNOWN: connect failed with an error that is not in portping's table.",
    );
  });

  it('of EADDRNOTAVAIL blames the remote address, and for IPv6 also a machine without it', () => {
    const error = errorOf('EADDRNOTAVAIL', { errno: -4090 });
    expect(linesOf(failedOutcome('no-route', { error }))).toEqual([
      '10049 WSAEADDRNOTAVAIL (EADDRNOTAVAIL): Windows cannot connect to 192.0.2.10. ' +
        'Nothing was sent.',
      'It is not the address of a single host, but multicast or broadcast, for example.',
    ]);
    expect(linesOf(failedOutcome('no-route', { error, endpoint: endpoint6 }))[1]).toBe(
      'It is not the address of a single host, or this machine has no IPv6. Check both.',
    );
  });

  it('of EADDRNOTAVAIL on Linux speaks of the route: this machine has no IPv6', () => {
    const error = errorOf('EADDRNOTAVAIL', { errno: -99 });
    expect(linesOf(failedOutcome('no-route', { error, endpoint: endpoint6 }))[0]).toContain(
      'this machine has no usable route',
    );
  });

  it('of ECONNABORTED names local security software', () => {
    const error = errorOf('ECONNABORTED', { errno: -4079 });
    expect(linesOf(failedOutcome('unknown-error', { error }))).toEqual([
      '10053 WSAECONNABORTED (ECONNABORTED): this machine aborted the connection before it was ' +
        'open.',
      'Often local security software does this: a firewall, an antivirus program or a VPN. ' +
        'A change of the network can do it, too. Try again, then check this software.',
    ]);
  });
});

describe('the explanation of local network privacy', () => {
  it('names the setting of macOS, who needs no permission, and what looks alike', () => {
    const error = errorOf('EHOSTUNREACH', { errno: -65 });
    expect(linesOf(failedOutcome('not-permitted', { error }))).toEqual([
      '10065 WSAEHOSTUNREACH (EHOSTUNREACH): macOS stopped the connection to 192.0.2.10 in the ' +
        'local network. Nothing was sent.',
      'Allow the app that started portping in System Settings > Privacy & Security > Local ' +
        'Network. Terminal, ssh and root need no permission. A VPN or security software can ' +
        'also do this.',
    ]);
  });

  it('is not given for a missing route', () => {
    const error = errorOf('EHOSTUNREACH', { errno: -65 });
    expect(linesOf(failedOutcome('no-route', { error })).join(' ')).not.toContain('Local Network');
  });
});

describe('an explanation of hostile text', () => {
  it.each<[string, Outcome]>([
    [
      'a name that is not found',
      unresolvedOutcome('name-not-found', { host: HOSTILE, via: HOSTILE, servers: [HOSTILE] }),
    ],
    ['an answer of a resolver', unresolvedOutcome('resolver-failed', { servers: [HOSTILE] })],
    ['an error', failedOutcome('unknown-error', { error: errorOf(HOSTILE, { syscall: HOSTILE }) })],
  ])('has no control characters: %s', (_, outcome) => {
    const target = { host: HOSTILE, port: 25 };
    for (const line of linesOf(outcome, { target })) expect(line).not.toMatch(HARMFUL);
  });
});
