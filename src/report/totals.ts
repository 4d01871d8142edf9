import { formatCount, formatDuration } from './numbers.js';
import type { Totals } from './reporter.js';

const countStates = ({ counts }: Totals): string =>
  Object.entries(counts)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ') || 'none';

/**
 * The end of a run over many targets, in one line.
 *
 * @param states the states with their numbers
 */
export function describeTotals(totals: Totals, states = countStates(totals)): string {
  const { probes, unexpected, hasExpectations, elapsedMs, isComplete } = totals;
  const judged = hasExpectations ? `; ${unexpected} not as expected` : '';
  const cut = isComplete ? '' : '; the run ended early';
  const length = formatDuration(elapsedMs);
  return `${formatCount(probes, 'probe')} in ${length}: ${states}${judged}${cut}.`;
}
