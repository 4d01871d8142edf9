import { serviceOfPort } from '../../core/target/port-names.js';
import type { Reason } from '../../core/states.js';
import { explain } from '../explanation.js';
import { formatMilliseconds } from '../numbers.js';
import { nameTarget } from '../outcome-words.js';
import { describeService } from '../service.js';
import { type Reporter, type ReportOptions, SILENCE } from '../reporter.js';
import { describeTotals } from '../summary.js';

interface Row {
  /** When it was probed, where that is asked for. */
  readonly time: string;
  readonly endpoint: string;
  readonly latency: string;
  /** What the service said; where it was not asked, the name of the one that the port usually belongs to. */
  readonly service: string;
}

/** Many ports for people: a table of the open ones, with the service that usually has the port; the rest is counted, and explained where nothing was learned. */
export function tableReporter({ paint, timestamps }: ReportOptions): Reporter {
  const rows: Row[] = [];
  const explained = new Set<Reason>();
  return {
    probe({ report }) {
      const { target, startedAt, outcome } = report;
      // What was not learned about a port is told, once for each reason; what was, is counted.
      if (outcome.state === 'failed' || outcome.state === 'unresolved') {
        const explanation = explained.has(outcome.reason) ? null : explain(report);
        explained.add(outcome.reason);
        const name = nameTarget(target);
        return explanation
          ? {
              stdout: '',
              stderr: [explanation.what, explanation.advice]
                .map((text) => `${name}  ${paint.stderr.dim(text)}\n`)
                .join(''),
            }
          : SILENCE;
      }
      if (outcome.state === 'open') {
        rows.push({
          time: timestamps ? `${new Date(startedAt).toISOString()}  ` : '',
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
    summary: () => SILENCE,
    finish(totals) {
      if (totals.probes === 0 && !totals.isComplete) return SILENCE; // the interruption is told already
      const wide = (column: keyof Row): number =>
        rows.reduce((widest, row) => Math.max(widest, row[column].length), 0);
      const [endpoints, latencies] = [wide('endpoint'), wide('latency')];
      const lines = rows.map(({ time, endpoint, latency, service }) =>
        `${time}${endpoint.padEnd(endpoints)}  ${paint.stdout.good('open')}  ${latency.padStart(latencies)}  ${service}`.trimEnd(),
      );
      return {
        stdout: lines.map((line) => `${line}\n`).join(''),
        stderr: `${describeTotals(totals)}\n`,
      };
    },
  };
}
