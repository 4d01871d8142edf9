import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { probeTarget } from '../../../src/core/probe/target-probe.js';
import type { ServiceName } from '../../../src/core/service/registry.js';
import { answering } from '../../support/events.js';
import { freePort, SOON } from '../../support/listeners.js';
import {
  type Replies,
  probeService,
  replyToLines,
  expectFinding,
  startFakeServer,
} from '../../support/fake-servers.js';
import { block } from '../../support/real-time.js';
import { itWith } from '../../support/tools.js';

/** Probes a fake server and returns the finding. */
async function talk(name: ServiceName, greeting: string, answers: Replies = {}) {
  const server = await startFakeServer(replyToLines(greeting, answers));
  return { finding: await probeService(server.port, { name }, { timeoutMs: 1000 }), server };
}

async function expectAnswered(
  name: ServiceName,
  greeting: string,
  answers: Replies,
  ...[firstLine, received]: [firstLine: string, received: string | RegExp]
): Promise<void> {
  const { finding, server } = await talk(name, greeting, answers);
  const answered = expectFinding(finding, 'answered');
  expect(answered).toMatchObject({ name, firstLine, meaning: null, tls: null });
  expect(answered.answerMs).toBeGreaterThan(0);
  expect(answered.answerMs).toBeLessThanOrEqual(answered.elapsedMs);
  await expect.poll(() => server.ends, SOON).toEqual(['end']);
  if (typeof received === 'string') expect(server.received()).toBe(received);
  else expect(server.received()).toMatch(received);
}

async function expectWrong(
  name: ServiceName,
  greeting: string,
  answers: Replies,
  problem: string,
): Promise<void> {
  const { finding } = await talk(name, greeting, answers);
  expect(expectFinding(finding, 'wrong-protocol').problem).toBe(problem);
}

describe('smtp', () => {
  const polite: Replies = {
    EHLO: '250-mail.example.com\r\n250-PIPELINING\r\n250 8BITMIME\r\n',
    QUIT: (socket) => socket.end('221 Bye\r\n'),
  };

  it('greets, introduces itself by its address, and quits', async () => {
    await expectAnswered(
      'smtp',
      '220 mail.example.com ESMTP\r\n',
      polite,
      '220 mail.example.com ESMTP',
      'EHLO [127.0.0.1]\r\nQUIT\r\n',
    );
  });

  it('reads a greeting of several lines, with LF alone, and none behind its code', async () => {
    await expectAnswered(
      'smtp',
      '220-first\n220-second\n220\n',
      polite,
      '220-first',
      'EHLO [127.0.0.1]\r\nQUIT\r\n',
    );
  });

  it('falls back to HELO where EHLO is not known', async () => {
    const old: Replies = { ...polite, EHLO: '502 what?\r\n', HELO: '250 hello\r\n' };
    await expectAnswered(
      'smtp',
      '220 old\r\n',
      old,
      '220 old',
      'EHLO [127.0.0.1]\r\nHELO [127.0.0.1]\r\nQUIT\r\n',
    );
  });

  itWith('ipv6', 'introduces itself by an IPv6 address as RFC 5321 writes it', async () => {
    const server = await startFakeServer(replyToLines('220 x\r\n', polite), '::1');
    expectFinding(await probeService(server.port, { name: 'smtp' }, { host: '::1' }), 'answered');
    expect(server.received()).toBe('EHLO [IPv6:::1]\r\nQUIT\r\n');
  });

  it('does not wait for a server that does not answer to QUIT', async () => {
    const { finding } = await talk('smtp', '220 x\r\n', { EHLO: '250 x\r\n' });
    expect(expectFinding(finding, 'answered').elapsedMs).toBeLessThan(900);
  });

  it.each([
    [
      '554 no service',
      '554 No SMTP service here\r\n',
      {},
      'it refused service instead of greeting with 220: "554 No SMTP service here"',
    ],
    [
      '421 busy',
      '421 too many\r\n',
      {},
      'it refused service instead of greeting with 220: "421 too many"',
    ],
    [
      'SSH',
      'SSH-2.0-OpenSSH_9.2\r\n',
      {},
      '"SSH-2.0-OpenSSH_9.2" is not an SMTP greeting; it looks like SSH',
    ],
    ['IMAP', '* OK ready\r\n', {}, '"* OK ready" is not an SMTP greeting; it looks like IMAP'],
    [
      'FTP',
      '220 ready\r\n',
      { EHLO: '530 log in\r\n', HELO: '530 log in\r\n' },
      'it greeted like SMTP, but refused EHLO: "530 log in"',
    ],
    [
      'a reply that ends with another code',
      '220 x\r\n',
      { EHLO: '250-a\r\n220 b\r\n' },
      '"220 b" is not the last line of its answer to EHLO, which began with 250',
    ],
    ['a number that is no code', '999 x\r\n', {}, '"999 x" is not an SMTP greeting'],
  ] as const)('is not what answers with %s', async (_, greeting, answers, problem) => {
    await expectWrong('smtp', greeting, answers, problem);
  });
});

describe('ftp', () => {
  it('may send any line inside a reply, also one that looks like the end of another', async () => {
    await expectAnswered(
      'ftp',
      '220-Welcome\r\n230 users\r\n220 ready\r\n',
      { NOOP: '200 fine\r\n', QUIT: (socket) => socket.end('221 Goodbye.\r\n') },
      '220-Welcome',
      'NOOP\r\nQUIT\r\n',
    );
  });

  it.each(['200 fine\r\n', '530 Please login with USER and PASS.\r\n', '500 unknown\r\n'])(
    'greets, does nothing, and quits: %j',
    async (answer) => {
      await expectAnswered(
        'ftp',
        '220-Welcome\r\n any text\r\n220 ready\r\n',
        { NOOP: answer, QUIT: (socket) => socket.end('221 Goodbye.\r\n') },
        '220-Welcome',
        'NOOP\r\nQUIT\r\n',
      );
    },
  );

  it('says first, where it is not ready, in how many minutes it is, and greets then', async () => {
    const late = (socket: Socket): void => {
      replyToLines('120 ready in 1 minute\r\n', {
        NOOP: '200 fine\r\n',
        QUIT: (each) => each.end('221 Goodbye.\r\n'),
      })(socket);
      setTimeout(() => socket.write('220 ready\r\n'), 100);
    };
    const server = await startFakeServer(late);
    expectFinding(await probeService(server.port, { name: 'ftp' }), 'answered');
    const never = await startFakeServer(replyToLines('120 ready in 1 minute\r\n', {}));
    expect(await probeService(never.port, { name: 'ftp' }, { timeoutMs: 400 })).toMatchObject({
      state: 'silent',
      awaited: 'its greeting',
      firstLine: '120 ready in 1 minute',
    });
  });

  it('is not what answers NOOP as SMTP does', async () => {
    await expectWrong(
      'ftp',
      '220 x ESMTP\r\n',
      { NOOP: '250 OK\r\n' },
      'it answered NOOP like SMTP, not like FTP: "250 OK"',
    );
  });

  it('is not there when it turns clients away', async () => {
    await expectWrong(
      'ftp',
      '421 full\r\n',
      {},
      'it refused service instead of greeting with 220: "421 full"',
    );
  });
});

describe('pop3', () => {
  it('greets and quits', async () => {
    await expectAnswered(
      'pop3',
      '+OK ready\r\n',
      { QUIT: (socket) => socket.end('+OK\r\n') },
      '+OK ready',
      'QUIT\r\n',
    );
  });

  it.each([
    ['-ERR locked\r\n', 'it refused service instead of greeting with +OK: "-ERR locked"'],
    ['+OKAY\r\n', '"+OKAY" is not a POP3 greeting'],
    ['* OK\r\n', '"* OK" is not a POP3 greeting; it looks like IMAP'],
  ])('is not what says %j', async (greeting, problem) => {
    await expectWrong('pop3', greeting, {}, problem);
  });
});

describe('imap', () => {
  it.each(['* OK ready', '* PREAUTH welcome back', '* ok [CAPABILITY IMAP4rev1]'])(
    'greets (%s) and logs out',
    async (greeting) => {
      await expectAnswered(
        'imap',
        `${greeting}\r\n`,
        { 'p3 LOGOUT': (socket) => socket.end('* BYE\r\np3 OK\r\n') },
        greeting,
        'p3 LOGOUT\r\n',
      );
    },
  );

  it.each([
    ['* BYE overloaded\r\n', 'it refused service instead of greeting with OK: "* BYE overloaded"'],
    ['220 x ESMTP\r\n', '"220 x ESMTP" is not an IMAP greeting; it looks like SMTP'],
  ])('is not what says %j', async (greeting, problem) => {
    await expectWrong('imap', greeting, {}, problem);
  });
});

describe('ssh', () => {
  it('shows its identification, also after other lines, and is sent nothing', async () => {
    await expectAnswered(
      'ssh',
      'Authorised use only.\r\nBe warned.\r\nSSH-2.0-x y\r\n',
      {},
      'SSH-2.0-x y',
      '',
    );
    await expectAnswered('ssh', 'SSH-1.99-old\n', {}, 'SSH-1.99-old', '');
  });

  it.each([
    ['SSH-1.5-x\r\n', 'it does not speak SSH 2.0: "SSH-1.5-x"'],
    ['220 x ESMTP\r\n', '"220 x ESMTP" is not an SSH identification; it looks like SMTP'],
  ])('is not what says %j', async (greeting, problem) => {
    await expectWrong('ssh', greeting, {}, problem);
  });
});

describe('ssh that refuses a client', () => {
  it('keeps what it said before it closed', async () => {
    const server = await startFakeServer((socket) => socket.end('Not allowed now.\r\n'));
    const finding = await probeService(server.port, { name: 'ssh' });
    expect(expectFinding(finding, 'dropped')).toMatchObject({
      firstLine: 'Not allowed now.',
      awaited: 'its identification',
      unfinished: 'Not allowed now.',
    });
  });
});

describe('http', () => {
  it.each<[string, string[], string]>([
    ['100 and then 503', ['100 Continue', '503 Busy'], '503 Busy'],
    ['103 with a header and then 200', ['103 Early Hints\r\nLink: </a>', '200 OK'], '200 OK'],
    ['102, 103 and then 404', ['102 Processing', '103 Early Hints', '404 No'], '404 No'],
  ])('that sends %s has answered with the last', async (_, responses, last) => {
    const all = responses.map((response) => `HTTP/1.1 ${response}\r\n\r\n`).join('');
    const { finding, server } = await talk('http', '', { HEAD: all });
    const { answerMs, elapsedMs } = expectFinding(finding, 'answered');
    expect(finding.firstLine).toBe(`HTTP/1.1 ${last}`);
    expect(answerMs).toBeLessThanOrEqual(elapsedMs);
    expect(server.received()).toMatch(/^HEAD /);
  });

  it('that answers 100 late has its answer time at the last response', async () => {
    const { port } = await startFakeServer((socket) => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      setTimeout(() => socket.write('HTTP/1.1 200 OK\r\n\r\n'), 200);
    });
    const finding = expectFinding(await probeService(port, { name: 'http' }), 'answered');
    expect(finding.answerMs).toBeGreaterThan(150);
  });

  it('that sends 100 and then nothing is silent or dropped, and has not answered', async () => {
    const only = 'HTTP/1.1 100 Continue\r\n\r\n';
    const { finding } = await talk('http', '', { HEAD: only });
    expect(finding).toMatchObject({ state: 'silent', awaited: 'its answer to HEAD' });
    const closing = await talk('http', '', { HEAD: (socket) => void socket.end(only) });
    expect(closing.finding).toMatchObject({
      state: 'dropped',
      by: 'end',
      unfinished: 'HTTP/1.1 100 Continue',
    });
  });

  it('that speaks only HTTP/2 is named', async () => {
    const settings = Buffer.from('000006040000000000000300000064', 'hex');
    const goAway = Buffer.from('0000080700000000000000000000000001', 'hex');
    const { finding } = await talk('http', '', {
      HEAD: (socket) => void socket.end(Buffer.concat([settings, goAway])),
    });
    expect(expectFinding(finding, 'wrong-protocol').problem).toMatch(
      / came instead of its answer to HEAD; it looks like HTTP\/2$/,
    );
  });

  it.each(['HTTP/1.1 200 OK', 'HTTP/1.0 503 Service Unavailable', 'HTTP/1.1 204'])(
    'answers HEAD, with any status: %s',
    async (status) => {
      const end = (socket: { end(text: string): void }): void => socket.end(`${status}\r\n\r\n`);
      await expectAnswered(
        'http',
        '',
        { Connection: end },
        status,
        new RegExp(
          String.raw`^HEAD / HTTP/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\nUser-Agent: ` +
            String.raw`portping\r\nAccept: \*/\*\r\nConnection: close\r\n\r\n$`,
        ),
      );
    },
  );

  itWith('ipv6', 'is asked for by the host, with IPv6 in brackets', async () => {
    const server = await startFakeServer(
      replyToLines('', { Connection: 'HTTP/1.1 200 OK\r\n\r\n' }),
      '::1',
    );
    await probeService(server.port, { name: 'http' }, { host: '::1' });
    expect(server.received()).toContain(`\r\nHost: [::1]:${server.port}\r\n`);
  });

  it.each([
    ['<html>hello\r\n', '"<html>hello" is not an HTTP response'],
    ['ICY 200 OK\r\n', '"ICY 200 OK" is not an HTTP response'],
    ['HTTP/1.1 999 x\r\n', '"HTTP/1.1 999 x" is not an HTTP response'],
  ])('is not what says %j', async (greeting, problem) => {
    await expectWrong('http', '', { Connection: greeting }, problem);
  });
});

describe('banner', () => {
  it.each([
    ['a line\r\nanother', 'a line'],
    ['no end of line', 'no end of line'],
    ['\r\n', ''],
    ['\n', ''],
  ])('is whatever is said first: %j', async (said, firstLine) => {
    await expectAnswered('banner', said, {}, firstLine, '');
  });

  it('is what was said before the server closed', async () => {
    const server = await startFakeServer((socket) => socket.end('bye'));
    expect(await probeService(server.port, { name: 'banner' })).toMatchObject({
      state: 'answered',
      firstLine: 'bye',
    });
  });

  it('is the whole line if its end came while this process was busy', async () => {
    const server = await startFakeServer((socket) => {
      const finish = (): void => {
        socket.write('ver ready\r\n');
        block(1000);
      };
      socket.write('ser');
      setTimeout(() => setImmediate(finish), 100); // timers come next
    });
    expect(await probeService(server.port, { name: 'banner' })).toMatchObject({
      firstLine: 'server ready',
    });
  });

  it('shows UTF-8 as that, and other bytes as single characters', async () => {
    const utf8 = await startFakeServer((socket) => socket.write('grüß dich\n'));
    expect(await probeService(utf8.port, { name: 'banner' })).toMatchObject({
      firstLine: 'grüß dich',
    });
    const binary = await startFakeServer((socket) =>
      socket.write(Buffer.from([0xff, 0xfb, 0x01, 0x0a])),
    );
    expect(await probeService(binary.port, { name: 'banner' })).toMatchObject({
      firstLine: '\xff\xfb\x01',
    });
  });
});

describe('another protocol that ends no line', () => {
  it.each<[ServiceName, string, number[] | string, string]>([
    [
      'smtp',
      'Telnet',
      [0xff, 0xfd, 0x18],
      '"ÿý\x18" came instead of its greeting; it looks like Telnet',
    ],
    [
      'http',
      'TLS',
      [0x15, 3, 3, 0, 2, 2, 70],
      '"\x15\x03\x03\x00\x02\x02F" came instead of its answer to HEAD; it looks like TLS',
    ],
    [
      'imap',
      'SMTP',
      '220 x ESMTP',
      '"220 x ESMTP" came instead of its greeting; it looks like SMTP',
    ],
  ])(
    'is not %s but named as %s, whether it falls silent or closes',
    async (name, _, said, problem) => {
      for (const end of [false, true]) {
        const server = await startFakeServer((socket) => {
          socket.write(Buffer.from(said as string));
          if (end) socket.end();
        });
        expect(
          expectFinding(
            await probeService(server.port, { name }, { timeoutMs: 400 }),
            'wrong-protocol',
          ).problem,
        ).toBe(problem);
      }
    },
  );

  it.each<[ServiceName, number[] | string]>([
    ['smtp', '220 ftp.exam'],
    ['ftp', '220 smtp.exam'],
    ['smtp', '2'],
    ['smtp', 'hello'],
    ['ssh', 'SSH-2.0-x'],
    ['pop3', '+OK'],
    ['imap', '* OK'],
    ['http', 'HTTP/1.1'],
    ['x400', [3, 0, 0, 11, 6, 0xd0]],
  ])(
    'is not reported for the beginning of the right one, or for unknown bytes: %s, %j',
    async (name, said) => {
      const server = await startFakeServer(
        (socket) => void socket.write(Buffer.from(said as string)),
      );
      expectFinding(await probeService(server.port, { name }, { timeoutMs: 400 }), 'silent');
    },
  );

  it('is looked for in the first answer only', async () => {
    const { finding } = await talk('smtp', '220 x\r\n', { EHLO: 'SSH-2.0-x' });
    expect(finding).toMatchObject({
      state: 'silent',
      awaited: 'its answer to EHLO',
      unfinished: 'SSH-2.0-x',
    });
  });
});

describe('asking', () => {
  it('reports the latency of the handshake, however long the conversation takes', async () => {
    const server = await startFakeServer(
      (socket) => void setTimeout(() => socket.write('+OK\r\n'), 300),
    );
    const { outcome } = await probeTarget(
      { host: '127.0.0.1', port: server.port },
      { service: { name: 'pop3' } },
    );
    if (outcome.state !== 'open') throw new Error(outcome.state);
    expect(outcome.latencyMs).toBeLessThan(200);
    expect(outcome.service?.answerMs).toBeGreaterThan(250);
  });

  it('is by the port where no name is given, and refused where the port says nothing', async () => {
    await expect(probeTarget({ host: '127.0.0.1', port: 12_345 }, { service: {} })).rejects.toThrow(
      'service.name: no service is known for port 12345; name one',
    );
    await expect(
      probeTarget({ host: '127.0.0.1', port: 25 }, { service: { name: 'nonsense' as 'smtp' } }),
    ).rejects.toThrow('"nonsense" is not a service; allowed: banner, ');
    await expect(
      probeTarget({ host: '127.0.0.1', port: 25 }, { service: { name: 'smtp', insecure: true } }),
    ).rejects.toThrow('smtp has no TLS');
    for (const sni of ['a b', 'a\r\nb', '', '.', '192.0.2.1'])
      await expect(
        probeTarget({ host: '127.0.0.1', port: 25 }, { service: { name: 'https', sni } }),
      ).rejects.toThrow('is not a host name');
    await expect(
      probeTarget({ host: '127.0.0.1', port: 25 }, { service: { name: 'tls', tlsMinDays: 0 } }),
    ).rejects.toThrow('service.tlsMinDays: 0 is out of range; allowed: 1 to 3650');
  });

  it('says nothing about the service of a port that is not open', async () => {
    const { outcome } = await probeTarget(
      { host: '127.0.0.1', port: await freePort() },
      { service: { name: 'smtp' } },
    );
    expect(outcome).toMatchObject({ state: 'closed' });
    expect(outcome).not.toHaveProperty('service');
  });

  it('ends at once as cancelled when the caller aborts', async () => {
    const server = await startFakeServer(() => {});
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const startedAt = performance.now();
    const { outcome } = await probeTarget(
      { host: '127.0.0.1', port: server.port },
      { service: { name: 'smtp' }, signal: controller.signal },
    );
    expect(outcome.state).toBe('cancelled');
    expect(performance.now() - startedAt).toBeLessThan(2500);
    await expect.poll(() => server.ends.length, SOON).toBe(1);
  });

  it('probes only the address that opened first, and tries no other meanwhile', async () => {
    let connections = 0;
    const greetLate = (socket: Socket): void => {
      connections += 1;
      // Longer than the pause before the next address.
      setTimeout(() => socket.write('+OK\r\n'), 600);
    };
    const { port } = await startFakeServer(greetLate, '0.0.0.0');
    const { outcome, attempts } = await probeTarget(
      { host: 'two.test', port },
      { service: { name: 'pop3' } },
      { systemLookup: answering(['127.0.0.2', '127.0.0.3']) },
    );
    expect(outcome).toMatchObject({
      state: 'open',
      endpoint: { address: '127.0.0.2' },
      service: { state: 'answered' },
    });
    expect([attempts.length, connections]).toEqual([1, 1]);
  });
});
