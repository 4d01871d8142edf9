import { describe, expect, it } from 'vitest';
import type { Traffic } from '../../../../src/core/diagnosis/observations/counters.js';
import {
  checkLocalFirewall,
  TRIES,
} from '../../../../src/core/diagnosis/observations/local-firewall-check.js';
import type { Attempt } from '../../../../src/core/facts/outcome.js';
import { closed, failed, filtered, PORT, V4 } from '../observations.js';

/**
 * A machine where each probe adds to the counters, and so does other traffic in each window. A list
 * is used in turn; its last entry repeats.
 */
function createMachine({
  attempt = filtered(),
  adds = [{}],
  others = [{}],
}: {
  readonly attempt?: Attempt;
  readonly adds?: readonly Partial<Traffic>[];
  readonly others?: readonly Partial<Traffic>[];
}) {
  let counted: Traffic = { octetsSent: 0, loopbackPackets: 0 };
  let probes = 0;
  let windows = 0;
  const add = (list: readonly Partial<Traffic>[], index: number): void => {
    const { octetsSent = 0, loopbackPackets = 0 } = list[Math.min(index, list.length - 1)] ?? {};
    counted = {
      octetsSent: counted.octetsSent + octetsSent,
      loopbackPackets: counted.loopbackPackets + loopbackPackets,
    };
  };
  return {
    signal: undefined,
    probe: async (): Promise<Attempt> => {
      add(adds, probes++);
      return attempt;
    },
    startCounting: () => {
      const before = counted;
      return (): Traffic => {
        add(others, windows++);
        return {
          octetsSent: counted.octetsSent - before.octetsSent,
          loopbackPackets: counted.loopbackPackets - before.loopbackPackets,
        };
      };
    },
    probes: () => probes,
  };
}

const { endpoint } = closed();
const syn = { octetsSent: 60 };

describe('the check for a local firewall', () => {
  it('sees a packet leave in each of five tries', async () => {
    const machine = createMachine({ adds: [syn] });
    expect(await checkLocalFirewall(machine, endpoint)).toEqual({
      endpoint: { address: V4, port: PORT },
      tries: TRIES,
      stopped: 0,
      answeredHere: 0,
      loopbackPackets: null,
      idleWithTraffic: 0,
    });
    expect(machine.probes()).toBe(TRIES);
  });

  it('sees answers although no packet left, and the fewest packets on loopback', async () => {
    const adds = [{ loopbackPackets: 3 }, { loopbackPackets: 1 }, { loopbackPackets: 5 }];
    const machine = createMachine({ attempt: closed(), adds });
    expect(await checkLocalFirewall(machine, endpoint)).toMatchObject({
      stopped: 5,
      answeredHere: 5,
      loopbackPackets: 1,
    });
  });

  it('sees no answer in a silence without packets', async () => {
    expect(await checkLocalFirewall(createMachine({}), endpoint)).toMatchObject({
      stopped: 5,
      answeredHere: 0,
      loopbackPackets: null,
    });
  });

  it('is not misled by traffic that stays on loopback', async () => {
    const others = [{ loopbackPackets: 2 }];
    const machine = createMachine({ attempt: closed(), adds: [syn], others });
    expect(await checkLocalFirewall(machine, endpoint)).toMatchObject({
      stopped: 0,
      idleWithTraffic: 0,
    });
  });

  it('counts the windows without a probe in which other packets left', async () => {
    // The windows take turns: one without a probe, then one with it.
    const others = [{ octetsSent: 90 }, {}, { octetsSent: 90 }, {}, {}];
    expect(await checkLocalFirewall(createMachine({ others }), endpoint)).toMatchObject({
      stopped: 5,
      idleWithTraffic: 2,
    });
  });

  it('observes nothing without counters, after a local failure or after an abort', async () => {
    const blind = { ...createMachine({}), startCounting: () => null };
    expect(await checkLocalFirewall(blind, endpoint)).toBeNull();
    const forbidden = createMachine({ attempt: failed('not-permitted') });
    expect(await checkLocalFirewall(forbidden, endpoint)).toBeNull();
    const aborted = { ...createMachine({}), signal: AbortSignal.abort() };
    expect(await checkLocalFirewall(aborted, endpoint)).toBeNull();
  });
});
