import { reasonOf } from '../../facts/outcome.js';
import type { Observations } from '../observations/observations.js';
import { certain, possible, type RuleSection } from './conclusion.js';
import {
  attemptEvidence,
  examinedAttempt,
  isLocalhost,
  overallAnswer,
  resolverAttempts,
  serverEvidence,
  untimed,
} from './evidence.js';

/** The port of SMTP between servers. */
const SMTP_PORT = 25;

/** A refusal on Windows takes at least this long, because the SYN is retried, in milliseconds. */
const RETRIED_SYN_MS = 400;

/** The family for which this machine has no route, if the name has addresses of it. */
function familyWithoutRoute(seen: Observations): 4 | 6 | undefined {
  if (seen.outcome.state === 'failed') return undefined;
  return ([4, 6] as const).find((family) => {
    const own = resolverAttempts(seen).filter(({ endpoint }) => endpoint.family === family);
    return own.length > 0 && own.every((each) => reasonOf(each) === 'no-route');
  });
}

/** Whether every DNS server answered that it has no address for the name. */
const isUnknownToDns = ({ servers }: Observations['name']): boolean =>
  servers.length > 0 &&
  servers.every((each) => ['no-such-name', 'no-record'].includes(overallAnswer(each)));

/** What is worth knowing beside the verdict. */
export const HINT_RULES = {
  /** No route for one family only. Not: the family is filtered; the other has no route either. */
  'family-without-route': (seen) => {
    const family = familyWithoutRoute(seen);
    if (family === undefined) return null;
    return certain(
      `This machine has no IPv${family} route, but the name has IPv${family} addresses.`,
      resolverAttempts(seen)
        .filter((each) => reasonOf(each) === 'no-route')
        .map(attemptEvidence),
      `This is normal on a network without IPv${family}. ` +
        `Programs should fall back to IPv${family === 6 ? 4 : 6}.`,
    );
  },

  /** The name resolves only with a search domain. Not: from another source. */
  'known-by-search-domain': ({ name, target }) => {
    const [found] = name.foundBySearch;
    if (name.resolution.state !== 'resolved' || !found) return null;
    return possible(
      `${target.host} exists only as ${found.name}, with a search domain of this machine. ` +
        'Other machines may not find it.',
      [
        ...name.servers.flatMap(serverEvidence),
        untimed(`${found.name}: ${found.addresses.join(', ')}`),
      ],
      'Use the full name where it must work everywhere.',
    );
  },

  /** The system resolves a name that DNS does not have. Not: the name is localhost. */
  'not-from-dns': (seen) => {
    const { resolution, hostsFile, foundBySearch, servers } = seen.name;
    const inFile = hostsFile?.addresses ?? [];
    if (resolution.state !== 'resolved' || resolution.via !== 'system') return null;
    if (!isUnknownToDns(seen.name) || foundBySearch.length > 0 || isLocalhost(seen)) return null;
    const source =
      hostsFile && resolution.addresses.every(({ address }) => inFile.includes(address))
        ? hostsFile.path
        : 'another source (mDNS, a directory, the system itself)';
    return possible(
      `DNS has no address for ${seen.target.host}. ` +
        `Its address comes from ${source} on this machine.`,
      servers.flatMap(serverEvidence),
      'Add the name to DNS if other machines need it: they may not find it.',
    );
  },

  /** Port 25 is filtered. Not: another mail port is. */
  'outbound-smtp': (seen) => {
    const examined = examinedAttempt(seen);
    return examined?.state === 'filtered' && seen.target.port === SMTP_PORT
      ? possible(
          'Many providers and clouds block outgoing port 25.',
          [attemptEvidence(examined)],
          'Ask your provider, send through its relay, or use port 587.',
        )
      : null;
  },

  /** A refusal of another machine. Not: of this one, where loopback was tried. */
  'loopback-server': ({ outcome, companions: otherPorts }) =>
    outcome.state === 'closed' && otherPorts !== null
      ? possible(
          'A server that listens only on 127.0.0.1 refuses other machines like this.',
          [attemptEvidence(outcome)],
          'Check on the host on which address it listens (on Linux: ss -ltn).',
        )
      : null,

  /** A slow refusal on Windows. Not: on another system. */
  'repeated-syn': ({ outcome, machine }) =>
    machine.platform === 'win32' && outcome.state === 'closed' && outcome.elapsedMs > RETRIED_SYN_MS
      ? possible(
          'Windows retries a SYN that was refused (KB 175523).',
          [attemptEvidence(outcome)],
          'These retries cause the delay, not the network. No action is needed.',
        )
      : null,

  /** A proxy is set in the environment. Not: none is. */
  proxy: ({ machine: { proxy } }) =>
    proxy
      ? possible(
          `Applications that use ${proxy.variable} connect through ${proxy.proxy}, not directly.`,
          [untimed(`${proxy.variable} is set`)],
          'Probe the proxy, too.',
        )
      : null,
} as const satisfies RuleSection;

/** Whether a hint names the proxy or the search domains of this machine: not for a ticket. */
const IS_PRIVATE: Readonly<Record<string, boolean>> = {
  'family-without-route': false,
  'known-by-search-domain': true,
  'not-from-dns': false,
  'outbound-smtp': false,
  'loopback-server': false,
  'repeated-syn': false,
  proxy: true,
} satisfies Record<keyof typeof HINT_RULES, boolean>;

/** Whether a finding reveals more about this machine than a ticket needs. */
export const isPrivateHint = (kind: string): boolean => IS_PRIVATE[kind] ?? false;
