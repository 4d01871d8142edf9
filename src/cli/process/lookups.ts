import { LookupQueue, systemLookups } from '../../core/resolve/lookup-queue.js';
import { warmUpLookups } from '../../core/resolve/system-lookup.js';
import { execve } from './leave.js';

/** Lookups by the system's resolver that cannot delay the end of the process. */
export interface Lookups {
  readonly lookups: LookupQueue;
  readonly close: () => void;
}

/** Opens lookups: in this process if `execve` can leave them behind, else in a helper process. */
export async function openLookups(): Promise<Lookups> {
  if (execve) {
    await warmUpLookups();
    return { lookups: systemLookups, close: () => {} };
  }
  const { LookupProcess } = await import('../../core/resolve/lookup-process.js');
  const helper = new LookupProcess();
  await helper.start();
  return { lookups: new LookupQueue(helper.lookUp), close: () => helper.close() };
}
