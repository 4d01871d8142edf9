import { describe, expect, it } from 'vitest';
import {
  FORMAT_NAMES,
  FORMATS,
  formatsThatShow,
  type DisplayOption,
} from '../../../src/report/formats/registry.js';
import type { ReportOptions } from '../../../src/report/reporter.js';
import { Statistics } from '../../../src/core/series/statistics.js';
import { eventOf, openOutcome, options, reportOf } from '../../support/reports.js';
import { totalsOf } from '../../support/texts.js';

/** The complete output of a run with one open probe in a format. */
async function written(
  format: (typeof FORMAT_NAMES)[number],
  facts: Partial<ReportOptions>,
): Promise<string> {
  const reporter = await FORMATS[format].create(options(facts));
  const event = eventOf(
    reportOf(openOutcome({ dropped: { by: 'end', afterMs: 1, receivedBytes: 0 } })),
  );
  const statistics = new Statistics();
  statistics.add(event);
  const { target } = event.report;
  const outputs = [
    reporter.probe(event),
    reporter.summaries([
      {
        type: 'summary',
        target,
        address: null,
        summary: statistics.summary(),
        final: true,
        exitCode: 0,
      },
    ]),
    reporter.finish(totalsOf(1)),
  ];
  return outputs.map(({ stdout, stderr }) => stdout + stderr).join('');
}

/** Options that are passed to the reporter; `--quiet` and `--verbose` act elsewhere. */
const GIVEN_TO_REPORTERS = ['timestamps', 'histogram'] as const satisfies DisplayOption[];

describe('the formats', () => {
  it.each(
    FORMAT_NAMES.flatMap((format) => GIVEN_TO_REPORTERS.map((option) => [format, option] as const)),
  )('%s changes with --%s exactly if its row says so', async (format, option) => {
    const isShown = (await written(format, { [option]: true })) !== (await written(format, {}));
    expect(isShown).toBe(FORMATS[format].shows[option]);
  });

  it.each(FORMAT_NAMES)('%s has its own exit codes exactly if it is a check', async (format) => {
    const reporter = await FORMATS[format].create(options());
    expect(reporter.exitCode !== undefined).toBe(FORMATS[format].isCheck);
  });

  it('are listed by the option that they show', () => {
    expect(formatsThatShow('timestamps')).toEqual(['text']);
    expect(formatsThatShow('verbose')).toEqual(['text', 'json']);
  });

  it.each(FORMAT_NAMES)('%s can be repeated or has a clause that gives the reason', (format) => {
    expect(FORMATS[format].onceBecause ?? 'a reason').toMatch(/^[a-z][^.;]*[a-z]$/);
  });
});
