import { isIP } from 'node:net';

/** More search domains than these are ignored; glibc before 2.26 used as many (resolv.conf(5)). */
const MAX_SEARCH_DOMAINS = 6;

/**
 * The addresses that a hosts file has for a name, each once, in the file's order. A line is an
 * address, names and perhaps a comment (hosts(5)). Lines in another format are ignored. Case is
 * ignored, but a final dot counts: glibc finds `name.` only under `name.`.
 */
export function parseHostsFile(text: string, name: string): string[] {
  const wanted = name.toLowerCase();
  const addresses = text.split(/\r?\n/).flatMap((line) => {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    return isIP(address) !== 0 && names.some((each) => each.toLowerCase() === wanted)
      ? [address]
      : [];
  });
  return [...new Set(addresses)];
}

/** The search domains of a resolv.conf. The last `search` or `domain` line counts. */
export function parseSearchDomains(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim().split(/\s+/));
  const last = lines.filter(([keyword]) => keyword === 'search' || keyword === 'domain').at(-1);
  return (last ?? [])
    .slice(1)
    .map((domain) => domain.toLowerCase().replace(/\.$/, ''))
    .filter((domain) => /^[\w-]+(\.[\w-]+)*$/.test(domain))
    .slice(0, MAX_SEARCH_DOMAINS);
}
