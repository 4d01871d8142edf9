import { escapeMarkup } from '../escape.js';
import { type Reporter, SILENCE } from '../reporter.js';
import { type TestCase, testCaseOf, type TestSettings } from '../test-case.js';

function element({ name, host, passed, seen, message, isError, seconds }: TestCase): string {
  const open = `    <testcase classname="portping.${escapeMarkup(host)}" name="${escapeMarkup(name)}" time="${seconds.toFixed(3)}"`;
  if (passed) return `${open}/>\n`;
  const kind = isError ? 'error' : 'failure';
  return `${open}>\n      <${kind} type="${escapeMarkup(seen.split(' ')[0] ?? '')}" message="${escapeMarkup(seen)}">${escapeMarkup(message)}</${kind}>\n    </testcase>\n`;
}

/**
 * JUnit's XML as Jenkins' xunit plugin defines it (junit-10.xsd): each probe a test case. It is written at the end, because its head counts the cases.
 */
export function junitReporter(settings: TestSettings): Reporter {
  const elements: string[] = [];
  let failures = 0;
  let errors = 0;
  let startedAt: number | undefined;
  return {
    probe(event) {
      const testCase = testCaseOf(event, settings);
      startedAt ??= event.report.startedAt;
      if (!testCase.passed && testCase.isError) errors += 1;
      if (!testCase.passed && !testCase.isError) failures += 1;
      elements.push(element(testCase));
      return SILENCE;
    },
    outage: () => SILENCE,
    summary: () => SILENCE,
    finish({ elapsedMs, isComplete }) {
      if (!isComplete) {
        errors += 1;
        elements.push(
          '    <testcase classname="portping" name="every target was probed" time="0.000">\n      <error type="incomplete" message="the run ended before the last probe"></error>\n    </testcase>\n',
        );
      }
      const counts = `tests="${elements.length}" failures="${failures}" errors="${errors}" time="${(elapsedMs / 1000).toFixed(3)}"`;
      const timestamp =
        startedAt === undefined
          ? ''
          : ` timestamp="${new Date(startedAt).toISOString().replace(/\.\d+Z$/, '')}"`;
      const head = `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="portping" ${counts}>\n  <testsuite name="portping" ${counts} skipped="0"${timestamp}>\n`;
      return { stdout: `${head}${elements.join('')}  </testsuite>\n</testsuites>\n`, stderr: '' };
    },
  };
}
