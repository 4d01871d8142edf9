import { SocketAddress } from 'node:net';
import { readSystemFile } from '../../system-file.js';
import type { ListenerObservation } from './observations.js';

/** The state LISTEN in /proc/net/tcp (include/net/tcp_states.h). */
const LISTEN = '0A';

/** An address as the kernel prints it: 32-bit words, each with its lowest byte first. */
function decodeAddress(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const groups = bytes.toString('hex').match(/..../g) ?? [];
  const { address } = new SocketAddress({ address: groups.join(':'), family: 'ipv6' });
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}

/** The sockets that listen at a port, in the text of /proc/net/tcp or tcp6 (proc_pid_net(5)). */
export function parseListeners(text: string, port: number): ListenerObservation[] {
  return text.split('\n').flatMap((line) => {
    const [, local = '', , state, queues = ''] = line.trim().split(/\s+/);
    const [address = '', hexPort = ''] = local.split(':');
    if (state !== LISTEN || parseInt(hexPort, 16) !== port) return [];
    const waiting = parseInt(queues.split(':')[1] ?? '', 16);
    return [{ address: decodeAddress(address), waiting }];
  });
}

/** The sockets of this machine that listen at a port; null if the system does not show them. */
export function readListeners(port: number): ListenerObservation[] | null {
  const ipv4 = readSystemFile('/proc/net/tcp');
  if (ipv4 === null) return null;
  return [ipv4, readSystemFile('/proc/net/tcp6') ?? ''].flatMap((text) =>
    parseListeners(text, port),
  );
}
