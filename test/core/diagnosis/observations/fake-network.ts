import {
  createContext,
  type CheckContext,
} from '../../../../src/core/diagnosis/observations/check-context.js';
import type {
  DiagnoseOptions,
  DiagnosisInternals,
} from '../../../../src/core/diagnosis/observations/options.js';
import type { Attempt, Resolution } from '../../../../src/core/facts/outcome.js';
import type { AttemptOptions } from '../../../../src/core/probe/port-probe.js';
import type { ResolveOptions } from '../../../../src/core/resolve/resolver.js';
import { type Endpoint, formatEndpoint, type Target } from '../../../../src/core/target/target.js';
import { filtered, PORT, resolvedTo, unresolved } from '../observations.js';

/** The name that the tests diagnose. */
export const NAME = 'db.example';
export const SERVER = '192.0.2.53';

/** A code of c-ares, or addresses. */
type Answer = string | readonly string[];

/** What a fake network answers. Other ports are silent, and other names do not exist. */
export interface FakeNetwork {
  /** By endpoint (`198.51.100.10:5432`). A list answers in turn; its last attempt repeats. */
  readonly ports?: Readonly<Record<string, Attempt | readonly Attempt[]>>;
  /** By name, as the system's resolver answers. */
  readonly names?: Readonly<Record<string, Answer>>;
  /** By name, as every DNS server answers that is queried directly. */
  readonly dns?: Readonly<Record<string, Answer>>;
}

/** A network whose probes and questions are recorded; it touches no socket. */
export function createNetwork({ ports = {}, names = {}, dns = {} }: FakeNetwork = {}) {
  const probes: { readonly endpoint: string; readonly options: AttemptOptions }[] = [];
  const questions: { readonly host: string; readonly options: ResolveOptions }[] = [];
  const probe = async (endpoint: Endpoint, options: AttemptOptions = {}): Promise<Attempt> => {
    const key = formatEndpoint(endpoint);
    const earlier = probes.filter((each) => each.endpoint === key).length;
    probes.push({ endpoint: key, options });
    const answers = [ports[key] ?? filtered('no-response', endpoint.address, endpoint.port)].flat();
    return answers[Math.min(earlier, answers.length - 1)] as Attempt;
  };
  const resolve = async (host: string, options: ResolveOptions = {}): Promise<Resolution> => {
    questions.push({ host, options });
    if (host.includes(':') || /^[\d.]+$/.test(host))
      return { ...resolvedTo([host], host), via: 'literal' };
    const answer = (options.dnsServer === undefined ? names : dns)[host] ?? 'ENOTFOUND';
    if (typeof answer === 'string') {
      const failure = unresolved();
      return { ...failure, host, error: { ...failure.error, code: answer } };
    }
    const { family } = options;
    const addresses = answer.filter(
      (each) => family === undefined || each.includes(':') === (family === 6),
    );
    return addresses.length > 0
      ? resolvedTo(addresses, host)
      : { ...unresolved('name-no-address'), error: { ...unresolved().error, code: 'ENODATA' } };
  };
  return { probe, resolve, probes, questions };
}

/** The endpoints that were probed, each once, in order. */
export const probedBy = ({ probes }: ReturnType<typeof createNetwork>): string[] => [
  ...new Set(probes.map(({ endpoint }) => endpoint)),
];

/** Parts that keep a diagnosis away from this machine's files, counters and environment. */
export const APART: DiagnosisInternals = {
  startCounting: () => null,
  readListeners: () => null,
  isDirectlyAttached: ({ address }) => address.startsWith('127.'),
  env: {},
  servers: [SERVER],
  hostsFile: '/dev/null',
  resolvConf: '/dev/null',
};

/** The context of a check in a fake network. */
export function contextOf(
  network: Pick<DiagnosisInternals, 'probe' | 'resolve'>,
  options: DiagnoseOptions = {},
  internals: DiagnosisInternals = {},
  target: Target = { host: NAME, port: PORT },
): CheckContext {
  return createContext(target, options, { ...APART, ...network, ...internals });
}
