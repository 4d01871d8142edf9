import type { ProbeEvent } from '../../core/facts/events.js';
import { formatHostPort } from '../../core/target/target.js';
import { formatCount } from '../numbers.js';
import { nameTarget } from '../outcome-words.js';
import { type Reporter, SILENCE, type Totals } from '../reporter.js';
import { createTestCase, type TestCase, type TestSettings } from './test-case.js';

/** The message of a command (actions/toolkit, command.ts, escapeData). */
const escapeData = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

/** A property of a command (actions/toolkit, command.ts, escapeProperty). */
const escapeProperty = (text: string): string =>
  escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

const errorCommand = (title: string, message: string): string =>
  `::error title=${escapeProperty(title)}::${escapeData(message)}\n`;

/** Text for a cell of a Markdown table: no punctuation keeps a meaning (CommonMark, 2.4). */
const escapeCell = (text: string): string => text.replace(/[!-/:-@[-`{-~]/g, '\\$&');

/** All probes of one target. */
interface TargetResult {
  readonly name: string;
  readonly first: TestCase;
  /** The first probe that was not as expected. */
  failure: TestCase | null;
  probes: number;
  failed: number;
}

/** `closed (conn-refused)`, or for several probes `closed (conn-refused), 3 of 5 probes`. */
function describeSeen({ first, failure, probes, failed }: TargetResult): string {
  const { seen } = failure ?? first;
  if (probes === 1) return seen;
  return `${seen}, ${failure ? `${failed} of ` : ''}${formatCount(probes, 'probe')}`;
}

/** GitHub shows at most 1 MiB; a row has a few hundred bytes. */
const MOST_ROWS = 500;

function summaryMarkdown(results: readonly TargetResult[], { isComplete }: Totals): string {
  const wrong = results.filter(({ failure }) => failure);
  const sorted = [...wrong, ...results.filter(({ failure }) => !failure)];
  const rows = sorted.slice(0, MOST_ROWS).map((result) => {
    const { name, message } = result.failure ?? { ...result.first, message: '' };
    const cells = [name, describeSeen(result), message].map(escapeCell);
    return `| ${result.failure ? '❌' : '✅'} | ${cells.join(' | ')} |`;
  });
  const left = sorted.length - rows.length;
  const count = formatCount(results.length, 'target');
  const verdict = wrong.length === 0 ? 'as expected' : 'not as expected';
  return [
    `### portping: ${wrong.length === 0 ? '' : `${wrong.length} of `}${count} ${verdict}`,
    ...(isComplete ? [] : ['', 'The run ended before the last probe.']),
    ...(rows.length > 0
      ? ['', '| | expected | seen | explanation |', '|---|---|---|---|', ...rows]
      : []),
    ...(left > 0 ? ['', `And ${left} more.`] : []),
    '',
    '',
  ].join('\n');
}

/**
 * Workflow commands of GitHub Actions: an error annotation for each target that is not as expected,
 * and a job summary in Markdown.
 */
export function githubReporter(settings: TestSettings): Reporter {
  const results = new Map<string, TargetResult>();
  let summary = '';
  const add = (event: ProbeEvent): void => {
    const { target } = event.report;
    const testCase = createTestCase(event, { ...settings, rounds: false });
    const key = formatHostPort(target.host, target.port);
    const known = results.get(key);
    const result = known ?? {
      name: nameTarget(target),
      first: testCase,
      failure: null,
      probes: 0,
      failed: 0,
    };
    if (!known) results.set(key, result);
    result.probes += 1;
    if (testCase.passed) return;
    result.failed += 1;
    result.failure ??= testCase;
  };
  return {
    probe(event) {
      add(event);
      return SILENCE;
    },
    outage: () => SILENCE,
    summaries: () => SILENCE,
    finish(totals) {
      const all = [...results.values()];
      const errors = all.flatMap((result) => {
        const { name, failure } = result;
        if (failure === null) return [];
        const title = `${name}: ${describeSeen(result)}`;
        return [errorCommand(title, `Expected: ${failure.name}. ${failure.message}`)];
      });
      if (!totals.isComplete)
        errors.push(errorCommand('portping', 'The run ended before the last probe.'));
      summary = summaryMarkdown(all, totals);
      return { stdout: errors.join(''), stderr: '' };
    },
    jobSummary: () => summary,
  };
}
