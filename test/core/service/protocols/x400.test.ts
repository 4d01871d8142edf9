import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { connectionRequest, describeTpdu } from '../../../../src/core/service/protocols/x400.js';
import { describeService } from '../../../../src/report/service.js';
import { itWith, SERVER_PATH } from '../../../support/tools.js';
import { probeService, expectFinding, startFakeServer } from '../../../support/fake-servers.js';

/** A TPKT around a TPDU: version 3, a reserved byte, the length of both (RFC 1006, section 6). */
const tpkt = (tpdu: Buffer): Buffer =>
  Buffer.concat([Buffer.from([3, 0, (tpdu.length + 4) >> 8, (tpdu.length + 4) & 255]), tpdu]);

/** TPDUs as X.224 draws them: length, code, destination and source reference, the rest. */
const confirm = (reference: number, classOption = 0, parameters: number[] = []): Buffer =>
  Buffer.from([
    6 + parameters.length,
    0xd0,
    reference >> 8,
    reference & 255,
    0x00,
    0x2a,
    classOption,
    ...parameters,
  ]);
const disconnect = (reference: number, reason: number): Buffer =>
  Buffer.from([6, 0x80, reference >> 8, reference & 255, 0, 0, reason]);
const error = (reference: number, cause: number): Buffer =>
  Buffer.from([4, 0x70, reference >> 8, reference & 255, cause]);

/** A responder that answers only to a connection request that RFC 1006 and X.224 allow. */
function respond(answer: (sourceReference: number) => Buffer): (socket: Socket) => void {
  return (socket) => {
    let seen = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      seen = Buffer.concat([seen, bytes]);
      if (seen.length < 4 || seen.length < seen.readUInt16BE(2)) return;
      const [version, , , , length = 0, code] = seen;
      const isInOrder =
        version === 3 &&
        seen.readUInt16BE(2) === seen.length &&
        length === seen.length - 5 &&
        code === 0xe0 &&
        seen.readUInt16BE(6) === 0 &&
        seen[10] === 0;
      if (!isInOrder) return void socket.end(tpkt(error(seen.readUInt16BE(8), 2)));
      socket.write(tpkt(answer(seen.readUInt16BE(8))));
    });
  };
}

async function meaningOf(answer: (sourceReference: number) => Buffer): Promise<string | null> {
  const { port } = await startFakeServer(respond(answer));
  const finding = expectFinding(await probeService(port, { name: 'x400' }), 'answered');
  expect(finding.firstLine).toBeNull();
  return finding.meaning;
}

describe('x400', () => {
  it.each([
    [
      'a confirm',
      (reference: number) => confirm(reference),
      'a COTP connection confirm (CC), class 0',
    ],
    [
      'a confirm with parameters',
      (reference: number) => confirm(reference, 0, [0xc0, 1, 0x0a, 0xc2, 2, 0x41, 0x42]),
      'a COTP connection confirm (CC), class 0',
    ],
    [
      'a confirm of another class',
      (reference: number) => confirm(reference, 0x20),
      'a COTP connection confirm (CC), class 2',
    ],
    [
      'a refusal: the address is not in use',
      (reference: number) => disconnect(reference, 3),
      'a COTP disconnect request (DR), address unknown (3)',
    ],
    [
      'a refusal for an unknown reason',
      (reference: number) => disconnect(reference, 99),
      'a COTP disconnect request (DR), unknown reason (99)',
    ],
    [
      'an error',
      (reference: number) => error(reference, 2),
      'a COTP error (ER), invalid TPDU type (2)',
    ],
  ])('is there when it answers with %s', async (_, answer, meaning) => {
    expect(await meaningOf(answer)).toBe(meaning);
  });

  it('says what answered, and how fast', async () => {
    const { port } = await startFakeServer(respond((reference) => disconnect(reference, 136)));
    expect(describeService(await probeService(port, { name: 'x400' }))).toMatch(
      new RegExp(
        String.raw`^x400 answered with a COTP disconnect request \(DR\), connection request ` +
          String.raw`refused on this network connection \(136\) in [\d.]+ milliseconds\.$`,
      ),
    );
  });

  it('is heard in pieces of any size', async () => {
    const answer = tpkt(confirm(0x5050, 0, [0xc0, 1, 0x0a]));
    const answerInPieces = async (socket: Socket, cuts: number[]): Promise<void> => {
      const edges = [0, ...cuts.sort((one, other) => one - other), answer.length];
      for (const [index, edge] of edges.slice(1).entries()) {
        socket.write(answer.subarray(edges[index], edge));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: answer.length }), { maxLength: 5 }),
        async (cuts) => {
          const { port } = await startFakeServer(
            (socket) => void socket.once('data', () => void answerInPieces(socket, cuts)),
          );
          expect((await probeService(port, { name: 'x400' })).state).toBe('answered');
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each([
    [
      'a greeting',
      Buffer.from('220 mail ESMTP\r\n'),
      '"220 mail ESMTP" is not an ISO transport answer; it looks like SMTP',
    ],
    [
      'a TPKT without room for a TPDU',
      Buffer.from([3, 0, 0, 4]),
      '"\x03\x00\x00\x04" is not an ISO transport answer',
    ],
    [
      'data instead of an answer',
      tpkt(Buffer.from([2, 0xf0, 0x80, 1, 2, 3])),
      '"\x03\x00\x00\x0a\x02ð\x80\x01\x02\x03" is not an ISO transport answer',
    ],
    [
      'a header longer than its TPDU',
      tpkt(Buffer.from([200, 0xd0, 0, 0, 0, 0, 0])),
      '"\x03\x00\x00\x0bÈÐ\x00\x00\x00\x00\x00" is not an ISO transport answer',
    ],
  ])('is not what answers with %s', async (_, bytes, problem) => {
    const { port } = await startFakeServer(
      (socket) => void socket.once('data', () => socket.write(bytes)),
    );
    const found = expectFinding(
      await probeService(port, { name: 'x400' }),
      'wrong-protocol',
    ).problem;
    expect(found.replace(/; it looks like an ISO.*/, '')).toBe(problem.replace(/\n.*"/, '"'));
  });

  it('is silent if its answer is incomplete', async () => {
    const { port } = await startFakeServer(
      (socket) => void socket.once('data', () => socket.write(Buffer.from([3, 0, 0, 11, 6, 0xd0]))),
    );
    expect(await probeService(port, { name: 'x400' }, { timeoutMs: 300 })).toMatchObject({
      state: 'silent',
      awaited: 'its answer to the connection request',
      receivedBytes: 6,
    });
  });

  it('never crashes on a TPDU, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const meaning = describeTpdu(Buffer.from(bytes));
        expect(
          meaning === null ||
            /^a COTP (connection confirm|disconnect request|error) /.test(meaning),
        ).toBe(true);
      }),
    );
  });
});

describe("tshark's dissector", () => {
  const directory = mkdtempSync(join(tmpdir(), 'portping-tshark-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** What tshark makes of messages between a client's port and port 102. */
  function dissect(messages: readonly Buffer[], from: number, to: number): string {
    const dump = messages
      .map(
        (bytes) =>
          `000000 ${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}\n`,
      )
      .join('\n');
    writeFileSync(join(directory, 'dump.txt'), dump);
    const options = {
      cwd: directory,
      encoding: 'utf8',
      env: { PATH: SERVER_PATH, HOME: directory },
    } as const;
    const made = spawnSync(
      'text2pcap',
      ['-q', '-T', `${from},${to}`, 'dump.txt', 'dump.pcap'],
      options,
    );
    expect(made.status, made.stderr).toBe(0);
    const read = spawnSync('tshark', ['-r', 'dump.pcap', '-V', '-O', 'tpkt,cotp'], options);
    expect(read.status, read.stderr).toBe(0);
    return read.stdout.replace(/^ +/gm, '');
  }

  itWith('tshark', 'reads our connection request as a TPKT with a COTP CR of class 0', async () => {
    expect(connectionRequest().toString('hex')).toBe('0300000e09e00000505000c0010b');
    const text = dissect([connectionRequest()], 50_000, 102);
    expect(text).toContain('TPKT, Version: 3, Length: 14\n');
    expect(text).toContain(
      'Length: 9\nPDU Type: CR Connect Request (0x0e)\nDestination reference: 0x0000\nSource ' +
        'reference: 0x5050\n0000 .... = Class: 0\n',
    );
    expect(text).toContain(
      'Parameter code: tpdu-size (0xc0)\nParameter length: 1\nTPDU size: 2048\n',
    );
    expect(text).not.toMatch(/malformed/i);
  });

  itWith('tshark', 'reads the answers of the responder as CC, DR and ER', async () => {
    const text = dissect(
      [tpkt(confirm(0x5050)), tpkt(disconnect(0x5050, 3)), tpkt(error(0x5050, 2))],
      102,
      50_000,
    );
    expect(text).toContain(
      'Length: 6\nPDU Type: CC Connect Confirm (0x0d)\nDestination reference: 0x5050\nSource ' +
        'reference: 0x002a\n0000 .... = Class: 0\n',
    );
    expect(text).toContain(
      'PDU Type: DR Disconnect Request (0x08)\nDestination reference: 0x5050\nSource ' +
        'reference: 0x0000\nCause: Address unknown (3)\n',
    );
    expect(text).toContain(
      'PDU Type: ER TPDU Error (0x07)\nDestination reference: 0x5050\nReject cause: Invalid ' +
        'TPDU type (2)\n',
    );
    expect(text).not.toMatch(/malformed/i);
  });

  itWith('tshark', 'knows the same reasons and causes as we do', async () => {
    const numbers = Array.from({ length: 256 }, (_, number) => number);
    const known = (make: (number: number) => Buffer): number[] =>
      numbers.filter((number) => !/unknown (reason|cause)/.test(describeTpdu(make(number)) ?? ''));
    const dissected = (make: (number: number) => Buffer, field: RegExp): number[] =>
      [
        ...dissect(
          numbers.map((number) => tpkt(make(number))),
          102,
          50_000,
        ).matchAll(field),
      ].map(([, number]) => Number(number));
    expect(dissected((reason) => disconnect(0x5050, reason), /^Cause: .+ \((\d+)\)$/gm)).toEqual(
      known((reason) => disconnect(0x5050, reason)),
    );
    expect(
      dissected((cause) => error(0x5050, cause), /^Reject cause: (?!Unknown).+ \((\d+)\)$/gm),
    ).toEqual(known((cause) => error(0x5050, cause)));
  });
});
