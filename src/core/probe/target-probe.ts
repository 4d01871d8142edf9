import { onAbort } from '../abort.js';
import { monotonicClock } from '../clock.js';
import { within } from '../deadline.js';
import type { Address, Attempt, Outcome, ProbeReport, Resolution } from '../facts/outcome.js';
import type { AskKernel } from '../facts/kernel-facts.js';
import type { ServiceProbe } from '../facts/service-finding.js';
import { checkTimeout, DEFAULT_TIMEOUT_MS } from '../limits.js';
import { resolveLiteral } from '../resolve/literal.js';
import type { ResolveInternals, ResolveOptions, resolveHost } from '../resolve/resolver.js';
import type { ServiceRequest } from '../service/registry.js';
import { checkTarget, type Endpoint, familyOf, type Target } from '../target/target.js';
import { type AttemptOptions, probePort } from './port-probe.js';
import { interleaveFamilies, startAttempts } from './race.js';
import { warmUp } from './warm-up.js';

/** How a target is probed. `timeoutMs` is one deadline for resolving and connecting together. */
export interface ProbeOptions extends ResolveOptions, AttemptOptions {
  /**
   * Probe the service behind the open port, on the same connection and within the same deadline;
   * with several addresses only behind the first that opens. Default: do not probe it.
   */
  readonly service?: ServiceRequest | undefined;
}

/** What the rest of portping and the tests may replace or add. */
export interface ProbeInternals extends ResolveInternals {
  /**
   * Leave out the throw-away connect that corrects the first latency, if no one reads latencies.
   */
  readonly skipWarmUp?: boolean;
  /** Asks the kernel about each open connection; see {@link AttemptInternals}. */
  readonly askKernel?: AskKernel | undefined;
  /** Resolves names; default {@link resolveHost}. */
  readonly resolve?: typeof resolveHost;
  /** Called when a handshake completes, which is before the probe ends if there is more to do. */
  readonly onOpen?: () => void;
}

/** How long a question to a DNS server waits for the warm-up, milliseconds; it usually takes 4. */
const LONGEST_WARM_UP_MS = 100;

const INFORMATIVE: readonly Outcome['state'][] = [
  'open',
  'closed',
  'filtered',
  'failed',
  'cancelled',
];

/** The attempt that decides: the first that opened, else the one that says most about the port. */
export function decide(attempts: readonly Attempt[]): Attempt | undefined {
  return [...attempts].sort(
    (a, b) => INFORMATIVE.indexOf(a.state) - INFORMATIVE.indexOf(b.state),
  )[0];
}

interface Started {
  readonly report: Omit<ProbeReport, 'attempts' | 'outcome'>;
  readonly attempts: Promise<Attempt | null>[];
}

type Attempting = (
  endpoint: Endpoint,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  onOpen?: () => void,
) => Promise<Attempt>;

/** Loads what probing the service needs, while the name is being resolved. */
function prepareService(
  { service }: ProbeOptions,
  target: Target,
): Promise<ServiceProbe> | undefined {
  const preparing =
    service &&
    import('../service/service-probe.js').then(({ prepareServiceProbe }) =>
      prepareServiceProbe(service, target),
    );
  preparing?.catch(() => {}); // awaited later
  return preparing;
}

async function resolveTarget(
  host: string,
  options: ProbeOptions,
  internals: ProbeInternals,
  bothFamilies: boolean,
): Promise<Resolution> {
  const { sourceAddress } = options;
  const sourceFamily = sourceAddress === undefined ? null : familyOf(sourceAddress);
  const family = options.family ?? sourceFamily ?? undefined;
  // Options are copied for a name only: a run probes literals by the ten thousand.
  const literal = resolveLiteral(host, family);
  if (literal) return literal;
  const resolve = internals.resolve ?? (await import('../resolve/resolver.js')).resolveHost;
  return resolve(host, { ...options, family }, { ...internals, bothFamilies });
}

function attemptWith(
  options: ProbeOptions,
  probeService: ServiceProbe | undefined,
  { askKernel, onOpen: notify }: ProbeInternals,
): Attempting {
  const { sourceAddress, watchMs = 0, closeWith = 'fin' } = options;
  return (endpoint, timeoutMs, signal, onOpen) =>
    probePort(
      endpoint,
      { timeoutMs, signal, sourceAddress, watchMs, closeWith },
      {
        probeService,
        askKernel,
        onOpen: () => {
          notify?.();
          onOpen?.();
        },
      },
    );
}

/** Resolves the name and starts the attempts: a race, or one for every address. */
async function startProbe(
  target: Target,
  options: ProbeOptions,
  internals: ProbeInternals,
  untilFirstOpen: boolean,
): Promise<Started> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
  checkTimeout(timeoutMs);
  checkTarget(target);
  const startedAt = Date.now();
  const startMs = monotonicClock();
  const warm = internals.skipWarmUp ? undefined : warmUp();
  const preparing = prepareService(options, target);
  // The warm-up would delay the server's answer, too. It takes longer where loopback is blocked.
  if (warm && options.dnsServer !== undefined)
    await within(warm, { timeoutMs: LONGEST_WARM_UP_MS });
  const resolution = await resolveTarget(target.host, options, internals, !untilFirstOpen);
  if (warm) await warm;
  const attempt = attemptWith(options, preparing && (await preparing), internals);
  const report = { target, startedAt, startMs, timeoutMs, resolution };
  if (resolution.state !== 'resolved') return { report, attempts: [] };

  const remainingMs = Math.max(timeoutMs - (monotonicClock() - startMs), 1);
  const endpointOf = ({ address, family }: Address): Endpoint => ({
    address,
    family,
    port: target.port,
  });
  const [only, another] = resolution.addresses;
  if (only && !another)
    return { report, attempts: [attempt(endpointOf(only), remainingMs, signal)] };
  const endpoints = interleaveFamilies(resolution.addresses).map(endpointOf);
  return {
    report,
    attempts: startAttempts(endpoints, { timeoutMs: remainingMs, untilFirstOpen, signal, attempt }),
  };
}

/** The properties are spelt out because very many reports may be held; see `errorOutcome`. */
function complete(
  { target, startedAt, startMs, timeoutMs, resolution }: Started['report'],
  attempts: readonly Attempt[],
  outcome: Outcome,
): ProbeReport {
  return { target, startedAt, startMs, timeoutMs, resolution, attempts, outcome } as ProbeReport;
}

function outcomeOfResolution(resolution: Resolution): Outcome {
  if (resolution.state === 'resolved')
    throw new TypeError('a resolved name has addresses, and each address an attempt');
  return resolution;
}

/**
 * Probes a target once, as a client would connect: it resolves the name and races its addresses
 * (RFC 8305). The first that opens decides. If none opens, the most informative outcome decides:
 * closed, then filtered, then failed.
 *
 * @returns what the network answered; never rejects because of it
 * @throws UsageError when the target or an option is misused
 */
export async function probeTarget(
  target: Target,
  options: ProbeOptions = {},
  internals: ProbeInternals = {},
): Promise<ProbeReport> {
  const { report, attempts: started } = await startProbe(target, options, internals, true);
  const [only, another] = started;
  if (only && !another) {
    const outcome = await only;
    if (outcome) return complete(report, [outcome], outcome);
  }
  const attempts = (await Promise.all(started)).filter((each) => each !== null);
  return complete(report, attempts, decide(attempts) ?? outcomeOfResolution(report.resolution));
}

/**
 * Probes every address of a target once and yields a report for each, in the order of the
 * addresses. A name without an address yields one report.
 *
 * @throws UsageError when the target or an option is misused; never because of the network
 */
export async function* probeEveryAddress(
  target: Target,
  options: ProbeOptions = {},
  internals: ProbeInternals = {},
): AsyncGenerator<ProbeReport, void, undefined> {
  const over = new AbortController();
  const stopListening = onAbort(options.signal, () => over.abort());
  try {
    const { report, attempts } = await startProbe(
      target,
      { ...options, signal: over.signal },
      internals,
      false,
    );
    if (attempts.length === 0) yield complete(report, [], outcomeOfResolution(report.resolution));
    for (const attempt of attempts) {
      const outcome = await attempt;
      if (outcome) yield complete(report, [outcome], outcome);
    }
  } finally {
    stopListening();
    over.abort(); // those that are still running when the caller has seen enough
  }
}
