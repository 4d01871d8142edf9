import type { LookupAnswer } from '../../../src/core/resolve/system-lookup.js';

/** A system's resolver that answers 127.0.0.1 on request. */
export function heldResolver() {
  const asked: string[] = [];
  const answers = new Map<string, (answer: LookupAnswer) => void>();
  return {
    asked,
    answer: (host: string): void =>
      answers.get(host)?.({ elapsedMs: 1, addresses: [{ address: '127.0.0.1', family: 4 }] }),
    lookUp: (host: string): Promise<LookupAnswer> =>
      new Promise((resolve) => {
        asked.push(host);
        answers.set(host, resolve);
      }),
  };
}
