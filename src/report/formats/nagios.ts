import type { ProbeEvent } from '../../core/facts/events.js';
import { type ProbeReport, reasonOf } from '../../core/facts/outcome.js';
import { explain } from '../failures/explanation.js';
import { formatDuration, toSeconds } from '../numbers.js';
import {
  addressOf,
  describeOtherFailures,
  describeReason,
  errorNumber,
  expectationWords,
  nameTarget,
} from '../outcome-words.js';
import { type Output, type Reporter, type ReportOptions, SILENCE } from '../reporter.js';
import { describeService, describeTls } from '../service.js';
import { alerts, formatThreshold, type Thresholds } from '../threshold.js';
import { CHECK_STATES, checkLine, type CheckState, withoutPipes } from './check-line.js';

/** From harmless to worst, as max_state_alt() of the monitoring plugins orders them. */
const SEVERITY: readonly CheckState[] = ['OK', 'UNKNOWN', 'WARNING', 'CRITICAL'];

const worstOf = (states: readonly CheckState[]): CheckState =>
  SEVERITY[Math.max(...states.map((state) => SEVERITY.indexOf(state)))] ?? 'UNKNOWN';

/** What all checks of a run have in common. */
interface Settings {
  /** The state that is expected where a target has none of its own. */
  readonly expect: string;
  readonly thresholds: Thresholds;
}

/** One value of the performance data. */
interface Datum {
  readonly phase: string;
  readonly seconds: number;
  readonly thresholds: string;
  readonly timeoutSeconds: number;
}

/** One target, or one address of it, as a check. */
interface Check {
  readonly state: CheckState;
  /** `db:5432` */
  readonly target: string;
  /** `db:5432 (10.0.0.5)` */
  readonly name: string;
  /** What was seen, and what was expected: `closed, refused <10061> after 0.31 ms`. */
  readonly seen: string;
  /** The cause and the next step; empty when there is nothing to explain. */
  readonly explanation: readonly string[];
  readonly data: readonly Datum[];
}

/**
 * A label of performance data: quoted unless it is a plain word, without `=`, with quotes doubled
 * (guidelines, "Performance data").
 */
function label(text: string): string {
  const safe = text.replaceAll('=', '_');
  return /^[\w.-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", "''")}'`;
}

/**
 * The state of a check. An unresolved name and a timeout are CRITICAL. UNKNOWN is only for what
 * failed on this machine (guidelines, "Plugin Return Codes"): nothing was learned about the port.
 */
function judgeCheck(
  { report: { outcome }, verdict }: ProbeEvent,
  { warn, crit }: Thresholds,
): CheckState {
  if (outcome.state === 'failed' || outcome.state === 'cancelled') return 'UNKNOWN';
  if (!verdict.asExpected) return 'CRITICAL';
  if (outcome.state !== 'open') return 'OK';
  if (crit && alerts(crit, outcome.latencyMs)) return 'CRITICAL';
  return warn && alerts(warn, outcome.latencyMs) ? 'WARNING' : 'OK';
}

/** The threshold that a latency is out of, in words: `, outside --warn 100ms`. */
function describeAlert(state: CheckState, { warn, crit }: Thresholds): string {
  const [option, threshold] = state === 'CRITICAL' ? ['--crit', crit] : ['--warn', warn];
  if (state === 'OK' || threshold === undefined) return '';
  return `, ${threshold.inside ? 'inside' : 'outside'} ${option} ${threshold.text}`;
}

function describeSeen(
  { report: { outcome }, request, verdict }: ProbeEvent,
  state: CheckState,
  { expect, thresholds }: Settings,
): string {
  if (outcome.state === 'cancelled') return 'no verdict';
  const expected = expectationWords(request.expect ?? expect);
  if (outcome.state !== 'open') {
    const error = `${describeReason(outcome.reason)} <${errorNumber(outcome.error)}>`;
    const seen = `${error} after ${formatDuration(outcome.elapsedMs)}`;
    if (verdict.asExpected) return `${outcome.state} as expected, ${seen}`;
    return `${outcome.state}, ${seen}${expected === 'open' ? '' : `, expected ${expected}`}`;
  }
  const { latencyMs, service } = outcome;
  const open = `open in ${formatDuration(latencyMs)}`;
  const said = service ? describeService(service).replace(/\.$/, '') : '';
  if (reasonOf(outcome) !== null) return `${open}, but ${said}`;
  if (!verdict.asExpected) return `${open}, expected ${expected}`;
  return `${open}${describeAlert(state, thresholds)}${said === '' ? '' : `, ${said}`}`;
}

/** The times of a probe: the handshake, the check of the service, resolving. */
function dataOf(
  { outcome, resolution, timeoutMs }: ProbeReport,
  { warn, crit }: Thresholds,
): Datum[] {
  const timeoutSeconds = toSeconds(timeoutMs);
  const ranges = [warn, crit].map((each) => (each ? formatThreshold(each) : '')).join(';');
  const datum = (phase: string, milliseconds: number, thresholds = ';'): Datum => ({
    phase,
    seconds: toSeconds(milliseconds),
    thresholds,
    timeoutSeconds,
  });
  const { latencyMs = null, service = null } = outcome.state === 'open' ? outcome : {};
  return [
    ...(latencyMs === null ? [] : [datum('time', latencyMs, ranges)]),
    ...(service === null ? [] : [datum('service', service.elapsedMs)]),
    ...(resolution.via === 'literal' ? [] : [datum('dns', resolution.elapsedMs)]),
  ];
}

function checkOf(event: ProbeEvent, settings: Settings): Check {
  const { report, verdict } = event;
  const { target, outcome } = report;
  const state = judgeCheck(event, settings.thresholds);
  const explanation = verdict.asExpected ? null : explain(report);
  const service = outcome.state === 'open' ? outcome.service : null;
  return {
    state,
    target: withoutPipes(nameTarget(target)),
    name: withoutPipes(nameTarget(target, addressOf(outcome))),
    seen: withoutPipes(describeSeen(event, state, settings)),
    // What is wrong with a service stands in the first line.
    explanation: [
      ...(explanation
        ? [
            ...(service ? [] : [explanation.what]),
            ...describeOtherFailures(report),
            explanation.advice,
          ]
        : []),
      ...(service?.tls ? [`TLS: ${describeTls(service.tls, service.state === 'answered')}`] : []),
    ].map(withoutPipes),
    data: dataOf(report, settings.thresholds),
  };
}

/**
 * `time=0.012345s;0.1;0.5;0;5`: value, thresholds, minimum, maximum. With several targets a label
 * starts with the target. It has the address only where a target has several: addresses may
 * change, and graphs go by the label.
 */
function performanceData(checks: readonly Check[], several: boolean): string[] {
  const data = new Map<string, string>();
  for (const { target, name, data: phases } of checks) {
    const isAlone = checks.filter((each) => each.target === target).length === 1;
    for (const { phase, seconds: value, thresholds, timeoutSeconds } of phases) {
      const of = !several ? '' : `${isAlone || phase === 'dns' ? target : name} `;
      data.set(label(`${of}${phase}`), `${value.toFixed(6)}s;${thresholds};0;${timeoutSeconds}`);
    }
  }
  return [...data].map(([name, value]) => `${name}=${value}`);
}

/** How many checks that are not OK the first line names. */
const MOST_NAMED = 3;

/** The first line of several checks without its state. Nagios turns semicolons into colons. */
function summarise(checks: readonly Check[], interrupted: boolean): string {
  const wrong = checks.filter(({ state }) => state !== 'OK');
  const rest = interrupted ? ' / interrupted before the others had a verdict' : '';
  if (wrong.length === 0) return `all ${checks.length} as expected${rest}`;
  const named = wrong.slice(0, MOST_NAMED).map(({ name, seen }) => `${name} ${seen}`);
  const more = wrong.length > MOST_NAMED ? ` / and ${wrong.length - MOST_NAMED} more` : '';
  return `${wrong.length} of ${checks.length} not OK: ${named.join(' / ')}${more}${rest}`;
}

function render(unsorted: readonly Check[], state: CheckState, interrupted: boolean): Output {
  // Worst first: schedulers cut long output (Nagios after 8 KiB).
  const checks = [...unsorted].sort(
    (one, other) => SEVERITY.indexOf(other.state) - SEVERITY.indexOf(one.state),
  );
  const [only, another] = checks;
  const several = another !== undefined || interrupted;
  const text =
    only === undefined
      ? `no verdict${interrupted ? ': interrupted' : ''}`
      : several
        ? summarise(checks, interrupted)
        : `${only.name} ${only.seen}`;
  const data = performanceData(unsorted, several);
  const lines = several
    ? checks.map(({ state: each, name, seen, explanation }) =>
        [`${each}: ${name} ${seen}${explanation.length > 0 ? '.' : ''}`, ...explanation].join(' '),
      )
    : (only?.explanation ?? []);
  const first = checkLine(state, `${text}${data.length > 0 ? ` | ${data.join(' ')}` : ''}`);
  return { stdout: [first, ...lines].map((line) => `${line}\n`).join(''), stderr: '' };
}

/**
 * The output of a monitoring plugin for Nagios, Icinga and others, by the monitoring plugins
 * guidelines: a first line with the state and performance data, then a line for each of several
 * targets. It has exit codes of its own.
 */
export function nagiosReporter({
  expect,
  thresholds = { warn: undefined, crit: undefined },
}: Pick<ReportOptions, 'expect' | 'thresholds'>): Reporter {
  const checks: Check[] = [];
  let state: CheckState = 'UNKNOWN';
  return {
    probe(event) {
      checks.push(checkOf(event, { expect, thresholds }));
      return SILENCE;
    },
    outage: () => SILENCE,
    summaries: () => SILENCE,
    finish({ isComplete }) {
      const unfinished: readonly CheckState[] =
        !isComplete || checks.length === 0 ? ['UNKNOWN'] : [];
      state = worstOf([...checks.map((check) => check.state), ...unfinished]);
      return render(checks, state, !isComplete);
    },
    exitCode: () => CHECK_STATES[state],
  };
}
