import type { Reporter, ReportOptions } from '../reporter.js';
import { describeTotals } from '../totals.js';
import { Minority } from './minority.js';
import { type MoreText, plainTextReporter } from './plain-text.js';

/** The lines of several targets that are probed once, and how many had which state. */
export function manyTextReporter(options: ReportOptions, more: MoreText = {}): Reporter {
  const minority = new Minority();
  const reporter = plainTextReporter(options, {
    ...more,
    describeTotals: (totals) => describeTotals(totals, minority.describe(totals)),
  });
  return {
    ...reporter,
    probe(event) {
      minority.add(event);
      return reporter.probe(event);
    },
  };
}
