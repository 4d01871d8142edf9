import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/core/facts/outcome.js';
import { Statistics } from '../../../src/core/series/statistics.js';
import { textReporter } from '../../../src/report/formats/text.js';
import type { ReportOptions, SummaryEvent } from '../../../src/report/reporter.js';
import { eventsOf, outageEvent } from '../../support/events.js';
import {
  closedOutcome,
  HARMFUL,
  HOSTILE,
  options,
  silentService,
  openOutcome,
} from '../../support/reports.js';

function summaryOf(
  host: string,
  outcomes: readonly (Outcome | number)[],
  facts: Partial<SummaryEvent> = {},
): SummaryEvent {
  const statistics = new Statistics();
  for (const event of eventsOf(outcomes)) statistics.add(event);
  if (outcomes.at(-1) !== undefined && typeof outcomes.at(-1) !== 'number')
    statistics.add(outageEvent());
  const summary = statistics.summary();
  const target = { host, port: 5432 };
  return { type: 'summary', target, address: null, summary, final: true, exitCode: 0, ...facts };
}

const THREE = [
  summaryOf('db.example.com', [1, 2, 3, 12.3]),
  summaryOf('192.0.2.20', [closedOutcome(), closedOutcome()]),
  summaryOf('cache', []),
];

/** The lines of the summaries, on a terminal of 100 columns unless other options are given. */
function linesOf(events: readonly SummaryEvent[], facts: Partial<ReportOptions> = {}): string[] {
  const canvas = { width: 100, unicode: true };
  const reporter = textReporter(options({ canvas, sparkline: true, ...facts }));
  const { stdout, stderr } = reporter.summaries(events);
  expect(stdout).toBe('');
  return stderr.trimEnd().split('\n');
}

describe('the summaries of several targets', () => {
  it('are one aligned table', () => {
    expect(linesOf(THREE)).toEqual([
      '--- 3 targets ---',
      'target               state       sent  loss  p50 ms  p95 ms  max ms  outage',
      'db.example.com:5432  open           4    0%    2.00    12.3    12.3       -  ▁▂▂█',
      '192.0.2.20:5432      closed         2  100%       -       -       -     5 s',
      'cache:5432           no verdict     0     -       -       -       -       -',
    ]);
  });

  it('go without columns on a narrow terminal, but never without state, loss and outage', () => {
    const lines = linesOf(THREE, { canvas: { width: 60, unicode: true } });
    expect(lines.slice(1)).toEqual([
      'target               state       loss  p95 ms  outage',
      'db.example.com:5432  open          0%    12.3       -',
      '192.0.2.20:5432      closed      100%       -     5 s',
      'cache:5432           no verdict     -       -       -',
    ]);
    for (const line of linesOf(THREE, { canvas: { width: 30, unicode: true } }).slice(1))
      expect(line).toMatch(/^(target +state +loss +outage|\S+ +(open|closed|no verdict) .*)$/);
  });

  it('have all columns and no bars where stderr is not a terminal', () => {
    const lines = linesOf(THREE, { canvas: { width: 20, unicode: true }, sparkline: false });
    expect(lines[1]).toMatch(/^target +state +sent +loss +p50 ms +p95 ms +max ms +outage$/);
    expect(lines[2]).toMatch(/ -$/);
  });

  it('have their bars in ASCII where there is no Unicode', () => {
    expect(linesOf(THREE, { canvas: { width: 100, unicode: false } })[2]).toMatch(/ {2}_\.\.@$/);
  });

  it('say when they are not the last, and name the addresses of a name', () => {
    const events = ['192.0.2.1', '192.0.2.2'].map((address) =>
      summaryOf('db', [1], { address, final: false }),
    );
    const lines = linesOf(events);
    expect(lines[0]).toBe('--- 2 targets, so far ---');
    expect(lines[3]).toMatch(/^db:5432 \(192\.0\.2\.2\) {2}open /);
  });

  it('are followed by what has no column', () => {
    const silent = openOutcome({ service: silentService() });
    const lines = linesOf([summaryOf('mail', [silent]), summaryOf('db', [1])]);
    expect(lines.slice(4)).toEqual(['mail:5432  service: 0 answered, 1 silent']);
  });

  it('have a block each before the table with -v or --histogram', () => {
    for (const facts of [{ verbose: true }, { histogram: true }]) {
      const lines = linesOf(THREE, facts);
      expect(lines[0]).toBe('--- db.example.com:5432 ---');
      expect(lines).toContain('--- cache:5432 ---');
      expect(lines.at(-5)).toBe('--- 3 targets ---');
    }
  });

  it('are a block if there is only one target', () => {
    expect(linesOf(THREE.slice(0, 1))[0]).toBe('--- db.example.com:5432 ---');
  });

  it('hold no control characters of a hostile name', () => {
    for (const line of linesOf([summaryOf(HOSTILE, [1]), summaryOf('db', [1])]))
      expect(line).not.toMatch(HARMFUL);
  });
});
