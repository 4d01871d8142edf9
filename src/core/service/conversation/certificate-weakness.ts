import type { KeyObject, X509Certificate } from 'node:crypto';

/** The public key, or null if OpenSSL does not know its kind. */
export function keyOf(certificate: X509Certificate): KeyObject | null {
  try {
    return certificate.publicKey;
  } catch {
    return null;
  }
}

/**
 * Signature algorithms with a hash that can be forged, by object identifier in hexadecimal
 * (RFC 3279, 2.2; the last one is OIW's).
 */
const WEAK_SIGNATURES: Readonly<Record<string, string>> = {
  '2a864886f70d010102': 'MD2',
  '2a864886f70d010103': 'MD4',
  '2a864886f70d010104': 'MD5',
  '2a864886f70d010105': 'SHA-1',
  '2a8648ce380403': 'SHA-1',
  '2a8648ce3d0401': 'SHA-1',
  '2b0e03021d': 'SHA-1',
};

/**
 * Where the contents of the DER element (X.690, 8.1) at this offset begin and end; null if it has
 * another tag or is incomplete.
 */
function elementAt(
  der: Uint8Array,
  at: number,
  tag: number,
): { readonly start: number; readonly end: number } | null {
  const first = der[at + 1];
  if (der[at] !== tag || first === undefined) return null;
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || more > 4) return null; // indefinite, or longer than any certificate
  const start = at + 2 + more;
  const length =
    more === 0 ? first : der.subarray(at + 2, start).reduce((value, byte) => value * 256 + byte, 0);
  return start + length <= der.length ? { start, end: start + length } : null;
}

/**
 * The object identifier, in hexadecimal, of the algorithm that signed a certificate (RFC 5280,
 * 4.1.1.2). Node 20 does not have it.
 *
 * @returns null if these bytes are not a certificate
 */
export function signatureAlgorithm(der: Uint8Array): string | null {
  const SEQUENCE = 0x30;
  const certificate = elementAt(der, 0, SEQUENCE);
  const toBeSigned = certificate && elementAt(der, certificate.start, SEQUENCE);
  const algorithm = toBeSigned && elementAt(der, toBeSigned.end, SEQUENCE);
  const identifier = algorithm && elementAt(der, algorithm.start, 0x06);
  return identifier && Buffer.from(der.subarray(identifier.start, identifier.end)).toString('hex');
}

/**
 * The smallest acceptable RSA key, bits: NIST SP 800-131A, and level 2 of
 * SSL_CTX_set_security_level(3), OpenSSL's default.
 */
const MIN_RSA_BITS = 2048;

/**
 * Finds what today's clients refuse even if the root is trusted: weak hashes and short keys. The
 * handshake accepts them, so that they can be reported.
 *
 * @param chain as from `chainOf`
 * @param rootsWith finds the trusted roots with a public key; called only if needed
 * @returns the problems, in words
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
      : MIN_RSA_BITS;
    if (bits < MIN_RSA_BITS)
      found.push(`${whose} has an RSA key of ${bits} bits; at least ${MIN_RSA_BITS} are required`);
    const hash = WEAK_SIGNATURES[signatureAlgorithm(certificate.raw) ?? ''];
    // The signature of a self-issued certificate is not checked.
    if (hash === undefined || certificate.checkIssued(certificate)) continue;
    // A trusted root may also be signed by another authority: nothing above it is checked.
    const isRoot =
      depth > 0 &&
      key !== null &&
      rootsWith(key).some(
        ({ subject, publicKey }) => subject === certificate.subject && publicKey.equals(key),
      );
    if (isRoot) break;
    found.push(`${whose} is signed with ${hash}, which clients refuse today`);
  }
  return found;
}
