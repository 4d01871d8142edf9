import type {
  AddressObservation,
  DnsAnswer,
  DnsServerObservation,
  LocalFilterObservation,
  Observations,
} from '../../../src/core/diagnosis/observations/observations.js';
import type {
  Attempt,
  ErrorFacts,
  Outcome,
  Resolved,
  Unresolved,
} from '../../../src/core/facts/outcome.js';
import type { FailedReason, FilteredReason, UnresolvedReason } from '../../../src/core/states.js';

/** Addresses for documentation (RFC 5737, RFC 3849): two of the host, one that is nobody's. */
export const V4 = '198.51.100.10';
export const OTHER_V4 = '198.51.100.20';
export const V6 = '2001:db8::10';
export const PORT = 5432;

const error = (code: string, winsock: number | null = null): ErrorFacts => ({
  code,
  errno: null,
  winsock,
  syscall: 'connect',
});
const at = (address: string, port: number) => ({
  endpoint: { address, family: address.includes(':') ? 6 : 4, port } as const,
  startedAt: 0,
});

export const open = (address = V4, port = PORT, latencyMs = 10): Attempt => ({
  state: 'open',
  ...at(address, port),
  latencyMs,
  local: null,
  dropped: null,
  service: null,
});
export const dropped = (by: 'end' | 'reset', receivedBytes = 0): Attempt => ({
  state: 'open',
  ...at(V4, PORT),
  latencyMs: 10,
  local: null,
  dropped: { by, afterMs: 1, receivedBytes },
  service: null,
});
export const closed = (address = V4, port = PORT, elapsedMs = 10): Attempt => ({
  state: 'closed',
  reason: 'conn-refused',
  ...at(address, port),
  elapsedMs,
  error: error('ECONNREFUSED', 10061),
});
export const filtered = (
  reason: FilteredReason = 'no-response',
  address = V4,
  port = PORT,
  elapsedMs = 5000,
): Attempt => ({
  state: 'filtered',
  reason,
  ...at(address, port),
  elapsedMs,
  error: error('E', 10060),
});
export const failed = (reason: FailedReason, address = V4): Attempt => ({
  state: 'failed',
  reason,
  ...at(address, PORT),
  elapsedMs: 0,
  error: error('E'),
});

const answer = (kind: DnsAnswer['kind'], addresses: readonly string[] = []): DnsAnswer => ({
  kind,
  addresses,
  elapsedMs: 2,
});

/** A DNS server that says the same to both questions, or gives these addresses. */
export function server(
  says: Exclude<DnsAnswer['kind'], 'addresses'> | readonly string[],
  address = '192.0.2.53',
): DnsServerObservation {
  if (typeof says === 'string') return { server: address, a: answer(says), aaaa: answer(says) };
  const of = (addresses: readonly string[]): DnsAnswer =>
    addresses.length > 0 ? answer('addresses', addresses) : answer('no-record');
  return {
    server: address,
    a: of(says.filter((each) => !each.includes(':'))),
    aaaa: of(says.filter((each) => each.includes(':'))),
  };
}

export const unresolved = (
  reason: UnresolvedReason = 'name-not-found',
  via = 'system',
): Unresolved => ({
  state: 'unresolved',
  reason,
  host: 'db.example',
  via,
  elapsedMs: reason === 'resolver-timeout' ? 5000 : 3,
  error: error('ENOTFOUND', 11001),
  servers: ['192.0.2.53'],
  family: 0,
});

/** A resolution of the system's resolver. */
export const resolvedTo = (addresses: readonly string[], host = 'db.example'): Resolved => ({
  state: 'resolved',
  host,
  via: 'system',
  elapsedMs: 3,
  addresses: addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
});

/** What is particular about a case. Everything else is in order. */
export interface Particulars extends Partial<
  Omit<Observations, 'name' | 'machine' | 'target' | 'addresses'>
> {
  readonly host?: string;
  readonly port?: number;
  /** Attempts on what the resolver gave; the first of the best state decides. */
  readonly attempts?: readonly Attempt[];
  readonly dnsOnly?: readonly Attempt[];
  readonly given?: Attempt;
  readonly name?: Partial<Observations['name']>;
  readonly machine?: Partial<Observations['machine']>;
}

const STATES: readonly Outcome['state'][] = ['open', 'closed', 'filtered', 'failed', 'cancelled'];

/** Observations of a name that resolves and a port that is open, but for the particulars. */
export function observations({
  host = 'db.example',
  port = PORT,
  attempts = [open()],
  dnsOnly = [],
  given,
  name,
  machine,
  ...rest
}: Particulars = {}): Observations {
  const [decided] = [...attempts].sort(
    (one, other) => STATES.indexOf(one.state) - STATES.indexOf(other.state),
  );
  const outcome: Outcome = rest.outcome ?? decided ?? unresolved();
  const of =
    (source: AddressObservation['source']) =>
    (attempt: Attempt): AddressObservation => ({ source, attempt });
  const resolution =
    outcome.state === 'unresolved'
      ? outcome
      : resolvedTo(
          attempts.map(({ endpoint }) => endpoint.address),
          host,
        );
  return {
    target: { host, port },
    startedAt: 0,
    elapsedMs: 20,
    timeoutMs: 5000,
    addresses: [
      ...(outcome.state === 'unresolved' ? [] : attempts.map(of('resolver'))),
      ...dnsOnly.map(of('dns')),
      ...(given ? [of('given')(given)] : []),
    ],
    loopback: [],
    listeners: null,
    companions: null,
    localFilter: null,
    refusalTiming: null,
    nobody: null,
    ...rest,
    outcome,
    name: {
      resolution,
      servers: [server([V4])],
      hostsFile: { path: '/etc/hosts', addresses: [] },
      sources: ['files', 'dns'],
      foundBySearch: [],
      ...name,
    },
    machine: {
      platform: 'linux',
      hostName: 'here',
      timeZone: 'Europe/Berlin',
      addresses: [{ interface: 'eth0', address: '203.0.113.5', family: 4 }],
      sourceAddress: '203.0.113.5',
      proxy: null,
      descriptorLimit: 1024,
      sourcePorts: 28_232,
      ...machine,
    },
  };
}

/** Other ports of a host that is up, and of one that is silent. */
export const answeringPorts = [open(V4, 443), closed(V4, 80)];
export const silentPorts = [filtered('no-response', V4, 443), filtered('no-response', V4, 80)];

/** A name for loopback that DNS does not have. */
export const localhost = {
  host: 'localhost',
  name: { servers: [server('no-such-name')] },
} as const;

/** A name that does not exist. */
export const nxdomain = {
  outcome: unresolved(),
  name: { servers: [server('no-such-name')] },
} as const;

/** A firewall of this machine that answers each try over loopback. */
export const answeredHere: LocalFilterObservation = {
  endpoint: { address: V4, port: PORT },
  tries: 5,
  stopped: 5,
  answeredHere: 5,
  loopbackPackets: 1,
  idleWithTraffic: 0,
};
