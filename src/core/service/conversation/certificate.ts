import type { X509Certificate } from 'node:crypto';
import type { CertificateFacts, TlsProblem } from '../../facts/service-finding.js';
import { REQUIRED_CIPHERS, type TlsContext } from './tls-context.js';
import {
  type ChainFacts,
  hidesIssuer,
  isDateVerdict,
  judgeVerdict,
  SHORT_KEY,
  SHORT_KEY_ABOVE,
  type Unfit,
} from './verdict-words.js';

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
function isSelfSigned(certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
  } catch {
    return false; // OpenSSL does not know this kind of key
  }
}

/**
 * The chain that a server sent: its own certificate, the issuer of that, and so on. Servers may
 * send them in any order.
 */
export function chainOf(leaf: X509Certificate): X509Certificate[] {
  const sent: X509Certificate[] = []; // Node takes the next one sent for the issuer
  for (let each = leaf.issuerCertificate; each; each = each.issuerCertificate) sent.push(each);
  const chain = [leaf];
  for (let top: X509Certificate | undefined = leaf; top && !top.checkIssued(top);) {
    const below: X509Certificate = top;
    const at = sent.findIndex((each) => below.checkIssued(each));
    [top] = at < 0 ? [] : sent.splice(at, 1);
    if (top) chain.push(top);
  }
  return chain;
}

/** The extended key usage of servers (RFC 5280, 4.2.1.12). OpenSSL does not count "any". */
const SERVER_PURPOSE = '1.3.6.1.5.5.7.3.1';

/** Whether a certificate may be used for servers: by its extended key usage, or for lack of one. */
function isForServers(certificate: X509Certificate): boolean {
  // Node calls it keyUsage; without the extension it is undefined.
  const purposes = certificate.keyUsage as readonly string[] | undefined;
  return purposes?.includes(SERVER_PURPOSE) ?? true;
}

/** Finds the certificate behind OpenSSL's verdict on a purpose; null if it does not show. */
function findUnfit([own, ...above]: readonly X509Certificate[]): Unfit | null {
  if (own && !isForServers(own)) return 'own-purpose';
  if (above.some((each) => !each.ca)) return 'no-authority';
  return above.every(isForServers) ? null : 'purpose-above';
}

/** Kinds of keys, and how long they must be for 112 bits of security (NIST SP 800-57), bits. */
const KEYS: Readonly<Record<string, readonly [kind: string, bits: number]>> = {
  rsa: ['an RSA key', 2048],
  'rsa-pss': ['an RSA key', 2048],
  dsa: ['a DSA key', 2048],
  ec: ['an elliptic curve key', 224],
};

/**
 * Describes the key of a certificate if OpenSSL calls it too short; else null. The verdict on a
 * connection does not say which certificate it is about.
 */
function describeShortKey({ tls }: TlsContext, certificate: X509Certificate): string | null {
  try {
    tls.createSecureContext({ cert: certificate.toString(), ca: [], ciphers: REQUIRED_CIPHERS });
    return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SSL_EE_KEY_TOO_SMALL') return null;
  }
  const { asymmetricKeyType: type = '', asymmetricKeyDetails: details } = certificate.publicKey;
  const [kind, enough] = KEYS[type] ?? ['a key', 'more'];
  const { modulusLength, namedCurve } = details ?? {};
  const size =
    (modulusLength === undefined ? '' : ` of ${modulusLength} bits`) +
    (namedCurve === undefined ? '' : ` (${namedCurve})`);
  return `has ${kind}${size}, which is too short today; ${enough} bits are enough`;
}

/** Finds what the words for OpenSSL's verdict need to know about the chain of a certificate. */
export function inspectChain(
  context: TlsContext,
  leaf: X509Certificate,
  verdict: string,
): ChainFacts {
  const chain = chainOf(leaf);
  const [, ...above] = chain;
  let shortKeyAbove: string | null = null;
  if (verdict === SHORT_KEY_ABOVE)
    for (const each of above) shortKeyAbove ??= describeShortKey(context, each);
  return {
    isSelfSigned: isSelfSigned(leaf),
    authority: oneLine(chain.at(-1)?.issuer),
    unfit: findUnfit(chain),
    shortKey: describeShortKey(context, leaf),
    shortKeyAbove,
  };
}

/** What a certificate is judged by, besides its facts. */
export interface Verification {
  /** OpenSSL's verdict on the chain (see `readVerdict`), and what it is about; null if good. */
  readonly chain: (ChainFacts & { readonly verdict: string }) | null;
  /** The host that the certificate should be for but is not; null if it is. */
  readonly host: string | null;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

const formatDays = (count: number): string =>
  count === 0 ? 'less than a day' : `${count} ${count === 1 ? 'day' : 'days'}`;

/** What is wrong with the dates of a certificate. */
function judgeDates({ validFrom, validTo }: CertificateFacts, nowMs: number): TlsProblem[] {
  const found: TlsProblem[] = [];
  if (validTo !== null && nowMs > validTo) {
    const ago = formatDays(Math.floor((nowMs - validTo) / DAY_MS));
    found.push({ failure: 'expired', problem: `the certificate expired ${ago} ago` });
  }
  if (validFrom !== null && nowMs < validFrom)
    found.push({
      failure: 'not-yet-valid',
      problem: `the certificate is not valid before ${new Date(validFrom).toISOString()}`,
    });
  if (validTo === null || validFrom === null)
    found.push({ failure: 'untrusted', problem: 'the certificate has an unreadable date' });
  return found;
}

function describeWrongName(host: string, { names, subject }: CertificateFacts): string {
  const shown = names.slice(0, 5).join(', ') || subject;
  return shown === ''
    ? `the certificate is not for ${host}; it names no host`
    : `the certificate is not for ${host} but for ${shown}${names.length > 5 ? ' …' : ''}`;
}

/** Adds what OpenSSL's verdict says about the chain to the problems with the own dates. */
function judgeChain(
  dates: readonly TlsProblem[],
  { verdict, ...chain }: NonNullable<Verification['chain']>,
): TlsProblem[] {
  // OpenSSL checks the server's own dates after those of all certificates above it.
  const isOwnDate = isDateVerdict(verdict) && dates.length > 0;
  const problems = [...dates, ...(isOwnDate ? [] : [judgeVerdict(verdict, chain)])];
  if (chain.shortKey !== null && verdict !== SHORT_KEY)
    problems.push({ failure: 'weak', problem: `the certificate ${chain.shortKey}` });
  if (!hidesIssuer(verdict)) return problems;
  const hidden = chain.isSelfSigned
    ? 'it is self-signed, and only then can its trust be checked'
    : 'only then can its issuer be checked';
  return problems.map(({ failure, problem }, index) => ({
    failure,
    problem: index === 0 ? `${problem} (fix this first; ${hidden})` : problem,
  }));
}

/** All problems of a certificate, the most important one first. */
export function judgeCertificate(
  facts: CertificateFacts,
  { chain, host, nowMs }: Verification,
): TlsProblem[] {
  const dates = judgeDates(facts, nowMs);
  return [
    ...(chain === null ? dates : judgeChain(dates, chain)),
    ...(host === null
      ? []
      : [{ failure: 'wrong-name' as const, problem: describeWrongName(host, facts) }]),
  ];
}
