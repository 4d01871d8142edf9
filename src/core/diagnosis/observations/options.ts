import type { Clock } from '../../clock.js';
import type { probePort } from '../../probe/port-probe.js';
import type { ProbeOptions } from '../../probe/target-probe.js';
import type { resolveHost } from '../../resolve/resolver.js';
import type { SystemLookup } from '../../resolve/system-lookup.js';
import type { StartCounting } from './counters.js';
import type { readListeners } from './listeners.js';
import type { isDirectlyAttached } from './machine.js';
import type { ObservedFacts } from './observations.js';

/**
 * Other ports of the host that are tried, without the target's own. Most hosts open or refuse at
 * least one of them (HTTPS, HTTP, SSH, SMB, RDP, SMTP).
 */
export const OTHER_PORTS: readonly number[] = [443, 80, 22, 445, 3389, 25];

/** All checks together take at most this many times the timeout of one. */
export const TIMEOUTS_IN_TOTAL = 3;

/** The checks of a diagnosis that take time, as `onProgress` names them. */
export type DiagnosisCheck = 'name' | 'DNS servers' | 'address' | 'local firewall' | 'other ports';

/**
 * How a target is diagnosed. `timeoutMs` is the deadline of one check, in milliseconds (default
 * 5000). All checks together take at most three times that.
 */
export interface DiagnoseOptions extends Pick<
  ProbeOptions,
  'family' | 'timeoutMs' | 'signal' | 'sourceAddress' | 'dnsServer'
> {
  /** A literal address that is probed as well, whatever the name resolves to. */
  readonly extraAddress?: string | undefined;
  /** Try other ports of the host if this one refuses or does not answer; default true. */
  readonly otherPorts?: boolean;
  /** Called with the running checks whenever they change. */
  readonly onProgress?: (running: readonly DiagnosisCheck[]) => void;
}

/** Parts that the program or a test replaces. Not for users of the library. */
export interface DiagnosisInternals {
  /** Makes one attempt; default {@link probePort}. */
  readonly probe?: typeof probePort;
  /** Resolves a name; default {@link resolveHost}. */
  readonly resolve?: typeof resolveHost;
  /** The system's resolver; default `getaddrinfo` on a thread of this process. */
  readonly systemLookup?: SystemLookup;
  /** Counts what leaves this machine; default: the kernel's counters. */
  readonly startCounting?: StartCounting;
  /** Reads who listens at a port; default: the system's tables of sockets. */
  readonly readListeners?: typeof readListeners;
  /** Whether no router is on the way; default: by the networks of the own interfaces. */
  readonly isDirectlyAttached?: typeof isDirectlyAttached;
  /** The environment that is searched for proxies; default that of the process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Default: the hosts file of the system. */
  readonly hostsFile?: string;
  /** Default: /etc/resolv.conf. */
  readonly resolvConf?: string;
  /** Default: /etc/nsswitch.conf. */
  readonly nsswitch?: string;
  /** Default: the DNS servers that are configured. */
  readonly servers?: readonly string[];
  readonly clock?: Clock;
  /** Called with facts that do not change any more, each once, before the diagnosis ends. */
  readonly onObserved?: (facts: ObservedFacts) => void;
}
