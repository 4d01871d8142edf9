import type { TlsProblem } from '../../facts/service-finding.js';

/** What the words for a verdict need to know about the chain that the server sent. */
export interface ChainFacts {
  /** Whether the server's own certificate is signed with its own key. */
  readonly isSelfSigned: boolean;
  /** The issuer of the last certificate of the chain. */
  readonly authority: string;
  /** A certificate that may not be used in its place; null if none shows. */
  readonly unfit: Unfit | null;
  /** `has an RSA key of …`: of the server's own certificate; null if its key is long enough. */
  readonly shortKey: string | null;
  /** The same of the first certificate above it that has a short key. */
  readonly shortKeyAbove: string | null;
}

/** How a certificate is unfit for its place. */
export type Unfit = 'own-purpose' | 'purpose-above' | 'no-authority';

const DATE_VERDICTS: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
]);

/** Whether OpenSSL's verdict is on a date, of any certificate of the chain. */
export const isDateVerdict = (verdict: string): boolean => DATE_VERDICTS.has(verdict);

/** OpenSSL's verdict on a short key of the server's own certificate. */
export const SHORT_KEY = 'EE certificate key too weak';
/** OpenSSL's verdict on a short key above the server's own certificate. */
export const SHORT_KEY_ABOVE = 'CA certificate key too weak';
/** OpenSSL's verdict on a weak signature in the chain. */
export const WEAK_HASH = 'CA signature digest algorithm too weak';

/** Verdicts on the issuer itself. */
const ISSUER_VERDICTS: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
]);

/** Whether a verdict hides whether the issuer is trusted: Node gives only one of OpenSSL's. */
export const hidesIssuer = (verdict: string): boolean => !ISSUER_VERDICTS.has(verdict);

const UNFIT: Readonly<Record<Unfit, string>> = {
  'own-purpose': 'the certificate may not be used for servers',
  'purpose-above': 'a certificate above it in the chain may not issue certificates for servers',
  'no-authority': 'a certificate above it in the chain may not issue certificates',
};

const WRONG_USAGE =
  'the certificate, or one above it in the chain, has a key usage that does not allow servers';
const TOO_SHORT = 'has a key that is too short today';
const OUTSIDE =
  'the certificate has a name that an authority above it may not issue (name constraints)';
const CONSTRAINTS =
  'an authority above the certificate has name constraints that OpenSSL cannot check';

/** Verdicts that need no more than words. Keys as from `readVerdict`. */
export const VERDICT_WORDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'a certificate above it in the chain has expired',
  CERT_NOT_YET_VALID: 'a certificate above it in the chain is not valid yet',
  ERROR_IN_CERT_NOT_BEFORE_FIELD: 'a certificate above it in the chain has an unreadable date',
  ERROR_IN_CERT_NOT_AFTER_FIELD: 'a certificate above it in the chain has an unreadable date',
  INVALID_CA: UNFIT['no-authority'],
  'key usage does not include certificate signing': UNFIT['no-authority'],
  PATH_LENGTH_EXCEEDED:
    'an authority above the certificate allows fewer authorities below it (path length)',
  CERT_CHAIN_TOO_LONG: 'the chain of the certificate is too long',
  CERT_REVOKED: 'the certificate has been revoked',
  CERT_UNTRUSTED: 'the authority of the certificate is not trusted here for servers',
  CERT_REJECTED: 'the authority of the certificate is marked here as not for servers',
  CERT_SIGNATURE_FAILURE:
    'a signature in the chain is wrong: a certificate was changed, or signed by another ' +
    'authority of the same name',
  UNABLE_TO_DECRYPT_CERT_SIGNATURE:
    'a signature in the chain is wrong: a certificate was changed, or signed by another ' +
    'authority of the same name',
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: 'a certificate in the chain has an unknown kind of key',
  'permitted subtree violation': OUTSIDE,
  'excluded subtree violation': OUTSIDE,
  'name constraints minimum and maximum not supported': CONSTRAINTS,
  'unsupported name constraint type': CONSTRAINTS,
  'unsupported or invalid name constraint syntax': CONSTRAINTS,
  'unsupported or invalid name syntax':
    'a name in the chain cannot be compared with the name constraints of an authority above it',
  'unhandled critical extension':
    'the certificate, or one above it in the chain, has a critical extension that OpenSSL does ' +
    'not know',
  'invalid or inconsistent certificate extension':
    'the certificate, or one above it in the chain, has an invalid extension',
  'proxy certificates not allowed, please set the appropriate flag':
    'the certificate, or one above it in the chain, is a proxy certificate',
};

const untrusted = (problem: string): TlsProblem => ({ failure: 'untrusted', problem });
const weak = (problem: string): TlsProblem => ({ failure: 'weak', problem });

/** The problem behind OpenSSL's verdict on a chain, except the server's own dates. */
export function judgeVerdict(
  verdict: string,
  { authority, unfit, shortKey, shortKeyAbove }: ChainFacts,
): TlsProblem {
  switch (verdict) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return { failure: 'self-signed', problem: 'the certificate is self-signed' };
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return {
        failure: 'unknown-authority',
        problem: `the authority of the certificate is not trusted here (${authority})`,
      };
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return {
        failure: 'unknown-authority',
        problem:
          `the authority of the certificate is not known here (${authority}), ` +
          'or the server did not send an intermediate certificate',
      };
    case 'INVALID_PURPOSE':
      return untrusted(unfit === null ? WRONG_USAGE : UNFIT[unfit]);
    case SHORT_KEY:
      return weak(`the certificate ${shortKey ?? TOO_SHORT}`);
    case SHORT_KEY_ABOVE:
      return weak(
        shortKeyAbove === null
          ? `an authority above the certificate, which the server did not send, ${TOO_SHORT}`
          : `a certificate above it in the chain ${shortKeyAbove}`,
      );
    case WEAK_HASH:
      return weak(
        'the certificate, or one above it in the chain, is signed with a weak hash (SHA-1 or ' +
          'older), which clients refuse today',
      );
    default:
      return untrusted(
        VERDICT_WORDS[verdict] ?? `the certificate cannot be verified (OpenSSL: ${verdict})`,
      );
  }
}
