import { asciiHost, familyOf, parseHost } from '../target/target.js';
import { UsageError } from '../usage-error.js';
import { SERVICE_NAMES, type ServiceName, SERVICES } from './registry.js';

/** The names of the services that have TLS. */
export const TLS_SERVICE_NAMES: readonly ServiceName[] = SERVICE_NAMES.filter(
  (name) => SERVICES[name].tls !== null,
);

/**
 * The name of a service, in upper or lower case.
 *
 * @param name the argument, for the error message
 * @throws UsageError when there is no such service
 */
export function parseServiceName(text: string, name: string): ServiceName {
  const service = SERVICE_NAMES.find((each) => each === text.toLowerCase());
  if (service === undefined)
    throw new UsageError(
      `${name}: "${text}" is not the name of a service; allowed: ${SERVICE_NAMES.join(', ')}`,
    );
  return service;
}

/**
 * A server's name for TLS (SNI).
 *
 * @param name the argument, for the error message
 * @returns the name in ASCII, without a final dot (RFC 6066, section 3)
 * @throws UsageError when it is an address or not a host name
 */
export function parseServerName(text: string, name: string): string {
  let host;
  try {
    host = parseHost(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(
      `${name}: "${text}" is not a host name; allowed: letters, digits, hyphens and dots`,
    );
  }
  if (familyOf(host) !== null)
    throw new UsageError(`${name}: "${text}" is an address; allowed: a host name (RFC 6066)`);
  const ascii = asciiHost(host);
  return ascii.endsWith('.') ? ascii.slice(0, -1) : ascii;
}
