import type { SeriesEvent } from '../../core/facts/events.js';
import { Statistics } from '../../core/series/statistics.js';
import { formatHostPort, type Target } from '../../core/target/target.js';
import type { TargetRequest } from '../../core/target/target-list.js';
import { SILENCE, type SummaryEvent } from '../../report/reporter.js';
import type { Surroundings } from './surroundings.js';

/** The statistics of a series. */
export interface SeriesFigures {
  add(event: SeriesEvent): void;
  /** Writes them; returns false when the format has no summaries. */
  show(surroundings: Surroundings, final: boolean, exitCode: number): boolean;
}

/**
 * Collects the statistics of a series by target and address. A target without a verdict is in the
 * summary, too.
 */
export function collectFigures(
  requests: readonly TargetRequest[],
  everyAddress: boolean,
): SeriesFigures {
  const keyOf = ({ host, port }: Target): string => formatHostPort(host, port);
  const figures = new Map(
    requests.map(({ target }) => [
      keyOf(target),
      { target, byAddress: new Map([[null as string | null, new Statistics()]]) },
    ]),
  );
  const statisticsOf = (target: Target, address: string | null): Statistics | undefined => {
    const byAddress = figures.get(keyOf(target))?.byAddress;
    if (byAddress?.has(address) === false) byAddress.set(address, new Statistics());
    return byAddress?.get(address);
  };
  return {
    add(event) {
      if (event.type === 'outage') return statisticsOf(event.target, event.address)?.add(event);
      const { target, outcome, resolution } = event.report;
      const address = everyAddress && 'endpoint' in outcome ? outcome.endpoint.address : null;
      if (address !== null && resolution.state === 'resolved')
        for (const found of resolution.addresses) statisticsOf(target, found.address);
      statisticsOf(target, address)?.add(event);
    },
    show({ reporter, sink }, final, exitCode) {
      const events: SummaryEvent[] = [];
      for (const { target, byAddress } of figures.values()) {
        for (const [address, statistics] of byAddress) {
          const summary = statistics.summary();
          // A target without probes of its own is shown by its addresses.
          if (address === null && summary.sent === 0 && byAddress.size > 1) continue;
          events.push({ type: 'summary', target, address, summary, final, exitCode });
        }
      }
      if (events.length === 0) return false;
      const output = reporter.summaries(events);
      sink.write(output);
      return output !== SILENCE;
    },
  };
}
