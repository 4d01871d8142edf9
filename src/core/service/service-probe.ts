import { asciiHost, isServerName, type Target } from '../target/target.js';
import { MAX_TLS_DAYS } from './conversation/certificate.js';
import type { ServiceProbe, ServiceFinding } from '../facts/service-finding.js';
import { Conversation, ConversationOver } from './conversation/conversation.js';
import { prepareTls } from './conversation/secure-layer.js';
import { type Service, serviceNameOfPort, type ServiceRequest, SERVICES } from './registry.js';
import type { Answer } from './conversation/service-check.js';

/** The host as protocols are told it: without the zone of an address, without the dot at the end of a name. */
const plainHost = (host: string): string =>
  host.includes(':') ? host.replace(/%.*$/, '') : asciiHost(host).replace(/\.$/, '');

/**
 * Makes ready to talk with the service of a target: what the first conversation would otherwise wait for is loaded.
 *
 * @throws RangeError when no service is named and the port stands for none, or `tlsMinDays` is out of range; TypeError when TLS is asked about where
 * the named service has none, or `sni` is not a host name
 */
export async function prepareServiceProbe(
  request: ServiceRequest,
  target: Target,
): Promise<ServiceProbe> {
  const name = request.name ?? serviceNameOfPort(target.port);
  if (name === undefined)
    throw new RangeError(
      `service.name: port ${target.port} does not tell which service it has; name one`,
    );
  if (!Object.hasOwn(SERVICES, name)) throw new RangeError(`service.name: "${name}" is not known`);
  const { check, speaks, tls }: Service = SERVICES[name];
  const { tlsMinDays, insecure, sni } = request;
  if (
    tls === null &&
    request.name !== undefined &&
    (tlsMinDays !== undefined || insecure || sni !== undefined)
  )
    throw new TypeError(`service: ${name} has no TLS`);
  if (
    tlsMinDays !== undefined &&
    !(Number.isInteger(tlsMinDays) && tlsMinDays >= 1 && tlsMinDays <= MAX_TLS_DAYS)
  ) {
    throw new RangeError(
      `service.tlsMinDays: ${tlsMinDays} is out of range; allowed: 1 to ${MAX_TLS_DAYS}`,
    );
  }
  if (sni !== undefined && !isServerName(sni))
    throw new TypeError(`service.sni: "${sni}" is not a host name`);
  const host = plainHost(sni ?? target.host);
  const starter = tls === null ? null : await prepareTls(host, request);
  return async (socket, context) => {
    const talk = new Conversation(socket, starter, speaks, context);
    let answer: Answer | null = null;
    let over: ConversationOver | null = null;
    try {
      await (tls === 'first' ? talk.startTls() : talk.settle());
      answer = await check(talk, {
        host,
        port: target.port,
        localAddress: socket.localAddress ?? null,
        startTls: tls === 'inside',
      });
    } catch (error) {
      if (!(error instanceof ConversationOver)) throw error;
      over = error;
    }
    const { elapsedMs, receivedBytes } = talk;
    const talked = {
      name,
      firstLine: answer?.meaning === undefined ? talk.firstLine : null,
      answerMs: talk.answerMs,
      elapsedMs,
      receivedBytes,
      tls: talk.tls,
    };
    const finding: ServiceFinding = over
      ? { ...talked, ...over.ending }
      : {
          state: 'answered',
          ...talked,
          answerMs: talked.answerMs ?? elapsedMs,
          meaning: answer?.meaning ?? null,
        };
    await talk.close(answer?.farewell);
    return finding;
  };
}
