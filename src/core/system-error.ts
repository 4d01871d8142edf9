/** The code of a system error and its meaning: `EACCES, permission denied`. */
export function describeSystemError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const [, meaning] = /^[A-Z\d]+: ([^,]+),/.exec(message) ?? [];
  return meaning === undefined ? (code ?? String(error)) : `${code}, ${meaning}`;
}
