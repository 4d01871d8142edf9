import { type Attempt, reasonOf } from '../../core/facts/outcome.js';
import type { ProbeEvent } from '../../core/facts/events.js';
import { escapeControls } from '../escape.js';
import { explain } from '../failures/explanation.js';
import { toSeconds } from '../numbers.js';
import { durationOf, nameTarget } from '../outcome-words.js';
import { type Reporter, SILENCE } from '../reporter.js';

/** The media type of the text format (Prometheus, "Exposition formats", text format 0.0.4). */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A probe and its verdict. */
export type JudgedProbe = Pick<ProbeEvent, 'report' | 'verdict'>;

/**
 * The metrics, in the order they are written. All are gauges: each probe says how it is now.
 *
 * What alerts and graphs use (`portping_success`, the times) has the target as its only label, so
 * that each target is one unbroken series: `for:` and `avg_over_time` need that. A label for the
 * cause, or for an address that changes, would break it. The cause is a metric of its own with one
 * sample for a probe, to be joined with `* on (target) group_left (cause)`. A sample for every
 * possible cause, 1 or 0, would be twenty times as many series. Each address has its own metrics.
 */
const METRICS = {
  portping_success:
    '1 if the target was as expected, else 0. Expected is open, unless set otherwise, ' +
    'and that the service answers, if it was checked.',
  portping_cause: 'Always 1. The state of the port; the cause is its reason, "too-slow" or "open".',
  portping_duration_seconds:
    'Total time of resolving the name, of the deciding attempt and of the service check.',
  portping_dns_seconds:
    'Time of resolving the name, also when it failed. Absent for a literal address.',
  portping_connect_seconds:
    'Time from the connect call to the completed handshake. Absent unless the port is open.',
  portping_service_seconds:
    'Time from the completed handshake to the result of the service check; the longest of ' +
    'several addresses. Absent unless the service was checked.',
  portping_certificate_expiry_timestamp_seconds:
    'When the certificate of the service expires, in seconds since 1970; the earliest of ' +
    'several addresses. Absent without TLS, or if the date cannot be read.',
  portping_addresses:
    'Number of addresses that the name has and that may be probed; 0 if it is unresolved.',
  portping_address_open: '1 if the handshake with this address completed, else 0.',
  portping_address_cause:
    'Always 1. The state of the port at this address; the cause is its reason or "open".',
  portping_address_connect_seconds:
    'Time from the connect call to the completed handshake with this address. Absent unless ' +
    'the port is open there.',
} as const;

type Metric = keyof typeof METRICS;
type Labels = Readonly<Record<string, string>>;

/** A label's value: backslash, quote and line feed are escaped (text format 0.0.4). */
const quoted = (value: string): string =>
  `"${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;

const seconds = (milliseconds: number): string => String(toSeconds(milliseconds));

/** The state and the cause, from a small and fixed set of words. */
function causeOf({ report: { outcome }, verdict }: JudgedProbe): Labels {
  return {
    state: outcome.state,
    cause: reasonOf(outcome) ?? (verdict.tooSlow ? 'too-slow' : outcome.state),
  };
}

class Samples {
  readonly #lines = new Map<Metric, string[]>();

  add(metric: Metric, labels: Labels, value: string): void {
    const lines = this.#lines.get(metric) ?? [];
    this.#lines.set(metric, lines);
    lines.push(
      `${metric}{${Object.entries(labels)
        .map(([name, text]) => `${name}=${quoted(text)}`)
        .join(',')}} ${value}\n`,
    );
  }

  addAddress(target: string, attempt: Attempt): void {
    const { address, family } = attempt.endpoint;
    const labels = { target, address: escapeControls(address), family: `ipv${family}` };
    this.add('portping_address_open', labels, attempt.state === 'open' ? '1' : '0');
    this.add(
      'portping_address_cause',
      { ...labels, state: attempt.state, cause: reasonOf(attempt) ?? attempt.state },
      '1',
    );
    if (attempt.state === 'open')
      this.add('portping_address_connect_seconds', labels, seconds(attempt.latencyMs));
  }

  /** All probes of one target: one, or one for each of its addresses. */
  addTarget(target: string, probes: readonly JudgedProbe[]): void {
    // The address with the highest exit code stands for the target.
    const [worst] = [...probes].sort((one, other) => other.verdict.exitCode - one.verdict.exitCode);
    if (!worst) return;
    const { resolution } = worst.report;
    const latencies = probes.flatMap(({ report: { outcome } }) =>
      outcome.state === 'open' ? [outcome.latencyMs] : [],
    );
    this.add(
      'portping_success',
      { target },
      probes.every(({ verdict }) => verdict.asExpected) ? '1' : '0',
    );
    this.add('portping_cause', { target, ...causeOf(worst) }, '1');
    this.add(
      'portping_duration_seconds',
      { target },
      seconds(Math.max(...probes.map(({ report }) => durationOf(report)))),
    );
    if (resolution.via !== 'literal')
      this.add('portping_dns_seconds', { target }, seconds(resolution.elapsedMs));
    if (latencies.length > 0)
      this.add('portping_connect_seconds', { target }, seconds(Math.min(...latencies)));
    const services = probes.flatMap(({ report: { outcome } }) =>
      outcome.state === 'open' && outcome.service ? [outcome.service] : [],
    );
    if (services.length > 0)
      this.add(
        'portping_service_seconds',
        { target },
        seconds(Math.max(...services.map(({ elapsedMs }) => elapsedMs))),
      );
    const ends = services.flatMap(({ tls }) => tls?.certificate?.validTo ?? []);
    if (ends.length > 0)
      this.add(
        'portping_certificate_expiry_timestamp_seconds',
        { target },
        seconds(Math.min(...ends)),
      );
    this.add(
      'portping_addresses',
      { target },
      String(resolution.state === 'resolved' ? resolution.addresses.length : 0),
    );
    const attempts = probes
      .flatMap(({ report }) => report.attempts)
      .filter(({ state }) => state !== 'cancelled');
    const byAddress = new Map(attempts.map((attempt) => [attempt.endpoint.address, attempt]));
    for (const attempt of byAddress.values()) this.addAddress(target, attempt);
  }

  /** Each metric once, followed by all its samples, as the format requires. */
  toString(): string {
    const texts = Object.entries(METRICS).map(([metric, help]) => {
      const lines = this.#lines.get(metric as Metric) ?? [];
      return lines.length === 0
        ? ''
        : `# HELP ${metric} ${help}\n# TYPE ${metric} gauge\n${lines.join('')}`;
    });
    return texts.join('');
  }
}

/**
 * Probes as metrics in Prometheus' text format: one set for each target, and one for each address
 * that was tried. A comment explains why a target is not open: Prometheus skips it, people read it.
 */
export function renderMetrics(probes: readonly JudgedProbe[]): string {
  const targets = new Map<string, JudgedProbe[]>();
  for (const probe of probes) {
    const name = nameTarget(probe.report.target);
    targets.set(name, [...(targets.get(name) ?? []), probe]);
  }
  const samples = new Samples();
  for (const [name, ofTarget] of targets) samples.addTarget(name, ofTarget);
  const reasons = probes.flatMap(({ report, verdict }) => {
    const explanation = verdict.asExpected ? null : explain(report);
    return explanation
      ? [`# ${nameTarget(report.target)}: ${explanation.what} ${explanation.advice}\n`]
      : [];
  });
  return `${samples.toString()}${reasons.join('')}`;
}

/** Prometheus' text format, written at the end, because all samples of a metric stand together. */
export function prometheusReporter(): Reporter {
  const probes: JudgedProbe[] = [];
  return {
    probe({ report, verdict }) {
      probes.push({ report, verdict });
      return SILENCE;
    },
    outage: () => SILENCE,
    summaries: () => SILENCE,
    finish: () => ({ stdout: renderMetrics(probes), stderr: '' }),
  };
}
