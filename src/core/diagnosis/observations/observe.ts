import { monotonicClock } from '../../clock.js';
import type { Address, Attempt, Outcome, Resolution } from '../../facts/outcome.js';
import { probePort } from '../../probe/port-probe.js';
import { checkPort, checkTimeout, DEFAULT_TIMEOUT_MS } from '../../limits.js';
import { decide, type ProbeOptions } from '../../probe/target-probe.js';
import { interleaveFamilies, startAttempts } from '../../probe/race.js';
import { resolveHost } from '../../resolve/resolver.js';
import { type Endpoint, familyOf, type Target } from '../../target/target.js';
import { warmUp } from '../../probe/warm-up.js';
import { readCounters, watchCounters } from './counters.js';
import { addressesOf } from './evidence.js';
import { checkMachine, ownAddresses } from './machine.js';
import { askServers, checkName } from './name-check.js';
import type {
  AddressObservation,
  LocalFilterObservation,
  NameObservation,
  Observations,
  RefusalTiming,
} from './observations.js';

/** The checks of a diagnosis that take time, by the names that progress has for them. */
export type DiagnosisCheck = 'name' | 'DNS servers' | 'address' | 'local firewall' | 'other ports';

/** How a target is diagnosed. `timeoutMs` is the deadline of one check, default 5000; all together have three times that. */
export interface DiagnoseOptions extends Pick<
  ProbeOptions,
  'family' | 'timeoutMs' | 'signal' | 'sourceAddress' | 'dnsServer' | 'systemLookup'
> {
  /** A literal address that is probed too, whatever the name says. */
  readonly extraAddress?: string | undefined;
  /** Whether other ports of the host are tried when this one gives nothing or refuses; default true. */
  readonly companions?: boolean;
  /** Told which checks are under way, whenever that changes. */
  readonly onProgress?: (underWay: readonly DiagnosisCheck[]) => void;
  /** The environment in which proxies are looked for; default that of the process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Files and servers other than the system's, for tests. */
  readonly hostsFile?: string;
  readonly resolvConf?: string;
  readonly servers?: readonly string[];
}

/**
 * The other ports that are tried, without the target's own: those on which most hosts answer or refuse something (SSH, SMTP, HTTP, HTTPS, SMB, RDP).
 */
export const COMPANION_PORTS: readonly number[] = [443, 80, 22, 445, 3389, 25];

/** How long an open connection is watched for being dropped, and how long the answer of nobody is waited for, in milliseconds. */
const WATCH_MS = 500;
const NOBODY_MS = 1000;

/** How long the start of a diagnosis keeps this process busy, at the most, in milliseconds. */
const RUSH_MS = 250;

/** At this address nobody can be: it is for documentation only (RFC 5737, TEST-NET-1). */
const NOBODY: Address = { address: '192.0.2.1', family: 4 };

/** More addresses than these, known from DNS servers only, are not probed. */
const MAX_DNS_ONLY = 6;

/** How often the counters are watched, and how often a refusal and an open port are timed. */
const TRIES = 3;

const isTestable = (attempt: Attempt): boolean =>
  attempt.state === 'closed' || attempt.state === 'filtered';

const isLoopback = ({ address }: Address): boolean =>
  address === '::1' || address.startsWith('127.');

const isOwn = (endpoint: Address): boolean =>
  isLoopback(endpoint) ||
  ownAddresses().some(({ address }) => address === endpoint.address.split('%')[0]);

/** Names the checks that are under way to whoever wants to know. */
function progressTeller(
  tell: DiagnoseOptions['onProgress'],
): <T>(check: DiagnosisCheck, work: Promise<T>) => Promise<T> {
  const underWay = new Set<DiagnosisCheck>();
  return async (check, work) => {
    underWay.add(check);
    tell?.([...underWay]);
    try {
      return await work;
    } finally {
      underWay.delete(check);
      tell?.([...underWay]);
    }
  };
}

/** Waits for the resolver, but not for long: a handshake is timed better when it is not started together with everything else. */
const afterTheRush = (resolving: Promise<unknown>): Promise<unknown> =>
  Promise.race([
    resolving,
    new Promise((resolve) => {
      setTimeout(resolve, RUSH_MS);
    }),
  ]);

/** Whether this machine itself answers or drops what it sends there; see {@link LocalFilterObservation}. */
async function checkLocalFilter(
  endpoint: Endpoint,
  failedRepeats: number,
  controlPorts: readonly number[],
  signal: AbortSignal | undefined,
): Promise<LocalFilterObservation | null> {
  const target = await watchCounters(endpoint, TRIES, signal);
  if (target === null) return null;
  const { address, port } = endpoint;
  for (const control of target.mostPacketsSent === 0 || target.answeredWithoutSending
    ? controlPorts.slice(0, 2)
    : []) {
    const seen = await watchCounters({ ...endpoint, port: control }, TRIES, signal);
    if (seen && seen.leastPacketsSent > 0)
      return {
        endpoint: { address, port },
        target,
        control: { port: control, leastPacketsSent: seen.leastPacketsSent },
        failedRepeats,
      };
  }
  return { endpoint: { address, port }, target, control: null, failedRepeats };
}

/** The shortest of several handshakes with an open port and of several refusals, taken in turns. */
async function timeRefusal(
  refused: Endpoint,
  open: Endpoint,
  remainingMs: () => number,
  signal: AbortSignal | undefined,
): Promise<RefusalTiming | null> {
  let refusedMs = Infinity;
  let openMs = Infinity;
  for (let index = 0; index < TRIES && remainingMs() > 1; index += 1) {
    const first = await probePort(refused, { timeoutMs: remainingMs(), signal });
    const second = await probePort(open, { timeoutMs: remainingMs(), signal });
    if (first.state === 'closed') refusedMs = Math.min(refusedMs, first.elapsedMs);
    if (second.state === 'open') openMs = Math.min(openMs, second.latencyMs);
  }
  return refusedMs < Infinity && openMs < Infinity
    ? { refusedMs, openPort: open.port, openMs }
    : null;
}

/**
 * Looks at everything between here and a target, side by side where that can be, within three times `timeoutMs`. Infers nothing.
 *
 * @throws TypeError or RangeError when the options are misused; never because of what the network answers
 */
export async function observe(
  target: Target,
  options: DiagnoseOptions = {},
): Promise<Observations> {
  const {
    timeoutMs = DEFAULT_TIMEOUT_MS,
    signal,
    sourceAddress,
    extraAddress,
    companions: tryCompanions = true,
    env = process.env,
  } = options;
  const family =
    options.family ??
    (sourceAddress === undefined ? undefined : (familyOf(sourceAddress) ?? undefined));
  const extraFamily = extraAddress === undefined ? null : familyOf(extraAddress);
  if (extraAddress !== undefined && extraFamily === null)
    throw new TypeError(`extraAddress: "${extraAddress}" is not a literal address`);
  checkTimeout(timeoutMs);
  checkPort(target.port);
  const startedAt = Date.now();
  const startMs = monotonicClock();
  const remainingMs = (): number =>
    Math.max(Math.min(timeoutMs, startMs + 3 * timeoutMs - monotonicClock()), 1);
  const during = progressTeller(options.onProgress);
  const attempt = (
    endpoint: Endpoint,
    limitMs = remainingMs(),
    watchMs = WATCH_MS,
  ): Promise<Attempt> =>
    probePort(endpoint, { timeoutMs: limitMs, signal, sourceAddress, watchMs });
  const glance = (endpoint: Endpoint): Promise<Attempt> => attempt(endpoint, remainingMs(), 0);
  const at = ({ address, family: kind }: Address): Endpoint => ({
    address,
    family: kind,
    port: target.port,
  });

  const isName = familyOf(target.host) === null;
  const nameOptions = { ...options, family, timeoutMs };
  const resolving = during('name', resolveHost(target.host, { ...options, family, timeoutMs }));
  resolving.catch(() => {}); // awaited below
  await warmUp(); // so that the times below are those of the network
  const asked = isName
    ? during('DNS servers', askServers(target.host, nameOptions))
    : Promise.resolve([]);
  const checkedName = isName
    ? checkName(target.host, asked, nameOptions)
    : Promise.resolve({ servers: [], hostsFile: null, foundBySearch: [] });
  const given =
    extraAddress === undefined || extraFamily === null
      ? null
      : afterTheRush(resolving).then(() =>
          attempt(at({ address: extraAddress, family: extraFamily })),
        );

  for (const each of [asked, checkedName, given]) each?.catch(() => {}); // misuse rejects them all; the caller sees the first that is awaited

  const resolution = await resolving;
  const before = readCounters();
  const attempts = await during('address', probeAddresses(resolution));
  const decided: Outcome =
    decide(attempts) ?? (resolution as Exclude<Resolution, { state: 'resolved' }>);
  const givenAttempt = await given;
  const failedRepeats = (readCounters()?.failedRepeats ?? 0) - (before?.failedRepeats ?? 0);

  const dnsOnly = probeDnsOnly(attempts);
  const subject = 'endpoint' in decided ? decided : givenAttempt;
  const further =
    subject && isTestable(subject)
      ? await lookCloser(subject.endpoint, subject.state)
      : { loopback: [], companions: null, localFilter: null, refusalTiming: null };
  const open = [decided, givenAttempt].find((each) => each?.state === 'open');
  const nobody =
    open &&
    tryCompanions &&
    'endpoint' in open &&
    !isOwn(open.endpoint) &&
    open.endpoint.address !== NOBODY.address
      ? await attempt(at(NOBODY), Math.min(NOBODY_MS, remainingMs()), 0)
      : null;

  const name: NameObservation = { resolution, ...(await checkedName) };
  const addresses: AddressObservation[] = [];
  for (const each of attempts)
    addresses.push({ source: 'resolver', attempt: await timedAlone(each) });
  for (const each of await dnsOnly) addresses.push({ source: 'dns', attempt: each });
  if (givenAttempt) addresses.push({ source: 'given', attempt: await timedAlone(givenAttempt) });
  const outcome =
    addresses.find(
      ({ attempt: { endpoint } }) =>
        'endpoint' in decided && endpoint.address === decided.endpoint.address,
    )?.attempt ?? decided;
  const deciding =
    subject?.endpoint ??
    (extraAddress !== undefined && extraFamily !== null
      ? { address: extraAddress, family: extraFamily }
      : null);
  return {
    target,
    startedAt,
    timeoutMs,
    outcome,
    name,
    addresses,
    machine: await checkMachine(target, deciding, env),
    ...further,
    nobody,
    elapsedMs: monotonicClock() - startMs,
  };

  /** An open attempt with the latency it has when nothing else is going on: what was timed beside everything else reads too long. */
  async function timedAlone(tried: Attempt): Promise<Attempt> {
    const again = tried.state === 'open' ? await glance(tried.endpoint) : tried;
    return tried.state === 'open' && again.state === 'open' && again.latencyMs < tried.latencyMs
      ? { ...tried, latencyMs: again.latencyMs }
      : tried;
  }

  async function probeAddresses(resolved: Resolution): Promise<Attempt[]> {
    if (resolved.state !== 'resolved') return [];
    const started = startAttempts(interleaveFamilies(resolved.addresses).map(at), {
      timeoutMs: remainingMs(),
      untilFirstOpen: false,
      signal,
      attempt: (endpoint, limitMs) => attempt(endpoint, limitMs),
    });
    return (await Promise.all(started)).filter((each) => each !== null);
  }

  /** The addresses that only a DNS server asked by itself has: somebody else may get them. */
  async function probeDnsOnly(known: readonly Attempt[]): Promise<Attempt[]> {
    const seen = new Set([...known.map(({ endpoint }) => endpoint.address), extraAddress]);
    const others = new Set(
      (await asked).flatMap(addressesOf).filter((address) => !seen.has(address)),
    );
    return Promise.all(
      [...others]
        .slice(0, MAX_DNS_ONLY)
        .map((address) => attempt(at({ address, family: familyOf(address) ?? 4 }))),
    );
  }

  /** What tells a firewall here, a firewall there, a host that is down and a service that is down apart. */
  async function lookCloser(
    endpoint: Endpoint,
    state: Attempt['state'],
  ): Promise<Pick<Observations, 'loopback' | 'companions' | 'localFilter' | 'refusalTiming'>> {
    if (isOwn(endpoint)) {
      const others = (
        [
          { address: '127.0.0.1', family: 4 },
          { address: '::1', family: 6 },
        ] as const
      ).filter(({ address }) => address !== endpoint.address);
      return {
        loopback: await Promise.all(others.map((each) => glance(at(each)))),
        companions: null,
        localFilter: null,
        refusalTiming: null,
      };
    }
    const ports = tryCompanions ? COMPANION_PORTS.filter((port) => port !== target.port) : [];
    const localFilter = await during(
      'local firewall',
      checkLocalFilter(endpoint, failedRepeats, ports, signal),
    );
    const companions = tryCompanions
      ? await during('other ports', Promise.all(ports.map((port) => glance({ ...endpoint, port }))))
      : null;
    const open = companions?.find((each) => each.state === 'open');
    return {
      loopback: [],
      companions,
      localFilter,
      refusalTiming:
        state === 'closed' && open
          ? await timeRefusal(endpoint, open.endpoint, remainingMs, signal)
          : null,
    };
  }
}
