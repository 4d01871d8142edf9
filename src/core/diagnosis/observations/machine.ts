import { createSocket } from 'node:dgram';
import { hostname, networkInterfaces } from 'node:os';
import type { Address } from '../../facts/outcome.js';
import type { Target } from '../../target/target.js';
import { readSystemFile } from '../../system-file.js';
import type { MachineObservation } from './observations.js';

/** The environment variables of proxies for a port, in the order in which curl and most others look (curl(1), ENVIRONMENT). */
function proxyVariables(port: number): string[] {
  const own =
    port === 80 ? ['http_proxy', 'HTTP_PROXY'] : port === 443 ? ['https_proxy', 'HTTPS_PROXY'] : [];
  return [...own, 'all_proxy', 'ALL_PROXY'];
}

/** Whether NO_PROXY leaves a host out: `*`, the name, or a domain above it, with or without a dot before it. */
function isLeftOut(host: string, list: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((each) => {
      const domain = each.replace(/^\*?\./, '').replace(/:\d+$/, '');
      return each === '*' || name === domain || name.endsWith(`.${domain}`);
    });
}

/** The proxy that applications which heed the environment would use for a target; user and password are left out. */
export function proxyFor(
  { host, port }: Target,
  env: NodeJS.ProcessEnv = process.env,
): MachineObservation['proxy'] {
  if (isLeftOut(host, env['no_proxy'] ?? env['NO_PROXY'] ?? '')) return null;
  const variable = proxyVariables(port).find((name) => (env[name] ?? '') !== '');
  if (variable === undefined) return null;
  const value = env[variable] ?? '';
  return {
    variable,
    proxy: /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:[^/]*@)?([^/?#]*)/i.exec(value)?.[1] ?? '',
  };
}

/** The address the system would send from: a UDP socket is connected, which sends nothing, and asked. Null when there is no way. */
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
    socket.connect(9, address, () => end(socket.address().address)); // the port does not matter (9 is "discard")
  });
}

/** Addresses of this machine, those of loopback among them. */
export function ownAddresses(): (MachineObservation['addresses'][number] & {
  readonly internal: boolean;
})[] {
  return Object.entries(networkInterfaces()).flatMap(([name, all]) =>
    (all ?? []).map(
      ({ address, family, internal }) =>
        ({ interface: name, address, family: family === 'IPv6' ? 6 : 4, internal }) as const,
    ),
  );
}

function descriptorLimit(): number | null {
  const soft = /^Max open files\s+(\d+)/m.exec(readSystemFile('/proc/self/limits') ?? '')?.[1]; // proc_pid_limits(5)
  return soft === undefined ? null : Number(soft);
}

function sourcePorts(): number | null {
  const [, low, high] =
    /^(\d+)\s+(\d+)/.exec(readSystemFile('/proc/sys/net/ipv4/ip_local_port_range') ?? '') ?? []; // ip(7)
  return low === undefined ? null : Number(high) - Number(low) + 1;
}

/** This machine, as far as it matters to a connection to the target. */
export async function checkMachine(
  target: Target,
  deciding: Address | null,
  env: NodeJS.ProcessEnv,
): Promise<MachineObservation> {
  return {
    platform: process.platform,
    hostName: hostname(),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    addresses: ownAddresses()
      .filter(({ internal }) => !internal)
      .map(({ internal: _, ...rest }) => rest),
    sourceAddress: deciding && (await sourceAddressFor(deciding)),
    proxy: proxyFor(target, env),
    descriptorLimit: descriptorLimit(),
    sourcePorts: sourcePorts(),
  };
}
