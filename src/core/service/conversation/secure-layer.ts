import type { KeyObject, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { SecureContext, TLSSocket } from 'node:tls';
import { familyOf } from '../../target/target.js';
import {
  certificateFacts,
  chainOf,
  findUnfit,
  findWeaknesses,
  isSelfSigned,
  judgeCertificate,
} from './certificate.js';
import type {
  CertificateFacts,
  TlsFacts,
  TlsProblem,
  TlsRequest,
} from '../../facts/service-finding.js';
import { cutText, quote, recognizeProtocol } from './text.js';

type Tls = typeof import('node:tls');

/** What all connections share. */
interface Prepared {
  readonly tls: Tls;
  readonly secureContext: SecureContext;
  /** The roots that come with Node and have this public key. */
  readonly rootsWith: (key: KeyObject) => readonly X509Certificate[];
}

/** What a layer tells as it goes. */
export interface LayerListener {
  /** Plain text that came through TLS. */
  onData(bytes: Buffer): void;
  /** It is secure now, or over. */
  onChange(): void;
}

/** Starts TLS on a connection. */
export interface TlsStarter {
  start(socket: Socket, listener: LayerListener): SecureLayer;
}

/** Versions of TLS that must not be used any more (RFC 8996), and what people call them. */
const WITHDRAWN: Readonly<Record<string, string>> = {
  SSLv3: 'SSL 3.0',
  TLSv1: 'TLS 1.0',
  'TLSv1.1': 'TLS 1.1',
};

/** OpenSSL's names of errors that mean: no version in common. */
const VERSION_ERRORS: ReadonlySet<string> = new Set([
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'ERR_SSL_NO_PROTOCOLS_AVAILABLE',
]);

/** Whether bytes may begin a record of TLS (RFC 8446, 5.1): its type, and the first half of its version. */
const mayBeTls = (bytes: Buffer): boolean =>
  /^[\x14-\x17](\x03|$)/.test(bytes.toString('latin1', 0, 2));

/** The type of a record that holds an alert (RFC 8446, 5.1). */
const ALERT_RECORD = 0x15;

/**
 * An alert of the other side (RFC 8446, 6) as OpenSSL names it: `ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED`, since 3.5 also `ERR_SSL_SSL/TLS_ALERT_…`;
 * and those of RFC 6066 without the word: `ERR_SSL_TLSV1_UNRECOGNIZED_NAME`. Nothing but alerts is named after a version like that.
 */
const ALERT = /(?:_ALERT_|^ERR_SSL_TLSV1_(?!ALERT_))(?:NUMBER_)?(\w+)$/;

/** How long a certificate lasts yet, where that is too short, or cannot be told. */
function describeRest(daysLeft: number | null): string {
  if (daysLeft === null) return 'until a date that cannot be read';
  return `for ${daysLeft === 0 ? 'less than a day more' : `${daysLeft} more ${daysLeft === 1 ? 'day' : 'days'} only`}`;
}

/** Whether a certificate that has not expired lasts too short: also when it does not say how long. */
const isTooShort = ({ daysLeft }: CertificateFacts, tlsMinDays: number): boolean =>
  daysLeft === null || (daysLeft < tlsMinDays && daysLeft >= 0);

/**
 * TLS over a connection whose bytes pass through here, so that they can be counted and, where they are no TLS, shown. The certificate is looked at
 * after the handshake and not by it: then it is known also where it is not acceptable.
 */
export class SecureLayer {
  readonly stream: TLSSocket;
  readonly #tap: Duplex;
  readonly #shared: Prepared;
  readonly #settings: TlsRequest;
  readonly #host: string;
  #firstBytes = Buffer.alloc(0);
  isSecure = false;
  /** No more will come through it. */
  isEnded = false;
  error: NodeJS.ErrnoException | null = null;

  constructor(
    shared: Prepared,
    socket: Socket,
    host: string,
    settings: TlsRequest,
    listener: LayerListener,
  ) {
    this.#shared = shared;
    this.#host = host;
    this.#settings = settings;
    this.#tap = new Duplex({
      read: () => {},
      write: (chunk, _, done) => void socket.write(chunk as Buffer, () => done()), // a connection that is gone tells by itself
      final: (done) => done(),
    });
    this.#tap.on('error', () => {}); // comes from the connection, which told it already
    const end = (): void => {
      this.isEnded = true;
      listener.onChange();
    };
    const fail = (error: Error): void => {
      this.error ??= error;
      end();
    };
    // A literal address is no name for SNI (RFC 6066, section 3).
    const servername = familyOf(host) === null ? host : '';
    this.stream = shared.tls.connect({
      socket: this.#tap,
      secureContext: shared.secureContext,
      servername,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    this.stream.on('secureConnect', () => {
      this.isSecure = true;
      listener.onChange();
    });
    this.stream
      .on('data', (bytes: Buffer) => listener.onData(bytes))
      .on('end', end)
      .on('close', end)
      .on('error', fail);
  }

  /** What comes is no TLS: known from the first bytes, where OpenSSL would wait for more. */
  get isPlain(): boolean {
    return this.#firstBytes.length > 0 && !mayBeTls(this.#firstBytes);
  }

  /** What came first from the wire: the beginning of it. */
  get firstBytes(): Buffer {
    return this.#firstBytes;
  }

  /** It has failed after the handshake: by an alert of the other side, or by what came and is no TLS. A connection that was dropped is none of that. */
  get isBroken(): boolean {
    return this.isSecure && /^ERR_(SSL|OSSL)_/.test(this.error?.code ?? '');
  }

  /** Bytes from the wire. */
  push(bytes: Buffer): void {
    if (this.#firstBytes.length < 512)
      this.#firstBytes = Buffer.concat([this.#firstBytes, bytes.subarray(0, 513)]);
    this.#tap.push(bytes);
  }

  /** No more bytes from the wire. */
  end(error?: Error): void {
    if (error) this.#tap.destroy(error);
    else this.#tap.push(null);
  }

  /** Why the handshake did not come to its end, or what came behind it, in words. */
  describeError(): TlsProblem {
    const code = this.error?.code ?? 'unknown';
    if (this.isPlain) {
      const looks = recognizeProtocol(this.#firstBytes);
      const [line = ''] = cutText(this.#firstBytes, 512).split(/\r?\n/);
      return {
        failure: 'not-tls',
        problem: `no TLS came, but ${quote(line)}${looks === null ? '' : `, which looks like ${looks}`}`,
      };
    }
    if (VERSION_ERRORS.has(code))
      return { failure: 'old-version', problem: 'it speaks no version of TLS from 1.0 to 1.3' };
    const alert = ALERT.exec(code)?.[1]?.toLowerCase().replaceAll('_', ' ');
    // A no to our offer comes before anything else; that to a client without a certificate has, in TLS 1.2, the same name.
    const reason =
      alert === 'handshake failure' && this.#firstBytes[0] === ALERT_RECORD
        ? '; most often that is for want of a cipher suite in common'
        : '';
    if (alert)
      return {
        failure: 'handshake',
        problem: `it ${this.isSecure ? 'ended TLS' : 'broke the handshake off'} with the alert "${alert}"${reason}`,
      };
    return {
      failure: 'handshake',
      problem: `${this.isSecure ? 'TLS broke after its handshake' : 'the handshake failed'} (${code})`,
    };
  }

  /** What was agreed on, and what about it ends the conversation, if anything: the failure is that of the weightiest. */
  judge(nowMs: number): { readonly facts: TlsFacts; readonly fatal: TlsProblem | null } {
    const { insecure = false, tlsMinDays } = this.#settings;
    const version = this.stream.getProtocol() ?? 'unknown';
    const x509 = this.stream.getPeerX509Certificate();
    const certificate = x509 ? certificateFacts(x509, nowMs) : null;
    const problems: TlsProblem[] = [];
    const withdrawn = WITHDRAWN[version];
    if (withdrawn)
      problems.push({
        failure: 'old-version',
        problem: `it speaks ${withdrawn} only, which is withdrawn (RFC 8996); TLS 1.2 is the least`,
      });
    if (x509 && certificate) {
      const verifyCode = this.stream.authorizationError as unknown as string | null; // a code, whatever the types say
      const mismatch = this.#shared.tls.checkServerIdentity(this.#host, x509.toLegacyObject());
      const chain = chainOf(x509);
      const weaknesses = findWeaknesses(chain, this.#shared.rootsWith);
      problems.push(
        ...judgeCertificate(certificate, {
          verifyCode,
          isSelfSigned: isSelfSigned(x509),
          unfit: findUnfit(chain),
          weaknesses,
          host: mismatch ? this.#host : null,
          nowMs,
        }),
      );
    } else problems.push({ failure: 'no-certificate', problem: 'it gave no certificate' });
    const expiresSoon: TlsProblem[] =
      certificate && tlsMinDays !== undefined && isTooShort(certificate, tlsMinDays)
        ? [
            {
              failure: 'expires-soon',
              problem: `the certificate is valid ${describeRest(certificate.daysLeft)}, where ${tlsMinDays} ${tlsMinDays === 1 ? 'is' : 'are'} asked for`,
            },
          ]
        : [];
    const asked =
      tlsMinDays === undefined
        ? []
        : [...problems.filter(({ failure }) => failure === 'expired'), ...expiresSoon];
    const unacceptable = insecure ? asked : [...problems, ...expiresSoon];
    const [first] = unacceptable;
    const fatal = first
      ? { failure: first.failure, problem: unacceptable.map(({ problem }) => problem).join('; ') }
      : null;
    return {
      facts: {
        version,
        cipher: this.stream.getCipher().name,
        certificate,
        problems: [...problems, ...expiresSoon],
      },
      fatal,
    };
  }

  /** Says that this is the end (close_notify). */
  endInOrder(done: () => void): void {
    this.stream.end(done);
  }

  /** Lets go of everything but the connection itself. */
  destroy(): void {
    this.stream.destroy();
    this.#tap.destroy();
  }
}

/**
 * Searches the roots that come with Node for a public key, in their DER: to read all 144 of Node 20 as certificates takes 18 ms, in which nothing
 * else goes on.
 */
export function rootFinder(
  { rootCertificates }: Pick<Tls, 'rootCertificates'>,
  { X509Certificate }: Pick<typeof import('node:crypto'), 'X509Certificate'>,
): Prepared['rootsWith'] {
  let ders: readonly Buffer[] | undefined;
  return (key) => {
    ders ??= rootCertificates.map((pem) => Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64'));
    const wanted = key.export({ type: 'spki', format: 'der' });
    return ders.filter((der) => der.includes(wanted)).map((der) => new X509Certificate(der));
  };
}

let prepared: Prepared | undefined;

/**
 * Loads TLS and makes ready what all connections share: it takes longer than a handshake, and must not be taken for the other side's time.
 * All versions that OpenSSL knows are offered, so that a server that has only old ones can be named for what it is; none of them is accepted.
 * Diffie-Hellman over finite fields is not offered, as browsers do not: the server chooses the prime, and one of 10000 bits stops this process for
 * 0.6 s, deadline or not.
 *
 * @param host the name for SNI, or the address, that the certificate must be for
 */
export async function prepareTls(host: string, settings: TlsRequest): Promise<TlsStarter> {
  if (!prepared) {
    const [tls, crypto] = await Promise.all([import('node:tls'), import('node:crypto')]);
    const secureContext = tls.createSecureContext({
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT:!DHE@SECLEVEL=0',
    });
    prepared = { tls, secureContext, rootsWith: rootFinder(tls, crypto) };
  }
  const shared = prepared;
  return { start: (socket, listener) => new SecureLayer(shared, socket, host, settings, listener) };
}
