import type { ErrorFacts } from '../../core/facts/outcome.js';
import { isUnknownToLibuv } from '../../core/errors/socket-errors.js';
import { winsockByNumber } from '../../core/errors/winsock-codes.js';
import { escapeControls } from '../escape.js';
import type { Explanation } from '../outcome-words.js';

/** The ICMP messages that Linux reports with these codes (icmp_err_convert, tcp_v4_err). */
export const ICMP_ERRORS: Readonly<Record<string, string>> = {
  ENOTSUP: '"source route failed"',
  ENONET: '"source host isolated"',
  EPROTO: '"parameter problem" or an unknown code',
};

/** An error's names: `10061 WSAECONNREFUSED (ECONNREFUSED)`, or its raw name and number. */
function namesOf(error: ErrorFacts): string {
  const { winsock, code, errno } = error;
  const row = winsock === null ? undefined : winsockByNumber(winsock);
  if (row) return `${row.winsock} ${row.name} (${escapeControls(code)})`;
  const raw = `${escapeControls(code)}${errno === null ? '' : ` (${errno})`}`;
  return Object.hasOwn(ICMP_ERRORS, code) || isUnknownToLibuv(error) ? raw : `Unknown error ${raw}`;
}

let latest: { readonly error?: ErrorFacts; readonly names: string } = { names: '' };

/** The names of an error. The refusals of a sweep share one error: its names are kept. */
function formatError(error: ErrorFacts): string {
  if (error !== latest.error) latest = { error, names: namesOf(error) };
  return latest.names;
}

/** An explanation that begins with the names of its error. */
export const explainError = (error: ErrorFacts, { what, advice }: Explanation): Explanation => ({
  what: `${formatError(error)}: ${what}`,
  advice,
});
