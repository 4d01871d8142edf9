import { formatEndpoint } from '../../core/target/target.js';
import { escapeControls } from '../../report/escape.js';
import { explainInOneLine } from '../../report/failures/explanation.js';
import { formatDuration } from '../../report/numbers.js';
import { describeAttempt, describeKernel, nameTarget } from '../../report/outcome-words.js';
import { describeResolution } from '../../report/failures/resolution-words.js';
import { describeService, describeTls } from '../../report/service.js';
import { describeModule } from '../config/modules.js';
import type { ProbeAnswer } from './prober.js';

type Probe = ProbeAnswer['probes'][number];

/** What one probe did and found, in the order of events. */
function describeProbe({ report, verdict }: Probe): string[] {
  const { target, startedAt, resolution, attempts, outcome } = report;
  const lines = [
    `Probe of ${nameTarget(target)} at ${new Date(startedAt).toISOString()}.`,
    ...(resolution.via === 'literal' ? [] : [`Name ${describeResolution(resolution)}.`]),
    ...attempts.map((attempt) => {
      const after = formatDuration(Math.max(attempt.startedAt - startedAt, 0));
      const where = formatEndpoint(attempt.endpoint);
      return `Attempt ${where} after ${after}: ${describeAttempt(attempt)}.`;
    }),
  ];
  if (outcome.state === 'open') {
    const { kernel, service } = outcome;
    if (kernel) lines.push(`Kernel: ${describeKernel(kernel)}.`);
    if (service) {
      lines.push(`Service: ${describeService(service)}`);
      if (service.tls) lines.push(`TLS: ${describeTls(service.tls, service.state === 'answered')}`);
    }
  }
  const why = verdict.asExpected ? null : explainInOneLine(report);
  return [...lines, `Result: ${outcome.state}.`, ...(why === null ? [] : [`Why: ${why}`])];
}

/**
 * The course of a probe in words, safe for a terminal. With the metrics it has the headings of
 * blackbox_exporter.
 */
export function renderDebugText(answer: ProbeAnswer, metrics?: string): string {
  const { probes, request, timeoutMs, elapsedMs } = answer;
  const course = [
    `Timeout: ${formatDuration(timeoutMs)}.`,
    ...probes.flatMap(describeProbe),
    `Total: ${formatDuration(elapsedMs)}.`,
  ].map((line) => `${escapeControls(line)}\n`);
  if (metrics === undefined) return course.join('');
  const module = JSON.stringify(describeModule(request.module));
  return [
    'Logs for the probe:\n',
    ...course,
    '\nMetrics that would have been returned:\n',
    metrics,
    '\nModule configuration:\n',
    `${escapeControls(request.moduleName || '(none)')}: ${module}\n`,
  ].join('');
}
