import { EXPOSITION_TYPE, renderMetrics } from '../../report/formats/prometheus.js';
import { roundMilliseconds } from '../../report/numbers.js';
import { type Answer, PLAIN_TEXT } from './answer.js';
import { renderBlackboxMetrics } from '../probing/blackbox-metrics.js';
import { renderDebugText } from '../probing/debug-text.js';
import { MOST_ADDRESSES, type ProbeAnswer } from '../probing/prober.js';
import type { MetricNames, Page, PageParts, PageRequest } from './page.js';
import { resultOf } from './recent-results.js';

const leftOutNote = (count: number): string =>
  count === 0
    ? ''
    : `# ${count} more ${count === 1 ? 'address' : 'addresses'} of this name ` +
      `${count === 1 ? 'was' : 'were'} not probed: not allowed, or beyond ${MOST_ADDRESSES}.\n`;

/** Counts, remembers and logs the results of a request. */
function record(
  { metrics, recent, log }: PageParts,
  { client, signal }: PageRequest,
  { probes, leftOut, elapsedMs }: ProbeAnswer,
): void {
  metrics.countProbes(
    probes.map(({ report }) => report.outcome.state),
    elapsedMs,
  );
  for (const probe of probes) {
    const result = resultOf(probe);
    if (!signal.aborted) recent.add(result);
    const { target, address, state, reason } = result;
    log('probe', {
      client,
      target,
      address,
      state,
      reason,
      elapsedMs: roundMilliseconds(result.elapsedMs),
      ...(leftOut > 0 ? { leftOut } : {}),
    });
  }
}

/** The results as metrics, with the names that were chosen. */
const renderProbe = (names: MetricNames, answer: ProbeAnswer): string =>
  [
    names === 'portping' ? '' : renderBlackboxMetrics(answer),
    names === 'blackbox' ? '' : renderMetrics(answer.probes),
    leftOutNote(answer.leftOut),
  ].join('');

/**
 * Makes the probe that a request asks for.
 *
 * @throws Refusal when it is invalid or not allowed
 */
export async function runProbe(parts: PageParts, request: PageRequest): Promise<ProbeAnswer> {
  const { parameters, headers, signal } = request;
  const scrapeTimeout = headers['x-prometheus-scrape-timeout-seconds']?.toString();
  const answer = await parts.prober.probe(parameters, scrapeTimeout, signal);
  record(parts, request, answer);
  return answer;
}

async function answerProbe(parts: PageParts, request: PageRequest): Promise<Answer> {
  const answer = await runProbe(parts, request);
  const metrics = renderProbe(parts.metricNames, answer);
  const { debug } = answer.request;
  return {
    status: 200,
    headers: {
      'Content-Type': debug ? PLAIN_TEXT['Content-Type'] : EXPOSITION_TYPE,
      'Cache-Control': 'no-store',
    },
    body: debug ? renderDebugText(answer, metrics) : metrics,
  };
}

/** Makes a probe, and answers with its metrics. */
export const probePage = (parts: PageParts): Page => ({
  path: '/probe',
  hasEffects: true,
  answer: (request) => answerProbe(parts, request),
});
