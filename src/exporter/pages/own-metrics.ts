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

/** Gauges of prom-client with the names of counters. promtool rejects them, and they say little. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** The exporter's metrics about itself, on /metrics. */
export interface OwnMetrics {
  readonly contentType: string;
  /**
   * Counts the results of one request.
   *
   * @param states one, or one for each address
   * @param elapsedMs how long the whole request took, milliseconds
   */
  countProbes(states: readonly State[], elapsedMs: number): void;
  /** Counts one refused request. */
  countRefusal(reason: RefusalReason): void;
  /** Records whether the configuration could be loaded. */
  recordReload(successful: boolean): void;
  /** How many results and refusals were counted so far. */
  totals(): { readonly probes: number; readonly refused: number };
  /** All metrics in the text format of Prometheus. */
  render(): Promise<string>;
}

/** The metrics of the configuration; returns what records that it was loaded, or not. */
function reloadMetrics(registers: Registry[]): (successful: boolean) => void {
  const reloadSuccessful = new Gauge({
    name: 'portping_exporter_config_last_reload_successful',
    help: '1 if the configuration was loaded without an error the last time, else 0.',
    registers,
  });
  const reloadTime = new Gauge({
    name: 'portping_exporter_config_last_reload_success_timestamp_seconds',
    help: 'When the configuration was loaded last, in seconds since 1970.',
    registers,
  });
  const record = (successful: boolean): void => {
    reloadSuccessful.set(successful ? 1 : 0);
    if (successful) reloadTime.setToCurrentTime();
  };
  record(true); // the start fails otherwise
  return record;
}

/**
 * Makes the exporter's metrics. All series start at 0, so that `rate()` sees the first event.
 *
 * @param inFlight returns the number of probes in flight
 */
export function ownMetrics(version: string, inFlight: () => number): OwnMetrics {
  const totals = { probes: 0, refused: 0 };
  const registers = [new Registry()];
  const [register] = registers as [Registry];
  const probes = new Counter({
    name: 'portping_exporter_probes_total',
    help: 'Probes by state.',
    labelNames: ['state'],
    registers,
  });
  const refusals = new Counter({
    name: 'portping_exporter_requests_refused_total',
    help: 'Refused requests by reason.',
    labelNames: ['reason'],
    registers,
  });
  const duration = new Histogram({
    name: 'portping_exporter_probe_duration_seconds',
    help: 'Duration of requests for probes, name resolution included.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  new Gauge({
    name: 'portping_exporter_probes_in_flight',
    help: 'Probes in flight.',
    collect() {
      this.set(inFlight());
    },
    registers,
  });
  new Gauge({
    name: 'portping_exporter_build_info',
    help: 'Always 1; the labels are the versions of portping and Node.',
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
    recordReload: reloadMetrics(registers),
    totals: () => ({ ...totals }),
    render: () => register.metrics(),
  };
}
