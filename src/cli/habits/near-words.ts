/** Words that people write for a value, and what they mean by them. */
const SYNONYMS: Readonly<Record<string, string>> = {
  up: 'open',
  listening: 'open',
  reachable: 'open',
  refused: 'closed',
  rejected: 'closed',
  blocked: 'filtered',
  dropped: 'filtered',
  timeout: 'filtered',
  shut: 'not-open',
  down: 'not-open',
  xml: 'junit',
  jsonl: 'json',
  ndjson: 'json',
  plain: 'text',
  icinga: 'nagios',
  metrics: 'prometheus',
  pwsh: 'powershell',
  ps1: 'powershell',
};

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into another. */
export function editDistance(from: string, to: string): number {
  const cells = new Map<string, number>();
  const at = (row: number, column: number): number =>
    row === 0 || column === 0 ? row + column : (cells.get(`${row} ${column}`) ?? Infinity);
  for (let row = 1; row <= from.length; row += 1)
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const costs = [
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (isSame ? 0 : 1),
        isSwap && row > 1 && column > 1 ? at(row - 2, column - 2) + 1 : Infinity,
      ];
      cells.set(`${row} ${column}`, Math.min(...costs));
    }
  return at(from.length, to.length);
}

/**
 * The allowed word that was probably meant: another spelling, a synonym, the only one with a
 * typing mistake, or the only one that begins so. Undefined if there is none, or more than one.
 */
export function nearWord(text: string, allowed: readonly string[]): string | undefined {
  const word = text.toLowerCase();
  if (word.length < 2 || word.length > 20) return allowed.find((each) => each === word);
  const synonym = Object.hasOwn(SYNONYMS, word) ? SYNONYMS[word] : undefined;
  const exact = allowed.find((each) => each === word || each === synonym);
  if (exact !== undefined) return exact;
  const limit = word.length < 4 ? 0 : word.length < 6 ? 1 : 2;
  const distances = allowed.map((each) => [editDistance(word, each), each] as const);
  const nearest = Math.min(...distances.map(([distance]) => distance));
  const found = distances.filter(([distance]) => distance === nearest);
  if (nearest <= limit) return found.length === 1 ? found[0]?.[1] : undefined;
  const beginning = allowed.filter((each) => each.startsWith(word) || word.startsWith(each));
  return beginning.length === 1 ? beginning[0] : undefined;
}
