import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ProbeEvent } from '../facts/events.js';
import { checkRange, checkTimeout, DEFAULT_TIMEOUT_MS } from '../limits.js';
import { familyOf } from '../target/target.js';
import type { TargetBlock, TargetRequest } from '../target/target-list.js';
import { UsageError } from '../usage-error.js';
import { probeInProcess } from './in-process.js';
import {
  CONCURRENCY_OF_ADDRESSES,
  DEFAULT_CONCURRENCY,
  type ManyInternals,
  type ManyOptions,
} from './many-options.js';
import { sweepTargets } from './sweep.js';

/** What is to be probed: requests, which may be endless, or a block of hosts and ports. */
export type Requests = Iterable<TargetRequest> | AsyncIterable<TargetRequest> | TargetBlock;

/** From this many addresses and ports on, threads pay for their start-up (about 50 ms). */
const SWEEP_FROM = 4096;

const isBlock = (requests: Requests): requests is TargetBlock => 'targets' in requests;

/** The requests of a block, each time anew. */
const requestsOf = ({ targets }: TargetBlock): Iterable<TargetRequest, void> => ({
  *[Symbol.iterator]() {
    for (const target of targets()) yield { target };
  },
});

/** Whether a request is for a literal address; misuse is not. */
function isForAddress(request: unknown): boolean {
  const { host, port } = (request as Partial<TargetRequest> | undefined)?.target ?? {};
  return (
    typeof host === 'string' &&
    familyOf(host) !== null &&
    Number.isInteger(port) &&
    Number(port) >= 1 &&
    Number(port) <= 65_535
  );
}

/** How many literal addresses and ports are to be probed; 0 when that is not known beforehand. */
function countAddresses(requests: Requests): number {
  if (isBlock(requests)) return requests.literal ? requests.size : 0;
  if (!Array.isArray(requests)) return 0;
  for (const request of requests) if (!isForAddress(request)) return 0; // not every(): skips holes
  return requests.length;
}

/** Whether a sweep's threads know all that is asked for. */
function isPlain(options: ManyOptions): boolean {
  const { everyAddress = false, watchMs = 0, closeWith = 'fin', ratePerSecond } = options;
  return (
    options.service === undefined &&
    options.sourceAddress === undefined &&
    options.family === undefined &&
    options.shortagePatienceMs !== 0 &&
    (ratePerSecond ?? Infinity) === Infinity &&
    !everyAddress &&
    watchMs === 0 &&
    closeWith === 'fin'
  );
}

/** `sweep-worker.cjs` beside the bundle; null when this code runs from elsewhere. */
function builtWorker(): string | null {
  const path = join(import.meta.dirname, 'sweep-worker.cjs');
  return existsSync(path) ? path : null;
}

function checkOptions({ concurrency = 1, ratePerSecond = 1, timeoutMs }: ManyOptions): void {
  checkRange('concurrency', concurrency, 1);
  if (!(ratePerSecond > 0))
    throw new UsageError(`ratePerSecond: ${ratePerSecond} is out of range; allowed: above 0`);
  checkTimeout(timeoutMs ?? DEFAULT_TIMEOUT_MS);
}

/**
 * Probes many targets side by side and yields their verdicts in the order of the targets, each as
 * soon as those before it are known. Requests are taken from the iterable when there is room for
 * them. A shortage of descriptors, source ports or buffers slows the run down and is retried; it is
 * no verdict on a port.
 *
 * An array or block of 4096 addresses or more, probed without further options, is swept by two
 * threads: about twice as fast, but `local` of an open port is null.
 *
 * @throws UsageError when an option is out of range. The iteration throws a UsageError for a
 * misused request, and any error of the iterable, after the verdicts on the requests before it
 */
export function probeTargets(
  requests: Requests,
  options: ManyOptions = {},
  internals: ManyInternals = {},
): AsyncGenerator<ProbeEvent, void, undefined> {
  checkOptions(options);
  const addresses = countAddresses(requests);
  const literal = addresses > 0;
  if (internals.schedule) return probeInProcess([], options, internals, literal);
  const concurrency =
    options.concurrency ??
    (literal && !options.service ? CONCURRENCY_OF_ADDRESSES : DEFAULT_CONCURRENCY);
  const complete = { ...options, concurrency };
  const all = isBlock(requests) ? requestsOf(requests) : requests;
  const isSweep = addresses >= SWEEP_FROM && isPlain(options);
  const workerPath = isSweep ? (internals.sweepWorker ?? builtWorker()) : null;
  if (workerPath === null) return probeInProcess(all, complete, internals, literal);
  // A copy: the caller may change the array while the sweep reads it a second time.
  const repeatable = Array.isArray(all) ? [...(all as TargetRequest[])] : all;
  const parts = { workerPath, options: complete, internals };
  return sweepTargets(repeatable as Iterable<TargetRequest, void>, parts);
}
