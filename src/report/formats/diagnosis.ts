import type { Diagnosis } from '../../core/diagnosis/diagnose.js';
import type {
  AddressObservation,
  DnsServerObservation,
  Observations,
} from '../../core/diagnosis/observations/observations.js';
import { describeAnswer, type Evidence } from '../../core/diagnosis/rules/evidence.js';
import { isPrivateHint } from '../../core/diagnosis/rules/hints.js';
import { isSentFromHere, isStoppedHere } from '../../core/diagnosis/rules/local-firewall.js';
import type { Finding } from '../../core/diagnosis/rules/table.js';
import type { Attempt } from '../../core/facts/outcome.js';
import { exitCodeOf } from '../../core/states.js';
import { formatEndpoint, formatHostPort } from '../../core/target/target.js';
import { escapeControls, formatJsonLine } from '../escape.js';
import { formatDuration, formatTime, roundMilliseconds } from '../numbers.js';
import { describeAttempt, describeKernel } from '../outcome-words.js';
import { JSON_SCHEMA, type Paint } from '../reporter.js';

/** Whether a check passed, failed, or only informs. */
type Mark = 'good' | 'bad' | 'none';

/** One line about one observation. */
interface Check {
  readonly mark: Mark;
  readonly text: string;
}

/** Checks under one title. */
interface Section {
  readonly title: string;
  readonly checks: readonly Check[];
}

const MARKS = {
  unicode: { good: '✔', bad: '✖', none: '–' },
  ascii: { good: '+', bad: 'x', none: '-' },
} as const;

const COLOURS = { good: 'good', bad: 'bad', none: 'dim' } as const satisfies Record<
  Mark,
  keyof Paint
>;

const TITLE_WIDTH = 12;

const passed = (isGood: boolean, text: string): Check => ({ mark: isGood ? 'good' : 'bad', text });
const info = (text: string): Check => ({ mark: 'none', text });

function serverCheck({ server, a, aaaa }: DnsServerObservation): Check {
  const answers = [['A', a] as const, ['AAAA', aaaa] as const].flatMap(([type, answer]) =>
    answer ? [{ type, ...answer }] : [],
  );
  const texts = answers.map(
    (answer) => `${answer.type}: ${describeAnswer(answer)} (${formatDuration(answer.elapsedMs)})`,
  );
  const hasAddresses = answers.some(({ kind }) => kind === 'addresses');
  return passed(hasAddresses, `DNS server ${server}: ${texts.join(', ')}`);
}

function resolutionCheck({ resolution }: Observations['name']): Check {
  const { via, state, elapsedMs } = resolution;
  const resolver = via === 'system' ? "the system's resolver" : `DNS server ${via}`;
  const isResolved = resolution.state === 'resolved';
  const answer = isResolved
    ? resolution.addresses.map(({ address }) => address).join(', ')
    : 'reason' in resolution
      ? resolution.reason
      : state;
  return passed(isResolved, `${resolver}: ${answer} (${formatDuration(elapsedMs)})`);
}

/** Checks of the name without those of the search domains. */
function nameChecks(name: Observations['name']): Check[] {
  if (name.resolution.via === 'literal') return [info('the target is an address')];
  const inFile = name.hostsFile?.addresses ?? [];
  return [
    resolutionCheck(name),
    ...name.servers.map(serverCheck),
    ...(inFile.length > 0 ? [info(`${name.hostsFile?.path}: ${inFile.join(', ')}`)] : []),
  ];
}

const searchChecks = ({ foundBySearch }: Observations['name']): Check[] =>
  foundBySearch.map(({ name, addresses }) =>
    info(`with a search domain, ${name}: ${addresses.join(', ')}`),
  );

const SOURCES = { resolver: '', dns: ' (only from a DNS server)', given: ' (--ip)' } as const;

function describeDrop(attempt: Attempt): string {
  if (attempt.state !== 'open' || !attempt.dropped) return '';
  const { by, afterMs, receivedBytes } = attempt.dropped;
  const said = receivedBytes > 0 ? ` and ${receivedBytes} bytes` : '';
  const end = by === 'reset' ? by : 'closed';
  return `, ${end} by the other side ${formatDuration(afterMs)}${said} later`;
}

const describeEndpoint = (attempt: Attempt, label = ''): string =>
  `${formatEndpoint(attempt.endpoint)}${label}: ${describeAttempt(attempt)}`;

const describeDelay = (attempt: Attempt): string =>
  attempt.state === 'open' && attempt.kernel ? `, ${describeKernel(attempt.kernel)}` : '';

const describeAddress = ({ source, attempt }: AddressObservation): string =>
  `${describeEndpoint(attempt, SOURCES[source])}${describeDelay(attempt)}${describeDrop(attempt)}`;

const addressChecks = ({ addresses }: Observations): Check[] =>
  addresses.map((each) => {
    const text = describeAddress(each);
    const { state } = each.attempt;
    return state === 'cancelled' ? info(text) : passed(state === 'open', text);
  });

/** Whether packets for the port leave this machine; no line if the counters do not show it. */
function localFilterChecks(localFilter: Observations['localFilter']): Check[] {
  if (localFilter === null) return [];
  if (isStoppedHere(localFilter))
    return [passed(false, 'packets for this port do not leave this machine')];
  return isSentFromHere(localFilter)
    ? [passed(true, 'packets for this port pass the firewall of this machine')]
    : [];
}

function machineChecks({ machine, localFilter }: Observations): Check[] {
  const { addresses, sourceAddress, proxy } = machine;
  const count = (family: 4 | 6): number =>
    addresses.filter((each) => each.family === family).length;
  const source = sourceAddress === null ? '' : `, source ${sourceAddress}`;
  const isUp = addresses.length > 0;
  const up = isUp
    ? `${count(4)} IPv4 and ${count(6)} IPv6 addresses are up${source}`
    : 'no address is up';
  return [
    passed(isUp, up),
    ...localFilterChecks(localFilter),
    ...(proxy ? [info(`${proxy.variable}: ${proxy.proxy}`)] : []),
  ];
}

/** Loopback and other ports. */
const listPorts = ({ loopback, companions: otherPorts }: Observations): Attempt[] => [
  ...loopback,
  ...(otherPorts ?? []),
];

function portChecks(seen: Observations): Check[] {
  const { nobody: unused, refusalTiming: timing } = seen;
  const ports = listPorts(seen).map((each) =>
    passed(each.state === 'open' || each.state === 'closed', describeEndpoint(each)),
  );
  const fastest = timing
    ? [
        info(
          `fastest refusal ${formatDuration(timing.refusedMs)}, ` +
            `fastest handshake with port ${timing.openPort} ${formatDuration(timing.openMs)}`,
        ),
      ]
    : [];
  const opened =
    unused?.state === 'open'
      ? [passed(false, describeEndpoint(unused, ' (no host may have this address)'))]
      : [];
  return [...ports, ...fastest, ...opened];
}

function portTitle({ loopback, companions: otherPorts }: Observations): string {
  if (otherPorts) return 'Other ports';
  return loopback.length > 0 ? 'Loopback' : 'Control';
}

const sectionsOf = (seen: Observations): Section[] => [
  { title: 'Name', checks: [...nameChecks(seen.name), ...searchChecks(seen.name)] },
  { title: 'Address', checks: addressChecks(seen) },
  { title: 'Machine', checks: machineChecks(seen) },
  { title: portTitle(seen), checks: portChecks(seen) },
];

const describeEvidence = ({ evidence }: Finding): string =>
  evidence
    .map(({ fact, elapsedMs }: Evidence) =>
      elapsedMs === null ? fact : `${fact} (${formatDuration(elapsedMs)})`,
    )
    .join('; ');

/** The findings beside the verdict. */
const otherFindings = ({ findings, verdict }: Diagnosis): Finding[] =>
  findings.filter((each) => each !== verdict);

/** How a diagnosis is shown in text. */
export interface DiagnosisTextOptions {
  readonly paint: Paint;
  /** False for marks in ASCII. */
  readonly unicode: boolean;
}

/** For people: every check, then the verdict with evidence, certainty and advice, then hints. */
export function diagnosisText(
  diagnosis: Diagnosis,
  { paint, unicode }: DiagnosisTextOptions,
): string {
  const { observations, verdict } = diagnosis;
  const marks = unicode ? MARKS.unicode : MARKS.ascii;
  const checks = sectionsOf(observations).flatMap((section) =>
    section.checks.map(({ mark, text }, index) => {
      const title = (index === 0 ? section.title : '').padEnd(TITLE_WIDTH);
      return `${paint[COLOURS[mark]](marks[mark])} ${title}${escapeControls(text)}`;
    }),
  );
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
