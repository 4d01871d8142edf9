import { lookUpError, type WinsockError, WINSOCK_ERRORS } from '../core/errors/winsock.js';
import { UsageError } from '../core/usage-error.js';

function names({ errno, linux, macos, aliases }: WinsockError): string {
  const numbers = [linux === null ? '' : `Linux ${linux}`, macos === null ? '' : `macOS ${macos}`]
    .filter((each) => each !== '')
    .join(', ');
  const own = errno === null ? '' : `${errno}${numbers === '' ? '' : ` (${numbers})`}`;
  return [own, aliases.join(', ')].filter((each) => each !== '').join('; also ');
}

/**
 * What `--explain` prints: one error, or the whole table when there is no query.
 *
 * @throws UsageError when the error is unknown
 */
export function explainError(query: string | null): string {
  if (query === null) {
    const rows = WINSOCK_ERRORS.map(
      ({ winsock, name, errno, meaning }) =>
        `${winsock}  ${name.padEnd(28)}${(errno ?? '').padEnd(17)}${meaning}`,
    );
    return `${rows.join('\n')}\n`;
  }
  const row = lookUpError(query);
  if (!row) {
    throw new UsageError(
      `--explain: "${query}" is not in the table; allowed: a code such as 10061, WSAECONNREFUSED, ECONNREFUSED, EAI_AGAIN, or no code for the whole table`,
    );
  }
  const known = names(row);
  return `${row.winsock} ${row.name}${known === '' ? '' : `  ${known}`}\n${row.meaning}\n${row.advice}\n`;
}
