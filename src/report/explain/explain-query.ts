import { VERDICT_WORDS } from '../../core/service/conversation/verdict-words.js';
import { EXIT_CODES, type ExitCodeRow, type Reason } from '../../core/states.js';
import { UsageError } from '../../core/usage-error.js';
import { describeReason } from '../outcome-words.js';
import { explainError } from './error-table.js';
import {
  DNS_REPLIES,
  type Meaning,
  REASON_MEANINGS,
  SAME_VERDICT,
  STATE_ADVICE,
  VERDICT_MEANINGS,
} from './word-table.js';

type Lookup = (word: string, platform: NodeJS.Platform) => string | null;

const REASONS = Object.keys(REASON_MEANINGS) as Reason[];

const describe = (title: string, [meaning, advice]: Meaning): string =>
  `${title}\n${meaning}\n${advice}\n`;

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const titleOf = ({ exitCode, state }: ExitCodeRow): string =>
  `exit code ${exitCode}${state === null ? '' : `, state ${state}`}`;

function describeRow(row: ExitCodeRow): string {
  const { exitCode, state, meaning, reasons } = row;
  const lines = reasons.map((reason) => `  ${reason.padEnd(18)}${describeReason(reason)}\n`);
  const advice = exitCode < 5 && state !== null ? `${STATE_ADVICE[state]}\n` : '';
  return `${titleOf(row)}\n${sentence(meaning)}\n${advice}${lines.join('')}`;
}

/** A reason as in JSON (`no-response`), or as in a verdict (`no answer`). */
function explainReason(word: string): string | null {
  const key = word.toLowerCase();
  const reason = REASONS.find((each) => each === key || describeReason(each).toLowerCase() === key);
  if (reason === undefined) return null;
  const row = EXIT_CODES.find(({ reasons }) => reasons.includes(reason));
  const where = row ? ` (${titleOf(row)})` : '';
  return describe(`${reason}${where}`, REASON_MEANINGS[reason]);
}

function explainState(word: string): string | null {
  const key = word.toLowerCase().replace(' ', '-');
  if (key === 'not-open')
    return describe('not-open', ['The port is closed or filtered.', STATE_ADVICE[key]]);
  const rows = EXIT_CODES.filter(({ state }) => state === key);
  return rows.length === 0 ? null : rows.map(describeRow).join('');
}

/** `exit 2`, `exit code 64`, `EX_USAGE`, `wrong usage`. */
function explainExitCode(word: string): string | null {
  const named = { EX_USAGE: 64, EX_SOFTWARE: 70 }[word.toUpperCase()];
  const [, digits] = /^exit(?:ed)?(?: ?code| with| status)*[ =:]+(\d+)$/i.exec(word) ?? [];
  const row = EXIT_CODES.find(
    ({ exitCode, meaning }) =>
      exitCode === (named ?? Number(digits ?? NaN)) || meaning.toLowerCase() === word.toLowerCase(),
  );
  return row ? describeRow(row) : null;
}

/** OpenSSL's verdict on a certificate. */
function explainVerdict(word: string): string | null {
  const key = word.toUpperCase();
  const same = Object.hasOwn(SAME_VERDICT, key) ? (SAME_VERDICT[key] ?? key) : key;
  if (Object.hasOwn(VERDICT_MEANINGS, same) && VERDICT_MEANINGS[same])
    return describe(key, VERDICT_MEANINGS[same]);
  const verdict = Object.keys(VERDICT_WORDS).find((each) => each.toUpperCase() === key);
  if (verdict === undefined) return null;
  const advice = 'Run portping with --service=tls -v to see the chain.';
  return describe(verdict, [sentence(VERDICT_WORDS[verdict] ?? ''), advice]);
}

/** An error of a socket or a resolver, by number or name. */
function explainCode(word: string, platform: NodeJS.Platform): string | null {
  const key = word.toUpperCase();
  const code = Object.hasOwn(DNS_REPLIES, key) ? (DNS_REPLIES[key] ?? word) : word;
  try {
    return `${code === word ? '' : `${key}: `}${explainError(code, platform)}`;
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

/** What a word can be. A word such as "refused" is more than one thing. */
const LOOKUPS: readonly Lookup[] = [
  explainCode,
  explainReason,
  explainState,
  explainVerdict,
  explainExitCode,
];

const explainWord = (word: string, platform: NodeJS.Platform): string | null => {
  const found = LOOKUPS.map((lookUp) => lookUp(word, platform)).filter((each) => each !== null);
  return found.length === 0 ? null : found.join('\n');
};

/** What is looked for in a pasted text, the surest first. Each has the word in its first group. */
const IN_TEXT: readonly RegExp[] = [
  /<(-?\d+|[A-Z][A-Z_\d]+)>/g,
  /\b(1[01]\d{3}|WSA[A-Z_]+)\b/g,
  /\b((?:EAI_|ERR_|CERT_|UNABLE_|DEPTH_|SELF_|E)[A-Z_\d]{3,}|NXDOMAIN|SERVFAIL)\b/g,
  /\b([a-z]+(?:-[a-z]+)+)\b/g,
  /(?:^|[\s,":])([a-z]+(?: [a-z]+)?)(?=[:,.")]|$)/g,
  /^(Success)!/g,
];

/** The first word of a pasted line that can be explained: `Connection refused <10061> returned.` */
function explainText(text: string, platform: NodeJS.Platform): string | null {
  for (const pattern of IN_TEXT)
    for (const [, word = ''] of text.matchAll(pattern)) {
      const found = explainWord(word === 'Success' ? 'open' : word, platform);
      if (found !== null) return found;
    }
  return null;
}

/** The longest part of a pasted text that an error repeats. */
const MOST_QUOTED = 60;

/**
 * What `--explain` prints.
 *
 * @param query a code, a word of a verdict, or a pasted line of it; null for the table of codes
 * @param platform whose errno numbers count
 * @throws UsageError when nothing in it is known
 */
export function explainQuery(query: string | null, platform: NodeJS.Platform): string {
  if (query === null) return explainError(null, platform);
  const text = query.trim();
  const found = explainWord(text, platform) ?? explainText(text, platform);
  if (found !== null) return found;
  const shown = query.length > MOST_QUOTED ? `${query.slice(0, MOST_QUOTED)}...` : query;
  throw new UsageError(
    `--explain: "${shown}" is not in the table; allowed: a code such as 10061, WSAECONNREFUSED, ` +
      'ECONNREFUSED, EAI_AGAIN, a word of a verdict, or no code for the whole table',
  );
}
