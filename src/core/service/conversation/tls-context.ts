import type * as tlsModule from 'node:tls';

/** What all TLS connections of this process share. */
export interface TlsContext {
  readonly tls: typeof tlsModule;
  /** What clients require today. OpenSSL judges by it, with the roots of this process. */
  readonly required: tlsModule.SecureContext;
  /** Accepts all that OpenSSL can, to find out why `required` failed. Made when first needed. */
  readonly permissive: () => tlsModule.SecureContext;
}

/**
 * OpenSSL's security level 2: 112 bits, so no SHA-1 and no RSA key of 1024 bits, in certificates
 * and in the handshake (SSL_CTX_set_security_level(3)). It is OpenSSL's default since 3.2. DHE is
 * missing because browsers do not offer it: the server chooses the prime, and one of 10,000 bits
 * blocks this process for 0.6 s.
 */
export const REQUIRED_CIPHERS = 'DEFAULT:!DHE@SECLEVEL=2';

/**
 * What browsers offer, and SHA-224. OpenSSL 3.5 adds more: with a certificate of a Brainpool curve,
 * Node 24 and 26 crash (they describe it for `checkServerIdentity`).
 */
const SIGNATURES = [
  'ed25519:ed448:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ECDSA+SHA224',
  'rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512',
  'RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512:RSA+SHA224',
].join(':');

let context: TlsContext | undefined;

/** Loads TLS, once. This takes longer than a handshake, so it is done before the connection. */
export async function loadTlsContext(): Promise<TlsContext> {
  if (!context) {
    const tls = await import('node:tls');
    let permissive: tlsModule.SecureContext | undefined;
    context = {
      tls,
      required: tls.createSecureContext({
        minVersion: 'TLSv1.2',
        ciphers: REQUIRED_CIPHERS,
        sigalgs: SIGNATURES,
      }),
      permissive: () =>
        (permissive ??= tls.createSecureContext({
          minVersion: 'TLSv1',
          ciphers: 'DEFAULT:!DHE@SECLEVEL=0',
          sigalgs: `${SIGNATURES}:ECDSA+SHA1:RSA+SHA1`,
        })),
    };
  }
  return context;
}
