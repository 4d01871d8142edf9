import type { Socket as UdpSocket } from 'node:dgram';
import { connect } from 'node:net';
import { monotonicClock } from '../clock.js';
import { errorFacts } from '../errors/socket-errors.js';
import type { ErrorFacts } from '../facts/outcome.js';
import { splitAddress } from '../target/address-parameters.js';
import { familyOf } from '../target/target.js';
import { type Deadline, within } from '../deadline.js';
import {
  type AddressQuestion,
  type DnsMessage,
  encodeQuestion,
  parseReply,
} from './dns-message.js';

/** A question to one server. */
export interface ServerQuestion extends Deadline {
  /** `address` or `address:port`. */
  readonly server: string;
  readonly host: string;
  readonly family: 4 | 6;
}

/** How an exchange ended: with a reply, or with the error of a system call, or with neither. */
export interface Exchange {
  readonly reply?: DnsMessage | undefined;
  readonly error?: ErrorFacts | undefined;
  /** From the question on the wire to its end, milliseconds; absent without an end. */
  readonly elapsedMs?: number | undefined;
  /** The reply over UDP was truncated, so this is how the question over TCP ended. */
  readonly isOverTcp: boolean;
  /** The host cannot be a name in DNS; nothing was sent. */
  readonly isNoName?: true;
}

type Ending = Pick<Exchange, 'reply' | 'error' | 'elapsedMs'>;

/** A server, and the message for it. */
interface Sending {
  readonly address: string;
  readonly port: number;
  readonly message: Buffer;
  readonly question: AddressQuestion;
}

const DNS_PORT = 53;

/**
 * A question is sent three times; each wait is twice as long as the one before (1 + 2 + 4). The
 * last one ends with the timeout.
 */
const WAITS = [1, 2];
const TIMEOUT_PARTS = 7;

/** Far servers could not answer within less, in milliseconds. */
const MIN_WAIT_MS = 100;

/** The error of a reply that cannot be parsed. */
const BAD_REPLY: ErrorFacts = { code: 'EBADRESP', errno: null, winsock: null, syscall: null };

const randomId = (): number => crypto.getRandomValues(new Uint16Array(1))[0] ?? 0;

/** How a message ends the exchange; null if it is no reply to the question. */
function endingOf(message: Buffer, question: AddressQuestion): Ending | null {
  try {
    const reply = parseReply(message, question);
    return reply && { reply };
  } catch {
    return { error: BAD_REPLY };
  }
}

/** Sends the question at once and then again and again, until `signal` is aborted. */
function repeat(send: () => void, timeoutMs: number, signal: AbortSignal): void {
  let dueMs = 0;
  const timers = WAITS.map((wait) => {
    dueMs += Math.max((timeoutMs * wait) / TIMEOUT_PARTS, wait * MIN_WAIT_MS);
    return setTimeout(send, dueMs);
  });
  send();
  signal.addEventListener('abort', () => {
    for (const timer of timers) clearTimeout(timer);
  });
}

function closeUdp(socket: UdpSocket): void {
  socket
    .removeAllListeners()
    .on('error', () => {})
    .close();
}

/**
 * Asks over UDP. The socket is connected: only so the system reports that a firewall here drops the
 * question (EPERM from `send`) or that an ICMP error came back (from `recvmsg`).
 */
async function askOverUdp(
  { address, port, message, question }: Sending,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Ending> {
  const { createSocket } = await import('node:dgram'); // loaded only when needed
  return new Promise((resolve) => {
    const socket = createSocket(familyOf(address) === 6 ? 'udp6' : 'udp4');
    signal.addEventListener('abort', () => closeUdp(socket));
    if (signal.aborted) return closeUdp(socket);
    let startMs = monotonicClock();
    const fail = (error: Error | null): void => {
      if (error) resolve({ error: errorFacts(error), elapsedMs: monotonicClock() - startMs });
    };
    // A firewall here that rejects fails `send` and also returns an ICMP error: `send` counts.
    socket.on('error', (error) => setImmediate(fail, error));
    socket.on('message', (received) => {
      const elapsedMs = monotonicClock() - startMs;
      const ending = endingOf(received, question);
      if (ending) resolve({ ...ending, elapsedMs });
    });
    socket.connect(port, address, (error?: Error | null) => {
      if (error) return fail(error);
      if (signal.aborted) return;
      startMs = monotonicClock(); // Node's first socket takes 3 ms to connect
      repeat(() => socket.send(message, fail), timeoutMs, signal);
    });
  });
}

/** Asks over TCP: the length in two bytes, then the message (RFC 1035, section 4.2.2). */
function askOverTcp(
  { address, port, message, question }: Sending,
  signal: AbortSignal,
): Promise<Ending> {
  const startMs = monotonicClock();
  return new Promise((resolve) => {
    const end = (ending: Ending): void =>
      resolve({ ...ending, elapsedMs: monotonicClock() - startMs });
    const socket = connect({ host: address, port, autoSelectFamily: false });
    signal.addEventListener('abort', () => socket.destroy());
    if (signal.aborted) socket.destroy();
    let received = Buffer.alloc(0);
    socket
      .on('error', (error) => end({ error: errorFacts(error) }))
      .on('end', () => end({ error: BAD_REPLY }))
      .on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        const length = received.length < 2 ? Infinity : received.readUInt16BE(0);
        if (received.length < 2 + length) return;
        end(endingOf(received.subarray(2, 2 + length), question) ?? { error: BAD_REPLY });
      });
    socket.write(Buffer.of(message.length >> 8, message.length & 0xff));
    socket.write(message);
  });
}

function parseServer(server: string): { readonly address: string; readonly port: number } {
  const { address, port } = splitAddress(server) ?? { address: null, port: null };
  if (address === null) throw new TypeError(`"${server}" is not the address of a DNS server`);
  return { address, port: Number(port ?? DNS_PORT) };
}

/**
 * Asks one DNS server for the addresses of one family: over UDP, and over TCP if the reply is
 * truncated. Node's resolver (c-ares) has one code, ECONNREFUSED, for a closed port, a firewall of
 * this machine, a missing route and a closed TCP port; this tells them apart.
 *
 * @throws TypeError if the server is not an address
 */
export async function exchange(asked: ServerQuestion): Promise<Exchange> {
  const { server, host, family, timeoutMs, signal } = asked;
  const question = { id: randomId(), host, family };
  const { address, port } = parseServer(server);
  const message = encodeQuestion(question);
  if (message === null) return { isOverTcp: false, isNoName: true };
  const sending = { address, port, message, question };
  const over = new AbortController();
  let isOverTcp = false;
  const asking = async (): Promise<Ending> => {
    const ending = await askOverUdp(sending, timeoutMs, over.signal);
    isOverTcp = ending.reply?.isTruncated === true;
    if (!isOverTcp) return ending;
    const again = await askOverTcp(sending, over.signal);
    return { ...again, elapsedMs: (ending.elapsedMs ?? 0) + (again.elapsedMs ?? 0) };
  };
  const ending = await within(asking(), { timeoutMs, signal });
  over.abort();
  return { ...ending, isOverTcp };
}
