import type { ProbeEvent } from '../../core/facts/events.js';
import { reasonOf } from '../../core/facts/outcome.js';
import { explain } from '../explanation.js';
import { formatDuration, toSeconds } from '../numbers.js';
import { addressOf, describeReason, errorNumber, nameTarget } from '../outcome-words.js';
import { type Output, type Reporter, type ReportOptions, SILENCE } from '../reporter.js';
import { describeService, describeTls } from '../service.js';
import { alerts, formatThreshold, type Thresholds } from '../threshold.js';

/** States of a check with their exit codes (monitoring plugins guidelines, "Plugin Return Codes"). */
export const CHECK_STATES = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const;

type CheckState = keyof typeof CHECK_STATES;

/** From harmless to worst, as max_state_alt() of the monitoring plugins has them: what is known to be wrong comes before what is not known. */
const SEVERITY: readonly CheckState[] = ['OK', 'UNKNOWN', 'WARNING', 'CRITICAL'];

const worstOf = (states: readonly CheckState[]): CheckState =>
  SEVERITY[Math.max(...states.map((state) => SEVERITY.indexOf(state)))] ?? 'UNKNOWN';

/** One target, or one address of it, as a check. */
interface Check {
  readonly state: CheckState;
  /** `db:5432` */
  readonly target: string;
  /** `db:5432 (10.0.0.5)` */
  readonly name: string;
  /** What was seen, and how that is not what it should be: `closed, refused <10061> after 0.31 ms`. */
  readonly seen: string;
  /** Why, and what to do; empty when there is nothing to explain. */
  readonly explanation: readonly string[];
  readonly data: readonly {
    readonly phase: string;
    readonly seconds: number;
    readonly thresholds: string;
    readonly timeoutSeconds: number;
  }[];
}

/** Text, safe for a terminal already, that cannot be taken for the beginning of performance data either. */
const withoutPipes = (text: string): string => text.replaceAll('|', '\\x7c');

/** A label of performance data: quoted unless it is a plain word; without `=`, and with quotes doubled (guidelines, "Performance data"). */
function label(text: string): string {
  const safe = text.replaceAll('=', '_');
  return /^[\w.-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", "''")}'`;
}

/**
 * The state of a check. A name that does not resolve and a timeout are CRITICAL: UNKNOWN is only for what failed here (guidelines, "Plugin Return
 * Codes"), where nothing was learned about the port.
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

function describe(
  { report: { outcome }, request, verdict }: ProbeEvent,
  state: CheckState,
  { warn, crit }: Thresholds,
  expect: string,
): string {
  if (outcome.state === 'cancelled') return 'no verdict';
  const expected = (request.expect ?? expect).replace('-', ' ');
  if (outcome.state !== 'open') {
    const seen = `${outcome.state}, ${describeReason(outcome.reason)} <${errorNumber(outcome.error)}> after ${formatDuration(outcome.elapsedMs)}`;
    return expected === 'open' ? seen : `${seen}, expected ${expected}`;
  }
  const { latencyMs, service } = outcome;
  const open = `open in ${formatDuration(latencyMs)}`;
  const said = service ? describeService(service).replace(/\.$/, '') : '';
  if (reasonOf(outcome) !== null) return `${open}, but ${said}`;
  if (!verdict.asExpected) return `${open}, expected ${expected}`;
  const broken = state === 'CRITICAL' ? crit : state === 'WARNING' ? warn : undefined;
  return `${open}${broken ? `, which --${state === 'CRITICAL' ? 'crit' : 'warn'} ${broken.text} alerts about` : ''}${said === '' ? '' : `, ${said}`}`;
}

function checkOf(event: ProbeEvent, thresholds: Thresholds, expect: string): Check {
  const { report, verdict } = event;
  const { target, outcome, resolution, timeoutMs } = report;
  const state = judgeCheck(event, thresholds);
  const explanation = verdict.asExpected ? null : explain(report);
  const service = outcome.state === 'open' ? outcome.service : null;
  const timeoutSeconds = toSeconds(timeoutMs);
  const ranges = [thresholds.warn, thresholds.crit]
    .map((each) => (each ? formatThreshold(each) : ''))
    .join(';');
  return {
    state,
    target: withoutPipes(nameTarget(target)),
    name: withoutPipes(nameTarget(target, addressOf(outcome))),
    seen: withoutPipes(describe(event, state, thresholds, expect)),
    // What is wrong with a service is in the first line already.
    explanation: [
      ...(explanation ? [...(service ? [] : [explanation.what]), explanation.advice] : []),
      ...(service?.tls ? [`TLS: ${describeTls(service.tls, service.state === 'answered')}`] : []),
    ].map(withoutPipes),
    data: [
      ...(outcome.state === 'open'
        ? [
            {
              phase: 'time',
              seconds: toSeconds(outcome.latencyMs),
              thresholds: ranges,
              timeoutSeconds,
            },
          ]
        : []),
      ...(service
        ? [
            {
              phase: 'service',
              seconds: toSeconds(service.elapsedMs),
              thresholds: ';',
              timeoutSeconds,
            },
          ]
        : []),
      ...(resolution.via === 'literal'
        ? []
        : [
            {
              phase: 'dns',
              seconds: toSeconds(resolution.elapsedMs),
              thresholds: ';',
              timeoutSeconds,
            },
          ]),
    ],
  };
}

/**
 * `time=0.012345s;0.1;0.5;0;5`: value, thresholds, least and most. With several targets a label begins with the target's name, and with several
 * addresses of one target with the address, too; else not, because it may change and graphs go by the label.
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

const MOST_NAMED = 3;

/** The first line of several checks without its state: what is wrong, or that nothing is. Without semicolons, of which Nagios makes colons. */
function summarise(checks: readonly Check[], interrupted: boolean): string {
  const wrong = checks.filter(({ state }) => state !== 'OK');
  const rest = interrupted ? ' / interrupted before the others had a verdict' : '';
  if (wrong.length === 0) return `all ${checks.length} as expected${rest}`;
  const named = wrong.slice(0, MOST_NAMED).map(({ name, seen }) => `${name} ${seen}`);
  return `${wrong.length} of ${checks.length} not OK: ${named.join(' / ')}${wrong.length > MOST_NAMED ? ` / and ${wrong.length - MOST_NAMED} more` : ''}${rest}`;
}

function render(unsorted: readonly Check[], state: CheckState, interrupted: boolean): Output {
  // Worst first: a scheduler cuts long output off (Nagios after 8 KiB).
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
  return {
    stdout: `PORTPING ${state}: ${text}${data.length > 0 ? ` | ${data.join(' ')}` : ''}\n${lines.map((line) => `${line}\n`).join('')}`,
    stderr: '',
  };
}

/**
 * The output of a check for Nagios, Icinga and whoever else starts monitoring plugins, by their guidelines: a first line with the state and
 * performance data, then a line for each of several targets. It has exit codes of its own.
 */
export function nagiosReporter({
  expect,
  thresholds = { warn: undefined, crit: undefined },
}: Pick<ReportOptions, 'expect' | 'thresholds'>): Reporter {
  const checks: Check[] = [];
  let state: CheckState = 'UNKNOWN';
  return {
    probe(event) {
      checks.push(checkOf(event, thresholds, expect));
      return SILENCE;
    },
    outage: () => SILENCE,
    summary: () => SILENCE,
    finish({ isComplete }) {
      const unfinished: readonly CheckState[] =
        !isComplete || checks.length === 0 ? ['UNKNOWN'] : [];
      state = worstOf([...checks.map((check) => check.state), ...unfinished]);
      return render(checks, state, !isComplete);
    },
    exitCode: () => CHECK_STATES[state],
  };
}
