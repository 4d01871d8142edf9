import type { Socket } from 'node:net';
import type {
  ConnectionContext,
  Drop,
  TlsFacts,
  TlsProblem,
  Waiting,
} from '../../facts/service-finding.js';
import { cutText, decodeText, type Protocol, quote, recognizeProtocol } from './text.js';
import type { SecureLayer, TlsStarter } from './secure-layer.js';

/** The most bytes that are taken from the other side, whatever it sends. */
const MOST_BYTES = 65_536;

/** How much of the first line is kept. */
const MOST_FIRST_LINE = 512;

/** How long the answer to a polite last word is waited for, milliseconds: nothing depends on it any more. */
const FAREWELL_MS = 250;

/** How a conversation ended that did not come to its answer. */
export type Ending =
  | ({ readonly state: 'silent' } & Waiting)
  | ({ readonly state: 'dropped'; readonly winsock: 10054 | null } & Waiting & Drop)
  | { readonly state: 'wrong-protocol'; readonly problem: string }
  | ({ readonly state: 'tls-failed' } & TlsProblem);

/** Ends a conversation from within; never leaves `holdConversation`. */
export class ConversationOver extends Error {
  readonly ending: Ending;

  constructor(ending: Ending) {
    super(ending.state);
    this.ending = ending;
  }
}

/**
 * Talking over an open connection, with bounds: 65536 bytes at the most, the deadline, and an end as soon as the other side ends. What cannot go on
 * is thrown as `ConversationOver`.
 */
export class Conversation {
  readonly #socket: Socket;
  readonly #context: ConnectionContext;
  readonly #starter: TlsStarter | null;
  readonly #speaks: readonly Protocol[] | null;
  #layer: SecureLayer | null = null;
  #bytes = Buffer.allocUnsafe(1024);
  #start = 0;
  #end = 0;
  #searched = 0;
  /** What is being read, of one line or more, and where it began. */
  #reading = { awaited: '', start: 0 };
  #first = Buffer.alloc(0);
  #firstIsWhole = false;
  #firstByteMs: number | null = null;
  #firstLineMs: number | null = null;
  #drop: Drop | null = null;
  /** When TLS's handshake was complete; and when all was known, where that was before now. What we look at certificates in between is not the server's time. */
  #secureMs = 0;
  #knownMs: number | null = null;
  #isTooMuch = false;
  #wake: () => void = () => {};
  /** Bytes that came on the wire. */
  receivedBytes = 0;
  /** What TLS agreed on, or null. */
  tls: TlsFacts | null = null;

  /**
   * @param starter starts TLS, where the service has it
   * @param speaks what the service asked for looks like; null when it may look like anything
   */
  constructor(
    socket: Socket,
    starter: TlsStarter | null,
    speaks: readonly Protocol[] | null,
    context: ConnectionContext,
  ) {
    this.#socket = socket;
    this.#starter = starter;
    this.#speaks = speaks;
    this.#context = context;
    this.#drop = context.drop;
    socket.setNoDelay(true); // or what is written behind the end of TLS's handshake would wait for that to be acknowledged (RFC 9293, 3.7.4)
    socket.on('data', (chunk: Buffer) => this.#arrive(chunk));
    socket.on('end', () => this.#leave('end'));
    socket.on('error', (error) => this.#leave('reset', error));
    context.signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** Milliseconds since the handshake, until all was known. */
  get elapsedMs(): number {
    return this.#knownMs ?? this.#context.clock() - this.#context.connectedMs;
  }

  /** See `firstLine` and `answerMs` of a finding. */
  get firstLine(): string | null {
    if (this.#first.length === 0 && !this.#firstIsWhole) return null;
    return cutText(this.#first, MOST_FIRST_LINE).replace(/\r$/, '');
  }

  get answerMs(): number | null {
    return this.#firstLineMs ?? this.#firstByteMs;
  }

  /** All that has come and was not read yet. */
  get unread(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** Says a line. */
  writeLine(line: string): void {
    this.write(Buffer.from(`${line}\r\n`));
  }

  /** Sends bytes as they are. */
  write(bytes: Buffer): void {
    (this.#layer?.stream ?? this.#socket).write(bytes);
  }

  /** The next line, without its end (CR LF, or LF alone). */
  async readLine(awaited: string): Promise<string> {
    this.#begin(awaited);
    for (;;) {
      const at = this.#bytes.subarray(0, this.#end).indexOf(10, this.#searched);
      if (at >= 0) {
        const line = decodeText(this.#bytes.subarray(this.#start, at)).replace(/\r$/, '');
        this.#start = at + 1;
        this.#searched = this.#start;
        return line;
      }
      this.#searched = this.#end;
      await this.#more(awaited);
    }
  }

  /** So many bytes. */
  async readBytes(count: number, awaited: string): Promise<Buffer> {
    this.#begin(awaited);
    while (this.#end - this.#start < count) await this.#more(awaited);
    this.#start += count;
    return this.#bytes.subarray(this.#start - count, this.#start);
  }

  /** Waits until something has come and either a line is whole or nothing follows for so long; leaves it unread. */
  async listen(pauseMs: number, awaited: string): Promise<void> {
    while (this.#end === this.#start) await this.#more(awaited);
    while (!this.#firstIsWhole && !this.#isOver()) {
      const before = this.#end;
      await this.#wait(pauseMs);
      if (this.#end === before) return;
    }
  }

  /** Ends the conversation: what came is not what the service says at that point. */
  refuse(line: string, expected: string): never {
    const other = this.#recognizeOther(Buffer.from(line, 'latin1'));
    const hint = other === null ? '' : `; it looks like ${other}`;
    throw new ConversationOver({
      state: 'wrong-protocol',
      problem: `${quote(line)} is not ${expected}${hint}`,
    });
  }

  /** Ends the conversation: the service speaks the protocol and says no. */
  turnAway(line: string, what: string): never {
    throw new ConversationOver({ state: 'wrong-protocol', problem: `${what}: ${quote(line)}` });
  }

  /** Ends the conversation: it said no to the command that turns to TLS. */
  refuseTls(line: string, command: string): never {
    this.failTls({ failure: 'no-starttls', problem: `it said no to ${command}: ${quote(line)}` });
  }

  /** Ends the conversation: it does not come to TLS. */
  failTls(problem: TlsProblem): never {
    throw new ConversationOver({ state: 'tls-failed', ...problem });
  }

  /** Turns to TLS; afterwards lines are read and written through it. */
  async startTls(): Promise<void> {
    if (!this.#starter) throw new TypeError('this service has no TLS');
    const awaited = 'its part of the TLS handshake';
    if (this.#drop) this.#throwDropped(awaited);
    if (this.#end > this.#start) this.#failAtInjection(this.unread);
    const layer = this.#starter.start(this.#socket, {
      onData: (bytes) => this.#take(bytes),
      onChange: () => this.#wake(),
    });
    this.#layer = layer;
    while (!layer.isSecure && !layer.error && !layer.isPlain) await this.#more(awaited);
    if (!layer.isSecure) {
      if (layer.isPlain && this.firstLine !== null) this.#failAtInjection(layer.firstBytes); // the same in a packet of its own
      // Node's own word for an end before the handshake was over, by the connection or by a close_notify.
      if (layer.error?.code === 'ECONNRESET' && !layer.isPlain) this.#throwDropped(awaited);
      this.failTls(layer.describeError());
    }
    this.#secureMs = this.elapsedMs;
    const { facts, fatal } = layer.judge(Date.now());
    this.tls = facts;
    if (!fatal) return this.settle();
    this.#knownMs = this.#secureMs;
    this.failTls(fatal);
  }

  /**
   * Lets what has come be read before anything is written: on a connection that was reset a write fails, and with it goes what was said before the
   * reset. From an event of a socket it takes two turns to get past the next look at the sockets.
   */
  async settle(): Promise<void> {
    await new Promise(setImmediate);
    await new Promise(setImmediate);
  }

  /** Notes that the end of TLS's handshake is the answer. */
  noteAnswer(): void {
    this.#firstLineMs = this.#knownMs = this.#secureMs;
  }

  /** Says a polite last word, if there is one, and lets it arrive: bounded by a quarter of a second and the deadline. */
  async close(farewell?: string): Promise<void> {
    this.#start = this.#end;
    if (farewell !== undefined && !this.#isOver()) {
      this.writeLine(farewell);
      await this.#wait(FAREWELL_MS);
    }
    if (this.#layer?.isSecure && !this.#isOver()) {
      this.#layer.endInOrder(() => this.#wake());
      await this.#wait(FAREWELL_MS);
    }
    this.#layer?.destroy();
  }

  /** Whoever can put packets on the way could have put it there, to be taken for what comes through TLS (CVE-2011-0411). */
  #failAtInjection(bytes: Buffer): never {
    this.failTls({
      failure: 'injection',
      problem: `plain text came behind its answer to STARTTLS, before TLS began: ${quote(cutText(bytes, MOST_FIRST_LINE))}`,
    });
  }

  /** The protocol that bytes look like, when that is another one than was asked for. */
  #recognizeOther(bytes: Buffer): Protocol | null {
    const looks = recognizeProtocol(bytes);
    return looks === null || this.#speaks === null || this.#speaks.includes(looks) ? null : looks;
  }

  #begin(awaited: string): void {
    if (this.#reading.awaited !== awaited) this.#reading = { awaited, start: this.#start };
  }

  #isOver(): boolean {
    return this.#isTooMuch || this.#context.signal.aborted || this.#isDropped();
  }

  /** Under TLS, what has come may still be on its way through it: it says itself when it is over. */
  #isDropped(): boolean {
    return this.#layer === null ? this.#drop !== null : this.#layer.isSecure && this.#layer.isEnded;
  }

  async #more(awaited: string): Promise<void> {
    if (this.#isTooMuch) {
      const beginning = quote(this.firstLine ?? '');
      throw new ConversationOver({
        state: 'wrong-protocol',
        problem: `more than ${MOST_BYTES / 1024} KiB came before ${awaited} was whole, beginning with ${beginning}`,
      });
    }
    if (this.#layer?.isBroken) this.failTls(this.#layer.describeError()); // in TLS 1.3 a no to our (missing) certificate comes behind the handshake
    if (this.#isDropped()) this.#throwDropped(awaited);
    if (this.#context.signal.aborted) this.#giveUp(awaited, { state: 'silent' });
    await this.#wait(null);
  }

  #wait(timeoutMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === null ? undefined : setTimeout(() => this.#wake(), timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
    });
  }

  #waiting(awaited: string): Waiting {
    if (this.#layer && !this.#layer.isSecure) return { awaited, unfinished: null };
    const begun = this.#bytes.subarray(
      this.#reading.awaited === awaited ? this.#reading.start : this.#start,
      this.#end,
    );
    const at = begun.indexOf(10);
    return {
      awaited,
      unfinished:
        begun.length === 0
          ? null
          : cutText(at < 0 ? begun : begun.subarray(0, at), MOST_FIRST_LINE).replace(/\r$/, ''),
    };
  }

  #throwDropped(awaited: string): never {
    const { by, afterMs } = this.#drop ?? { by: 'end', afterMs: this.elapsedMs };
    this.#giveUp(awaited, {
      state: 'dropped',
      by,
      afterMs,
      winsock: by === 'reset' ? 10054 : null,
    });
  }

  /** No more will come. What has come of the first line may be enough: Telnet and TLS have no lines, and would never end one. */
  #giveUp(
    awaited: string,
    how:
      | { readonly state: 'silent' }
      | ({ readonly state: 'dropped'; readonly winsock: 10054 | null } & Drop),
  ): never {
    const other = this.#firstIsWhole ? null : this.#recognizeOther(this.#first);
    if (other !== null)
      throw new ConversationOver({
        state: 'wrong-protocol',
        problem: `${quote(this.firstLine ?? '')} came instead of ${awaited}; it looks like ${other}`,
      });
    throw new ConversationOver({ ...how, ...this.#waiting(awaited) });
  }

  #arrive(chunk: Buffer): void {
    const taken = chunk.subarray(0, MOST_BYTES - this.receivedBytes);
    this.receivedBytes += taken.length;
    if (taken.length < chunk.length) {
      this.#isTooMuch = true;
      this.#socket.pause(); // it will be destroyed soon
    }
    if (this.#layer) this.#layer.push(taken);
    else this.#take(taken);
    this.#wake();
  }

  #leave(by: Drop['by'], error?: Error): void {
    this.#drop ??= { by, afterMs: this.elapsedMs };
    this.#layer?.end(error);
    this.#wake();
  }

  #take(bytes: Buffer): void {
    this.#firstByteMs ??= this.elapsedMs;
    if (!this.#firstIsWhole) {
      const at = bytes.indexOf(10);
      if (at >= 0) this.#firstLineMs ??= this.elapsedMs;
      this.#firstIsWhole = at >= 0;
      if (this.#first.length <= MOST_FIRST_LINE)
        this.#first = Buffer.concat([
          this.#first,
          bytes.subarray(0, Math.min(at < 0 ? bytes.length : at, MOST_FIRST_LINE + 1)),
        ]);
    }
    while (this.#end + bytes.length > this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes], this.#bytes.length * 2);
    bytes.copy(this.#bytes, this.#end);
    this.#end += bytes.length;
    this.#wake();
  }
}
