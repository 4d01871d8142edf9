import type { TlsProblem } from '../../facts/service-finding.js';
import { MAX_LINE_BYTES } from './receive-buffer.js';
import { recognizeProtocol } from './protocol-signatures.js';
import { cutText, quote } from './text.js';

/** OpenSSL's errors that mean: no TLS version in common. */
const VERSION_ERRORS: ReadonlySet<string> = new Set([
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'ERR_SSL_NO_PROTOCOLS_AVAILABLE',
]);

/** The type of a record that holds an alert (RFC 8446, 5.1). */
const ALERT_RECORD = 0x15;

/**
 * The server's alert (RFC 8446, 6) as OpenSSL names it:
 * `ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED`, since 3.5 also `ERR_SSL_SSL/TLS_ALERT_…`. Alerts
 * of RFC 6066 lack the word: `ERR_SSL_TLSV1_UNRECOGNIZED_NAME`. No other errors have such names.
 */
const ALERT = /(?:_ALERT_|^ERR_SSL_TLSV1_(?!ALERT_))(?:NUMBER_)?(\w+)$/;

/** Whether bytes can begin a TLS record (RFC 8446, 5.1): its type and half of its version. */
const mayBeTls = (bytes: Buffer): boolean =>
  /^[\x14-\x17](\x03|$)/.test(bytes.toString('latin1', 0, 2));

/** Whether the first bytes from the wire are not TLS. OpenSSL itself would wait for more. */
export const isPlainText = (firstBytes: Buffer): boolean =>
  firstBytes.length > 0 && !mayBeTls(firstBytes);

/** Whether an error comes from TLS itself (an alert, or bytes that are not TLS), not from TCP. */
export const isTlsError = (error: NodeJS.ErrnoException | null): boolean =>
  /^ERR_(SSL|OSSL)_/.test(error?.code ?? '');

/** How far TLS had come when it failed. */
export interface TlsProgress {
  /** Whether the handshake was complete. */
  readonly isSecure: boolean;
  /** What came first from the wire, 512 bytes or a little more. */
  readonly firstBytes: Buffer;
  /** The oldest version that we offered; the newest is always 1.3. */
  readonly oldestVersion: '1.0' | '1.2';
}

/** Describes why the handshake failed, or what broke TLS after it. */
export function describeTlsError(
  code: string,
  { isSecure, firstBytes, oldestVersion }: TlsProgress,
): TlsProblem {
  if (isPlainText(firstBytes)) {
    const looksLike = recognizeProtocol(firstBytes);
    const hint = looksLike === null ? '' : `; it looks like ${looksLike}`;
    const [line = ''] = cutText(firstBytes, MAX_LINE_BYTES).split(/\r?\n/);
    return { failure: 'not-tls', problem: `${quote(line)} came instead of TLS${hint}` };
  }
  if (VERSION_ERRORS.has(code))
    return {
      failure: 'old-version',
      problem: `it supports no TLS version from ${oldestVersion} to 1.3`,
    };
  const alert = ALERT.exec(code)?.[1]?.toLowerCase().replaceAll('_', ' ');
  if (alert === undefined)
    return {
      failure: 'handshake',
      problem: `${isSecure ? 'TLS failed after the handshake' : 'the handshake failed'} (${code})`,
    };
  // Only as the very first record it answers our offer. TLS 1.2 uses the same alert later, for a
  // missing client certificate.
  // And only our whole offer tells: SHA-1 may be what a server needs.
  const hint =
    alert === 'handshake failure' && firstBytes[0] === ALERT_RECORD && oldestVersion === '1.0'
      ? '; most often there is no cipher suite in common'
      : '';
  const ended = isSecure ? 'TLS' : 'the handshake';
  return { failure: 'handshake', problem: `it ended ${ended} with the alert "${alert}"${hint}` };
}
