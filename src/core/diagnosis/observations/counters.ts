import { readSystemFile } from '../../system-file.js';

/** What left this machine between two moments. */
export interface Traffic {
  /**
   * Octets of IP that passed this machine's rules for outgoing packets, without those that stayed
   * on loopback. 0 proves that no packet left: other traffic can only add to it.
   */
  readonly octetsSent: number;
  /** Packets on loopback. */
  readonly loopbackPackets: number;
}

/** Starts to count; the function that it returns stops. Null if the system does not count. */
export type StartCounting = (family: 4 | 6) => (() => Traffic) | null;

/** What passed the rules for outgoing packets, in octets. */
interface OctetsPassed {
  readonly total: number;
  /** Whether IPv6 is counted after the rules, as it is since Linux 6.7. */
  readonly knowsIpv6: boolean;
}

/** What passed over loopback. */
interface Loopback {
  readonly octets: number;
  readonly packets: number;
}

/** The columns of sent octets and packets in /proc/net/dev, after the name (proc_pid_net(5)). */
const SENT_OCTETS_COLUMN = 9;
const SENT_PACKETS_COLUMN = 10;

const splitWords = (line: string): string[] => line.trim().split(/[:\s]+/);

/** A value of netstat: a line of names and one of numbers, each after the name of its group. */
function findInGroup(netstat: string, group: string, name: string): number {
  const [names = [], values = []] = netstat
    .split('\n')
    .map(splitWords)
    .filter(([first]) => first === group);
  return Number(values[names.indexOf(name)] ?? 0);
}

/** A value of snmp6, where each has a line; undefined if there is none. */
function findLine(snmp6: string, name: string): number | undefined {
  const line = snmp6
    .split('\n')
    .map(splitWords)
    .find(([first]) => first === name);
  return line && Number(line[1]);
}

/**
 * Octets that passed the rules: IpExt OutOctets and Ip6OutOctets (RFC 4293). Linux counts them
 * after the OUTPUT hook, but before it looks for the neighbour and before the device. Null if the
 * kernel has no such counter, or one that never counts.
 */
export function parseOctetsPassed(
  netstat: string | null,
  snmp6: string | null,
): OctetsPassed | null {
  const ipv4 = findInGroup(netstat ?? '', 'IpExt', 'OutOctets');
  if (!(ipv4 > 0)) return null;
  return {
    total: ipv4 + (findLine(snmp6 ?? '', 'Ip6OutOctets') ?? 0),
    knowsIpv6: findLine(snmp6 ?? '', 'Ip6OutTransmits') !== undefined,
  };
}

/** What was sent over loopback, from /proc/net/dev. */
export function parseLoopback(dev: string | null): Loopback | null {
  const columns = dev
    ?.split('\n')
    .map(splitWords)
    .find(([name]) => name === 'lo');
  return columns
    ? {
        octets: Number(columns[SENT_OCTETS_COLUMN] ?? 0),
        packets: Number(columns[SENT_PACKETS_COLUMN] ?? 0),
      }
    : null;
}

const readOctetsPassed = (): OctetsPassed | null =>
  parseOctetsPassed(readSystemFile('/proc/net/netstat'), readSystemFile('/proc/net/snmp6'));

const readLoopback = (): Loopback | null => parseLoopback(readSystemFile('/proc/net/dev'));

/**
 * Counts what leaves this machine: all that passes its rules less what stays on loopback. Loopback
 * is read last at the start and first at the end, so that a packet between two readings adds to
 * the difference and never takes from it.
 */
export function startCounting(
  family: 4 | 6,
  platform: NodeJS.Platform = process.platform,
): (() => Traffic) | null {
  if (platform !== 'linux') return null;
  const passed = readOctetsPassed();
  const loopback = readLoopback();
  if (!passed || !loopback || (family === 6 && !passed.knowsIpv6)) return null;
  return () => {
    const { octets, packets } = readLoopback() ?? loopback;
    const { total } = readOctetsPassed() ?? passed;
    return {
      octetsSent: total - passed.total - (octets - loopback.octets),
      loopbackPackets: packets - loopback.packets,
    };
  };
}
