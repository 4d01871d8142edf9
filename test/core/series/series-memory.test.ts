import { describe, expect, it } from 'vitest';
import type { Outcome, ProbeReport, Resolution } from '../../../src/core/facts/outcome.js';
import { judge } from '../../../src/core/facts/expectation.js';
import { SeriesMemory } from '../../../src/core/series/series-memory.js';
import {
  closedOutcome,
  eventOf,
  openOutcome,
  reportOf,
  unresolvedOutcome,
} from '../../support/reports.js';

const [A, B] = ['192.0.2.1', '192.0.2.2'] as const;

/** Probes of every address, one a second, in order; each names the addresses that DNS has. */
class World {
  readonly #memory = new SeriesMemory({ everyAddress: true, expect: 'open' });
  #second = 0;

  probe(outcome: Outcome, ...addresses: readonly string[]) {
    this.#second += 1;
    const resolution = (
      outcome.state === 'unresolved'
        ? outcome
        : {
            state: 'resolved',
            host: 'mail.example.com',
            via: 'system',
            elapsedMs: 1,
            addresses: addresses.map((address) => ({ address, family: 4 })),
          }
    ) as Resolution;
    const facts: Partial<ProbeReport> = { resolution, startMs: this.#second * 1000 };
    const place = { sequence: this.#second, stalledMs: null };
    const { probe, ended } = this.#memory.add(eventOf(reportOf(outcome, facts)), place);
    return { outage: probe.outage, ended };
  }

  finish() {
    return this.#memory.unfinishedOutages();
  }
}

const open = (address: string) => openOutcome({ endpoint: { address, family: 4, port: 25 } });
const closed = (address: string) => closedOutcome({ endpoint: { address, family: 4, port: 25 } });

describe('a probe that this process slept through', () => {
  const memory = new SeriesMemory({ everyAddress: false, expect: 'open', maxLatencyMs: 100 });
  const slow = (latencyMs: number, stalledMs: number | null) => {
    const outcome = openOutcome({ latencyMs });
    const verdict = judge(outcome, { maxLatencyMs: 100 });
    const probed = eventOf(reportOf(outcome), { verdict });
    return memory.add(probed, { sequence: 1, stalledMs }).probe;
  };

  it('is not too slow for that reason alone', () => {
    expect(slow(1300, null).verdict).toMatchObject({ tooSlow: true, exitCode: 5 });
    expect(slow(1300, 1250).verdict).toMatchObject({ tooSlow: false, exitCode: 0 });
    expect(slow(1300, 1000).verdict).toMatchObject({ tooSlow: true, exitCode: 5 });
  });

  it('is no sign of a lost packet', () => {
    for (let count = 0; count < 9; count += 1) slow(5, null);
    expect(slow(1010, 1000).lostSynSeconds).toBeNull();
    expect(slow(1010, null).lostSynSeconds).toBe(1);
  });
});

describe('the outages of every address', () => {
  it('end with the last probe of an address that DNS no longer has', () => {
    const world = new World();
    world.probe(closed(A), A, B);
    world.probe(open(B), A, B);
    world.probe(closed(A), A, B);
    expect(world.probe(open(B), B).ended).toMatchObject([
      { address: A, outage: { durationMs: 2000, over: false, probes: 2 } },
    ]);
    expect(world.probe(open(A), A, B).ended).toEqual([]);
    expect(world.finish()).toEqual([]);
  });

  it('go on while the name does not resolve', () => {
    const world = new World();
    world.probe(closed(A), A);
    world.probe(unresolvedOutcome('resolver-timeout'));
    const { ended } = world.probe(closed(A), A);
    expect(ended).toMatchObject([{ address: null, outage: { over: true, durationMs: 1000 } }]);
    expect(world.finish()).toMatchObject([{ address: A, outage: { durationMs: 2000, probes: 2 } }]);
  });

  it('are told with each probe of them as long as they are so far', () => {
    const world = new World();
    expect(world.probe(open(A), A).outage).toBeNull();
    expect(world.probe(closed(A), A).outage).toMatchObject({ probes: 1, durationMs: 0 });
    expect(world.probe(closed(A), A).outage).toMatchObject({ probes: 2, durationMs: 1000 });
    expect(world.probe(open(A), A).outage).toBeNull();
  });
});
