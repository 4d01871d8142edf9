import type { Outcome, ProbeReport } from '../core/outcome.js';
import { formatEndpoint, formatHostPort } from '../core/target.js';
import { escapeControls } from './escape.js';
import { describeAttempt, errorNumber, explain } from './explanation.js';
import { formatDuration, formatMilliseconds } from './numbers.js';
import type { Paint, Reporter, ReportOptions } from './reporter.js';

/** PortPing's two sentences (KB Q295416), to the letter. */
function verdict(port: number, outcome: Outcome, paint: Paint): string {
  if (outcome.state === 'open') return `${paint.good('Success!')} Pinged port ${port} in ${formatMilliseconds(outcome.latencyMs)} milliseconds.`;
  if (outcome.state === 'cancelled') return '';
  return `${paint.bad('Error Detected:')} Connection refused <${errorNumber(outcome.error)}> returned.`;
}

/** `mail.example.com:25 (192.0.2.10)`; the address is left out where it is what the user wrote. */
function nameOf({ target, outcome }: ProbeReport): string {
  const named = escapeControls(formatHostPort(target.host, target.port));
  return 'endpoint' in outcome && outcome.endpoint.address !== target.host ? `${named} (${outcome.endpoint.address})` : named;
}

function describeResolution({ resolution }: ProbeReport): string {
  const { host, via, elapsedMs } = resolution;
  const who = via === 'system' ? 'system resolver' : `DNS server ${escapeControls(via)}`;
  const found = resolution.state === 'resolved' ? resolution.addresses.map(({ address }) => escapeControls(address)).join(', ') : resolution.state;
  return `${escapeControls(host)}: ${found} (${who}, ${formatDuration(elapsedMs)})`;
}

/** What `-v` adds: the resolution, each attempt with our end of it, what became of the connection, and the sum. */
function details(report: ProbeReport): string[] {
  const { resolution, attempts, outcome } = report;
  const lines = resolution.via === 'literal' ? [] : [describeResolution(report)];
  for (const attempt of attempts) {
    const from = attempt.state === 'open' && attempt.local ? ` from ${formatHostPort(attempt.local.address, attempt.local.port)}` : '';
    lines.push(`${formatEndpoint(attempt.endpoint)}${from}: ${describeAttempt(attempt)}`);
    if (attempt.state === 'open' && attempt.dropped) {
      const how = attempt.dropped.by === 'reset' ? 'reset' : 'closed';
      lines.push(`The other side ${how} the connection ${formatDuration(attempt.dropped.afterMs)} later, before anything was said: probably a load balancer or proxy with no service behind it.`);
    }
  }
  if (outcome.state === 'open') {
    const connect = `connect ${formatDuration(outcome.latencyMs)}`;
    const sum = formatDuration(resolution.elapsedMs + outcome.latencyMs);
    lines.push(resolution.via === 'literal' ? connect : `dns ${formatDuration(resolution.elapsedMs)} + ${connect} = ${sum}`);
  }
  return lines;
}

/** The attempts that failed although another address opened: worth a line each, unless only this machine lacks that family. */
function failuresBesideSuccess({ attempts, outcome }: ProbeReport): string[] {
  if (outcome.state !== 'open') return [];
  return attempts
    .filter((each) => each.state === 'closed' || each.state === 'filtered' || (each.state === 'cancelled' && attempts.indexOf(each) < attempts.indexOf(outcome)))
    .map((each) => `${formatEndpoint(each.endpoint)}: ${describeAttempt(each)}; ${formatEndpoint(outcome.endpoint)} opened.`);
}

/** The classic lines for people and shell loops: the verdict on stdout, everything else dimmed on stderr. */
export function textReporter({ paint, verbose, timestamps, nameEndpoints }: ReportOptions): Reporter {
  return {
    probe(report) {
      const time = timestamps ? `${new Date(report.startedAt).toISOString()}  ` : '';
      const name = nameEndpoints ? `${nameOf(report)}  ` : '';
      const line = verdict(report.target.port, report.outcome, paint.stdout);
      const explanation = explain(report);
      const asides = [...(verbose ? details(report) : failuresBesideSuccess(report)), ...(explanation ? [explanation.what, explanation.advice] : [])];
      return {
        stdout: line === '' ? '' : `${time}${name}${line}\n`,
        stderr: asides.map((aside) => `${time}${paint.stderr.dim(`${nameEndpoints ? name : ''}${aside}`)}\n`).join(''),
      };
    },
  };
}
