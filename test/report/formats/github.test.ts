import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProbeEvent } from '../../../src/core/facts/events.js';
import { judge } from '../../../src/core/facts/expectation.js';
import { githubReporter } from '../../../src/report/formats/github.js';
import {
  closedOutcome,
  eventOf,
  filteredOutcome,
  HARMFUL,
  openOutcome,
  reportOf,
} from '../../support/reports.js';
import { anyEvent, totalsOf } from '../../support/texts.js';

function run(events: readonly ProbeEvent[], isComplete = true) {
  const reporter = githubReporter({ expect: 'open', service: 'smtp', rounds: true });
  for (const event of events) expect(reporter.probe(event)).toEqual({ stdout: '', stderr: '' });
  const { stdout, stderr } = reporter.finish({ ...totalsOf(events.length), isComplete });
  expect(stderr).toBe('');
  return { stdout, summary: reporter.jobSummary?.() ?? '' };
}

const targetOf = (host: string, port = 25) => ({ target: { host, port } });

/** A command as GitHub's runner reads it (actions/runner, ActionCommand.TryParseV2). */
function readCommand(line: string) {
  const end = line.indexOf('::', 2);
  if (!line.startsWith('::') || end < 0) return null;
  const [, name = '', properties = ''] = /^(\S+) ?(.*)$/s.exec(line.slice(2, end)) ?? [];
  const unescape = (text: string): string =>
    text
      .replaceAll('%0D', '\r')
      .replaceAll('%0A', '\n')
      .replaceAll('%3A', ':')
      .replaceAll('%2C', ',')
      .replaceAll('%25', '%');
  const entries = properties.split(',').map((each): [string, string] => {
    const at = each.indexOf('=');
    return [each.slice(0, at), unescape(each.slice(at + 1))];
  });
  return { name, properties: Object.fromEntries(entries), message: line.slice(end + 2) };
}

describe('the annotations for GitHub', () => {
  it('are one for each target that is not as expected', () => {
    const { stdout } = run([
      eventOf(reportOf(openOutcome(), targetOf('a'))),
      eventOf(reportOf(closedOutcome(), targetOf('b'))),
      eventOf(reportOf(filteredOutcome(), targetOf('2001:db8::1'))),
    ]);
    expect(stdout).toMatch(
      new RegExp(
        String.raw`^::error title=b%3A25%3A closed \(conn-refused\) \(192\.0\.2\.10\)::Expected: ` +
          String.raw`b:25 is open and smtp answers\. 10061 WSAECONNREFUSED [^\n]*\n` +
          String.raw`::error title=\[2001%3Adb8%3A%3A1\]%3A25%3A filtered \(no-response\)[^\n]*\n$`,
      ),
    );
  });

  it('are none if all targets are as expected, also if they are closed', () => {
    const closed = reportOf(closedOutcome());
    const verdict = judge(closed.outcome, { expect: 'closed' });
    const request = { ...targetOf('mail.example.com'), expect: 'closed' } as const;
    expect(run([eventOf(closed, { request, verdict })]).stdout).toBe('');
  });

  it('are one for a target that is probed several times, with the number of failures', () => {
    const outcomes = [openOutcome(), closedOutcome(), filteredOutcome()];
    const { stdout } = run(outcomes.map((outcome) => eventOf(reportOf(outcome))));
    expect(stdout.match(/^::/gm)).toHaveLength(1);
    expect(stdout).toContain('closed (conn-refused) (192.0.2.10)%2C 2 of 3 probes::');
  });

  it('say that a run ended early: what was not probed is not as expected', () => {
    const { stdout, summary } = run([], false);
    expect(stdout).toBe('::error title=portping::The run ended before the last probe.\n');
    expect(summary).toContain('The run ended before the last probe.');
  });

  it('are escaped by the rules of GitHub', () => {
    const { stdout } = run([eventOf(reportOf(closedOutcome(), targetOf('50%,a=b\r\n;x')))]);
    expect(stdout).toContain('::error title=50%25%2Ca=b\\x0d\\x0a;x%3A25%3A closed');
    expect(stdout).toContain('::Expected: 50%25,a=b\\x0d\\x0a;x:25 is open');
  });

  it('cannot be forged by names or banners', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 4 }), fc.boolean(), (events, isComplete) => {
        const lines = run(events, isComplete).stdout.split('\n');
        expect(lines.pop()).toBe('');
        for (const line of lines) {
          expect(line).not.toMatch(HARMFUL);
          expect(readCommand(line)).toMatchObject({ name: 'error' });
          expect(Object.keys(readCommand(line)?.properties ?? {})).toEqual(['title']);
        }
        const wrong = events.filter(({ verdict }) => !verdict.asExpected);
        const targets = new Set(wrong.map(({ report: { target } }) => target.host));
        expect(lines).toHaveLength(targets.size + (isComplete ? 0 : 1));
      }),
    );
  });
});

describe('the job summary for GitHub', () => {
  it('counts the targets and lists those that failed first', () => {
    const { summary } = run([
      eventOf(reportOf(openOutcome(), targetOf('a'))),
      eventOf(reportOf(closedOutcome(), targetOf('b'))),
    ]);
    expect(summary).toMatch(
      new RegExp(
        String.raw`^### portping: 1 of 2 targets not as expected\n\n\| \| expected \| seen \| ` +
          String.raw`explanation \|\n\|---\|---\|---\|---\|\n\| ❌ \| b\\:25 is open [^\n]*\n` +
          String.raw`\| ✅ \| a\\:25 is open [^\n]* \|  \|\n\n$`,
      ),
    );
  });

  it('has no rows beyond what GitHub shows', () => {
    const events = Array.from({ length: 505 }, (_, index) =>
      eventOf(reportOf(closedOutcome(), targetOf('a', index + 1))),
    );
    const { summary } = run(events);
    expect(summary.match(/^\| ❌/gm)).toHaveLength(500);
    expect(summary).toMatch(/\nAnd 5 more\.\n/);
    expect(Buffer.byteLength(summary)).toBeLessThan(1024 * 1024);
  });

  it('keeps its cells, whatever names and banners hold', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 4 }), (events) => {
        const { summary } = run(events);
        const rows = summary.split('\n').filter((line) => /^\| [❌✅]/u.test(line));
        expect(rows).toHaveLength(new Set(events.map(({ report }) => report.target.host)).size);
        expect(summary.split('\n')).toHaveLength(rows.length + 6);
        for (const row of rows) {
          expect(row).not.toMatch(HARMFUL);
          const bare = row.replace(/\\[!-/:-@[-`{-~]/g, '');
          expect(bare.match(/\|/g)).toHaveLength(5);
          expect(bare).not.toMatch(/[<>&`*_[\]]/);
        }
      }),
    );
  });
});
