import type { ServiceFinding, TlsFacts, TlsFailure } from '../core/facts/service-finding.js';
import {
  clientSendsFirst,
  isServiceName,
  SERVICE_NAMES,
  SERVICES,
} from '../core/service/registry.js';
import { escapeControls } from './escape.js';
import { formatDuration, formatMilliseconds } from './numbers.js';

/** How many characters of a server's line are shown. */
const MAX_SHOWN_CHARACTERS = 160;

function quoteSafely(text: string): string {
  const isLong = text.length > MAX_SHOWN_CHARACTERS;
  return `"${escapeControls(isLong ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text)}"`;
}

/** What the server sent before it fell silent or dropped the connection. */
function describeEarlierLine({ firstLine }: ServiceFinding, unfinished: string | null): string {
  return firstLine === null || unfinished === firstLine
    ? ''
    : ` It had sent ${quoteSafely(firstLine)}.`;
}

/**
 * Whether the server sent anything: a line, or a part of the TLS handshake. Bytes of a complete
 * handshake do not count: they say nothing about the service inside.
 */
const hasBegun = ({ firstLine, receivedBytes, tls }: ServiceFinding): boolean =>
  firstLine !== null || (receivedBytes > 0 && tls === null);

function describeSilence(finding: Extract<ServiceFinding, { state: 'silent' }>): string {
  const { name, awaited, unfinished, elapsedMs, firstLine } = finding;
  const isBegun = unfinished !== null || (firstLine === null && hasBegun(finding));
  const what = `${awaited} ${isBegun ? 'was not complete' : 'did not come'}`;
  const beginning = unfinished === null ? '' : `; it began with ${quoteSafely(unfinished)}`;
  const earlier = describeEarlierLine(finding, unfinished);
  return `${name} is silent: ${what} within ${formatDuration(elapsedMs)}${beginning}.${earlier}`;
}

function describeDrop(finding: Extract<ServiceFinding, { state: 'dropped' }>): string {
  const { name, awaited, unfinished, by, winsock, afterMs } = finding;
  const how = by === 'reset' ? `reset <${winsock}>` : 'closed';
  const when = afterMs === 0 ? 'at once' : `${formatDuration(afterMs)} after the handshake`;
  const where =
    unfinished === null
      ? `before ${awaited}`
      : `in the middle of ${awaited}, which began with ${quoteSafely(unfinished)}`;
  const earlier = describeEarlierLine(finding, unfinished);
  return `${name} dropped the connection: it was ${how} ${when}, ${where}.${earlier}`;
}

/** A finding in a sentence: `smtp answered "220 mail.example.com ESMTP" in 4.10 milliseconds.` */
export function describeService(finding: ServiceFinding): string {
  const { name } = finding;
  switch (finding.state) {
    case 'answered': {
      const what =
        finding.meaning === null
          ? quoteSafely(finding.firstLine ?? '')
          : `with ${escapeControls(finding.meaning)}`;
      return `${name} answered ${what} in ${formatMilliseconds(finding.answerMs)} milliseconds.`;
    }
    case 'wrong-protocol':
      return `${name} did not answer as it should: ${escapeControls(finding.problem)}.`;
    case 'silent':
      return describeSilence(finding);
    case 'dropped':
      return describeDrop(finding);
    case 'tls-failed':
      return `${name} failed at TLS: ${escapeControls(finding.problem)}.`;
    default:
      return finding satisfies never;
  }
}

function describeValidity(daysLeft: number | null): string {
  if (daysLeft === null) return 'with an unreadable expiry date';
  if (daysLeft < 0) return 'expired';
  return daysLeft === 0
    ? 'valid for less than a day'
    : `valid for ${daysLeft} more ${daysLeft === 1 ? 'day' : 'days'}`;
}

/**
 * What TLS agreed on, in a line: version, cipher suite, certificate, days left. If the service
 * answered in spite of problems, also these.
 */
export function describeTls(
  { version, cipher, certificate, problems }: TlsFacts,
  isAnswered: boolean,
): string {
  const agreed = `${escapeControls(version)}, ${escapeControls(cipher)}`;
  const problemList = problems.map(({ problem }) => escapeControls(problem)).join('; ');
  const ignored = isAnswered && problems.length > 0 ? ` Ignored (--insecure): ${problemList}.` : '';
  if (certificate === null) return `${agreed}; no certificate.${ignored}`;
  const { subject, issuer, names, daysLeft } = certificate;
  const shownNames = names.slice(0, 4).map(escapeControls).join(', ');
  const more = names.length > 4 ? ` and ${names.length - 4} more` : '';
  const owner = subject === '' ? '' : ` of ${escapeControls(subject)}`;
  const parts = [
    `certificate${owner} from ${escapeControls(issuer)}`,
    ...(shownNames === '' ? [] : [`for ${shownNames}${more}`]),
    describeValidity(daysLeft),
  ];
  return `${agreed}; ${parts.join(', ')}.${ignored}`;
}

/** Services with STARTTLS, and those of the same protocols with TLS from the start. */
const STARTTLS_NAMES = SERVICE_NAMES.filter((name) => SERVICES[name].tls === 'starttls');
const STARTTLS_PROTOCOLS = STARTTLS_NAMES.map((name) => SERVICES[name].protocol);
const IMPLICIT_NAMES = SERVICE_NAMES.filter(
  (name) =>
    SERVICES[name].tls === 'implicit' && STARTTLS_PROTOCOLS.includes(SERVICES[name].protocol),
);

/**
 * Problems for which `--insecure` is suggested. It also ignores an expired certificate, but that
 * should be renewed; it never overrules `--tls-min-days`.
 */
const INSECURE: ReadonlySet<TlsFailure> = new Set([
  'old-version',
  'no-certificate',
  'self-signed',
  'unknown-authority',
  'not-yet-valid',
  'weak',
  'wrong-name',
  'untrusted',
]);

function adviseOnTls(failure: TlsFailure): string {
  switch (failure) {
    case 'no-starttls':
      return (
        'Its TLS is switched off or broken (check its log), or something on the path blocks it. ' +
        `Services with TLS from the start use another port: ${IMPLICIT_NAMES.join(', ')}.`
      );
    case 'injection':
      return (
        'Do not trust this server until this is explained: an attacker on the path may inject ' +
        'commands, or the server is faulty (CVE-2011-0411).'
      );
    case 'not-tls':
      return (
        'This port has no TLS from the start, or a proxy on the way answers in its place. ' +
        `Probe it without TLS, or with STARTTLS: ${STARTTLS_NAMES.join(', ')}.`
      );
    case 'handshake':
      return (
        "Check the server's log. The server may need a host name (--sni), a client certificate, " +
        'or something that is too old or too new for this OpenSSL.'
      );
    case 'old-version':
      return 'Enable TLS 1.2 or newer on the server.';
    case 'no-certificate':
    case 'untrusted':
      return "Check the server's certificate and the chain that it sends.";
    case 'self-signed':
    case 'unknown-authority':
      return (
        'To trust it, name its authority in NODE_EXTRA_CA_CERTS=<file>. ' +
        'Or let the server send its whole chain. ' +
        'If the issuer is not the expected one, a proxy on the way intercepts TLS.'
      );
    case 'expired':
    case 'expires-soon':
      return 'Renew the certificate, and check that the server has loaded the new one.';
    case 'not-yet-valid':
      return 'Check the clocks of this machine and of the issuer.';
    case 'weak':
      return (
        'Use SHA-256 and RSA keys of at least 2048 bits or elliptic curve keys: in the ' +
        "certificate, in those above it, and in the server's TLS settings."
      );
    case 'wrong-name':
      return (
        'Probe a name that the certificate has, or give that name with --sni. ' +
        'If the issuer is not the expected one, a proxy on the way intercepts TLS.'
      );
    default:
      return failure satisfies never;
  }
}

/** Causes between here and the service, once the handshake has passed. */
const LOST_DATA =
  'its packets are lost on the way (a firewall that inspects them, or an MTU too small for them)';

function adviseOnSilence(finding: ServiceFinding): string {
  if (hasBegun(finding))
    return (
      'The service is slow or hangs: check it. A longer --timeout gives it more time. ' +
      `Or ${LOST_DATA}.`
    );
  const { name } = finding;
  if (isServiceName(name) && clientSendsFirst(name))
    return (
      'The connection opened, but nothing came: the service hangs or is overloaded, the ' +
      `port is for another protocol, or ${LOST_DATA}.`
    );
  return (
    'The connection opened, but nothing came: the service hangs, delays its greeting on purpose ' +
    '(use a longer --timeout), or waits for the client, as HTTP and services with TLS from the ' +
    `start do. Or ${LOST_DATA}.`
  );
}

function adviseOnDrop(finding: Extract<ServiceFinding, { state: 'dropped' }>) {
  const { name, tls, unfinished } = finding;
  const reasons =
    tls === null
      ? 'access list, too many connections'
      : 'access list, too many connections, no client certificate';
  if (hasBegun(finding))
    return `The service spoke, then refused this client (${reasons}) or failed. Check its log.`;
  const advice =
    'A load balancer or proxy with no service behind it does so, a service that refuses this ' +
    `client (${reasons}), or a firewall that inspects the data. Check the log of the service.`;
  return name === 'http' && unfinished === null
    ? `${advice} Or the port has TLS from the start: try https.`
    : advice;
}

/** The most useful next step if the service did not answer correctly; null if it did. */
export function adviseOnService(finding: ServiceFinding): string | null {
  switch (finding.state) {
    case 'answered':
      return null;
    case 'silent':
      return adviseOnSilence(finding);
    case 'dropped':
      return adviseOnDrop(finding);
    case 'wrong-protocol':
      return (
        'Another service uses this port, a proxy answers in its place, or the service takes no ' +
        'clients now. Check the port, the name after --service, and the log of the service.'
      );
    case 'tls-failed': {
      const canIgnore = finding.tls !== null && INSECURE.has(finding.failure);
      const hint = canIgnore ? ' --insecure ignores this problem.' : '';
      return `${adviseOnTls(finding.failure)}${hint}`;
    }
    default:
      return finding satisfies never;
  }
}
