import { type ProbeEvent, probeEvent } from '../facts/events.js';
import type { ExpectationOptions } from '../facts/expectation.js';
import type { TargetRequest } from '../target/target-list.js';
import {
  probeEveryAddress,
  type ProbeInternals,
  type ProbeOptions,
  probeTarget,
} from '../probe/target-probe.js';
import { StallWatch } from './stall-watch.js';

/** How a target is probed once, and what is expected of it. */
export interface OnceOptions extends ProbeOptions, ExpectationOptions {
  /** Probe every address of a name, each with its own verdict; default false. */
  readonly everyAddress?: boolean;
}

/**
 * Probes one target once, without what many targets or rounds need. A shortage of this machine is
 * reported at once: a single probe cannot exhaust it. A cancelled probe yields no event.
 *
 * @throws UsageError when the target or an option is misused; never because of the network
 */
export async function* probeOnce(
  request: TargetRequest,
  options: OnceOptions,
  internals: ProbeInternals,
): AsyncGenerator<ProbeEvent, void, undefined> {
  const { target, expect = options.expect ?? 'open' } = request;
  // A port that should not be open has no service to ask.
  const probeOptions = expect === 'open' ? options : { ...options, service: undefined };
  const stalls = new StallWatch();
  try {
    const reports = options.everyAddress
      ? probeEveryAddress(target, probeOptions, internals)
      : [await probeTarget(target, probeOptions, internals)];
    for await (const report of reports) {
      if (report.outcome.state === 'cancelled') continue;
      const stalledMs = stalls.since(report.startMs ?? Infinity);
      yield { ...probeEvent(request, report, options), stalledMs };
    }
  } finally {
    stalls.close();
  }
}
