import type { Socket } from 'node:net';
import type { Clock } from '../clock.js';

/** How the other side dropped an accepted connection. */
export type Drop = {
  /** `end`: closed (FIN); `reset`: aborted (RST). */
  readonly by: 'end' | 'reset';
  /** Milliseconds from the completed handshake. */
  readonly afterMs: number;
};

/** A drop of a connection that was only watched. */
export type WatchedDrop = Drop & {
  /** Bytes that came before it. A service that spoke is there. */
  readonly receivedBytes: number;
};

/** How the TLS of a service is checked. */
export interface TlsRequest {
  /**
   * The host name for SNI (RFC 6066), the certificate and HTTP's `Host`; default: the target's.
   * Only for services with TLS.
   */
  readonly sni?: string | undefined;
  /** Ignore a bad certificate or TLS version, but still report it. Default: false. */
  readonly insecure?: boolean | undefined;
  /**
   * Fail if the certificate expires in fewer whole days, 1 to 3650; also with `insecure`. Default:
   * only an expired certificate fails.
   */
  readonly tlsMinDays?: number | undefined;
}

/** The kinds of TLS problems. */
export type TlsFailure =
  | 'no-starttls'
  | 'injection'
  | 'not-tls'
  | 'handshake'
  | 'old-version'
  | 'no-certificate'
  | 'self-signed'
  | 'unknown-authority'
  | 'expired'
  | 'not-yet-valid'
  | 'wrong-name'
  | 'expires-soon'
  | 'weak'
  | 'untrusted';

/** A TLS problem, in words: `the certificate is self-signed`. Raw: may quote the server. */
export type TlsProblem = {
  readonly failure: TlsFailure;
  readonly problem: string;
};

/** A server's certificate. All text is raw, as the server sent it. */
export type CertificateFacts = {
  /** `CN=mail.example.com, O=Example`; empty when it has none. */
  readonly subject: string;
  readonly issuer: string;
  /** Its DNS names and addresses (subjectAltName, RFC 5280, 4.2.1.6). */
  readonly names: readonly string[];
  /** Milliseconds since the epoch; null if the certificate has no readable date there. */
  readonly validFrom: number | null;
  /** The same. */
  readonly validTo: number | null;
  /** Whole days until it expires; negative after that; null if the date is unreadable. */
  readonly daysLeft: number | null;
};

/** What TLS agreed on. */
export type TlsFacts = {
  /** `TLSv1.3`, `TLSv1.2` … */
  readonly version: string;
  /** OpenSSL's name of the cipher suite: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** Null if the server sent none. */
  readonly certificate: CertificateFacts | null;
  /** All that is wrong with it; `insecure` ignores these problems. */
  readonly problems: readonly TlsProblem[];
};

/** What every finding has. */
type Talked = {
  /** The service that was probed: the requested one, or that of the port. */
  readonly name: string;
  /**
   * The first line of the server (of SSH, its identification), at most 512 bytes, or as much as
   * came of it; null if nothing came or the answer is not text. Raw.
   */
  readonly firstLine: string | null;
  /**
   * Milliseconds from the TCP handshake to the end of the first line, or to the first byte if there
   * are no lines; for `tls`, to the end of the TLS handshake.
   */
  readonly answerMs: number | null;
  /** Milliseconds from the TCP handshake to this finding. */
  readonly elapsedMs: number;
  /** Bytes received on the wire; at most 65536. */
  readonly receivedBytes: number;
  /** Null if there was no complete TLS handshake. */
  readonly tls: TlsFacts | null;
};

/** What a conversation was waiting for when it ended. */
export type Waiting = {
  /** `its greeting`, `its answer to EHLO`. */
  readonly awaited: string;
  /** As much as came of it; null if nothing did. Raw. */
  readonly unfinished: string | null;
};

/** The service answered as it should. */
export type ServiceAnswered = Talked & {
  readonly state: 'answered';
  readonly answerMs: number;
  /** The meaning of an answer that is not text: `a COTP connection confirm (CC), class 0`. Raw. */
  readonly meaning: string | null;
};

/** The service sent something that its protocol does not have at that point, or refused service. */
type ServiceWrongProtocol = Talked & {
  readonly state: 'wrong-protocol';
  /** In words: `"SSH-2.0-x" is not an SMTP greeting; it looks like SSH`. Raw. */
  readonly problem: string;
};

/** The service did not complete its answer before the deadline. */
export type ServiceSilent = Talked &
  Waiting & {
    readonly state: 'silent';
  };

/** The other side ended the connection before its answer was complete. */
export type ServiceDropped = Talked &
  Waiting &
  Drop & {
    readonly state: 'dropped';
    /** 10054 (WSAECONNRESET) for a reset; null for a FIN. */
    readonly winsock: 10054 | null;
  };

/** TLS failed, or the certificate is not acceptable. */
export type ServiceTlsFailed = Talked &
  TlsProblem & {
    readonly state: 'tls-failed';
  };

/** What the probe of a service found. */
export type ServiceFinding =
  ServiceAnswered | ServiceWrongProtocol | ServiceSilent | ServiceDropped | ServiceTlsFailed;

/** What a service probe needs to know about its connection. */
export interface ConnectionContext {
  /** When the TCP handshake was complete, milliseconds on `clock`. */
  readonly connectedMs: number;
  readonly clock: Clock;
  /** Set if the other side dropped it before the service probe began. */
  readonly drop: Drop | null;
  /** Aborted at the deadline: the probe then returns its finding at once. */
  readonly signal: AbortSignal;
}

/** Another connection to the same endpoint. The probe of the port closes it. */
interface Reconnection {
  readonly socket: Socket;
  /** When its TCP handshake was complete, milliseconds on the clock. */
  readonly connectedMs: number;
  readonly drop: Drop | null;
}

/** Connects again within the same deadline; null if that fails. */
export type Reconnect = () => Promise<Reconnection | null>;

/**
 * Probes a service over a connection that has just been opened. Never rejects because of what the
 * other side does.
 */
export type ServiceProbe = (
  socket: Socket,
  context: ConnectionContext,
  reconnect: Reconnect,
) => Promise<ServiceFinding>;
