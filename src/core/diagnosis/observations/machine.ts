import { createSocket } from 'node:dgram';
import { BlockList, SocketAddress } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { Address } from '../../facts/outcome.js';
import { readSystemFile } from '../../system-file.js';
import { familyOf, type Target } from '../../target/target.js';
import type { MachineObservation } from './observations.js';

/** Any port does: connecting a UDP socket sends nothing. 9 is "discard". */
const DISCARD_PORT = 9;

/** Environment variables of the proxy for a port, in the order of curl(1), ENVIRONMENT. */
const PROXY_VARIABLES: ReadonlyMap<number, readonly string[]> = new Map([
  [80, ['http_proxy', 'HTTP_PROXY']],
  [443, ['https_proxy', 'HTTPS_PROXY']],
]);
const PROXY_VARIABLES_FOR_ALL = ['all_proxy', 'ALL_PROXY'];

/** Whether NO_PROXY excludes a host: `*`, the name, or a parent domain with or without a dot. */
function isExcluded(host: string, noProxy: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  const entries = noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  return entries.some((entry) => {
    const domain = entry.replace(/^\*?\./, '').replace(/:\d+$/, '');
    return entry === '*' || name === domain || name.endsWith(`.${domain}`);
  });
}

/**
 * The proxy that the environment sets for a target, without user and password. Null if none is set
 * or NO_PROXY excludes the host.
 */
export function proxyFor(
  { host, port }: Target,
  env: NodeJS.ProcessEnv = process.env,
): MachineObservation['proxy'] {
  if (isExcluded(host, env['no_proxy'] ?? env['NO_PROXY'] ?? '')) return null;
  const variables = [...(PROXY_VARIABLES.get(port) ?? []), ...PROXY_VARIABLES_FOR_ALL];
  const variable = variables.find((name) => (env[name] ?? '') !== '');
  if (variable === undefined) return null;
  const value = env[variable] ?? '';
  const authority = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:[^/]*@)?([^/?#]*)/i.exec(value);
  return { variable, proxy: authority?.[1] ?? '' };
}

/**
 * The source address that the system chooses for an address. Found by connecting a UDP socket,
 * which sends nothing. Null if there is no route.
 */
export function sourceAddressFor({ address, family }: Address): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    const end = (source: string | null): void => {
      socket
        .removeAllListeners()
        .on('error', () => {})
        .close();
      resolve(source);
    };
    socket.once('error', () => end(null));
    socket.connect(DISCARD_PORT, address, () => end(socket.address().address));
  });
}

type OwnAddress = MachineObservation['addresses'][number] & {
  readonly internal: boolean;
  /** The length of the prefix of its network. */
  readonly prefix: number;
};

/** Addresses of this machine, including loopback. */
function listOwnAddresses(): OwnAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, all]) =>
    (all ?? []).map(({ address, family, internal, cidr }): OwnAddress => ({
      interface: name,
      address,
      family: family === 'IPv6' ? 6 : 4,
      internal,
      prefix: Number(cidr?.split('/')[1] ?? (family === 'IPv6' ? 128 : 32)),
    })),
  );
}

/** An address in its usual form, without zone; one mapped into IPv6 as the IPv4 address it is. */
function toCanonicalAddress({ address, family }: Address): string {
  if (family === 4) return address;
  return new SocketAddress({ address, family: 'ipv6' }).address.replace(/^::ffff:(?=\d+\.)/, '');
}

/**
 * Whether an address belongs to this machine; a zone is ignored. An interface without a link is not
 * listed, but its address is its own source (docker0 without containers, for example).
 */
export async function isOwnAddress(endpoint: Address): Promise<boolean> {
  const address = toCanonicalAddress(endpoint);
  if (address === '::1' || address.startsWith('127.')) return true;
  if (listOwnAddresses().some((own) => own.address === address)) return true;
  return (await sourceAddressFor({ ...endpoint, address })) === address;
}

/** Whether an address is own or in a network of an own interface: no router is on the way. */
export function isDirectlyAttached(endpoint: Address): boolean {
  const networks = new BlockList();
  for (const { address, family, prefix } of listOwnAddresses())
    networks.addSubnet(address, prefix, `ipv${family}`);
  const address = toCanonicalAddress(endpoint);
  return networks.check(address, `ipv${familyOf(address) ?? endpoint.family}`);
}

/** The soft limit of open files (proc_pid_limits(5)). */
function descriptorLimit(): number | null {
  const limits = readSystemFile('/proc/self/limits') ?? '';
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? null : Number(soft);
}

/** The number of ephemeral ports (ip(7)). */
function sourcePorts(): number | null {
  const range = readSystemFile('/proc/sys/net/ipv4/ip_local_port_range') ?? '';
  const [, low, high] = /^(\d+)\s+(\d+)/.exec(range) ?? [];
  return low === undefined ? null : Number(high) - Number(low) + 1;
}

/**
 * This machine, as far as it matters to a connection.
 *
 * @param deciding the address that decided; null if there was none
 */
export async function checkMachine(
  target: Target,
  deciding: Address | null,
  env: NodeJS.ProcessEnv,
): Promise<MachineObservation> {
  return {
    platform: process.platform,
    hostName: hostname(),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    addresses: listOwnAddresses()
      .filter(({ internal }) => !internal)
      .map(({ internal: _, prefix: __, ...rest }) => rest),
    sourceAddress: deciding && (await sourceAddressFor(deciding)),
    proxy: proxyFor(target, env),
    descriptorLimit: descriptorLimit(),
    sourcePorts: sourcePorts(),
  };
}
