import { serviceOfPort } from '../../core/target/port-names.js';
import type { Reason } from '../../core/states.js';
import { explain } from '../failures/explanation.js';
import { formatMilliseconds, formatTime } from '../numbers.js';
import { nameTarget } from '../outcome-words.js';
import { describeService } from '../service.js';
import { Minority } from './minority.js';
import { explanationLines } from './plain-text.js';
import { type Reporter, type ReportOptions, SILENCE } from '../reporter.js';
import { describeTotals } from '../totals.js';

interface Row {
  /** The time of the probe with `--timestamps`, else empty. */
  readonly time: string;
  readonly endpoint: string;
  readonly latency: string;
  /** What the service answered; without `--service`, the service that usually has the port. */
  readonly service: string;
}

/**
 * Many ports for people: a table of the open ones, with the service that usually has the port. The
 * others are counted, and named where few have their state. Where nothing was learned about a port,
 * each reason is explained once.
 */
export function tableReporter({ paint, timestamps }: ReportOptions): Reporter {
  const rows: Row[] = [];
  const explained = new Set<Reason>();
  const minority = new Minority('open');
  return {
    probe(event) {
      const { report } = event;
      minority.add(event);
      const { target, startedAt, outcome } = report;
      if (outcome.state === 'failed' || outcome.state === 'unresolved') {
        const explanation = explained.has(outcome.reason) ? null : explain(report);
        explained.add(outcome.reason);
        const name = nameTarget(target);
        return explanation
          ? {
              stdout: '',
              stderr: explanationLines(report, explanation, paint.stderr)
                .map((line) => `${name}  ${line}\n`)
                .join(''),
            }
          : SILENCE;
      }
      if (outcome.state === 'open') {
        rows.push({
          time: timestamps ? `${formatTime(startedAt)}  ` : '',
          endpoint: nameTarget(target, outcome.endpoint.address),
          latency: `${formatMilliseconds(outcome.latencyMs)} ms`,
          service: outcome.service
            ? describeService(outcome.service)
            : (serviceOfPort(target.port) ?? ''),
        });
      }
      return SILENCE;
    },
    outage: () => SILENCE,
    summaries: () => SILENCE,
    finish(totals) {
      // Interrupted before the first verdict: the command line says so.
      if (totals.probes === 0 && !totals.isComplete) return SILENCE;
      const wide = (column: keyof Row): number =>
        rows.reduce((widest, row) => Math.max(widest, row[column].length), 0);
      const [endpoints, latencies] = [wide('endpoint'), wide('latency')];
      const lines = rows.map(({ time, endpoint, latency, service }) => {
        const open = `${endpoint.padEnd(endpoints)}  ${paint.stdout.good('open')}`;
        return `${time}${open}  ${latency.padStart(latencies)}  ${service}`.trimEnd();
      });
      return {
        stdout: lines.map((line) => `${line}\n`).join(''),
        stderr: `${describeTotals(totals, minority.describe(totals))}\n`,
      };
    },
  };
}
