import type { KernelFacts } from './kernel-facts.js';
import type { ServiceFinding, WatchedDrop } from './service-finding.js';
import type {
  ClosedReason,
  FailedReason,
  FilteredReason,
  Reason,
  UnresolvedReason,
} from '../states.js';
import type { Endpoint, Target } from '../target/target.js';

/** An error of the operating system or of the resolver, as it was met. */
export interface ErrorFacts {
  /** Name as Node gives it: `ECONNREFUSED`, `ENOTFOUND`, `ETIMEDOUT` … */
  readonly code: string;
  /** This platform's number for it, as Node gives it (negative), or null when Node gave none. */
  readonly errno: number | null;
  /** Windows Sockets number, or null when the table has none. */
  readonly winsock: number | null;
  /**
   * The call that failed: `connect`, `bind`, `getaddrinfo`, `queryA` …, or null when it was our own
   * deadline.
   */
  readonly syscall: string | null;
}

type Attempted = {
  readonly endpoint: Endpoint;
  /** When the attempt began, milliseconds since the epoch. */
  readonly startedAt: number;
};

type Unsuccessful = {
  /**
   * From the connect call (or the start of resolving) to the answer or to giving up, in
   * milliseconds.
   */
  readonly elapsedMs: number;
};

/** The handshake completed. */
export type OpenOutcome = Attempted & {
  readonly state: 'open';
  /** From the connect call to the completed handshake, in milliseconds. */
  readonly latencyMs: number;
  /** Our end of the connection. */
  readonly local: { readonly address: string; readonly port: number } | null;
  /**
   * Set when the connection was watched (`watchMs`) and the other side dropped it; null when it was
   * not dropped or not watched.
   */
  readonly dropped: WatchedDrop | null;
  /** What a conversation with the service found; null when it was not asked for. */
  readonly service: ServiceFinding | null;
  /** What the kernel knows of a handshake of 900 ms or more; undefined when it was not asked. */
  readonly kernel?: KernelFacts;
};

/** The host, or a firewall in its place, refused. */
export type ClosedOutcome = Attempted &
  Unsuccessful & {
    readonly state: 'closed';
    readonly reason: ClosedReason;
    readonly error: ErrorFacts;
  };

/** Nothing usable came back. */
export type FilteredOutcome = Attempted &
  Unsuccessful & {
    readonly state: 'filtered';
    readonly reason: FilteredReason;
    readonly error: ErrorFacts;
  };

/** The attempt could not be made here. */
export type FailedOutcome = Attempted &
  Unsuccessful & {
    readonly state: 'failed';
    readonly reason: FailedReason;
    readonly error: ErrorFacts;
  };

/**
 * Given up before there was an answer: the caller aborted, or another address of the name opened
 * first.
 */
export type CancelledOutcome = Attempted &
  Unsuccessful & {
    readonly state: 'cancelled';
  };

/** What one attempt on one endpoint learned. */
export type Attempt =
  OpenOutcome | ClosedOutcome | FilteredOutcome | FailedOutcome | CancelledOutcome;

/** One address of a name. */
export type Address = {
  readonly address: string;
  readonly family: 4 | 6;
};

type Resolving = {
  /**
   * The name as it was asked for (internationalised names in their ASCII form), or the literal
   * address.
   */
  readonly host: string;
  /**
   * Who was asked: no one (`literal`), the `system` resolver (hosts file, nsswitch, DNS …) or the
   * address of a DNS server.
   */
  readonly via: string;
  /** Milliseconds from asking to the answer or to giving up; 0 for a literal. */
  readonly elapsedMs: number;
};

/** The name has addresses: at least one, each once, in the order they are to be tried. */
export type Resolved = Resolving & {
  readonly state: 'resolved';
  readonly addresses: readonly Address[];
};

/** What one DNS server said about the addresses of one family. */
export type ServerAnswer = {
  readonly server: string;
  readonly family: 4 | 6;
  /**
   * Why it gave no address: a code of c-ares (`ENOTFOUND` for NXDOMAIN, `ENODATA`, `ESERVFAIL` …)
   * or the error of a socket. Null when it gave some.
   */
  readonly error: ErrorFacts | null;
};

/** The name has no address, or no resolver could say. */
export type Unresolved = Resolving & {
  readonly state: 'unresolved';
  readonly reason: UnresolvedReason;
  readonly error: ErrorFacts;
  /** The DNS servers that this machine (or the caller) has configured. */
  readonly servers: readonly string[];
  /**
   * What they said by themselves, as far as it was known soon after the system's answer; undefined
   * when they were not asked.
   */
  readonly answers?: readonly ServerAnswer[];
  /**
   * The names that the name is an alias for (CNAME), in order, as far as DNS said so. A loop ends
   * with a name again.
   */
  readonly aliases?: readonly string[];
  /** The addresses of the name are only these, 0.0.0.0 or ::, which no host has. */
  readonly unspecified?: readonly string[];
  /** Which family was asked for: 0 for both. */
  readonly family: 0 | 4 | 6;
};

/** Resolving could not be tried here: no file descriptor for it. */
export type ResolvingFailed = Resolving & {
  readonly state: 'failed';
  readonly reason: FailedReason;
  readonly error: ErrorFacts;
};

/** The caller aborted while the name was being resolved. */
type ResolvingCancelled = Resolving & {
  readonly state: 'cancelled';
};

/** What the resolver returned, with its time. */
export type Resolution = Resolved | Unresolved | ResolvingFailed | ResolvingCancelled;

/**
 * The deciding outcome of a probe: of one attempt, or of the resolution when no attempt could be
 * made.
 */
export type Outcome = Attempt | Unresolved | ResolvingFailed | ResolvingCancelled;

/**
 * Why an outcome is not what a client needs. Null when it is: open, and the service answered if it
 * was probed. Null also for a cancelled probe.
 */
export function reasonOf(outcome: Outcome): Reason | null {
  if (outcome.state === 'open')
    return outcome.service === null || outcome.service.state === 'answered'
      ? null
      : outcome.service.state;
  return outcome.state === 'cancelled' ? null : outcome.reason;
}

/** The addresses of a name, in the order they are tried; null when it was not resolved. */
export function addressesOf(resolution: Resolution): readonly string[] | null {
  return resolution.state === 'resolved'
    ? resolution.addresses.map(({ address }) => address)
    : null;
}

/** Whether the aliases of a name (see {@link Unresolved}) lead back to one of them. */
export function isAliasLoop(host: string, aliases: readonly string[]): boolean {
  const chain = [host.toLowerCase().replace(/\.$/, ''), ...aliases];
  return new Set(chain).size < chain.length;
}

/**
 * Whether it took as long as an unanswered ARP or neighbour request on Linux, whose failure a
 * router passes on. That is three requests, one second apart (arp(7): mcast_solicit,
 * retrans_time_ms), and up to a second more if one was running already.
 */
export function isNeighbourTimeout({ elapsedMs }: { readonly elapsedMs: number }): boolean {
  return elapsedMs >= 2500 && elapsedMs <= 3900;
}

/** All about one probe of one target. */
export interface ProbeReport {
  readonly target: Target;
  /** When the probe began, milliseconds since the epoch. */
  readonly startedAt: number;
  /**
   * The same moment in milliseconds on a clock that is never set: durations are differences of it.
   * Undefined where no durations are needed.
   */
  readonly startMs?: number;
  /** The deadline that held, in milliseconds. */
  readonly timeoutMs: number;
  readonly resolution: Resolution;
  /** Every attempt, in the order the addresses were tried. */
  readonly attempts: readonly Attempt[];
  readonly outcome: Outcome;
}
