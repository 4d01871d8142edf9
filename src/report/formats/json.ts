import {
  type Attempt,
  type OpenOutcome,
  reasonOf,
  type Resolution,
} from '../../core/facts/outcome.js';
import type { OutageEvent, ProbeEvent } from '../../core/facts/events.js';
import type { ServiceFinding, TlsFacts } from '../../core/facts/service-finding.js';
import type { ServiceReason } from '../../core/states.js';
import type { Figures } from '../../core/series/statistics.js';
import { formatJsonLine } from '../escape.js';
import { explainInOneLine } from '../failures/explanation.js';
import { formatTime, roundMilliseconds, roundPercent } from '../numbers.js';
import { addressOf } from '../outcome-words.js';
import {
  JSON_SCHEMA,
  type Output,
  type Reporter,
  SILENCE,
  type SummaryEvent,
} from '../reporter.js';

const isoOrNull = (epochMs: number | null): string | null =>
  epochMs === null ? null : formatTime(epochMs);

function resolutionObject(resolution: Resolution): object {
  const { host, via, elapsedMs, state } = resolution;
  return {
    host,
    via,
    state,
    reason: 'reason' in resolution ? resolution.reason : null,
    elapsedMs: roundMilliseconds(elapsedMs),
    addresses: resolution.state === 'resolved' ? resolution.addresses : [],
    error: 'error' in resolution ? resolution.error : null,
    servers: resolution.state === 'unresolved' ? resolution.servers : null,
  };
}

function tlsObject({ version, cipher, certificate, problems }: TlsFacts): object {
  return {
    version,
    cipher,
    certificate: certificate && {
      ...certificate,
      validFrom: isoOrNull(certificate.validFrom),
      validTo: isoOrNull(certificate.validTo),
    },
    problems,
  };
}

function serviceObject(finding: ServiceFinding): object {
  const { name, state, firstLine, answerMs, elapsedMs, receivedBytes, tls } = finding;
  return {
    name,
    state,
    firstLine,
    meaning: 'meaning' in finding ? finding.meaning : null,
    answerMs: answerMs === null ? null : roundMilliseconds(answerMs),
    elapsedMs: roundMilliseconds(elapsedMs),
    receivedBytes,
    problem: 'problem' in finding ? finding.problem : null,
    failure: 'failure' in finding ? finding.failure : null,
    awaited: 'awaited' in finding ? finding.awaited : null,
    unfinished: 'unfinished' in finding ? finding.unfinished : null,
    dropped:
      finding.state === 'dropped'
        ? { by: finding.by, afterMs: roundMilliseconds(finding.afterMs), winsock: finding.winsock }
        : null,
    tls: tls && tlsObject(tls),
  };
}

function kernelObject({ kernel }: OpenOutcome): object | null {
  if (!kernel) return null;
  const { roundTripMs } = kernel;
  return { ...kernel, roundTripMs: roundTripMs === null ? null : roundMilliseconds(roundTripMs) };
}

function attemptObject(attempt: Attempt): object {
  const { endpoint, state, startedAt } = attempt;
  const { address, family, port } = endpoint;
  const isOpen = attempt.state === 'open';
  return {
    address,
    family,
    port,
    state,
    reason: 'reason' in attempt ? attempt.reason : null,
    time: formatTime(startedAt),
    latencyMs: isOpen ? roundMilliseconds(attempt.latencyMs) : null,
    elapsedMs: isOpen ? null : roundMilliseconds(attempt.elapsedMs),
    local: isOpen ? attempt.local : null,
    kernel: isOpen ? kernelObject(attempt) : null,
    dropped:
      isOpen && attempt.dropped
        ? { ...attempt.dropped, afterMs: roundMilliseconds(attempt.dropped.afterMs) }
        : null,
    error: 'error' in attempt ? attempt.error : null,
  };
}

/** The facts of one probe as a plain object. */
function probeObject({
  request,
  report,
  sequence,
  verdict,
  lostSynSeconds,
  stalledMs,
  formerAddresses,
}: ProbeEvent): object {
  const { target, startedAt, timeoutMs, resolution, attempts, outcome } = report;
  return {
    schema: JSON_SCHEMA,
    type: 'probe',
    sequence,
    time: formatTime(startedAt),
    target,
    origin: request.origin ?? null,
    expected: request.expect ?? null,
    timeoutMs: roundMilliseconds(timeoutMs),
    state: outcome.state,
    reason: reasonOf(outcome),
    exitCode: verdict.exitCode,
    asExpected: verdict.asExpected,
    tooSlow: verdict.tooSlow,
    address: addressOf(outcome),
    latencyMs: outcome.state === 'open' ? roundMilliseconds(outcome.latencyMs) : null,
    elapsedMs: outcome.state === 'open' ? null : roundMilliseconds(outcome.elapsedMs),
    error: 'error' in outcome ? outcome.error : null,
    service: outcome.state === 'open' && outcome.service ? serviceObject(outcome.service) : null,
    kernel: outcome.state === 'open' ? kernelObject(outcome) : null,
    lostSynSeconds,
    stalledMs: stalledMs === null ? null : roundMilliseconds(stalledMs),
    formerAddresses,
    resolution: resolutionObject(resolution),
    attempts: attempts.map(attemptObject),
    explanation: explainInOneLine(report),
  };
}

function outageObject({ target, address, outage }: OutageEvent): object {
  const { from, to, ...rest } = outage;
  return {
    schema: JSON_SCHEMA,
    type: 'outage',
    target,
    address,
    from: formatTime(from),
    to: formatTime(to),
    ...rest,
  };
}

function roundedFigures<T extends Figures>(figures: T | null): object | null {
  return (
    figures &&
    Object.fromEntries(
      Object.entries(figures).map(([name, value]) => [
        name,
        typeof value === 'number' ? roundMilliseconds(value) : null,
      ]),
    )
  );
}

/** Every reason is a field, also one that did not occur. */
const NO_FAILURES: Readonly<Record<ServiceReason, number>> = {
  silent: 0,
  dropped: 0,
  'wrong-protocol': 0,
  'tls-failed': 0,
};

function summaryObject({ target, address, summary, final, exitCode }: SummaryEvent): object {
  const {
    firstAt,
    latestAt,
    sent,
    counts,
    lossPercent,
    latency,
    service,
    resolving,
    outages,
    lostSyns,
    tooSlow,
  } = summary;
  return {
    schema: JSON_SCHEMA,
    type: 'summary',
    target,
    address,
    final,
    exitCode,
    from: firstAt === null ? null : formatTime(firstAt),
    to: latestAt === null ? null : formatTime(latestAt),
    sent,
    ...counts,
    lossPercent: lossPercent === null ? null : roundPercent(lossPercent, 3),
    latencyMs: roundedFigures(latency),
    resolvingMs: roundedFigures(resolving),
    service: service && {
      answered: service.answered,
      ...NO_FAILURES,
      ...service.failures,
      answerMs: roundedFigures(service.answers),
    },
    tooSlow,
    lostSyns,
    outages,
  };
}

/** One JSON object a line on stdout, nothing on stderr. */
export function jsonReporter({ manyTargets }: { readonly manyTargets: boolean }): Reporter {
  const output = (object: object): Output => ({ stdout: formatJsonLine(object), stderr: '' });
  return {
    probe: (event) => output(probeObject(event)),
    outage: (event) => output(outageObject(event)),
    summaries: (events) => ({
      stdout: events.map((event) => formatJsonLine(summaryObject(event))).join(''),
      stderr: '',
    }),
    finish: ({ elapsedMs, ...totals }) =>
      manyTargets
        ? output({ schema: JSON_SCHEMA, ...totals, elapsedMs: roundMilliseconds(elapsedMs) })
        : SILENCE,
  };
}
