import { checkBanner } from './protocols/banner.js';
import type { TlsRequest } from '../facts/service-finding.js';
import { checkFtp } from './protocols/ftp.js';
import { checkHttp } from './protocols/http.js';
import { checkImap } from './protocols/imap.js';
import { checkPop3 } from './protocols/pop3.js';
import type { ServiceCheck } from './conversation/service-check.js';
import { checkSmtp } from './protocols/smtp.js';
import { checkSsh } from './protocols/ssh.js';
import type { Protocol } from './conversation/text.js';
import { checkTls } from './protocols/tls.js';
import { checkX400 } from './protocols/x400.js';

/** A service that can be asked for. */
export interface Service {
  readonly check: ServiceCheck;
  /** What it looks like when it speaks, inside TLS where it has that; null when that may be anything. */
  readonly speaks: readonly Protocol[] | null;
  /** TLS from the `first` byte on, or turned to `inside` the conversation (STARTTLS); null without. */
  readonly tls: 'first' | 'inside' | null;
  /** The ports that stand for it (IANA's registry, and what is customary beside it). */
  readonly ports: readonly number[];
}

/** SMTP and FTP greet alike, and half of a greeting (`220 ftp.exam`) does not tell which it is. */
const GREETS_BY_NUMBER = ['SMTP', 'FTP'] as const;

/** All services that can be asked for, by name: one line each. */
export const SERVICES = {
  banner: { check: checkBanner, speaks: null, tls: null, ports: [119, 3306, 5900] },
  smtp: { check: checkSmtp, speaks: GREETS_BY_NUMBER, tls: null, ports: [25, 587, 2525] },
  'smtp+tls': { check: checkSmtp, speaks: GREETS_BY_NUMBER, tls: 'inside', ports: [] },
  smtps: { check: checkSmtp, speaks: GREETS_BY_NUMBER, tls: 'first', ports: [465] },
  pop3: { check: checkPop3, speaks: ['POP3'], tls: null, ports: [110] },
  'pop3+tls': { check: checkPop3, speaks: ['POP3'], tls: 'inside', ports: [] },
  pop3s: { check: checkPop3, speaks: ['POP3'], tls: 'first', ports: [995] },
  imap: { check: checkImap, speaks: ['IMAP'], tls: null, ports: [143] },
  'imap+tls': { check: checkImap, speaks: ['IMAP'], tls: 'inside', ports: [] },
  imaps: { check: checkImap, speaks: ['IMAP'], tls: 'first', ports: [993] },
  ftp: { check: checkFtp, speaks: GREETS_BY_NUMBER, tls: null, ports: [21] },
  'ftp+tls': { check: checkFtp, speaks: GREETS_BY_NUMBER, tls: 'inside', ports: [] },
  ftps: { check: checkFtp, speaks: GREETS_BY_NUMBER, tls: 'first', ports: [990] },
  ssh: { check: checkSsh, speaks: ['SSH'], tls: null, ports: [22, 2222] },
  http: { check: checkHttp, speaks: ['HTTP'], tls: null, ports: [80, 8000, 8080] },
  'http+tls': { check: checkHttp, speaks: ['HTTP'], tls: 'first', ports: [] },
  https: { check: checkHttp, speaks: ['HTTP'], tls: 'first', ports: [443, 8443] },
  tls: {
    check: checkTls,
    speaks: ['TLS'],
    tls: 'first',
    ports: [563, 636, 853, 5061, 5671, 6697, 8883],
  },
  x400: { check: checkX400, speaks: ['an ISO transport'], tls: null, ports: [102] },
} as const satisfies Readonly<Record<string, Service>>;

/** The name of a service that can be asked for. */
export type ServiceName = keyof typeof SERVICES;

/** The service that is asked for behind an open port, and how its TLS is looked at. */
export interface ServiceRequest extends TlsRequest {
  /** Which service; without one the port decides. */
  readonly name?: ServiceName | undefined;
}

/** The names of all services that can be asked for. */
export const SERVICE_NAMES = Object.keys(SERVICES) as readonly ServiceName[];

/** The service that a port stands for, or undefined when it says nothing. */
export function serviceNameOfPort(port: number): ServiceName | undefined {
  return SERVICE_NAMES.find((name) => (SERVICES[name].ports as readonly number[]).includes(port));
}
