import type { ProbeEvent } from '../../core/facts/events.js';
import { reasonOf } from '../../core/facts/outcome.js';
import { formatHostPort } from '../../core/target/target.js';
import { escapeControls } from '../escape.js';
import { explainInOneLine } from '../failures/explanation.js';
import { formatDuration } from '../numbers.js';
import { addressOf, durationOf, expectationWords } from '../outcome-words.js';

/** A probe as a test case, for JUnit and TAP. */
export interface TestCase {
  /** The assertion: `mail.example.com:25 is open`. Safe for a terminal. */
  readonly name: string;
  readonly host: string;
  readonly passed: boolean;
  /** What was seen, with the reason: `closed (conn-refused)`. */
  readonly seen: string;
  /** The explanation in a few sentences; empty only for a case that passed. */
  readonly message: string;
  /** The probe could not be made here: an error, not a failure. */
  readonly isError: boolean;
  /** Seconds that resolving, connecting and the service check took together. */
  readonly seconds: number;
  readonly exitCode: number;
}

/** What all probes of a run assert. */
export interface TestSettings {
  /** The state that is expected where a target has none of its own. */
  readonly expect: string;
  /** The service that must answer: `smtp`, or `its service`; null when none is checked. */
  readonly service: string | null;
  /** There are several rounds; the later ones are numbered. */
  readonly rounds: boolean;
}

/** What is asserted: `mail.example.com:25 is open and smtp answers, round 2`. */
function nameCase(
  { request, report: { target }, sequence }: ProbeEvent,
  { expect, service, rounds }: TestSettings,
): string {
  const expected = request.expect ?? expect;
  const endpoint = formatHostPort(target.host, target.port);
  const answers = service !== null && expected === 'open' ? ` and ${service} answers` : '';
  const round = rounds && sequence > 1 ? `, round ${sequence}` : '';
  return escapeControls(`${endpoint} is ${expectationWords(expected)}${answers}${round}`);
}

/** What was seen: `closed (conn-refused) (192.0.2.10)`, `open in 12.3 ms, too slow`. */
function describeSeen({ report: { target, outcome }, verdict }: ProbeEvent): string {
  const latency = outcome.state === 'open' ? ` in ${formatDuration(outcome.latencyMs)}` : '';
  const reason = reasonOf(outcome);
  const address = addressOf(outcome);
  return [
    outcome.state,
    reason === null ? latency : ` (${reason})`,
    verdict.tooSlow ? ', too slow' : '',
    address === null || address === target.host ? '' : ` (${escapeControls(address)})`,
  ].join('');
}

/** What there is to explain; never empty for a case that failed. */
function explainFailure(
  { request, report, verdict }: ProbeEvent,
  { expect }: TestSettings,
): string {
  const explanation = explainInOneLine(report);
  if (explanation !== null) return explanation;
  if (verdict.asExpected) return '';
  if (report.outcome.state !== 'open') return 'the probe ended before it had a verdict';
  const expected = request.expect ?? expect;
  return verdict.tooSlow && expected === 'open'
    ? 'the port is open, but slower than --max-latency'
    : `expected ${expectationWords(expected)}, but the port is open`;
}

/** Makes a test case of a probe and its expectation. */
export function createTestCase(event: ProbeEvent, settings: TestSettings): TestCase {
  const { report, verdict } = event;
  return {
    name: nameCase(event, settings),
    host: escapeControls(report.target.host),
    passed: verdict.asExpected,
    seen: describeSeen(event),
    message: explainFailure(event, settings),
    isError: report.outcome.state === 'failed',
    seconds: durationOf(report) / 1000,
    exitCode: verdict.exitCode,
  };
}
