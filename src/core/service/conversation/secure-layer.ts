import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { familyOf } from '../../target/target.js';
import type { TlsFacts, TlsProblem, TlsRequest } from '../../facts/service-finding.js';
import { MAX_LINE_BYTES } from './receive-buffer.js';
import { loadTlsContext } from './tls-context.js';
import { describeTlsError, isPlainText, isTlsError } from './tls-error.js';
import { inspectTls, type TlsExpectation } from './tls-inspection.js';

/** Receives the progress of TLS. */
export interface LayerListener {
  /** Decrypted bytes came. */
  onData(bytes: Buffer): void;
  /** The handshake is complete, or TLS is over. */
  onChange(): void;
}

/** Starts TLS on a connection. */
export type TlsStarter = (socket: Socket, listener: LayerListener) => SecureLayer;

/**
 * TLS over a connection whose bytes pass through here, so that they can be counted and, if they
 * are not TLS, shown. The handshake accepts any certificate; `inspect` reports OpenSSL's verdict on
 * it afterwards.
 */
export class SecureLayer {
  readonly stream: TLSSocket;
  readonly #wire: Duplex;
  readonly #expectation: TlsExpectation;
  #firstBytes = Buffer.alloc(0);
  /** Whether the handshake is complete. */
  isSecure = false;
  /** Whether no more will come. */
  isEnded = false;
  error: NodeJS.ErrnoException | null = null;

  constructor(socket: Socket, expectation: TlsExpectation, listener: LayerListener) {
    this.#expectation = expectation;
    this.#wire = new Duplex({
      read: () => {},
      // The socket reports its own errors, so a failed write is ignored here.
      write: (chunk, _, done) => void socket.write(chunk as Buffer, () => done()),
      final: (done) => done(),
    });
    this.#wire.on('error', () => {}); // comes from the socket, which reported it already
    const { context, host, earlier } = expectation;
    this.stream = context.tls.connect({
      socket: this.#wire,
      secureContext: earlier === null ? context.required : context.permissive(),
      servername: familyOf(host) === null ? host : '', // never an address (RFC 6066, section 3)
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    const end = (): void => {
      this.isEnded = true;
      listener.onChange();
    };
    this.stream
      .on('secureConnect', () => {
        this.isSecure = true;
        listener.onChange();
      })
      .on('data', (bytes: Buffer) => listener.onData(bytes))
      .on('end', end)
      .on('close', end)
      .on('error', (error: Error) => {
        this.error ??= error;
        end();
      });
  }

  /** Whether the server does not speak TLS. */
  get isPlain(): boolean {
    return isPlainText(this.#firstBytes);
  }

  /** What came first from the wire, 512 bytes or a little more. */
  get firstBytes(): Buffer {
    return this.#firstBytes;
  }

  /** The oldest version that it offers. */
  get oldestVersion(): '1.0' | '1.2' {
    return this.#expectation.earlier === null ? '1.2' : '1.0';
  }

  /** Whether the handshake failed, in TLS. */
  get isFailed(): boolean {
    return this.isEnded && !this.isSecure && !this.isPlain;
  }

  /** Whether TLS failed after the handshake. A dropped connection is not that. */
  get isBroken(): boolean {
    return this.isSecure && isTlsError(this.error);
  }

  /** Passes on bytes from the wire. */
  push(bytes: Buffer): void {
    if (this.#firstBytes.length < MAX_LINE_BYTES)
      this.#firstBytes = Buffer.concat([this.#firstBytes, bytes.subarray(0, MAX_LINE_BYTES + 1)]);
    this.#wire.push(bytes);
  }

  /** Passes on that the connection has ended. */
  end(error?: Error): void {
    if (error) this.#wire.destroy(error);
    else this.#wire.push(null);
  }

  /** Describes why the handshake failed, or what broke TLS after it. */
  describeError(): TlsProblem {
    return describeTlsError(this.error?.code ?? 'unknown', this);
  }

  /** Inspects what TLS agreed on (see `inspectTls`). */
  inspect(nowMs: number): { readonly facts: TlsFacts; readonly fatal: TlsProblem | null } {
    return inspectTls(this.stream, this.#expectation, nowMs);
  }

  /** Ends TLS in order (close_notify). */
  close(done: () => void): void {
    this.stream.end(done);
  }

  /** Releases everything except the socket. */
  destroy(): void {
    this.stream.destroy();
    this.#wire.destroy();
  }
}

/**
 * Prepares TLS before the connection is made.
 *
 * @param host the name for SNI, or the address, that the certificate must be for
 * @returns the starter for what clients require; with `earlier`, how that failed, a permissive one
 */
export async function prepareTls(
  host: string,
  request: TlsRequest,
): Promise<(earlier: TlsProblem | null) => TlsStarter> {
  const context = await loadTlsContext();
  return (earlier) => (socket, listener) =>
    new SecureLayer(socket, { context, host, request, earlier }, listener);
}
