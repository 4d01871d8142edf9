import type { Socket } from 'node:net';
import { setSocketTimeout } from '../../clock.js';
import type { ConnectionContext, Drop, TlsFacts } from '../../facts/service-finding.js';
import { type ProtocolName, recognizeProtocol } from './protocol-signatures.js';
import { MAX_LINE_BYTES, ReceiveBuffer } from './receive-buffer.js';
import type { SecureLayer, TlsStarter } from './secure-layer.js';
import {
  otherProtocol,
  plainTextInjected,
  ServiceFailure,
  tlsFailed,
  tooMuchReceived,
  unexpectedLine,
} from './service-failure.js';
import { cutText } from './text.js';

/** How long `close` waits for the answer to a farewell, milliseconds. Nothing depends on it. */
const FAREWELL_MS = 250;

/** What a conversation needs besides the socket. */
export interface ConversationOptions {
  /** Starts TLS, if the service has it. */
  readonly starter: TlsStarter | null;
  /** See `ServiceProtocol.recognizedAs`. */
  readonly recognizedAs: readonly ProtocolName[] | null;
  /** Bytes received in an earlier conversation; the limit is for both together. */
  readonly receivedBefore: number;
}

/**
 * Talks over an open connection, with limits: 64 KiB received, the deadline, and the end of the
 * connection. Methods that read throw a `ServiceFailure` when a limit is reached.
 */
export class Conversation {
  readonly #socket: Socket;
  readonly #context: ConnectionContext;
  readonly #starter: TlsStarter | null;
  readonly #recognizedAs: readonly ProtocolName[] | null;
  readonly #buffer: ReceiveBuffer;
  #layer: SecureLayer | null = null;
  /** What is being read: `its greeting`. */
  #awaited = '';
  #firstByteMs: number | null = null;
  #firstLineMs: number | null = null;
  #drop: Drop | null = null;
  /** When the TLS handshake was complete. */
  #secureMs = 0;
  /** When all was known, if before now: the time we take to inspect TLS is not the server's. */
  #knownMs: number | null = null;
  #wake: () => void = () => {};
  /** See `noteAnswer`. */
  #answer: string | null = null;
  /** What TLS agreed on, or null. */
  tls: TlsFacts | null = null;

  constructor(
    socket: Socket,
    context: ConnectionContext,
    { starter, recognizedAs, receivedBefore }: ConversationOptions,
  ) {
    this.#buffer = new ReceiveBuffer(receivedBefore);
    this.#socket = socket;
    this.#starter = starter;
    this.#recognizedAs = recognizedAs;
    this.#context = context;
    this.#drop = context.drop;
    // With Nagle's algorithm, our first command would wait until the end of our TLS handshake is
    // acknowledged (RFC 9293, 3.7.4).
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#noteDrop('end'));
    socket.on('error', (error) => this.#noteDrop('reset', error));
    context.signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** Milliseconds from TCP's handshake until all was known. */
  get elapsedMs(): number {
    return this.#knownMs ?? this.#context.clock() - this.#context.connectedMs;
  }

  /** See `firstLine` of a finding. */
  get firstLine(): string | null {
    return this.#answer ?? this.#buffer.firstLine;
  }

  /** See `answerMs` of a finding. */
  get answerMs(): number | null {
    return this.#firstLineMs ?? this.#firstByteMs;
  }

  /** See `receivedBytes` of a finding. */
  get receivedBytes(): number {
    return this.#buffer.receivedBytes;
  }

  /** Whether a TLS handshake failed. Bytes that are not TLS do not count. */
  get isHandshakeFailed(): boolean {
    return this.#layer?.isFailed ?? false;
  }

  /** All that has come and was not read. */
  get unread(): Buffer {
    return this.#buffer.unread;
  }

  /** Sends a line, with CR LF. */
  writeLine(line: string): void {
    this.write(Buffer.from(`${line}\r\n`));
  }

  /** Sends bytes as they are. */
  write(bytes: Buffer): void {
    (this.#layer?.stream ?? this.#socket).write(bytes);
  }

  /** Reads the next line, without its end (CR LF or LF). */
  async readLine(awaited: string): Promise<string> {
    this.#await(awaited);
    for (;;) {
      const line = this.#buffer.takeLine();
      if (line !== null) return line;
      await this.#waitForMore();
    }
  }

  /** Reads this many bytes. */
  async readBytes(count: number, awaited: string): Promise<Buffer> {
    this.#await(awaited);
    for (;;) {
      const bytes = this.#buffer.takeBytes(count);
      if (bytes !== null) return bytes;
      await this.#waitForMore();
    }
  }

  /** Waits for the first line; `pauseMs` after the last byte also for less. Leaves it unread. */
  async waitForInput(pauseMs: number, awaited: string): Promise<void> {
    this.#await(awaited);
    while (this.#buffer.unreadLength === 0) await this.#waitForMore();
    while (!this.#buffer.isFirstLineComplete && !this.#isOver()) {
      const before = this.#buffer.unreadLength;
      await this.#wait(pauseMs);
      if (this.#buffer.unreadLength === before) return;
    }
  }

  /** The failure for a line that the protocol does not have at this point. */
  unexpected(line: string, expected: string): ServiceFailure {
    return unexpectedLine(line, expected, this.#recognizeOther(Buffer.from(line, 'latin1')));
  }

  /** Starts TLS. Afterwards all is read and written through it. */
  async startTls(): Promise<void> {
    if (!this.#starter) throw new TypeError('this service has no TLS');
    this.#await('its part of the TLS handshake');
    if (this.#drop) throw this.#dropped();
    if (this.#buffer.unreadLength > 0) throw plainTextInjected(this.unread);
    const layer = this.#starter(this.#socket, {
      onData: (bytes) => this.#store(bytes),
      onChange: () => this.#wake(),
    });
    this.#layer = layer;
    while (!layer.isSecure && !layer.error && !layer.isPlain) await this.#waitForMore();
    if (!layer.isSecure) throw this.#handshakeFailure(layer);
    this.#secureMs = this.elapsedMs;
    const { facts, fatal } = layer.inspect(Date.now());
    this.tls = facts;
    if (!fatal) return this.readPending();
    this.#knownMs = this.#secureMs;
    throw tlsFailed(fatal);
  }

  /**
   * Reads what has come before anything is written: on a reset connection a write fails, and what
   * the server said before the reset would be lost. After an event of a socket it takes two turns
   * until the sockets have been polled again.
   */
  async readPending(): Promise<void> {
    await new Promise(setImmediate);
    await new Promise(setImmediate);
  }

  /** Takes a later line as the answer, instead of the first one. */
  noteAnswer(line: string): void {
    this.#answer = cutText(Buffer.from(line), MAX_LINE_BYTES);
    this.#firstLineMs = this.elapsedMs;
  }

  /** Takes the end of the TLS handshake as the answer. */
  noteHandshakeAsAnswer(): void {
    this.#firstLineMs = this.#knownMs = this.#secureMs;
  }

  /** Sends the farewell, if any, and ends TLS: each within 250 ms and the deadline. */
  async close(farewell?: string): Promise<void> {
    this.#buffer.discard();
    if (farewell !== undefined && !this.#isOver()) {
      this.writeLine(farewell);
      await this.#wait(FAREWELL_MS);
    }
    if (this.#layer?.isSecure && !this.#isOver()) {
      this.#layer.close(() => this.#wake());
      await this.#wait(FAREWELL_MS);
    }
    this.#layer?.destroy();
  }

  #handshakeFailure(layer: SecureLayer): ServiceFailure {
    // STARTTLS was answered in plain text, and more plain text came in a packet of its own.
    if (layer.isPlain && this.firstLine !== null) return plainTextInjected(layer.firstBytes);
    // Node's code for an end during the handshake: of the connection, or close_notify.
    if (layer.error?.code === 'ECONNRESET' && !layer.isPlain) return this.#dropped();
    return tlsFailed(layer.describeError());
  }

  /** The protocol that bytes look like, if it is not the expected one. */
  #recognizeOther(bytes: Buffer): ProtocolName | null {
    const name = recognizeProtocol(bytes);
    const isExpected = name === null || (this.#recognizedAs?.includes(name) ?? true);
    return isExpected ? null : name;
  }

  /** Begins to read an answer; again with the same name, goes on with it. */
  #await(awaited: string): void {
    if (this.#awaited === awaited) return;
    this.#awaited = awaited;
    this.#buffer.markAnswer();
  }

  #isOver(): boolean {
    return this.#buffer.isOverLimit || this.#context.signal.aborted || this.#isDropped();
  }

  /** Once TLS has started, it reports the end: bytes may still be on their way through it. */
  #isDropped(): boolean {
    return this.#layer === null ? this.#drop !== null : this.#layer.isSecure && this.#layer.isEnded;
  }

  async #waitForMore(): Promise<void> {
    if (this.#buffer.isOverLimit) throw tooMuchReceived(this.#awaited, this.firstLine ?? '');
    // In TLS 1.3 the alert "certificate required" comes after the handshake.
    if (this.#layer?.isBroken) throw tlsFailed(this.#layer.describeError());
    if (this.#isDropped()) throw this.#dropped();
    if (this.#context.signal.aborted) throw this.#nothingMore({ state: 'silent' });
    await this.#wait(null);
  }

  /** Waits for a change, at most this long. */
  #wait(timeoutMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === null ? undefined : setSocketTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #dropped(): ServiceFailure {
    const { by, afterMs } = this.#drop ?? { by: 'end', afterMs: this.elapsedMs };
    const winsock = by === 'reset' ? 10054 : null;
    return this.#nothingMore({ state: 'dropped', by, afterMs, winsock });
  }

  /** No more will come. Telnet and TLS have no lines: an incomplete one can identify them. */
  #nothingMore(
    how: { state: 'silent' } | ({ state: 'dropped'; winsock: 10054 | null } & Drop),
  ): ServiceFailure {
    const other = this.#buffer.isFirstLineComplete
      ? null
      : this.#recognizeOther(this.#buffer.firstBytes);
    if (other !== null) return otherProtocol(this.firstLine ?? '', this.#awaited, other);
    const isHandshake = this.#layer !== null && !this.#layer.isSecure;
    const unfinished = isHandshake ? null : this.#buffer.answerLine;
    return new ServiceFailure({ ...how, awaited: this.#awaited, unfinished });
  }

  /** Takes a chunk from the wire. */
  #receive(chunk: Buffer): void {
    const bytes = this.#buffer.admit(chunk);
    if (this.#buffer.isOverLimit) this.#socket.pause(); // it will soon be destroyed
    if (this.#layer) this.#layer.push(bytes);
    else this.#store(bytes);
    this.#wake();
  }

  /** Stores readable bytes and notes when they came. */
  #store(bytes: Buffer): void {
    this.#firstByteMs ??= this.elapsedMs;
    this.#buffer.append(bytes);
    if (this.#buffer.isFirstLineComplete) this.#firstLineMs ??= this.elapsedMs;
    this.#wake();
  }

  #noteDrop(by: Drop['by'], error?: Error): void {
    this.#drop ??= { by, afterMs: this.elapsedMs };
    this.#layer?.end(error);
    this.#wake();
  }
}
