import { getEventListeners, once } from 'node:events';
import { type AddressInfo, createServer, Socket, type SocketConnectOpts } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
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
import { block } from '../../support/real-time.js';
import { itOnLoopback } from '../../support/tools.js';
import type { Endpoint } from '../../../src/core/target/target.js';
import { UsageError } from '../../../src/core/usage-error.js';

const v4 = (port: number, address = '127.0.0.1'): Endpoint => ({ address, family: 4, port });

/** The outcome, typed by its state; fails if the state is another. */
function expectState<S extends Attempt['state']>(
  attempt: Attempt,
  state: S,
): Extract<Attempt, { state: S }> {
  expect(attempt).toMatchObject({ state });
  return attempt as Extract<Attempt, { state: S }>;
}

/** A socket without a network: `act` runs after the call of connect(). */
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

/** An attempt on a fake socket, which never connects to its address. */
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
    'reports a listening port of %s as open, with the latency and the local endpoint',
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

  it('sends nothing on the connection and closes it with a FIN', async () => {
    const listener = await listen();
    expectState(await probePort(v4(listener.port)), 'open');
    await expect.poll(() => listener.seen, SOON).toEqual(['end']);
  });

  it('resets the connection with closeWith reset, which leaves no TIME_WAIT', async () => {
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

  itOnLoopback('reports a port of %s without a listener as closed', async (address, family) => {
    const port = await freePort(address);
    const outcome = expectState(await probePort({ address, family, port }), 'closed');
    expect(outcome).toMatchObject({
      reason: 'conn-refused',
      endpoint: { address, family, port },
      error: { code: 'ECONNREFUSED', winsock: 10061, syscall: 'connect' },
    });
    expect(outcome.elapsedMs).toBeGreaterThan(0);
  });

  it('reports an address without a route as failed, no-route', async () => {
    const outcome = expectState(await probePort(v4(9, '255.255.255.255')), 'failed');
    expect(outcome).toMatchObject({
      reason: 'no-route',
      error: { code: 'ENETUNREACH', winsock: 10051 },
    });
  });

  it.each([
    ['192.0.2.77', 'EADDRNOTAVAIL'],
    ['::1', 'EINVAL'],
  ])(
    'reports the unusable source address %s as failed, bad-source',
    async (sourceAddress, code) => {
      const { port } = await listen();
      expect(await probePort(v4(port), { sourceAddress })).toMatchObject({
        state: 'failed',
        reason: 'bad-source',
        error: { code, syscall: 'bind' },
      });
    },
  );

  it('probes from the given source address', async () => {
    const { port } = await listen();
    expect(
      expectState(await probePort(v4(port), { sourceAddress: '127.0.0.9' }), 'open').local?.address,
    ).toBe('127.0.0.9');
  });

  it('keeps the facts of an unknown error', async () => {
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
    'reports a connection that was reset right after the handshake (%s) as open and dropped',
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

  it('measures the latency from the system call to the completed handshake', async () => {
    const times = [100, 250, 262.5];
    const outcome = await probeWith(
      (socket) => socket.emit('connect'),
      {},
      { clock: () => times.shift() ?? NaN },
    );
    expect(expectState(outcome, 'open').latencyMs).toBe(12.5);
  });
});

describe('a probe that connects to itself', () => {
  itOnLoopback('on %s is reported as closed', async (address, family) => {
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

  it('is not assumed if only the ports or only the addresses are equal', async () => {
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
    'never makes a closed port of the ephemeral range look open in 2,000 probes',
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
  it('makes a silent port filtered, no-response', async () => {
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

  it('does not override a connection that was ready while the event loop was busy', async () => {
    const { port } = await listen();
    for (const timeoutMs of [1, 20]) {
      const probes = Promise.all(
        Array.from({ length: 20 }, () => probePort(v4(port), { timeoutMs })),
      );
      // Now the system calls are made and the answers have come, but no event was handled.
      await new Promise<void>((resolve) => process.nextTick(resolve));
      block(100);
      for (const outcome of await probes) expectState(outcome, 'open');
    }
  });

  it('does not override a refusal that came while the event loop was busy', async () => {
    const probe = probePort(v4(await freePort()), { timeoutMs: 20 });
    block(100);
    expectState(await probe, 'closed');
  });

  it(
    'causes no false timeout for 2,000 open ports at once with 50 ms each',
    { timeout: 60_000 },
    async () => {
      const listeners = await Promise.all(Array.from({ length: 2000 }, () => listen()));
      const outcomes = await Promise.all(
        listeners.map(({ port }) => probePort(v4(port), { timeoutMs: 50 })),
      );
      expect(outcomes.filter(({ state }) => state !== 'open')).toEqual([]);
    },
  );

  it('starts with the attempt, not with earlier work of the event loop', async () => {
    // The answer comes some turns of the event loop after the system call, as from a remote host.
    const answer = (socket: FakeSocket, turns = 50): void => {
      if (turns === 0) socket.emit('connect');
      else if (!socket.destroyed) setImmediate(answer, socket, turns - 1);
    };
    const probe = probeWith(answer, { timeoutMs: 500 });
    block(700);
    expectState(await probe, 'open');
  });
});

it('closes a connection only after others that connect at the same moment are timed', async () => {
  const sockets: FakeSocket[] = [];
  let closedEarly: boolean | undefined;
  const connectBoth = (socket: FakeSocket): void => {
    sockets.push(socket);
    const [first, second] = sockets;
    if (!first || !second) return;
    // Two answers in one turn of the event loop; promises settle between them.
    setImmediate(() => first.emit('connect'));
    setImmediate(() => {
      closedEarly = first.destroyed;
      second.emit('connect');
    });
  };
  const outcomes = await Promise.all([probeWith(connectBoth), probeWith(connectBoth)]);
  expect(outcomes.map(({ state }) => state)).toEqual(['open', 'open']);
  expect(closedEarly).toBe(false);
  expect(sockets.every(({ destroyed }) => destroyed)).toBe(true);
});

describe('the deadline of a probe with a service', () => {
  it('covers the handshake and the service together', async () => {
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
  it('creates no socket if the abort comes before the start', async () => {
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

  it('cancels a pending probe at once and destroys its socket', async () => {
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

  it('makes no connection if the abort follows the call at once', async () => {
    const listener = await listen();
    const abortion = new AbortController();
    const probe = probePort(v4(listener.port), { signal: abortion.signal });
    abortion.abort();
    expectState(await probe, 'cancelled');
    // Once this probe has connected, the listener would have seen a connection of the first one.
    expectState(await probePort(v4(listener.port)), 'open');
    await expect.poll(() => listener.connections.length, SOON).toBe(1);
  });

  it('leaves a watched connection reported as open', async () => {
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

  it('changes nothing after the probe, which leaves no listener on the signal', async () => {
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
  ] as const)('reports that the other side drops it (%s)', async (onConnection, by) => {
    const { port } = await listen('127.0.0.1', { onConnection });
    const outcome = expectState(await probePort(v4(port), { watchMs: 5000 }), 'open');
    expect(outcome.dropped?.by).toBe(by);
    expect(outcome.dropped?.afterMs).toBeGreaterThanOrEqual(0);
    expect(outcome.dropped?.afterMs).toBeLessThan(5000);
  });

  it('counts the bytes that came before the drop', async () => {
    const server = createServer((socket) => socket.end('Sat Nov 28 16:00:00 2026\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const outcome = expectState(await probePort(v4(port), { watchMs: 5000 }), 'open');
    expect(outcome.dropped).toMatchObject({ by: 'end', receivedBytes: 26 });
    const silent = await listen('127.0.0.1', { onConnection: 'end' });
    expect(
      expectState(await probePort(v4(silent.port), { watchMs: 5000 }), 'open').dropped,
    ).toMatchObject({ by: 'end', receivedBytes: 0 });
  });

  it('reports no drop if the other side stays connected', async () => {
    const { port } = await listen();
    const start = Date.now();
    expect(expectState(await probePort(v4(port), { watchMs: 100 }), 'open').dropped).toBeNull();
    expect(Date.now() - start).toBeGreaterThan(90);
  });

  it('does not report a greeting as a drop', async () => {
    const listener = await listen();
    const probe = probePort(v4(listener.port), { watchMs: 100 });
    await expect.poll(() => listener.connections.length, SOON).toBe(1);
    listener.connections[0]?.write('220 mail.example.com ESMTP\r\n');
    expect(expectState(await probe, 'open').dropped).toBeNull();
  });

  it('reports a drop after a greeting', async () => {
    const listener = await listen();
    const probe = probePort(v4(listener.port), { watchMs: 5000 });
    await expect.poll(() => listener.connections.length, SOON).toBe(1);
    listener.connections[0]?.end('421 too busy\r\n');
    expect(expectState(await probe, 'open').dropped?.by).toBe('end');
  });

  it('reports a drop that came while the event loop was busy', async () => {
    const listener = await listen();
    const probe = probePort(v4(listener.port), { watchMs: 1000 });
    await expect.poll(() => listener.connections.length, SOON).toBe(1);
    await new Promise((resolve) => setImmediate(resolve)); // timers come next
    listener.connections[0]?.destroy();
    block(1500);
    expect(expectState(await probe, 'open').dropped?.by).toBe('end');
  });

  it('ends at the deadline or at an abort, and the port stays open', async () => {
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

  it('is off by default', async () => {
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
    "throws a UsageError for the timeout %d, which is out of a timer's range",
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
    "throws a UsageError for watchMs %d, which is out of a timer's range",
    async (watchMs) => {
      const { port } = await listen();
      await expect(probePort(v4(port), { watchMs })).rejects.toThrow(UsageError);
    },
  );
});

describe('a process that has probed', () => {
  it('exits at once, without an open timer, socket or listener', { timeout: 60_000 }, async () => {
    const { stdout, stderr, exitCode } = await runAlone(`
      import { createServer } from 'node:net';
      import { getEventListeners, once } from 'node:events';
      import { probePort } from './core/probe/port-probe.js';
      import { warmUp } from './core/probe/warm-up.js';

      const staying = (socket) => socket.on('error', () => {}).resume();
      const server = createServer(staying).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const open = { address: '127.0.0.1', family: 4, port: server.address().port };
      const closing = createServer().listen(0, '127.0.0.1');
      await once(closing, 'listening');
      const closed = { ...open, port: closing.address().port };
      closing.close();
      await once(closing, 'close');
      const ending = (socket) => socket.on('error', () => {}).end();
      const hangingUp = createServer(ending).listen(0, '127.0.0.1');
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
  });
});

describe('the silent port of these tests', () => {
  it('completes no handshake', async () => {
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

describe('the kernel', () => {
  const kernel = { roundTripMs: 1, repeatedSyns: 1, mss: 1448, cause: 'lost-syn' } as const;

  it.each([{}, { watchMs: 20 }])(
    'is asked about an open connection while it is open: %j',
    async (options) => {
      const { port } = await listen();
      const asked: unknown[] = [];
      const askKernel: AttemptInternals['askKernel'] = async (socket, latencyMs, remainingMs) => {
        asked.push(socket.readyState, latencyMs + remainingMs);
        return kernel;
      };
      const attempt = await probePort(v4(port), { timeoutMs: 5000, ...options }, { askKernel });
      expect(expectState(attempt, 'open').kernel).toEqual(kernel);
      expect(asked).toEqual(['open', 5000]);
    },
  );

  it('is not asked about a port that is not open, and says nothing if it cannot', async () => {
    const { port } = await listen();
    const askKernel: AttemptInternals['askKernel'] = async () => null;
    expect(await probePort(v4(port), {}, { askKernel })).not.toHaveProperty('kernel');
    const never: AttemptInternals['askKernel'] = () => Promise.reject(new Error('asked'));
    expect(await probePort(v4(await freePort()), {}, { askKernel: never })).toMatchObject({
      state: 'closed',
    });
  });
});
