import { monotonicClock } from '../../core/clock.js';
import { judge } from '../../core/facts/expectation.js';
import {
  type ProbeInternals,
  type ProbeOptions,
  probeEveryAddress,
  probeTarget,
} from '../../core/probe/target-probe.js';
import type { ProbeReport } from '../../core/facts/outcome.js';
import type { LookupQueue } from '../../core/resolve/lookup-queue.js';
import { resolveHost } from '../../core/resolve/resolver.js';
import { familyOf } from '../../core/target/target.js';
import type { JudgedProbe } from '../../report/formats/prometheus.js';
import type { AllowList } from '../access/allow-list.js';
import { checkRoom } from './lookups.js';
import { chooseTimeout, type ProbeRequest, readProbeRequest } from '../access/probe-request.js';
import { Refusal } from '../access/refusal.js';
import type { Configuration } from '../config/configuration.js';

/** The most addresses of one name that are probed. Each costs a connection and time series. */
export const MOST_ADDRESSES = 64;

/** How probes are made. */
export interface ProberOptions {
  readonly allow: AllowList;
  readonly lookups: LookupQueue;
  /** Probes at once; further ones are refused. */
  readonly concurrency: number;
  /** The timeout of a probe unless the request gives one, milliseconds. */
  readonly timeoutMs: number;
  /** How long before Prometheus' scrape timeout a probe ends, milliseconds. */
  readonly offsetMs: number;
  readonly probe: Pick<ProbeOptions, 'family' | 'sourceAddress' | 'dnsServer'>;
  readonly configuration: Pick<Configuration, 'modules'>;
}

/** The results of one request. */
export interface ProbeAnswer {
  /** One, or with `all` one for each address. */
  readonly probes: readonly JudgedProbe[];
  /** How many addresses of the name were not probed: not allowed, or beyond `MOST_ADDRESSES`. */
  readonly leftOut: number;
  /** Milliseconds for the whole request, name resolution included. */
  readonly elapsedMs: number;
  /** The deadline of the probe, milliseconds. */
  readonly timeoutMs: number;
  readonly request: ProbeRequest;
}

/** Makes probes: only of allowed addresses, and at most `concurrency` at once. */
export class Prober {
  readonly #options: ProberOptions;
  /** The deadlines of the probes in flight, by `monotonicClock`. */
  readonly #inFlight = new Set<{ readonly endMs: number }>();

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** The number of probes in flight. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Milliseconds until the last deadline of a probe in flight; 0 when there is none. */
  get longestLeftMs(): number {
    const nowMs = monotonicClock();
    let longestMs = 0;
    for (const { endMs } of this.#inFlight) longestMs = Math.max(longestMs, endMs - nowMs);
    return longestMs;
  }

  /**
   * Makes the probe that a request asks for, within Prometheus' scrape timeout.
   *
   * @param scrapeTimeout the header `X-Prometheus-Scrape-Timeout-Seconds`, if there is one
   * @param signal aborts the probe
   * @throws Refusal when the request is invalid or not allowed, or too many probes are in flight
   */
  async probe(
    parameters: URLSearchParams,
    scrapeTimeout: string | undefined,
    signal: AbortSignal,
  ): Promise<ProbeAnswer> {
    const { allow, concurrency, offsetMs, configuration } = this.#options;
    const request = readProbeRequest(parameters, configuration.modules);
    const askedMs = request.module.timeoutMs ?? this.#options.timeoutMs;
    const timeoutMs = chooseTimeout(askedMs, offsetMs, scrapeTimeout);
    const { host, port } = request.target;
    const isAllowed =
      familyOf(host) === null ? allow.mayPermit(host, port) : allow.permits(host, host, port);
    if (!isAllowed) throw new Refusal('forbidden', allow.refusal(host, port));
    if (this.#inFlight.size >= concurrency)
      throw new Refusal(
        'busy',
        `${concurrency} probes are in flight, the limit of --concurrency; retry later`,
      );

    const startMs = monotonicClock();
    const running = { endMs: startMs + timeoutMs };
    this.#inFlight.add(running);
    try {
      const guard = this.#guard(request);
      const reports = await this.#run(request, { timeoutMs, signal }, guard.resolve);
      return {
        probes: reports.map((report) => ({ report, verdict: judge(report.outcome) })),
        leftOut: guard.leftOut(),
        elapsedMs: monotonicClock() - startMs,
        timeoutMs,
        request,
      };
    } finally {
      this.#inFlight.delete(running);
    }
  }

  /** Probes the target, or with `all` each of its addresses. */
  async #run(
    { target, module, all }: ProbeRequest,
    limits: Pick<ProbeOptions, 'timeoutMs' | 'signal'>,
    resolve: typeof resolveHost,
  ): Promise<ProbeReport[]> {
    const { probe, lookups } = this.#options;
    const { family, sourceAddress, service } = module;
    const options: ProbeOptions = {
      ...probe,
      ...limits,
      family: family ?? probe.family,
      sourceAddress: sourceAddress ?? probe.sourceAddress,
      ...(service === undefined ? {} : { service }),
    };
    const internals: ProbeInternals = {
      skipWarmUp: true,
      systemLookup: lookups.lookUp,
      resolve,
    };
    if (!all) return [await probeTarget(target, options, internals)];
    const reports: ProbeReport[] = [];
    for await (const report of probeEveryAddress(target, options, internals)) reports.push(report);
    return reports;
  }

  /** A resolver that returns only allowed addresses, so that no other one is ever dialled. */
  #guard({ target: { host: asked, port }, module }: ProbeRequest): {
    readonly resolve: typeof resolveHost;
    leftOut(): number;
  } {
    const { allow, lookups } = this.#options;
    let leftOut = 0;
    return {
      leftOut: () => leftOut,
      async resolve(host, options, internals) {
        checkRoom(lookups, host);
        const resolution = await resolveHost(host, options, internals);
        if (resolution.state !== 'resolved') return resolution;
        const permitted = resolution.addresses
          .filter(({ address }) => allow.permits(asked, address, port))
          .slice(0, MOST_ADDRESSES);
        if (permitted.length === 0)
          throw new Refusal(
            'forbidden',
            allow.refusal(
              asked,
              port,
              resolution.addresses.map(({ address }) => address),
            ),
          );
        leftOut = resolution.addresses.length - permitted.length;
        const preferred = permitted.filter(({ family }) => family === module.preferredFamily);
        return { ...resolution, addresses: preferred.length > 0 ? preferred : permitted };
      },
    };
  }
}
