import type { ServiceFinding, ServiceProbe } from '../facts/service-finding.js';
import { asciiHost, isServerName, type Target } from '../target/target.js';
import { UsageError } from '../usage-error.js';
import { MAX_TLS_DAYS } from './conversation/certificate.js';
import { Conversation } from './conversation/conversation.js';
import { prepareTls } from './conversation/secure-layer.js';
import { type FailureDetails, ServiceFailure } from './conversation/service-failure.js';
import type { CheckResult } from './conversation/service-protocol.js';
import {
  isServiceName,
  type ServiceName,
  serviceNameOfPort,
  type ServiceRequest,
  SERVICE_NAMES,
  SERVICES,
} from './registry.js';

/** The host as protocols want it: an address without zone, a name in ASCII without final dot. */
const plainHost = (host: string): string =>
  host.includes(':') ? host.replace(/%.*$/, '') : asciiHost(host).replace(/\.$/, '');

function chooseService({ name }: ServiceRequest, port: number): ServiceName {
  const chosen = name ?? serviceNameOfPort(port);
  if (chosen === undefined)
    throw new UsageError(`service.name: no service is known for port ${port}; name one`);
  if (!isServiceName(chosen))
    throw new UsageError(
      `service.name: "${String(chosen)}" is not a service; allowed: ${SERVICE_NAMES.join(', ')}`,
    );
  return chosen;
}

function checkTlsRequest({ name, tlsMinDays, insecure, sni }: ServiceRequest): void {
  const asksForTls = tlsMinDays !== undefined || insecure || sni !== undefined;
  if (name !== undefined && SERVICES[name].tls === null && asksForTls)
    throw new UsageError(`service: ${name} has no TLS`);
  const isInRange = (days: number): boolean =>
    Number.isInteger(days) && days >= 1 && days <= MAX_TLS_DAYS;
  if (tlsMinDays !== undefined && !isInRange(tlsMinDays))
    throw new UsageError(
      `service.tlsMinDays: ${tlsMinDays} is out of range; allowed: 1 to ${MAX_TLS_DAYS}`,
    );
  if (sni !== undefined && !isServerName(sni))
    throw new UsageError(`service.sni: "${sni}" is not a host name`);
}

function toFinding(
  name: ServiceName,
  conversation: Conversation,
  result: CheckResult | FailureDetails,
): ServiceFinding {
  const { firstLine, answerMs, elapsedMs, receivedBytes, tls } = conversation;
  const talked = { name, firstLine, answerMs, elapsedMs, receivedBytes, tls };
  if ('state' in result) return { ...talked, ...result };
  const { meaning = null } = result;
  return {
    state: 'answered',
    ...talked,
    firstLine: meaning === null ? firstLine : null,
    answerMs: answerMs ?? elapsedMs,
    meaning,
  };
}

/**
 * Prepares to probe the service of a target. Loads all that the first conversation would otherwise
 * wait for.
 *
 * @throws UsageError when the name is unknown, the port selects no service, `tlsMinDays` is out of
 *   range, the named service has no TLS to check, or `sni` is not a host name
 */
export async function prepareServiceProbe(
  request: ServiceRequest,
  target: Target,
): Promise<ServiceProbe> {
  const name = chooseService(request, target.port);
  checkTlsRequest(request);
  const { protocol, tls } = SERVICES[name];
  const host = plainHost(request.sni ?? target.host);
  const starter = tls === null ? null : await prepareTls(host, request);
  return async (socket, context) => {
    const { recognizedAs } = protocol;
    const conversation = new Conversation(socket, context, { starter, recognizedAs });
    const runCheck = async (): Promise<CheckResult | FailureDetails> => {
      try {
        await (tls === 'implicit' ? conversation.startTls() : conversation.readPending());
        return await protocol.check(conversation, {
          host,
          port: target.port,
          localAddress: socket.localAddress ?? null,
          startTls: tls === 'starttls',
        });
      } catch (error) {
        if (error instanceof ServiceFailure) return error.details;
        throw error;
      }
    };
    const result = await runCheck();
    const finding = toFinding(name, conversation, result);
    await conversation.close('farewell' in result ? result.farewell : undefined);
    return finding;
  };
}
