import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { domainToASCII } from 'node:url';
import { checkPort, quoteValue } from '../limits.js';
import { UsageError } from '../usage-error.js';

/** Host and port as the user named them. */
export interface Target {
  /** A name or a literal address, without brackets, as the user wrote it. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** All that a probe may be given: a literal address, its family and a port. Never a name. */
export interface Endpoint {
  /** IPv4 or IPv6 literal, IPv6 without brackets, a zone after `%`. */
  readonly address: string;
  readonly family: 4 | 6;
  /** 1 to 65535. */
  readonly port: number;
}

/**
 * Whether text can be a server's name for TLS: a host name, not an address (RFC 6066, section 3).
 */
export function isServerName(text: string): boolean {
  return asciiHost(text).replace(/\.$/, '') !== '' && familyOf(text) === null;
}

/** `host:port`, IPv6 as `[address]:port` (RFC 3986, section 3.2.2). */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An endpoint as people write it: `192.0.2.10:25`, `[2001:db8::1]:25`. */
export function formatEndpoint(endpoint: Endpoint): string {
  return formatHostPort(endpoint.address, endpoint.port);
}

/** The family of a literal address, or null when the text is a name. */
export function familyOf(host: string): 4 | 6 | null {
  // All IPv6 addresses have a colon. Node takes 3 to 6 ms to compile its pattern for them.
  if (host.includes(':')) return isIPv6(host) ? 6 : null;
  return isIPv4(host) ? 4 : null;
}

/**
 * A name as the resolver is asked for it: internationalised names in their ASCII form (RFC 5891),
 * others unchanged.
 *
 * @returns '' when the name has characters that no host name may have
 */
export function asciiHost(host: string): string {
  if (!/[^\x00-\x7f]/.test(host)) return /^[\w.-]*$/.test(host) ? host : '';
  // domainToASCII alone would cut "a/b" to "a".
  return /[\x00-\x2c/:-@[-^`{-\x7f]/.test(host) ? '' : domainToASCII(host);
}

/** What a host may be, for error messages. */
export const HOST_RULE = 'allowed: a host name, an IPv4 address in four parts, or an IPv6 address';

/**
 * Whether an address holds only on one link (RFC 4291, 2.5.6), and so means nothing without its
 * interface.
 */
export function isLinkLocal(address: string): boolean {
  return /^fe[89ab][\da-f]:/i.test(address);
}

function parseZonedAddress(address: string): string {
  const [, zone] = address.split('%');
  if (isLinkLocal(address) && !zone) {
    throw new UsageError(
      `host: ${address} is a link-local address and says nothing without its interface; ` +
        `write ${address}%eth0, for example`,
    );
  }
  if (zone !== undefined) {
    const interfaces = networkInterfaces();
    const zones = Object.entries(interfaces).flatMap(([name, addresses]) => [
      name,
      ...(addresses ?? []).map((each) => String(each.scopeid ?? '')),
    ]);
    if (!zones.includes(zone)) {
      throw new UsageError(
        `host: ${address} names the interface "${zone}", which this machine does not have; ` +
          `allowed: ${Object.keys(interfaces).join(', ')}`,
      );
    }
  }
  return address;
}

/** Checks the length and the labels of a name (RFC 1123, section 2.1). */
function checkName(host: string, ascii: string): void {
  const asciiName = (ascii || host).replace(/\.$/, '');
  if (asciiName.length > 253)
    throw new UsageError(`host: the name has ${asciiName.length} characters; allowed: at most 253`);
  for (const label of asciiName.split('.')) {
    if (label === '') throw new UsageError(`host: "${host}" has an empty part; ${HOST_RULE}`);
    if (label.length > 63)
      throw new UsageError(
        `host: a part of the name has ${label.length} characters; allowed: at most 63 between dots`,
      );
    if (ascii === '' || !/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/i.test(label)) {
      throw new UsageError(
        `host: "${host}" is not a host name; allowed: letters, digits, hyphens and dots`,
      );
    }
  }
}

/**
 * A host: a name (internationalised too), IPv4 in four decimal parts, IPv6 with or without
 * brackets, with a zone where it is link-local. Other spellings of IPv4 (`127.1`, `010.0.0.1`,
 * `0x7f000001`), which the system's resolver would guess at, are refused.
 *
 * @returns the host without brackets
 * @throws UsageError when it cannot be a host
 */
export function parseHost(text: string): string {
  const unbracketed = /^\[(.*)\]$/s.exec(text)?.[1];
  const host = unbracketed ?? text;
  if (host === '') throw new UsageError(`host: nothing given; ${HOST_RULE}`);
  const family = familyOf(host);
  if (family === 6) return parseZonedAddress(host);
  if (unbracketed !== undefined)
    throw new UsageError(`host: "${text}" is not an IPv6 address; brackets are for IPv6 only`);
  if (family === 4) return host;
  if (host.includes(':'))
    throw new UsageError(`host: "${host}" is not an IPv6 address; ${HOST_RULE}`);

  // Node 20 has nothing to say to some names in their ASCII form (xn--a), which others resolve.
  const ascii = /^[\w.-]*$/.test(host) ? domainToASCII(host) || host : asciiHost(host);
  if (isIPv4(ascii)) {
    throw new UsageError(
      `host: "${host}" is not an IPv4 address in four decimal parts; ` +
        `some programs read it as ${ascii}: write that if you mean it`,
    );
  }
  const name = host.replace(/\.$/, '');
  if (/(^|\.)(\d+|0x[\da-f]*)$/i.test(name))
    throw new UsageError(
      `host: "${host}" is not an IPv4 address; allowed: four numbers from 0 to 255`,
    );
  checkName(host, ascii);
  return host;
}

/**
 * Checks a target that a caller gives: a host that can be one, and a port.
 *
 * @throws UsageError naming `host` or `port`
 */
export function checkTarget(target: Target): void {
  if (typeof target !== 'object' || (target as unknown) === null)
    throw new UsageError(`target: ${quoteValue(target)} is not a target; allowed: { host, port }`);
  const { host, port } = target;
  if (typeof host !== 'string')
    throw new UsageError(`host: ${quoteValue(host)} is not a string; ${HOST_RULE}`);
  checkPort(port);
  if (familyOf(host) !== null && !(isLinkLocal(host) && !host.includes('%'))) return;
  const [, bare = ''] = /^([^:]*|\[.*\]):\d+$/s.exec(host) ?? /^\[(.*)\]$/s.exec(host) ?? [];
  if (bare !== '')
    throw new UsageError(
      `host: ${quoteValue(host)} is more than a host; ` +
        `give host ${quoteValue(bare.replace(/^\[(.*)\]$/s, '$1'))}, and the port as port`,
    );
  parseHost(host);
}
