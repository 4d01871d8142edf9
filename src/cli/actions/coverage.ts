import type { ProbeEvent } from '../../core/facts/events.js';
import { formatHostPort, type Target } from '../../core/target/target.js';
import type { TargetRequest } from '../../core/target/target-list.js';
import type { Requests } from '../../core/many/probe-targets.js';

/** How an interruption is reported when there is no verdict at all. */
export const INTERRUPTED = 'Interrupted before there was a verdict.';

/** What is probed, how many targets that is (null if that is not known), and how often. */
export interface Extent {
  readonly requests: Requests;
  readonly size: number | null;
  /** Rounds; 1 for targets that can be read only once. */
  readonly count: number;
}

/** A target or, with `--all`, one address of it. */
const endpointKey = ({ host, port }: Target, address: string | null): string =>
  `${formatHostPort(host, port)} ${address}`;

/**
 * Whether an interrupted run is complete. A run with a number of probes is complete when all of
 * them were made. An endless one is complete when every target has a verdict; with `--all`, every
 * address.
 */
export class Coverage {
  readonly #everyAddress: boolean;
  /** How many verdicts there must be; undefined when that is not known. */
  readonly #wanted: number | undefined;
  /** Of an endless run: what has no verdict yet, and what has. */
  readonly #awaited = new Set<string>();
  readonly #done = new Set<string>();
  #probes = 0;

  constructor({ requests, size, count }: Extent, everyAddress: boolean) {
    this.#everyAddress = everyAddress;
    this.#wanted = size === null || (everyAddress && count !== Infinity) ? undefined : size * count;
    if (count === Infinity && Array.isArray(requests))
      for (const { target } of requests as readonly TargetRequest[])
        this.#awaited.add(endpointKey(target, null));
  }

  /** Notes a verdict. */
  add({ report: { target, outcome, resolution } }: ProbeEvent): void {
    this.#probes += 1;
    if (this.#wanted !== Infinity) return;
    this.#awaited.delete(endpointKey(target, null));
    if (!this.#everyAddress || resolution.state !== 'resolved' || !('endpoint' in outcome)) return;
    this.#done.add(endpointKey(target, outcome.endpoint.address));
    for (const { address } of resolution.addresses) {
      const key = endpointKey(target, address);
      if (this.#done.has(key)) this.#awaited.delete(key);
      else this.#awaited.add(key);
    }
  }

  get isComplete(): boolean {
    if (this.#probes === 0) return false; // also when a list was cut short before its first target
    return this.#wanted === Infinity ? this.#awaited.size === 0 : this.#probes === this.#wanted;
  }

  /** How an interruption is reported; empty when the run is complete. */
  describeInterruption(): string {
    if (this.#probes === 0) return INTERRUPTED;
    if (this.isComplete) return '';
    if (this.#wanted === Infinity) return 'Interrupted before every target had a verdict.';
    return this.#wanted === undefined
      ? 'Interrupted before the last probe.'
      : `Interrupted after ${this.#probes} of ${this.#wanted} probes.`;
  }
}
