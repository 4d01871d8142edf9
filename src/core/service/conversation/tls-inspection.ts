import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { familyOf } from '../../target/target.js';
import type {
  CertificateFacts,
  TlsFacts,
  TlsProblem,
  TlsRequest,
} from '../../facts/service-finding.js';
import { certificateFacts, inspectChain, judgeCertificate } from './certificate.js';
import type { TlsContext } from './tls-context.js';

/** TLS versions that must not be used any more (RFC 8996), and their usual names. */
const WITHDRAWN: Readonly<Record<string, string>> = {
  SSLv3: 'SSL 3.0',
  TLSv1: 'TLS 1.0',
  'TLSv1.1': 'TLS 1.1',
};

/** What a TLS connection is inspected for. */
export interface TlsExpectation {
  readonly context: TlsContext;
  /** The name or address that the certificate must be for. */
  readonly host: string;
  readonly request: TlsRequest;
  /**
   * How a handshake with what clients require failed, if this one is permissive; null if this one
   * requires it.
   */
  readonly earlier: TlsProblem | null;
}

/** What is wrong with a handshake that succeeded, but only with less than clients require. */
function judgeHandshake(version: string, earlier: TlsProblem | null): TlsProblem[] {
  if (earlier === null) return [];
  const withdrawn = WITHDRAWN[version];
  if (withdrawn === undefined)
    return [
      {
        failure: 'weak',
        problem:
          `with the security that clients require today, ${earlier.problem}; ` +
          'with SHA-1 and short keys allowed, the handshake succeeds',
      },
    ];
  return [
    {
      failure: 'old-version',
      problem:
        `it supports only ${withdrawn}, which is withdrawn (RFC 8996); ` +
        'at least TLS 1.2 is required',
    },
  ];
}

/** `expires in 9 days`, for a certificate that has not expired. */
function describeExpiry(daysLeft: number | null): string {
  if (daysLeft === null) return 'has an unreadable expiry date';
  if (daysLeft === 0) return 'expires in less than a day';
  return `expires in ${daysLeft} ${daysLeft === 1 ? 'day' : 'days'}`;
}

/** Whether a certificate that has not expired lasts too short, or has no readable end. */
const expiresTooSoon = ({ daysLeft }: CertificateFacts, tlsMinDays: number): boolean =>
  daysLeft === null || (daysLeft < tlsMinDays && daysLeft >= 0);

function findExpirySoon(
  certificate: CertificateFacts | null,
  tlsMinDays: number | undefined,
): TlsProblem[] {
  if (!certificate || tlsMinDays === undefined || !expiresTooSoon(certificate, tlsMinDays))
    return [];
  const required = `at least ${tlsMinDays} ${tlsMinDays === 1 ? 'is' : 'are'} required`;
  const problem = `the certificate ${describeExpiry(certificate.daysLeft)}; ${required}`;
  return [{ failure: 'expires-soon', problem }];
}

/**
 * OpenSSL's verdict on the certificates, null if they are good: its code in verify(1) without
 * `X509_V_ERR_`. For the codes that Node does not know (`UNSPECIFIED`), the text of
 * X509_verify_cert_error_string(3); Node keeps it in an object that it does not document.
 */
function readVerdict(stream: TLSSocket): string | null {
  const code = stream.authorizationError as unknown as string | null; // despite its type
  if (code !== 'UNSPECIFIED') return code;
  const { _handle: handle } = stream as { _handle?: { verifyError?(): Error | null } };
  return handle?.verifyError?.()?.message ?? code;
}

/** Whether a certificate is for a host: RFC 9525 forbids wildcards for a part of a label. */
const isFor = (host: string, certificate: X509Certificate): boolean =>
  familyOf(host) === null
    ? certificate.checkHost(host, { partialWildcards: false }) !== undefined
    : certificate.checkIP(host) !== undefined;

function findCertificateProblems(
  stream: TLSSocket,
  { context, host }: TlsExpectation,
  nowMs: number,
): { readonly certificate: CertificateFacts | null; readonly problems: readonly TlsProblem[] } {
  const x509 = stream.getPeerX509Certificate();
  if (!x509)
    return {
      certificate: null,
      problems: [{ failure: 'no-certificate', problem: 'it sent no certificate' }],
    };
  const certificate = certificateFacts(x509, nowMs);
  const verdict = readVerdict(stream);
  const problems = judgeCertificate(certificate, {
    chain: verdict === null ? null : { verdict, ...inspectChain(context, x509, verdict) },
    host: isFor(host, x509) ? null : host,
    nowMs,
  });
  return { certificate, problems };
}

/**
 * Inspects a connection after its TLS handshake.
 *
 * @returns what TLS agreed on, and what ends the conversation, if anything: all fatal problems in
 *   one, with the kind of the most important one
 */
export function inspectTls(
  stream: TLSSocket,
  expectation: TlsExpectation,
  nowMs: number,
): { readonly facts: TlsFacts; readonly fatal: TlsProblem | null } {
  const { insecure = false, tlsMinDays } = expectation.request;
  const version = stream.getProtocol() ?? 'unknown';
  const { certificate, problems: certificateProblems } = findCertificateProblems(
    stream,
    expectation,
    nowMs,
  );
  const problems = [
    ...judgeHandshake(version, expectation.earlier),
    ...certificateProblems,
    ...findExpirySoon(certificate, tlsMinDays),
  ];
  // `insecure` ignores all problems but those that `tlsMinDays` asked about.
  const isFatal = ({ failure }: TlsProblem): boolean =>
    !insecure ||
    (tlsMinDays !== undefined && (failure === 'expired' || failure === 'expires-soon'));
  const fatal = problems.filter(isFatal);
  const [first] = fatal;
  return {
    facts: { version, cipher: stream.getCipher().name, certificate, problems },
    fatal: first
      ? { failure: first.failure, problem: fatal.map(({ problem }) => problem).join('; ') }
      : null,
  };
}
