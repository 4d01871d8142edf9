import type { DnsFailureKind } from '../../facts/dns-failure.js';
import type { Attempt, Outcome, Resolution } from '../../facts/outcome.js';
import type { Target } from '../../target/target.js';

/** What a DNS server answered to one question. */
export type DnsAnswer = {
  /**
   * - `unspecified`: only 0.0.0.0 or ::, which no host has.
   * - `cancelled`: the caller aborted, or the question could not be asked here.
   */
  readonly kind: 'addresses' | 'unspecified' | 'cancelled' | DnsFailureKind;
  readonly addresses: readonly string[];
  /** From the question to the answer or to the deadline, in milliseconds. */
  readonly elapsedMs: number;
  /** The names that the name is an alias for (CNAME), in order, if it has no address. */
  readonly aliases?: readonly string[];
};

/** One DNS server, queried directly. A family that was not asked for is null. */
export type DnsServerObservation = {
  /** Its address, with the port if that is not 53. */
  readonly server: string;
  readonly a: DnsAnswer | null;
  readonly aaaa: DnsAnswer | null;
};

/** What the name resolves to, from each source. */
export type NameObservation = {
  /** What applications get: from the system's resolver, or from the server in `dnsServer`. */
  readonly resolution: Resolution;
  /** Each configured DNS server, queried directly. Empty for a literal address. */
  readonly servers: readonly DnsServerObservation[];
  /** The addresses that the hosts file has for the name; null if the file was not read. */
  readonly hostsFile: { readonly path: string; readonly addresses: readonly string[] } | null;
  /**
   * The sources that the system's resolver asks, in order (`files`, `dns` …, nsswitch.conf(5));
   * null where there is no such file.
   */
  readonly sources: readonly string[] | null;
  /** Names that exist with a search domain appended. Looked up only if DNS has no such name. */
  readonly foundBySearch: readonly {
    readonly name: string;
    readonly addresses: readonly string[];
  }[];
};

/** One address that was probed, and its source. */
export type AddressObservation = {
  /**
   * - `resolver`: what applications get.
   * - `dns`: only a DNS server that was queried directly has it.
   * - `given`: the extra address.
   */
  readonly source: 'resolver' | 'dns' | 'given';
  /** An open port is timed twice, once alone; the shorter latency counts. */
  readonly attempt: Attempt;
};

/** This machine, as far as it matters to a connection. */
export type MachineObservation = {
  readonly platform: string;
  readonly hostName: string;
  readonly timeZone: string;
  /** Addresses of interfaces that are up, without loopback. */
  readonly addresses: readonly {
    readonly interface: string;
    readonly address: string;
    readonly family: 4 | 6;
  }[];
  /** The source address that the system chooses for the deciding address; null if it has none. */
  readonly sourceAddress: string | null;
  /** The proxy that the environment sets for this port, without user and password. */
  readonly proxy: { readonly variable: string; readonly proxy: string } | null;
  /** The limit of open files of this process; null if the system does not report it. */
  readonly descriptorLimit: number | null;
  /** The number of ephemeral source ports; null if the system does not report it. */
  readonly sourcePorts: number | null;
};

/** Evidence for or against a firewall on this machine (Linux only). */
export type LocalFilterObservation = {
  readonly endpoint: { readonly address: string; readonly port: number };
  readonly tries: number;
  /** Tries in which no packet left this machine. Other traffic can only hide some of them. */
  readonly stopped: number;
  /** Stopped tries that were answered all the same. */
  readonly answeredHere: number;
  /**
   * Packets on loopback in those, the fewest of all; null if there were none. One is the answer
   * alone. Two may be the SYN and its answer: something redirects the SYN to this machine.
   */
  readonly loopbackPackets: number | null;
  /** As many windows as tries had no probe. Those in which other packets left. */
  readonly idleWithTraffic: number;
};

/** A socket of this machine that listens at the target's port (Linux only). */
export type ListenerObservation = {
  readonly address: string;
  /** Connections that wait to be accepted. */
  readonly waiting: number;
};

/** Refusals and handshakes with an open port of the same host, timed in turns; milliseconds. */
export type RefusalTiming = {
  readonly pairs: number;
  /** The fastest refusal, and the slowest. */
  readonly refusedMs: number;
  readonly slowestRefusedMs: number;
  readonly openPort: number;
  /** The fastest handshake. */
  readonly openMs: number;
};

/** A part of what a diagnosis observes, as it becomes known. */
export type ObservedFacts = Omit<Partial<Observations>, 'name'> & {
  readonly name?: Partial<NameObservation>;
};

/** All that a diagnosis observed. Nothing in it is inferred. */
export interface Observations {
  readonly target: Target;
  /** When the diagnosis began, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly elapsedMs: number;
  /** The deadline of one check, in milliseconds. All together take at most three times that. */
  readonly timeoutMs: number;
  /** The outcome of a probe without diagnosis. */
  readonly outcome: Outcome;
  readonly name: NameObservation;
  readonly addresses: readonly AddressObservation[];
  readonly machine: MachineObservation;
  /** The port on 127.0.0.1 and ::1, without the target's own address, if it is this machine. */
  readonly loopback: readonly Attempt[];
  /** Who listens at the port of this machine, if it is the target; null if that is unknown. */
  readonly listeners: readonly ListenerObservation[] | null;
  /** Other ports of the host, if the port refused or did not answer; null if none were tried. */
  readonly companions: readonly Attempt[] | null;
  /** Null if the port answered, or on systems without such counters. */
  readonly localFilter: LocalFilterObservation | null;
  /** Null unless the port refused and another port of the host was open. */
  readonly refusalTiming: RefusalTiming | null;
  /**
   * For an open port: the same port at 192.0.2.1 or 2001:db8::1, addresses that no host may have
   * (RFC 5737, RFC 3849). Null if it was not tried.
   */
  readonly nobody: Attempt | null;
}
