import type { Address, Attempt, Resolution } from '../../facts/outcome.js';
import { interleaveFamilies, startAttempts } from '../../probe/race.js';
import { familyOf } from '../../target/target.js';
import { type CheckContext, endpointAt } from './check-context.js';
import { listAddresses } from './name-check.js';
import type { AddressObservation, DnsServerObservation } from './observations.js';

/** How long an open connection is watched for a drop, in milliseconds. */
const WATCH_MS = 500;

/** How long the extra address waits for the resolver, in milliseconds. */
const RESOLVER_HEAD_START_MS = 250;

/** At most this many addresses that only DNS servers know are probed. */
const MAX_DNS_ONLY = 6;

/** Addresses that no host may have: they are for documentation (RFC 5737, RFC 3849). */
const UNUSED_ADDRESSES: Readonly<Record<4 | 6, Address>> = {
  4: { address: '192.0.2.1', family: 4 },
  6: { address: '2001:db8::1', family: 6 },
};

/** How long the unused address is tried, in milliseconds. */
const UNUSED_ADDRESS_MS = 1000;

/** Probes an address. What it finds is final unless it opens: then it is timed again. */
async function probeAddress(
  context: CheckContext,
  source: AddressObservation['source'],
  ...parameters: Parameters<CheckContext['probe']>
): Promise<Attempt> {
  const attempt = await context.probe(...parameters);
  if (attempt.state !== 'open') context.note({ addresses: [{ source, attempt }] });
  return attempt;
}

/** Probes every address of the resolution, each to its own outcome. */
export async function probeAddresses(
  context: CheckContext,
  resolution: Resolution,
): Promise<Attempt[]> {
  if (resolution.state !== 'resolved') return [];
  const endpoints = interleaveFamilies(resolution.addresses).map((each) =>
    endpointAt(context, each),
  );
  const started = startAttempts(endpoints, {
    timeoutMs: context.remainingMs(),
    untilFirstOpen: false,
    signal: context.signal,
    attempt: (endpoint, timeoutMs) =>
      probeAddress(context, 'resolver', endpoint, { timeoutMs, watchMs: WATCH_MS }),
  });
  return (await Promise.all(started)).filter((each) => each !== null);
}

/**
 * Probes the extra address; null if there is none. It starts when the resolver has answered, or
 * soon after: a handshake that starts together with everything else reads too long.
 */
export async function probeGivenAddress(
  context: CheckContext,
  resolving: Promise<unknown>,
): Promise<Attempt | null> {
  if (context.givenAddress === null) return null;
  const headStart = new Promise((resolve) => {
    setTimeout(resolve, RESOLVER_HEAD_START_MS);
  });
  await Promise.race([resolving, headStart]);
  const endpoint = endpointAt(context, context.givenAddress);
  return probeAddress(context, 'given', endpoint, { watchMs: WATCH_MS });
}

/** Probes the addresses that only a DNS server has: another machine may get them. */
export async function probeDnsOnlyAddresses(
  context: CheckContext,
  probed: readonly Attempt[],
  asking: Promise<readonly DnsServerObservation[]>,
): Promise<Attempt[]> {
  const known = new Set(probed.map(({ endpoint }) => endpoint.address));
  if (context.givenAddress) known.add(context.givenAddress.address);
  const inDns = new Set((await asking).flatMap(listAddresses));
  const others = [...inDns].filter((address) => !known.has(address)).slice(0, MAX_DNS_ONLY);
  return Promise.all(
    others.map((address) =>
      probeAddress(
        context,
        'dns',
        endpointAt(context, { address, family: familyOf(address) ?? 4 }),
        { watchMs: WATCH_MS },
      ),
    ),
  );
}

/** How often an unused address that opened is timed again. */
const UNUSED_RETIMINGS = 2;

/** Times an open port again, alone: a latency measured beside other checks reads too long. */
async function retimeAlone({ probe }: CheckContext, attempt: Attempt): Promise<Attempt> {
  if (attempt.state !== 'open') return attempt;
  const again = await probe(attempt.endpoint);
  return again.state === 'open' && again.latencyMs < attempt.latencyMs
    ? { ...attempt, latencyMs: again.latencyMs }
    : attempt;
}

/** All attempts with their sources; open ones are timed again, one after the other. */
export async function collectAddresses(
  context: CheckContext,
  attempts: readonly Attempt[],
  dnsOnly: readonly Attempt[],
  given: Attempt | null,
): Promise<AddressObservation[]> {
  const observed: AddressObservation[] = [];
  const add = (source: AddressObservation['source'], attempt: Attempt): void => {
    observed.push({ source, attempt });
    if (attempt.state === 'open') context.note({ addresses: [{ source, attempt }] });
  };
  for (const each of attempts) add('resolver', await retimeAlone(context, each));
  for (const attempt of dnsOnly) add('dns', attempt);
  if (given) add('given', await retimeAlone(context, given));
  return observed;
}

/**
 * Tries the same port at an address of the same family that no host may have. If it opens,
 * something on the way answers everything. Null if no port is open, if no router is on the way to
 * one of the two addresses, or if only the target's own port may be tried.
 */
export async function probeUnusedAddress(
  context: CheckContext,
  open: Attempt | undefined,
): Promise<Attempt | null> {
  if (!open || !context.otherPorts) return null;
  const unused = UNUSED_ADDRESSES[open.endpoint.family];
  if (open.endpoint.address === unused.address) return null;
  if (context.isDirectlyAttached(open.endpoint) || context.isDirectlyAttached(unused)) return null;
  let attempt = await context.probe(endpointAt(context, unused), {
    timeoutMs: Math.min(UNUSED_ADDRESS_MS, context.remainingMs()),
  });
  for (let index = 0; index < UNUSED_RETIMINGS; index += 1)
    attempt = await retimeAlone(context, attempt);
  return attempt;
}
