import type { ProbeEvent } from '../../core/facts/events.js';
import { reasonOf } from '../../core/facts/outcome.js';
import { escapeControls } from '../escape.js';
import { explain } from '../explanation.js';
import { roundMilliseconds } from '../numbers.js';
import { addressOf } from '../outcome-words.js';
import { type Output, type Reporter, SILENCE } from '../reporter.js';

const COLUMNS = [
  'time',
  'host',
  'port',
  'address',
  'state',
  'reason',
  'winsock',
  'latency_ms',
  'elapsed_ms',
  'dns_ms',
  'expected',
  'as_expected',
  'exit_code',
  'explanation',
  'service',
  'service_state',
  'service_ms',
  'service_said',
  'tls_version',
  'tls_days_left',
] as const;

/**
 * One cell (RFC 4180). What a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection); nothing that is a
 * number here is negative.
 */
function cell(value: string | number | boolean | null, isEscaped: boolean): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  const safe = (isEscaped ? value : escapeControls(value)).replace(/^[=+\-@|＝＋－＠]/, "'$&");
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function row({ request, report, verdict }: ProbeEvent, expect: string): string {
  const { target, startedAt, resolution, outcome } = report;
  const explanation = explain(report);
  const service = outcome.state === 'open' ? outcome.service : null;
  const cells = {
    time: new Date(startedAt).toISOString(),
    host: target.host,
    port: target.port,
    address: addressOf(outcome),
    state: outcome.state,
    reason: reasonOf(outcome),
    winsock:
      'error' in outcome
        ? outcome.error.winsock
        : service?.state === 'dropped'
          ? service.winsock
          : null,
    latency_ms: outcome.state === 'open' ? roundMilliseconds(outcome.latencyMs) : null,
    elapsed_ms: outcome.state === 'open' ? null : roundMilliseconds(outcome.elapsedMs),
    dns_ms: resolution.via === 'literal' ? null : roundMilliseconds(resolution.elapsedMs),
    expected: request.expect ?? expect,
    as_expected: verdict.asExpected,
    exit_code: verdict.exitCode,
    explanation: explanation && `${explanation.what} ${explanation.advice}`,
    service: service?.name ?? null,
    service_state: service?.state ?? null,
    service_ms: service && service.answerMs !== null ? roundMilliseconds(service.answerMs) : null,
    service_said: service
      ? (service.firstLine ?? (service.state === 'answered' ? service.meaning : null))
      : null,
    tls_version: service?.tls?.version ?? null,
    tls_days_left: service?.tls?.certificate?.daysLeft ?? null,
  };
  return COLUMNS.map((column) => cell(cells[column], column === 'explanation')).join(','); // which is escaped where it is made
}

/** Comma-separated values (RFC 4180): a line of names, then a line for each probe. */
export function csvReporter({ expect }: { readonly expect: string }): Reporter {
  let isFirst = true;
  const lines = (...rows: string[]): Output => ({
    stdout: rows.map((each) => `${each}\r\n`).join(''),
    stderr: '',
  });
  const header = (): string[] => {
    const names = isFirst ? [COLUMNS.join(',')] : [];
    isFirst = false;
    return names;
  };
  return {
    probe: (event) => lines(...header(), row(event, expect)),
    outage: () => SILENCE,
    summary: () => SILENCE,
    finish: () => lines(...header()),
  };
}
