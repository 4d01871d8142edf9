import { describe, expect, it } from 'vitest';
import type { Counters } from '../../../../src/core/diagnosis/observations/counters.js';
import {
  checkLocalFirewall,
  countFailedRepeats,
} from '../../../../src/core/diagnosis/observations/local-firewall-check.js';
import type { Attempt } from '../../../../src/core/facts/outcome.js';
import type { Endpoint } from '../../../../src/core/target/target.js';
import { closed, failed, filtered, PORT, V4 } from '../observations.js';

const ZERO: Counters = {
  packetsSent: 0,
  unreachableSent: 0,
  unreachableReceived: 0,
  failedRepeats: 0,
};

/** What one connect to a port answers, and what it adds to the counters each time. */
interface Reaction {
  readonly attempt: Attempt;
  readonly adds?: readonly Partial<Counters>[];
}

/** A machine whose counters change with each connect. */
function createMachine(reactions: Readonly<Record<number, Reaction>>) {
  let counters = ZERO;
  const tries = new Map<number, number>();
  const probe = async ({ port }: Endpoint): Promise<Attempt> => {
    const { attempt, adds = [] } = reactions[port] ?? { attempt: filtered() };
    const count = tries.get(port) ?? 0;
    tries.set(port, count + 1);
    const more = adds[Math.min(count, adds.length - 1)] ?? {};
    counters = {
      packetsSent: counters.packetsSent + (more.packetsSent ?? 0),
      unreachableSent: counters.unreachableSent + (more.unreachableSent ?? 0),
      unreachableReceived: counters.unreachableReceived + (more.unreachableReceived ?? 0),
      failedRepeats: counters.failedRepeats + (more.failedRepeats ?? 0),
    };
    return attempt;
  };
  return { probe, readCounters: () => counters, signal: undefined, tries };
}

const { endpoint } = closed();

describe('the check for a local firewall', () => {
  it('sees packets leave, and then needs no control port', async () => {
    const adds = [{ packetsSent: 2 }, { packetsSent: 1 }, { packetsSent: 4 }];
    const machine = createMachine({ [PORT]: { attempt: filtered(), adds } });
    expect(await checkLocalFirewall(machine, endpoint, [443, 80], 2)).toEqual({
      endpoint: { address: V4, port: PORT },
      target: {
        leastPacketsSent: 1,
        mostPacketsSent: 4,
        answeredWithoutSending: false,
        unreachableToSelf: 0,
      },
      control: null,
      failedRepeats: 2,
    });
    expect([...machine.tries]).toEqual([[PORT, 3]]);
  });

  it('sees an answer although no packet left, and a control port whose packets leave', async () => {
    const machine = createMachine({
      [PORT]: { attempt: closed(), adds: [{ packetsSent: 0 }, { packetsSent: 3 }] },
      80: { attempt: filtered(), adds: [{ packetsSent: 2 }] },
    });
    expect(await checkLocalFirewall(machine, endpoint, [443, 80], 0)).toMatchObject({
      target: { leastPacketsSent: 0, mostPacketsSent: 3, answeredWithoutSending: true },
      control: { port: 80, leastPacketsSent: 2 },
    });
  });

  it('sees no answer in a silence without packets', async () => {
    const machine = createMachine({});
    expect(await checkLocalFirewall(machine, endpoint, [], 0)).toMatchObject({
      target: { mostPacketsSent: 0, answeredWithoutSending: false },
    });
  });

  it('tries at most two control ports', async () => {
    const machine = createMachine({ 22: { attempt: filtered(), adds: [{ packetsSent: 1 }] } });
    expect(await checkLocalFirewall(machine, endpoint, [443, 80, 22], 0)).toMatchObject({
      control: null,
    });
    expect([...machine.tries.keys()]).toEqual([PORT, 443, 80]);
  });

  it('counts "unreachable" only if every try both sent and received it', async () => {
    const attempt = filtered('host-unreach');
    const observe = async (...adds: Partial<Counters>[]) =>
      (await checkLocalFirewall(createMachine({ [PORT]: { attempt, adds } }), endpoint, [], 0))
        ?.target.unreachableToSelf;
    const both = { unreachableSent: 1, unreachableReceived: 2 };
    expect(await observe(both)).toBe(1);
    expect(await observe(both, { unreachableReceived: 1 }, both)).toBe(0);
    expect(await observe({ unreachableSent: 1 })).toBe(0);
  });

  it('observes nothing without counters, after a local failure or after an abort', async () => {
    const machine = createMachine({});
    const blind = { ...machine, readCounters: () => null };
    expect(await checkLocalFirewall(blind, endpoint, [], 0)).toBeNull();
    expect([...machine.tries]).toEqual([]);
    const forbidden = createMachine({ [PORT]: { attempt: failed('not-permitted') } });
    expect(await checkLocalFirewall(forbidden, endpoint, [], 0)).toBeNull();
    const aborted = { ...machine, signal: AbortSignal.abort() };
    expect(await checkLocalFirewall(aborted, endpoint, [], 0)).toBeNull();
  });
});

describe('failed retransmissions', () => {
  it('are counted from the start', () => {
    const values = [5, 7];
    const readCounters = () => ({ ...ZERO, failedRepeats: values.shift() ?? 0 });
    expect(countFailedRepeats({ readCounters })()).toBe(2);
    expect(countFailedRepeats({ readCounters: () => null })()).toBe(0);
  });
});
