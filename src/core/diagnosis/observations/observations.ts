import type { Attempt, Outcome, Resolution } from '../../facts/outcome.js';
import type { Target } from '../../target/target.js';

/** What a DNS server said to one question. */
export interface DnsAnswer {
  /** `unreachable`: nobody listens at the server's address; `broken`: an answer that is none (FORMERR, NOTIMP, nonsense); `cancelled`: not waited for. */
  readonly kind:
    | 'addresses'
    | 'no-record'
    | 'no-such-name'
    | 'servfail'
    | 'refused'
    | 'broken'
    | 'unreachable'
    | 'silent'
    | 'cancelled';
  readonly addresses: readonly string[];
  /** Milliseconds from asking to the answer or to giving up. */
  readonly elapsedMs: number;
}

/** One DNS server, asked by itself. A family that was not asked for is null. */
export interface DnsServerObservation {
  /** Its address, with a port where that is not 53. */
  readonly server: string;
  readonly a: DnsAnswer | null;
  readonly aaaa: DnsAnswer | null;
}

/** What the name resolves to, for whom. */
export interface NameObservation {
  /** As applications see it: the system's resolver, or the server given with `dnsServer`. */
  readonly resolution: Resolution;
  /** Each configured DNS server by itself. Empty for a literal address. */
  readonly servers: readonly DnsServerObservation[];
  /** What the hosts file has for the name; null when it was not read. */
  readonly hostsFile: { readonly path: string; readonly addresses: readonly string[] } | null;
  /** Names that exist with a search domain behind the one asked for, looked up only when DNS does not know the name by itself. */
  readonly foundBySearch: readonly {
    readonly name: string;
    readonly addresses: readonly string[];
  }[];
}

/** One address that was probed, and where it came from. */
export interface AddressObservation {
  /** `resolver`: what applications get; `dns`: only from a DNS server asked by itself; `given`: the extra address. */
  readonly source: 'resolver' | 'dns' | 'given';
  /** An open one has the shorter of two latencies: one taken beside everything else, one alone. */
  readonly attempt: Attempt;
}

/** This machine as it matters to a connection. */
export interface MachineObservation {
  readonly platform: NodeJS.Platform;
  readonly hostName: string;
  readonly timeZone: string;
  /** Addresses that are up, those of loopback left out. */
  readonly addresses: readonly {
    readonly interface: string;
    readonly address: string;
    readonly family: 4 | 6;
  }[];
  /** The address the system would connect from, to the deciding address; null when it has none. */
  readonly sourceAddress: string | null;
  /** The proxy that applications which heed the environment would use for this port; user and password are left out. */
  readonly proxy: { readonly variable: string; readonly proxy: string } | null;
  /** How many files this process may open; null where the system does not tell. */
  readonly descriptorLimit: number | null;
  /** How many source ports the system gives out; null where it does not tell. */
  readonly sourcePorts: number | null;
}

/** What the system's counters did while one connect was tried, several times. Other traffic of this machine only adds to them. */
export interface CounterChanges {
  /** Packets sent over any interface but loopback, in the quietest and in the busiest of the tries. */
  readonly leastPacketsSent: number;
  readonly mostPacketsSent: number;
  /** Whether an answer came in a try in which no packet was sent. */
  readonly answeredWithoutSending: boolean;
  /** ICMP "destination unreachable" that this machine both sent and received, in every try at least so many. */
  readonly unreachableToSelf: number;
}

/** Evidence for or against a firewall of this machine (Linux only). */
export interface LocalFilterObservation {
  /** The address and port that were tried. */
  readonly endpoint: { readonly address: string; readonly port: number };
  readonly target: CounterChanges;
  /** Another port of that host, for which packets were sent in every try: the counters do move. Null when none was tried or none were sent. */
  readonly control: { readonly port: number; readonly leastPacketsSent: number } | null;
  /** Repeated segments that the system could not send while the addresses were probed (TcpExt TCPRetransFail). */
  readonly failedRepeats: number;
}

/** Handshakes compared: the shortest of several, in milliseconds. */
export interface RefusalTiming {
  readonly refusedMs: number;
  readonly openPort: number;
  readonly openMs: number;
}

/** All that a diagnosis saw. Nothing in it is inferred. */
export interface Observations {
  readonly target: Target;
  /** When it began, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly elapsedMs: number;
  /** The deadline of one check; all together had three times that. */
  readonly timeoutMs: number;
  /** What a probe without diagnosis would have said. */
  readonly outcome: Outcome;
  readonly name: NameObservation;
  readonly addresses: readonly AddressObservation[];
  readonly machine: MachineObservation;
  /** The port on 127.0.0.1 and ::1, without the one that was probed already, when the target is this machine. */
  readonly loopback: readonly Attempt[];
  /** Other ports of the host, when the port gave nothing or refused. Null when they were not tried. */
  readonly companions: readonly Attempt[] | null;
  /** Null when there was nothing to tell apart, or on systems without such counters. */
  readonly localFilter: LocalFilterObservation | null;
  readonly refusalTiming: RefusalTiming | null;
  /** For an open port: the same port at an address where nobody can be (192.0.2.1, RFC 5737). Null when it was not tried. */
  readonly nobody: Attempt | null;
}
