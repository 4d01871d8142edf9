import { familyOf, parseHost, parsePort } from './target.js';
import type { TargetBlock } from './target-list.js';

/**
 * `<host> <port>` with a port in digits, the most frequent form: it needs neither lists nor blocks,
 * URLs or schemes, which are loaded for all other forms.
 *
 * @returns what `parseTargets` returns, or null for any other form
 * @throws UsageError as `parseTargets` does
 */
export function parsePlainTarget(words: readonly string[]): TargetBlock | null {
  const [hostText = '', portText = '', ...rest] = words;
  const isPlainHost = !/[:/]/.test(hostText) || familyOf(hostText) === 6;
  if (rest.length > 0 || !isPlainHost || !/^\d+$/.test(portText)) return null;
  const host = parseHost(hostText);
  const port = parsePort(portText);
  return {
    size: 1,
    literal: familyOf(host) !== null,
    *ports() {
      yield port;
    },
    *targets() {
      yield { host, port };
    },
  };
}
