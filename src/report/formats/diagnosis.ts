import type { Diagnosis } from '../../core/diagnosis/diagnose.js';
import { describeAnswer, type Evidence } from '../../core/diagnosis/observations/evidence.js';
import type {
  AddressObservation,
  DnsServerObservation,
  Observations,
} from '../../core/diagnosis/observations/observations.js';
import type { Finding } from '../../core/diagnosis/rules/rules.js';
import type { Attempt } from '../../core/facts/outcome.js';
import { exitCodeOf } from '../../core/states.js';
import { formatEndpoint, formatHostPort } from '../../core/target/target.js';
import { escapeControls, formatJsonLine } from '../escape.js';
import { formatDuration, roundMilliseconds } from '../numbers.js';
import { describeAttempt } from '../outcome-words.js';
import { JSON_SCHEMA, type Paint } from '../reporter.js';

/** How a check ended: in order, not in order, or nothing to say of the kind. */
type Mark = 'good' | 'bad' | 'none';

interface Line {
  readonly section: string;
  readonly mark: Mark;
  readonly text: string;
}

const MARKS = {
  unicode: { good: '✔', bad: '✖', none: '–' },
  ascii: { good: '+', bad: 'x', none: '-' },
} as const;

const markOf = ({ state }: Attempt): Mark =>
  state === 'open' ? 'good' : state === 'cancelled' ? 'none' : 'bad';

function describeServer({ server, a, aaaa }: DnsServerObservation): Omit<Line, 'section'> {
  const answers = [
    ['A', a],
    ['AAAA', aaaa],
  ] as const;
  const texts = answers.flatMap(([type, answer]) =>
    answer ? [`${type}: ${describeAnswer(answer)} (${formatDuration(answer.elapsedMs)})`] : [],
  );
  const works = answers.some(([, answer]) => answer?.kind === 'addresses');
  return { mark: works ? 'good' : 'bad', text: `DNS server ${server}: ${texts.join(', ')}` };
}

function nameLines({
  name: { resolution, servers, hostsFile, foundBySearch },
}: Observations): Omit<Line, 'section'>[] {
  if (resolution.via === 'literal')
    return [{ mark: 'none', text: 'an address was given, no name' }];
  const who =
    resolution.via === 'system' ? "the system's resolver" : `DNS server ${resolution.via}`;
  const says =
    resolution.state === 'resolved'
      ? resolution.addresses.map(({ address }) => address).join(', ')
      : 'reason' in resolution
        ? resolution.reason
        : resolution.state;
  return [
    {
      mark: resolution.state === 'resolved' ? 'good' : 'bad',
      text: `${who}: ${says} (${formatDuration(resolution.elapsedMs)})`,
    },
    ...servers.map(describeServer),
    ...(hostsFile && hostsFile.addresses.length > 0
      ? [{ mark: 'none', text: `${hostsFile.path}: ${hostsFile.addresses.join(', ')}` } as const]
      : []),
    ...foundBySearch.map(
      ({ name, addresses }) =>
        ({ mark: 'none', text: `with a search domain, ${name}: ${addresses.join(', ')}` }) as const,
    ),
  ];
}

const SOURCES = { resolver: '', dns: ' (only from a DNS server)', given: ' (--ip)' } as const;

const describeAddress = ({ source, attempt }: AddressObservation): string => {
  const dropped =
    attempt.state === 'open' && attempt.dropped
      ? `, ${attempt.dropped.by === 'reset' ? 'reset' : 'closed'} by the other side ${formatDuration(attempt.dropped.afterMs)} later`
      : '';
  return `${formatEndpoint(attempt.endpoint)}${SOURCES[source]}: ${describeAttempt(attempt)}${dropped}`;
};

/** Whether packets for the port leave this machine; no line where the counters do not tell. */
function localFilterLines(localFilter: Observations['localFilter']): Omit<Line, 'section'>[] {
  if (localFilter === null) return [];
  const { target, control } = localFilter;
  if (
    target.answeredWithoutSending ||
    target.unreachableToSelf > 0 ||
    (target.mostPacketsSent === 0 && control !== null)
  )
    return [{ mark: 'bad', text: 'packets for that port do not leave it' }];
  return target.leastPacketsSent > 0
    ? [{ mark: 'good', text: 'packets leave it when that port is tried' }]
    : [];
}

function machineLines({ machine, localFilter }: Observations): Omit<Line, 'section'>[] {
  const { addresses, sourceAddress, proxy } = machine;
  const families = ([4, 6] as const)
    .map((family) => `${addresses.filter((each) => each.family === family).length} IPv${family}`)
    .join(' and ');
  const up =
    addresses.length === 0
      ? 'no address is up'
      : `${families} addresses are up${sourceAddress === null ? '' : `, source ${sourceAddress}`}`;
  return [
    { mark: addresses.length === 0 ? 'bad' : 'good', text: up },
    ...localFilterLines(localFilter),
    ...(proxy ? [{ mark: 'none', text: `${proxy.variable}: ${proxy.proxy}` } as const] : []),
  ];
}

function portLines({
  companions,
  loopback,
  nobody,
  refusalTiming,
}: Observations): Omit<Line, 'section'>[] {
  const attempts = [...loopback, ...(companions ?? [])].map(
    (each) =>
      ({
        mark: each.state === 'open' || each.state === 'closed' ? 'good' : 'bad',
        text: `${formatEndpoint(each.endpoint)}: ${describeAttempt(each)}`,
      }) as const,
  );
  return [
    ...attempts,
    ...(refusalTiming
      ? [
          {
            mark: 'none',
            text: `at best: refused in ${formatDuration(refusalTiming.refusedMs)}, port ${refusalTiming.openPort} open in ${formatDuration(refusalTiming.openMs)}`,
          } as const,
        ]
      : []),
    ...(nobody?.state === 'open'
      ? [
          {
            mark: 'bad',
            text: `${formatEndpoint(nobody.endpoint)}, where nobody can be: ${describeAttempt(nobody)}`,
          } as const,
        ]
      : []),
  ];
}

function linesOf(seen: Observations): Line[] {
  const sections: [string, Omit<Line, 'section'>[]][] = [
    ['Name', nameLines(seen)],
    [
      'Address',
      seen.addresses.map((each) => ({ mark: markOf(each.attempt), text: describeAddress(each) })),
    ],
    ['Machine', machineLines(seen)],
    [
      seen.companions ? 'Other ports' : seen.loopback.length > 0 ? 'Loopback' : 'Elsewhere',
      portLines(seen),
    ],
  ];
  return sections.flatMap(([section, lines]) =>
    lines.map((line, index) => ({ section: index === 0 ? section : '', ...line })),
  );
}

const describeEvidence = ({ fact, elapsedMs }: Evidence): string =>
  elapsedMs === null ? fact : `${fact} (${formatDuration(elapsedMs)})`;

const evidenceOf = ({ evidence }: Finding): string => evidence.map(describeEvidence).join('; ');

const hintsOf = ({ findings, verdict }: Diagnosis): Finding[] =>
  findings.filter((each) => each !== verdict);

/** How a diagnosis is shown in text. */
export interface DiagnosisTextOptions {
  readonly paint: Paint;
  /** Without it the marks are ASCII. */
  readonly unicode: boolean;
}

/** For people: what each check saw, then the verdict, its evidence, how sure it is, what to do, and what else is worth knowing. */
export function diagnosisText(
  diagnosis: Diagnosis,
  { paint, unicode }: DiagnosisTextOptions,
): string {
  const { observations, verdict } = diagnosis;
  const marks = unicode ? MARKS.unicode : MARKS.ascii;
  const colour = { good: paint.good, bad: paint.bad, none: paint.dim };
  const checks = linesOf(observations).map(
    ({ section, mark, text }) =>
      `${colour[mark](marks[mark])} ${section.padEnd(12)}${escapeControls(text)}`,
  );
  const good = observations.outcome.state === 'open';
  return [
    ...checks,
    '',
    (good ? paint.good : paint.bad)(escapeControls(verdict.statement)),
    `Evidence: ${escapeControls(evidenceOf(verdict))}.`,
    `How sure: ${verdict.certainty}.`,
    `Next: ${escapeControls(verdict.advice)}`,
    ...hintsOf(diagnosis).map(
      ({ statement, advice }) => `Also: ${escapeControls(`${statement} ${advice}`)}`,
    ),
    '',
  ].join('\n');
}

/** Numbers to three decimals, wherever they stand: more digits would not be measured ones. */
const rounded = (value: unknown): unknown =>
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
    time: new Date(startedAt).toISOString(),
    elapsedMs: rounded(elapsedMs),
    target,
    state: outcome.state,
    reason: 'reason' in outcome ? outcome.reason : null,
    exitCode: exitCodeOf(outcome.state),
    verdict: rounded(verdict),
    findings: rounded(findings),
    observations: rounded(observations),
  });
}

/** Text in Markdown as it stands: its own marks are escaped, and it stays on its line. */
const markdown = (text: string): string =>
  escapeControls(text).replace(/[\\`*_{}[\]<>#|~]/g, '\\$&');

/** Hints that say more about this machine than a ticket needs. */
const PRIVATE: readonly Finding['kind'][] = ['proxy', 'known-by-search-domain'];

/** For a ticket: time, zone, host name, source address, resolver, addresses, results and version, and nothing else about this machine. */
export function diagnosisMarkdown(diagnosis: Diagnosis, version: string): string {
  const { observations, verdict } = diagnosis;
  const { target, startedAt, machine, name, elapsedMs, companions, loopback } = observations;
  const resolver =
    name.resolution.via === 'literal'
      ? 'none, an address was given'
      : name.servers.map(({ server }) => server).join(', ') || name.resolution.via;
  const rows: [string, string][] = [
    [
      'Time',
      `${new Date(startedAt).toISOString()} (zone of the machine: ${machine.timeZone}), ${formatDuration(elapsedMs)}`,
    ],
    [
      'From',
      `${machine.hostName}${machine.sourceAddress === null ? '' : `, source address ${machine.sourceAddress}`}`,
    ],
    ['Resolver', resolver],
    ...nameLines({ ...observations, name: { ...name, foundBySearch: [] } }).map(
      ({ text }): [string, string] => ['Name', text],
    ),
    ...observations.addresses.map((each): [string, string] => ['Address', describeAddress(each)]),
    ...[...loopback, ...(companions ?? [])].map((each): [string, string] => [
      'Other port',
      `${formatEndpoint(each.endpoint)}: ${describeAttempt(each)}`,
    ]),
    ['Version', `portping ${version}`],
  ];
  const hints = hintsOf(diagnosis).filter(({ kind }) => !PRIVATE.includes(kind));
  return [
    `### ${markdown(formatHostPort(target.host, target.port))}: ${observations.outcome.state}`,
    '',
    `**${markdown(verdict.statement)}**`,
    '',
    `* Evidence: ${markdown(evidenceOf(verdict))}`,
    `* How sure: ${verdict.certainty}`,
    `* Next: ${markdown(verdict.advice)}`,
    ...hints.map(({ statement }) => `* Also: ${markdown(statement)}`),
    '',
    '| | |',
    '|---|---|',
    ...rows.map(([what, text]) => `| ${what} | ${markdown(text)} |`),
    '',
  ].join('\n');
}
