import type { KeyObject, X509Certificate } from 'node:crypto';
import type * as tlsModule from 'node:tls';

/** What all TLS connections of this process share. */
export interface TlsContext {
  readonly tls: typeof tlsModule;
  readonly secureContext: tlsModule.SecureContext;
  /** The root certificates that come with Node and have this public key. */
  readonly rootsWith: (key: KeyObject) => readonly X509Certificate[];
}

/**
 * Finds root certificates by their public key, in DER: to parse all 144 of Node 20 would block
 * this process for 18 ms.
 */
export function rootFinder(
  // An object, because reading the property already loads all roots.
  roots: Pick<typeof tlsModule, 'rootCertificates'>,
  Certificate: typeof X509Certificate,
): TlsContext['rootsWith'] {
  let ders: readonly Buffer[] | undefined;
  return (key) => {
    ders ??= roots.rootCertificates.map((pem) =>
      Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64'),
    );
    const wanted = key.export({ type: 'spki', format: 'der' });
    return ders.filter((der) => der.includes(wanted)).map((der) => new Certificate(der));
  };
}

let context: TlsContext | undefined;

/**
 * Loads TLS, once. This takes longer than a handshake, so it is done before the connection.
 *
 * It offers all versions that OpenSSL knows, so that a server with only old ones can be reported
 * as such; none of these is accepted. It does not offer finite-field Diffie-Hellman, as browsers
 * do not: the server chooses the prime, and one of 10,000 bits blocks this process for 0.6 s.
 */
export async function loadTlsContext(): Promise<TlsContext> {
  if (!context) {
    const [tls, crypto] = await Promise.all([import('node:tls'), import('node:crypto')]);
    const secureContext = tls.createSecureContext({
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT:!DHE@SECLEVEL=0',
    });
    context = { tls, secureContext, rootsWith: rootFinder(tls, crypto.X509Certificate) };
  }
  return context;
}
