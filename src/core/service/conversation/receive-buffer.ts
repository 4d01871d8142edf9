import { cutText, decodeText } from './text.js';

/** The most bytes accepted from the server in one conversation, counted on the wire. */
export const MAX_RECEIVED_BYTES = 65_536;

/** How many bytes of a line are kept to be shown. */
export const MAX_LINE_BYTES = 512;

const LF = 10;

/** The first line of some bytes, or as much as there is of it, cut to what is shown. */
function firstLineOf(bytes: Buffer): string {
  const end = bytes.indexOf(LF);
  return cutText(end < 0 ? bytes : bytes.subarray(0, end), MAX_LINE_BYTES).replace(/\r$/, '');
}

/** What the server sent: counted on the wire, stored when readable, taken out as lines or bytes. */
export class ReceiveBuffer {
  #bytes = Buffer.allocUnsafe(1024);
  /** Unread bytes are those from here to `#end`. */
  #start = 0;
  #end = 0;
  /** The unread bytes before this hold no line feed. */
  #searched = 0;
  /** Where the current answer begins. */
  #mark = 0;
  #first = Buffer.alloc(0);
  #isFirstLineComplete = false;
  #receivedBytes: number;
  #isOverLimit = false;

  /** @param receivedBefore bytes that count against the limit already */
  constructor(receivedBefore = 0) {
    this.#receivedBytes = receivedBefore;
  }

  /** Bytes from the wire; at most `MAX_RECEIVED_BYTES`. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Whether the server sent more than `MAX_RECEIVED_BYTES`. */
  get isOverLimit(): boolean {
    return this.#isOverLimit;
  }

  /** Whether a line feed has come. */
  get isFirstLineComplete(): boolean {
    return this.#isFirstLineComplete;
  }

  /** The beginning of the first line, raw, for `recognizeProtocol`. */
  get firstBytes(): Buffer {
    return this.#first;
  }

  /** The first line, or as much as has come of it; null when nothing has come. */
  get firstLine(): string | null {
    return this.#first.length === 0 && !this.#isFirstLineComplete ? null : firstLineOf(this.#first);
  }

  /** How many stored bytes were not taken out. */
  get unreadLength(): number {
    return this.#end - this.#start;
  }

  /** All stored bytes that were not taken out. */
  get unread(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** The first line since `markAnswer`, or as much as has come of it; null when nothing has. */
  get answerLine(): string | null {
    return this.#end === this.#mark
      ? null
      : firstLineOf(this.#bytes.subarray(this.#mark, this.#end));
  }

  /** Counts bytes from the wire and returns those within the limit. */
  admit(chunk: Buffer): Buffer {
    const admitted = chunk.subarray(0, MAX_RECEIVED_BYTES - this.#receivedBytes);
    this.#receivedBytes += admitted.length;
    if (admitted.length < chunk.length) this.#isOverLimit = true;
    return admitted;
  }

  /** Stores readable bytes: as they came, or decrypted. */
  append(bytes: Buffer): void {
    if (!this.#isFirstLineComplete) this.#keepFirstLine(bytes);
    while (this.#end + bytes.length > this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes], this.#bytes.length * 2);
    bytes.copy(this.#bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Remembers that an answer begins with the next unread byte. */
  markAnswer(): void {
    this.#mark = this.#start;
  }

  /** Takes out the next line without its end (CR LF or LF); null when it is not complete. */
  takeLine(): string | null {
    const end = this.#bytes.subarray(0, this.#end).indexOf(LF, this.#searched);
    if (end < 0) {
      this.#searched = this.#end;
      return null;
    }
    const line = decodeText(this.#bytes.subarray(this.#start, end)).replace(/\r$/, '');
    this.#start = end + 1;
    this.#searched = this.#start;
    return line;
  }

  /** Takes out this many bytes; null when fewer are stored. */
  takeBytes(count: number): Buffer | null {
    if (this.unreadLength < count) return null;
    this.#start += count;
    this.#searched = Math.max(this.#searched, this.#start);
    return this.#bytes.subarray(this.#start - count, this.#start);
  }

  /** Forgets all unread bytes. */
  discard(): void {
    this.#start = this.#searched = this.#end;
  }

  #keepFirstLine(bytes: Buffer): void {
    const end = bytes.indexOf(LF);
    this.#isFirstLineComplete = end >= 0;
    // One byte more than is shown, so that `cutText` sees that the line is longer.
    const room = Math.max(MAX_LINE_BYTES + 1 - this.#first.length, 0);
    const line = end < 0 ? bytes : bytes.subarray(0, end);
    this.#first = Buffer.concat([this.#first, line.subarray(0, room)]);
  }
}
