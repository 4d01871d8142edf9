import type { X509Certificate } from 'node:crypto';
import type { CertificateFacts, TlsProblem } from '../../facts/service-finding.js';
import { keyOf } from './certificate-weakness.js';

/** The most days that a certificate can be asked to last yet. */
export const MAX_TLS_DAYS = 3650;

const DAY_MS = 86_400_000;

/** A distinguished name in one line; Node gives one attribute a line. */
const oneLine = (name: string | undefined): string => (name ?? '').trim().replaceAll('\n', ', ');

/** What a text in JSON's quotes says; itself where it is not JSON. */
function unquote(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

/** The names of a subjectAltName as Node writes it: `DNS:a.test, IP Address:192.0.2.1`, quoted in JSON where they have something in them that would confuse. */
function namesOf(subjectAltName: string | undefined): string[] {
  const found = (subjectAltName ?? '').matchAll(
    /(?:^|, )(DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g,
  );
  return [...found].map(([, , name = '']) => (name.startsWith('"') ? unquote(name) : name));
}

/** A date as OpenSSL writes it, milliseconds since the epoch; null for its `Bad time value`. */
function dateOf(text: string): number | null {
  const epochMs = Date.parse(text);
  return Number.isFinite(epochMs) ? epochMs : null;
}

/** The facts of a certificate that matter to whoever connects. */
export function certificateFacts(certificate: X509Certificate, nowMs: number): CertificateFacts {
  const validTo = dateOf(certificate.validTo);
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: namesOf(certificate.subjectAltName),
    validFrom: dateOf(certificate.validFrom),
    validTo,
    daysLeft: validTo === null ? null : Math.floor((validTo - nowMs) / DAY_MS),
  };
}

/** Whether a certificate has signed itself. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  const key = keyOf(certificate);
  return key !== null && certificate.checkIssued(certificate) && certificate.verify(key);
}

/** The most certificates above its own that are looked at of what a server sends: chains have two or three, and a hundred would take long. */
const MOST_ABOVE = 16;

/** What a server sent of its chain: its own certificate, the one that issued it, and so on, in whatever order they came. Of a long one, the first 17. */
export function chainOf(leaf: X509Certificate): X509Certificate[] {
  const sent: X509Certificate[] = []; // to Node, whatever comes next is the issuer
  for (
    let each = leaf.issuerCertificate;
    each && sent.length < MOST_ABOVE;
    each = each.issuerCertificate
  )
    sent.push(each);
  const chain = [leaf];
  for (let top: X509Certificate | undefined = leaf; top && !top.checkIssued(top);) {
    const below: X509Certificate = top;
    const at = sent.findIndex((each) => below.checkIssued(each));
    [top] = at < 0 ? [] : sent.splice(at, 1);
    if (top) chain.push(top);
  }
  return chain;
}

/** Purposes of a key (extended key usage, RFC 5280, 4.2.1.12) that let it be a server's: serverAuth, and any. */
const SERVER_PURPOSES: readonly string[] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];

/** Whether a certificate says that its key is for servers, or does not say what it is for. */
function isForServers(certificate: X509Certificate): boolean {
  const purposes = certificate.keyUsage as readonly string[] | undefined; // Node's name for it, and none where it is not there
  return purposes?.some((purpose) => SERVER_PURPOSES.includes(purpose)) ?? true;
}

/**
 * Which certificate of a chain is not made for what it does there: the `own` one of the server, which is to be for servers, or one `above` it, which
 * is to be that of an authority, too; null when nothing of that is seen.
 */
export function findUnfit([own, ...above]: readonly X509Certificate[]): 'own' | 'above' | null {
  if (own && !isForServers(own)) return 'own';
  return above.some((each) => !each.ca || !isForServers(each)) ? 'above' : null;
}

/** What is held against a certificate. */
export interface Verification {
  /** OpenSSL's word on the chain (verify(1), "Diagnostics"), as Node gives it; null when it is in order. */
  readonly verifyCode: string | null;
  /** Whether it signed itself (see `isSelfSigned`). */
  readonly isSelfSigned: boolean;
  /** Which certificate is not made for its place (see `findUnfit`). */
  readonly unfit: 'own' | 'above' | null;
  /** What is too weak in its chain (see `findWeaknesses`), in words. */
  readonly weaknesses: readonly string[];
  /** The host that it should be for and is not; null when it is. */
  readonly host: string | null;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

const days = (count: number): string =>
  count === 0 ? 'less than a day' : `${count} ${count === 1 ? 'day' : 'days'}`;

const SELF_SIGNED: TlsProblem = {
  failure: 'self-signed',
  problem: 'the certificate is self-signed',
};

const UNFIT = {
  own: 'the certificate is not made for servers',
  above: 'a certificate above it in the chain may not issue certificates for servers',
} as const;

function judgeChain(
  verifyCode: string,
  issuer: string,
  unfit: 'own' | 'above' | null,
): TlsProblem | null {
  switch (verifyCode) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return SELF_SIGNED;
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return {
        failure: 'unknown-authority',
        problem: `the certificate comes from an authority that is not trusted here (${issuer})`,
      };
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return {
        failure: 'unknown-authority',
        problem: `the certificate comes from an authority that is not known here (${issuer}), or one between it and a known one was not sent`,
      };
    case 'CERT_HAS_EXPIRED':
      return { failure: 'untrusted', problem: 'a certificate above it in the chain has expired' };
    case 'CERT_NOT_YET_VALID':
      return {
        failure: 'untrusted',
        problem: 'a certificate above it in the chain is not valid yet',
      };
    case 'ERROR_IN_CERT_NOT_BEFORE_FIELD':
    case 'ERROR_IN_CERT_NOT_AFTER_FIELD':
      return {
        failure: 'untrusted',
        problem: 'a certificate above it in the chain has a date that cannot be read',
      };
    case 'INVALID_CA':
      return { failure: 'untrusted', problem: UNFIT.above };
    case 'INVALID_PURPOSE':
      return {
        failure: 'untrusted',
        problem: unfit
          ? UNFIT[unfit]
          : 'the certificate, or one above it in the chain, is not made for servers',
      };
    case 'CERT_REVOKED':
      return { failure: 'untrusted', problem: 'the certificate has been revoked' };
    default:
      return {
        failure: 'untrusted',
        problem: `the certificate cannot be verified (${verifyCode})`,
      };
  }
}

/** All that is wrong with a certificate, in words, the weightiest first; nothing when it is in order. */
export function judgeCertificate(
  { issuer, names, subject, validFrom, validTo }: CertificateFacts,
  { verifyCode, isSelfSigned, unfit, weaknesses, host, nowMs }: Verification,
): TlsProblem[] {
  const problems: TlsProblem[] = [];
  const isExpired = validTo !== null && nowMs > validTo;
  const isEarly = validFrom !== null && nowMs < validFrom;
  const isUnreadable = validTo === null || validFrom === null;
  // OpenSSL looks at the time last, and only its last word is kept: what it had said before, about who signed the certificate, is lost.
  const isDateError =
    verifyCode === 'ERROR_IN_CERT_NOT_BEFORE_FIELD' ||
    verifyCode === 'ERROR_IN_CERT_NOT_AFTER_FIELD';
  const isTime =
    isDateError || verifyCode === 'CERT_HAS_EXPIRED' || verifyCode === 'CERT_NOT_YET_VALID';
  const hidden =
    isTime && !isSelfSigned
      ? '; whether its authority is trusted does not show before that is cured'
      : '';
  if (isExpired)
    problems.push({
      failure: 'expired',
      problem: `the certificate expired ${days(Math.floor((nowMs - validTo) / DAY_MS))} ago${hidden}`,
    });
  if (isEarly)
    problems.push({
      failure: 'not-yet-valid',
      problem: `the certificate is not valid before ${new Date(validFrom).toISOString()}${hidden}`,
    });
  if (isUnreadable)
    problems.push({
      failure: 'untrusted',
      problem: `the certificate has a date that cannot be read${hidden}`,
    });
  const isSaid =
    (isUnreadable && isDateError) ||
    (isExpired && verifyCode === 'CERT_HAS_EXPIRED') ||
    (isEarly && verifyCode === 'CERT_NOT_YET_VALID');
  if (isSaid && isSelfSigned) problems.push(SELF_SIGNED);
  const chain = verifyCode === null || isSaid ? null : judgeChain(verifyCode, issuer, unfit);
  if (chain) problems.push({ ...chain, problem: `${chain.problem}${hidden}` });
  problems.push(...weaknesses.map((problem): TlsProblem => ({ failure: 'weak', problem })));
  if (host !== null)
    problems.push({
      failure: 'wrong-name',
      problem: `the certificate is not for ${host} but for ${names.slice(0, 5).join(', ') || subject || 'nobody'}${names.length > 5 ? ' …' : ''}`,
    });
  return problems;
}
