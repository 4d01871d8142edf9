import type { OutageEvent, ProbeEvent } from '../facts/events.js';
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
}

/** What a series remembers from round to round. */
export class SeriesMemory {
  readonly #options: MemoryOptions;
  readonly #tracks = new Map<string, Track>();
  /** The latest addresses of each host. */
  readonly #addresses = new Map<string, readonly string[]>();

  constructor(options: MemoryOptions) {
    this.#options = options;
  }

  /** Adds to a probe what only its series knows. */
  complete(probed: ProbeEvent, sequence: number): ProbeEvent {
    const { report } = probed;
    const { retransmissions } = this.#track(report.target, this.#addressOf(report));
    return {
      ...probed,
      sequence,
      lostSynSeconds: retransmissions.add(report.outcome),
      formerAddresses: this.#formerAddresses(report),
    };
  }

  /** Records a probe and returns the outages that it ended: of its target, and of its name. */
  recordOutages({ report, request }: ProbeEvent): OutageEvent[] {
    const { target, startedAt } = report;
    const address = this.#addressOf(report);
    const track = this.#track(target, address);
    const isExpectedOpen = (request.expect ?? this.#options.expect) === 'open';
    // An outage of the name itself ends when it resolves, whatever its addresses do then.
    const ofName = address === null ? undefined : this.#tracks.get(keyOf(target, null));
    return [
      { track, outage: isExpectedOpen ? track.outages.add(report) : null },
      { track: ofName ?? track, outage: ofName?.outages.end(startedAt) ?? null },
    ].flatMap((ended) => eventOf(ended.track, ended.outage));
  }

  /** The outages that the end of the series cuts off. */
  unfinishedOutages(): OutageEvent[] {
    return [...this.#tracks.values()].flatMap((track) => eventOf(track, track.outages.finish()));
  }

  #addressOf({ outcome }: ProbeReport): string | null {
    return this.#options.everyAddress && 'endpoint' in outcome ? outcome.endpoint.address : null;
  }

  #track(target: Target, address: string | null): Track {
    const key = keyOf(target, address);
    const known = this.#tracks.get(key);
    if (known) return known;
    const outages = new OutageTracker();
    const track = { target, address, outages, retransmissions: new RetransmissionDetector() };
    this.#tracks.set(key, track);
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

const keyOf = ({ host, port }: Target, address: string | null): string =>
  `${formatHostPort(host, port)} ${address}`;

const eventOf = (
  { target, address }: Track,
  outage: OutageEvent['outage'] | null,
): OutageEvent[] => (outage ? [{ type: 'outage', target, address, outage }] : []);
