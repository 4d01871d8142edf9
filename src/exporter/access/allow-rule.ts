import { isIP } from 'node:net';
import { asciiHost, parseHost } from '../../core/target/target.js';
import { parsePorts, type PortRange } from '../../core/target/target-list.js';
import { UsageError } from '../../core/usage-error.js';
import { AddressBlocks } from './address-blocks.js';

/** One rule of `--allow`, parsed. */
export interface AllowRule {
  readonly ports: readonly PortRange[];
  /** The addresses that it permits; null for a rule for names. */
  readonly addresses: AddressBlocks | null;
  /** The names that it permits, in lower-case ASCII; null for a rule for addresses. */
  readonly names: RegExp | null;
  /** It says `localhost` literally. That name always means loopback (RFC 6761, 6.3). */
  readonly isLocalhost: boolean;
}

const ALLOWED =
  'allowed: an address, a CIDR block (10.0.0.0/8) or a host (db, *.example.com), ' +
  'with ports if needed (:443, :5432,8000-8010); an IPv6 address with ports needs brackets';

const ANY_PORT: readonly PortRange[] = [{ first: 1, last: 65_535 }];

const withoutLastDot = (name: string): string => (name.endsWith('.') ? name.slice(0, -1) : name);

/** A name as rules compare it: ASCII, lower case, without a final dot. */
export const comparableName = (host: string): string =>
  withoutLastDot(asciiHost(host).toLowerCase());

/** Splits a rule into host and ports. An IPv6 address without brackets has no ports. */
function splitRule(rule: string): { readonly host: string; readonly ports: string | null } {
  const [, bracketed, length = '', bracketedPorts] =
    /^\[([^\]]*)\](\/\d+)?(?::(.*))?$/s.exec(rule) ?? [];
  if (bracketed !== undefined && isIP(bracketed) !== 6)
    throw new UsageError(`--allow: "${rule}" has no IPv6 address in its brackets; ${ALLOWED}`);
  if (bracketed !== undefined)
    return { host: `${bracketed}${length}`, ports: bracketedPorts ?? null };
  const colon = rule.indexOf(':');
  return colon < 0 || isIP(rule.split('/', 1)[0] ?? '') === 6
    ? { host: rule, ports: null }
    : { host: rule.slice(0, colon), ports: rule.slice(colon + 1) };
}

function parseRulePorts(ports: string, rule: string): readonly PortRange[] {
  try {
    return parsePorts(ports);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`--allow: "${rule}": ${error.message}`);
  }
}

/** Refuses patterns that look like something they are not, or that could never match. */
function checkPattern(pattern: string, rule: string): void {
  const refuse = (problem: string): never => {
    throw new UsageError(`--allow: "${rule}" ${problem}`);
  };
  if (pattern === '*.') refuse('has nothing after its dot; write * for every name');
  if (pattern.includes('*') && /^[\d.*]*\d[\d.*]*$/.test(pattern))
    refuse('is a pattern for names, but looks like addresses; write a CIDR block (10.0.0.0/24)');
  // Part of an internationalised label has no ASCII form (RFC 3492).
  const mixed = pattern
    .split('.')
    .find((label) => label.includes('*') && /[^\x00-\x7f]/.test(label));
  if (mixed !== undefined)
    refuse(
      `has "${mixed}", but beside a star only ASCII letters, digits and hyphens are allowed; ` +
        'write the whole label or only a star',
    );
  try {
    parseHost(pattern.replaceAll('*', 'x'));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    refuse(`is neither an address nor a host; ${ALLOWED}`);
  }
}

/** `*.` in front stands for one or more labels, any other `*` for part of one; `*` for any name. */
function toNameMatcher(pattern: string): RegExp {
  if (pattern === '*') return /^/;
  const plain = withoutLastDot(pattern);
  const isSuffix = plain.startsWith('*.');
  const parts = (isSuffix ? plain.slice(2) : plain)
    .split('*')
    .map((part) => asciiHost(part).toLowerCase().replaceAll('.', '\\.'));
  return new RegExp(`^${isSuffix ? '.+\\.' : ''}${parts.join('[^.]*')}$`);
}

/**
 * One rule of `--allow`: `<address | CIDR block | host pattern>[:ports]`.
 *
 * @throws UsageError naming the rule, what is wrong with it and what is allowed
 */
export function parseAllowRule(rule: string): AllowRule {
  const { host, ports: portText } = splitRule(rule);
  const ports = portText === null ? ANY_PORT : parseRulePorts(portText, rule);
  if (isIP(host) !== 0 || host.includes('/')) {
    const addresses = new AddressBlocks([host], '--allow', ALLOWED);
    return { ports, addresses, names: null, isLocalhost: false };
  }
  checkPattern(host, rule);
  const isLocalhost = comparableName(host) === 'localhost';
  return { ports, addresses: null, names: toNameMatcher(host), isLocalhost };
}
