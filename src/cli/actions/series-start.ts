import { addressesOf } from '../../core/facts/outcome.js';
import { DEFAULT_INTERVAL_MS } from '../../core/limits.js';
import { resolveHost } from '../../core/resolve/resolver.js';
import { familyOf } from '../../core/target/target.js';
import type { TargetRequest } from '../../core/target/target-list.js';
import { SILENCE } from '../../report/reporter.js';
import { workingKeys } from '../output/terminal.js';
import type { Surroundings } from './surroundings.js';

/**
 * Writes the first line of a series: at once, or when the name of a single target is resolved,
 * which is before its first verdict.
 *
 * @returns the internals for the series
 */
export function announceSeries(
  requests: readonly TargetRequest[],
  count: number,
  { options, internals, reporter, quiet, sink }: Surroundings,
): Surroundings['internals'] {
  if (quiet || requests.length === 0) return internals;
  const { intervalMs = DEFAULT_INTERVAL_MS, ratePerSecond = Infinity } = options;
  const [{ target } = { target: null }, another] = requests;
  const single = another ? null : target;
  let isAnnounced = false;
  const announce = (addresses: readonly string[]): void => {
    if (isAnnounced) return;
    isAnnounced = true;
    const output = reporter.start?.({
      type: 'start',
      target: single,
      addresses,
      targets: requests.length,
      count,
      intervalMs: Math.max(intervalMs, (requests.length * 1000) / ratePerSecond),
      keys: workingKeys(),
    });
    sink.write(output ?? SILENCE);
  };
  if (single === null || familyOf(single.host) !== null) {
    announce([]);
    return internals;
  }
  const resolve: typeof resolveHost = async (...parameters) => {
    const resolution = await resolveHost(...parameters);
    if (resolution.state !== 'cancelled') announce(addressesOf(resolution) ?? []);
    return resolution;
  };
  return { ...internals, resolve };
}
