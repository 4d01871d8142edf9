export { probePort, type AttemptOptions } from './core/probe/port-probe.js';
export { DEFAULT_TIMEOUT_MS } from './core/limits.js';
export { probeEveryAddress, probeTarget, type ProbeOptions } from './core/probe/target-probe.js';
export { resolveHost, type ResolveOptions } from './core/resolve/resolver.js';
export { probeSeries, type SeriesOptions } from './core/series/probe-series.js';
export {
  WAIT_DEFAULTS,
  type WaitOptions,
  type WaitResult,
  waitUntil,
} from './core/series/wait-until.js';
export type { OutageEvent, ProbeEvent, SeriesEvent } from './core/facts/events.js';
export {
  Statistics,
  type Bin,
  type Figures,
  type LatencyFigures,
  type OutageTotals,
  type ServiceTotals,
  type Summary,
} from './core/series/statistics.js';
export type { Outage, OutageCause } from './core/facts/events.js';
export { judge, type ExpectationOptions, type Verdict } from './core/facts/expectation.js';
export { EXPECTATIONS, type Expectation } from './core/states.js';
export type { Clock } from './core/clock.js';
export { warmUp } from './core/probe/warm-up.js';
export {
  pendingLookups,
  type LookupAnswer,
  type SystemLookup,
} from './core/resolve/system-lookup.js';
export {
  formatEndpoint,
  formatHostPort,
  parseHost,
  parsePort,
  type Endpoint,
  type Target,
} from './core/target/target.js';
export {
  MAX_BLOCK,
  parsePorts,
  parseTarget,
  parseTargetLine,
  parseTargets,
  type PortRange,
  type TargetBlock,
  type TargetRequest,
} from './core/target/target-list.js';
export { DEFAULT_CONCURRENCY, type ManyOptions } from './core/many/many-options.js';
export { probeTargets, type Requests } from './core/many/probe-targets.js';
export { parseDuration } from './core/duration.js';
export { MAX_DURATION_MS } from './core/limits.js';
export { EXIT_CODES, exitCodeOf, type ExitCodeRow } from './core/states.js';
export type {
  ClosedReason,
  FailedReason,
  FilteredReason,
  Reason,
  ServiceReason,
  State,
  UnresolvedReason,
} from './core/states.js';
export {
  lookUpError,
  winsockByCode,
  winsockByNumber,
  WINSOCK_ERRORS,
  type WinsockError,
} from './core/errors/winsock.js';
export { diagnose, type Diagnosis } from './core/diagnosis/diagnose.js';
export { OTHER_PORTS } from './core/diagnosis/observations/failure-check.js';
export type { DiagnoseOptions, DiagnosisCheck } from './core/diagnosis/observations/options.js';
export type { Certainty } from './core/diagnosis/rules/conclusion.js';
export {
  findings,
  verdictOf,
  type Finding,
  type FindingKind,
} from './core/diagnosis/rules/table.js';
export type { Evidence } from './core/diagnosis/rules/evidence.js';
export type {
  AddressObservation,
  CounterChanges,
  DnsAnswer,
  DnsServerObservation,
  LocalFilterObservation,
  MachineObservation,
  NameObservation,
  Observations,
  RefusalTiming,
} from './core/diagnosis/observations/observations.js';
export {
  SERVICE_NAMES,
  serviceNameOfPort,
  type ServiceName,
  type ServiceRequest,
} from './core/service/registry.js';
export type {
  CertificateFacts,
  ConnectionContext,
  Drop,
  ServiceAnswered,
  ServiceDropped,
  ServiceFinding,
  ServiceProbe,
  ServiceSilent,
  ServiceTlsFailed,
  ServiceWrongProtocol,
  TlsFacts,
  TlsFailure,
  TlsProblem,
  TlsRequest,
  Waiting,
} from './core/facts/service-finding.js';
export { UsageError } from './core/usage-error.js';
export { reasonOf } from './core/facts/outcome.js';
export type {
  Address,
  Attempt,
  CancelledOutcome,
  ClosedOutcome,
  ErrorFacts,
  FailedOutcome,
  FilteredOutcome,
  OpenOutcome,
  Outcome,
  ProbeReport,
  Resolution,
  Resolved,
  ResolvingCancelled,
  ResolvingFailed,
  ServerAnswer,
  Unresolved,
} from './core/facts/outcome.js';
