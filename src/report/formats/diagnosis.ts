import type { Diagnosis } from '../../core/diagnosis/diagnose.js';
import type { Observations } from '../../core/diagnosis/observations/observations.js';
import type { Evidence } from '../../core/diagnosis/rules/evidence.js';
import { isPrivateHint } from '../../core/diagnosis/rules/hints.js';
import type { Finding } from '../../core/diagnosis/rules/table.js';
import { exitCodeOf } from '../../core/states.js';
import { formatHostPort } from '../../core/target/target.js';
import { escapeControls, formatJsonLine } from '../escape.js';
import { formatDuration, formatTime, roundMilliseconds } from '../numbers.js';
import { JSON_SCHEMA } from '../reporter.js';
import {
  CheckLines,
  describeAddress,
  describeEndpoint,
  type DiagnosisTextOptions,
  listPorts,
  nameChecks,
  portTitle,
} from './diagnosis-checks.js';

const describeEvidence = ({ evidence }: Finding): string =>
  evidence
    .map(({ fact, elapsedMs }: Evidence) =>
      elapsedMs === null ? fact : `${fact} (${formatDuration(elapsedMs)})`,
    )
    .join('; ');

/** The findings beside the verdict. */
const otherFindings = ({ findings, verdict }: Diagnosis): Finding[] =>
  findings.filter((each) => each !== verdict);

/**
 * For people: every check, then the verdict with evidence, certainty and advice, then hints.
 *
 * @param lines those that were written while the diagnosis ran are left out
 */
export function diagnosisText(
  diagnosis: Diagnosis,
  options: DiagnosisTextOptions,
  lines = new CheckLines(options),
): string {
  const { observations, verdict } = diagnosis;
  const { paint } = options;
  const checks = lines.next(observations);
  const colour = observations.outcome.state === 'open' ? 'good' : 'bad';
  return [
    ...checks,
    '',
    paint[colour](escapeControls(verdict.statement)),
    `Evidence: ${escapeControls(describeEvidence(verdict))}.`,
    `How sure: ${verdict.certainty}.`,
    `Next: ${escapeControls(verdict.advice)}`,
    ...otherFindings(diagnosis).map(
      ({ statement, advice }) => `Also: ${escapeControls(`${statement} ${advice}`)}`,
    ),
    '',
  ].join('\n');
}

/** The value with every number rounded as milliseconds are. */
const roundNumbers = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, each: unknown) =>
      typeof each === 'number' ? roundMilliseconds(each) : each,
    ),
  );

/** For programs: one JSON object on one line. */
export function diagnosisJson({ observations, findings, verdict }: Diagnosis): string {
  const { startedAt, elapsedMs, outcome, target } = observations;
  return formatJsonLine({
    schema: JSON_SCHEMA,
    type: 'diagnosis',
    time: formatTime(startedAt),
    elapsedMs: roundNumbers(elapsedMs),
    target,
    state: outcome.state,
    reason: 'reason' in outcome ? outcome.reason : null,
    exitCode: exitCodeOf(outcome.state),
    verdict: roundNumbers(verdict),
    findings: roundNumbers(findings),
    observations: roundNumbers(observations),
  });
}

/** Escapes text for Markdown: its own marks, and what would end the line. */
const escapeMarkdown = (text: string): string =>
  escapeControls(text).replace(/[\\`*_{}[\]<>#|~]/g, '\\$&');

/** The rows of a ticket's table: what was probed, from where, and each result. */
function ticketRows(seen: Observations, version: string): [title: string, text: string][] {
  const { startedAt, elapsedMs, machine, name, addresses } = seen;
  const { hostName, sourceAddress, timeZone } = machine;
  const servers = name.servers.map(({ server }) => server).join(', ');
  const resolver = name.resolution.via === 'literal' ? 'none' : servers || name.resolution.via;
  const time = formatTime(startedAt);
  return [
    ['Time', `${time} (time zone: ${timeZone}), ${formatDuration(elapsedMs)}`],
    ['From', `${hostName}${sourceAddress === null ? '' : `, source address ${sourceAddress}`}`],
    ['Resolver', resolver],
    ...nameChecks(name).map(({ text }): [string, string] => ['Name', text]),
    ...addresses.map((each): [string, string] => ['Address', describeAddress(each)]),
    ...listPorts(seen).map((each): [string, string] => [portTitle(seen), describeEndpoint(each)]),
    ['Version', `portping ${version}`],
  ];
}

/**
 * For a ticket, in Markdown. Of this machine it contains only time zone, host name, source address
 * and resolver.
 */
export function diagnosisMarkdown(diagnosis: Diagnosis, version: string): string {
  const { observations, verdict } = diagnosis;
  const { target, outcome } = observations;
  const hints = otherFindings(diagnosis).filter(({ kind }) => !isPrivateHint(kind));
  return [
    `### ${escapeMarkdown(formatHostPort(target.host, target.port))}: ${outcome.state}`,
    '',
    `**${escapeMarkdown(verdict.statement)}**`,
    '',
    `* Evidence: ${escapeMarkdown(describeEvidence(verdict))}`,
    `* How sure: ${verdict.certainty}`,
    `* Next: ${escapeMarkdown(verdict.advice)}`,
    ...hints.map(({ statement }) => `* Also: ${escapeMarkdown(statement)}`),
    '',
    '| | |',
    '|---|---|',
    ...ticketRows(observations, version).map(
      ([title, text]) => `| ${title} | ${escapeMarkdown(text)} |`,
    ),
    '',
  ].join('\n');
}
