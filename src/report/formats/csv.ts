import type { ProbeEvent } from '../../core/facts/events.js';
import { type OpenOutcome, reasonOf } from '../../core/facts/outcome.js';
import type { ServiceFinding } from '../../core/facts/service-finding.js';
import { escapeControls } from '../escape.js';
import { explainInOneLine } from '../failures/explanation.js';
import { formatTime, roundMilliseconds } from '../numbers.js';
import { addressOf } from '../outcome-words.js';
import { type Output, type Reporter, SILENCE } from '../reporter.js';

/** What a row is made of. */
interface Row extends Pick<ProbeEvent, 'request' | 'report' | 'verdict'> {
  /** The state that is expected where the target has none of its own. */
  readonly expect: string;
  /** The outcome where it is open, else null. */
  readonly open: OpenOutcome | null;
  readonly service: ServiceFinding | null;
}

type Value = string | number | boolean | null;

function winsockOf({ report: { outcome }, service }: Row): number | null {
  if ('error' in outcome) return outcome.error.winsock;
  return service?.state === 'dropped' ? service.winsock : null;
}

function elapsedOf({ report: { outcome } }: Row): number | null {
  return outcome.state === 'open' ? null : roundMilliseconds(outcome.elapsedMs);
}

/** The first line, or what an answer means that is not text. */
function saidOf({ service }: Row): string | null {
  if (service === null) return null;
  return service.firstLine ?? (service.state === 'answered' ? service.meaning : null);
}

/** The columns in their order, each with its value; null leaves a cell empty. */
const COLUMNS = {
  time: ({ report }) => formatTime(report.startedAt),
  host: ({ report }) => report.target.host,
  port: ({ report }) => report.target.port,
  address: ({ report }) => addressOf(report.outcome),
  state: ({ report }) => report.outcome.state,
  reason: ({ report }) => reasonOf(report.outcome),
  winsock: winsockOf,
  latency_ms: ({ open }) => open && roundMilliseconds(open.latencyMs),
  elapsed_ms: elapsedOf,
  dns_ms: ({ report: { resolution } }) =>
    resolution.via === 'literal' ? null : roundMilliseconds(resolution.elapsedMs),
  expected: ({ request, expect }) => request.expect ?? expect,
  as_expected: ({ verdict }) => verdict.asExpected,
  exit_code: ({ verdict }) => verdict.exitCode,
  explanation: ({ report }) => explainInOneLine(report),
  service: ({ service }) => service?.name ?? null,
  service_state: ({ service }) => service?.state ?? null,
  service_ms: ({ service }) =>
    service && service.answerMs !== null ? roundMilliseconds(service.answerMs) : null,
  service_said: saidOf,
  tls_version: ({ service }) => service?.tls?.version ?? null,
  tls_days_left: ({ service }) => service?.tls?.certificate?.daysLeft ?? null,
} satisfies Record<string, (row: Row) => Value>;

/** Columns whose text is escaped where it is made. */
const ESCAPED: ReadonlySet<string> = new Set<keyof typeof COLUMNS>(['explanation']);

const CELLS = Object.entries<(row: Row) => Value>(COLUMNS).map(([name, valueOf]) => ({
  valueOf,
  isEscaped: ESCAPED.has(name),
}));

/** Text that every reader takes as it is: nearly all cells. */
const PLAIN = /^\w[\w.:-]*$/;

/**
 * One cell (RFC 4180). An apostrophe precedes what a spreadsheet would read as a formula (OWASP,
 * CSV injection). Numbers are written as they are.
 */
function formatCell(value: Value, isEscaped: boolean): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  if (PLAIN.test(value)) return value;
  const safe = (isEscaped ? value : escapeControls(value)).replace(/^[=+\-@|＝＋－＠]/, "'$&");
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function formatRow({ request, report, verdict }: ProbeEvent, expect: string): string {
  const { outcome } = report;
  const open = outcome.state === 'open' ? outcome : null;
  const row: Row = { request, report, verdict, expect, open, service: open && open.service };
  return CELLS.map(({ valueOf, isEscaped }) => formatCell(valueOf(row), isEscaped)).join(',');
}

/** Comma-separated values (RFC 4180): a line of column names, then a line for each probe. */
export function csvReporter({ expect }: { readonly expect: string }): Reporter {
  let isFirst = true;
  const write = (rows: string): Output => {
    const header = isFirst ? `${Object.keys(COLUMNS).join(',')}\r\n` : '';
    isFirst = false;
    return { stdout: header + rows, stderr: '' };
  };
  return {
    probe: (event) => write(`${formatRow(event, expect)}\r\n`),
    outage: () => SILENCE,
    summaries: () => SILENCE,
    finish: () => write(''),
  };
}
