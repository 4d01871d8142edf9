import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { State } from '../../core/states.js';
import { REFUSALS, type RefusalReason } from '../access/refusal.js';

const STATES: readonly State[] = [
  'open',
  'closed',
  'filtered',
  'unresolved',
  'failed',
  'cancelled',
];

/** Gauges of prom-client's own that are named as counters are; promtool objects, and they say little. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** What the exporter says about itself on /metrics. */
export interface OwnMetrics {
  readonly contentType: string;
  /** The verdicts of one request (one, or one for each address), and how long they took together in milliseconds. */
  countProbes(states: readonly State[], elapsedMs: number): void;
  countRefusal(reason: RefusalReason): void;
  /** How many verdicts and refusals there were so far. */
  totals(): { readonly probes: number; readonly refused: number };
  /** In the text format of Prometheus. */
  render(): Promise<string>;
}

/**
 * The exporter's own metrics. All series are there from the start with 0, so that `rate()` sees the first event, too.
 *
 * @param inFlight how many probes are under way
 */
export function ownMetrics(version: string, inFlight: () => number): OwnMetrics {
  const totals = { probes: 0, refused: 0 };
  const registers = [new Registry()];
  const [register] = registers as [Registry];
  const probes = new Counter({
    name: 'portping_exporter_probes_total',
    help: 'Probes by what they found.',
    labelNames: ['state'],
    registers,
  });
  const refusals = new Counter({
    name: 'portping_exporter_requests_refused_total',
    help: 'Requests that were refused, by the reason.',
    labelNames: ['reason'],
    registers,
  });
  const duration = new Histogram({
    name: 'portping_exporter_probe_duration_seconds',
    help: 'Time of all that a request for a probe had done, resolving included.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  new Gauge({
    name: 'portping_exporter_probes_in_flight',
    help: 'Probes under way.',
    collect() {
      this.set(inFlight());
    },
    registers,
  });
  new Gauge({
    name: 'portping_exporter_build_info',
    help: 'Always 1; the labels are the versions of portping and of Node.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.version }, 1);
  for (const state of STATES) probes.inc({ state }, 0);
  for (const reason of Object.keys(REFUSALS)) refusals.inc({ reason }, 0);
  collectDefaultMetrics({ register });
  for (const name of MISNAMED) register.removeSingleMetric(name);
  return {
    contentType: register.contentType,
    countProbes(states, elapsedMs) {
      totals.probes += states.length;
      for (const state of states) probes.inc({ state });
      duration.observe(elapsedMs / 1000);
    },
    countRefusal(reason) {
      totals.refused += 1;
      refusals.inc({ reason });
    },
    totals: () => ({ ...totals }),
    render: () => register.metrics(),
  };
}
