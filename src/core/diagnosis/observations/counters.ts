import { probePort } from '../../probe/port-probe.js';
import { readSystemFile } from '../../system-file.js';
import type { CounterChanges } from './observations.js';
import type { Endpoint } from '../../target/target.js';

/** Counters of the Linux kernel that tell what became of a packet; see proc_pid_net(5) and RFC 4293. */
export interface Counters {
  readonly packetsSent: number;
  readonly unreachableSent: number;
  readonly unreachableReceived: number;
  readonly failedRepeats: number;
}

/** /proc/net/snmp and /proc/net/netstat: a line of names, a line of numbers, each beginning with the protocol. */
function pairedLines(text: string): Map<string, number> {
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

/** The counters in the text of the four files below /proc/net; null when one is missing. */
export function parseCounters(files: {
  readonly snmp: string | null;
  readonly snmp6: string | null;
  readonly netstat: string | null;
  readonly dev: string | null;
}): Counters | null {
  if (files.snmp === null || files.netstat === null || files.dev === null) return null;
  const snmp = pairedLines(files.snmp);
  const snmp6 = new Map(
    (files.snmp6 ?? '')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .map(([name = '', value]) => [name, Number(value ?? 0)]),
  );
  const devices = files.dev
    .split('\n')
    .slice(2)
    .map((line) => line.trim().split(/[:\s]+/))
    .filter(([name = '']) => name !== '' && name !== 'lo');
  return {
    packetsSent: devices.reduce((sum, columns) => sum + Number(columns[10] ?? 0), 0), // transmitted packets: the tenth number (proc_pid_net(5))
    unreachableSent:
      (snmp.get('Icmp:OutDestUnreachs') ?? 0) + (snmp6.get('Icmp6OutDestUnreachs') ?? 0),
    unreachableReceived:
      (snmp.get('Icmp:InDestUnreachs') ?? 0) + (snmp6.get('Icmp6InDestUnreachs') ?? 0),
    failedRepeats: pairedLines(files.netstat).get('TcpExt:TCPRetransFail') ?? 0,
  };
}

/** The counters now; null on other systems than Linux. */
export function readCounters(platform: NodeJS.Platform = process.platform): Counters | null {
  if (platform !== 'linux') return null;
  const [snmp = null, snmp6 = null, netstat = null, dev = null] = [
    'snmp',
    'snmp6',
    'netstat',
    'dev',
  ].map((file) => readSystemFile(`/proc/net/${file}`));
  return parseCounters({ snmp, snmp6, netstat, dev });
}

/** Long enough for a SYN to reach the device, and short enough to be often free of other traffic, in milliseconds. */
const WINDOW_MS = 30;

/** What the counters do while one endpoint is tried again and again; null when they cannot be read or nothing can be tried. */
export async function watchCounters(
  endpoint: Endpoint,
  tries: number,
  signal?: AbortSignal,
): Promise<CounterChanges | null> {
  const seen: { packetsSent: number; unreachableToSelf: number; answered: boolean }[] = [];
  for (let index = 0; index < tries && !signal?.aborted; index += 1) {
    const before = readCounters();
    const [attempt] = await Promise.all([
      probePort(endpoint, { timeoutMs: WINDOW_MS, signal }),
      new Promise((resolve) => {
        setTimeout(resolve, WINDOW_MS + 5);
      }),
    ]);
    const after = readCounters();
    if (!before || !after || attempt.state === 'failed') return null;
    seen.push({
      packetsSent: after.packetsSent - before.packetsSent,
      unreachableToSelf: Math.min(
        after.unreachableSent - before.unreachableSent,
        after.unreachableReceived - before.unreachableReceived,
      ),
      answered:
        attempt.state === 'open' ||
        attempt.state === 'closed' ||
        (attempt.state === 'filtered' && attempt.reason !== 'no-response'),
    });
  }
  if (seen.length === 0) return null;
  const sent = seen.map(({ packetsSent }) => packetsSent);
  return {
    leastPacketsSent: Math.min(...sent),
    mostPacketsSent: Math.max(...sent),
    answeredWithoutSending: seen.some(({ packetsSent, answered }) => answered && packetsSent === 0),
    unreachableToSelf: Math.min(...seen.map(({ unreachableToSelf }) => unreachableToSelf)),
  };
}
