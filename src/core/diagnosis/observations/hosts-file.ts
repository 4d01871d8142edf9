import { isIP } from 'node:net';

/** A name as hosts files and search lists compare it: without the final dot, in lower case. */
const plainName = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/**
 * The addresses that a hosts file gives to a name, each once, in its order. An address, then names, then perhaps a comment (hosts(5));
 * lines that are not in the format are passed over.
 */
export function parseHostsFile(text: string, name: string): string[] {
  const wanted = plainName(name);
  const addresses = text.split(/\r?\n/).flatMap((line) => {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    return isIP(address) !== 0 && names.some((each) => plainName(each) === wanted) ? [address] : [];
  });
  return [...new Set(addresses)];
}

/** The search domains of a resolv.conf: the last `search` or `domain` line counts (resolv.conf(5)). At most six, as glibc once had it. */
export function parseSearchDomains(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim().split(/\s+/));
  const last = lines.filter(([keyword]) => keyword === 'search' || keyword === 'domain').at(-1);
  return (last ?? [])
    .slice(1)
    .map(plainName)
    .filter((domain) => /^[\w-]+(\.[\w-]+)*$/.test(domain))
    .slice(0, 6);
}
