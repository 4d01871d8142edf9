import type { IncomingHttpHeaders } from 'node:http';
import type { AllowList } from '../access/allow-list.js';
import type { Answer } from './answer.js';
import type { Log } from '../process/log.js';
import type { Prober } from '../probing/prober.js';
import type { OwnMetrics } from './own-metrics.js';
import type { RecentResults } from './recent-results.js';

/** What pages are made from. */
export interface PageParts {
  readonly prober: Prober;
  readonly allow: AllowList;
  readonly metrics: OwnMetrics;
  readonly recent: RecentResults;
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
  /** @throws Refusal when the request cannot be answered */
  answer(request: PageRequest): Answer | Promise<Answer>;
}
