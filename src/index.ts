/**
 * The public names of portping: functions, their options and their results. Misuse is a UsageError
 * that names the parameter. What the network answers is a value and never thrown.
 */
export {
  diagnose,
  judge,
  probeEveryAddress,
  probePort,
  probeSeries,
  probeTarget,
  probeTargets,
  resolveHost,
  waitUntil,
} from './library/functions.js';
export { explain } from './report/failures/explanation.js';
export type { Explanation } from './report/outcome-words.js';
export { UsageError } from './core/usage-error.js';
export { DEFAULT_TIMEOUT_MS } from './core/limits.js';
export { warmUp } from './core/probe/warm-up.js';
export { pendingLookups } from './core/pending-lookups.js';
export { Statistics, type Summary } from './core/series/statistics.js';
export { parseDuration } from './core/duration.js';
export { parseTarget, parseTargetLine, parseTargets } from './core/target/target-list.js';
export { formatEndpoint } from './core/target/target.js';
export { EXIT_CODES, exitCodeOf } from './core/states.js';
export { lookUpError, type WinsockError } from './core/errors/winsock.js';
export { reasonOf } from './core/facts/outcome.js';
export { SERVICE_NAMES, type ServiceName, type ServiceRequest } from './core/service/registry.js';

export type { AttemptOptions } from './core/probe/port-probe.js';
export type { DiagnoseOptions } from './core/diagnosis/observations/options.js';
export type { ExpectationOptions, Verdict } from './core/facts/expectation.js';
export type { ManyOptions } from './core/many/many-options.js';
export type { ProbeOptions } from './core/probe/target-probe.js';
export type { ResolveOptions } from './core/resolve/resolver.js';
export type { SeriesOptions } from './core/series/probe-series.js';
export type { WaitOptions, WaitResult } from './core/series/wait-until.js';

export type { Diagnosis } from './core/diagnosis/diagnose.js';
export type { Finding } from './core/diagnosis/rules/table.js';
export type { Observations } from './core/diagnosis/observations/observations.js';
export type { Outage, OutageEvent, ProbeEvent, SeriesEvent } from './core/facts/events.js';
export type {
  Attempt,
  ErrorFacts,
  Outcome,
  ProbeReport,
  Resolution,
} from './core/facts/outcome.js';
export type { ServiceFinding } from './core/facts/service-finding.js';
export type { Expectation, Reason, State } from './core/states.js';
export type { TargetBlock, TargetRequest } from './core/target/target-list.js';
export type { Endpoint, Target } from './core/target/target.js';
