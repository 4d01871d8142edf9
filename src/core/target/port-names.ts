import { readSystemFile, systemFilePath } from '../system-file.js';
import { UsageError } from '../usage-error.js';
import { parsePortNumber } from './port.js';

/**
 * What stands behind the system's services file: containers often have none, and some schemes of
 * URLs are in none. Sources: IANA's registry of service names and port numbers, or, where IANA has
 * no entry, the service's own documentation.
 */
const BUILT_IN: Readonly<Record<string, number>> = {
  ftp: 21,
  ssh: 22,
  sftp: 22,
  telnet: 23,
  smtp: 25,
  domain: 53,
  dns: 53,
  gopher: 70,
  http: 80,
  kerberos: 88,
  'iso-tsap': 102,
  x400: 102,
  pop3: 110,
  sunrpc: 111,
  nntp: 119,
  epmap: 135,
  'netbios-ssn': 139,
  imap: 143,
  imap2: 143,
  ldap: 389,
  https: 443,
  'microsoft-ds': 445,
  smb: 445,
  smtps: 465,
  submissions: 465,
  rtsp: 554,
  submission: 587,
  ipp: 631,
  ldaps: 636,
  'domain-s': 853,
  rsync: 873,
  ftps: 990,
  imaps: 993,
  pop3s: 995,
  socks: 1080,
  socks5: 1080,
  'ms-sql-s': 1433,
  mssql: 1433,
  sqlserver: 1433,
  oracle: 1521,
  mqtt: 1883,
  nfs: 2049,
  docker: 2375,
  etcd: 2379,
  mysql: 3306,
  mariadb: 3306,
  rdp: 3389,
  'ms-wbt-server': 3389,
  nats: 4222,
  postgres: 5432,
  postgresql: 5432,
  amqps: 5671,
  amqp: 5672,
  vnc: 5900,
  couchdb: 5984,
  winrm: 5985,
  redis: 6379,
  rediss: 6379,
  ircs: 6697,
  mqtts: 8883,
  'secure-mqtt': 8883,
  clickhouse: 9000,
  kafka: 9092,
  git: 9418,
  memcached: 11211,
  mongodb: 27017,
  irc: 6667,
  ws: 80,
  wss: 443,
};

/** The names of services that are known without a services file. */
export const BUILT_IN_NAMES: readonly string[] = Object.keys(BUILT_IN);

/**
 * The TCP services of a services file: name (lower case, aliases too) to port. Lines that are not
 * in the format are passed over.
 */
export function parseServices(text: string): Map<string, number> {
  const services = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name, portAndProtocol, ...aliases] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    const match = /^(\d{1,5})\/tcp$/i.exec(portAndProtocol ?? '');
    const port = Number(match?.[1]);
    if (!name || !match || port < 1 || port > 65535) continue;
    for (const each of [name, ...aliases])
      if (!services.has(each.toLowerCase())) services.set(each.toLowerCase(), port);
  }
  return services;
}

let systemServices: Map<string, number> | undefined;

/** Containers often have no services file; the built-in names remain. */
const readSystemServices = (): Map<string, number> =>
  parseServices(readSystemFile(systemFilePath('services')) ?? '');

/**
 * The TCP port of a service name, from the system's services file or, failing that, from a small
 * built-in list.
 *
 * @returns 1 to 65535, or undefined when the name is unknown
 */
export function portOfService(name: string): number | undefined {
  systemServices ??= readSystemServices();
  const key = name.toLowerCase();
  return systemServices.get(key) ?? (Object.hasOwn(BUILT_IN, key) ? BUILT_IN[key] : undefined);
}

const PORT_RULE = 'allowed: 1 to 65535, or the name of a TCP service such as smtp';

/**
 * A port: a number from 1 to 65535 or the name of a service (`smtp`).
 *
 * @throws UsageError when it is neither
 */
export function parsePort(text: string): number {
  const number = parsePortNumber(text, 1);
  if (number !== null) return number;
  if (/^\d+$/.test(text)) throw new UsageError(`port: ${text} is out of range; ${PORT_RULE}`);
  if (text === '') throw new UsageError(`port: nothing given; ${PORT_RULE}`);
  const port = /^[a-z0-9][a-z0-9._+-]*$/i.test(text) ? portOfService(text) : undefined;
  if (port === undefined)
    throw new UsageError(`port: "${text}" is neither a port nor a known service; ${PORT_RULE}`);
  return port;
}

let namesByPort: Map<number, string> | undefined;

/**
 * The name of the service that usually has a TCP port, or undefined; the first name where there are
 * several.
 */
export function serviceOfPort(port: number): string | undefined {
  if (!namesByPort) {
    systemServices ??= readSystemServices();
    namesByPort = new Map();
    for (const [name, each] of [...systemServices, ...Object.entries(BUILT_IN)])
      if (!namesByPort.has(each)) namesByPort.set(each, name);
  }
  return namesByPort.get(port);
}

/**
 * The TCP port that a URL's scheme stands for: the built-in list first, because a services file
 * knows the schemes less well.
 */
export function portOfScheme(scheme: string): number | undefined {
  const key = scheme.toLowerCase();
  return Object.hasOwn(BUILT_IN, key) ? BUILT_IN[key] : portOfService(key);
}
