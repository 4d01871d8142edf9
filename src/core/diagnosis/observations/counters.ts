import { readSystemFile } from '../../system-file.js';

/** Counters of the Linux kernel that show what happened to a packet (proc_pid_net(5), RFC 4293). */
export interface Counters {
  /** Packets sent on all interfaces but loopback. */
  readonly packetsSent: number;
  /** ICMP and ICMPv6 "destination unreachable". */
  readonly unreachableSent: number;
  readonly unreachableReceived: number;
  /** Retransmissions that failed locally (TcpExt TCPRetransFail). */
  readonly failedRepeats: number;
}

/** The text of four files in /proc/net; null for a file that does not exist. */
export interface CounterFiles {
  readonly snmp: string | null;
  readonly snmp6: string | null;
  readonly netstat: string | null;
  readonly dev: string | null;
}

/** The column of the sent packets in /proc/net/dev, after the name (proc_pid_net(5)). */
const SENT_PACKETS_COLUMN = 10;

/** Parses snmp and netstat: a line of names, then a line of numbers, each after its protocol. */
function parsePairedLines(text: string): Map<string, number> {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/));
  const values = new Map<string, number>();
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const [protocol = '', ...names] = lines[index] ?? [];
    names.forEach((name, column) =>
      values.set(`${protocol}${name}`, Number(lines[index + 1]?.[column + 1] ?? 0)),
    );
  }
  return values;
}

/** Parses snmp6: a name and a number on each line. */
function parseSingleLines(text: string): Map<string, number> {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  return new Map(lines.map(([name = '', value]) => [name, Number(value ?? 0)]));
}

function sumPacketsSent(dev: string): number {
  return dev
    .split('\n')
    .slice(2)
    .map((line) => line.trim().split(/[:\s]+/))
    .filter(([name = '']) => name !== '' && name !== 'lo')
    .reduce((sum, columns) => sum + Number(columns[SENT_PACKETS_COLUMN] ?? 0), 0);
}

/** The counters in these files; null if a file other than snmp6 is missing. */
export function parseCounters({ snmp, snmp6, netstat, dev }: CounterFiles): Counters | null {
  if (snmp === null || netstat === null || dev === null) return null;
  const v4 = parsePairedLines(snmp);
  const v6 = parseSingleLines(snmp6 ?? '');
  const icmp = (name: string): number =>
    (v4.get(`Icmp:${name}`) ?? 0) + (v6.get(`Icmp6${name}`) ?? 0);
  return {
    packetsSent: sumPacketsSent(dev),
    unreachableSent: icmp('OutDestUnreachs'),
    unreachableReceived: icmp('InDestUnreachs'),
    failedRepeats: parsePairedLines(netstat).get('TcpExt:TCPRetransFail') ?? 0,
  };
}

/** The current counters; null on systems other than Linux. */
export function readCounters(platform: NodeJS.Platform = process.platform): Counters | null {
  if (platform !== 'linux') return null;
  const read = (file: keyof CounterFiles): string | null => readSystemFile(`/proc/net/${file}`);
  return parseCounters({
    snmp: read('snmp'),
    snmp6: read('snmp6'),
    netstat: read('netstat'),
    dev: read('dev'),
  });
}
