import { monotonicClock } from '../core/clock.js';
import { judge } from '../core/facts/expectation.js';
import {
  type ProbeInternals,
  type ProbeOptions,
  probeEveryAddress,
  probeTarget,
} from '../core/probe/target-probe.js';
import type { ProbeReport } from '../core/facts/outcome.js';
import { resolveHost } from '../core/resolve/resolver.js';
import { familyOf, type Target } from '../core/target/target.js';
import type { JudgedProbe } from '../report/formats/prometheus.js';
import type { AllowList } from './access/allow-list.js';
import type { BoundedLookups } from './lookups.js';
import { chooseTimeout, readProbeRequest } from './access/probe-request.js';
import { Refusal } from './access/refusal.js';

/** More addresses of one name are not probed: each costs a connection and series. */
const MOST_ADDRESSES = 64;

/** How probes are made. */
export interface ProberOptions {
  readonly allow: AllowList;
  readonly lookups: BoundedLookups;
  /** Probes at once; more are refused. */
  readonly concurrency: number;
  /** Milliseconds, where a request does not say. */
  readonly timeoutMs: number;
  /** Milliseconds less than Prometheus waits. */
  readonly offsetMs: number;
  readonly probe: Pick<ProbeOptions, 'family' | 'sourceAddress' | 'dnsServer'>;
}

/** What a request for a probe found out. */
export interface ProbeAnswer {
  /** One, or one for each address. */
  readonly probes: readonly JudgedProbe[];
  /** Addresses of the name that were left alone: not allowed, or too many. */
  readonly leftOut: number;
  /** Milliseconds for all of it. */
  readonly elapsedMs: number;
}

/** Probes what it may, and no more at once than it may. */
export class Prober {
  readonly #options: ProberOptions;
  /** When those in flight must be over, by `monotonicClock`. */
  readonly #inFlight = new Set<{ readonly endMs: number }>();

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Within how many milliseconds all of those in flight must be over; 0 when there are none. */
  get longestLeftMs(): number {
    const nowMs = monotonicClock();
    let longestMs = 0;
    for (const { endMs } of this.#inFlight) longestMs = Math.max(longestMs, endMs - nowMs);
    return longestMs;
  }

  /**
   * One probe as `parameters` ask for it, within the time that whoever asks waits for it.
   *
   * @param scrapeTimeout the header by which Prometheus says how long it waits, seconds
   * @param signal ends it at once, when nobody waits any more
   * @throws Refusal when it is not allowed, not understood, or one too many
   */
  async probe(
    parameters: URLSearchParams,
    scrapeTimeout: string | undefined,
    signal: AbortSignal,
  ): Promise<ProbeAnswer> {
    const { allow, concurrency, offsetMs, probe } = this.#options;
    const { target, timeoutMs: askedMs, all, service } = readProbeRequest(parameters);
    const timeoutMs = chooseTimeout(askedMs ?? this.#options.timeoutMs, offsetMs, scrapeTimeout);
    const { host, port } = target;
    const isAllowed =
      familyOf(host) === null ? allow.mayPermit(host, port) : allow.permits(host, host, port);
    if (!isAllowed) throw new Refusal('forbidden', allow.refusal(host, port));
    if (this.#inFlight.size >= concurrency)
      throw new Refusal(
        'busy',
        `${concurrency} probes are under way, which is what --concurrency allows; try again later`,
      );

    const startMs = monotonicClock();
    const running = { endMs: startMs + timeoutMs };
    this.#inFlight.add(running);
    try {
      const guard = this.#guard(target);
      const options: ProbeOptions & ProbeInternals = {
        ...probe,
        timeoutMs,
        signal,
        skipWarmUp: true,
        systemLookup: this.#options.lookups.lookUp,
        resolve: guard.resolve,
        ...(service === null ? {} : { service }),
      };
      const reports: ProbeReport[] = [];
      if (all) for await (const report of probeEveryAddress(target, options)) reports.push(report);
      else reports.push(await probeTarget(target, options));
      return {
        probes: reports.map((report) => ({ report, verdict: judge(report.outcome) })),
        leftOut: guard.leftOut(),
        elapsedMs: monotonicClock() - startMs,
      };
    } finally {
      this.#inFlight.delete(running);
    }
  }

  /** Resolving, of which only the addresses come out that may be probed: nothing is ever connected to another one. */
  #guard({ host: asked, port }: Target): {
    readonly resolve: typeof resolveHost;
    leftOut(): number;
  } {
    const { allow, lookups } = this.#options;
    let leftOut = 0;
    return {
      leftOut: () => leftOut,
      async resolve(host, options) {
        lookups.check(host);
        const resolution = await resolveHost(host, options);
        if (resolution.state !== 'resolved') return resolution;
        const addresses = resolution.addresses
          .filter(({ address }) => allow.permits(asked, address, port))
          .slice(0, MOST_ADDRESSES);
        if (addresses.length === 0)
          throw new Refusal(
            'forbidden',
            allow.refusal(
              asked,
              port,
              resolution.addresses.map(({ address }) => address),
            ),
          );
        leftOut = resolution.addresses.length - addresses.length;
        return { ...resolution, addresses };
      },
    };
  }
}
