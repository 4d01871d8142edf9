import { type Reporter, SILENCE } from '../reporter.js';
import { createTestCase, type TestCase, type TestSettings } from './test-case.js';

/**
 * A description: `#` starts a directive. Readers of version 13 know the escapes `\#` and `\\`,
 * which TAP 14 wrote down ("Escaping").
 */
const description = (text: string): string => text.replace(/[\\#]/g, '\\$&');

/** A double-quoted scalar of YAML; every JSON string is one. */
const quoted = (text: string): string => JSON.stringify(text);

function formatPoint(
  { name, passed, seen, message, seconds, exitCode }: TestCase,
  number: number,
): string {
  const result = `${passed ? 'ok' : 'not ok'} ${number} - ${description(name)}\n`;
  if (passed) return result;
  const facts = [
    `seen: ${quoted(seen)}`,
    `message: ${quoted(message)}`,
    `seconds: ${seconds.toFixed(3)}`,
    `exitCode: ${exitCode}`,
  ];
  return `${result}  ---\n${facts.map((fact) => `  ${fact}\n`).join('')}  ...\n`;
}

/**
 * The Test Anything Protocol (testanything.org): one test point for each probe, the plan at the
 * end. Version 13, because `prove` (Test::Harness) fails a stream of any later version, and nothing
 * here needs one.
 */
export function tapReporter(settings: TestSettings): Reporter {
  let number = 0;
  const versionLine = (): string => (number === 0 ? 'TAP version 13\n' : '');
  return {
    probe(event) {
      const stdout = versionLine();
      number += 1;
      return {
        stdout: `${stdout}${formatPoint(createTestCase(event, settings), number)}`,
        stderr: '',
      };
    },
    outage: () => SILENCE,
    summaries: () => SILENCE,
    finish({ isComplete }) {
      const plan = isComplete ? `1..${number}` : 'Bail out! The run ended before the last probe.';
      return { stdout: `${versionLine()}${plan}\n`, stderr: '' };
    },
  };
}
