import { type Reporter, SILENCE } from '../reporter.js';
import { type TestCase, testCaseOf, type TestSettings } from '../test-case.js';

/** A description: `#` starts a directive. Readers of version 13 know the escapes `\#` and `\\`, which TAP 14 wrote down ("Escaping"). */
const description = (text: string): string => text.replace(/[\\#]/g, '\\$&');

/** A YAML double-quoted scalar; JSON's strings are that too. */
const quoted = (text: string): string => JSON.stringify(text);

function lines(
  { name, passed, seen, message, seconds, exitCode }: TestCase,
  number: number,
): string {
  const result = `${passed ? 'ok' : 'not ok'} ${number} - ${description(name)}\n`;
  if (passed) return result;
  return `${result}  ---\n  seen: ${quoted(seen)}\n  message: ${quoted(message)}\n  seconds: ${seconds.toFixed(3)}\n  exitCode: ${exitCode}\n  ...\n`;
}

/**
 * The Test Anything Protocol (testanything.org): one test point for each probe, the plan at the end. Version 13, because
 * `prove` (Test::Harness) fails a stream of any later version, and nothing here needs one.
 */
export function tapReporter(settings: TestSettings): Reporter {
  let number = 0;
  const head = (): string => (number === 0 ? 'TAP version 13\n' : '');
  return {
    probe(event) {
      const stdout = head();
      number += 1;
      return { stdout: `${stdout}${lines(testCaseOf(event, settings), number)}`, stderr: '' };
    },
    outage: () => SILENCE,
    summary: () => SILENCE,
    finish: ({ isComplete }) => ({
      stdout: `${head()}${isComplete ? `1..${number}` : 'Bail out! The run ended before the last probe.'}\n`,
      stderr: '',
    }),
  };
}
