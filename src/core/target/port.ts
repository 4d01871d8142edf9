/**
 * A port as a number; names of services are not allowed.
 *
 * @param minimum 0 where the system may choose the port, else 1
 * @returns null unless it is a whole number from `minimum` to 65535
 */
export function parsePortNumber(text: string, minimum: 0 | 1): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  return port >= minimum && port <= 65_535 ? port : null;
}
