import type { Socket } from 'node:net';
import type { Clock } from '../clock.js';

/** How an accepted connection was dropped by the other side. */
export interface Drop {
  /** `end`: closed in order (FIN); `reset`: aborted (RST). */
  readonly by: 'end' | 'reset';
  /** Milliseconds from the completed handshake. */
  readonly afterMs: number;
}

/** How the TLS of a service is looked at. */
export interface TlsRequest {
  /** The name for SNI (RFC 6066), in the certificate and in HTTP's `Host`, instead of the target's; only where there is TLS. */
  readonly sni?: string | undefined;
  /** Go on when the certificate, or the version of TLS, is not acceptable; it is reported all the same. */
  readonly insecure?: boolean | undefined;
  /** A certificate that is valid for fewer whole days than this does not count as answered; 1 to 3650. `insecure` does not overrule it. */
  readonly tlsMinDays?: number | undefined;
}

/** What was wrong with TLS. */
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

/** One thing that is wrong with TLS, in words: `the certificate is self-signed`. Raw: may hold what the other side sent. */
export interface TlsProblem {
  readonly failure: TlsFailure;
  readonly problem: string;
}

/** A server's certificate. All text is raw. */
export interface CertificateFacts {
  /** `CN=mail.example.com, O=Example`; empty when it has none. */
  readonly subject: string;
  readonly issuer: string;
  /** DNS names and addresses that it is for (subjectAltName, RFC 5280, 4.2.1.6). */
  readonly names: readonly string[];
  /** Milliseconds since the epoch; null when the certificate has something else there than a date. */
  readonly validFrom: number | null;
  readonly validTo: number | null;
  /** Whole days until it expires; negative when it has, null when that cannot be read. */
  readonly daysLeft: number | null;
}

/** What TLS agreed on. */
export interface TlsFacts {
  /** `TLSv1.3`, `TLSv1.2` … */
  readonly version: string;
  /** The suite's name in OpenSSL: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** Null when the server gave none. */
  readonly certificate: CertificateFacts | null;
  /** What is not acceptable about it; with `insecure` the conversation went on all the same. */
  readonly problems: readonly TlsProblem[];
}

interface Talked {
  /** The service that was asked for, or that the port stands for. */
  readonly name: string;
  /** The first line that the other side said, at most 512 bytes of it, or what came of it; null when nothing came, or what came was no text. Raw. */
  readonly firstLine: string | null;
  /** Milliseconds from the completed handshake to the end of the first line, or to the first bytes where there are no lines; for `tls` to the end of TLS's own handshake. */
  readonly answerMs: number | null;
  /** Milliseconds from the completed handshake until this was known. */
  readonly elapsedMs: number;
  /** Bytes that came in all, on the wire; 65536 at the most. */
  readonly receivedBytes: number;
  /** Null when TLS was not reached. */
  readonly tls: TlsFacts | null;
}

/** Where a conversation stood when nothing more came. */
export interface Waiting {
  /** What was being waited for: `its greeting`, `its answer to EHLO`. */
  readonly awaited: string;
  /** The beginning of it, where some of it came; null when none did. Raw. */
  readonly unfinished: string | null;
}

/** The service answered as it should. */
export interface ServiceAnswered extends Talked {
  readonly state: 'answered';
  readonly answerMs: number;
  /** What an answer means that is not text: `a COTP connection confirm (CC), class 0`. Raw. */
  readonly meaning: string | null;
}

/** Something else came than the service says at that point. */
export interface ServiceWrongProtocol extends Talked {
  readonly state: 'wrong-protocol';
  /** In words: `"SSH-2.0-x" is not a greeting of SMTP; it looks like SSH`. Raw. */
  readonly problem: string;
}

/** It did not say all that it should before the deadline. */
export interface ServiceSilent extends Talked, Waiting {
  readonly state: 'silent';
}

/** The other side ended the connection before it had said all that it should. */
export interface ServiceDropped extends Talked, Waiting, Drop {
  readonly state: 'dropped';
  /** 10054 (WSAECONNRESET) for a reset, null for an end in order. */
  readonly winsock: 10054 | null;
}

/** TLS did not come about, or its certificate is not acceptable. */
export interface ServiceTlsFailed extends Talked, TlsProblem {
  readonly state: 'tls-failed';
}

/** What a conversation with the service behind an open port found. */
export type ServiceFinding =
  ServiceAnswered | ServiceWrongProtocol | ServiceSilent | ServiceDropped | ServiceTlsFailed;

/** What a conversation is told about the connection that it gets. */
export interface ConnectionContext {
  /** When the handshake was complete, on `clock`. */
  readonly connectedMs: number;
  readonly clock: Clock;
  /** Set when the other side had dropped it before anybody looked. */
  readonly drop: Drop | null;
  /** Aborted at the deadline: the finding must then come at once. */
  readonly signal: AbortSignal;
}

/** Talks on an open connection, which must have been opened just now. Never rejects because of what the other side does. */
export type ServiceProbe = (socket: Socket, context: ConnectionContext) => Promise<ServiceFinding>;
