import { isIP } from 'node:net';
import { UsageError } from '../usage-error.js';

/**
 * The value of `--source`: a literal address.
 *
 * @throws UsageError when it is none
 */
export function parseSourceAddress(text: string): string {
  if (isIP(text) === 0)
    throw new UsageError(
      `--source: "${text}" is not an address; allowed: an IPv4 or IPv6 address of this machine`,
    );
  return text;
}

/**
 * The value of `--dns`: the address of a DNS server, with its port if it is not 53. As `dns.setServers()` of Node takes it.
 *
 * @throws UsageError when it is none
 */
export function parseDnsServer(text: string): string {
  const [, bracketed, bracketedPort, plain, plainPort] =
    /^(?:\[([^\]]+)\](?::(.*))?|([^:]+)(?::(.*))?)$/s.exec(text) ?? [];
  const address = bracketed ?? plain ?? text;
  const family = isIP(address);
  const port = bracketedPort ?? plainPort;
  const isPort =
    port === undefined || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535);
  if (family === 0 || (family === 4 && bracketed !== undefined) || !isPort) {
    throw new UsageError(
      `--dns: "${text}" is not the address of a DNS server; allowed: an address, or address:port with a port from 1 to 65535`,
    );
  }
  if (port === undefined) return address;
  return family === 6 ? `[${address}]:${Number(port)}` : `${address}:${Number(port)}`;
}
