import { setTimeout as sleep } from 'node:timers/promises';
import { judge, type ExpectationOptions } from '../../src/core/facts/expectation.js';
import type { Address, Outcome } from '../../src/core/facts/outcome.js';
import type { Outage } from '../../src/core/facts/events.js';
import type { OutageEvent, ProbeEvent, SeriesEvent } from '../../src/core/facts/events.js';
import type { SystemLookup } from '../../src/core/resolve/system-lookup.js';
import { eventOf, openOutcome, reportOf, STARTED_AT } from './reports.js';

/** Events of a series, 1 s apart, from STARTED_AT. A number is the latency of an open port, ms. */
export function eventsOf(
  outcomes: readonly (Outcome | number)[],
  expectation: ExpectationOptions = {},
): ProbeEvent[] {
  return outcomes.map((each, index) => {
    const outcome = typeof each === 'number' ? openOutcome({ latencyMs: each }) : each;
    return eventOf(reportOf(outcome, { startedAt: STARTED_AT + index * 1000 }), {
      sequence: index + 1,
      verdict: judge(outcome, expectation),
    });
  });
}

/** An outage of mail.example.com:25 that has ended: one refused probe, 5 s. */
export function outageEvent(facts: Partial<Outage> = {}): OutageEvent {
  const outage: Outage = {
    from: STARTED_AT,
    to: STARTED_AT + 5000,
    durationMs: 5000,
    over: true,
    probes: 1,
    causes: [{ reason: 'conn-refused', count: 1 }],
    moreCauses: 0,
    ...facts,
  };
  return { type: 'outage', target: { host: 'mail.example.com', port: 25 }, address: null, outage };
}

/** All events of a series. */
export async function collectEvents(series: AsyncIterable<SeriesEvent>): Promise<SeriesEvent[]> {
  const events: SeriesEvent[] = [];
  for await (const event of series) events.push(event);
  return events;
}

export const probesOf = (events: readonly SeriesEvent[]): ProbeEvent[] =>
  events.filter((event) => event.type === 'probe');

export const outagesOf = (events: readonly SeriesEvent[]): OutageEvent[] =>
  events.filter((event) => event.type === 'outage');

/** A system lookup that returns one list of addresses per call, and then always the last list. */
export function answering(...answers: readonly (readonly string[])[]): SystemLookup {
  let asked = 0;
  return async () => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    return {
      elapsedMs: 3,
      addresses: addresses.map((address): Address => ({
        address,
        family: address.includes(':') ? 6 : 4,
      })),
    };
  };
}

/** A system lookup with one delay per call, ms, and then always the last delay. */
export function slowly(lookUp: SystemLookup, ...delaysMs: readonly number[]): SystemLookup {
  let asked = 0;
  return async (host, family) => {
    const delayMs = delaysMs[Math.min(asked, delaysMs.length - 1)] ?? 0;
    asked += 1;
    await sleep(delayMs);
    return lookUp(host, family);
  };
}
