import type { ProbeReport } from '../../core/facts/outcome.js';
import { explainFailure } from './failure-words.js';
import { describeOtherFailures, type Explanation } from '../outcome-words.js';
import { adviseOnService, describeService } from '../service.js';

/**
 * Why the target is not open, or its service did not answer. Null when all is well, and when the
 * probe was cancelled.
 */
export function explain(report: ProbeReport): Explanation | null {
  const { outcome } = report;
  if (outcome.state !== 'open') return explainFailure(report);
  const { service } = outcome;
  const advice = service && adviseOnService(service);
  return service && advice !== null
    ? { what: `Service: ${describeService(service)}`, advice }
    : null;
}

/** The explanation in one line, with every other address that failed; null as for `explain`. */
export function explainInOneLine(report: ProbeReport): string | null {
  const explanation = explain(report);
  if (explanation === null) return null;
  // Not concatenated: Node 26 writes the flat string of join() as JSON in half of the time.
  return [explanation.what, ...describeOtherFailures(report), explanation.advice].join(' ');
}
