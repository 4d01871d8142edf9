import { parsePortNumber } from './port.js';
import { familyOf, parseHost, type Target } from './target.js';
import type { TargetBlock } from './target-list.js';

/** Host and port of the plain forms; null when the words have another. */
function splitPlain(words: readonly string[]): (readonly [host: string, port: string])[] | null {
  const [host = '', port = '', ...rest] = words;
  if (rest.length === 0 && /^\d+$/.test(port))
    return !/[:/]/.test(host) || familyOf(host) === 6 ? [[host, port]] : null;
  const pairs = words.map((word) => /^(\[[^\]/]*\]|[^:/]+):(\d+)$/.exec(word) ?? []);
  const complete = pairs.flatMap(([, name, digits]) =>
    name === undefined || digits === undefined ? [] : [[name, digits] as const],
  );
  return complete.length > 0 && complete.length === words.length ? complete : null;
}

/**
 * `<host> <port>` or any number of `<host:port>`, with ports in digits: the most frequent forms.
 * They need neither lists nor blocks, URLs or schemes, which are loaded for all other forms.
 *
 * @returns what `parseTargets` returns, or null for any other form
 * @throws UsageError as `parseTargets` does
 */
export function parsePlainTargets(words: readonly string[]): TargetBlock | null {
  const targets: Target[] = [];
  for (const [host, text] of splitPlain(words) ?? []) {
    const port = parsePortNumber(text, 1);
    if (port === null) return null;
    targets.push({ host: parseHost(host), port });
  }
  if (targets.length === 0) return null;
  return {
    size: targets.length,
    literal: targets.every(({ host }) => familyOf(host) !== null),
    *ports() {
      for (const { port } of targets) yield port;
    },
    *targets() {
      yield* targets;
    },
  };
}
