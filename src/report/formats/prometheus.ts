import { type Attempt, type ProbeReport, reasonOf } from '../../core/facts/outcome.js';
import type { ProbeEvent } from '../../core/facts/events.js';
import { escapeControls } from '../escape.js';
import { explain } from '../explanation.js';
import { toSeconds } from '../numbers.js';
import { nameTarget } from '../outcome-words.js';
import { type Reporter, SILENCE } from '../reporter.js';

/** The media type of the text format (Prometheus, "Exposition formats", text format 0.0.4). */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A probe and what was made of it. */
export type JudgedProbe = Pick<ProbeEvent, 'report' | 'verdict'>;

/**
 * The metrics, in the order they are written. All are gauges: each probe says how it is now.
 *
 * What alerts and graphs are made of (`portping_success`, the times) has the target as its only label, so that a target is one unbroken series
 * whatever happens to it: `for:` and `avg_over_time` need that, and a label for the cause or for an address that changes would break it. The cause is a
 * metric of its own with exactly one sample for a probe, to be joined with `* on (target) group_left (cause)`; a sample for every cause there can be,
 * 1 or 0, would be twenty times as many series. Addresses have theirs apart, as many as the name has.
 */
const METRICS = {
  portping_success:
    'Whether the target was as expected (open, unless something else was asked for, and its service answered if that was asked): 1 or 0.',
  portping_cause:
    'Always 1. What was seen: the state of the port, and as the cause its reason, "too-slow" or "open".',
  portping_duration_seconds:
    'Time of resolving the name, of the attempt that decided, and of asking the service if that was asked, together.',
  portping_dns_seconds:
    'Time of resolving the name, also when that failed; not there for a literal address.',
  portping_connect_seconds:
    'Time from the connect call to the completed handshake; not there unless the port opened.',
  portping_service_seconds:
    'Time from the completed handshake until it was clear whether the service answers, the longest where there are several addresses; not there unless that was asked.',
  portping_certificate_expiry_timestamp_seconds:
    'When the certificate of the service expires, the earliest where there are several addresses, in seconds since 1970; not there without TLS, or where it cannot be read.',
  portping_addresses:
    'How many addresses the name has that may be probed; 0 when it could not be resolved.',
  portping_address_open: 'Whether the handshake with this address completed: 1 or 0.',
  portping_address_cause:
    'Always 1. What was seen at this address: the state of the port, and as the cause its reason, or "open".',
  portping_address_connect_seconds:
    'Time from the connect call to the completed handshake with this address; not there unless it opened.',
} as const;

type Metric = keyof typeof METRICS;
type Labels = Readonly<Record<string, string>>;

/** A label's value: backslash, quote and line feed are escaped (text format 0.0.4). */
const quoted = (value: string): string =>
  `"${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;

const seconds = (milliseconds: number): string => String(toSeconds(milliseconds));

/** What was seen, in words of which there is a small and fixed number. */
function causeOf({ report: { outcome }, verdict }: JudgedProbe): Labels {
  return {
    state: outcome.state,
    cause: reasonOf(outcome) ?? (verdict.tooSlow ? 'too-slow' : outcome.state),
  };
}

/** How long a probe took: resolving, then the attempt that decided, if there was one, and then the talk with the service. Milliseconds. */
function durationOf({ outcome, resolution }: ProbeReport): number {
  if (outcome.state === 'open')
    return resolution.elapsedMs + outcome.latencyMs + (outcome.service?.elapsedMs ?? 0);
  return outcome === resolution ? outcome.elapsedMs : resolution.elapsedMs + outcome.elapsedMs;
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
    // Not as expected as soon as one address was not; told is the worst of them, as by the exit code.
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

  /** Each metric once, with all of its samples (the format asks for that). */
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
 * Probes as metrics in Prometheus' text format: for each target one set, for each address that was tried another. Why a target is not open is told
 * in a comment, too: Prometheus skips it, people do not.
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

/** Prometheus' text format, written at the end: all samples of a metric stand together. */
export function prometheusReporter(): Reporter {
  const probes: JudgedProbe[] = [];
  return {
    probe({ report, verdict }) {
      probes.push({ report, verdict });
      return SILENCE;
    },
    outage: () => SILENCE,
    summary: () => SILENCE,
    finish: () => ({ stdout: renderMetrics(probes), stderr: '' }),
  };
}
