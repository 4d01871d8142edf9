import { escapeMarkup } from '../escape.js';
import { type Reporter, SILENCE } from '../reporter.js';
import { createTestCase, type TestCase, type TestSettings } from './test-case.js';

const attribute = (name: string, text: string): string => `${name}="${escapeMarkup(text)}"`;

function element({ name, host, passed, seen, message, isError, seconds }: TestCase): string {
  const names = `${attribute('classname', `portping.${host}`)} ${attribute('name', name)}`;
  const open = `    <testcase ${names} time="${seconds.toFixed(3)}"`;
  if (passed) return `${open}/>\n`;
  const kind = isError ? 'error' : 'failure';
  const facts = `${attribute('type', seen.split(' ')[0] ?? '')} ${attribute('message', seen)}`;
  const problem = `<${kind} ${facts}>${escapeMarkup(message)}</${kind}>`;
  return `${open}>\n      ${problem}\n    </testcase>\n`;
}

/** The failed test case of a run that ended early: what was not probed has not passed. */
const INCOMPLETE = `    <testcase classname="portping" name="every target was probed" time="0.000">
      <error type="incomplete" message="the run ended before the last probe"></error>
    </testcase>
`;

/**
 * JUnit's XML as Jenkins' xunit plugin defines it (junit-10.xsd): a test case for each probe. It is
 * written at the end, because its head counts the cases.
 */
export function junitReporter(settings: TestSettings): Reporter {
  const elements: string[] = [];
  let failures = 0;
  let errors = 0;
  let startedAt: number | undefined;
  return {
    probe(event) {
      const testCase = createTestCase(event, settings);
      startedAt ??= event.report.startedAt;
      if (!testCase.passed && testCase.isError) errors += 1;
      if (!testCase.passed && !testCase.isError) failures += 1;
      elements.push(element(testCase));
      return SILENCE;
    },
    outage: () => SILENCE,
    summaries: () => SILENCE,
    finish({ elapsedMs, isComplete }) {
      if (!isComplete) {
        errors += 1;
        elements.push(INCOMPLETE);
      }
      const time = (elapsedMs / 1000).toFixed(3);
      const counts = `tests="${elements.length}" failures="${failures}" errors="${errors}"`;
      const timestamp =
        startedAt === undefined
          ? ''
          : ` timestamp="${new Date(startedAt).toISOString().replace(/\.\d+Z$/, '')}"`;
      const suite = `name="portping" ${counts} time="${time}"`;
      const lines = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        `<testsuites ${suite}>\n`,
        `  <testsuite ${suite} skipped="0"${timestamp}>\n`,
        ...elements,
        '  </testsuite>\n</testsuites>\n',
      ];
      return { stdout: lines.join(''), stderr: '' };
    },
  };
}
