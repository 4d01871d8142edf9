/**
 * What a probe can learn: nmap's port states, and the ones that are about us rather than about the
 * port.
 */
export type State = 'open' | 'closed' | 'filtered' | 'unresolved' | 'failed' | 'cancelled';

/** The states a port can be expected to be in. */
export const EXPECTATIONS = ['open', 'closed', 'filtered', 'not-open'] as const;

/** The state a port is expected to be in; `not-open` is closed or filtered. */
export type Expectation = (typeof EXPECTATIONS)[number];

/** The host, or a firewall in its place, answered: refused. */
const CLOSED_REASONS = ['conn-refused'] as const;

/** Nothing usable came back (words as nmap uses them). */
export const FILTERED_REASONS = [
  'no-response',
  'host-unreach',
  'net-unreach',
  'proto-unreach',
  'admin-prohibited',
  'icmp-error',
] as const;

/** The name has no address. */
const UNRESOLVED_REASONS = [
  'name-not-found',
  'name-no-address',
  'resolver-failed',
  'resolver-timeout',
] as const;

/** The probe could not be made here; nothing was learned about the port. */
export const FAILED_REASONS = [
  'no-route',
  'no-ports-left',
  'no-files-left',
  'not-permitted',
  'bad-source',
  'no-resources',
  'unknown-error',
] as const;

/** The port is open, but the service behind it did not answer as it should. */
const SERVICE_REASONS = ['silent', 'dropped', 'wrong-protocol', 'tls-failed'] as const;

export type ClosedReason = (typeof CLOSED_REASONS)[number];
export type FilteredReason = (typeof FILTERED_REASONS)[number];
export type UnresolvedReason = (typeof UNRESOLVED_REASONS)[number];
export type FailedReason = (typeof FAILED_REASONS)[number];
export type ServiceReason = (typeof SERVICE_REASONS)[number];

/** Why a port is not open or, if that was asked for, why its service did not pass. */
export type Reason =
  ClosedReason | FilteredReason | UnresolvedReason | FailedReason | ServiceReason;

/**
 * What this machine is short of when too much is done at once: it passes, and says nothing about a
 * port.
 */
export const SHORTAGES: ReadonlySet<Reason> = new Set<FailedReason>([
  'no-files-left',
  'no-ports-left',
  'no-resources',
]);

/** Exit code for a port that is open, but not as expected. */
export const EXIT_UNEXPECTEDLY_OPEN = 5;

/** Exit code for an open port whose service did not answer as it should. */
export const EXIT_SERVICE_FAILED = 6;

/** Exit code for wrong usage (EX_USAGE of sysexits(3)). */
export const EXIT_USAGE = 64;

/** Exit code for an exception that was not caught (EX_SOFTWARE of sysexits(3)). */
export const EXIT_BUG = 70;

/** One row of the table of exit codes. */
export type ExitCodeRow = {
  /** The process' exit code. */
  readonly exitCode: number;
  /** The state the code stands for, or null where it is about the call and not about the port. */
  readonly state: State | null;
  /** What the code means, in words for the help text. */
  readonly meaning: string;
  /** The reasons that lead to it. */
  readonly reasons: readonly Reason[];
};

/**
 * The table of exit codes: the only one. `--help` is made from it and the README is tested against
 * it. 0, 1 and 2 are those of Microsoft's PortQry (KB 310099); 64 and 70 are EX_USAGE and
 * EX_SOFTWARE of sysexits(3).
 */
export const EXIT_CODES: readonly ExitCodeRow[] = [
  {
    exitCode: 0,
    state: 'open',
    meaning: 'the handshake completed (or: everything was as --expect says)',
    reasons: [],
  },
  {
    exitCode: 1,
    state: 'closed',
    meaning: 'the connection was refused',
    reasons: CLOSED_REASONS,
  },
  {
    exitCode: 2,
    state: 'filtered',
    meaning: 'nothing usable came back',
    reasons: FILTERED_REASONS,
  },
  {
    exitCode: 3,
    state: 'unresolved',
    meaning: 'the name has no address',
    reasons: UNRESOLVED_REASONS,
  },
  {
    exitCode: 4,
    state: 'failed',
    meaning: 'the probe could not be made here; nothing was learned about the port',
    reasons: FAILED_REASONS,
  },
  {
    exitCode: EXIT_UNEXPECTEDLY_OPEN,
    state: null,
    meaning: 'the port is open although --expect forbids it, or slower than --max-latency',
    reasons: [],
  },
  {
    exitCode: EXIT_SERVICE_FAILED,
    state: 'open',
    meaning:
      'the port is open, but the service asked for with --service did not answer as it should',
    reasons: SERVICE_REASONS,
  },
  { exitCode: EXIT_USAGE, state: null, meaning: 'wrong usage', reasons: [] },
  {
    exitCode: EXIT_BUG,
    state: null,
    meaning: 'a bug in portping, standard output could not be written, or this is not Node.js',
    reasons: [],
  },
  {
    exitCode: 130,
    state: 'cancelled',
    meaning:
      'interrupted before every target had a verdict, or before all probes of --count were made',
    reasons: [],
  },
];

/** The exit code that stands for a state: that of its first row. */
export function exitCodeOf(state: State): number {
  const exitCode = EXIT_CODES.find((row) => row.state === state)?.exitCode;
  if (exitCode === undefined) throw new TypeError(`no exit code for the state ${state}`);
  return exitCode;
}
