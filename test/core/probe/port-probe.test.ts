import { getEventListeners, once } from 'node:events';
import { Socket, type SocketConnectOpts } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../src/core/facts/outcome.js';
import type { ServiceFinding, ServiceProbe } from '../../../src/core/facts/service-finding.js';
import {
  type AttemptInternals,
  type AttemptOptions,
  probePort,
} from '../../../src/core/probe/port-probe.js';
import {
  freePort,
  listen,
  runAlone,
  selfConnectProne,
  silentPort,
  SOON,
} from '../../support/listeners.js';
import { itOnLoopback } from '../../support/tools.js';
import type { Endpoint } from '../../../src/core/target/target.js';
import { UsageError } from '../../../src/core/usage-error.js';

const v4 = (port: number, address = '127.0.0.1'): Endpoint => ({ address, family: 4, port });

/** Keeps the event loop busy, as a burst of other work does. */
function block(durationMs: number): void {
  const end = Date.now() + durationMs;
  while (Date.now() < end);
}

/** The outcome as a value of one kind; fails when it is another. */
function expectState<S extends Attempt['state']>(
  attempt: Attempt,
  state: S,
): Extract<Attempt, { state: S }> {
  expect(attempt).toMatchObject({ state });
  return attempt as Extract<Attempt, { state: S }>;
}

/** A socket without a network: `act` says what happens after the call of connect(). */
class FakeSocket extends Socket {
  constructor(private readonly act: (socket: FakeSocket) => void) {
    super();
  }

  override connect(): this {
    process.nextTick(() => {
      this.emit('connectionAttempt');
      this.act(this);
    });
    return this;
  }
}

const finding: ServiceFinding = {
  state: 'silent',
  name: 'smtp',
  firstLine: null,
  answerMs: null,
  elapsedMs: 1,
  receivedBytes: 0,
  tls: null,
  awaited: 'its greeting',
  unfinished: null,
};

/** An attempt on an address that is never really connected to. */
function probeWith(
  act: (socket: FakeSocket) => void,
  options: AttemptOptions = {},
  internals: AttemptInternals = {},
): Promise<Attempt> {
  const createSocket = () => new FakeSocket(act);
  return probePort(v4(9, '192.0.2.1'), options, { ...internals, createSocket });
}

/** A socket that connects from the port that it connects to, so that TCP opens it with itself. */
class SelfConnectingSocket extends Socket {
  override connect(...parameters: unknown[]): this {
    const options = parameters[0] as SocketConnectOpts & { port: number };
    return super.connect({ ...options, localPort: options.port });
  }
}

describe('probePort', () => {
  itOnLoopback(
    'says open of a port of %s that somebody listens on, with the latency and our end',
    async (address, family) => {
      const { port, connections } = await listen(address);
      const before = Date.now();
      const outcome = expectState(await probePort({ address, family, port }), 'open');
      expect(outcome.endpoint).toEqual({ address, family, port });
      expect(outcome.latencyMs).toBeGreaterThan(0);
      expect(outcome.latencyMs).toBeLessThan(5000);
      expect(outcome.local?.address).toBe(address);
      expect(outcome.local?.port).not.toBe(port);
      expect(outcome.dropped).toBeNull();
      expect(outcome.startedAt).toBeGreaterThanOrEqual(before);
      expect(outcome.startedAt).toBeLessThanOrEqual(Date.now());
      await expect
        .poll(() => connections.map((each) => each.remotePort), SOON)
        .toEqual([outcome.local?.port]);
    },
  );

  it('says nothing on the connection and closes it in order', async () => {
    const listener = await listen();
    expectState(await probePort(v4(listener.port)), 'open');
    await expect.poll(() => listener.seen, SOON).toEqual(['end']);
  });

  it('resets the connection when it is told to, so that nothing is left in TIME_WAIT', async () => {
    const listener = await listen();
    const outcome = expectState(await probePort(v4(listener.port), { closeWith: 'reset' }), 'open');
    expect(outcome.local?.address).toBe('127.0.0.1');
    await expect.poll(() => listener.seen, SOON).toEqual(['ECONNRESET']);
  });

  it('never resets while it is connecting', async () => {
    let resets = 0;
    const outcome = await probeWith(
      (socket) => {
        socket.resetAndDestroy = () => {
          resets += 1;
          return socket;
        };
      },
      { timeoutMs: 20, closeWith: 'reset' },
    );
    expectState(outcome, 'filtered');
    expect(resets).toBe(0);
  });

  itOnLoopback('says closed of a port of %s that nobody listens on', async (address, family) => {
    const port = await freePort(address);
    const outcome = expectState(await probePort({ address, family, port }), 'closed');
    expect(outcome).toMatchObject({
      reason: 'conn-refused',
      endpoint: { address, family, port },
      error: { code: 'ECONNREFUSED', winsock: 10061, syscall: 'connect' },
    });
    expect(outcome.elapsedMs).toBeGreaterThan(0);
  });

  it('says failed, no-route, when nothing can leave this machine', async () => {
    const outcome = expectState(await probePort(v4(9, '255.255.255.255')), 'failed');
    expect(outcome).toMatchObject({
      reason: 'no-route',
      error: { code: 'ENETUNREACH', winsock: 10051 },
    });
  });

  it.each([
    ['192.0.2.77', 'EADDRNOTAVAIL'],
    ['::1', 'EINVAL'],
  ])('says failed, bad-source, when it is to probe from %s', async (sourceAddress, code) => {
    const { port } = await listen();
    expect(await probePort(v4(port), { sourceAddress })).toMatchObject({
      state: 'failed',
      reason: 'bad-source',
      error: { code, syscall: 'bind' },
    });
  });

  it('probes from the source address it is given', async () => {
    const { port } = await listen();
    expect(
      expectState(await probePort(v4(port), { sourceAddress: '127.0.0.9' }), 'open').local?.address,
    ).toBe('127.0.0.9');
  });

  it('passes the facts of an error on that it does not know', async () => {
    const error = Object.assign(new Error('connect EWHATEVER'), {
      code: 'EWHATEVER',
      errno: -4000,
      syscall: 'connect',
    });
    const outcome = await probeWith((socket) => socket.emit('error', error));
    expect(outcome).toMatchObject({
      state: 'failed',
      reason: 'unknown-error',
      error: { code: 'EWHATEVER', errno: -4000, winsock: null, syscall: 'connect' },
    });
  });

  it.each(['ECONNRESET', 'EPIPE'])(
    'says open and dropped when the connection was reset before we looked (%s)',
    async (code) => {
      const outcome = await probeWith((socket) =>
        socket.emit(
          'error',
          Object.assign(new Error(`connect ${code}`), { code, syscall: 'connect' }),
        ),
      );
      expect(outcome).toMatchObject({ state: 'open', dropped: { by: 'reset' } });
    },
  );

  it('measures from the system call to the completed handshake', async () => {
    const times = [100, 250, 262.5];
    const outcome = await probeWith(
      (socket) => socket.emit('connect'),
      {},
      { clock: () => times.shift() ?? NaN },
    );
    expect(expectState(outcome, 'open').latencyMs).toBe(12.5);
  });
});

describe('a probe that meets itself', () => {
  itOnLoopback('on %s is closed: nobody listens there', async (address, family) => {
    const endpoint = { address, family, port: await freePort(address) };
    const outcome = await probePort(
      endpoint,
      {},
      { createSocket: () => new SelfConnectingSocket() },
    );
    expect(outcome).toMatchObject({
      state: 'closed',
      reason: 'conn-refused',
      endpoint,
      error: { code: 'ECONNREFUSED', winsock: 10061 },
    });
    expect(expectState(outcome, 'closed').elapsedMs).toBeGreaterThan(0);
  });

  it('was none when only the ports or only the addresses are equal', async () => {
    const { port } = await listen();
    const outcome = await probePort(
      v4(port),
      { sourceAddress: '127.0.0.2' },
      { createSocket: () => new SelfConnectingSocket() },
    );
    expect(expectState(outcome, 'open').local).toEqual({ address: '127.0.0.2', port });
    expectState(await probePort(v4(port), { sourceAddress: '127.0.0.1' }), 'open');
  });

  it(
    'never makes a closed port look open in 2,000 probes from the range of that very port',
    { timeout: 60_000 },
    async () => {
      const port = await selfConnectProne();
      const states = new Set<string>();
      for (let round = 0; round < 2000; round++) states.add((await probePort(v4(port))).state);
      expect([...states]).toEqual(['closed']);
    },
  );
});

describe('the deadline of a probe', () => {
  it('makes a port that does not answer filtered, no-response', async () => {
    const port = await silentPort();
    const outcome = expectState(await probePort(v4(port), { timeoutMs: 100 }), 'filtered');
    expect(outcome).toMatchObject({
      reason: 'no-response',
      error: { code: 'ETIMEDOUT', errno: null, winsock: 10060, syscall: null },
    });
    expect(outcome.elapsedMs).toBeGreaterThan(90);
    expect(outcome.elapsedMs).toBeLessThan(5000);
  });

  it('destroys the socket that never connected', async () => {
    let socket: FakeSocket | undefined;
    expectState(
      await probeWith(
        (made) => {
          socket = made;
        },
        { timeoutMs: 20 },
      ),
      'filtered',
    );
    expect(socket?.destroyed).toBe(true);
  });

  it('does not beat a socket that is ready when it expires in a busy stretch', async () => {
    const { port } = await listen();
    for (const timeoutMs of [1, 20]) {
      const probes = Promise.all(
        Array.from({ length: 20 }, () => probePort(v4(port), { timeoutMs })),
      );
      await new Promise<void>((resolve) => process.nextTick(resolve)); // the system calls are made, the answers are there, and nobody has looked yet
      block(100);
      for (const outcome of await probes) expectState(outcome, 'open');
    }
  });

  it('does not beat a refusal that is there when it expires in a busy stretch', async () => {
    const probe = probePort(v4(await freePort()), { timeoutMs: 20 });
    block(100);
    expectState(await probe, 'closed');
  });

  it(
    'gives no false timeout when 2,000 open ports are probed at once with 50 ms each',
    { timeout: 60_000 },
    async () => {
      const listeners = await Promise.all(Array.from({ length: 2000 }, () => listen()));
      const outcomes = await Promise.all(
        listeners.map(({ port }) => probePort(v4(port), { timeoutMs: 50 })),
      );
      expect(outcomes.filter(({ state }) => state !== 'open')).toEqual([]);
    },
  );

  it('begins with the attempt and not with the work that runs before it', async () => {
    // The answer comes some turns of the event loop after the system call, as from a host that is not quite near.
    const answer = (socket: FakeSocket, turns = 50): void => {
      if (turns === 0) socket.emit('connect');
      else if (!socket.destroyed) setImmediate(answer, socket, turns - 1);
    };
    const probe = probeWith(answer, { timeoutMs: 500 });
    block(700);
    expectState(await probe, 'open');
  });
});

describe('the deadline of a probe with a service', () => {
  it('is one for the handshake and the service together', async () => {
    let serviceMs = NaN;
    const probeService: ServiceProbe = async (_, { signal }) => {
      const startMs = performance.now();
      await once(signal, 'abort');
      serviceMs = performance.now() - startMs;
      return finding;
    };
    const slowHandshake = (socket: FakeSocket) => setTimeout(() => socket.emit('connect'), 700);
    const outcome = await probeWith(slowHandshake, { timeoutMs: 1000 }, { probeService });
    expect(expectState(outcome, 'open').service).toBe(finding);
    expect(serviceMs).toBeLessThan(700); // about 300, and not 1000
  });
});

describe('aborting a probe', () => {
  it('before it begins makes no socket at all', async () => {
    let sockets = 0;
    const createSocket = () => {
      sockets += 1;
      return new Socket();
    };
    const outcome = expectState(
      await probePort(v4(9), { signal: AbortSignal.abort() }, { createSocket }),
      'cancelled',
    );
    expect(outcome).toEqual({
      state: 'cancelled',
      endpoint: v4(9),
      startedAt: outcome.startedAt,
      elapsedMs: 0,
    });
    expect(sockets).toBe(0);
  });

  it('while it is pending cancels it at once and destroys its socket', async () => {
    const abortion = new AbortController();
    let socket: FakeSocket | undefined;
    const probe = probeWith(
      (made) => {
        socket = made;
        abortion.abort();
      },
      { signal: abortion.signal, timeoutMs: 60_000 },
    );
    const outcome = expectState(await probe, 'cancelled');
    expect(outcome.elapsedMs).toBeLessThan(5000);
    expect(socket?.destroyed).toBe(true);
  });

  it('at the same moment as the call connects nowhere', async () => {
    const listener = await listen();
    const abortion = new AbortController();
    const probe = probePort(v4(listener.port), { signal: abortion.signal });
    abortion.abort();
    expectState(await probe, 'cancelled');
    expectState(await probePort(v4(listener.port)), 'open'); // by the time this one is through, the first would have been seen
    await expect.poll(() => listener.connections.length, SOON).toBe(1);
  });

  it('while an open connection is watched leaves it open', async () => {
    const listener = await listen();
    const abortion = new AbortController();
    const probe = probePort(v4(listener.port), {
      signal: abortion.signal,
      watchMs: 60_000,
      timeoutMs: 120_000,
    });
    await expect.poll(() => listener.connections.length, SOON).toBe(1);
    await nextTurn();
    abortion.abort();
    expect(expectState(await probe, 'open').dropped).toBeNull();
  });

  it('after it is over changes nothing, and no listener is left on the signal', async () => {
    const { port } = await listen();
    const abortion = new AbortController();
    const probe = probePort(v4(port), { signal: abortion.signal });
    expect(getEventListeners(abortion.signal, 'abort')).toHaveLength(1);
    expectState(await probe, 'open');
    expect(getEventListeners(abortion.signal, 'abort')).toHaveLength(0);
    abortion.abort();
  });
});

describe('watching an open connection', () => {
  it.each([
    ['end', 'end'],
    ['reset', 'reset'],
  ] as const)('sees that the other side drops it (%s)', async (onConnection, by) => {
    const { port } = await listen('127.0.0.1', { onConnection });
    const outcome = expectState(await probePort(v4(port), { watchMs: 5000 }), 'open');
    expect(outcome.dropped?.by).toBe(by);
    expect(outcome.dropped?.afterMs).toBeGreaterThanOrEqual(0);
    expect(outcome.dropped?.afterMs).toBeLessThan(5000);
  });

  it('sees nothing of the kind when the other side stays', async () => {
    const { port } = await listen();
    const start = Date.now();
    expect(expectState(await probePort(v4(port), { watchMs: 100 }), 'open').dropped).toBeNull();
    expect(Date.now() - start).toBeGreaterThan(90);
  });

  it('does not take a greeting for a drop', async () => {
    const listener = await listen();
    const probe = probePort(v4(listener.port), { watchMs: 100 });
    await expect.poll(() => listener.connections.length, SOON).toBe(1);
    listener.connections[0]?.write('220 mail.example.com ESMTP\r\n');
    expect(expectState(await probe, 'open').dropped).toBeNull();
  });

  it('sees a drop that comes after a greeting', async () => {
    const listener = await listen();
    const probe = probePort(v4(listener.port), { watchMs: 5000 });
    await expect.poll(() => listener.connections.length, SOON).toBe(1);
    listener.connections[0]?.end('421 too busy\r\n');
    expect(expectState(await probe, 'open').dropped?.by).toBe('end');
  });

  it('ends at the deadline of the probe, and the port is open all the same', async () => {
    const { port } = await listen();
    expect(
      expectState(await probePort(v4(port), { watchMs: 60_000, timeoutMs: 150 }), 'open').dropped,
    ).toBeNull();
    const abortion = new AbortController();
    const aborted = probePort(
      v4(port),
      { watchMs: 600_000, timeoutMs: 600_000, signal: abortion.signal },
      { onOpen: () => abortion.abort() },
    );
    expect(expectState(await aborted, 'open').dropped).toBeNull();
  });

  it('is left out unless it is asked for', async () => {
    const { port } = await listen('127.0.0.1', { onConnection: 'end' });
    expect(expectState(await probePort(v4(port)), 'open').dropped).toBeNull();
  });
});

describe('misuse of probePort', () => {
  it.each<[string, Endpoint]>([
    ['a name', { address: 'localhost', family: 4, port: 80 }],
    ['an IPv4 address called IPv6', { address: '127.0.0.1', family: 6, port: 80 }],
    ['an IPv6 address called IPv4', { address: '::1', family: 4, port: 80 }],
    ['an address in brackets', { address: '[::1]', family: 6, port: 80 }],
    ['another spelling of IPv4', { address: '127.1', family: 4, port: 80 }],
    ['nothing', { address: '', family: 4, port: 80 }],
  ])('throws a UsageError for %s instead of a literal address', async (_, endpoint) => {
    await expect(probePort(endpoint)).rejects.toThrow(UsageError);
    await expect(probePort(endpoint)).rejects.toThrow(
      /^endpoint\.address: ".*" is not a literal IPv[46] address; resolve names first$/,
    );
  });

  it.each([0, -1, 65536, 80.5, NaN, Infinity, '80' as unknown as number])(
    'throws a UsageError for the port %s',
    async (port) => {
      await expect(probePort(v4(port))).rejects.toThrow(UsageError);
      await expect(probePort(v4(port))).rejects.toThrow(/^endpoint\.port: .* allowed: 1 to 65535$/);
    },
  );

  it.each([0, -1, NaN, 2 ** 31, Infinity])(
    'throws a UsageError for the timeout %d, which no timer keeps',
    async (timeoutMs) => {
      await expect(probePort(v4(9), { timeoutMs })).rejects.toThrow(UsageError);
      await expect(probePort(v4(9), { timeoutMs })).rejects.toThrow(
        /^timeoutMs: .* allowed: above 0, at most 2147483647$/,
      );
    },
  );

  it.each(['localhost', '', '127.1', '[::1]'])(
    'throws a UsageError for the source address %j',
    async (sourceAddress) => {
      await expect(probePort(v4(9), { sourceAddress })).rejects.toThrow(UsageError);
    },
  );

  it.each([2 ** 31, NaN])(
    'throws a UsageError for the watch %d, which no timer keeps',
    async (watchMs) => {
      const { port } = await listen();
      await expect(probePort(v4(port), { watchMs })).rejects.toThrow(UsageError);
    },
  );
});

describe('a process that has probed', () => {
  it(
    'ends by itself and at once: no timer, no socket and no listener keeps it',
    { timeout: 60_000 },
    async () => {
      const { stdout, stderr, exitCode } = await runAlone(`
      import { createServer } from 'node:net';
      import { getEventListeners, once } from 'node:events';
      import { probePort } from './core/probe/port-probe.js';
      import { warmUp } from './core/probe/warm-up.js';

      const server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const open = { address: '127.0.0.1', family: 4, port: server.address().port };
      const closing = createServer().listen(0, '127.0.0.1');
      await once(closing, 'listening');
      const closed = { ...open, port: closing.address().port };
      closing.close();
      await once(closing, 'close');
      const hangingUp = createServer((socket) => socket.on('error', () => {}).end()).listen(0, '127.0.0.1');
      await once(hangingUp, 'listening');
      const dropping = { ...open, port: hangingUp.address().port };

      await warmUp();
      const abortion = new AbortController();
      const attempts = [
        probePort(open, { timeoutMs: 2147483647, signal: abortion.signal }),
        probePort(closed, { timeoutMs: 2147483647, signal: abortion.signal }),
        probePort(open, { timeoutMs: 600000, watchMs: 10 }),
        probePort(dropping, { timeoutMs: 600000, watchMs: 500000 }),
        probePort(open, { timeoutMs: 600000, signal: AbortSignal.abort() }),
        probePort(closed, { timeoutMs: 600000, sourceAddress: '192.0.2.77' }),
      ];
      const aborting = new AbortController();
      attempts.push(probePort(open, { timeoutMs: 600000, signal: aborting.signal }));
      aborting.abort();
      console.log((await Promise.all(attempts)).map(({ state }) => state).join(' '));
      server.close();
      hangingUp.close();
    `);
      expect({ stdout, stderr, exitCode }).toEqual({
        stdout: 'open closed open open cancelled failed cancelled\n',
        stderr: '',
        exitCode: 0,
      });
    },
  );
});

describe('the listener of these tests that does not answer', () => {
  it('lets no connection through', async () => {
    const port = await silentPort();
    const socket = new Socket()
      .on('error', () => {})
      .connect({ host: '127.0.0.1', port, autoSelectFamily: false });
    const first = await Promise.race([
      once(socket, 'connect').then(() => 'connected'),
      new Promise((resolve) => setTimeout(resolve, 200, 'silence')),
    ]);
    socket.destroy();
    expect(first).toBe('silence');
  });
});
