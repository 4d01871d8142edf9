import type { KeyObject, X509Certificate } from 'node:crypto';

/** The public key, or null when it is of a kind that OpenSSL does not know. */
export function keyOf(certificate: X509Certificate): KeyObject | null {
  try {
    return certificate.publicKey;
  } catch {
    return null;
  }
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
