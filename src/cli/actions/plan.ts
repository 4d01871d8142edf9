import type { TargetRequest } from '../../core/target/target-list.js';
import { UsageError } from '../../core/usage-error.js';
import { FORMATS } from '../../report/formats/registry.js';
import type { Extent } from './coverage.js';
import type { ProbeConfig } from '../options/config.js';
import { MAX_REPEATED_TARGETS } from '../options/common-options.js';

/** Reads all targets of a file, for a run that needs them from the start. */
async function readAll(
  requests: AsyncIterable<TargetRequest>,
  isCheck: boolean,
): Promise<TargetRequest[]> {
  const all: TargetRequest[] = [];
  for await (const request of requests) {
    all.push(request);
    if (all.length <= MAX_REPEATED_TARGETS) continue;
    const limit = `allowed ${isCheck ? 'in one check' : 'with -c, -t or --wait'}`;
    throw new UsageError(
      `--targets: more than ${MAX_REPEATED_TARGETS} targets; ${limit}: ${MAX_REPEATED_TARGETS}`,
    );
  }
  return all;
}

/**
 * Plans the probes of a command line.
 *
 * @param signal ends the reading of a file
 * @throws UsageError for a mistake in a file of targets
 */
export async function planProbes(
  { targets, count, wait, service, format }: ProbeConfig,
  signal: AbortSignal,
): Promise<Extent> {
  const isRepeated = count > 1 || wait !== null;
  if (typeof targets !== 'string') {
    const isSeries = isRepeated || targets.size === 1;
    const requests = isSeries ? [...targets.targets()].map((target) => ({ target })) : targets;
    return { requests, size: targets.size, count };
  }
  const { isCheck } = FORMATS[format];
  const { requestsOfFile } = await import('../options/target-file.js');
  const fromFile = requestsOfFile(targets, service, signal);
  if (!isRepeated && !isCheck) return { requests: fromFile, size: null, count };
  const requests = await readAll(fromFile, isCheck);
  return { requests, size: requests.length, count };
}
