import type {
  Address,
  CancelledOutcome,
  ClosedOutcome,
  ErrorFacts,
  FailedOutcome,
  FilteredOutcome,
  OpenOutcome,
  Outcome,
  ProbeReport,
  Resolution,
  Unresolved,
} from '../../src/core/facts/outcome.js';
import { judge } from '../../src/core/facts/expectation.js';
import type { ProbeEvent } from '../../src/core/facts/events.js';
import type {
  ServiceAnswered,
  ServiceDropped,
  ServiceSilent,
  ServiceTlsFailed,
  TlsFacts,
} from '../../src/core/facts/service-finding.js';
import type { FailedReason, FilteredReason, UnresolvedReason } from '../../src/core/states.js';
import { winsockByCode } from '../../src/core/errors/winsock-codes.js';
import type { Paint, ReportOptions } from '../../src/report/reporter.js';
import type { Endpoint } from '../../src/core/target/target.js';

/** 2026-03-04T05:06:07.089Z, the start of every report in the tests. */
export const STARTED_AT = Date.UTC(2026, 2, 4, 5, 6, 7, 89);

export const endpoint: Endpoint = { address: '192.0.2.10', family: 4, port: 25 };
export const endpoint6: Endpoint = { address: '2001:db8::1', family: 6, port: 25 };

/** An error as Node gives it: named and numbered. */
export function errorOf(code: string, facts: Partial<ErrorFacts> = {}): ErrorFacts {
  return {
    code,
    errno: null,
    winsock: winsockByCode(code)?.winsock ?? null,
    syscall: 'connect',
    ...facts,
  };
}

export function openOutcome(facts: Partial<OpenOutcome> = {}): OpenOutcome {
  return {
    state: 'open',
    endpoint,
    startedAt: STARTED_AT,
    latencyMs: 12.3456,
    local: { address: '192.0.2.99', port: 50_000 },
    dropped: null,
    service: null,
    ...facts,
  };
}

export function closedOutcome(facts: Partial<ClosedOutcome> = {}): ClosedOutcome {
  return {
    state: 'closed',
    reason: 'conn-refused',
    endpoint,
    startedAt: STARTED_AT,
    elapsedMs: 0.31,
    error: errorOf('ECONNREFUSED', { errno: -111 }),
    ...facts,
  };
}

export function filteredOutcome(
  reason: FilteredReason = 'no-response',
  facts: Partial<FilteredOutcome> = {},
): FilteredOutcome {
  const codes = {
    'no-response': 'ETIMEDOUT',
    'host-unreach': 'EHOSTUNREACH',
    'net-unreach': 'ENETUNREACH',
    'proto-unreach': 'ENOPROTOOPT',
    'admin-prohibited': 'EACCES',
    'icmp-error': 'ENOTSUP',
  };
  return {
    state: 'filtered',
    reason,
    endpoint,
    startedAt: STARTED_AT,
    elapsedMs: 4000,
    error: errorOf(codes[reason]),
    ...facts,
  };
}

export function failedOutcome(
  reason: FailedReason = 'no-route',
  facts: Partial<FailedOutcome> = {},
): FailedOutcome {
  const codes = {
    'no-route': 'ENETUNREACH',
    'no-ports-left': 'EADDRNOTAVAIL',
    'no-files-left': 'EMFILE',
    'not-permitted': 'EPERM',
    'bad-source': 'EADDRNOTAVAIL',
    'no-resources': 'ENOBUFS',
    'unknown-error': 'EWHATEVER',
  };
  return {
    state: 'failed',
    reason,
    endpoint,
    startedAt: STARTED_AT,
    elapsedMs: 0.2,
    error: errorOf(codes[reason]),
    ...facts,
  };
}

export function cancelledOutcome(facts: Partial<CancelledOutcome> = {}): CancelledOutcome {
  return { state: 'cancelled', endpoint, startedAt: STARTED_AT, elapsedMs: 100, ...facts };
}

export function unresolvedOutcome(
  reason: UnresolvedReason = 'name-not-found',
  facts: Partial<Unresolved> = {},
): Unresolved {
  const codes = {
    'name-not-found': 'ENOTFOUND',
    'name-no-address': 'ENODATA',
    'resolver-failed': 'EAI_AGAIN',
    'resolver-timeout': 'ETIMEOUT',
  };
  const error = errorOf(codes[reason], { syscall: 'getaddrinfo' });
  return {
    state: 'unresolved',
    reason,
    host: 'mail.example.com',
    via: 'system',
    elapsedMs: 8.25,
    error,
    servers: ['198.51.100.53'],
    family: 0,
    ...facts,
  };
}

export function resolved(
  addresses: readonly Address[] = [{ address: '192.0.2.10', family: 4 }],
  host = 'mail.example.com',
): Resolution {
  return { state: 'resolved', host, via: 'system', elapsedMs: 1.5, addresses };
}

/** A probe of mail.example.com:25 with this outcome as its only attempt unless others are given. */
export function reportOf(outcome: Outcome, facts: Partial<ProbeReport> = {}): ProbeReport {
  const attempts = 'endpoint' in outcome ? [outcome] : [];
  const resolution =
    'endpoint' in outcome
      ? resolved([outcome.endpoint].map(({ address, family }) => ({ address, family })))
      : outcome;
  return {
    target: { host: 'mail.example.com', port: 25 },
    startedAt: STARTED_AT,
    timeoutMs: 5000,
    resolution,
    attempts,
    outcome,
    ...facts,
  };
}

/** The event of a single probe whose port is expected to be open. */
export function eventOf(report: ProbeReport, facts: Partial<ProbeEvent> = {}): ProbeEvent {
  return {
    type: 'probe',
    sequence: 1,
    request: { target: report.target },
    report,
    verdict: judge(report.outcome),
    lostSynSeconds: null,
    stalledMs: null,
    outage: null,
    formerAddresses: null,
    ...facts,
  };
}

/** Paint that tests can read: `good(…)`, `bad(…)`, `dim(…)`. */
export const visiblePaint: Paint = {
  good: (text) => `good(${text})`,
  bad: (text) => `bad(${text})`,
  dim: (text) => `dim(${text})`,
};

const noPaint: Paint = { good: (text) => text, bad: (text) => text, dim: (text) => text };

/** Plain options: no colour, one endpoint, no extras. */
export function options(facts: Partial<ReportOptions> = {}): ReportOptions {
  return {
    paint: { stdout: noPaint, stderr: noPaint },
    verbose: false,
    timestamps: false,
    nameEndpoints: false,
    manyTargets: false,
    expect: 'open',
    service: null,
    rounds: false,
    expectation: null,
    canvas: { width: 80, unicode: true },
    sparkline: false,
    histogram: false,
    ...facts,
  };
}

/**
 * Characters that no report may pass to a terminal: C0, DEL and C1, line and paragraph separators,
 * marks that reorder text (UAX #9), zero-width characters, and lone surrogates.
 */
export const HARMFUL =
  /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\p{Cs}]/u;

/** One of each kind, as a hostile name may hold them. */
export const HOSTILE = 'a\x1b[31m\r\n\0\x7f\x9b2J\u061c\u200b\u200e\u2028\u202e\u2066\ufeff\ud800z';

/** The finding of an SMTP check that was answered. */
export function answeredService(facts: Partial<ServiceAnswered> = {}): ServiceAnswered {
  return {
    state: 'answered',
    name: 'smtp',
    firstLine: '220 mail.example.com ESMTP',
    answerMs: 4.1,
    elapsedMs: 5.2,
    receivedBytes: 60,
    tls: null,
    meaning: null,
    ...facts,
  };
}

/** The finding of an SMTP check that timed out. */
export function silentService(facts: Partial<ServiceSilent> = {}): ServiceSilent {
  return {
    state: 'silent',
    name: 'smtp',
    firstLine: null,
    answerMs: null,
    elapsedMs: 4990,
    receivedBytes: 0,
    tls: null,
    awaited: 'its greeting',
    unfinished: null,
    ...facts,
  };
}

/** The finding of an SMTP check whose connection was closed at once. */
export function droppedService(facts: Partial<ServiceDropped> = {}): ServiceDropped {
  return {
    state: 'dropped',
    name: 'smtp',
    firstLine: null,
    answerMs: null,
    elapsedMs: 1.1,
    receivedBytes: 0,
    tls: null,
    awaited: 'its greeting',
    unfinished: null,
    by: 'end',
    afterMs: 1.02,
    winsock: null,
    ...facts,
  };
}

/** TLS facts of a server whose certificate expires in 62 days. */
export function tlsFacts(facts: Partial<TlsFacts> = {}): TlsFacts {
  const certificate = {
    subject: 'CN=mail.example.com',
    issuer: 'CN=Example CA',
    names: ['mail.example.com', 'www.example.com'],
    daysLeft: 62,
    validFrom: STARTED_AT - 28 * 86_400_000,
    validTo: STARTED_AT + 62.5 * 86_400_000,
  };
  return {
    version: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    certificate,
    problems: [],
    ...facts,
  };
}

/** The finding of a TLS check that failed: the certificate is self-signed. */
export function tlsFailedService(facts: Partial<ServiceTlsFailed> = {}): ServiceTlsFailed {
  const problem = { failure: 'self-signed', problem: 'the certificate is self-signed' } as const;
  return {
    state: 'tls-failed',
    name: 'https',
    firstLine: null,
    answerMs: null,
    elapsedMs: 9,
    receivedBytes: 2000,
    tls: tlsFacts({ problems: [problem] }),
    ...problem,
    ...facts,
  };
}
