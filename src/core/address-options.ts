import { isIP } from 'node:net';
import { parsePort } from './target.js';
import { UsageError } from './usage-error.js';

/**
 * The value of `--source`: a literal address.
 *
 * @throws UsageError when it is none
 */
export function parseSourceAddress(text: string): string {
  if (isIP(text) === 0) throw new UsageError(`--source: "${text}" is not an address; allowed: an IPv4 or IPv6 address of this machine`);
  return text;
}

/**
 * The value of `--dns`: the address of a DNS server, with its port if it is not 53. As `dns.setServers()` of Node takes it.
 *
 * @throws UsageError when it is none
 */
export function parseDnsServer(text: string): string {
  const [, bracketed, bracketedPort, plain, plainPort] = /^(?:\[([^\]]+)\](?::(.*))?|([^:]+)(?::(.*))?)$/s.exec(text) ?? [];
  const address = bracketed ?? plain ?? text;
  const family = isIP(address);
  if (family === 0 || (family === 4 && bracketed !== undefined)) {
    throw new UsageError(`--dns: "${text}" is not the address of a DNS server; allowed: an address, or address:port`);
  }
  const port = bracketedPort ?? plainPort;
  if (port === undefined) return address;
  return family === 6 ? `[${address}]:${parsePort(port)}` : `${address}:${parsePort(port)}`;
}
