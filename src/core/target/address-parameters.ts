import { isIP } from 'node:net';
import { UsageError } from '../usage-error.js';
import { parsePortNumber } from './port.js';
import { familyOf, formatHostPort } from './target.js';

/** An address and the text of its port; null where it is left out. */
export interface AddressAndPort {
  /** An IPv4 or IPv6 literal without brackets. */
  readonly address: string | null;
  readonly port: string | null;
}

/**
 * Splits `address`, `address:port`, `[IPv6]`, `[IPv6]:port` or `:port` (RFC 3986, section 3.2.2).
 *
 * @returns null when the address is not a literal or its brackets are wrong; the port is unchecked
 */
export function splitAddress(text: string): AddressAndPort | null {
  if (isIP(text) === 6) return { address: text, port: null };
  const end = text.startsWith('[') ? text.indexOf(']') + 1 : text.indexOf(':');
  const host = text.slice(0, end < 0 ? undefined : end);
  const rest = text.slice(host.length);
  const address = host.startsWith('[') ? host.slice(1, -1) : host;
  const isAddress = host === '' ? rest !== '' : isIP(address) === (host === address ? 4 : 6);
  if (!isAddress || (rest !== '' && rest.lastIndexOf(':') !== 0)) return null;
  return { address: address || null, port: rest === '' ? null : rest.slice(1) };
}

/**
 * The local address to probe from.
 *
 * @param name the argument, for the error message
 * @returns an IPv4 or IPv6 literal; whether this machine has it is not checked
 * @throws UsageError when it is not a literal
 */
export function parseSourceAddress(text: string, name: string): string {
  if (isIP(text) === 0)
    throw new UsageError(
      `${name}: "${text}" is not an address; allowed: an IPv4 or IPv6 address of this machine`,
    );
  return text;
}

/**
 * A DNS server: its address, and its port unless that is 53.
 *
 * @param name the argument, for the error message
 * @returns the server as `dns.setServers()` of Node takes it
 * @throws UsageError when it is not an address, or the port is not from 1 to 65535
 */
export function parseDnsServer(text: string, name: string): string {
  const { address, port } = splitAddress(text) ?? { address: null, port: null };
  const number = port === null ? null : parsePortNumber(port, 1);
  if (address === null || (port !== null && number === null))
    throw new UsageError(
      `${name}: "${text}" is not the address of a DNS server; ` +
        'allowed: an address, or address:port with a port from 1 to 65535',
    );
  return number === null ? address : formatHostPort(address, number);
}

/**
 * Refuses a source address that cannot reach the only family that is probed.
 *
 * @param family 4 or 6; undefined for both
 * @param name the argument of the source address, for the error message
 * @throws UsageError when the families differ
 */
export function checkSourceFamily(
  source: string | undefined,
  family: 4 | 6 | undefined,
  name: string,
): void {
  if (source === undefined || family === undefined || familyOf(source) === family) return;
  throw new UsageError(
    `${name}: ${source} is an IPv${familyOf(source)} address, but only IPv${family} is probed; ` +
      `allowed: an IPv${family} address`,
  );
}
