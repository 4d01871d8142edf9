import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  errorFacts,
  HERE,
  isResetAfterHandshake,
  judgeSocketError,
  TIMED_OUT,
} from '../../../src/core/errors/socket-errors.js';

/**
 * An error like those of net.Socket (ExceptionWithHostPort in lib/net.js).
 * The message of a local fault ends with our own endpoint.
 */
function nodeError(
  code: string,
  {
    syscall = 'connect',
    local = false,
    address = '10.99.0.1',
    source = address.includes(':') ? '::' : '0.0.0.0',
  } = {},
): Error {
  const errno = -((constants.errno as Record<string, number>)[code] ?? 4095);
  const message = `${syscall} ${code} ${address}:80${local ? ` - Local (${source}:0)` : ''}`;
  return Object.assign(new Error(message), { errno, code, syscall, address, port: 80 });
}

/** `state reason` of an error on an address of this family, on a machine with IPv6. */
function verdict(
  error: unknown,
  family: 4 | 6 = 4,
  ipv6Here = true,
  platform: NodeJS.Platform = 'linux',
): string {
  const { state, reason } = judgeSocketError(error, family, {
    platform,
    hasIpv6Address: () => ipv6Here,
    isOnLink: (address) => /^(192\.168\.1\.|fe80:)/.test(address),
  });
  return `${state} ${reason}`;
}

/** What happened, the error that Linux and Node gave (test/lab/lab.test.ts), and its verdict. */
const ROWS: readonly [
  situation: string,
  code: string,
  where: 'remote' | 'local' | 'bind',
  family: 4 | 6,
  verdict: string,
][] = [
  ['a RST', 'ECONNREFUSED', 'remote', 4, 'closed conn-refused'],
  ['a RST', 'ECONNREFUSED', 'remote', 6, 'closed conn-refused'],
  ['port-unreachable', 'ECONNREFUSED', 'remote', 4, 'closed conn-refused'],
  ['port-unreachable', 'ECONNREFUSED', 'remote', 6, 'closed conn-refused'],
  ['a drop that the kernel gave up on before us', 'ETIMEDOUT', 'remote', 4, 'filtered no-response'],
  [
    'admin-prohibited, host-unreachable, host-prohibited',
    'EHOSTUNREACH',
    'remote',
    4,
    'filtered host-unreach',
  ],
  ['addr-unreachable', 'EHOSTUNREACH', 'remote', 6, 'filtered host-unreach'],
  ['an unanswered request for a neighbour', 'EHOSTUNREACH', 'remote', 4, 'filtered host-unreach'],
  ['host unknown', 'EHOSTDOWN', 'remote', 4, 'filtered host-unreach'],
  ['net-unreachable, net-prohibited', 'ENETUNREACH', 'remote', 4, 'filtered net-unreach'],
  ['no-route from a router', 'ENETUNREACH', 'remote', 6, 'filtered net-unreach'],
  ['proto-unreachable', 'ENOPROTOOPT', 'remote', 4, 'filtered proto-unreach'],
  [
    'admin-prohibited, policy-fail, reject-route',
    'EACCES',
    'remote',
    6,
    'filtered admin-prohibited',
  ],
  ['time exceeded: a routing loop', 'EHOSTUNREACH', 'remote', 6, 'filtered host-unreach'],
  ['source route failed (ICMP 3/5)', 'ENOTSUP', 'remote', 4, 'filtered icmp-error'],
  ['source host isolated (ICMP 3/8)', 'ENONET', 'remote', 4, 'filtered icmp-error'],
  ['parameter problem (ICMP 12)', 'EPROTO', 'remote', 4, 'filtered icmp-error'],
  [
    'parameter problem, an unknown code (ICMPv6 4, 1/7)',
    'EPROTO',
    'remote',
    6,
    'filtered icmp-error',
  ],
  ['a call that this system does not support', 'ENOTSUP', 'local', 4, 'failed unknown-error'],
  ['a call that fails here', 'EPROTO', 'local', 6, 'failed unknown-error'],
  ['no route here, interface down', 'ENETUNREACH', 'local', 4, 'failed no-route'],
  ['no route here, interface down', 'ENETUNREACH', 'local', 6, 'failed no-route'],
  ['a route `unreachable`', 'EHOSTUNREACH', 'local', 4, 'failed no-route'],
  ['a route `unreachable`', 'EHOSTUNREACH', 'local', 6, 'failed no-route'],
  ['a route `prohibit`', 'EACCES', 'local', 4, 'failed not-permitted'],
  ['a route `prohibit`', 'EACCES', 'local', 6, 'failed not-permitted'],
  ['a route `blackhole`', 'EINVAL', 'local', 4, 'failed no-route'],
  ['a route `blackhole`', 'EINVAL', 'local', 6, 'failed no-route'],
  ['the network down', 'ENETDOWN', 'local', 4, 'failed no-route'],
  ['no such family', 'EAFNOSUPPORT', 'local', 6, 'failed no-route'],
  ['a local firewall', 'EPERM', 'local', 4, 'failed not-permitted'],
  ['a local firewall that answers late', 'EPERM', 'remote', 4, 'failed not-permitted'],
  ['ephemeral ports used up', 'EADDRNOTAVAIL', 'local', 4, 'failed no-ports-left'],
  ['ephemeral ports used up', 'EADDRNOTAVAIL', 'local', 6, 'failed no-ports-left'],
  ['source ports used up at a source address', 'EADDRINUSE', 'remote', 4, 'failed no-ports-left'],
  ['source ports used up at a source address', 'EADDRINUSE', 'remote', 6, 'failed no-ports-left'],
  [
    'source ports used up, had Node said so of our own end',
    'EADDRINUSE',
    'local',
    4,
    'failed no-ports-left',
  ],
  ['no buffers', 'ENOBUFS', 'local', 4, 'failed no-resources'],
  ['no memory', 'ENOMEM', 'local', 4, 'failed no-resources'],
  ['nothing free at the moment', 'EAGAIN', 'local', 4, 'failed no-resources'],
  ['the limit on files', 'EMFILE', 'local', 4, 'failed no-files-left'],
  ["the system's limit on files", 'ENFILE', 'local', 4, 'failed no-files-left'],
  ['a source that is not ours', 'EADDRNOTAVAIL', 'bind', 4, 'failed bad-source'],
  ['a source of the wrong family', 'EINVAL', 'bind', 4, 'failed bad-source'],
  ['a source port in use', 'EADDRINUSE', 'bind', 4, 'failed no-ports-left'],
  ['a source that policy forbids', 'EACCES', 'bind', 4, 'failed not-permitted'],
  ['a source that a sandbox forbids', 'EPERM', 'bind', 4, 'failed not-permitted'],
];

describe('judgeSocketError', () => {
  it.each(ROWS)('judges %s (%s, %s, IPv%i) as "%s"', (...row) => {
    const [, code, where, family, expected] = row;
    const address = family === 4 ? '10.99.0.1' : 'fd77::1';
    const error = nodeError(code, {
      syscall: where === 'bind' ? 'bind' : 'connect',
      local: where === 'local',
      address,
    });
    expect(verdict(error, family)).toBe(expected);
  });

  it('reads EADDRNOTAVAIL as no-route for IPv6 on a machine without IPv6', () => {
    const error = nodeError('EADDRNOTAVAIL', { local: true });
    expect(verdict(error, 6, false)).toBe('failed no-route');
    expect(verdict(error, 4, false)).toBe('failed no-ports-left');
  });

  it.each([
    [4, '10.99.0.1', '127.0.0.1'],
    [6, 'fd77::1', '::1'],
  ] as const)(
    'reads EINVAL as bad-source if the socket had a source address (IPv%i)',
    (family, address, source) => {
      expect(verdict(nodeError('EINVAL', { local: true, address, source }), family)).toBe(
        'failed bad-source',
      );
      expect(verdict(nodeError('EINVAL', { address }), family)).toBe('failed no-route');
    },
  );

  it.each([
    ['the local network', 'EHOSTUNREACH', '192.168.1.130', '192.168.1.65', 'failed not-permitted'],
    ['a link-local address', 'EHOSTUNREACH', 'fe80::2%en0', 'fe80::1%en0', 'failed not-permitted'],
    [
      'an address behind a silent router',
      'EHOSTUNREACH',
      '8.8.8.8',
      '192.168.1.65',
      'failed no-route',
    ],
    ['an absent neighbour', 'EHOSTDOWN', '192.168.1.130', '192.168.1.65', 'failed no-route'],
    ['a target without a route', 'EHOSTUNREACH', '192.168.1.130', '0.0.0.0', 'failed no-route'],
    ['a target without a route', 'EHOSTUNREACH', 'fe80::2%en0', '::', 'failed no-route'],
    ['a dead network', 'ENETUNREACH', '192.168.1.130', '192.168.1.65', 'failed no-route'],
  ])('judges %s on macOS (%s %s from %s) as "%s"', (...row) => {
    const [, code, address, source, expected] = row;
    const family = address.includes(':') ? 6 : 4;
    const error = nodeError(code, { local: true, address, source });
    expect(verdict(error, family, true, 'darwin')).toBe(expected);
  });

  it('reads EHOSTUNREACH as privacy only if macOS itself failed the call', () => {
    const particulars = { address: '192.168.1.130', source: '192.168.1.65' };
    const answered = nodeError('EHOSTUNREACH', particulars);
    expect(verdict(answered, 4, true, 'darwin')).toBe('filtered host-unreach');
    const local = nodeError('EHOSTUNREACH', { ...particulars, local: true });
    expect(verdict(local, 4, true, 'linux')).toBe('failed no-route');
    expect(verdict(local, 4, true, 'freebsd')).toBe('failed no-route');
  });

  it('knows the networks of this machine', () => {
    const error = nodeError('EHOSTUNREACH', {
      local: true,
      address: '127.0.0.2',
      source: '127.0.0.1',
    });
    const judge = (address: string): string =>
      judgeSocketError(Object.assign(error, { address }), 4, { ...HERE, platform: 'darwin' })
        .reason;
    expect(judge('127.0.0.2')).toBe('not-permitted');
    expect(judge('198.18.0.1')).toBe('no-route');
  });

  it.each([
    ['an invalid remote address', 'EADDRNOTAVAIL', -4090, 'failed no-route'],
    ['an error without a name', 'UNKNOWN', -4094, 'failed unknown-error'],
    ['a connection aborted here', 'ECONNABORTED', -4079, 'failed unknown-error'],
    ['source ports used up', 'EADDRINUSE', -4091, 'failed no-ports-left'],
  ])('judges %s on Windows (%s %i) as "%s"', (_, code, errno, expected) => {
    const error = Object.assign(nodeError(code, { address: '224.0.0.1' }), { errno });
    expect(verdict(error, 4, true, 'win32')).toBe(expected);
  });

  it('reads EADDRNOTAVAIL of `bind` on Windows as a bad source', () => {
    const error = Object.assign(nodeError('EADDRNOTAVAIL', { syscall: 'bind' }), { errno: -4090 });
    expect(verdict(error, 4, true, 'win32')).toBe('failed bad-source');
  });

  it('reads "- Local" only at the end of the message as a local fault', () => {
    const inTheMiddle = Object.assign(
      new Error('connect ENETUNREACH - Local (0.0.0.0:0) 10.0.0.1:80'),
      { code: 'ENETUNREACH', syscall: 'connect' },
    );
    expect(verdict(inTheMiddle)).toBe('filtered net-unreach');
  });

  it.each(['ENFILE', 'EMFILE', 'ENOBUFS'])(
    'judges %s from `socket` the same as from `connect`',
    (code) => {
      expect(verdict(nodeError(code, { syscall: 'socket' }))).toBe(verdict(nodeError(code)));
    },
  );

  it('judges an AggregateError, whose own message is empty, by its first cause', () => {
    const aggregate = Object.assign(
      new AggregateError([nodeError('ECONNREFUSED'), nodeError('EHOSTUNREACH')], ''),
      { code: 'ETIMEDOUT' },
    );
    expect(verdict(aggregate)).toBe('closed conn-refused');
    expect(verdict(new AggregateError([nodeError('EMFILE')], ''))).toBe('failed no-files-left');
  });

  it.each(['EWHATEVER', 'ERR_SOCKET_BAD_PORT', '', 'constructor'])(
    'judges the unknown code %j as failed unknown-error',
    (code) => {
      expect(verdict(nodeError(code))).toBe('failed unknown-error');
    },
  );

  it.each([null, undefined, 'ECONNREFUSED', 42, new Error('odd'), { code: 111 }])(
    'judges %s, which has no code, as failed unknown-error',
    (error) => {
      expect(verdict(error)).toBe('failed unknown-error');
    },
  );
});

describe('errorFacts', () => {
  it("keeps Node's name, number and call, and adds the Windows Sockets number", () => {
    expect(errorFacts(nodeError('ECONNREFUSED'))).toEqual({
      code: 'ECONNREFUSED',
      errno: -constants.errno.ECONNREFUSED,
      winsock: 10061,
      syscall: 'connect',
    });
  });

  it('returns null for facts that the error does not have', () => {
    expect(errorFacts({ code: 'ETIMEOUT' })).toEqual({
      code: 'ETIMEOUT',
      errno: null,
      winsock: 11002,
      syscall: null,
    });
    expect(errorFacts({ code: 'EMFILE', errno: 'EMFILE', syscall: 7 })).toEqual({
      code: 'EMFILE',
      errno: null,
      winsock: 10024,
      syscall: null,
    });
  });

  it('keeps an unknown code and returns no Windows Sockets number for it', () => {
    expect(errorFacts({ code: 'EWHATEVER', errno: -4000, syscall: 'connect' })).toEqual({
      code: 'EWHATEVER',
      errno: -4000,
      winsock: null,
      syscall: 'connect',
    });
  });

  it('calls an error without a code UNKNOWN', () => {
    for (const error of [new Error('odd'), null, undefined, 'text', { code: 111 }]) {
      expect(errorFacts(error)).toEqual({
        code: 'UNKNOWN',
        errno: null,
        winsock: null,
        syscall: null,
      });
    }
  });

  it('returns the facts of the first cause of an AggregateError, or else its own', () => {
    const cause = nodeError('EHOSTUNREACH');
    expect(
      errorFacts(
        new AggregateError([new AggregateError([cause], ''), nodeError('ECONNREFUSED')], ''),
      ),
    ).toEqual(errorFacts(cause));
    expect(errorFacts(Object.assign(new AggregateError([], ''), { code: 'EMFILE' })).code).toBe(
      'EMFILE',
    );
  });
});

describe('isResetAfterHandshake', () => {
  it.each(['ECONNRESET', 'EPIPE'])(
    'is true for %s from `connect`: the handshake had completed before the reset',
    (code) => {
      expect(isResetAfterHandshake(errorFacts(nodeError(code)))).toBe(true);
    },
  );

  it('is false for a refusal and for the same codes from another call', () => {
    expect(isResetAfterHandshake(errorFacts(nodeError('ECONNREFUSED')))).toBe(false);
    expect(
      isResetAfterHandshake({ code: 'ECONNRESET', errno: null, winsock: 10054, syscall: 'read' }),
    ).toBe(false);
    expect(
      isResetAfterHandshake({ code: 'EPIPE', errno: null, winsock: 10058, syscall: 'write' }),
    ).toBe(false);
  });
});

describe('TIMED_OUT', () => {
  it('has the Windows Sockets number 10060, no system call and no errno', () => {
    expect(TIMED_OUT).toEqual({ code: 'ETIMEDOUT', errno: null, winsock: 10060, syscall: null });
  });
});
