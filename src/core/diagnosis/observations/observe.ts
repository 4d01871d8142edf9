import type { Attempt, Outcome, Resolution } from '../../facts/outcome.js';
import { decide } from '../../probe/target-probe.js';
import { warmUp } from '../../probe/warm-up.js';
import { familyOf, type Target } from '../../target/target.js';
import {
  collectAddresses,
  probeAddresses,
  probeDnsOnlyAddresses,
  probeGivenAddress,
  probeUnusedAddress,
} from './address-check.js';
import { createContext } from './check-context.js';
import { checkFailure } from './failure-check.js';
import { checkMachine } from './machine.js';
import { askServers, checkName } from './name-check.js';
import type { AddressObservation, DnsServerObservation, Observations } from './observations.js';
import type { DiagnoseOptions, DiagnosisInternals } from './options.js';

/** A literal address needs no DNS server. */
const NO_SERVERS: Promise<DnsServerObservation[]> = Promise.resolve([]);

/** Misuse rejects every check. The caller sees the first that is awaited; ignore the others. */
function ignoreUnseenRejections(checks: readonly Promise<unknown>[]): void {
  for (const check of checks) check.catch(() => {});
}

/** The outcome of a plain probe: the deciding attempt or, without one, the resolution. */
function outcomeOf(resolution: Resolution, attempts: readonly Attempt[]): Outcome {
  const decided = decide(attempts);
  if (decided) return decided;
  if (resolution.state === 'resolved') throw new TypeError('a resolved name was not probed');
  return resolution;
}

/** The same outcome with the latency that was measured alone. */
function retimedOutcome(outcome: Outcome, addresses: readonly AddressObservation[]): Outcome {
  if (!('endpoint' in outcome)) return outcome;
  const { address } = outcome.endpoint;
  return addresses.find(({ attempt }) => attempt.endpoint.address === address)?.attempt ?? outcome;
}

/**
 * Observes everything between here and a target, side by side where possible. Infers nothing.
 * Takes at most three times `timeoutMs`.
 *
 * @throws UsageError if an option is misused, TypeError if `dnsServer` is not an address; never
 *   because of the network
 */
export async function observe(
  target: Target,
  options: DiagnoseOptions = {},
  internals: DiagnosisInternals = {},
): Promise<Observations> {
  const context = createContext(target, options, internals);
  const { track, nameCheck, timeoutMs } = context;
  const startedAt = Date.now();

  const resolving = track('name', context.resolve()).then((resolution) => {
    context.note({ name: { resolution } });
    return resolution;
  });
  ignoreUnseenRejections([resolving]);
  await warmUp(); // keeps Node's start-up out of the latencies
  const isName = familyOf(target.host) === null;
  const asking = isName ? track('DNS servers', askServers(target.host, nameCheck)) : NO_SERVERS;
  const checkingName = checkName(target.host, asking, nameCheck).then((found) => {
    context.note({ name: found });
    return found;
  });
  const probingGiven = probeGivenAddress(context, resolving);
  ignoreUnseenRejections([asking, checkingName, probingGiven]);

  const resolution = await resolving;
  const attempts = await track('address', probeAddresses(context, resolution));
  const given = await probingGiven;

  const decided = outcomeOf(resolution, attempts);
  const probingDnsOnly = probeDnsOnlyAddresses(context, attempts, asking);
  ignoreUnseenRejections([probingDnsOnly]);
  const examined = 'endpoint' in decided ? decided : given;
  const failure = await checkFailure(context, examined);
  const open = [decided, given].find((each) => each?.state === 'open') as Attempt | undefined;
  const unused = await probeUnusedAddress(context, open);
  const name = { resolution, ...(await checkingName) };
  const addresses = await collectAddresses(context, attempts, await probingDnsOnly, given);
  const deciding = examined?.endpoint ?? context.givenAddress;
  return {
    target,
    startedAt,
    timeoutMs,
    outcome: retimedOutcome(decided, addresses),
    name,
    addresses,
    machine: await checkMachine(target, deciding, context.env),
    ...failure,
    nobody: unused,
    elapsedMs: context.elapsedMs(),
  };
}
