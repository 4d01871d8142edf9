import type { OutageEvent, ProbeEvent } from '../facts/events.js';
import { judge, type Verdict } from '../facts/expectation.js';
import { addressesOf, type ProbeReport } from '../facts/outcome.js';
import type { Expectation } from '../states.js';
import { formatHostPort, type Target } from '../target/target.js';
import { OutageTracker } from './outages.js';
import { RetransmissionDetector } from './retransmission.js';

/** What is remembered about one target, or one address of it. */
interface Track {
  readonly target: Target;
  readonly address: string | null;
  readonly outages: OutageTracker;
  readonly retransmissions: RetransmissionDetector;
}

/** How probes are compared with earlier ones. */
interface MemoryOptions {
  /** Remember each address of a target on its own. */
  readonly everyAddress: boolean;
  /** What is expected of targets that do not say so themselves. */
  readonly expect: Expectation;
  /** The latency that is too slow, milliseconds. */
  readonly maxLatencyMs?: number | undefined;
}

/** What only the series knows about a probe. */
interface Place {
  readonly sequence: number;
  readonly stalledMs: number | null;
}

/** What a probe adds to a series. */
interface Recorded {
  readonly probe: ProbeEvent;
  /** The outages that it ended: of its target, of its name, of addresses that the name lost. */
  readonly ended: readonly OutageEvent[];
}

/** What a series remembers from probe to probe. */
export class SeriesMemory {
  readonly #options: MemoryOptions;
  /** By target, then by address; null is the target itself. */
  readonly #tracks = new Map<string, Map<string | null, Track>>();
  /** The latest addresses of each host. */
  readonly #addresses = new Map<string, readonly string[]>();

  constructor(options: MemoryOptions) {
    this.#options = options;
  }

  /** Records a probe, and adds to it what only its series knows. */
  add(probed: ProbeEvent, { sequence, stalledMs }: Place): Recorded {
    const { report, request } = probed;
    const address = this.#addressOf(report);
    const track = this.#track(report.target, address);
    const isExpectedOpen = (request.expect ?? this.#options.expect) === 'open';
    const own = isExpectedOpen ? track.outages.add(report) : null;
    // A handshake that this process slept through says nothing about lost packets.
    const lostSynSeconds = stalledMs === null ? track.retransmissions.add(report.outcome) : null;
    const formerAddresses = this.#formerAddresses(report);
    const outage = isExpectedOpen ? track.outages.current : null;
    return {
      probe: {
        ...probed,
        verdict: this.#verdictOf(probed, stalledMs),
        sequence,
        lostSynSeconds,
        stalledMs,
        formerAddresses,
        outage,
      },
      ended: [...eventOf(track, own), ...this.#endOthers(report, address)],
    };
  }

  /** The outages that the end of the series cuts off. */
  unfinishedOutages(): OutageEvent[] {
    return [...this.#tracks.values()]
      .flatMap((tracks) => [...tracks.values()])
      .flatMap((track) => eventOf(track, track.outages.finish()));
  }

  /** Outages of the name itself, and of addresses that it no longer has. */
  #endOthers(report: ProbeReport, address: string | null): OutageEvent[] {
    const now = addressesOf(report.resolution);
    if (address === null || now === null) return [];
    return [...this.#tracksOf(report.target)].flatMap(([other, track]) => {
      // An outage of the name itself ends when it resolves. Its addresses have their own.
      if (other === null) return eventOf(track, track.outages.end(report));
      // Clients no longer try an address outside DNS, so it is not down for them.
      return now.includes(other) ? [] : eventOf(track, track.outages.finish());
    });
  }

  /** A port is not too slow because this process did not run. */
  #verdictOf({ verdict, request, report }: ProbeEvent, stalledMs: number | null): Verdict {
    const { outcome } = report;
    if (stalledMs === null || outcome.state !== 'open') return verdict;
    const { expect = this.#options.expect } = request;
    const latencyMs = Math.max(outcome.latencyMs - stalledMs, 0);
    return judge({ ...outcome, latencyMs }, { ...this.#options, expect });
  }

  #addressOf({ outcome }: ProbeReport): string | null {
    return this.#options.everyAddress && 'endpoint' in outcome ? outcome.endpoint.address : null;
  }

  #tracksOf({ host, port }: Target): Map<string | null, Track> {
    const key = formatHostPort(host, port);
    const known = this.#tracks.get(key);
    if (known) return known;
    const tracks = new Map<string | null, Track>();
    this.#tracks.set(key, tracks);
    return tracks;
  }

  #track(target: Target, address: string | null): Track {
    const tracks = this.#tracksOf(target);
    const known = tracks.get(address);
    if (known) return known;
    const outages = new OutageTracker();
    const track = { target, address, outages, retransmissions: new RetransmissionDetector() };
    tracks.set(address, track);
    return track;
  }

  /** The former addresses of a name that has others now, reported once; else null. */
  #formerAddresses({ target, resolution }: ProbeReport): readonly string[] | null {
    const now = addressesOf(resolution);
    if (now === null) return null;
    const former = this.#addresses.get(target.host);
    this.#addresses.set(target.host, now);
    return former && [...former].sort().join() !== [...now].sort().join() ? former : null;
  }
}

const eventOf = (
  { target, address }: Track,
  outage: OutageEvent['outage'] | null,
): OutageEvent[] => (outage ? [{ type: 'outage', target, address, outage }] : []);
