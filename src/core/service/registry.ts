import type { TlsRequest } from '../facts/service-finding.js';

/**
 * The protocols, and whether the server sends first (a greeting). If not, it waits for a request.
 * Their checks are loaded only when one is to run: `protocol-table.ts`.
 */
const SERVER_GREETS = {
  banner: true,
  smtp: true,
  pop3: true,
  imap: true,
  ftp: true,
  ssh: true,
  http: false,
  tls: false,
  x400: false,
} as const satisfies Readonly<Record<string, boolean>>;

/** A protocol that a service may speak. */
export type Protocol = keyof typeof SERVER_GREETS;

/** How TLS starts: with the first byte, or by a command of the protocol (STARTTLS). */
type TlsStart = 'implicit' | 'starttls';

/** A service that can be probed. */
export interface Service {
  readonly protocol: Protocol;
  /** Null for a service without TLS. */
  readonly tls: TlsStart | null;
  /** Ports that select this service (IANA's registry, and others in common use). */
  readonly ports: readonly number[];
}

/** One line for each service. */
const ROWS = {
  banner: { protocol: 'banner', tls: null, ports: [119, 3306, 5900] },
  smtp: { protocol: 'smtp', tls: null, ports: [25, 587, 2525] },
  'smtp+tls': { protocol: 'smtp', tls: 'starttls', ports: [] },
  smtps: { protocol: 'smtp', tls: 'implicit', ports: [465] },
  pop3: { protocol: 'pop3', tls: null, ports: [110] },
  'pop3+tls': { protocol: 'pop3', tls: 'starttls', ports: [] },
  pop3s: { protocol: 'pop3', tls: 'implicit', ports: [995] },
  imap: { protocol: 'imap', tls: null, ports: [143] },
  'imap+tls': { protocol: 'imap', tls: 'starttls', ports: [] },
  imaps: { protocol: 'imap', tls: 'implicit', ports: [993] },
  ftp: { protocol: 'ftp', tls: null, ports: [21] },
  'ftp+tls': { protocol: 'ftp', tls: 'starttls', ports: [] },
  ftps: { protocol: 'ftp', tls: 'implicit', ports: [990] },
  ssh: { protocol: 'ssh', tls: null, ports: [22, 2222] },
  http: { protocol: 'http', tls: null, ports: [80, 8000, 8080] },
  'http+tls': { protocol: 'http', tls: 'implicit', ports: [] },
  https: { protocol: 'http', tls: 'implicit', ports: [443, 8443] },
  tls: { protocol: 'tls', tls: 'implicit', ports: [563, 636, 853, 5061, 5671, 6697, 8883] },
  x400: { protocol: 'x400', tls: null, ports: [102] },
} satisfies Readonly<Record<string, Service>>;

/** The name of a service that can be probed. */
export type ServiceName = keyof typeof ROWS;

/** All services that can be probed. */
export const SERVICES: Readonly<Record<ServiceName, Service>> = ROWS;

/** The names of all services that can be probed. */
export const SERVICE_NAMES = Object.keys(SERVICES) as readonly ServiceName[];

/** Which service to probe behind an open port, and how to check its TLS. */
export interface ServiceRequest extends TlsRequest {
  /** Default: the service of the port. */
  readonly name?: ServiceName | undefined;
}

/** Whether a text is the name of a service that can be probed. */
export function isServiceName(text: string): text is ServiceName {
  return Object.hasOwn(SERVICES, text);
}

/** The service that a port selects, or undefined if there is none. */
export function serviceNameOfPort(port: number): ServiceName | undefined {
  return SERVICE_NAMES.find((name) => SERVICES[name].ports.includes(port));
}

/** Whether the client sends first: a request, or the first message of TLS. */
export function clientSendsFirst(name: ServiceName): boolean {
  const { protocol, tls: start } = SERVICES[name];
  return start === 'implicit' || !SERVER_GREETS[protocol];
}
