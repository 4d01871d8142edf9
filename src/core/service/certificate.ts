import type { X509Certificate } from 'node:crypto';
import type { CertificateFacts, TlsProblem } from './finding.js';

/** The most days that a certificate can be asked to last yet. */
export const MAX_TLS_DAYS = 3650;

const DAY_MS = 86_400_000;

/** A distinguished name in one line; Node gives one attribute a line. */
const oneLine = (name: string | undefined): string => (name ?? '').trim().replaceAll('\n', ', ');

/** The names of a subjectAltName as Node writes it: `DNS:a.test, IP Address:192.0.2.1`, quoted in JSON where they have something in them that would confuse. */
function namesOf(subjectAltName: string | undefined): string[] {
  const found = (subjectAltName ?? '').matchAll(/(?:^|, )(DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g);
  return [...found].map(([, , name = '']) => (name.startsWith('"') ? name.slice(1, -1) : name));
}

/** The facts of a certificate that matter to whoever connects. */
export function certificateFacts(certificate: X509Certificate, nowMs: number): CertificateFacts {
  const validTo = Date.parse(certificate.validTo);
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: namesOf(certificate.subjectAltName),
    validFrom: Date.parse(certificate.validFrom),
    validTo,
    daysLeft: Math.floor((validTo - nowMs) / DAY_MS),
  };
}

/** What is held against a certificate. */
export interface Verification {
  /** OpenSSL's word on the chain (verify(1), "Diagnostics"), as Node gives it; null when it is in order. */
  readonly verifyCode: string | null;
  /** The host that it should be for and is not; null when it is. */
  readonly host: string | null;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

const days = (count: number): string => (count === 0 ? 'less than a day' : `${count} ${count === 1 ? 'day' : 'days'}`);

function judgeChain(verifyCode: string, issuer: string): TlsProblem | null {
  switch (verifyCode) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return { failure: 'self-signed', problem: 'the certificate is self-signed' };
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return { failure: 'unknown-authority', problem: `the certificate comes from an authority that is not trusted here (${issuer})` };
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return { failure: 'unknown-authority', problem: `the certificate comes from an authority that is not known here (${issuer}), or one between it and a known one was not sent` };
    case 'CERT_HAS_EXPIRED':
      return { failure: 'expired', problem: 'a certificate above it in the chain has expired' };
    case 'CERT_NOT_YET_VALID':
      return { failure: 'not-yet-valid', problem: 'a certificate above it in the chain is not valid yet' };
    case 'INVALID_PURPOSE':
      return { failure: 'untrusted', problem: 'the certificate is not made for servers' };
    case 'CERT_REVOKED':
      return { failure: 'untrusted', problem: 'the certificate has been revoked' };
    default:
      return { failure: 'untrusted', problem: `the certificate cannot be verified (${verifyCode})` };
  }
}

/** All that is wrong with a certificate, in words, the weightiest first; nothing when it is in order. */
export function judgeCertificate({ issuer, names, subject, validFrom, validTo }: CertificateFacts, { verifyCode, host, nowMs }: Verification): TlsProblem[] {
  const problems: TlsProblem[] = [];
  const isExpired = nowMs > validTo;
  const isEarly = nowMs < validFrom;
  if (isExpired) problems.push({ failure: 'expired', problem: `the certificate expired ${days(Math.floor((nowMs - validTo) / DAY_MS))} ago` });
  if (isEarly) problems.push({ failure: 'not-yet-valid', problem: `the certificate is not valid before ${new Date(validFrom).toISOString()}` });
  const isSaid = (isExpired && verifyCode === 'CERT_HAS_EXPIRED') || (isEarly && verifyCode === 'CERT_NOT_YET_VALID');
  const chain = verifyCode === null || isSaid ? null : judgeChain(verifyCode, issuer);
  if (chain) problems.push(chain);
  if (host !== null) problems.push({ failure: 'wrong-name', problem: `the certificate is not for ${host} but for ${names.slice(0, 5).join(', ') || subject || 'nobody'}${names.length > 5 ? ' …' : ''}` });
  return problems;
}
