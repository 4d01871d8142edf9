import type { IncomingHttpHeaders } from 'node:http';
import type { AllowList } from '../access/allow-list.js';
import type { Answer } from './answer.js';
import type { Configuration } from '../config/configuration.js';
import type { Log } from '../process/log.js';
import type { Prober } from '../probing/prober.js';
import type { OwnMetrics } from './own-metrics.js';
import type { RecentResults } from './recent-results.js';

/** The metrics of a probe: `portping_*`, those of blackbox_exporter, or both. */
export const METRIC_NAMES = ['both', 'portping', 'blackbox'] as const;
export type MetricNames = (typeof METRIC_NAMES)[number];

/** What pages are made from. */
export interface PageParts {
  readonly prober: Prober;
  readonly allow: AllowList;
  readonly metrics: OwnMetrics;
  readonly recent: RecentResults;
  readonly configuration: Configuration;
  /** Loads every configuration file again. @throws UsageError naming what is wrong */
  readonly reload: () => Promise<void>;
  /** Which metrics a probe has. */
  readonly metricNames: MetricNames;
  readonly log: Log;
  readonly version: string;
}

/** A request for a page, checked as far as every page needs it. */
export interface PageRequest {
  readonly parameters: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Address and port of the client, for the log. */
  readonly client: string;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}

/** Answers the requests for one path. */
export interface Page {
  readonly path: string;
  /** A request does more than show something. */
  readonly hasEffects?: true;
  /** The methods it is for, if not GET and HEAD. */
  readonly methods?: readonly string[];
  /** @throws Refusal when the request cannot be answered */
  answer(request: PageRequest): Answer | Promise<Answer>;
}
