import type {
  AddressObservation,
  DnsServerObservation,
  NameObservation,
  Observations,
  ObservedFacts,
} from '../../core/diagnosis/observations/observations.js';
import { describeAnswer } from '../../core/diagnosis/rules/evidence.js';
import { isSentFromHere, isStoppedHere } from '../../core/diagnosis/rules/local-firewall.js';
import type { Attempt, Resolution } from '../../core/facts/outcome.js';
import { formatEndpoint } from '../../core/target/target.js';
import { escapeControls } from '../escape.js';
import { formatDuration } from '../numbers.js';
import { describeAttempt, describeKernel } from '../outcome-words.js';
import type { Paint } from '../reporter.js';

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

function resolutionCheck(resolution: Resolution): Check {
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
export function nameChecks({
  resolution,
  servers = [],
  hostsFile,
}: Partial<NameObservation>): Check[] {
  if (resolution?.via === 'literal') return [info('the target is an address')];
  const inFile = hostsFile?.addresses ?? [];
  return [
    ...(resolution ? [resolutionCheck(resolution)] : []),
    ...servers.map(serverCheck),
    ...(inFile.length > 0 ? [info(`${hostsFile?.path}: ${inFile.join(', ')}`)] : []),
  ];
}

const searchChecks = ({ foundBySearch = [] }: Partial<NameObservation>): Check[] =>
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

export const describeEndpoint = (attempt: Attempt, label = ''): string =>
  `${formatEndpoint(attempt.endpoint)}${label}: ${describeAttempt(attempt)}`;

const describeDelay = (attempt: Attempt): string =>
  attempt.state === 'open' && attempt.kernel ? `, ${describeKernel(attempt.kernel)}` : '';

export const describeAddress = ({ source, attempt }: AddressObservation): string =>
  `${describeEndpoint(attempt, SOURCES[source])}${describeDelay(attempt)}${describeDrop(attempt)}`;

const addressChecks = ({ addresses = [] }: ObservedFacts): Check[] =>
  addresses.map((each) => {
    const text = describeAddress(each);
    const { state } = each.attempt;
    return state === 'cancelled' ? info(text) : passed(state === 'open', text);
  });

/** Whether packets for the port leave this machine; no line if the counters do not show it. */
function localFilterChecks(localFilter: Observations['localFilter'] = null): Check[] {
  if (localFilter === null) return [];
  if (isStoppedHere(localFilter))
    return [passed(false, 'packets for this port do not leave this machine')];
  return isSentFromHere(localFilter)
    ? [passed(true, 'packets for this port pass the firewall of this machine')]
    : [];
}

function machineChecks({ machine, localFilter }: ObservedFacts): Check[] {
  if (!machine) return localFilterChecks(localFilter);
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
export const listPorts = ({ loopback = [], companions: otherPorts }: ObservedFacts): Attempt[] => [
  ...loopback,
  ...(otherPorts ?? []),
];

function portChecks(seen: ObservedFacts): Check[] {
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

export function portTitle({ loopback = [], companions: otherPorts }: ObservedFacts): string {
  if (otherPorts) return 'Other ports';
  return loopback.length > 0 ? 'Loopback' : 'Control';
}

const sectionsOf = ({ name = {}, ...seen }: ObservedFacts): Section[] => [
  { title: 'Name', checks: [...nameChecks(name), ...searchChecks(name)] },
  { title: 'Address', checks: addressChecks(seen) },
  { title: 'Machine', checks: machineChecks(seen) },
  { title: portTitle(seen), checks: portChecks(seen) },
];

/** How a diagnosis is shown in text. */
export interface DiagnosisTextOptions {
  readonly paint: Paint;
  /** False for marks in ASCII. */
  readonly unicode: boolean;
}

/** The lines of checks, each written once: when it is known, or with all others at the end. */
export class CheckLines {
  readonly #options: DiagnosisTextOptions;
  readonly #written = new Set<string>();
  #title = '';

  constructor(options: DiagnosisTextOptions) {
    this.#options = options;
  }

  /** The lines of these facts that were not written before. */
  next(facts: ObservedFacts): string[] {
    return sectionsOf(facts).flatMap(({ title, checks }) =>
      checks
        .filter(({ text }) => !this.#written.has(text))
        .map((check) => this.#line(title, check)),
    );
  }

  #line(section: string, { mark, text }: Check): string {
    const { paint, unicode } = this.#options;
    const marks = unicode ? MARKS.unicode : MARKS.ascii;
    const title = (section === this.#title ? '' : section).padEnd(TITLE_WIDTH);
    this.#title = section;
    this.#written.add(text);
    return `${paint[COLOURS[mark]](marks[mark])} ${title}${escapeControls(text)}`;
  }
}
