import type { Socket } from 'node:net';
import type {
  ConnectionContext,
  Reconnect,
  ServiceFinding,
  ServiceProbe,
  TlsProblem,
} from '../facts/service-finding.js';
import { MAX_TLS_DAYS } from '../limits.js';
import { asciiHost, isServerName, type Target } from '../target/target.js';
import { UsageError } from '../usage-error.js';
import { Conversation } from './conversation/conversation.js';
import { prepareTls } from './conversation/secure-layer.js';
import { type FailureDetails, ServiceFailure } from './conversation/service-failure.js';
import type { CheckResult } from './conversation/service-protocol.js';
import { PROTOCOLS } from './protocol-table.js';
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

/** What a conversation found. */
interface Talk {
  readonly finding: ServiceFinding;
  /** Whether the TLS handshake began and failed. */
  readonly isHandshakeFailed: boolean;
}

/** What an earlier conversation, which required what clients require, ended with. */
interface Earlier {
  readonly problem: TlsProblem;
  readonly receivedBytes: number;
}

/**
 * Finds out on another connection why a handshake failed: with a permissive one, which may succeed.
 *
 * @returns null if that does not tell more than `first`
 */
async function explainHandshake(
  first: ServiceFinding,
  means: {
    readonly context: ConnectionContext;
    readonly reconnect: Reconnect;
    readonly talk: (socket: Socket, context: ConnectionContext, earlier: Earlier) => Promise<Talk>;
  },
): Promise<ServiceFinding | null> {
  if (first.state !== 'tls-failed' && first.state !== 'dropped') return null;
  const another = await means.reconnect();
  if (!another) return null;
  const { socket, connectedMs, drop } = another;
  const problem: TlsProblem =
    first.state === 'tls-failed'
      ? first
      : { failure: 'handshake', problem: 'it drops the connection' };
  const { context } = means;
  const { finding } = await means.talk(
    socket,
    { ...context, connectedMs, drop },
    { problem, receivedBytes: first.receivedBytes },
  );
  // A server may also drop or fail by chance, and then not again. In TLS 1.3 nothing is permitted
  // that is not permitted anyway.
  const isExplained =
    first.state === 'dropped'
      ? finding.tls?.problems[0]?.failure === 'old-version'
      : finding.tls === null
        ? finding.state === 'tls-failed'
        : finding.tls.version !== 'TLSv1.3';
  if (!isExplained) return null;
  return { ...finding, elapsedMs: finding.elapsedMs + connectedMs - context.connectedMs };
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
  const { protocol: protocolName, tls } = SERVICES[name];
  const protocol = PROTOCOLS[protocolName];
  const host = plainHost(request.sni ?? target.host);
  const prepared = tls === null ? null : await prepareTls(host, request);
  const talk = async (
    socket: Socket,
    context: ConnectionContext,
    earlier: Earlier | null,
  ): Promise<Talk> => {
    const conversation = new Conversation(socket, context, {
      starter: prepared?.(earlier?.problem ?? null) ?? null,
      recognizedAs: protocol.recognizedAs,
      receivedBefore: earlier?.receivedBytes ?? 0,
    });
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
    const { isHandshakeFailed } = conversation;
    await conversation.close('farewell' in result ? result.farewell : undefined);
    return { finding, isHandshakeFailed };
  };
  return async (socket, context, reconnect) => {
    const { finding, isHandshakeFailed } = await talk(socket, context, null);
    if (!isHandshakeFailed) return finding;
    return (await explainHandshake(finding, { context, reconnect, talk })) ?? finding;
  };
}
