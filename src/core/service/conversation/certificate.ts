import type { X509Certificate } from 'node:crypto';
import type { CertificateFacts, TlsProblem } from '../../facts/service-finding.js';
import { keyOf } from './certificate-weakness.js';

/** The highest `tlsMinDays`, days. */
export const MAX_TLS_DAYS = 3650;

const DAY_MS = 86_400_000;

/** A distinguished name in one line. Node puts each attribute on its own line. */
const oneLine = (name: string | undefined): string => (name ?? '').trim().replaceAll('\n', ', ');

/** Decodes a JSON string. Returns the text itself if it is not one. */
function unquote(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

/**
 * The names in a subjectAltName as Node writes it: `DNS:a.test, IP Address:192.0.2.1`. Node quotes
 * names with special characters as JSON.
 */
function parseNames(subjectAltName: string | undefined): string[] {
  const found = (subjectAltName ?? '').matchAll(
    /(?:^|, )(DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g,
  );
  return [...found].map(([, , name = '']) => (name.startsWith('"') ? unquote(name) : name));
}

/** Parses a date as OpenSSL writes it, milliseconds since the epoch; null for `Bad time value`. */
function parseDate(text: string): number | null {
  const epochMs = Date.parse(text);
  return Number.isFinite(epochMs) ? epochMs : null;
}

/** The facts of a certificate that matter to clients. */
export function certificateFacts(certificate: X509Certificate, nowMs: number): CertificateFacts {
  const validTo = parseDate(certificate.validTo);
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: parseNames(certificate.subjectAltName),
    validFrom: parseDate(certificate.validFrom),
    validTo,
    daysLeft: validTo === null ? null : Math.floor((validTo - nowMs) / DAY_MS),
  };
}

/** Whether a certificate is signed with its own key. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  const key = keyOf(certificate);
  return key !== null && certificate.checkIssued(certificate) && certificate.verify(key);
}

/** How many issuers of a chain are inspected. Usual chains have two or three. */
const MAX_ISSUERS = 16;

/**
 * The chain that a server sent, at most 17 certificates: its own, the issuer of that, and so on.
 * Servers may send them in any order.
 */
export function chainOf(leaf: X509Certificate): X509Certificate[] {
  const sent: X509Certificate[] = []; // Node takes the next one sent for the issuer
  for (
    let each = leaf.issuerCertificate;
    each && sent.length < MAX_ISSUERS;
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

/** Extended key usages (RFC 5280, 4.2.1.12) that servers may have: serverAuth and any. */
const SERVER_PURPOSES: readonly string[] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];

/** Whether a certificate may be used for servers: by its extended key usage, or for lack of one. */
function isForServers(certificate: X509Certificate): boolean {
  // Node calls it keyUsage; without the extension it is undefined.
  const purposes = certificate.keyUsage as readonly string[] | undefined;
  return purposes?.some((purpose) => SERVER_PURPOSES.includes(purpose)) ?? true;
}

/**
 * Finds a certificate that may not be used as it is: the server's `own` must be for servers, those
 * `above` it must also be of authorities. Null if all may.
 */
export function findUnfit([own, ...above]: readonly X509Certificate[]): 'own' | 'above' | null {
  if (own && !isForServers(own)) return 'own';
  return above.some((each) => !each.ca || !isForServers(each)) ? 'above' : null;
}

/** What a certificate is judged by, besides its facts. */
export interface Verification {
  /** OpenSSL's verdict on the chain (verify(1), "Diagnostics") as Node gives it; null if good. */
  readonly verifyCode: string | null;
  /** See `isSelfSigned`. */
  readonly isSelfSigned: boolean;
  /** See `findUnfit`. */
  readonly unfit: 'own' | 'above' | null;
  /** See `findWeaknesses`. */
  readonly weaknesses: readonly string[];
  /** The host that the certificate should be for but is not; null if it is. */
  readonly host: string | null;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

const formatDays = (count: number): string =>
  count === 0 ? 'less than a day' : `${count} ${count === 1 ? 'day' : 'days'}`;

const SELF_SIGNED: TlsProblem = {
  failure: 'self-signed',
  problem: 'the certificate is self-signed',
};

const UNFIT = {
  own: 'the certificate may not be used for servers',
  above: 'a certificate above it in the chain may not issue certificates for servers',
} as const;

const untrusted = (problem: string): TlsProblem => ({ failure: 'untrusted', problem });

function judgeChain(verifyCode: string, issuer: string, unfit: 'own' | 'above' | null): TlsProblem {
  switch (verifyCode) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return SELF_SIGNED;
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return {
        failure: 'unknown-authority',
        problem: `the authority of the certificate is not trusted here (${issuer})`,
      };
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return {
        failure: 'unknown-authority',
        problem:
          `the authority of the certificate is not known here (${issuer}), ` +
          'or the server did not send an intermediate certificate',
      };
    case 'CERT_HAS_EXPIRED':
      return untrusted('a certificate above it in the chain has expired');
    case 'CERT_NOT_YET_VALID':
      return untrusted('a certificate above it in the chain is not valid yet');
    case 'ERROR_IN_CERT_NOT_BEFORE_FIELD':
    case 'ERROR_IN_CERT_NOT_AFTER_FIELD':
      return untrusted('a certificate above it in the chain has an unreadable date');
    case 'INVALID_CA':
      return untrusted(UNFIT.above);
    case 'INVALID_PURPOSE':
      return untrusted(
        unfit
          ? UNFIT[unfit]
          : 'the certificate, or one above it in the chain, may not be used for servers',
      );
    case 'CERT_REVOKED':
      return untrusted('the certificate has been revoked');
    default:
      return untrusted(`the certificate cannot be verified (${verifyCode})`);
  }
}

/** OpenSSL's verdicts on dates, each with the problem of the server's own certificate behind it. */
const DATE_VERDICTS: Readonly<Record<string, 'expired' | 'early' | 'unreadable'>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'early',
  ERROR_IN_CERT_NOT_BEFORE_FIELD: 'unreadable',
  ERROR_IN_CERT_NOT_AFTER_FIELD: 'unreadable',
};

/** What is wrong with the dates of a certificate. */
function judgeDates(
  { validFrom, validTo }: CertificateFacts,
  nowMs: number,
): Map<'expired' | 'early' | 'unreadable', TlsProblem> {
  const found = new Map<'expired' | 'early' | 'unreadable', TlsProblem>();
  if (validTo !== null && nowMs > validTo) {
    const ago = formatDays(Math.floor((nowMs - validTo) / DAY_MS));
    found.set('expired', { failure: 'expired', problem: `the certificate expired ${ago} ago` });
  }
  if (validFrom !== null && nowMs < validFrom)
    found.set('early', {
      failure: 'not-yet-valid',
      problem: `the certificate is not valid before ${new Date(validFrom).toISOString()}`,
    });
  if (validTo === null || validFrom === null)
    found.set('unreadable', untrusted('the certificate has an unreadable date'));
  return found;
}

function describeWrongName(host: string, { names, subject }: CertificateFacts): string {
  const shown = names.slice(0, 5).join(', ') || subject;
  return shown === ''
    ? `the certificate is not for ${host}; it names no host`
    : `the certificate is not for ${host} but for ${shown}${names.length > 5 ? ' …' : ''}`;
}

/** All problems of a certificate, the most important one first. */
export function judgeCertificate(
  facts: CertificateFacts,
  { verifyCode, isSelfSigned, unfit, weaknesses, host, nowMs }: Verification,
): TlsProblem[] {
  const dates = judgeDates(facts, nowMs);
  const dateVerdict = verifyCode === null ? undefined : DATE_VERDICTS[verifyCode];
  const isOwnDate = dateVerdict !== undefined && dates.has(dateVerdict);
  const chain =
    verifyCode === null || isOwnDate ? null : judgeChain(verifyCode, facts.issuer, unfit);
  const problems = [...dates.values(), ...(chain ? [chain] : [])];
  // OpenSSL checks dates last and keeps only its last verdict: that on the issuer is lost.
  const hint =
    dateVerdict !== undefined && !isSelfSigned
      ? ' (fix this first; only then can its issuer be checked)'
      : '';
  return [
    ...problems.map(({ failure, problem }) => ({ failure, problem: `${problem}${hint}` })),
    ...(isOwnDate && isSelfSigned ? [SELF_SIGNED] : []),
    ...weaknesses.map((problem): TlsProblem => ({ failure: 'weak', problem })),
    ...(host === null
      ? []
      : [{ failure: 'wrong-name' as const, problem: describeWrongName(host, facts) }]),
  ];
}
