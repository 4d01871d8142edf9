import { lookUpError, type WinsockError, WINSOCK_ERRORS } from '../core/errors/winsock.js';
import { UsageError } from '../core/usage-error.js';

/** `ECONNREFUSED (Linux 111, macOS 61); also EAI_AGAIN`. */
function listNames({ errno, linux, macos, aliases }: WinsockError): string {
  const numbers = [linux === null ? '' : `Linux ${linux}`, macos === null ? '' : `macOS ${macos}`]
    .filter((each) => each !== '')
    .join(', ');
  const own = errno === null ? '' : `${errno}${numbers === '' ? '' : ` (${numbers})`}`;
  return [own, aliases.join(', ')].filter((each) => each !== '').join('; also ');
}

/**
 * What `--explain` prints.
 *
 * @param query a code or a name of an error; null for the whole table
 *
 * @throws UsageError when the error is unknown
 */
export function explainError(query: string | null): string {
  if (query === null) {
    const rows = WINSOCK_ERRORS.map(
      ({ winsock, name, errno, meaning }) =>
        `${winsock}  ${name.padEnd(28)}${(errno ?? '').padEnd(17)}${meaning}\n`,
    );
    return rows.join('');
  }
  const row = lookUpError(query);
  if (!row) {
    throw new UsageError(
      `--explain: "${query}" is not in the table; allowed: a code such as 10061, ` +
        'WSAECONNREFUSED, ECONNREFUSED, EAI_AGAIN, or no code for the whole table',
    );
  }
  const known = listNames(row);
  const title = `${row.winsock} ${row.name}${known === '' ? '' : `  ${known}`}`;
  return `${title}\n${row.meaning}\n${row.advice}\n`;
}
