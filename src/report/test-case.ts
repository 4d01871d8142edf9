import type { ProbeEvent } from '../core/facts/events.js';
import { reasonOf } from '../core/facts/outcome.js';
import { formatHostPort } from '../core/target/target.js';
import { escapeControls } from './escape.js';
import { explain } from './explanation.js';
import { formatDuration } from './numbers.js';

/** A probe as a test: what JUnit and TAP have in common. */
export interface TestCase {
  /** What is asserted, e.g. `mail.example.com:25 is open`. Safe for a terminal. */
  readonly name: string;
  readonly host: string;
  readonly passed: boolean;
  /** What was seen, with the reason: `closed (conn-refused)`. */
  readonly seen: string;
  /** Why, in a sentence or two; empty when there is nothing to explain. */
  readonly message: string;
  /** The test could not be made here, as apart from one that failed. */
  readonly isError: boolean;
  /** Seconds that the probe took. */
  readonly seconds: number;
  readonly exitCode: number;
}

/** What is asserted of all probes of a run. */
export interface TestSettings {
  /** The state that is expected where a target has none of its own. */
  readonly expect: string;
  /** Who must answer behind an open port: `smtp`, `its service`; null when nobody must. */
  readonly service: string | null;
  /** Targets are probed in several rounds, each with a verdict of its own. */
  readonly rounds: boolean;
}

/** Holds a probe against what was expected, in words. */
export function testCaseOf(
  { request, report, verdict, sequence }: ProbeEvent,
  { expect, service, rounds }: TestSettings,
): TestCase {
  const { target, outcome, resolution } = report;
  const expected = request.expect ?? expect;
  const address =
    'endpoint' in outcome && outcome.endpoint.address !== target.host
      ? ` (${outcome.endpoint.address})`
      : '';
  const round = rounds && sequence > 1 ? `, round ${sequence}` : '';
  const explanation = explain(report);
  const connectMs = outcome.state === 'open' ? outcome.latencyMs : outcome.elapsedMs;
  const answers = service !== null && expected === 'open' ? ` and ${service} answers` : '';
  const reason = reasonOf(outcome);
  const talkMs = outcome.state === 'open' ? (outcome.service?.elapsedMs ?? 0) : 0;
  const latency = outcome.state === 'open' ? ` in ${formatDuration(outcome.latencyMs)}` : '';
  return {
    name: escapeControls(
      `${formatHostPort(target.host, target.port)} is ${expected.replace('-', ' ')}${answers}${round}`,
    ),
    host: escapeControls(target.host),
    passed: verdict.asExpected,
    seen: `${outcome.state}${reason === null ? latency : ` (${reason})`}${verdict.tooSlow ? ', too slow' : ''}${escapeControls(address)}`,
    message: explanation ? `${explanation.what} ${explanation.advice}` : '',
    isError: outcome.state === 'failed',
    seconds: ((outcome === resolution ? 0 : resolution.elapsedMs) + connectMs + talkMs) / 1000,
    exitCode: verdict.exitCode,
  };
}
