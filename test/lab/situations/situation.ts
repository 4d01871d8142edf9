import type { State } from '../../../src/core/states.js';
import type { DnsZone } from '../../support/dns-server.js';
import type { ResolverOptions } from '../../support/lab.js';
import type { ScriptedRule } from '../../support/scripted-host.js';
import type { Cause, Fact } from './claims.js';

/** The port that is asked about, unless a situation names another one. */
export const PORT = 7000;

export type Answers = ScriptedRule['answers'];

/** One address of the target and what answers there. */
export interface Site {
  family: 4 | 6;
  /** To the first SYN for the port, the second and so on; the last answer repeats. */
  port: Answers;
  /** To SYNs for every other port; as for the port unless given. */
  others?: Answers;
  /** Answers of some other ports. */
  companions?: Readonly<Record<number, Answers>>;
  /** Another answer of a port after this many connections to it. */
  later?: { port: number; after: number; answers: Answers };
}

/** How portping is asked. */
type Mode = 'plain' | 'verbose' | 'diagnose';

/** What is the case, and what looks the same from here. */
export interface Causes {
  /** The causes that were made. They must be named, and whatever names causes names one of them. */
  made: readonly Cause[];
  /** Causes that look the same: they must be named, too. */
  alike?: readonly Cause[];
  /** Causes that were made but decide nothing. They may be named. */
  besides?: readonly Cause[];
}

/** What is true in a situation. */
export interface Truth extends Causes {
  state: State;
  /** Several if it depends on what is lost on the way. */
  reason: string | null | readonly (string | null)[];
  /** The site that decides, by its number from 0; undefined if any of them may. */
  decides?: number | undefined;
  /** The deciding address, if there are no sites. */
  address?: string;
  /** Whether each run may see something else, so that the formats may differ. */
  varies?: true;
  /** The exit code, if it is not that of the state. */
  exitCode?: number;
  /** A text that a plain probe must show. */
  shows?: string;
  /** What a diagnosis must say, which sees more. */
  diagnosed?: Causes;
  /** Facts that are true besides. A fact that is not in this list must not be stated. */
  facts?: readonly Fact[];
}

/** A state of the world, what is asked about it, and the truth. */
export interface Situation {
  /** What the world is, as a part of a sentence. */
  title: string;
  /** The target's addresses. Its host is the address if there is only one, else a name. */
  sites?: readonly Site[];
  /** Whether the host is a name although it has one address only. */
  named?: boolean;
  /** The host and port, instead of those of the sites. */
  target?: readonly [host: string, port: number];
  resolver?: ResolverOptions;
  options?: readonly string[];
  /** Words before the command, such as a shell that sets a limit. */
  wrapper?: readonly string[];
  /** `plain` and `diagnose` unless given. */
  modes?: readonly Mode[];
  truth: Truth;
}

/** A situation with its place in the world. */
export interface Placed {
  situation: Situation;
  host: string;
  port: number;
  /** The addresses of its sites, in their order. */
  addresses: readonly string[];
}

/** The networks of the sites. */
export const NETWORKS = ['10.90.0.0/16', 'fd90::/64'];

const siteAddress = (family: 4 | 6, number: number): string =>
  family === 4 ? `10.90.${number >> 8}.${number & 255}` : `fd90::${number.toString(16)}`;

function rulesOf(site: Site, address: string): ScriptedRule[] {
  const { port, others = port, companions = {}, later } = site;
  const ports = Object.entries(companions).map(([each, answers]): ScriptedRule => ({
    address,
    port: Number(each),
    answers,
  }));
  const changed = later && {
    address,
    port: later.port,
    afterConnections: later.after,
    answers: later.answers,
  };
  return [
    ...(changed ? [changed] : []),
    ...ports,
    { address, port: PORT, answers: port },
    { address, answers: others },
  ];
}

/** Gives each site an address of its own, and each target with several a name. */
export function place(situations: readonly Situation[]): {
  placed: Placed[];
  rules: ScriptedRule[];
  zone: DnsZone;
} {
  let number = 256; // 10.90.1.0
  const rules: ScriptedRule[] = [];
  const zone: DnsZone = {};
  const placed = situations.map((situation, index): Placed => {
    const { sites = [], target, named = sites.length > 1 } = situation;
    const located = sites.map((site) => ({ site, address: siteAddress(site.family, ++number) }));
    rules.push(...located.flatMap(({ site, address }) => rulesOf(site, address)));
    const addresses = located.map(({ address }) => address);
    const name = `s${index}.test`;
    if (named)
      zone[name] = {
        A: addresses.filter((each) => !each.includes(':')),
        AAAA: addresses.filter((each) => each.includes(':')),
      };
    const [host, port] = target ?? [named ? name : (addresses[0] ?? ''), PORT];
    return { situation, host, port, addresses };
  });
  return { placed, rules, zone };
}

/** An endpoint as the command line and the formats write it. */
export const nameOf = (host: string, port: number | string): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** The name of a target. */
export const targetName = ({ host, port }: Placed): string => nameOf(host, port);
