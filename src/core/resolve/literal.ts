import type { Resolved, Unresolved } from '../facts/outcome.js';
import { familyOf } from '../target/target.js';
import type { Failure } from './resolver-error.js';

/** The failure of a literal address of the other family: WSANO_DATA, as for a name without one. */
const OTHER_FAMILY: Failure = {
  reason: 'name-no-address',
  error: { code: 'EAI_ADDRFAMILY', errno: null, winsock: 11004, syscall: null },
};

/** Many ports of one address are often probed: they share one object. */
let latest: Resolved | undefined;

/** The resolution of a literal address: itself, in no time. */
export function resolvedLiteral(address: string, family: 4 | 6): Resolved {
  if (latest?.host === address) return latest;
  latest = {
    state: 'resolved',
    host: address,
    via: 'literal',
    elapsedMs: 0,
    addresses: [{ address, family }],
  };
  return latest;
}

/**
 * Resolves a literal address without asking anybody.
 *
 * @param only the family asked for; an address of the other one is `name-no-address`
 * @returns null for a name
 */
export function resolveLiteral(host: string, only?: 4 | 6): Resolved | Unresolved | null {
  const family = familyOf(host);
  if (family === null) return null;
  if (only === undefined || family === only) return resolvedLiteral(host, family);
  return {
    state: 'unresolved',
    ...OTHER_FAMILY,
    host,
    via: 'literal',
    elapsedMs: 0,
    servers: [],
    family: only,
  };
}
