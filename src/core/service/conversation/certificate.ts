import type { KeyObject, X509Certificate } from 'node:crypto';
import type { CertificateFacts, TlsProblem } from '../../facts/service-finding.js';

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

/** The public key, or null when it is of a kind that OpenSSL does not know. */
function keyOf(certificate: X509Certificate): KeyObject | null {
  try {
    return certificate.publicKey;
  } catch {
    return null;
  }
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

/** Signatures whose hash can be forged, by the hexadecimal of their object identifier (RFC 3279, 2.2; the last is OIW's). */
const WEAK_SIGNATURES: Readonly<Record<string, string>> = {
  '2a864886f70d010102': 'MD2',
  '2a864886f70d010103': 'MD4',
  '2a864886f70d010104': 'MD5',
  '2a864886f70d010105': 'SHA-1',
  '2a8648ce380403': 'SHA-1',
  '2a8648ce3d0401': 'SHA-1',
  '2b0e03021d': 'SHA-1',
};

/** The element of DER (X.690, 8.1) that begins at a place: where its contents begin and end; null when it is not one of that tag, or not whole. */
function elementAt(
  der: Uint8Array,
  at: number,
  tag: number,
): { readonly start: number; readonly end: number } | null {
  const first = der[at + 1];
  if (der[at] !== tag || first === undefined) return null;
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || more > 4) return null; // no length at all, or one that no certificate has
  const start = at + 2 + more;
  const length =
    more === 0 ? first : der.subarray(at + 2, start).reduce((value, byte) => value * 256 + byte, 0);
  return start + length <= der.length ? { start, end: start + length } : null;
}

/**
 * The algorithm that a certificate is signed with (RFC 5280, 4.1.1.2), which Node 20 does not tell: its object identifier in hexadecimal.
 *
 * @returns null when these bytes are not a certificate
 */
export function signatureAlgorithm(der: Uint8Array): string | null {
  const SEQUENCE = 0x30;
  const certificate = elementAt(der, 0, SEQUENCE);
  const toBeSigned = certificate && elementAt(der, certificate.start, SEQUENCE);
  const algorithm = toBeSigned && elementAt(der, toBeSigned.end, SEQUENCE);
  const identifier = algorithm && elementAt(der, algorithm.start, 0x06);
  return identifier && Buffer.from(der.subarray(identifier.start, identifier.end)).toString('hex');
}

/** The least size of an RSA key, bits (NIST SP 800-131A, and level 2 of SSL_CTX_set_security_level(3), the default of OpenSSL today). */
const LEAST_RSA_BITS = 2048;

/**
 * What clients of today refuse in a chain although it leads to a trusted root: weak hashes and short keys, in words. The handshake lets them pass,
 * so that they can be told.
 *
 * @param chain as from `chainOf`
 * @param rootsWith gives the trusted roots that have a public key; asked only where it matters
 */
export function findWeaknesses(
  chain: readonly X509Certificate[],
  rootsWith: (key: KeyObject) => readonly X509Certificate[],
): string[] {
  const found: string[] = [];
  for (const [depth, certificate] of chain.entries()) {
    const whose = depth === 0 ? 'the certificate' : 'a certificate above it in the chain';
    const key = keyOf(certificate);
    const bits = key?.asymmetricKeyType?.startsWith('rsa')
      ? (key.asymmetricKeyDetails?.modulusLength ?? 0)
      : LEAST_RSA_BITS;
    if (bits < LEAST_RSA_BITS)
      found.push(
        `${whose} has an RSA key of ${bits} bits; clients of today want ${LEAST_RSA_BITS}`,
      );
    const hash = WEAK_SIGNATURES[signatureAlgorithm(certificate.raw) ?? ''];
    if (hash === undefined || certificate.checkIssued(certificate)) continue; // who trusts a certificate for itself does not look at who signed it
    // Neither who trusts the root of that name and key, which another authority has signed as well, nor what is above it.
    const isRoot =
      depth > 0 &&
      key !== null &&
      rootsWith(key).some(
        ({ subject, publicKey }) => subject === certificate.subject && publicKey.equals(key),
      );
    if (isRoot) break;
    found.push(`${whose} is signed with ${hash}, which clients of today refuse`);
  }
  return found;
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
